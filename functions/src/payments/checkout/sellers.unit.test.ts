import type { Caller } from '../../platform/auth.ts';
import { onboardedCoach } from '../../testing/coach.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { resumeCommands } from '../recovery.service.ts';
import { createOrder } from '../orders/orders.service.ts';
import type { Order } from '../orders/orders.ts';
import { processPayment } from '../payments.service.ts';
import type { Payment } from '../payments.ts';
import type { Subscription } from '../subscriptions/subscriptions.ts';
import { createCheckoutSession, type CheckoutInput } from './checkout.service.ts';
import { pageParams, paymentLine, type Checkout } from './checkout.ts';

const lisa: Caller = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const maja: Caller = { uid: 'maja', coach: false, admin: false };
const card = 'pm_card_bypassPending';
const successUrl = 'http://127.0.0.1:5000/done';

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
  const { db } = world.ctx;
  const product = { currency: 'SEK', vatRate: 25, active: true, coachId: 'karin' };
  await db.doc('products/course').set({ ...product, name: 'Course', kind: 'programme', amountMinor: 49_900 });
  const club = { name: 'Club', kind: 'subscription', interval: 'month', amountMinor: 9_900 };
  await db.doc('products/club').set({ ...product, ...club });
});
afterEach(() => world.close());

const open = (more: Partial<CheckoutInput> = {}, caller = lisa) =>
  createCheckoutSession(world.ctx, caller, {
    mode: 'payment',
    ...(more.orderId ? {} : { productId: 'course' }),
    successUrl,
    requestId: 'request-1',
    ...more,
  });
const click = (url: string, form: Record<string, string>) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ action: 'pay', ...form }) });
const read = async <T>(path: string) => (await world.ctx.db.doc(path).get()).data() as T | undefined;
const all = async <T>(collection: string) =>
  (await world.ctx.db.collection(collection).get()).docs.map((doc) => doc.data() as T);
const flagKinds = async () => (await all<{ kind: string }>('flags')).map(({ kind }) => kind);
const states = async () => new Set((await all<{ state: string }>('stripeEvents')).map(({ state }) => state));

/** Until nothing more is told: what the product does is told of too. */
async function settle(): Promise<void> {
  while ((await world.deliver()).length > 0);
}

describe('a coach’s product on a page', () => {
  it.each(['destination', 'separate', 'direct'] as const)('is shared as the terms say: %s', async (chargeModel) => {
    const stripeAccountId = await onboardedCoach(world, 'karin', { chargeModel });
    await settle();
    const { url } = await open();
    await click(url, { card });
    await settle();
    expect(await all<Payment>('payments')).toEqual([
      expect.objectContaining({
        status: 'succeeded',
        amountMinor: 49_900,
        platformFeeMinor: 9_900,
        coachAmountMinor: 40_000,
        coachId: 'karin',
        chargeModel,
        stripeAccountId,
      }),
    ]);
    expect(await read(`coaches/karin/earnings/${(await all<Payment>('payments'))[0]?.stripePaymentId}`)).toMatchObject({
      amountMinor: 49_900,
      feeMinor: 9_900,
    });
    expect(await states()).not.toContain('parked');
    expect(await flagKinds()).toEqual([]);
  });

  it.each(['separate', 'direct'] as const)('is subscribed to and shared: %s', async (chargeModel) => {
    await onboardedCoach(world, 'karin', { chargeModel });
    await settle();
    const { url } = await open({ mode: 'subscription', productId: 'club' });
    await click(url, { card });
    await settle();
    expect(await all<Subscription>('subscriptions')).toEqual([
      expect.objectContaining({ status: 'active', coachId: 'karin', chargeModel }),
    ]);
    expect(await all<Payment>('payments')).toEqual([
      expect.objectContaining({ status: 'succeeded', amountMinor: 9_900, coachId: 'karin' }),
    ]);
    expect(await states()).not.toContain('parked');
    expect(await flagKinds()).toEqual([]);
  });

  it('takes no promotion code: all of it would go from the coach’s share', async () => {
    await onboardedCoach(world, 'karin');
    const asked = { allowPromotionCodes: true };
    await expect(open(asked)).rejects.toMatchObject({ reason: 'promotion-codes-not-taken' });
    const club = open({ ...asked, mode: 'subscription', productId: 'club' });
    await expect(club).rejects.toMatchObject({ reason: 'promotion-codes-not-taken' });
  });

  it('with a contract’s end is not begun on a page', async () => {
    await onboardedCoach(world, 'karin', { chargeModel: 'separate' });
    await world.ctx.db.doc('products/club').update({ contractMonths: 6 });
    const begun = open({ mode: 'subscription', productId: 'club' });
    await expect(begun).rejects.toMatchObject({ reason: 'contract-not-on-page' });
  });
});

describe('an order on a page', () => {
  let orderId: string;
  beforeEach(async () => {
    const mat = { name: 'Mat', kind: 'good', amountMinor: 20_000, currency: 'SEK', vatRate: 25, active: true };
    await world.ctx.db.doc('products/mat').set({ ...mat, stock: 5 });
    const items = [{ productId: 'mat', quantity: 2 }];
    ({ orderId } = await createOrder(world.ctx, lisa, { items, requestId: 'order-0001' }));
  });

  it('is paid there, and paid once: a newer page closes the older one', async () => {
    const first = await open({ orderId });
    const second = await open({ orderId, requestId: 'request-2' });
    expect((await click(first.url, { card })).status).toBe(410);
    await click(second.url, { card });
    await settle();
    expect(await read<Order>(`orders/${orderId}`)).toMatchObject({ paymentStatus: 'paid' });
    await expect(open({ orderId, requestId: 'request-3' })).rejects.toMatchObject({ reason: 'order-paid' });
    expect(await all('payments')).toHaveLength(1);
    expect(await flagKinds()).toEqual([]);
  });

  it('that was just paid on another page is not opened again', async () => {
    const { url } = await open({ orderId });
    await click(url, { card });
    // Its events have not come yet.
    const again = open({ orderId, requestId: 'request-2' });
    await expect(again).rejects.toMatchObject({ reason: 'paid-on-a-page' });
  });

  it('that is being paid in the app, or is somebody else’s, is refused', async () => {
    await expect(open({ orderId }, maja)).rejects.toMatchObject({ reason: 'order-not-found' });
    await processPayment(world.ctx, lisa, { orderId, requestId: 'in-the-app' });
    await expect(open({ orderId })).rejects.toMatchObject({ reason: 'payment-under-way' });
    const coded = open({ orderId, allowPromotionCodes: true, requestId: 'request-2' });
    await expect(coded).rejects.toMatchObject({ reason: 'payment-under-way' });
  });

  it('paid in the app while its page was open: the page closes first', async () => {
    const { url } = await open({ orderId });
    await processPayment(world.ctx, lisa, { orderId, requestId: 'in-the-app', paymentMethodId: card });
    expect((await click(url, { card })).status).toBe(410);
    await settle();
    expect(await all('payments')).toHaveLength(1);
    expect(await flagKinds()).toEqual([]);
  });

  it('paid on a page is not paid in the app before its events have come', async () => {
    const { url } = await open({ orderId });
    await click(url, { card });
    const inTheApp = processPayment(world.ctx, lisa, { orderId, requestId: 'in-the-app', paymentMethodId: card });
    await expect(inTheApp).rejects.toMatchObject({ reason: 'paid-on-a-page' });
    await settle();
    expect(await all('payments')).toHaveLength(1);
  });

  it('paid twice all the same: one is the order’s, of the other a person hears', async () => {
    const { url } = await open({ orderId });
    // Our document of the page was lost sight of.
    const [checkout] = await all<Checkout>('checkouts');
    await world.ctx.db.doc(`checkouts/${checkout?.id}`).update({ status: 'expired' });
    await processPayment(world.ctx, lisa, { orderId, requestId: 'in-the-app', paymentMethodId: card });
    await click(url, { card });
    await settle();
    expect(await all('payments')).toHaveLength(2);
    expect(await read<Order>(`orders/${orderId}`)).toMatchObject({ paymentStatus: 'paid' });
    expect(await flagKinds()).toEqual(['order-payment-differs']);
  });
});

it('the sweep finishes a page that a crash left half opened, and nobody has its address', async () => {
  const path = '/v1/checkout/sessions';
  await onboardedCoach(world, 'karin');
  await world.control('stripe', 'faults', { kind: 'timeout_after_success', method: 'POST', path, times: 100 });
  await world.control('stripe', 'faults', { kind: 'timeout_before', method: 'GET', path, times: 100 });
  await expect(open()).rejects.toMatchObject({ reason: 'outcome-unknown' });
  await fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });
  expect(await all('checkouts')).toEqual([]);
  await world.advance(600_000);
  expect(await resumeCommands(world.ctx, world.now())).toMatchObject({ resumed: 1 });
  expect(await all('checkouts')).toHaveLength(1);
  expect((await world.stripe.checkout.sessions.list()).data).toHaveLength(1);
});

it('tax by Stripe is asked for with the address it needs, inside the price', () => {
  const wishes = { successUrl, locale: 'sv' as const, promotionCodes: false, automaticTax: true };
  expect(pageParams('payment', { uid: 'lisa', requestId: 'request-1' }, 'cus_1', wishes)).toMatchObject({
    automatic_tax: { enabled: true },
    customer_update: { address: 'auto' },
    locale: 'sv',
  });
  const plan = { description: 'Course', amountMinor: 49_900, currency: 'SEK' };
  const [line] = paymentLine(plan as Parameters<typeof paymentLine>[0], true);
  expect(line).toMatchObject({ price_data: { unit_amount: 49_900, tax_behavior: 'inclusive' } });
});
