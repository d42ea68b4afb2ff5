import type Stripe from 'stripe';
import { refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeAll(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterAll(() => bench.close());

describe('customers', () => {
  it('are created, read, changed, and found by email and by metadata', async () => {
    const made = await stripe.customers.create({
      email: 'a@example.se',
      name: 'Anna',
      metadata: { uid: 'u1', keep: 'x' },
    });
    await stripe.customers.create({ email: 'b@example.se', metadata: { uid: 'u2' } });
    const changed = await stripe.customers.update(made.id, { name: 'Anna B', metadata: { keep: '', plan: 'premium' } });
    expect(changed).toMatchObject({ name: 'Anna B', email: 'a@example.se', metadata: { uid: 'u1', plan: 'premium' } });
    expect(changed.metadata).not.toHaveProperty('keep');
    expect((await stripe.customers.list({ email: 'a@example.se' })).data.map((each) => each.id)).toEqual([made.id]);
    const found = await stripe.customers.search({ query: `metadata['uid']:'u1' AND email:'a@example.se'` });
    expect(found.data.map((each) => each.id)).toEqual([made.id]);
    expect(found.has_more).toBe(false);
    expect((await stripe.customers.search({ query: `metadata['uid']:'nobody'` })).data).toEqual([]);
    expect((await refusal(stripe.customers.search({ query: 'created>1' }))).message).toContain('parse');
    const [event] = (await stripe.events.list({ type: 'customer.updated' })).data;
    expect(event?.data.previous_attributes).toEqual({ name: 'Anna', metadata: { keep: 'x', plan: null } });
  });

  it('are deleted with what is saved to them and subscribed to; they can still be asked for', async () => {
    const { id } = await stripe.customers.create({ payment_method: 'pm_card_visa' });
    const price = await stripe.prices.create({
      currency: 'sek',
      unit_amount: 9_900,
      recurring: { interval: 'month' },
      product_data: { name: 'Premium' },
    });
    const [method] = (await stripe.customers.listPaymentMethods(id)).data;
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      default_payment_method: method!.id,
    });
    expect(await stripe.customers.del(id)).toMatchObject({ id, deleted: true });
    expect(await stripe.customers.retrieve(id)).toMatchObject({ id, deleted: true });
    expect((await refusal(stripe.customers.update(id, { name: 'x' }))).statusCode).toBe(404);
    expect((await refusal(stripe.customers.del(id))).statusCode).toBe(404);
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled');
    expect((await stripe.paymentMethods.retrieve(method!.id)).customer).toBeNull();
    expect((await stripe.events.list({ type: 'customer.deleted' })).data).toHaveLength(1);
  });

  it('are found by search only after its delay, when there is one', async () => {
    await bench.control('POST', '/switches', { searchDelaySeconds: 60 });
    await stripe.customers.create({ metadata: { uid: 'late' } });
    expect((await stripe.customers.search({ query: `metadata['uid']:'late'` })).data).toEqual([]);
    await bench.advance(60);
    expect((await stripe.customers.search({ query: `metadata['uid']:'late'` })).data).toHaveLength(1);
    await bench.control('POST', '/switches', { searchDelaySeconds: 0 });
  });

  it('belong to one account', async () => {
    expect((await refusal(stripe.customers.list({}, { stripeAccount: 'acct_none' }))).statusCode).toBe(403);
    expect((await refusal(stripe.customers.retrieve('cus_none'))).statusCode).toBe(404);
  });
});

describe('products and prices', () => {
  it("take an id of one's own once", async () => {
    const product = await stripe.products.create({
      id: 'premium',
      name: 'Premium',
      metadata: { kind: 'subscription' },
    });
    expect(product.id).toBe('premium');
    const error = await refusal(stripe.products.create({ id: 'premium', name: 'Premium' }));
    expect(error).toMatchObject({ code: 'resource_already_exists', statusCode: 400 });
    expect((await stripe.products.update('premium', { active: false })).active).toBe(false);
    expect((await stripe.products.list({ active: false })).data.map((each) => each.id)).toEqual(['premium']);
  });

  it('are listed by lookup key and product, their decimal amounts as the SDK reads them', async () => {
    const product = await stripe.products.create({ name: 'Monthly' });
    const price = await stripe.prices.create({
      currency: 'sek',
      product: product.id,
      unit_amount: 9_900,
      recurring: { interval: 'month' },
      lookup_key: 'premium_month',
    });
    expect(price).toMatchObject({
      type: 'recurring',
      unit_amount: 9_900,
      recurring: { interval: 'month', interval_count: 1 },
    });
    expect(price.unit_amount_decimal?.toString()).toBe('9900');
    expect((await stripe.prices.list({ lookup_keys: ['premium_month'] })).data.map((each) => each.id)).toEqual([
      price.id,
    ]);
    expect((await stripe.prices.list({ product: product.id, type: 'one_time' })).data).toEqual([]);
    const twice = { currency: 'sek', product: product.id, unit_amount: 1, lookup_key: 'premium_month' };
    expect((await refusal(stripe.prices.create(twice))).code).toBe('resource_already_exists');
    const moved = await stripe.prices.create({ ...twice, transfer_lookup_key: true });
    expect((await stripe.prices.list({ lookup_keys: ['premium_month'] })).data.map((each) => each.id)).toEqual([
      moved.id,
    ]);
  });
});

describe('payment methods', () => {
  it('come fresh from a test token, belong to one customer, and are not used again once detached', async () => {
    const customer = await stripe.customers.create({});
    const other = await stripe.customers.create({});
    const first = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    const second = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    expect(first.id).not.toBe(second.id);
    expect((await stripe.paymentMethods.list({ customer: customer.id, type: 'card' })).data).toHaveLength(2);
    expect((await refusal(stripe.paymentMethods.attach(first.id, { customer: other.id }))).statusCode).toBe(400);
    const wrong = stripe.paymentIntents.create({
      amount: 9_900,
      currency: 'sek',
      customer: other.id,
      payment_method: first.id,
      confirm: true,
    });
    expect((await refusal(wrong)).statusCode).toBe(400);
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: first.id } });
    const detached = await stripe.paymentMethods.detach(first.id);
    expect(detached.customer).toBeNull();
    expect(
      ((await stripe.customers.retrieve(customer.id)) as Stripe.Customer).invoice_settings.default_payment_method,
    ).toBeNull();
    expect((await refusal(stripe.paymentMethods.attach(first.id, { customer: other.id }))).code).toBe(
      'payment_method_unexpected_state',
    );
  });

  it('are spent by a payment without a customer', async () => {
    const method = await stripe.paymentMethods.retrieve('pm_card_visa');
    const pay = () =>
      stripe.paymentIntents.create({ amount: 9_900, currency: 'sek', payment_method: method.id, confirm: true });
    await pay();
    expect((await refusal(pay())).code).toBe('payment_method_unexpected_state');
  });

  it('that decline are not attached, except the one that only fails when charged', async () => {
    const customer = await stripe.customers.create({});
    expect(
      (await refusal(stripe.paymentMethods.attach('pm_card_visa_chargeDeclined', { customer: customer.id })))
        .statusCode,
    ).toBe(402);
    const method = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id });
    const pay = stripe.paymentIntents.create({
      amount: 9_900,
      currency: 'sek',
      customer: customer.id,
      payment_method: method.id,
      off_session: true,
      confirm: true,
    });
    expect((await refusal(pay)).code).toBe('card_declined');
  });
});
