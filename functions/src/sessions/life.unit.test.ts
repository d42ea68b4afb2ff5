import { Timestamp } from 'firebase-admin/firestore';
import fc from 'fast-check';
import type { Payment } from '../payments/payments.ts';
import { releaseShare } from '../payments/release.ts';
import { hours } from '../platform/clock.ts';
import { minor } from '../platform/money.ts';
import {
  actorOf,
  countsFor,
  decideCancel,
  heldFor,
  requireCoach,
  requireHeld,
  requireCompletable,
  requireMovable,
  settledMinor,
  splitKept,
  type Actor,
} from './life.ts';
import type { Session, SessionStatus } from './sessions.ts';

const rules = { sessionFreeCancelHours: 24, sessionLateCancelKeptPercent: 50, sessionRescheduleLimit: 3 };
const startMs = Date.parse('2026-11-25T09:00:00Z');
const at = (ms: number) => Timestamp.fromMillis(ms);
const before = (h: number) => new Date(startMs - hours(h));

const session = (more: Partial<Session> = {}): Session => ({
  userId: 'lisa',
  student: { name: 'Elsa', userId: 'elsa' },
  coachId: 'karin',
  productId: 'hour',
  description: 'An hour',
  startsAt: at(startMs),
  endsAt: at(startMs + hours(1)),
  status: 'booked',
  paidBy: { with: 'payment', paymentId: 'pi_1' },
  paymentStatus: 'paid',
  amount: 600,
  amountMinor: minor(60_000),
  currency: 'SEK',
  vatRate: 25,
  customerName: 'Lisa',
  rescheduled: 0,
  createdAt: at(0),
  updatedAt: at(0),
  ...more,
});
const credit = (held = true): Partial<Session> => ({
  paymentStatus: 'credit',
  paidBy: { with: 'credit', paymentId: 'pi_1', priceMinor: minor(30_000), held },
});

const payment = (more: Partial<Payment> = {}): Payment =>
  ({
    status: 'succeeded',
    stripePaymentId: 'pi_1',
    stripeChargeId: 'ch_1',
    amountMinor: minor(60_000),
    coachAmountMinor: minor(48_000),
    refundedMinor: minor(0),
    netMinor: minor(59_000),
    held: { leftMinor: minor(60_000), releasedMinor: minor(0), releasedCoachMinor: minor(0) },
    ...more,
  }) as Payment;

const reasonOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    return (error as { reason?: string }).reason;
  }
  return undefined;
};

describe('who acts', () => {
  const as = (uid: string, admin = false) => ({ uid, admin });

  it('is the coach, the payer as customer, or an administrator; nobody else', () => {
    expect(actorOf('s', session(), as('karin')).actor).toBe('coach');
    expect(actorOf('s', session(), as('lisa')).actor).toBe('customer');
    expect(actorOf('s', session(), as('anna', true)).actor).toBe('admin');
    expect(reasonOf(() => actorOf('s', session(), as('olof')))).toBe('not-your-session');
    expect(reasonOf(() => actorOf('s', session(), as('elsa')))).toBe('payer-only');
  });

  it('whoever has no part in it learns not whether it is there', () => {
    expect(reasonOf(() => actorOf('s', undefined, as('olof')))).toBe('not-your-session');
    expect(reasonOf(() => actorOf('s', undefined, as('anna', true)))).toBe('session-not-found');
  });

  it('an administrator acts on their own bookings as any customer', () => {
    expect(actorOf('s', session(), as('lisa', true)).actor).toBe('customer');
    expect(reasonOf(() => requireCoach('s', session(), as('lisa', true)))).toBe('coach-of-session-only');
  });
});

describe('completing', () => {
  const complete = (more: Partial<Session>, now = new Date(startMs), outcome: 'completed' | 'no_show' = 'completed') =>
    reasonOf(() => requireCompletable('s', session(more), outcome, now));

  it('is for paid sessions that have begun', () => {
    expect(complete({})).toBeUndefined();
    expect(complete({}, new Date(startMs - 1))).toBe('session-not-begun');
    for (const paymentStatus of ['unpaid', 'pending', 'failed', 'refunded'] as const)
      expect(complete({ paymentStatus })).toBe('session-not-paid');
    expect(complete({ status: 'canceled' })).toBe('session-canceled');
    expect(complete({ status: 'no_show' })).toBe('session-completed');
    expect(complete({ status: 'completed' }, new Date(startMs), 'no_show')).toBe('session-completed');
  });

  it('twice the same is the same', () => {
    expect(requireCompletable('s', session({ status: 'no_show' }), 'no_show', new Date(0))).toBe(false);
    expect(requireCompletable('s', session({ status: 'completed' }), 'completed', new Date(0))).toBe(false);
  });

  it('releases what is held for it, and no more than is there', () => {
    expect(heldFor('s', session(), payment())).toBe(60_000);
    expect(heldFor('s', session(credit()), payment())).toBe(30_000);
    const left = (leftMinor: number) =>
      payment({ held: { leftMinor: minor(leftMinor), releasedMinor: minor(0), releasedCoachMinor: minor(0) } });
    expect(heldFor('s', session(), left(45_000))).toBe(45_000);
    expect(heldFor('s', session(credit()), left(10_000))).toBe(10_000);
    expect(heldFor('s', session(credit(false)), undefined)).toBeUndefined();
    const { held: _, ...direct } = payment();
    expect(heldFor('s', session(), direct as Payment)).toBeUndefined();
  });

  it('is refused while a bank has the money, when it went back, and before it is booked', () => {
    const dispute = (status: string, lostMinor = 0) =>
      payment({
        aftermath: {
          refunds: {},
          disputes: {
            du_1: {
              withdrawnMinor: minor(60_000),
              reinstatedMinor: minor(0),
              status,
              lostMinor: minor(lostMinor),
              decisions: 1,
            },
          },
        },
      });
    const reason = (given: Payment) => reasonOf(() => requireHeld('s', session(), given));
    expect(reason(dispute('needs_response'))).toBe('payment-disputed');
    expect(reason(dispute('lost', 60_000))).toBe('session-refunded');
    expect(reason(payment({ status: 'refunded', refundedMinor: minor(60_000) }))).toBe('session-refunded');
    expect(reason(payment({ netMinor: null }))).toBe('payment-not-booked');
  });
});

describe('canceling', () => {
  const cancel = (actor: Actor, now: Date, more: Partial<Session> = {}, rule = rules) =>
    decideCancel('s', session(more), actor, rule, now);

  it('is free for the customer until the limit, to the millisecond, and later not', () => {
    expect(cancel('customer', before(24))).toEqual({ late: false, money: { kind: 'refund', keptPercent: 0 } });
    expect(cancel('customer', new Date(startMs - hours(24) + 1))).toEqual({
      late: true,
      money: { kind: 'refund', keptPercent: 50 },
    });
    expect(reasonOf(() => cancel('customer', new Date(startMs)))).toBe('session-begun');
  });

  it('is free whenever the coach or the house does it, and when they had moved it', () => {
    for (const actor of ['coach', 'admin'] as const)
      expect(cancel(actor, new Date(startMs + hours(3)))).toMatchObject({ late: false });
    expect(cancel('customer', before(1), { movedBy: 'coach' })).toMatchObject({ late: false });
    expect(cancel('customer', before(1), { movedBy: 'customer' })).toMatchObject({ late: true });
  });

  it('uses a credit up, or gives it back', () => {
    expect(cancel('customer', before(30), credit())?.money).toEqual({ kind: 'credit', used: false });
    expect(cancel('customer', before(1), credit())).toEqual({ late: true, money: { kind: 'credit', used: true } });
    const generous = { ...rules, sessionLateCancelKeptPercent: 0 };
    expect(cancel('customer', before(1), credit(), generous)).toMatchObject({ late: false });
  });

  it('of one nobody paid moves nothing; of one that ended is refused; twice is once', () => {
    expect(cancel('customer', before(1), { paymentStatus: 'pending' })).toEqual({
      late: false,
      money: { kind: 'none' },
    });
    expect(cancel('customer', before(1), { status: 'canceled' })).toBeUndefined();
    for (const status of ['completed', 'no_show'] as const)
      expect(reasonOf(() => cancel('admin', before(1), { status }))).toBe('session-completed');
  });

  it('counts where the coach or a late customer is the reason', () => {
    expect(countsFor(session(), 'coach', false)).toBe(true);
    expect(countsFor(session(), 'customer', true)).toBe(true);
    expect(countsFor(session(), 'customer', false)).toBe(false);
    expect(countsFor(session({ paymentStatus: 'unpaid' }), 'coach', false)).toBe(false);
  });
});

describe('moving', () => {
  const move = (actor: Actor, now: Date, more: Partial<Session> = {}) =>
    reasonOf(() => requireMovable('s', session(more), actor, rules, now));

  it('is for customers until the free limit and for coaches until the start, so many times', () => {
    expect(move('customer', before(24))).toBeUndefined();
    expect(move('customer', before(23))).toBe('too-late-to-move');
    expect(move('customer', before(23), { movedBy: 'coach', rescheduled: 1 })).toBeUndefined();
    expect(move('coach', before(0.1))).toBeUndefined();
    expect(move('coach', new Date(startMs))).toBe('session-begun');
    expect(move('coach', before(48), { rescheduled: 3 })).toBe('moved-too-often');
    expect(move('admin', before(48), { rescheduled: 3 })).toBeUndefined();
    expect(move('customer', before(48), { paymentStatus: 'unpaid' })).toBe('session-not-paid');
    expect(move('customer', before(48), { status: 'canceled' })).toBe('session-canceled');
  });
});

describe('for any price, percent and part', () => {
  const amounts = fc.integer({ min: 1, max: 10_000_000 });

  it('what is kept and what goes back are what was left, and the kept is shared without remainder', () => {
    fc.assert(
      fc.property(amounts, fc.nat(100), fc.nat(100), (left, keptPercent, coachPercent) => {
        const { keptMinor, refundMinor } = splitKept(minor(left), keptPercent);
        expect(keptMinor + refundMinor).toBe(left);
        expect(Math.min(keptMinor, refundMinor)).toBeGreaterThanOrEqual(0);
        if (keptMinor === 0) return;
        const sold = { amountMinor: minor(left), coachAmountMinor: minor(Math.floor((left * coachPercent) / 100)) };
        const held = { leftMinor: minor(left), releasedMinor: minor(0), releasedCoachMinor: minor(0) };
        const { coachMinor, feeMinor } = releaseShare(sold, held, keptMinor);
        expect(coachMinor + feeMinor).toBe(keptMinor);
        expect(Math.min(coachMinor, feeMinor)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('parts settled in another currency are together at least the whole, and each at most so', () => {
    fc.assert(
      fc.property(amounts, amounts, fc.integer({ min: 1, max: 20 }), (amount, settled, parts) => {
        const sold = payment({
          amountMinor: minor(amount),
          settlement: { amountMinor: minor(settled), currency: 'SEK' },
        });
        const each = Array.from({ length: parts }, (_, n) =>
          minor(Math.floor((amount * (n + 1)) / parts) - Math.floor((amount * n) / parts)),
        );
        const all = each.reduce((total, part) => total + settledMinor(sold, part), 0);
        expect(all).toBeGreaterThanOrEqual(settled);
        expect(settledMinor(sold, minor(amount))).toBe(settled);
      }),
    );
  });

  it('commands in any order end a session once', () => {
    const command = fc.record({
      kind: fc.constantFrom('complete', 'no-show', 'cancel'),
      actor: fc.constantFrom<Actor>('customer', 'coach', 'admin'),
      hour: fc.integer({ min: -72, max: 72 }),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        let now = session();
        const ends: SessionStatus[] = [];
        for (const { kind, actor, hour } of commands) {
          const clock = new Date(startMs + hours(hour));
          reasonOf(() => {
            const outcome = kind === 'no-show' ? 'no_show' : 'completed';
            const ended: SessionStatus = kind === 'cancel' ? 'canceled' : outcome;
            const done =
              kind === 'cancel'
                ? decideCancel('s', now, actor, rules, clock) !== undefined
                : requireCompletable('s', now, outcome, clock);
            if (!done) return;
            ends.push(ended);
            now = { ...now, status: ended };
          });
        }
        expect(ends.length).toBeLessThanOrEqual(1);
        expect(now.status).toBe(ends[0] ?? 'booked');
      }),
    );
  });
});
