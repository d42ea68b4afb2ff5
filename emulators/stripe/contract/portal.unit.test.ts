/** The customer portal, through the SDK and its page. */
import type Stripe from 'stripe';
import { billing, told } from './billing-bench.ts';
import type { Billing } from './billing-bench.ts';
import { refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
let b: Billing;
let subscription: Stripe.Subscription;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
  b = await billing(bench);
  subscription = await stripe.subscriptions.create({ customer: b.customer.id, items: [{ price: b.price.id }] });
});
afterEach(() => bench.close());

const open = (more: Partial<Stripe.BillingPortal.SessionCreateParams> = {}) =>
  stripe.billingPortal.sessions.create({ customer: b.customer.id, return_url: 'https://inner.example/me', ...more });
const click = (session: Stripe.BillingPortal.Session, form: Record<string, string>) =>
  fetch(session.url, { method: 'POST', body: new URLSearchParams(form) });
const now = () => stripe.subscriptions.retrieve(subscription.id);

it('shows the subscription, cancels it at its end and takes that back', async () => {
  const session = await open();
  const page = await (await fetch(session.url)).text();
  expect(page).toContain('Premium');
  expect(page).toContain('Renews on 2026-02-28');
  expect(page).toContain('https://inner.example/me');
  const canceled = await click(session, { action: 'cancel', subscription: subscription.id });
  expect(await canceled.text()).toContain('Ends on 2026-02-28');
  expect(await now()).toMatchObject({ cancel_at_period_end: true, status: 'active' });
  await click(session, { action: 'resume', subscription: subscription.id });
  expect(await now()).toMatchObject({ cancel_at_period_end: false, cancel_at: null });
  expect(await told(stripe)).toContain('billing_portal.session.created');
});

it('changes the default card, and says why another is not taken', async () => {
  const session = await open();
  const page = await click(session, { action: 'card', card: 'pm_card_mastercard' });
  expect(await page.text()).toContain('mastercard …4444');
  const customer = (await stripe.customers.retrieve(b.customer.id, {
    expand: ['invoice_settings.default_payment_method'],
  })) as Stripe.Customer;
  expect(customer.invoice_settings.default_payment_method).toMatchObject({ card: { last4: '4444' } });
  const declined = await click(session, { action: 'card', card: 'pm_card_visa_chargeDeclined' });
  expect([declined.status, (await declined.text()).includes('declined')]).toEqual([422, true]);
});

it('does what its configuration allows, for its own customer, for an hour', async () => {
  const configuration = await stripe.billingPortal.configurations.create({
    features: { subscription_cancel: { enabled: true, mode: 'immediately' } },
  });
  const session = await open({ configuration: configuration.id });
  expect((await click(session, { action: 'card', card: 'pm_card_visa' })).status).toBe(422);
  expect((await click(session, { action: 'cancel', subscription: 'sub_of_another' })).status).toBe(422);
  await click(session, { action: 'cancel', subscription: subscription.id });
  expect((await now()).status).toBe('canceled');
  const changed = await stripe.billingPortal.configurations.update(configuration.id, { active: false });
  expect(changed.active).toBe(false);
  expect((await refusal(open({ configuration: configuration.id }))).param).toBe('configuration');
  expect((await stripe.billingPortal.configurations.list({ active: true })).data).toEqual([]);
  await bench.advance(3_601);
  expect((await fetch(session.url)).status).toBe(404);
});
