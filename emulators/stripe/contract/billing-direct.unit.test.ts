/** Subscriptions of a connected account's own customers: direct charges with the platform's percentage. */
import type Stripe from 'stripe';
import { DAY, onboardedCoach, refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

it('are paid to the account, and the platform earns its percent of each invoice', async () => {
  const coach = await onboardedCoach(stripe);
  await stripe.accounts.update(coach, { capabilities: { card_payments: { requested: true } } });
  const on = { stripeAccount: coach };
  const customer = await stripe.customers.create({ email: 'kund@example.se', payment_method: 'pm_card_visa' }, on);
  const [card] = (await stripe.paymentMethods.list({ customer: customer.id }, on)).data;
  const product = await stripe.products.create({ name: 'Coaching' }, on);
  const price = await stripe.prices.create(
    { currency: 'sek', product: product.id, unit_amount: 50_000, recurring: { interval: 'month' } },
    on,
  );
  const params = { customer: customer.id, items: [{ price: price.id }], default_payment_method: card!.id };
  const made = await stripe.subscriptions.create({ ...params, application_fee_percent: 12.5 }, on);
  expect(made).toMatchObject({ status: 'active', application_fee_percent: 12.5 });
  await bench.advance(32 * DAY);
  expect((await stripe.applicationFees.list()).data.map((each) => each.amount)).toEqual([6_250, 6_250]);
  expect((await stripe.invoices.list({}, on)).data.map((each) => each.status)).toEqual(['paid', 'paid']);
  expect((await stripe.invoices.list()).data).toEqual([]);
  const shared = stripe.subscriptions.create({ ...params, transfer_data: { destination: coach } }, on);
  expect((await refusal(shared)).param).toBe('transfer_data');
  expect((await refusal(stripe.testHelpers.testClocks.list({}, on))).code).toBe('emulator_unsupported');
});

it('are sold by Checkout on the account, too', async () => {
  const coach = await onboardedCoach(stripe);
  await stripe.accounts.update(coach, { capabilities: { card_payments: { requested: true } } });
  const on = { stripeAccount: coach };
  const session = await stripe.checkout.sessions.create(
    {
      mode: 'payment',
      line_items: [{ price_data: { currency: 'sek', product_data: { name: 'A day' }, unit_amount: 80_000 } }],
      payment_intent_data: { application_fee_amount: 8_000 },
      success_url: 'https://coach.example/done',
    },
    on,
  );
  const body = new URLSearchParams({ action: 'pay', email: 'kund@example.se', card: 'pm_card_visa' });
  const paid = await fetch(session.url!, { method: 'POST', redirect: 'manual', body });
  expect(paid.headers.get('location')).toBe('https://coach.example/done');
  const [fee] = (await stripe.applicationFees.list()).data;
  expect(fee).toMatchObject({ amount: 8_000, account: coach });
  expect((await stripe.checkout.sessions.retrieve(session.id, {}, on)).payment_status).toBe('paid');
});
