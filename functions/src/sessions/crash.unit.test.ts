import { trialBalance, type LedgerDocument } from '../ledger/ledger.ts';
import { processPayment } from '../payments/payments.service.ts';
import { resolveRefunds } from '../payments/refunds/refunds.service.ts';
import { resolveTransfers } from '../payments/transfers/resolve.service.ts';
import { hours, minutes } from '../platform/clock.ts';
import { lisa, openBookings, type Bookings } from '../testing/bookings.ts';
import { cancelSession, completeSession } from './life.service.ts';
import { completeEnded } from './life-sweep.service.ts';
import { rescheduleSession } from './move.service.ts';
import type { Session } from './sessions.ts';

const karin = { uid: 'karin', coach: true, admin: false };
let shop: Bookings;
let asked = 0;

beforeEach(async () => {
  shop = await openBookings();
});
afterEach(() => shop.close());

const requestId = () => `request-${++asked}`;
const paid = async (ahead: number) => {
  const { sessionId } = await shop.book({ hours: ahead });
  const input = { sessionId, requestId: requestId(), paymentMethodId: 'pm_card_bypassPending' };
  await processPayment(shop.ctx, lisa, input);
  await shop.deliver();
  return sessionId;
};
const withCredit = async (ahead: number) => {
  await shop.buy({ productId: 'two' });
  return (await shop.book({ hours: ahead, useCredit: true })).sessionId;
};

/** The process dies at each of its operations in turn; run again, with the sweeps, it ends as if nothing had been. */
async function dyingAtEach(
  begin: () => Promise<string>,
  command: (sessionId: string, requestId: string) => Promise<unknown>,
  expectEnd: (session: Session, rounds: number) => Promise<void>,
): Promise<number> {
  for (let operations = 0, rounds = 1; ; operations++, rounds++) {
    const sessionId = await begin();
    const id = requestId();
    shop.dieAfter(operations);
    await command(sessionId, id).catch(() => undefined);
    const died = shop.revive();
    await command(sessionId, id);
    await shop.deliver();
    await shop.advance(minutes(6));
    await resolveRefunds(shop.ctx, shop.now());
    await resolveTransfers(shop.ctx, shop.now());
    await shop.deliver();
    await expectEnd(await shop.session(sessionId), rounds);
    await shop.expectBooksAsStripe();
    if (!died) return rounds;
  }
}

const books = async () => trialBalance(await shop.all<LedgerDocument>('ledger'));

it('completing releases and sends the share once', async () => {
  const rounds = await dyingAtEach(
    async () => {
      const sessionId = await paid(1);
      await shop.advance(hours(2));
      return sessionId;
    },
    (sessionId, id) => completeSession(shop.ctx, karin, { sessionId, requestId: id }),
    async ({ status }, n) => {
      expect(status).toBe('completed');
      expect(await books()).toMatchObject({ session_held: 0, coach_payable: -48_000 * n, fee_revenue: -12_000 * n });
    },
  );
  expect(rounds).toBeGreaterThan(10);
}, 60_000);

it('canceling late refunds and shares once', async () => {
  const rounds = await dyingAtEach(
    () => paid(5),
    (sessionId, id) => cancelSession(shop.ctx, lisa, { sessionId, requestId: id }),
    async ({ status, cancellation }, n) => {
      expect({ status, cancellation }).toMatchObject({ status: 'canceled', cancellation: { keptMinor: 30_000 } });
      expect(await books()).toMatchObject({ session_held: 0, coach_payable: -24_000 * n, fee_revenue: -6_000 * n });
    },
  );
  expect(rounds).toBeGreaterThan(20);
}, 120_000);

it('canceling with a credit gives one back, or shares one', async () => {
  for (const ahead of [48, 5]) {
    const before = await books();
    await dyingAtEach(
      () => withCredit(ahead),
      (sessionId, id) => cancelSession(shop.ctx, lisa, { sessionId, requestId: id }),
      async ({ cancellation }, n) => {
        expect(cancellation).toMatchObject({ credit: ahead > 24 ? 'returned' : 'used' });
        const released = ahead > 24 ? 0 : n;
        const after = await books();
        expect(after.coach_payable - before.coach_payable).toBe(0 - 40_000 * released);
        expect(after.session_held - before.session_held).toBe(-100_000 * n + 50_000 * released);
      },
    );
  }
}, 120_000);

it('moving has one time', async () => {
  let ahead = 48;
  await dyingAtEach(
    () => paid(ahead++),
    (sessionId, id) =>
      rescheduleSession(shop.ctx, lisa, {
        sessionId,
        startsAt: shop.inHours(ahead + 200).toISOString(),
        requestId: id,
      }),
    async ({ rescheduled }, n) => {
      expect(rescheduled).toBe(1);
      expect(await shop.holders()).toHaveLength(n);
    },
  );
}, 60_000);

it('the sweep completes once what it had begun', async () => {
  for (let operations = 0, rounds = 1, died = true; died; operations++, rounds++) {
    await paid(1);
    await shop.advance(hours(51));
    shop.dieAfter(operations);
    await completeEnded(shop.ctx, shop.now()).catch(() => undefined);
    died = shop.revive();
    await completeEnded(shop.ctx, shop.now());
    await shop.advance(minutes(6));
    await resolveTransfers(shop.ctx, shop.now());
    await shop.deliver();
    expect(await books()).toMatchObject({ session_held: 0, coach_payable: -48_000 * rounds });
    await shop.expectBooksAsStripe();
  }
}, 60_000);
