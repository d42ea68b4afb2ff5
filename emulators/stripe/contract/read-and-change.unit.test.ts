/** What is made can be read again by its id, changed and deleted: the routes no story of the other files passes. */
import { billing } from './billing-bench.ts';
import { refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench();
});
afterEach(() => bench.close());

it('a product and its price are read again', async () => {
  const { stripe } = bench;
  const product = await stripe.products.create({ name: 'Premium' });
  const price = await stripe.prices.create({ currency: 'sek', product: product.id, unit_amount: 9_900 });
  expect(await stripe.products.retrieve(product.id)).toMatchObject({ id: product.id, name: 'Premium' });
  expect(await stripe.prices.retrieve(price.id)).toMatchObject({ unit_amount: 9_900, product: product.id });
});

it('a subscription item is read again', async () => {
  const { stripe } = bench;
  const { customer, price } = await billing(bench);
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] });
  const item = await stripe.subscriptionItems.retrieve(subscription.items.data[0]!.id);
  expect(item).toMatchObject({ subscription: subscription.id, quantity: 1, price: { id: price.id } });
});

it('an invoice item is deleted, and its event says so', async () => {
  const { stripe } = bench;
  const { id: customer } = await stripe.customers.create({ email: 'kund@example.se' });
  const item = await stripe.invoiceItems.create({ customer, amount: 4_900, currency: 'sek' });
  expect(await stripe.invoiceItems.del(item.id)).toMatchObject({ id: item.id, deleted: true });
  expect((await refusal(stripe.invoiceItems.retrieve(item.id))).statusCode).toBe(404);
  expect((await stripe.events.list({ type: 'invoiceitem.deleted' })).data).toHaveLength(1);
});

it('coupons are renamed and listed, their promotion codes switched off', async () => {
  const { stripe } = bench;
  const coupon = await stripe.coupons.create({ percent_off: 50, duration: 'once', name: 'Spring' });
  expect(await stripe.coupons.update(coupon.id, { name: 'Autumn' })).toMatchObject({ name: 'Autumn', percent_off: 50 });
  expect((await stripe.coupons.list()).data).toMatchObject([{ id: coupon.id, name: 'Autumn' }]);
  const code = await stripe.promotionCodes.create({ promotion: { coupon: coupon.id, type: 'coupon' }, code: 'VAR26' });
  expect(await stripe.promotionCodes.update(code.id, { active: false })).toMatchObject({ active: false });
  const { data } = await stripe.events.list({ type: 'promotion_code.updated' });
  expect(data).toMatchObject([{ data: { previous_attributes: { active: true } } }]);
});

it('a Checkout session takes other metadata', async () => {
  const { stripe } = bench;
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [
      { price_data: { currency: 'sek', unit_amount: 49_900, product_data: { name: 'Programme' } }, quantity: 1 },
    ],
    success_url: 'https://inner.example/done',
  });
  const changed = await stripe.checkout.sessions.update(session.id, { metadata: { orderId: 'o1' } });
  expect(changed).toMatchObject({ id: session.id, metadata: { orderId: 'o1' } });
});

it('a configuration of the portal is read again', async () => {
  const { stripe } = bench;
  const features = { subscription_cancel: { enabled: true, mode: 'immediately' as const } };
  const made = await stripe.billingPortal.configurations.create({ features });
  expect(await stripe.billingPortal.configurations.retrieve(made.id)).toMatchObject({ id: made.id, features });
});

it('a webhook endpoint is read again, without its secret', async () => {
  const { stripe } = bench;
  const made = await stripe.webhookEndpoints.create({ url: 'https://inner.example/hook', enabled_events: ['*'] });
  const read = await stripe.webhookEndpoints.retrieve(made.id);
  expect(read).toMatchObject({ id: made.id, url: made.url });
  expect(made.secret).toMatch(/^whsec_/);
  expect(read.secret).toBeUndefined();
});
