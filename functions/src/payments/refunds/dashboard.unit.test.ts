import type { Earning } from '../../coaches/earnings.ts';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { days, minutes } from '../../platform/clock.ts';
import { openShop, payOutAll, type Shop } from '../../testing/shop.ts';
import { resolveTransfers } from '../transfers/resolve.service.ts';
import { refundPayment } from './refunds.service.ts';
import { resolveRefunds } from './resolve.service.ts';

/** Refunds that somebody makes in Stripe's dashboard without the coach's share: it is taken back all the same, once. */
let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const anna = { uid: 'anna', coach: false, admin: true };
const atStripe = (payment_intent: string, more: { amount?: number; reverse_transfer?: true } = {}) =>
  shop.stripe.refunds.create({ payment_intent, ...more });
const byHand = async (paymentId: string, amount: number) =>
  shop.stripe.transfers.createReversal((await shop.payment(paymentId)).stripeTransferId ?? '', { amount });
const sweep = async () => {
  await shop.advance(minutes(6));
  await resolveRefunds(shop.ctx, shop.now());
  await resolveTransfers(shop.ctx, shop.now());
  await shop.deliver();
};
const takenBack = async () =>
  (await shop.stripe.transfers.list({ limit: 100 })).data.reduce((sum, each) => sum + each.amount_reversed, 0);
/** The books agree with Stripe; what the coach has of it all, and owes. */
async function coach(): Promise<{ payable: number; owes: number }> {
  await shop.expectBooksAsStripe();
  const { coach_payable, coach_receivable } = trialBalance(await shop.all<LedgerDocument>('ledger'));
  return { payable: 0 - coach_payable, owes: coach_receivable };
}

it('the share is taken back by the sweep, once, however often it looks', async () => {
  const paymentId = await shop.buy();
  await atStripe(paymentId);
  await shop.deliver();
  expect(await coach()).toEqual({ payable: 40_000, owes: 40_000 });
  for (let times = 0; times < 3; times++) await sweep();
  expect(await coach()).toEqual({ payable: 0, owes: 0 });
  expect(await takenBack()).toBe(40_000);
  expect(await shop.openFlags()).toEqual([]);
});

it('of a part its part, and of the rest, made by us, the rest', async () => {
  const paymentId = await shop.buy();
  await atStripe(paymentId, { amount: 9_980 });
  await shop.deliver();
  await sweep();
  expect(await coach()).toEqual({ payable: 32_000, owes: 0 });
  await refundPayment(shop.ctx, anna, { paymentId, requestId: 'refund-rest' });
  await shop.deliver();
  await sweep();
  expect(await coach()).toEqual({ payable: 0, owes: 0 });
});

it('two of them at once, heard of together', async () => {
  const paymentId = await shop.buy();
  await atStripe(paymentId, { amount: 9_980 });
  await atStripe(paymentId, { amount: 9_980 });
  await shop.deliver();
  await sweep();
  await sweep();
  expect(await coach()).toEqual({ payable: 24_000, owes: 0 });
  expect(await takenBack()).toBe(16_000);
});

it('taken along in the dashboard it is not taken again', async () => {
  const paymentId = await shop.buy();
  await shop.stripe.refunds.create({ payment_intent: paymentId, reverse_transfer: true, refund_application_fee: true });
  await shop.deliver();
  await sweep();
  expect(await coach()).toEqual({ payable: 0, owes: 0 });
  expect(await takenBack()).toBe(49_900);
});

describe('taken back by hand as well it is taken once', () => {
  it.each([
    ['before we hear of the refund', 'before'],
    ['after we heard of it, and its event is lost', 'after'],
  ])('%s', async (_when, when) => {
    const paymentId = await shop.buy();
    await atStripe(paymentId, { amount: 9_980 });
    if (when === 'before') await byHand(paymentId, 8_000);
    await shop.deliver();
    if (when === 'after') await byHand(paymentId, 8_000);
    await sweep();
    await sweep();
    expect(await coach()).toEqual({ payable: 32_000, owes: 0 });
    expect(await takenBack()).toBe(8_000);
    expect(await shop.openFlags()).toEqual([]);
  });

  it('after the coach’s balance was too small for it: the debt is settled, and its flag closes', async () => {
    const paymentId = await shop.buy();
    await payOutAll(shop);
    await atStripe(paymentId);
    await shop.deliver();
    await sweep();
    expect((await coach()).owes).toBe(40_000);
    expect(await shop.openFlags()).toEqual([expect.stringMatching(/^refund-debt_/)]);
    expect(await shop.read<Earning>(`coaches/karin/earnings/${paymentId}`)).toMatchObject({ settlement: 'debt' });
    await shop.buy();
    await shop.deliver();
    await byHand(paymentId, 40_000);
    await shop.deliver();
    await shop.advance(days(1));
    await sweep();
    await shop.advance(days(1));
    await sweep();
    // Of the second sale's share, which paid the debt.
    expect(await coach()).toEqual({ payable: 0, owes: 0 });
    expect(await takenBack()).toBe(40_000);
    expect(await shop.openFlags()).toEqual([]);
  });
});

it('a tenant’s and the platform’s own have nobody’s share to take', async () => {
  const paymentId = await shop.buy({ productId: 'mat' });
  await atStripe(paymentId);
  await shop.deliver();
  expect(await shop.all('refundOrders')).toEqual([]);
});
