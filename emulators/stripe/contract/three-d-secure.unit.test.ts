/** Cards that want their holder to authenticate, on the page the emulator hosts and without anybody there. */
import type Stripe from 'stripe';
import { client, refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

const RETURN = 'https://inner.example/done?order=o1';
const pay = (more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({
    amount: 49_900,
    currency: 'sek',
    payment_method: 'pm_card_authenticationRequired',
    confirm: true,
    return_url: RETURN,
    ...more,
  });
const click = (url: string, outcome: string) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ outcome }) });
const pageOf = (intent: Stripe.PaymentIntent | Stripe.SetupIntent) => intent.next_action!.redirect_to_url!.url!;
const types = async () => (await stripe.events.list({ limit: 50 })).data.map((event) => event.type).reverse();

it('asks for authentication on a page of its own, and is paid when the holder clicks Complete', async () => {
  const intent = await pay();
  expect(intent).toMatchObject({
    status: 'requires_action',
    latest_charge: null,
    next_action: { type: 'redirect_to_url', redirect_to_url: { return_url: RETURN } },
  });
  expect(await types()).toEqual(['payment_intent.created', 'payment_intent.requires_action']);
  const page = await (await fetch(pageOf(intent))).text();
  expect(page).toContain('499.00 SEK');
  expect(page).toContain('Complete</button>');
  expect(page).toContain('Fail</button>');
  expect((await click(pageOf(intent), 'perhaps')).status).toBe(422);

  const answer = await click(pageOf(intent), 'complete');
  expect(answer.status).toBe(303);
  const back = new URL(answer.headers.get('location')!);
  expect(Object.fromEntries(back.searchParams)).toEqual({
    order: 'o1',
    payment_intent: intent.id,
    payment_intent_client_secret: intent.client_secret,
    redirect_status: 'succeeded',
  });
  const paid = await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] });
  expect(paid).toMatchObject({ status: 'succeeded', next_action: null, amount_received: 49_900 });
  const charge = paid.latest_charge as Stripe.Charge;
  expect(charge.payment_method_details?.card?.three_d_secure).toMatchObject({ result: 'authenticated' });
  expect((await types()).slice(2)).toEqual(['charge.succeeded', 'payment_intent.succeeded']);
  expect((await fetch(pageOf(intent))).status).toBe(404);
  expect((await click(pageOf(intent), 'complete')).status).toBe(404);
});

it('goes back to wanting a payment method when the holder clicks Fail, without a charge', async () => {
  const intent = await pay();
  const answer = await click(pageOf(intent), 'fail');
  expect(new URL(answer.headers.get('location')!).searchParams.get('redirect_status')).toBe('failed');
  const failed = await stripe.paymentIntents.retrieve(intent.id);
  expect(failed).toMatchObject({
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: null,
    last_payment_error: { code: 'payment_intent_authentication_failure', type: 'invalid_request_error' },
  });
  expect((await types()).at(-1)).toBe('payment_intent.payment_failed');
  const again = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' });
  expect(again.status).toBe('succeeded');
});

it('leaves it to Stripe.js without a return_url, with the publishable key too', async () => {
  const made = await stripe.paymentIntents.create({ amount: 49_900, currency: 'sek' });
  const browser = client(bench.emulator.port, 'pk_test_browser');
  const secret = { client_secret: made.client_secret! } as Stripe.PaymentIntentConfirmParams;
  const intent = await browser.paymentIntents.confirm(made.id, {
    ...secret,
    payment_method: 'pm_card_authenticationRequired',
  });
  expect(intent.next_action?.type).toBe('use_stripe_sdk');
  const url = (intent.next_action?.use_stripe_sdk as unknown as { stripe_js: string }).stripe_js;
  expect(await (await click(url, 'complete')).text()).toContain('You may close this page');
  expect((await stripe.paymentIntents.retrieve(made.id)).status).toBe('succeeded');
});

it('is declined with authentication_required when the customer is not there', async () => {
  const error = await refusal(pay({ off_session: true, return_url: undefined as never }));
  expect(error).toMatchObject({
    statusCode: 402,
    type: 'StripeCardError',
    code: 'authentication_required',
    decline_code: 'authentication_required',
    payment_intent: { status: 'requires_payment_method' },
  });
  expect(await types()).toEqual(['payment_intent.created', 'charge.failed', 'payment_intent.payment_failed']);
  expect((await refusal(pay({ error_on_requires_action: true }))).code).toBe('authentication_required');
});

it('asks 3155 once: what was set up pays by itself later, on and off session', async () => {
  const customer = await stripe.customers.create({});
  const first = await pay({
    customer: customer.id,
    payment_method: 'pm_card_authenticationRequiredOnSetup',
    setup_future_usage: 'off_session',
  });
  expect(first.status).toBe('requires_action');
  await click(pageOf(first), 'complete');
  const saved = (await stripe.customers.listPaymentMethods(customer.id)).data[0]!;
  const renewal = { amount: 9_900, currency: 'sek', customer: customer.id, payment_method: saved.id, confirm: true };
  expect((await stripe.paymentIntents.create({ ...renewal, off_session: true })).status).toBe('succeeded');
  expect((await stripe.paymentIntents.create(renewal)).status).toBe('succeeded');
  const stranger = pay({
    payment_method: 'pm_card_authenticationRequiredOnSetup',
    off_session: true,
    return_url: undefined as never,
  });
  expect((await refusal(stranger)).code).toBe('authentication_required');
});

it('asks 0446 on session only, and always 3184 even after it was set up', async () => {
  const ready = 'pm_card_authenticationRequiredSetupForOffSession';
  expect((await pay({ payment_method: ready })).status).toBe('requires_action');
  expect((await pay({ payment_method: ready, off_session: true, return_url: undefined as never })).status).toBe(
    'succeeded',
  );
  const customer = await stripe.customers.create({});
  const first = await pay({ customer: customer.id, setup_future_usage: 'off_session' });
  await click(pageOf(first), 'complete');
  const saved = (await stripe.customers.listPaymentMethods(customer.id)).data[0]!;
  const later = stripe.paymentIntents.create({
    amount: 9_900,
    currency: 'sek',
    customer: customer.id,
    payment_method: saved.id,
    off_session: true,
    confirm: true,
  });
  expect((await refusal(later)).code).toBe('authentication_required');
});

it('may still be declined after the holder has authenticated', async () => {
  const intent = await pay({ payment_method: 'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds' });
  const answer = await click(pageOf(intent), 'complete');
  expect(new URL(answer.headers.get('location')!).searchParams.get('redirect_status')).toBe('failed');
  expect((await stripe.paymentIntents.retrieve(intent.id)).last_payment_error).toMatchObject({
    code: 'card_declined',
    decline_code: 'insufficient_funds',
  });
});

it('closes the page when the intent is canceled or takes another card', async () => {
  const canceled = await pay();
  await stripe.paymentIntents.cancel(canceled.id);
  expect((await click(pageOf(canceled), 'complete')).status).toBe(404);
  const changed = await pay();
  const updated = await stripe.paymentIntents.update(changed.id, { payment_method: 'pm_card_visa' });
  expect(updated).toMatchObject({ status: 'requires_confirmation', next_action: null });
  expect((await fetch(pageOf(changed))).status).toBe(404);
  expect((await stripe.paymentIntents.confirm(changed.id)).status).toBe('succeeded');
});
