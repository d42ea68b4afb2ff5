import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Flag } from '../../admin/flags.ts';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { days, hours } from '../../platform/clock.ts';
import { onboardedCoach } from '../../testing/coach.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { createCheckoutSession } from '../checkout/checkout.service.ts';
import { processPayment } from '../payments.service.ts';
import type { Payment } from '../payments.ts';
import { expireOrders } from './expiry.service.ts';
import type { Order } from './orders.ts';
import { createOrder } from './orders.service.ts';
import { planAttach, planFollow } from './pay.service.ts';
import { runWrites } from '../../platform/write.ts';

const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const eva = { ...lisa, uid: 'eva', email: 'eva@example.se' };
const card = 'pm_card_bypassPending';

let world: TestWorld;

beforeEach(async () => {
  world = await createTestWorld();
  await onboardedCoach(world, 'karin');
  const product = { currency: 'SEK', active: true };
  await Promise.all(
    Object.entries({
      programme: { name: 'Programme', kind: 'programme', amountMinor: 49_900, coachId: 'karin', vatRate: 25 },
      book: { name: 'Book', kind: 'good', amountMinor: 10_600, vatRate: 6, stock: 5 },
      mat: { name: 'Mat', kind: 'good', amountMinor: 25_000, vatRate: 25, stock: 1 },
      premium: { name: 'Premium', kind: 'subscription', amountMinor: 9_900, vatRate: 25, interval: 'month' },
    }).map(([id, fields]) => world.ctx.db.doc(`products/${id}`).set({ ...product, ...fields })),
  );
  await world.deliver();
});

afterEach(() => world.close());

const items = (wanted: Record<string, number>) =>
  Object.entries(wanted).map(([productId, quantity]) => ({ productId, quantity }));
const order = (requestId: string, wanted: Record<string, number>) =>
  createOrder(world.ctx, lisa, { items: items(wanted), requestId });
const pay = (orderId: string, requestId: string, paymentMethodId?: string) =>
  processPayment(world.ctx, lisa, { orderId, requestId, ...(paymentMethodId ? { paymentMethodId } : {}) });
const read = async <T>(path: string) => (await world.ctx.db.doc(path).get()).data() as T | undefined;
const orderNow = (id: string) => read<Order>(`orders/${id}`);
const stockOf = async (id: string) => (await read<{ stock: number }>(`products/${id}`))?.stock;
const intents = async () => (await world.stripe.paymentIntents.list({ limit: 100 })).data;
const flags = async () => (await world.ctx.db.collection('flags').get()).docs.map((doc) => doc.data() as Flag);
const ledger = async () =>
  (await world.ctx.db.collection('ledger').get()).docs.map((doc) => doc.data() as LedgerDocument);

describe('createOrder', () => {
  it('takes prices and stock of the moment, once for a request', async () => {
    const first = await order('order-0001', { book: 2, mat: 1 });
    expect(first).toEqual({ orderId: first.orderId, amount: 462, amountMinor: 46_200, currency: 'SEK' });
    expect(await order('order-0001', { book: 2, mat: 1 })).toEqual(first);
    await expect(order('order-0001', { book: 1 })).rejects.toMatchObject({ reason: 'request-id-reused' });
    expect([await stockOf('book'), await stockOf('mat')]).toEqual([3, 0]);
    expect(await orderNow(first.orderId)).toMatchObject({ userId: 'lisa', status: 'open', paymentStatus: 'unpaid' });
    await expect(order('order-0002', { book: 1, mat: 1 })).rejects.toMatchObject({ reason: 'out-of-stock' });
    expect(await stockOf('book')).toBe(3);
  });

  it.each([
    ['coaches mixed', { programme: 1, book: 1 }, 'one-coach-per-order'],
    ['a subscription', { premium: 1 }, 'not-orderable'],
    ['what is not there', { nothing: 1 }, 'product-not-found'],
  ])('refuses %s', async (_what, wanted, reason) => {
    await expect(order('order-0001', wanted)).rejects.toMatchObject({ reason });
    expect((await world.ctx.db.collection('orders').get()).size).toBe(0);
  });

  it('the last one in stock is sold once, however many want it', async () => {
    const tries = Array.from({ length: 5 }, (_, n) => order(`order-000${n}`, { mat: 1 }));
    const settled = await Promise.allSettled(tries);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await stockOf('mat')).toBe(0);
  });

  it('asked for again: the same order; the command was closed in the commit that made it', async () => {
    const { orderId } = await order('order-0001', { book: 1 });
    expect((await world.ctx.db.doc('requests/lisa_order-0001').get()).data()).toMatchObject({ state: 'done' });
    expect((await order('order-0001', { book: 1 })).orderId).toBe(orderId);
    expect(await stockOf('book')).toBe(4);
  });
});

describe('paying an order', () => {
  it('of a coach: by the share of the day it was made', async () => {
    const { orderId } = await order('order-0001', { programme: 2 });
    await world.ctx.db.doc('coaches/karin').update({ 'terms.feePercent': 50 });
    await world.ctx.db.doc('products/programme').update({ amountMinor: 1_000 });
    const reply = await pay(orderId, 'payment-1', card);
    expect(reply).toMatchObject({
      amountMinor: 99_800,
      status: 'succeeded',
      breakdown: { coach: 799, platformFee: 199 },
    });
    await world.deliver();
    expect(await orderNow(orderId)).toMatchObject({
      status: 'fulfilled',
      paymentStatus: 'paid',
      activePaymentId: reply.paymentId,
    });
    expect(trialBalance(await ledger())).toMatchObject({ coach_payable: -79_900, fee_revenue: -19_900 });
  });

  it('of goods at two VAT rates: each line at its own, and something is to be sent', async () => {
    const { orderId } = await order('order-0001', { book: 1, mat: 1 });
    const reply = await pay(orderId, 'payment-1', card);
    expect(reply.breakdown).toEqual({ subtotal: 300, vat: 56, total: 356 });
    await world.deliver();
    expect(await orderNow(orderId)).toMatchObject({ status: 'processing', paymentStatus: 'paid' });
  });

  it('from two tabs, each with its own request, is one PaymentIntent and one charge', async () => {
    const { orderId } = await order('order-0001', { book: 1 });
    const tabs = await Promise.all(['payment-1', 'payment-2', 'payment-3'].map((id) => pay(orderId, id)));
    expect(new Set(tabs.map(({ paymentId }) => paymentId)).size).toBe(1);
    expect(await intents()).toHaveLength(1);
    const both = await Promise.allSettled([pay(orderId, 'payment-4', card), pay(orderId, 'payment-5', card)]);
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true);
    await world.deliver();
    expect((await world.stripe.charges.list()).data).toHaveLength(1);
    await expect(pay(orderId, 'payment-6')).rejects.toMatchObject({ reason: 'order-paid' });
  });

  it('a tab that crashed before anybody heard of its PaymentIntent: the next tab finds it', async () => {
    const { orderId } = await order('order-0001', { book: 1 });
    const lost = { kind: 'timeout_after_success', method: 'POST', path: '/v1/payment_intents', times: 100 };
    await world.control('stripe', 'faults', lost);
    await world.control('stripe', 'faults', { ...lost, kind: 'timeout_before', method: 'GET' });
    await expect(pay(orderId, 'payment-1')).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });
    const otherAddress = { ...lisa, email: 'lisa@other.example.se' };
    const next = await processPayment(world.ctx, otherAddress, { orderId, requestId: 'payment-2' });
    expect((await pay(orderId, 'payment-1')).paymentId).toBe(next.paymentId);
    expect(await intents()).toHaveLength(1);
  });

  it('declined, it may be paid with another card; the same intent carries both attempts', async () => {
    const { orderId } = await order('order-0001', { book: 1 });
    await expect(pay(orderId, 'payment-1', 'pm_card_visa_chargeDeclined')).rejects.toMatchObject({
      reason: 'card-declined',
    });
    expect(await orderNow(orderId)).toMatchObject({ status: 'open', paymentStatus: 'failed' });
    expect((await pay(orderId, 'payment-2', card)).status).toBe('succeeded');
    await world.deliver();
    expect(await orderNow(orderId)).toMatchObject({ paymentStatus: 'paid' });
    expect(await intents()).toHaveLength(1);
  });

  it('canceled at Stripe, a new attempt is another intent, and the old one can no longer be paid', async () => {
    const { orderId } = await order('order-0001', { book: 1 });
    const { paymentId } = await pay(orderId, 'payment-1');
    await world.stripe.paymentIntents.cancel(paymentId);
    await expect(pay(orderId, 'payment-2')).rejects.toMatchObject({ reason: 'payment-canceled' });
    const again = await pay(orderId, 'payment-3', card);
    expect(again.paymentId).not.toBe(paymentId);
    await world.deliver();
    expect(await orderNow(orderId)).toMatchObject({ paymentStatus: 'paid', activePaymentId: again.paymentId });
    expect((await intents()).map(({ status }) => status).sort()).toEqual(['canceled', 'succeeded']);
  });

  it('is for its owner only, and named neither twice nor not at all', async () => {
    const { orderId } = await order('order-0001', { book: 1 });
    const someone = processPayment(world.ctx, eva, { orderId, requestId: 'payment-1' });
    await expect(someone).rejects.toMatchObject({ reason: 'order-not-found' });
    const both = processPayment(world.ctx, lisa, { orderId, productId: 'book', requestId: 'payment-1' });
    await expect(both).rejects.toMatchObject({ reason: 'name-one-thing-to-pay' });
    const session = processPayment(world.ctx, lisa, { sessionId: 'session', requestId: 'payment-1' });
    await expect(session).rejects.toMatchObject({ reason: 'session-not-found' });
  });

  it('keeps the card when a later tab asks for it', async () => {
    const { orderId } = await order('order-0001', { book: 1 });
    const { paymentId } = await pay(orderId, 'payment-1');
    await processPayment(world.ctx, lisa, { orderId, requestId: 'payment-2', savePaymentMethod: true });
    expect((await world.stripe.paymentIntents.retrieve(paymentId)).setup_future_usage).toBe('off_session');
  });
});

describe('an order nobody pays', () => {
  it('is canceled in time, its goods are for sale again, and its intent can no longer be paid', async () => {
    const { orderId } = await order('order-0001', { mat: 1 });
    const { paymentId } = await pay(orderId, 'payment-1');
    expect(await expireOrders(world.ctx, world.now())).toEqual({ expired: 0 });
    await world.advance(hours(25));
    expect(await expireOrders(world.ctx, world.now())).toEqual({ expired: 1 });
    expect(await expireOrders(world.ctx, world.now())).toEqual({ expired: 0 });
    await world.deliver();
    expect(await orderNow(orderId)).toMatchObject({ status: 'canceled', paymentStatus: 'unpaid', stock: 'returned' });
    expect(await stockOf('mat')).toBe(1);
    expect((await world.stripe.paymentIntents.retrieve(paymentId)).status).toBe('canceled');
    await expect(pay(orderId, 'payment-2')).rejects.toMatchObject({ reason: 'order-canceled' });
  });

  it('paid in the last moment, stays paid whoever is first to know', async () => {
    const { orderId } = await order('order-0001', { mat: 1 });
    const { paymentId } = await pay(orderId, 'payment-1');
    await world.advance(hours(25));
    await world.stripe.paymentIntents.confirm(paymentId, { payment_method: card, return_url: 'http://127.0.0.1/' });
    expect(await expireOrders(world.ctx, world.now())).toEqual({ expired: 0 });
    await world.deliver();
    expect(await orderNow(orderId)).toMatchObject({ paymentStatus: 'paid', stock: 'taken' });
  });

  it('an unclear answer to the cancellation changes nothing until it is clear', async () => {
    const { orderId } = await order('order-0001', { mat: 1 });
    await pay(orderId, 'payment-1');
    await world.advance(hours(25));
    await world.control('stripe', 'faults', {
      kind: 'timeout_before',
      method: 'POST',
      path: '/v1/payment_intents/',
      times: 100,
    });
    await expireOrders(world.ctx, world.now());
    expect(await orderNow(orderId)).toMatchObject({ status: 'open', stock: 'taken' });
    await fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });
    expect(await expireOrders(world.ctx, world.now())).toEqual({ expired: 1 });
  });

  it('an invoice may be paid for a month', async () => {
    const { orderId } = await createOrder(world.ctx, lisa, {
      items: items({ book: 1 }),
      kind: 'invoice',
      requestId: 'order-0001',
    });
    await world.advance(days(29));
    expect(await expireOrders(world.ctx, world.now())).toEqual({ expired: 0 });
    await world.advance(days(2));
    expect(await expireOrders(world.ctx, world.now())).toEqual({ expired: 1 });
    expect(await orderNow(orderId)).toMatchObject({ status: 'canceled' });
  });
});

describe('what was charged is not what was owed', () => {
  const succeeded = async (): Promise<Stripe.Event> => {
    const { data } = await world.control<{ data: Stripe.Event[] }>('stripe', 'events');
    const event = data.find(({ type }) => type === 'payment_intent.succeeded');
    if (!event) throw new Error('Nothing succeeded.');
    return event;
  };
  const lie = (event: Stripe.Event, lies: Partial<Stripe.PaymentIntent>): Stripe.Event => {
    const object = { ...(event.data.object as Stripe.PaymentIntent), ...lies };
    return { ...event, id: `${event.id}_lie`, data: { ...event.data, object } } as unknown as Stripe.Event;
  };

  it('another amount is a flag, and the order is not paid', async () => {
    const { orderId } = await order('order-0001', { book: 1 });
    const { paymentId } = await pay(orderId, 'payment-1');
    await world.stripe.paymentIntents.confirm(paymentId, { payment_method: card, return_url: 'http://127.0.0.1/' });
    await receiveEvent(world.ctx, lie(await succeeded(), { amount_received: 300 }));
    expect((await flags()).map(({ kind }) => kind)).toContain('payment-differs');
    expect(await orderNow(orderId)).toMatchObject({ status: 'open', paymentStatus: 'pending' });
    await world.deliver();
    expect(await orderNow(orderId)).toMatchObject({ paymentStatus: 'pending' });
  });

  it('metadata that names somebody else’s order changes nothing of that order', async () => {
    const mine = await order('order-0001', { book: 1 });
    const theirs = await createOrder(world.ctx, eva, { items: items({ book: 1 }), requestId: 'order-0001' });
    const { paymentId } = await pay(mine.orderId, 'payment-1');
    await world.stripe.paymentIntents.confirm(paymentId, { payment_method: card, return_url: 'http://127.0.0.1/' });
    const event = await succeeded();
    const metadata = { ...(event.data.object as Stripe.PaymentIntent).metadata, orderId: theirs.orderId };
    await receiveEvent(world.ctx, lie(event, { metadata }));
    expect(await orderNow(theirs.orderId)).toMatchObject({ status: 'open', paymentStatus: 'unpaid' });
    expect((await flags()).map(({ kind }) => kind)).toContain('payment-differs');
  });

  it('a payment that names an order it does not belong to is a flag', async () => {
    const mine = await order('order-0001', { book: 1 });
    const { paymentId } = await pay(mine.orderId, 'payment-1', card);
    const theirs = await createOrder(world.ctx, eva, { items: items({ book: 1 }), requestId: 'order-0001' });
    await world.ctx.db.doc(`payments/${paymentId}`).update({ orderId: theirs.orderId, status: 'pending' });
    await world.deliver();
    expect(await orderNow(theirs.orderId)).toMatchObject({ status: 'open', paymentStatus: 'unpaid' });
    expect((await flags()).map(({ kind }) => kind)).toContain('order-payment-differs');
  });
});

it('a full refund gives the stock back once, a part of it does not', async () => {
  const { orderId } = await order('order-0001', { book: 2 });
  const { paymentId } = await pay(orderId, 'payment-1', card);
  await world.deliver();
  const follow = (changed: Partial<Payment>) =>
    world.ctx.db.runTransaction(async (tx) => {
      const payment = await read<Payment>(`payments/${paymentId}`);
      if (payment) runWrites(tx, await planFollow(world.ctx, tx, { ...payment, ...changed }));
    });
  await follow({ status: 'partially_refunded', refundedMinor: 100 as Payment['refundedMinor'] });
  expect(await orderNow(orderId)).toMatchObject({ status: 'processing', paymentStatus: 'partially_refunded' });
  expect(await stockOf('book')).toBe(3);
  const whole = { status: 'refunded' as const, refundedMinor: 21_200 as Payment['refundedMinor'] };
  await follow(whole);
  await follow(whole);
  await follow({});
  await follow(whole);
  expect(await orderNow(orderId)).toMatchObject({ status: 'canceled', paymentStatus: 'refunded', stock: 'returned' });
  expect(await stockOf('book')).toBe(5);
});

it('an intent that somebody else attaches does not push out one that can still be paid', async () => {
  const { orderId } = await order('order-0001', { book: 1 });
  const { paymentId } = await pay(orderId, 'payment-1');
  const known = await read<Payment>(`payments/${paymentId}`);
  if (!known) throw new Error('no payment');
  const attach = (stripePaymentId: string) =>
    world.ctx.db.runTransaction(async (tx) => {
      runWrites(tx, await planAttach(world.ctx, tx, orderId, { ...known, stripePaymentId }));
    });
  await expect(attach('pi_other')).rejects.toMatchObject({ reason: 'order-being-paid' });
  await world.stripe.paymentIntents.cancel(paymentId);
  await world.deliver();
  await attach('pi_other');
  expect(await orderNow(orderId)).toMatchObject({ activePaymentId: 'pi_other' });
});

it('an unpaid order that expires closes its page too', async () => {
  const { orderId } = await order('order-0001', { mat: 1 });
  const { url } = await createCheckoutSession(world.ctx, lisa, {
    mode: 'payment',
    orderId,
    successUrl: 'http://127.0.0.1:5000/done',
    requestId: 'page-0001',
  });
  await world.ctx.db.doc(`orders/${orderId}`).update({ expiresAt: Timestamp.fromDate(world.now()) });
  expect(await expireOrders(world.ctx, world.now())).toEqual({ expired: 1 });
  const form = new URLSearchParams({ action: 'pay', card });
  expect((await fetch(url, { method: 'POST', redirect: 'manual', body: form })).status).toBe(410);
  await world.deliver();
  expect(await orderNow(orderId)).toMatchObject({ status: 'canceled', paymentStatus: 'unpaid' });
});

it('refunded at Stripe, in parts, the order follows and its goods come back with the last part', async () => {
  const { orderId } = await order('order-0001', { book: 2 });
  const { paymentId } = await pay(orderId, 'payment-1', card);
  await world.deliver();
  const refund = async (amount: number) => {
    await world.stripe.refunds.create({ payment_intent: paymentId, amount });
    await world.deliver();
    return orderNow(orderId);
  };
  expect(await refund(200)).toMatchObject({ status: 'processing', paymentStatus: 'partially_refunded' });
  expect(await stockOf('book')).toBe(3);
  expect(await refund(21_000)).toMatchObject({ status: 'canceled', paymentStatus: 'refunded', stock: 'returned' });
  expect(await stockOf('book')).toBe(5);
});
