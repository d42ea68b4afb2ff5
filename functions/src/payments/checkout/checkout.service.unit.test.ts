import type Stripe from 'stripe';
import type { Caller } from '../../platform/auth.ts';
import { hours } from '../../platform/clock.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { ensureCustomer } from '../customers.service.ts';
import type { Payment } from '../payments.ts';
import { createSubscription } from '../subscriptions/subscriptions.service.ts';
import type { Subscription } from '../subscriptions/subscriptions.ts';
import type { Checkout } from './checkout.ts';
import { createCheckoutSession, type CheckoutInput } from './checkout.service.ts';
import { createPortalSession } from './portal.service.ts';

const lisa: Caller = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const card = 'pm_card_bypassPending';
const successUrl = 'http://127.0.0.1:5000/done?id={CHECKOUT_SESSION_ID}';

let world: TestWorld;
beforeEach(async () => {
  world = await createTestWorld();
  const product = { currency: 'SEK', vatRate: 25, active: true };
  const { db } = world.ctx;
  await db.doc('products/course').set({ ...product, name: 'Course', kind: 'programme', amountMinor: 49_900 });
});
afterEach(() => world.close());

const open = (more: Partial<CheckoutInput> = {}) =>
  createCheckoutSession(world.ctx, lisa, {
    mode: 'payment',
    ...(more.mode === 'setup' ? {} : { productId: 'course' }),
    successUrl,
    requestId: 'request-1',
    ...more,
  });

/** What a customer does on Stripe's page. */
const click = (url: string, form: Record<string, string>) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ action: 'pay', ...form }) });

const read = async <T>(path: string) => (await world.ctx.db.doc(path).get()).data() as T | undefined;
const all = async <T>(collection: string) =>
  (await world.ctx.db.collection(collection).get()).docs.map((doc) => doc.data() as T);
const flagKinds = async () => (await all<{ kind: string }>('flags')).map(({ kind }) => kind);
const stripesEvents = async () => (await world.control<{ data: Stripe.Event[] }>('stripe', 'events')).data;
const states = async () => (await all<{ state: string }>('stripeEvents')).map(({ state }) => state);
const booked = async () => (await all<{ kind: string; deltas: object }>('ledger')).map(({ kind }) => kind);

async function coupon(percent_off: number, code: string): Promise<void> {
  const { id } = await world.stripe.coupons.create({ percent_off, duration: 'once' });
  await world.stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: id }, code });
}

describe('a page to pay on', () => {
  it('is paid, and one payment is booked, to the page’s own return address', async () => {
    const { checkoutId, url } = await open({ locale: 'sv' });
    const paid = await click(url, { card });
    expect(paid.headers.get('location')).toBe(`http://127.0.0.1:5000/done?id=${checkoutId}`);
    await world.deliver();
    const [payment] = await all<Payment>('payments');
    expect(payment).toMatchObject({
      userId: 'lisa',
      productId: 'course',
      amountMinor: 49_900,
      status: 'succeeded',
      stripeFeeMinor: 929,
      chargeModel: 'own',
    });
    expect(await read<Checkout>(`checkouts/${checkoutId}`)).toMatchObject({
      status: 'complete',
      paymentStatus: 'paid',
      paymentId: payment?.stripePaymentId,
    });
    expect((await booked()).sort()).toEqual(['fee', 'own_sale']);
    expect(await states()).not.toContain('parked');
    expect(await flagKinds()).toEqual([]);
  });

  it.each(['as they came', 'backwards', 'all at once', 'without the intent’s'])(
    'ends the same whatever order its events come in, and twice: %s',
    async (order) => {
      const { url } = await open();
      await click(url, { card: 'pm_card_visa_chargeDeclined' });
      await click(url, { card });
      const events = await stripesEvents();
      const ordered = order === 'backwards' ? events.toReversed() : events;
      const told = ordered.filter(({ type }) => !order.startsWith('without') || !type.startsWith('payment_intent.'));
      if (order === 'all at once') await Promise.all([...told, ...told].map((event) => receiveEvent(world.ctx, event)));
      else for (const event of [...told, ...told]) await receiveEvent(world.ctx, event);
      for (const event of told) await receiveEvent(world.ctx, event);
      expect(new Set(await states())).toEqual(new Set(['applied', 'ignored']));
      expect(await all<Payment>('payments')).toEqual([
        expect.objectContaining({ status: 'succeeded', amountMinor: 49_900, stripeFeeMinor: 929 }),
      ]);
      expect((await booked()).sort()).toEqual(['fee', 'own_sale']);
      expect(await flagKinds()).toEqual([]);
    },
  );

  it('on which a card is declined and nobody comes back leaves a failed payment and nothing waiting', async () => {
    const { checkoutId, url } = await open();
    await click(url, { card: 'pm_card_visa_chargeDeclined' });
    await world.deliver();
    expect(await all<Payment>('payments')).toEqual([expect.objectContaining({ status: 'failed' })]);
    expect(await states()).not.toContain('parked');
    await world.advance(hours(25));
    await world.deliver();
    expect(await read<Checkout>(`checkouts/${checkoutId}`)).toMatchObject({ status: 'expired' });
    await expect(open()).rejects.toMatchObject({ reason: 'checkout-expired' });
  });

  it('by a bank debit is pending at first, then paid or failed', async () => {
    await world.control('stripe', 'switches', { debitsInSek: true });
    for (const [iban, status, requestId] of [
      ['DE89370400440532013000', 'succeeded', 'request-1'],
      ['DE62370400440532013001', 'failed', 'request-2'],
    ] as const) {
      const debit = await world.stripe.paymentMethods.create({
        type: 'sepa_debit',
        sepa_debit: { iban },
        billing_details: { name: 'Lisa', email: 'lisa@example.se' },
      });
      const { checkoutId, url } = await open({ requestId });
      await click(url, { card: debit.id });
      await world.deliver();
      const paymentId = (await read<Checkout>(`checkouts/${checkoutId}`))?.paymentId;
      expect(await read<Payment>(`payments/${paymentId}`)).toMatchObject({ status: 'pending' });
      await world.advance(hours(24 * 15));
      await world.deliver();
      expect(await read<Payment>(`payments/${paymentId}`)).toMatchObject({ status });
    }
    expect(await flagKinds()).toEqual([]);
  });

  it('with a promotion code is paid less, and that is what is owed', async () => {
    await coupon(10, 'TEN');
    const { url } = await open({ allowPromotionCodes: true });
    await click(url, { action: 'code', code: 'TEN' });
    await click(url, { card });
    await world.deliver();
    expect(await all<Payment>('payments')).toEqual([
      expect.objectContaining({ status: 'succeeded', amount: 449.1, amountMinor: 44_910 }),
    ]);
    expect(await flagKinds()).toEqual([]);
  });

  it('with a code typed after a card was declined: what is owed is less than it was', async () => {
    await coupon(10, 'TEN');
    const { url } = await open({ allowPromotionCodes: true });
    await click(url, { action: 'code', code: 'TEN' });
    await click(url, { card: 'pm_card_visa_chargeDeclined' });
    await world.deliver();
    // As it was before the code. (The emulator takes none once a card was tried.)
    const [before] = await all<Payment>('payments');
    await world.ctx.db.doc(`payments/${before?.stripePaymentId}`).update({ amount: 499, amountMinor: 49_900 });
    await click(url, { card });
    const events = await stripesEvents();
    for (const event of events.toReversed()) await receiveEvent(world.ctx, event);
    expect(await all<Payment>('payments')).toEqual([
      expect.objectContaining({ status: 'succeeded', amount: 449.1, amountMinor: 44_910, stripeFeeMinor: 854 }),
    ]);
  });

  it('with a code for the whole price has no payment; a person hears of it', async () => {
    await coupon(100, 'FREE');
    const { url } = await open({ allowPromotionCodes: true });
    await click(url, { action: 'code', code: 'FREE' });
    await click(url, { card });
    await world.deliver();
    expect(await all('payments')).toEqual([]);
    expect(await flagKinds()).toEqual(['checkout-free']);
  });
});

describe('the command', () => {
  it('is one page, ten at once and again; another input is refused', async () => {
    const replies = await Promise.all(Array.from({ length: 10 }, () => open()));
    expect(new Set(replies.map(({ checkoutId }) => checkoutId)).size).toBe(1);
    expect((await world.stripe.checkout.sessions.list()).data).toHaveLength(1);
    await expect(open({ locale: 'de' })).rejects.toMatchObject({ reason: 'request-id-reused' });
    expect(JSON.stringify(await read('requests/lisa_request-1'))).not.toContain('_hosted');
  });

  it('asks for what was planned, though the price has changed since', async () => {
    await world.control('stripe', 'faults', { kind: 'timeout_before', path: '/v1/checkout', times: 100 });
    await expect(open()).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });
    await world.ctx.db.doc('products/course').update({ amountMinor: 1_000 });
    const { checkoutId } = await open();
    expect((await world.stripe.checkout.sessions.retrieve(checkoutId)).amount_total).toBe(49_900);
  });

  it('finds the page that Stripe made before it was gone', async () => {
    const path = '/v1/checkout/sessions';
    await world.control('stripe', 'faults', { kind: 'timeout_after_success', method: 'POST', path, times: 3 });
    await open();
    expect((await world.stripe.checkout.sessions.list()).data).toHaveLength(1);
  });

  it.each([
    ['a foreign success address', { successUrl: 'https://evil.example/' }, 'address-not-allowed'],
    ['a foreign cancel address', { cancelUrl: 'https://127.0.0.1.evil.example/' }, 'address-not-allowed'],
    ['an unknown product', { productId: 'none' }, 'product-not-found'],
    ['two things at once', { orderId: 'order-1' }, 'name-one-thing-to-pay'],
    ['something to buy in setup mode', { mode: 'setup' as const, productId: 'course' }, 'nothing-to-buy'],
    ['a code in setup mode', { mode: 'setup' as const, allowPromotionCodes: true }, 'promotion-codes-not-taken'],
  ])('refuses %s', async (_what, more, reason) => {
    await expect(open(more)).rejects.toMatchObject({ reason });
    expect((await world.stripe.checkout.sessions.list()).data).toEqual([]);
  });
});

describe('what lies', () => {
  it('a PaymentIntent with a page’s metadata is not the page’s: flagged, nothing sold', async () => {
    await open();
    const stranger = await world.stripe.customers.create({});
    const metadata = { userId: 'lisa', checkoutRequestId: 'request-1', productId: 'course' };
    for (const customer of [stranger.id, await ensureCustomer(world.ctx, lisa)]) {
      const pay = { currency: 'sek', payment_method: card, confirm: true, metadata, customer };
      await world.stripe.paymentIntents.create({
        ...pay,
        amount: 300,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      });
    }
    await world.deliver();
    expect(await all('payments')).toEqual([]);
    expect(await booked()).toEqual([]);
    expect(await flagKinds()).toEqual(['checkout-intent-differs']);
  });

  it('a page whose metadata was changed: flagged, and nothing booked for it', async () => {
    const { checkoutId, url } = await open();
    await world.stripe.checkout.sessions.update(checkoutId, { metadata: { userId: 'maja' } });
    await click(url, { card });
    await world.deliver();
    expect(await all('payments')).toEqual([]);
    expect(await flagKinds()).toContain('checkout-differs');
  });

  it('a page that is not ours waits', async () => {
    const session = await world.stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ quantity: 1, price_data: { currency: 'sek', unit_amount: 900, product_data: { name: 'x' } } }],
      success_url: 'https://elsewhere.example/',
    });
    await world.stripe.checkout.sessions.expire(session.id);
    await world.deliver();
    expect(await states()).toContain('parked');
  });
});

describe('a page to subscribe on', () => {
  const subscribe = (more: Partial<CheckoutInput> = {}) =>
    open({ mode: 'subscription', productId: 'premium', ...more });
  beforeEach(async () => {
    const premium = { name: 'Premium', kind: 'subscription', amountMinor: 9_900, interval: 'month' };
    await world.ctx.db.doc('products/premium').set({ ...premium, currency: 'SEK', vatRate: 25, active: true });
  });

  it.each(['as they came', 'backwards', 'all at once'])(
    'begins the subscription and books its first payment: %s',
    async (order) => {
      const { checkoutId, url } = await subscribe({ quantity: 2 });
      await click(url, { card });
      const events = await stripesEvents();
      const told = order === 'backwards' ? events.toReversed() : events;
      if (order === 'all at once') await Promise.all(told.map((event) => receiveEvent(world.ctx, event)));
      for (const event of [...told, ...told]) await receiveEvent(world.ctx, event);
      expect(new Set(await states())).toEqual(new Set(['applied', 'ignored']));
      const [subscription] = await all<Subscription>('subscriptions');
      expect(subscription).toMatchObject({ userId: 'lisa', productId: 'premium', status: 'active', quantity: 2 });
      const { subscriptionId } = (await read<Checkout>(`checkouts/${checkoutId}`))!;
      expect(await all<Payment>('payments')).toEqual([
        expect.objectContaining({ status: 'succeeded', amountMinor: 19_800, subscriptionId, productId: 'premium' }),
      ]);
      expect((await booked()).sort()).toEqual(['fee', 'own_sale']);
      expect(await flagKinds()).toEqual([]);
    },
  );

  it('left at the bank’s page leaves nothing waiting', async () => {
    const { url } = await subscribe();
    await click(url, { card: 'pm_card_authenticationRequiredOnSetup' });
    await world.deliver();
    expect(await states()).not.toContain('parked');
    expect(await all<Subscription>('subscriptions')).toEqual([expect.objectContaining({ status: 'incomplete' })]);
    await world.advance(hours(25));
    await world.deliver();
    expect(await states()).not.toContain('parked');
    expect(await all<Payment>('payments')).toEqual([expect.not.objectContaining({ status: 'succeeded' })]);
  });

  it('is one of its kind: a newer page, or the app, closes it; what is begun is finished', async () => {
    const first = await subscribe();
    const second = await subscribe({ requestId: 'request-2' });
    expect((await click(first.url, { card })).status).toBe(410);
    await createSubscription(world.ctx, lisa, { productId: 'premium', requestId: 'in-the-app' });
    expect((await click(second.url, { card })).status).toBe(410);
    await expect(subscribe({ requestId: 'request-3' })).rejects.toMatchObject({ reason: 'subscription-begun' });
    expect((await world.stripe.subscriptions.list()).data).toHaveLength(1);
  });

  it('that was just paid is not begun again in the app', async () => {
    const { url } = await subscribe();
    await click(url, { card });
    const inTheApp = createSubscription(world.ctx, lisa, { productId: 'premium', requestId: 'in-the-app' });
    await expect(inTheApp).rejects.toMatchObject({ reason: 'paid-on-a-page' });
  });

  it('with a promotion code pays less the first time', async () => {
    await coupon(50, 'HALF');
    const { url } = await subscribe({ allowPromotionCodes: true });
    await click(url, { action: 'code', code: 'HALF' });
    await click(url, { card });
    await world.deliver();
    expect(await all<Payment>('payments')).toEqual([
      expect.objectContaining({ status: 'succeeded', amountMinor: 4_950 }),
    ]);
    expect(await flagKinds()).toEqual([]);
  });

  it('a subscription with a page’s metadata is not the page’s: flagged, no document', async () => {
    await subscribe();
    const customer = await ensureCustomer(world.ctx, lisa);
    const price = await world.stripe.prices.create({
      currency: 'sek',
      unit_amount: 300,
      recurring: { interval: 'month' },
      product_data: { name: 'Cheap' },
    });
    const metadata = { userId: 'lisa', checkoutRequestId: 'request-1', productId: 'premium' };
    const payment_behavior = 'default_incomplete';
    await world.stripe.subscriptions.create({ customer, items: [{ price: price.id }], metadata, payment_behavior });
    await world.deliver();
    expect(await all('subscriptions')).toEqual([]);
    expect(await flagKinds()).toEqual(['checkout-subscription-differs']);
  });

  it.each([
    ['something bought once', { productId: 'course' }, 'not-a-subscription'],
    ['no product', { productId: undefined }, 'name-a-subscription'],
    ['an order', { orderId: 'order-1' }, 'name-a-subscription'],
  ])('refuses %s', async (_what, more, reason) => {
    await expect(subscribe(more)).rejects.toMatchObject({ reason });
  });
});

it('a page in setup mode saves the card', async () => {
  const { checkoutId, url } = await open({ mode: 'setup' });
  await click(url, { card: 'pm_card_visa' });
  await world.deliver();
  expect(await all('paymentMethods')).toEqual([expect.objectContaining({ userId: 'lisa', last4: '4242' })]);
  expect(await read<Checkout>(`checkouts/${checkoutId}`)).toMatchObject({ status: 'complete' });
});

describe('the customer portal', () => {
  const returnUrl = 'http://127.0.0.1:5000/account';

  it('opens for the user’s customer; a default changed there is ours too', async () => {
    const { url } = await createPortalSession(world.ctx, lisa, { returnUrl, locale: 'sv' });
    expect(await (await fetch(url)).text()).toContain('lisa@example.se');
    await click(url, { action: 'card', card: 'pm_card_visa' });
    await world.deliver();
    expect(await all('paymentMethods')).toEqual([expect.objectContaining({ isDefault: true })]);
  });

  it('returns to us only', async () => {
    const away = createPortalSession(world.ctx, lisa, { returnUrl: 'https://evil.example/' });
    await expect(away).rejects.toMatchObject({ reason: 'address-not-allowed' });
  });
});
