import { Timestamp } from 'firebase-admin/firestore';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { runWrites } from '../../platform/write.ts';
import { balanceAt } from '../../testing/coach.ts';
import { badCard, goodCard, openSubscriber, type Subscriber } from '../../testing/subscriber.ts';
import { processPayment } from '../payments.service.ts';
import type { Payment } from '../payments.ts';
import { refundPayment } from '../refunds/refunds.service.ts';
import { planRelease } from '../release.service.ts';
import { cancelSubscription } from '../subscriptions/changes.service.ts';
import { sendOrder } from '../transfers/transfers.service.ts';
import { releaseId } from '../transfers/transfers.ts';
import type { CreditsView, Entitlements } from './entitlements.ts';
import { planSpendCredit, type SpentCredit } from './entitlements.service.ts';

/** Credits from the day they are bought to the day nothing is left of them, on a test clock of Stripe's. */

const anna = { uid: 'anna', coach: false, admin: true };

let world: Subscriber;

beforeEach(async () => {
  world = await openSubscriber();
  const bundle = { kind: 'bundle', name: 'Three sessions', currency: 'SEK', vatRate: 25, active: true };
  await world.ctx.db.doc('products/three').set({ ...bundle, amountMinor: 100_000, coachId: 'karin', credits: 3 });
});

afterEach(() => world.close());

const at = () => Timestamp.fromDate(world.now());

const book = (sessionId: string): Promise<SpentCredit> =>
  world.ctx.db.runTransaction(async (tx) => {
    const spent = await planSpendCredit(world.ctx, tx, { userId: 'eva', coachId: 'karin', sessionId, at: at() });
    runWrites(tx, spent.writes);
    return spent;
  });

async function complete(sessionId: string, { paymentId, priceMinor: grossMinor }: SpentCredit): Promise<void> {
  const { ctx } = world;
  await ctx.db.runTransaction(async (tx) => {
    const payment = await world.payment(paymentId);
    runWrites(tx, await planRelease(ctx, tx, { sessionId, payment, grossMinor, at: at() }));
  });
  await sendOrder(ctx, releaseId(sessionId));
  await world.hear();
}

const buyThree = async (): Promise<string> => {
  const input = { productId: 'three', requestId: 'buy-three', paymentMethodId: goodCard };
  const { paymentId } = await processPayment(world.ctx, world.eva, input);
  await world.hear();
  return paymentId;
};

const entitlements = async () => (await world.read<{ entitlements: Entitlements }>('customers/eva'))?.entitlements;
/** Those that end first come first. */
const credits = async (): Promise<CreditsView[]> =>
  Object.values((await entitlements())?.credits ?? {}).sort(
    (a, b) => (a.until?.toMillis() ?? 0) - (b.until?.toMillis() ?? 0),
  );

/** What the books say is held, is the coach's and was earned by the platform; checked against Stripe's balances first. */
async function books(): Promise<{ held: number; coach: number; fee: number }> {
  await world.expectBooksAsStripe();
  const all = trialBalance(await world.all<LedgerDocument>('ledger'));
  const coach = 0 - all.coach_payable - all.coach_receivable;
  expect(await balanceAt(world.stripe, world.account)).toBe(coach);
  return { held: 0 - all.session_held, coach, fee: 0 - all.fee_revenue };
}

describe('a bundle, by test clock', () => {
  it('bought, used a session a month and used up: each session pays the coach its exact part', async () => {
    const paymentId = await buyThree();
    expect(await books()).toEqual({ held: 100_000, coach: 0, fee: 0 });
    // 1000 kr for 3, of which the coach has 800: every öre of it is somewhere, the odd ones in the last session.
    const months = [
      { held: 66_667, coach: 26_666, fee: 6_667 },
      { held: 33_334, coach: 53_332, fee: 13_334 },
      { held: 0, coach: 80_000, fee: 20_000 },
    ];
    for (const [index, after] of months.entries()) {
      const sessionId = `s${index + 1}`;
      const spent = await book(sessionId);
      expect(spent).toMatchObject({ paymentId, held: true });
      expect((await credits())[0]).toMatchObject({ used: index + 1, left: 2 - index });
      await world.pass({ days: 30 });
      await complete(sessionId, spent);
      expect(await books()).toEqual(after);
      // Completed again, it pays nothing again.
      await complete(sessionId, spent);
      expect(await books()).toEqual(after);
    }
    await expect(book('s4')).rejects.toMatchObject({ reason: 'no-credits-left' });
    expect((await world.payment(paymentId)).held).toEqual({
      leftMinor: 0,
      releasedMinor: 100_000,
      releasedCoachMinor: 80_000,
    });
    const { data } = await world.stripe.transfers.list({ destination: world.account });
    expect(data.map(({ amount }) => amount)).toEqual([26_668, 26_666, 26_666]);
    expect(await world.openFlags()).toEqual([]);
  }, 30_000);

  it('used in part, then refunded: what is left goes back, what was released stays the coach’s until it goes back too', async () => {
    const paymentId = await buyThree();
    const spent = await book('s1');
    await world.pass({ days: 7 });
    await complete('s1', spent);
    await world.pass({ days: 7 });
    const refund = (amountMinor: number, requestId: string) =>
      refundPayment(world.ctx, anna, { paymentId, amountMinor, requestId }).then(() => world.hear());

    await refund(33_333, 'refund-one');
    expect(await books()).toEqual({ held: 33_334, coach: 26_666, fee: 6_667 });
    expect(await credits()).toMatchObject([{ total: 3, used: 1, refunded: 1, left: 1 }]);

    await refund(33_334, 'refund-two');
    expect(await books()).toEqual({ held: 0, coach: 26_666, fee: 6_667 });
    expect(await credits()).toMatchObject([{ used: 1, refunded: 2, left: 0 }]);
    await expect(book('s2')).rejects.toMatchObject({ reason: 'no-credits-left' });
    expect(await world.payment(paymentId)).toMatchObject({ status: 'partially_refunded', refundedMinor: 66_667 });

    await world.pass({ days: 7 });
    await refund(33_333, 'refund-three');
    expect(await books()).toEqual({ held: 0, coach: 0, fee: 0 });
    expect(await credits()).toMatchObject([{ refunded: 3, left: 0 }]);
    expect(await world.payment(paymentId)).toMatchObject({ status: 'refunded', refundedMinor: 100_000 });
    expect(await world.openFlags()).toEqual([]);
  }, 30_000);

  it('refunded whole before it is used leaves nobody anything', async () => {
    const paymentId = await buyThree();
    await world.pass({ days: 14 });
    await refundPayment(world.ctx, anna, { paymentId, requestId: 'refund-all' });
    await world.hear();
    expect(await books()).toEqual({ held: 0, coach: 0, fee: 0 });
    await expect(book('s1')).rejects.toMatchObject({ reason: 'no-credits-left' });
  }, 30_000);
});

describe('credits of a subscription, by test clock', () => {
  const paymentsOf = async (id: string) =>
    (await world.all<Payment>('payments'))
      .filter(({ subscriptionId }) => subscriptionId === id)
      .sort((a, b) => a.createdAt.toMillis() - b.createdAt.toMillis());
  /** The next month, and the hour that its invoice is a draft. */
  const nextMonth = async () => {
    await world.pass({ months: 1 });
    await world.pass({ days: 1 });
    await world.hear();
  };

  it('come anew with each paid month; what was not used by its end is gone, and with the subscription all', async () => {
    const { subscriptionId: id } = await world.subscribe('sessions');
    await world.hear();
    const first = await book('s1');
    // A month is 999 kr, of which the fee is whole kronor: the coach has their share at once, not by session.
    expect(first).toMatchObject({ held: false, priceMinor: 49_950 });
    expect(await books()).toEqual({ held: 0, coach: 80_000, fee: 19_900 });

    await world.pass({ months: 1 });
    // The month is over, and the new one is not paid yet.
    await expect(book('s2')).rejects.toMatchObject({ reason: 'no-credits-left' });
    await world.pass({ days: 1 });
    await world.hear();
    expect(await credits()).toMatchObject([
      { total: 2, used: 1 },
      { total: 2, used: 0, left: 2 },
    ]);
    const second = await book('s2');
    expect(second.paymentId).not.toBe(first.paymentId);
    await book('s3');
    await expect(book('s4')).rejects.toMatchObject({ reason: 'no-credits-left' });
    expect(await books()).toEqual({ held: 0, coach: 160_000, fee: 39_800 });

    // The card fails: nothing is paid, so there is nothing to book with until it is.
    await world.useCard(id, badCard);
    await nextMonth();
    await expect(book('s4')).rejects.toMatchObject({ reason: 'no-credits-left' });
    await world.useCard(id, goodCard);
    await world.pass({ days: 6 });
    await world.hear();
    expect((await book('s4')).paymentId).toBe((await paymentsOf(id))[2]?.stripePaymentId);
    expect(await books()).toEqual({ held: 0, coach: 240_000, fee: 59_700 });

    // This month's money goes back whole: the credit that is left goes with it.
    const paymentId = (await paymentsOf(id))[2]?.stripePaymentId ?? '';
    await refundPayment(world.ctx, anna, { paymentId, requestId: 'refund-month' });
    await world.hear();
    await expect(book('s5')).rejects.toMatchObject({ reason: 'no-credits-left' });
    expect(await books()).toEqual({ held: 0, coach: 160_000, fee: 39_800 });

    await cancelSubscription(world.ctx, world.eva, { subscriptionId: id, when: 'period_end', requestId: 'cancel-it' });
    await nextMonth();
    expect(await paymentsOf(id)).toHaveLength(3);
    expect((await entitlements())?.subscriptions).toEqual({});
    await expect(book('s6')).rejects.toMatchObject({ reason: 'no-credits-left' });
    expect(await books()).toEqual({ held: 0, coach: 160_000, fee: 39_800 });
    expect(await world.openFlags()).toEqual([]);
  }, 60_000);
});
