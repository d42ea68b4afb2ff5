import { setImmediate } from 'node:timers/promises';
import { minutes } from '../../platform/clock.ts';
import { seededRandom } from '../../testing/random.ts';
import { openShop, type Shop } from '../../testing/shop.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { createCheckoutSession } from '../checkout/checkout.service.ts';
import { processPayment } from '../payments.service.ts';
import { resumeCommands } from '../recovery.service.ts';
import { refundPayment } from '../refunds/refunds.service.ts';
import { cancelOrder } from './cancel.service.ts';
import { expireOrders } from './expiry.service.ts';
import type { Order } from './orders.ts';
import { createOrder } from './orders.service.ts';

const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const anna = { uid: 'anna', coach: false, admin: true };
const card = 'pm_card_bypassPending';
const book = { name: 'Book', kind: 'good', amountMinor: 10_600, currency: 'SEK', vatRate: 6, active: true, stock: 5 };

let asked = 0;
const nextId = (what: string) => `${what}-${String(++asked).padStart(5, '0')}`;

const orderTwo = async ({ ctx }: TestWorld) =>
  (await createOrder(ctx, lisa, { items: [{ productId: 'book', quantity: 2 }], requestId: nextId('order') })).orderId;
const pay = ({ ctx }: TestWorld, orderId: string, paymentMethodId?: string) =>
  processPayment(ctx, lisa, { orderId, requestId: nextId('payment'), ...(paymentMethodId ? { paymentMethodId } : {}) });
const openPage = ({ ctx }: TestWorld, orderId: string) =>
  createCheckoutSession(ctx, lisa, {
    mode: 'payment',
    orderId,
    successUrl: 'http://127.0.0.1:5000/done',
    requestId: nextId('page'),
  });
const payOnPage = (url: string) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ action: 'pay', card }) });
const confirm = ({ stripe }: TestWorld, paymentId: string) =>
  stripe.paymentIntents.confirm(paymentId, { payment_method: card, return_url: 'http://127.0.0.1/' });
const cancel = (
  { ctx }: TestWorld,
  orderId: string,
  requestId = 'cancel-0001',
  caller: typeof lisa | typeof anna = lisa,
) => cancelOrder(ctx, caller, { orderId, requestId });
const stateOf = async ({ ctx }: TestWorld, orderId: string) => {
  const order = (await ctx.db.doc(`orders/${orderId}`).get()).data() as Order;
  const stock = (await ctx.db.doc('products/book').get()).get('stock') as number;
  return { status: order.status, paymentStatus: order.paymentStatus, stock };
};
const canceled = { status: 'canceled', paymentStatus: 'unpaid', stock: 5 };

describe('an order is canceled', () => {
  let shop: Shop;
  beforeEach(async () => {
    shop = await openShop();
    await shop.ctx.db.doc('products/book').set(book);
  });
  afterEach(() => shop.close());

  it('by its customer: its goods are for sale again, and nobody can pay it any more', async () => {
    const orderId = await orderTwo(shop);
    const { paymentId } = await pay(shop, orderId);
    const reply = { orderId, status: 'canceled', paymentStatus: 'unpaid' };
    expect(await cancel(shop, orderId)).toEqual(reply);
    expect(await cancel(shop, orderId)).toEqual(reply);
    expect(await cancel(shop, orderId, 'cancel-0002')).toEqual(reply);
    await shop.deliver();
    expect(await stateOf(shop, orderId)).toEqual(canceled);
    expect((await shop.stripe.paymentIntents.retrieve(paymentId)).status).toBe('canceled');
    await expect(pay(shop, orderId)).rejects.toMatchObject({ reason: 'order-canceled' });
    await expect(openPage(shop, orderId)).rejects.toMatchObject({ reason: 'order-canceled' });
    expect(await shop.openFlags()).toEqual([]);
  });

  it('with its page', async () => {
    const orderId = await orderTwo(shop);
    const { url } = await openPage(shop, orderId);
    await cancel(shop, orderId);
    expect((await payOnPage(url)).status).toBe(410);
    await shop.deliver();
    expect(await stateOf(shop, orderId)).toEqual(canceled);
  });

  it('by an administrator, which is written down; by nobody else', async () => {
    const orderId = await orderTwo(shop);
    const eva = { ...lisa, uid: 'eva' };
    await expect(cancel(shop, orderId, 'cancel-0001', eva)).rejects.toMatchObject({ reason: 'order-not-found' });
    await expect(cancel(shop, 'none', 'cancel-0001', anna)).rejects.toMatchObject({ reason: 'order-not-found' });
    await cancel(shop, orderId, 'cancel-0002', anna);
    expect(await stateOf(shop, orderId)).toEqual(canceled);
    expect(await shop.all('auditLog')).toMatchObject([
      { by: 'anna', action: 'cancelOrder', subject: `orders/${orderId}` },
    ]);
  });

  it('after it expired, with the same answer and its goods given back once', async () => {
    const orderId = await orderTwo(shop);
    await shop.advance(25 * 3_600_000);
    await expireOrders(shop.ctx, shop.now());
    expect(await cancel(shop, orderId)).toMatchObject({ status: 'canceled' });
    expect(await stateOf(shop, orderId)).toEqual(canceled);
  });

  it('not when it is paid, nor when that was given back', async () => {
    const orderId = await orderTwo(shop);
    const { paymentId } = await pay(shop, orderId, card);
    await shop.deliver();
    await expect(cancel(shop, orderId)).rejects.toMatchObject({ reason: 'order-paid' });
    await refundPayment(shop.ctx, anna, { paymentId, requestId: 'refund-0001' });
    await shop.deliver();
    await expect(cancel(shop, orderId)).rejects.toMatchObject({ reason: 'order-paid' });
    expect(await stateOf(shop, orderId)).toEqual({ status: 'canceled', paymentStatus: 'refunded', stock: 5 });
  });

  it('not when the money came a moment before we hear of it: the payment wins', async () => {
    const orderId = await orderTwo(shop);
    const { paymentId } = await pay(shop, orderId);
    await confirm(shop, paymentId);
    for (let twice = 0; twice < 2; twice++)
      await expect(cancel(shop, orderId)).rejects.toMatchObject({ reason: 'order-being-paid' });
    await shop.deliver();
    expect(await stateOf(shop, orderId)).toMatchObject({ paymentStatus: 'paid', stock: 3 });
    expect(await shop.openFlags()).toEqual([]);
  });

  it('not when it came on a page', async () => {
    const orderId = await orderTwo(shop);
    await payOnPage((await openPage(shop, orderId)).url);
    await expect(cancel(shop, orderId)).rejects.toMatchObject({ reason: 'paid-on-a-page' });
    await shop.deliver();
    await expect(cancel(shop, orderId)).rejects.toMatchObject({ reason: 'order-paid' });
    expect(await stateOf(shop, orderId)).toMatchObject({ paymentStatus: 'paid', stock: 3 });
  });

  it('by the sweep when Stripe’s answer was not clear', async () => {
    const orderId = await orderTwo(shop);
    await pay(shop, orderId);
    await shop.fault('timeout_after_success', '/v1/payment_intents/', { times: 100 });
    await expect(cancel(shop, orderId)).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await shop.clearFaults();
    expect(await stateOf(shop, orderId)).toMatchObject({ status: 'open', stock: 3 });
    await shop.advance(minutes(6));
    await resumeCommands(shop.ctx, shop.now());
    expect(await stateOf(shop, orderId)).toEqual(canceled);
    expect(await cancel(shop, orderId)).toMatchObject({ status: 'canceled' });
  });

  it('once, wherever the process dies', async () => {
    for (let operations = 0; ; operations++) {
      const orderId = await orderTwo(shop);
      await pay(shop, orderId);
      await openPage(shop, orderId).catch(() => undefined);
      const requestId = nextId('cancel');
      shop.dieAfter(operations);
      await cancel(shop, orderId, requestId).catch(() => undefined);
      const died = shop.revive();
      expect(await cancel(shop, orderId, requestId)).toMatchObject({ status: 'canceled' });
      expect(await stateOf(shop, orderId)).toEqual(canceled);
      if (!died) break;
      expect(operations).toBeLessThan(100);
    }
    await shop.deliver();
    expect((await shop.ctx.db.doc('products/book').get()).get('stock')).toBe(5);
  });
});

describe('an order canceled while it is paid in the app and on a page', () => {
  let world: TestWorld;
  let random: () => number;

  beforeAll(async () => {
    random = seededRandom(0);
    const onAwait = async () => {
      for (let turns = Math.floor(random() * 12); turns > 0; turns--) await setImmediate();
    };
    world = await createTestWorld({ firestore: { onAwait, random: () => random() } });
  });
  afterAll(() => world.close());

  it.each(Array.from({ length: 30 }, (_, seed) => seed + 1))('is either (seed %i)', async (seed) => {
    random = seededRandom(seed);
    await world.ctx.db.doc('products/book').set(book);
    const orderId = await orderTwo(world);
    const charges = async () => (await world.stripe.charges.list({ limit: 100 })).data.length;
    const before = await charges();
    const [ended] = await Promise.allSettled([
      cancel(world, orderId, nextId('cancel')),
      pay(world, orderId).then(({ paymentId }) => confirm(world, paymentId)),
      openPage(world, orderId).then(({ url }) => payOnPage(url)),
    ]);
    await world.deliver();
    const after = await stateOf(world, orderId);
    if (ended.status === 'fulfilled') {
      expect({ ...after, charged: (await charges()) - before }).toEqual({ ...canceled, charged: 0 });
    } else {
      expect(after).toMatchObject({ paymentStatus: 'paid', stock: 3 });
      expect((await charges()) - before).toBe(1);
    }
    expect((await world.ctx.db.collection('flags').get()).docs.map(({ id }) => id)).toEqual([]);
  });
});
