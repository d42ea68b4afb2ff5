/** Checkout Sessions: made by the SDK, clicked through on the hosted page. */
import type Stripe from 'stripe';
import { told } from './billing-bench.ts';
import { DAY, onboardedCoach, refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

const URLS = {
  success_url: 'https://inner.example/done?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://inner.example/back',
};
const line = (unit_amount: number, recurring?: { interval: 'month' }) => ({
  price_data: {
    currency: 'sek',
    product_data: { name: 'Programme' },
    unit_amount,
    ...(recurring ? { recurring } : {}),
  },
});
const create = (params: Partial<Stripe.Checkout.SessionCreateParams> = {}) =>
  stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ ...line(49_900), quantity: 1 }],
    ...URLS,
    ...params,
  });
const click = (session: Stripe.Checkout.Session, form: Record<string, string>) =>
  fetch(session.url!, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ action: 'pay', email: 'kund@example.se', ...form }),
  });
const get = (id: string, expand?: string[]) => stripe.checkout.sessions.retrieve(id, expand ? { expand } : {});
const arrived = (id: string) => `https://inner.example/done?session=${id}`;

describe('a payment', () => {
  it('is clicked through: shown, declined, paid, redirected', async () => {
    const coach = await onboardedCoach(stripe);
    const session = await create({
      payment_intent_data: {
        application_fee_amount: 9_900,
        transfer_data: { destination: coach },
        metadata: { uid: 'u1' },
      },
      metadata: { order: '1' },
      locale: 'sv',
    });
    expect(session).toMatchObject({
      status: 'open',
      payment_status: 'unpaid',
      amount_total: 49_900,
      payment_intent: null,
    });
    const page = await (await fetch(session.url!)).text();
    expect(page).toContain('Programme');
    expect(page).toContain('499.00 SEK');
    const unnamed = await click(session, { card: 'pm_card_visa', email: '' });
    expect(unnamed.status).toBe(402);
    const declined = await click(session, { card: 'pm_card_visa_chargeDeclined' });
    expect(declined.status).toBe(402);
    expect(await declined.text()).toContain('Your card was declined.');
    const paid = await click(session, { card: 'pm_card_bypassPending' });
    expect([paid.status, paid.headers.get('location')]).toEqual([303, arrived(session.id)]);
    const after = await get(session.id, ['payment_intent.latest_charge.transfer', 'line_items']);
    expect(after).toMatchObject({ status: 'complete', payment_status: 'paid', url: null, customer: null });
    expect(after.customer_details?.email).toBe('kund@example.se');
    const intent = after.payment_intent as Stripe.PaymentIntent;
    expect(intent.metadata).toEqual({ uid: 'u1' });
    expect(((intent.latest_charge as Stripe.Charge).transfer as Stripe.Transfer).destination).toBe(coach);
    expect(after.line_items?.data[0]).toMatchObject({ amount_total: 49_900, description: 'Programme' });
    expect((await stripe.checkout.sessions.listLineItems(session.id)).data[0]?.id).toBe(after.line_items?.data[0]?.id);
    const again = await fetch(`${bench.emulator.url}/_hosted/checkout/${session.id}`, { redirect: 'manual' });
    expect(again.headers.get('location')).toBe(arrived(session.id));
    expect((await told(stripe)).filter((type) => type === 'checkout.session.completed')).toHaveLength(1);
    expect((await stripe.checkout.sessions.list({ payment_intent: intent.id })).data).toHaveLength(1);
  });

  it('goes by the bank where the card wants it, and comes back', async () => {
    const session = await create({ customer_creation: 'always' });
    const challenged = await click(session, { card: 'pm_card_authenticationRequired' });
    const bank = challenged.headers.get('location')!;
    expect(bank).toContain('/_hosted/3ds/');
    const failed = await fetch(bank, { method: 'POST', body: new URLSearchParams({ outcome: 'fail' }) });
    expect(await failed.text()).toContain('failed authentication');
    const second = await click(session, { card: 'pm_card_authenticationRequired' });
    const done = await fetch(second.headers.get('location')!, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ outcome: 'complete' }),
    });
    const back = await fetch(done.headers.get('location')!, { redirect: 'manual' });
    expect(back.headers.get('location')).toBe(arrived(session.id));
    const { customer } = await get(session.id);
    expect(await stripe.customers.retrieve(customer as string)).toMatchObject({ email: 'kund@example.se' });
  });

  it.each([
    ['DE89370400440532013000', 'checkout.session.async_payment_succeeded', 'paid'],
    ['DE62370400440532013001', 'checkout.session.async_payment_failed', 'unpaid'],
  ])('by a bank debit (%s) is unpaid at first, then %s', async (iban, event, status) => {
    await bench.control('POST', '/switches', { debitsInSek: true });
    const debit = await stripe.paymentMethods.create({
      type: 'sepa_debit',
      sepa_debit: { iban },
      billing_details: { name: 'Kim', email: 'kund@example.se' },
    });
    const session = await create();
    expect((await click(session, { card: debit.id })).status).toBe(303);
    expect(await get(session.id)).toMatchObject({ status: 'complete', payment_status: 'unpaid' });
    await bench.advance(14 * DAY);
    expect((await get(session.id)).payment_status).toBe(status);
    expect(await told(stripe)).toContain(event);
  });

  it('is canceled by the customer, expired by us, or expires after a day', async () => {
    const [left, ended, forgotten] = [await create(), await create(), await create()];
    const back = await click(left, { action: 'cancel' });
    expect(back.headers.get('location')).toBe(URLS.cancel_url);
    expect((await get(left.id)).status).toBe('open');
    const url = ended.url!;
    expect((await stripe.checkout.sessions.expire(ended.id)).status).toBe('expired');
    expect((await fetch(url)).status).toBe(410);
    await bench.advance(DAY);
    expect((await get(forgotten.id)).status).toBe('expired');
    expect((await refusal(stripe.checkout.sessions.expire(forgotten.id))).code).toBe('resource_invalid_state');
    expect((await told(stripe)).filter((type) => type === 'checkout.session.expired')).toHaveLength(3);
  });

  it('takes promotion codes, down to nothing', async () => {
    const coupon = await stripe.coupons.create({ percent_off: 100, duration: 'once' });
    await stripe.promotionCodes.create({ promotion: { coupon: coupon.id, type: 'coupon' }, code: 'FREE' });
    const session = await create({ allow_promotion_codes: true });
    expect((await click(session, { action: 'code', code: 'NONE' })).status).toBe(422);
    const page = await click(session, { action: 'code', code: 'free' });
    expect(await page.text()).toContain('0.00 SEK');
    await click(session, { card: 'pm_card_visa' });
    expect(await get(session.id)).toMatchObject({
      payment_status: 'no_payment_required',
      amount_total: 0,
      total_details: { amount_discount: 49_900 },
    });
    expect((await stripe.coupons.retrieve(coupon.id)).times_redeemed).toBe(1);
  });
});

describe('a subscription', () => {
  const subscription = (params: Partial<Stripe.Checkout.SessionCreateParams> = {}) =>
    create({ mode: 'subscription', line_items: [line(9_900, { interval: 'month' })], ...params });

  it('begins when it is paid, and leaves none behind when it is not', async () => {
    const session = await subscription({ subscription_data: { metadata: { uid: 'u1' } } });
    expect((await click(session, { card: 'pm_card_chargeCustomerFail' })).status).toBe(402);
    expect((await stripe.subscriptions.list({ status: 'all' })).data).toEqual([]);
    expect((await click(session, { card: 'pm_card_visa' })).status).toBe(303);
    const after = await get(session.id, ['subscription', 'invoice', 'customer']);
    expect(after).toMatchObject({ status: 'complete', payment_status: 'paid', payment_intent: null });
    expect(after.subscription).toMatchObject({ status: 'active', metadata: { uid: 'u1' } });
    expect((after.subscription as Stripe.Subscription).default_payment_method).toMatch(/^pm_/);
    expect(after.invoice).toMatchObject({ status: 'paid', total: 9_900 });
    expect(after.customer).toMatchObject({ email: 'kund@example.se' });
  });

  it('with a card that wants authentication becomes active at the bank', async () => {
    const session = await subscription();
    const bank = (await click(session, { card: 'pm_card_authenticationRequiredOnSetup' })).headers.get('location')!;
    await fetch(bank, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ outcome: 'complete' }) });
    expect((await get(session.id, ['subscription'])).subscription).toMatchObject({ status: 'active' });
  });

  it('with a trial keeps the card for later', async () => {
    const session = await subscription({ subscription_data: { trial_period_days: 7 } });
    expect(session).toMatchObject({ amount_total: 0, payment_status: 'no_payment_required' });
    await click(session, { card: 'pm_card_visa' });
    const after = await get(session.id, ['subscription']);
    expect(after.subscription).toMatchObject({ status: 'trialing' });
    await bench.advance(7 * DAY + 3_600);
    const { id } = after.subscription as Stripe.Subscription;
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active');
    expect((await stripe.invoices.list({ subscription: id, status: 'paid' })).data.map((each) => each.total)).toEqual([
      9_900, 0,
    ]);
  });
});

describe('a card', () => {
  it('is saved in setup mode', async () => {
    const customer = await stripe.customers.create({ email: 'kund@example.se' });
    const session = await stripe.checkout.sessions.create({
      mode: 'setup',
      currency: 'sek',
      customer: customer.id,
      ...URLS,
    });
    expect((await click(session, { card: 'pm_card_se' })).headers.get('location')).toBe(arrived(session.id));
    const { setup_intent } = await get(session.id, ['setup_intent']);
    expect(setup_intent).toMatchObject({ status: 'succeeded', customer: customer.id });
    expect((await stripe.paymentMethods.list({ customer: customer.id })).data).toHaveLength(1);
  });
});

describe('a session that cannot be', () => {
  it.each([
    ['no success_url', { success_url: '' }, 'success_url'],
    ['nothing to sell', { line_items: [] }, 'line_items'],
    ['a rhythm in a payment', { line_items: [line(9_900, { interval: 'month' })] }, 'line_items[0]'],
    ['too little', { line_items: [line(100)] }, 'amount'],
    ['another mode', { subscription_data: { description: 'x' } }, 'subscription_data'],
    ['an embedded page', { ui_mode: 'embedded_page' }, 'ui_mode'],
    ['taxes', { automatic_tax: { enabled: true } }, 'automatic_tax[enabled]'],
    ['an early end', { expires_at: 5 }, 'expires_at'],
    ['payment methods by name', { payment_method_types: ['card'] }, 'payment_method_types'],
  ])('%s', async (_, params, param) => {
    const error = await refusal(create(params as Partial<Stripe.Checkout.SessionCreateParams>));
    expect([error.statusCode, error.param]).toEqual([400, param]);
    expect((await stripe.checkout.sessions.list()).data).toEqual([]);
    expect((await stripe.products.list()).data).toEqual([]);
  });
});
