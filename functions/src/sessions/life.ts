import type { Config } from '../config.ts';
import { isHeld } from '../payments/disputes/disputes.ts';
import { moneyIsHere } from '../payments/entitlements/money.ts';
import type { Held, Payment } from '../payments/payments.ts';
import { hours } from '../platform/clock.ts';
import { Refusal } from '../platform/errors.ts';
import { minor, zero, type Minor } from '../platform/money.ts';
import { isConfirmed, isPaid, isUnpaid, partyOf, type CanceledBy, type Session } from './sessions.ts';

/** How a session that took place, or should have, ends. A student who does not come has had their session, as far as money goes. */
export type SessionOutcome = 'completed' | 'no_show';

export type CancelRules = Pick<Config, 'sessionFreeCancelHours' | 'sessionLateCancelKeptPercent'>;
export type MoveRules = Pick<Config, 'sessionFreeCancelHours' | 'sessionRescheduleLimit'>;

/** Who acts on a session; the payer is its customer. */
export type Actor = Exclude<CanceledBy, 'system'>;

const refused = (sessionId: string, reason: string, message: string): Refusal =>
  new Refusal('failed-precondition', reason, message, { sessionId });

/** As whom somebody acts on a session. An administrator acts as one on any that is not their own. Throws Refusal. */
export function actorOf(
  sessionId: string,
  session: Session | undefined,
  caller: { uid: string; admin: boolean },
): { session: Session; actor: Actor } {
  const party = session && partyOf(session, caller.uid);
  if (session && party === 'coach') return { session, actor: 'coach' };
  if (session && party === 'payer') return { session, actor: 'customer' };
  if (session && caller.admin) return { session, actor: 'admin' };
  if (caller.admin) throw new Refusal('not-found', 'session-not-found', `There is no session ${sessionId}.`);
  throw new Refusal(
    'permission-denied',
    party === 'student' ? 'payer-only' : 'not-your-session',
    party === 'student' ? 'Only who booked this session can change it.' : 'This session is not one of yours.',
    { sessionId },
  );
}

/** The same for what only the coach, or an administrator for them, may do. Throws Refusal. */
export function requireCoach(
  sessionId: string,
  session: Session | undefined,
  caller: { uid: string; admin: boolean },
): Session {
  const acting = actorOf(sessionId, session, caller);
  if (acting.actor !== 'customer') return acting.session;
  throw new Refusal('permission-denied', 'coach-of-session-only', 'Only the coach of this session can do that.', {
    sessionId,
  });
}

/** The Refusal of a session that has ended in another way. */
function over(id: string, status: Exclude<Session['status'], 'booked'>): Refusal {
  const [reason, words] = {
    completed: ['session-completed', 'is completed'] as const,
    no_show: ['session-completed', 'is over: the student did not come'] as const,
    canceled: ['session-canceled', 'was canceled'] as const,
  }[status];
  return refused(id, reason, `Session ${id} ${words}.`);
}

/**
 * Whether a session can be completed now; false: it is, in the same way. Not before it begins: a coach who ends early says
 * so from its first minute on. Throws Refusal.
 */
export function requireCompletable(id: string, session: Session, outcome: SessionOutcome, now: Date): boolean {
  if (session.status === outcome) return false;
  if (session.status !== 'booked') throw over(id, session.status);
  if (!isPaid(session)) throw refused(id, 'session-not-paid', `Session ${id} is not paid.`);
  if (now.getTime() < session.startsAt.toMillis())
    throw refused(id, 'session-not-begun', `Session ${id} has not begun. Cancel it if it will not take place.`);
  return true;
}

/**
 * What of the money held for a session is to become the coach's share and the fee, in the currency Stripe settled in: its
 * price, and never more than is still there; zero when it went back. Undefined: nothing is held (a tenant's own charge,
 * credits of a subscription). Throws the Refusal of money that is with a bank, or not booked yet.
 */
export function heldFor(
  id: string,
  { paidBy }: Pick<Session, 'paidBy'>,
  payment: Payment | undefined,
): Minor | undefined {
  if (paidBy.with === 'credit' && !paidBy.held) return undefined;
  if (!payment) throw new Error(`Session ${id} is paid and its payment is not there.`);
  requireUndisputed(id, payment);
  if (!moneyIsHere(payment)) return zero;
  if (!payment.held) return undefined;
  const { leftMinor } = requireBooked(id, payment);
  const priceMinor = paidBy.with === 'credit' ? settledMinor(payment, paidBy.priceMinor) : leftMinor;
  return minor(Math.max(0, Math.min(priceMinor, leftMinor)));
}

/** The same for a session that is completed: none is, for money that went back. */
export function requireHeld(...of: Parameters<typeof heldFor>): Minor | undefined {
  const heldMinor = heldFor(...of);
  if (heldMinor !== 0) return heldMinor;
  throw refused(of[0], 'session-refunded', 'The money for this session went back. It can only be canceled.');
}

/** While a bank has the money, nothing is decided over it. Throws Refusal. */
export function requireUndisputed(id: string, { aftermath }: Pick<Payment, 'aftermath'>): void {
  if (!Object.values(aftermath?.disputes ?? {}).some(isHeld)) return;
  throw refused(id, 'payment-disputed', 'A bank has this session’s money while it decides over a dispute of it.');
}

/** What is held, once Stripe has told how it booked the charge. Throws Refusal. */
export function requireBooked(id: string, { held, netMinor, stripeChargeId }: Payment): Held {
  if (held && netMinor !== null && stripeChargeId) return held;
  const words = 'The payment is being booked. Try again in some minutes.';
  throw new Refusal('unavailable', 'payment-not-booked', words, { sessionId: id });
}

/** A part of what was paid, in the currency Stripe settled in; rounded up, so that the last part is what the others left. */
export function settledMinor({ settlement, amountMinor }: Payment, part: Minor): Minor {
  if (!settlement) return part;
  const whole = BigInt(amountMinor);
  return minor(Number((BigInt(part) * BigInt(settlement.amountMinor) + whole - 1n) / whole));
}

/** Until when its customer can cancel it for nothing, or move it. */
const freeUntil = (session: Session, freeHours: number): number => session.startsAt.toMillis() - hours(freeHours);

/** A session that somebody else moved is not held against its customer. */
const isMovedOnThem = ({ movedBy }: Session): boolean => movedBy === 'coach' || movedBy === 'admin';

export interface CancelDecision {
  late: boolean;
  /** What to do about money: nothing came; it goes back, less the percent that is kept; a credit comes back or is used up. */
  money: { kind: 'none' } | { kind: 'refund'; keptPercent: number } | { kind: 'credit'; used: boolean };
}

/**
 * What canceling does. Free for the customer until so many hours before the start, and whenever the coach or the house
 * cancels; later a part is kept. A credit has no parts: it is used up whole. Undefined: it is canceled already. Throws Refusal.
 */
export function decideCancel(
  id: string,
  session: Session,
  actor: Actor,
  rules: CancelRules,
  now: Date,
): CancelDecision | undefined {
  if (session.status === 'canceled') return undefined;
  if (session.status !== 'booked') throw over(id, session.status);
  if (isUnpaid(session) || session.paymentStatus === 'refunded') return { late: false, money: { kind: 'none' } };
  if (actor === 'customer' && now.getTime() >= session.startsAt.toMillis())
    throw refused(
      id,
      'session-begun',
      'This session has begun. If it did not take place, ask your coach to cancel it.',
    );
  const late =
    actor === 'customer' &&
    !isMovedOnThem(session) &&
    rules.sessionLateCancelKeptPercent > 0 &&
    now.getTime() > freeUntil(session, rules.sessionFreeCancelHours);
  if (session.paidBy.with === 'credit') return { late, money: { kind: 'credit', used: late } };
  return { late, money: { kind: 'refund', keptPercent: late ? rules.sessionLateCancelKeptPercent : 0 } };
}

/** What stays of what is left of a payment; rounded down, for the customer. The rest goes back. */
export function splitKept(leftMinor: Minor, keptPercent: number): { keptMinor: Minor; refundMinor: Minor } {
  const keptMinor = keptPercent === 0 ? zero : minor(Math.floor((leftMinor * keptPercent) / 100));
  return { keptMinor, refundMinor: minor(leftMinor - keptMinor) };
}

/** It takes place or not by the coach's doing or the customer's: free cancellations of customers say nothing of a coach. */
export const countsFor = (session: Session, actor: Actor, late: boolean): boolean =>
  isConfirmed(session) && (late || actor === 'coach');

/** Throws the Refusal of a session that cannot be moved, or not by them. Moved by whom and how often, it is limited alike. */
export function requireMovable(id: string, session: Session, actor: Actor, rules: MoveRules, now: Date): void {
  if (session.status !== 'booked') throw over(id, session.status);
  if (!isConfirmed(session)) throw refused(id, 'session-not-paid', `Session ${id} is not paid. Pay it first.`);
  if (now.getTime() >= session.startsAt.toMillis())
    throw refused(id, 'session-begun', 'This session has begun and can no longer be moved.');
  if (actor === 'admin') return;
  if (session.rescheduled >= rules.sessionRescheduleLimit)
    throw refused(
      id,
      'moved-too-often',
      `A session is moved at most ${rules.sessionRescheduleLimit} times. Cancel it and book another.`,
    );
  const { sessionFreeCancelHours: free } = rules;
  if (actor === 'customer' && !isMovedOnThem(session) && now.getTime() > freeUntil(session, free))
    throw refused(id, 'too-late-to-move', `A session can be moved until ${free} hours before it starts.`);
}
