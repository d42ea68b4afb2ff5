import type { Earning } from '../coaches/earnings.ts';
import { trialBalance, type LedgerDocument } from '../ledger/ledger.ts';
import type { Entitlements } from '../payments/entitlements/entitlements.ts';
import { processPayment } from '../payments/payments.service.ts';
import { refundPayment, resolveRefunds } from '../payments/refunds/refunds.service.ts';
import type { Refund } from '../payments/refunds/refunds.ts';
import { resolveTransfers } from '../payments/transfers/resolve.service.ts';
import type { Transfer } from '../payments/transfers/transfers.ts';
import { days, hours, minutes } from '../platform/clock.ts';
import { lisa, omar, openBookings, type Bookings } from '../testing/bookings.ts';
import { expireSessions } from './expiry.service.ts';
import { cancelSession, completeSession } from './life.service.ts';

const karin = { uid: 'karin', coach: true, admin: false };
const olof = { uid: 'olof', coach: true, admin: false };
const anna = { uid: 'anna', coach: false, admin: true };
const card = 'pm_card_bypassPending';

let shop: Bookings;
let asked: number;
beforeEach(async () => {
  shop = await openBookings();
  asked = 0;
});
afterEach(() => shop.close());

const requestId = () => `request-${++asked}`;
const pay = async (sessionId: string, paymentMethodId = card) => {
  const { paymentId } = await processPayment(shop.ctx, lisa, { sessionId, requestId: requestId(), paymentMethodId });
  await shop.deliver();
  return paymentId;
};
/** Booked so many hours ahead and paid. */
const paid = async (ahead = 48, paymentMethodId = card) => {
  const { sessionId } = await shop.book({ hours: ahead });
  return { sessionId, paymentId: await pay(sessionId, paymentMethodId) };
};
const withCredit = async (ahead = 48) => {
  const paymentId = await shop.buy({ productId: 'two' });
  const { sessionId } = await shop.book({ hours: ahead, useCredit: true });
  return { sessionId, paymentId };
};
const complete = (sessionId: string, by = karin, outcome?: 'no_show') =>
  completeSession(shop.ctx, by, { sessionId, ...(outcome ? { outcome } : {}) });
const cancel = (sessionId: string, by: typeof karin = lisa, reason?: string) =>
  cancelSession(shop.ctx, by, { sessionId, requestId: requestId(), ...(reason ? { reason } : {}) });
const books = async () => trialBalance(await shop.all<LedgerDocument>('ledger'));
const transfers = () => shop.all<Transfer>('transfers');
const earning = (paymentId: string) => shop.read<Earning>(`coaches/karin/earnings/${paymentId}`);
const entitlements = async () => (await shop.read<{ entitlements: Entitlements }>('customers/lisa'))?.entitlements;
const refunds = () => shop.all<Refund>('refunds');
const letters = async () => (await shop.ctx.db.collection('mail').get()).docs.map((doc) => doc.id);
/** Nothing is held, and the books are Stripe's. */
const expectWhole = async () => {
  await shop.deliver();
  expect(await books()).toMatchObject({ session_held: 0, coach_receivable: 0 });
  await shop.expectBooksAsStripe();
};

describe('completing', () => {
  it('gives the coach their share, once, however often it is said', async () => {
    const { sessionId, paymentId } = await paid();
    await expect(complete(sessionId)).rejects.toMatchObject({ reason: 'session-not-begun' });
    await shop.advance(hours(49));
    const first = await complete(sessionId);
    expect(await complete(sessionId)).toEqual(first);
    expect(await Promise.all([complete(sessionId), complete(sessionId, anna)])).toEqual([first, first]);
    await shop.deliver();
    expect(await transfers()).toMatchObject([{ status: 'done', amountMinor: 48_000, sessionId }]);
    expect(await books()).toMatchObject({ session_held: 0, coach_payable: -48_000, fee_revenue: -12_000 });
    expect(await earning(paymentId)).toMatchObject({ amountMinor: 60_000, feeMinor: 12_000, status: 'available' });
    expect(await shop.session(sessionId)).toMatchObject({
      status: 'completed',
      completedBy: 'karin',
      minutes: 60,
      counts: true,
    });
    await expect(complete(sessionId, karin, 'no_show')).rejects.toMatchObject({ reason: 'session-completed' });
    await expectWhole();
  });

  it('by the command’s id: the same answer, and another input is refused', async () => {
    const { sessionId } = await paid();
    await shop.advance(hours(49));
    const input = { sessionId, requestId: 'complete-1' };
    const first = await completeSession(shop.ctx, karin, input);
    expect(await completeSession(shop.ctx, karin, input)).toEqual(first);
    await expect(completeSession(shop.ctx, karin, { ...input, outcome: 'no_show' })).rejects.toMatchObject({
      reason: 'request-id-reused',
    });
  });

  it('is the coach’s or an administrator’s alone', async () => {
    const { sessionId } = await paid();
    await shop.advance(hours(49));
    await expect(complete(sessionId, olof)).rejects.toMatchObject({ reason: 'not-your-session' });
    await expect(complete(sessionId, lisa)).rejects.toMatchObject({ reason: 'coach-of-session-only' });
    await expect(complete('nothing', anna)).rejects.toMatchObject({ reason: 'session-not-found' });
    expect(await complete(sessionId, anna)).toMatchObject({ status: 'completed' });
  });

  it('of a student who did not come is the same for the money', async () => {
    const { sessionId } = await paid();
    await shop.advance(hours(49));
    expect(await complete(sessionId, karin, 'no_show')).toMatchObject({ status: 'no_show' });
    expect(await shop.session(sessionId)).toMatchObject({ status: 'no_show', counts: true });
    expect(await books()).toMatchObject({ coach_payable: -48_000 });
    await expectWhole();
  });

  it('of one nobody has paid is refused', async () => {
    const { sessionId } = await shop.book({ hours: 1 });
    await shop.advance(hours(3));
    await expect(complete(sessionId)).rejects.toMatchObject({ reason: 'session-not-paid' });
  });

  it('with a credit gives what the credit cost, to the öre', async () => {
    const { sessionId, paymentId } = await withCredit();
    await shop.advance(hours(49));
    await complete(sessionId);
    await shop.deliver();
    expect(await books()).toMatchObject({ session_held: -50_000, coach_payable: -40_000, fee_revenue: -10_000 });
    expect(await earning(`${paymentId}_${sessionId}`)).toMatchObject({ amountMinor: 50_000 });
    await shop.expectBooksAsStripe();
  });

  it('after a part went back gives what is left', async () => {
    const { sessionId, paymentId } = await paid();
    await refundPayment(shop.ctx, anna, { paymentId, amountMinor: 15_000, requestId: requestId() });
    await shop.deliver();
    await shop.advance(hours(49));
    await complete(sessionId);
    expect(await books()).toMatchObject({ coach_payable: -36_000, fee_revenue: -9_000 });
    await expectWhole();
  });

  it('while a refund is under way ends as if it had come before', async () => {
    const { sessionId, paymentId } = await paid();
    await shop.advance(hours(49));
    await refundPayment(shop.ctx, anna, { paymentId, amountMinor: 15_000, requestId: requestId() });
    await complete(sessionId);
    await shop.deliver();
    await shop.advance(minutes(6));
    await resolveRefunds(shop.ctx, shop.now());
    await resolveTransfers(shop.ctx, shop.now());
    await expectWhole();
    expect(await books()).toMatchObject({ coach_payable: -36_000, fee_revenue: -9_000 });
  });

  it.each([
    ['timeout_after_success', 1],
    ['error_500_before', 2],
    ['error_500_after', 1],
  ])('is sent once where Stripe answers with %s', async (kind, times) => {
    const { sessionId } = await paid();
    await shop.advance(hours(49));
    await shop.fault(kind, '/v1/transfers', { times });
    await complete(sessionId);
    await shop.clearFaults();
    for (const wait of [minutes(6), hours(1), days(1)]) {
      await shop.advance(wait);
      await resolveTransfers(shop.ctx, shop.now());
    }
    await shop.deliver();
    expect((await shop.stripe.transfers.list({})).data).toMatchObject([{ amount: 48_000 }]);
    expect(await transfers()).toMatchObject([{ status: 'done' }]);
    await expectWhole();
  });

  it('is refused while the bank has the money; won, it goes on; lost, there is none', async () => {
    const won = await paid(48, 'pm_card_createDispute');
    await shop.advance(hours(49));
    await shop.deliver();
    await expect(complete(won.sessionId)).rejects.toMatchObject({ reason: 'payment-disputed' });
    await expect(cancel(won.sessionId, karin)).rejects.toMatchObject({ reason: 'payment-disputed' });
    const [dispute] = (await shop.stripe.disputes.list({})).data;
    await shop.stripe.disputes.update(dispute?.id ?? '', {
      evidence: { uncategorized_text: 'winning_evidence' },
      submit: true,
    });
    await shop.advance(days(1));
    await shop.deliver();
    await complete(won.sessionId);
    await expectWhole();
    expect(await books()).toMatchObject({ coach_payable: -48_000 });
    const lost = await paid(24, 'pm_card_createDispute');
    const [second] = (await shop.stripe.disputes.list({})).data;
    await shop.stripe.disputes.close(second?.id ?? '');
    await shop.deliver();
    expect(await shop.session(lost.sessionId)).toMatchObject({ status: 'canceled', canceledBy: 'system' });
    await expect(complete(lost.sessionId)).rejects.toMatchObject({ reason: 'session-canceled' });
    await expectWhole();
  });
});

describe('canceling', () => {
  it('early gives everything back, frees the time and tells the coach', async () => {
    const { sessionId, paymentId } = await paid();
    const reply = await cancel(sessionId, lisa, 'Jag är sjuk.');
    expect(reply).toMatchObject({ canceledBy: 'customer', late: false, refundMinor: 60_000, keptMinor: 0 });
    await shop.deliver();
    expect(await shop.payment(paymentId)).toMatchObject({ status: 'refunded' });
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled', paymentStatus: 'refunded' });
    expect(await shop.holders()).toEqual([]);
    expect(await letters()).toContain(`session-canceled_${sessionId}`);
    expect(await shop.read(`mail/session-canceled_${sessionId}`)).toMatchObject({ toUids: ['karin'] });
    expect(await books()).toMatchObject({ coach_payable: 0, fee_revenue: 0 });
    await expectWhole();
  });

  it('late keeps half, as the books’ example has it', async () => {
    const { sessionId, paymentId } = await paid(24);
    await shop.advance(hours(2));
    const before = await books();
    expect(await cancel(sessionId)).toMatchObject({ late: true, refundMinor: 30_000, keptMinor: 30_000 });
    await shop.deliver();
    const refund = (await shop.all<LedgerDocument>('ledger')).find(({ kind }) => kind === 'refund');
    expect(refund?.deltas).toMatchObject({
      session_held: 60_000,
      stripe_platform: -30_000,
      coach_payable: -24_000,
      fee_revenue: -6_000,
    });
    expect(await transfers()).toMatchObject([{ status: 'done', amountMinor: 24_000, sessionId }]);
    expect(await earning(paymentId)).toMatchObject({ amountMinor: 30_000, feeMinor: 6_000, ledgerId: refund?.id });
    expect(before.session_held).toBe(-60_000);
    await expectWhole();
  });

  it('late by the coach or the house is free', async () => {
    for (const by of [karin, anna]) {
      const { sessionId } = await paid(2);
      expect(await cancel(sessionId, by)).toMatchObject({ late: false, refundMinor: 60_000 });
    }
    await shop.deliver();
    expect(await books()).toMatchObject({ coach_payable: 0 });
    await expectWhole();
  });

  it('keeps all or nothing where the house says so', async () => {
    shop.ctx.config.sessionLateCancelKeptPercent = 100;
    const all = await paid(2);
    expect(await cancel(all.sessionId)).toMatchObject({ refundMinor: 0, keptMinor: 60_000 });
    await shop.deliver();
    expect(await books()).toMatchObject({ coach_payable: -48_000 });
    shop.ctx.config.sessionLateCancelKeptPercent = 0;
    const none = await paid(4);
    expect(await cancel(none.sessionId)).toMatchObject({ refundMinor: 60_000, late: false });
    await expectWhole();
  });

  it('with a credit: early it comes back, late it is used up and shared whole', async () => {
    const { sessionId, paymentId } = await withCredit();
    expect(await cancel(sessionId)).toMatchObject({ credit: 'returned', refundMinor: 0, late: false });
    expect((await entitlements())?.credits[paymentId]).toMatchObject({ left: 2, used: 0 });
    const { sessionId: late } = await shop.book({ hours: 2, useCredit: true });
    expect(await cancel(late)).toMatchObject({ credit: 'used', keptMinor: 50_000, late: true });
    expect((await entitlements())?.credits[paymentId]).toMatchObject({ left: 1, used: 1 });
    await shop.deliver();
    expect(await books()).toMatchObject({ session_held: -50_000, coach_payable: -40_000 });
    const { sessionId: theirs } = await shop.book({ hours: 2, useCredit: true });
    expect(await cancel(theirs, karin)).toMatchObject({ credit: 'returned', late: false });
    expect((await entitlements())?.credits[paymentId]).toMatchObject({ left: 1 });
    await shop.expectBooksAsStripe();
  });

  it('twice, and by both at once, is once', async () => {
    const { sessionId } = await paid();
    const both = await Promise.all([cancel(sessionId), cancel(sessionId, karin)]);
    expect(both[0]).toEqual(both[1]);
    expect(await cancel(sessionId)).toEqual(both[0]);
    await shop.deliver();
    expect((await shop.stripe.refunds.list({})).data).toHaveLength(1);
    await expectWhole();
  });

  it('is refused to strangers, to a student who did not pay, and after the end', async () => {
    const { sessionId } = await shop.book({ student: { name: 'Omar', userId: 'omar' } });
    await pay(sessionId);
    await expect(cancel(sessionId, olof)).rejects.toMatchObject({ reason: 'not-your-session' });
    await expect(cancel(sessionId, omar)).rejects.toMatchObject({ reason: 'payer-only' });
    await shop.advance(hours(49));
    await expect(cancel(sessionId)).rejects.toMatchObject({ reason: 'session-begun' });
    await complete(sessionId);
    await expect(cancel(sessionId)).rejects.toMatchObject({ reason: 'session-completed' });
    await expect(cancel(sessionId, anna)).rejects.toMatchObject({ reason: 'session-completed' });
  });

  it('and completing at once end in one of them, with the money whole', async () => {
    for (let round = 0; round < 3; round++) {
      const { sessionId } = await paid(2);
      await shop.advance(hours(3));
      const ends = await Promise.allSettled(
        round % 2 ? [complete(sessionId), cancel(sessionId, karin)] : [cancel(sessionId, anna), complete(sessionId)],
      );
      expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await expectWhole();
    }
  });

  it('of one not paid closes its payment first', async () => {
    const { sessionId } = await shop.book();
    const { paymentId } = await processPayment(shop.ctx, lisa, { sessionId, requestId: requestId() });
    expect(await cancel(sessionId)).toMatchObject({ refundMinor: 0, late: false });
    expect((await shop.stripe.paymentIntents.retrieve(paymentId)).status).toBe('canceled');
    expect(await shop.holders()).toEqual([]);
    expect(await letters()).not.toContain(`session-canceled_${sessionId}`);
  });

  it('of one that is paid that very moment gives all of it back', async () => {
    const { sessionId } = await shop.book();
    const { paymentId } = await processPayment(shop.ctx, lisa, { sessionId, requestId: requestId() });
    await shop.stripe.paymentIntents.confirm(paymentId, { payment_method: card, return_url: 'http://127.0.0.1/' });
    // Its event is still on its way.
    await cancel(sessionId);
    await shop.deliver();
    await expireSessions(shop.ctx, shop.now());
    await shop.deliver();
    expect(await shop.payment(paymentId)).toMatchObject({ status: 'refunded' });
    await expectWhole();
  });

  it('asks for one refund where Stripe’s answer is lost', async () => {
    const { sessionId } = await paid(24);
    await shop.advance(hours(2));
    await shop.fault('timeout_after_success', '/v1/refunds');
    await cancel(sessionId);
    await shop.clearFaults();
    await shop.advance(minutes(6));
    await resolveRefunds(shop.ctx, shop.now());
    expect((await shop.stripe.refunds.list({})).data).toMatchObject([{ amount: 30_000 }]);
    expect(await refunds()).toMatchObject([{ status: 'succeeded' }]);
    await expectWhole();
    expect(await books()).toMatchObject({ coach_payable: -24_000 });
  });

  it.each(['before', 'after'])(
    'of whose kept half a part is refunded %s it is shared ends with what is left',
    async (when) => {
      const { sessionId, paymentId } = await paid(24);
      await shop.advance(hours(2));
      if (when === 'before') await shop.fault('timeout_before', '/v1/refunds', { times: 3 });
      await cancel(sessionId);
      await shop.clearFaults();
      await refundPayment(shop.ctx, anna, { paymentId, amountMinor: 20_000, requestId: requestId() });
      for (const wait of [minutes(6), hours(1)]) {
        await shop.advance(wait);
        await resolveRefunds(shop.ctx, shop.now());
        await resolveTransfers(shop.ctx, shop.now());
      }
      await expectWhole();
      expect(await books()).toMatchObject({ coach_payable: -8_000, fee_revenue: -2_000 });
      expect(await shop.payment(paymentId)).toMatchObject({ refundedMinor: 50_000, held: { leftMinor: 0 } });
      const { amountMinor = 0, feeMinor = 0, reversedMinor = 0 } = (await earning(paymentId)) ?? {};
      expect(amountMinor - feeMinor - reversedMinor).toBe(8_000);
    },
  );

  it('whose two refunds are both heard of at once shares before it takes back', async () => {
    const { sessionId, paymentId } = await paid(24);
    await shop.advance(hours(2));
    // Nothing can be looked up, so neither is booked when it is made.
    await shop.fault('error_500_before', '/v1/charges', { method: 'GET', times: 200 });
    await cancel(sessionId);
    await refundPayment(shop.ctx, anna, { paymentId, amountMinor: 20_000, requestId: requestId() });
    await shop.clearFaults();
    await shop.deliver();
    await shop.advance(minutes(6));
    await resolveRefunds(shop.ctx, shop.now());
    await resolveTransfers(shop.ctx, shop.now());
    await expectWhole();
    expect(await books()).toMatchObject({ coach_payable: -8_000, fee_revenue: -2_000 });
  });

  it('whose refund came to nothing is given back anew by an administrator; only then is the rest shared', async () => {
    const { sessionId } = await paid(24);
    await shop.advance(hours(2));
    // The platform's balance is empty, so the refund waits for money.
    const { available } = await shop.stripe.balance.retrieve();
    const payout = await shop.stripe.payouts.create({ amount: available[0]?.amount ?? 0, currency: 'sek' });
    await cancel(sessionId);
    await shop.deliver();
    expect(await refunds()).toMatchObject([{ status: 'pending' }]);
    expect(await transfers()).toEqual([]);
    expect(await cancel(sessionId, anna)).toMatchObject({ refundId: `session_${sessionId}_1` });
    const [waiting] = (await shop.stripe.refunds.list({})).data;
    await shop.stripe.refunds.cancel(waiting?.id ?? '');
    await shop.deliver();
    await shop.stripe.payouts.cancel(payout.id).catch(() => undefined);
    for (let n = 0; n < 2; n++) await shop.buy({ productId: 'mat' });
    expect(await cancel(sessionId)).toMatchObject({ refundId: `session_${sessionId}_1` });
    expect(await cancel(sessionId, anna)).toMatchObject({ refundId: `session_${sessionId}_2`, refundMinor: 30_000 });
    await shop.deliver();
    expect(await cancel(sessionId, anna)).toMatchObject({ refundId: `session_${sessionId}_2` });
    expect(await transfers()).toMatchObject([{ amountMinor: 24_000 }]);
    expect(await books()).toMatchObject({ session_held: 0, coach_payable: -24_000, fee_revenue: -6_000 });
  });

  it('whose refund fails at the customer’s bank leaves the coach theirs and the rest owed to the customer', async () => {
    const { sessionId } = await paid(24, 'pm_card_refundFail');
    await shop.advance(hours(2));
    await cancel(sessionId);
    await shop.advance(days(1) + hours(1));
    await shop.deliver();
    expect(await books()).toMatchObject({ session_held: 0, customer_payable: -30_000, coach_payable: -24_000 });
    await shop.expectBooksAsStripe();
  });
});

describe('a tenant’s own charge', () => {
  it('is the tenant’s at once: completing moves nothing, and of a late cancellation half goes back', async () => {
    await shop.close();
    shop = await openBookings({ chargeModel: 'direct' });
    const first = await paid();
    await shop.advance(hours(49));
    const before = await books();
    await complete(first.sessionId);
    expect(await books()).toEqual(before);
    const second = await paid(2);
    expect(await cancel(second.sessionId)).toMatchObject({ late: true, refundMinor: 30_000, keptMinor: 30_000 });
    await expectWhole();
  });
});
