/** Cards kept for later: SetupIntents, and payment methods made from numbers and tokens. */
import type Stripe from 'stripe';
import { client, refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
let customer: string;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
  customer = (await stripe.customers.create({ email: 'kund@example.se' })).id;
});
afterEach(() => bench.close());

const types = async () =>
  (await stripe.events.list({ limit: 50 })).data
    .map((event) => event.type)
    .reverse()
    .slice(1);

describe('a SetupIntent', () => {
  it('attaches the card to its customer', async () => {
    const intent = await stripe.setupIntents.create({ customer, usage: 'off_session', metadata: { why: 'later' } });
    expect(intent).toMatchObject({
      status: 'requires_payment_method',
      usage: 'off_session',
      payment_method_types: ['card'],
    });
    const done = await stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_se' });
    expect(done.status).toBe('succeeded');
    const methods = await stripe.customers.listPaymentMethods(customer);
    expect(methods.data.map((each) => each.id)).toEqual([done.payment_method]);
    expect(await types()).toEqual(['setup_intent.created', 'payment_method.attached', 'setup_intent.succeeded']);
    expect((await stripe.setupIntents.list({ customer })).data.map((each) => each.id)).toEqual([intent.id]);
    expect((await refusal(stripe.setupIntents.confirm(intent.id))).code).toBe('setup_intent_unexpected_state');
    expect((await refusal(stripe.setupIntents.cancel(intent.id))).code).toBe('setup_intent_unexpected_state');
  });

  it('sends the holder to authenticate, and is set up or not as the holder clicks', async () => {
    const confirm = {
      payment_method: 'pm_card_authenticationRequiredOnSetup',
      return_url: 'https://inner.example/done',
    };
    const made = await stripe.setupIntents.create({ customer });
    const waiting = await stripe.setupIntents.confirm(made.id, confirm);
    expect(waiting.status).toBe('requires_action');
    const page = waiting.next_action!.redirect_to_url!.url!;
    expect(await (await fetch(page)).text()).toContain('saving your card');
    const fail = await fetch(page, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ outcome: 'fail' }),
    });
    expect(Object.fromEntries(new URL(fail.headers.get('location')!).searchParams)).toEqual({
      setup_intent: made.id,
      setup_intent_client_secret: made.client_secret,
      redirect_status: 'failed',
    });
    expect(await stripe.setupIntents.retrieve(made.id)).toMatchObject({
      status: 'requires_payment_method',
      last_setup_error: { code: 'setup_intent_authentication_failure' },
    });
    const again = await stripe.setupIntents.confirm(made.id, confirm);
    await fetch(again.next_action!.redirect_to_url!.url!, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams({ outcome: 'complete' }),
    });
    const done = await stripe.setupIntents.retrieve(made.id);
    expect([done.status, done.last_setup_error]).toEqual(['succeeded', null]);
    const renewal = await stripe.paymentIntents.create({
      amount: 9_900,
      currency: 'sek',
      customer,
      payment_method: done.payment_method as string,
      off_session: true,
      confirm: true,
    });
    expect(renewal.status).toBe('succeeded');
    expect((await types()).slice(0, 6)).toEqual([
      'setup_intent.created',
      'setup_intent.requires_action',
      'setup_intent.setup_failed',
      'setup_intent.requires_action',
      'payment_method.attached',
      'setup_intent.succeeded',
    ]);
  });

  it('says 402 for a card the bank declines, and can be tried again', async () => {
    const intent = await stripe.setupIntents.create({ customer });
    const error = await refusal(
      stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa_chargeDeclined' }),
    );
    expect(error).toMatchObject({ statusCode: 402, code: 'card_declined' });
    expect(error.setup_intent).toMatchObject({ id: intent.id, status: 'requires_payment_method' });
    expect((await types()).at(-1)).toBe('setup_intent.setup_failed');
    expect((await stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })).status).toBe('succeeded');
  });

  it('is changed, canceled, and confirmed in one call', async () => {
    const intent = await stripe.setupIntents.create({});
    expect(await stripe.setupIntents.update(intent.id, { customer, metadata: { a: 'b' } })).toMatchObject({
      customer,
      metadata: { a: 'b' },
    });
    const canceled = await stripe.setupIntents.cancel(intent.id, { cancellation_reason: 'abandoned' });
    expect(canceled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    expect((await refusal(stripe.setupIntents.update(intent.id, { payment_method: 'pm_card_visa' }))).code).toBe(
      'setup_intent_unexpected_state',
    );
    const at = await stripe.setupIntents.create({ customer, payment_method: 'pm_card_visa', confirm: true });
    expect(at.status).toBe('succeeded');
    expect((await stripe.setupIntents.list({ payment_method: at.payment_method as string })).data).toHaveLength(1);
  });

  it('shows a browser what Stripe.js may see, and nothing with a wrong secret', async () => {
    const intent = await stripe.setupIntents.create({ customer, metadata: { secret: 'x' } });
    const browser = client(bench.emulator.port, 'pk_test_browser');
    const params = { client_secret: intent.client_secret! };
    const seen = await browser.setupIntents.retrieve(intent.id, params);
    expect(seen.metadata).toBeUndefined();
    expect(seen.usage).toBe('off_session');
    const confirm = { ...params, payment_method: 'pm_card_visa' } as Stripe.SetupIntentConfirmParams;
    expect((await browser.setupIntents.confirm(intent.id, confirm)).status).toBe('succeeded');
    const wrong = browser.setupIntents.retrieve(intent.id, { client_secret: 'seti_x_secret_y' });
    expect((await refusal(wrong)).code).toBe('setup_intent_invalid_parameter');
  });
});

describe('a payment method', () => {
  it('is made from a test number or a token, and behaves as its test card', async () => {
    const made = await stripe.paymentMethods.create({
      type: 'card',
      card: { number: '4000 0000 0000 9995', exp_month: 4, exp_year: 2031, cvc: '123' },
      billing_details: { name: 'Astrid Lind', address: { city: 'Stockholm' } },
    });
    expect(made).toMatchObject({
      card: { last4: '9995', exp_month: 4, exp_year: 2031 },
      billing_details: { name: 'Astrid Lind' },
    });
    const declined = stripe.paymentIntents.create({
      amount: 9_900,
      currency: 'sek',
      payment_method: made.id,
      confirm: true,
    });
    expect((await refusal(declined)).decline_code).toBe('insufficient_funds');
    const token = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_se' } });
    expect(token.card?.country).toBe('SE');
  });

  it.each([
    [{ number: '4111111111111111', exp_month: 4, exp_year: 2031 }, 402, 'incorrect_number'],
    [{ number: '4242424242424242', exp_month: 13, exp_year: 2031 }, 402, 'invalid_expiry_month'],
    [{ number: '4242424242424242', exp_month: 4, exp_year: 2020 }, 402, 'invalid_expiry_year'],
    [{ number: '4242424242424242', exp_month: 4 }, 400, 'parameter_missing'],
    [{ token: 'tok_bogus' }, 400, 'resource_missing'],
  ])('is refused: %j', async (card, status, code) => {
    const error = await refusal(stripe.paymentMethods.create({ type: 'card', card }));
    expect([error.statusCode, error.code]).toEqual([status, code]);
  });

  it('is made by a browser, which then pays with it', async () => {
    const browser = client(bench.emulator.port, 'pk_test_browser');
    const made = await browser.paymentMethods.create({
      type: 'card',
      card: { number: '4242424242424242', exp_month: 4, exp_year: 2031, cvc: '123' },
    });
    expect(made.card?.last4).toBe('4242');
    const intent = await stripe.paymentIntents.create({ amount: 9_900, currency: 'sek' });
    const confirm = { client_secret: intent.client_secret!, payment_method: made.id };
    const paid = await browser.paymentIntents.confirm(intent.id, confirm);
    expect(paid.status).toBe('succeeded');
    expect((await refusal(browser.paymentMethods.retrieve(made.id))).code).toBe('secret_key_required');
  });

  it('is changed once a customer has it', async () => {
    const made = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } });
    expect((await refusal(stripe.paymentMethods.update(made.id, { metadata: { a: 'b' } }))).code).toBe(
      'payment_method_unexpected_state',
    );
    await stripe.paymentMethods.attach(made.id, { customer });
    const after = await stripe.paymentMethods.update(made.id, {
      card: { exp_month: 1, exp_year: 2032 },
      billing_details: { email: 'ny@example.se', address: { line1: 'Storgatan 1' } },
      allow_redisplay: 'always',
      metadata: { a: 'b' },
    });
    expect(after).toMatchObject({
      card: { exp_month: 1, exp_year: 2032 },
      billing_details: { email: 'ny@example.se', address: { line1: 'Storgatan 1', city: null } },
      allow_redisplay: 'always',
      metadata: { a: 'b' },
    });
    const [event] = (await stripe.events.list({ type: 'payment_method.updated' })).data;
    expect(event?.data.previous_attributes).toMatchObject({ allow_redisplay: 'unspecified' });
  });
});
