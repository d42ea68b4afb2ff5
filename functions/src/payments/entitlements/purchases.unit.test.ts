import { Timestamp } from 'firebase-admin/firestore';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { sum } from '../../platform/money.ts';
import { runWrites } from '../../platform/write.ts';
import { openShop, type Shop } from '../../testing/shop.ts';
import { bookAftermathOf } from '../aftermath/aftermath.service.ts';
import { planRelease } from '../release.service.ts';
import type { Entitlements } from './entitlements.ts';
import { planReturnCredit, planSpendCredit, type SpentCredit } from './entitlements.service.ts';

let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
  const product = { currency: 'SEK', vatRate: 25, active: true, coachId: 'karin' };
  const { db } = shop.ctx;
  await db
    .doc('products/calm')
    .set({ ...product, name: 'Calm', kind: 'programme', amountMinor: 49_900, accessWeeks: 4 });
  await db.doc('products/three').set({ ...product, name: 'Three', kind: 'bundle', amountMinor: 100_000, credits: 3 });
});

afterEach(() => shop.close());

const entitlements = async () => (await shop.read<{ entitlements: Entitlements }>('customers/lisa'))?.entitlements;
const at = () => Timestamp.fromDate(shop.now());
const spend = (sessionId: string): Promise<SpentCredit> =>
  shop.ctx.db.runTransaction(async (tx) => {
    const spent = await planSpendCredit(shop.ctx, tx, { userId: 'lisa', coachId: 'karin', sessionId, at: at() });
    runWrites(tx, spent.writes);
    return spent;
  });
const giveBack = (sessionId: string) =>
  shop.ctx.db.runTransaction(async (tx) => {
    runWrites(tx, await planReturnCredit(shop.ctx, tx, { userId: 'lisa', sessionId }));
  });
const refund = async (paymentId: string, amount?: number) => {
  await shop.stripe.refunds.create({ payment_intent: paymentId, ...(amount ? { amount } : {}) });
  const { stripeChargeId = '' } = await shop.payment(paymentId);
  await bookAftermathOf(shop.ctx, { chargeId: stripeChargeId });
};

describe('a programme', () => {
  it('is open for its weeks from when it was paid, and closed when the money went back', async () => {
    const paymentId = await shop.buy({ productId: 'calm' });
    const open = (await entitlements())?.programmes.calm;
    expect(Math.abs((open?.from.toMillis() ?? 0) - shop.now().getTime())).toBeLessThan(60_000);
    expect((open?.until?.toMillis() ?? 0) - (open?.from.toMillis() ?? 0)).toBe(28 * 86_400_000);
    await refund(paymentId, 10_000);
    expect((await entitlements())?.programmes.calm).toEqual(open);
    await refund(paymentId);
    expect((await entitlements())?.programmes).toEqual({});
  });

  it('keeps the weeks it was sold with', async () => {
    const paymentId = await shop.buy({ productId: 'calm' });
    const before = await entitlements();
    await shop.ctx.db.doc('products/calm').update({ accessWeeks: 1 });
    await refund(paymentId, 100);
    expect(await entitlements()).toEqual(before);
  });

  it('is not there while the card is declined', async () => {
    await expect(shop.buy({ productId: 'calm', card: 'pm_card_visa_chargeDeclined' })).rejects.toMatchObject({
      reason: 'card-declined',
    });
    await shop.deliver();
    expect((await entitlements())?.programmes ?? {}).toEqual({});
  });
});

describe('a bundle', () => {
  const complete = (sessionId: string, { paymentId, priceMinor }: SpentCredit) =>
    shop.ctx.db.runTransaction(async (tx) => {
      const payment = await shop.payment(paymentId);
      runWrites(tx, await planRelease(shop.ctx, tx, { sessionId, payment, grossMinor: priceMinor, at: at() }));
    });

  it('is held, used up session by session to the öre, and then has nothing left', async () => {
    const paymentId = await shop.buy({ productId: 'three' });
    expect((await shop.payment(paymentId)).held).toMatchObject({ leftMinor: 100_000 });
    const spent: SpentCredit[] = [];
    for (const session of ['s1', 's2', 's3']) {
      spent.push(await spend(session));
      // Asked again it is the same credit.
      expect(await spend(session)).toMatchObject({ priceMinor: spent.at(-1)?.priceMinor });
    }
    expect(spent.map(({ priceMinor }) => priceMinor)).toEqual([33_333, 33_333, 33_334]);
    expect((await entitlements())?.credits[paymentId]).toMatchObject({ total: 3, used: 3, refunded: 0, left: 0 });
    await expect(spend('s4')).rejects.toMatchObject({ reason: 'no-credits-left' });
    for (const [i, session] of ['s1', 's2', 's3'].entries()) await complete(session, spent[i]!);
    const { held, coachAmountMinor } = await shop.payment(paymentId);
    expect(held).toMatchObject({ leftMinor: 0, releasedMinor: 100_000, releasedCoachMinor: coachAmountMinor });
    expect(trialBalance(await shop.all<LedgerDocument>('ledger'))).toMatchObject({ session_held: 0 });
  });

  it('gives a credit back once, and refuses the same session another', async () => {
    await shop.buy({ productId: 'three' });
    await spend('s1');
    await Promise.all([giveBack('s1'), giveBack('s1')]);
    await giveBack('s1');
    expect(Object.values((await entitlements())?.credits ?? {})).toMatchObject([{ used: 0, left: 3 }]);
    await expect(spend('s1')).rejects.toMatchObject({ reason: 'credit-returned' });
    await expect(giveBack('s9')).rejects.toMatchObject({ reason: 'no-credit-spent' });
  });

  it('books no more sessions than it has, however many are booked at once', async () => {
    const paymentId = await shop.buy({ productId: 'three' });
    const booked = await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(spend));
    const done = booked.filter(({ status }) => status === 'fulfilled');
    expect(done).toHaveLength(3);
    const prices = booked.flatMap((one) => (one.status === 'fulfilled' ? [one.value.priceMinor] : []));
    expect(sum(prices)).toBe(100_000);
    expect((await entitlements())?.credits[paymentId]?.left).toBe(0);
  });

  it('used in part and refunded for the rest has nothing left; refunded whole, nothing either', async () => {
    const paymentId = await shop.buy({ productId: 'three' });
    const spent = await spend('s1');
    await complete('s1', spent);
    await refund(paymentId, 66_667);
    expect((await entitlements())?.credits[paymentId]).toMatchObject({ total: 3, used: 1, refunded: 2, left: 0 });
    await refund(paymentId);
    expect((await entitlements())?.credits[paymentId]).toMatchObject({ used: 1, refunded: 3, left: 0 });
    expect(trialBalance(await shop.all<LedgerDocument>('ledger'))).toMatchObject({ session_held: 0 });
    await shop.expectBooksAsStripe();
  });
});
