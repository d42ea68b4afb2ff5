/** Authorized first and captured later; intents changed on their way; debits that clear days after. */
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

const available = async (account?: string) =>
  (await stripe.balance.retrieve({}, account === undefined ? {} : { stripeAccount: account })).available[0]!.amount;
const types = async () => (await stripe.events.list({ limit: 50 })).data.map((event) => event.type).reverse();

describe('capture_method manual', () => {
  const authorize = (more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
    stripe.paymentIntents.create({
      amount: 49_900,
      currency: 'sek',
      capture_method: 'manual',
      payment_method: 'pm_card_bypassPending',
      confirm: true,
      ...more,
    });

  it('takes nothing until it is captured, and then what is captured', async () => {
    const coach = await onboardedCoach(stripe);
    const intent = await authorize({ application_fee_amount: 9_900, transfer_data: { destination: coach } });
    expect(intent).toMatchObject({ status: 'requires_capture', amount_capturable: 49_900, amount_received: 0 });
    const charge = await stripe.charges.retrieve(intent.latest_charge as string);
    expect(charge).toMatchObject({ captured: false, paid: true, amount_captured: 0, balance_transaction: null });
    expect([await available(), await available(coach)]).toEqual([0, 0]);

    const captured = await stripe.paymentIntents.capture(intent.id, {
      amount_to_capture: 39_900,
      application_fee_amount: 7_900,
    });
    expect(captured).toMatchObject({ status: 'succeeded', amount_capturable: 0, amount_received: 39_900 });
    const after = await stripe.charges.retrieve(charge.id, { expand: ['balance_transaction'] });
    expect(after).toMatchObject({
      captured: true,
      amount_captured: 39_900,
      amount_refunded: 10_000,
      refunded: false,
      application_fee_amount: 7_900,
      balance_transaction: { amount: 39_900, fee: 779 },
    });
    expect([await available(), await available(coach)]).toEqual([7_900 - 779, 32_000]);
    expect((await types()).filter((type) => /^(charge|payment_intent)/.test(type))).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.amount_capturable_updated',
      'charge.captured',
      'payment_intent.succeeded',
    ]);
    expect((await refusal(stripe.paymentIntents.capture(intent.id))).code).toBe('payment_intent_unexpected_state');
    const refund = await stripe.refunds.create({
      payment_intent: intent.id,
      reverse_transfer: true,
      refund_application_fee: true,
    });
    expect(refund.amount).toBe(39_900);
    expect(await available(coach)).toBe(0);
  });

  it('refuses more than was authorized and a fee above what is captured', async () => {
    const coach = await onboardedCoach(stripe);
    const intent = await authorize({ application_fee_amount: 9_900, transfer_data: { destination: coach } });
    expect((await refusal(stripe.paymentIntents.capture(intent.id, { amount_to_capture: 49_901 }))).code).toBe(
      'amount_too_large',
    );
    expect((await refusal(stripe.paymentIntents.capture(intent.id, { amount_to_capture: 9_000 }))).param).toBe(
      'application_fee_amount',
    );
  });

  it('is let go by a cancellation, or by itself after seven days', async () => {
    const given = await authorize();
    const canceled = await stripe.paymentIntents.cancel(given.id, { cancellation_reason: 'requested_by_customer' });
    expect(canceled).toMatchObject({ status: 'canceled', amount_capturable: 0 });
    expect(await stripe.charges.retrieve(given.latest_charge as string)).toMatchObject({
      captured: false,
      refunded: true,
      amount_refunded: 49_900,
    });
    const forgotten = await authorize();
    await bench.advance(7 * DAY);
    expect(await stripe.paymentIntents.retrieve(forgotten.id)).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'automatic',
    });
    expect((await types()).slice(-4)).toEqual([
      'refund.created',
      'charge.refunded',
      'payment_intent.canceled',
      'charge.expired',
    ]);
    expect((await stripe.balanceTransactions.list()).data).toEqual([]);
  });
});

describe('an intent that is changed', () => {
  it('costs, goes to and is for what it is told before it is charged', async () => {
    const coach = await onboardedCoach(stripe);
    const customer = await stripe.customers.create({});
    const intent = await stripe.paymentIntents.create({
      amount: 49_900,
      currency: 'sek',
      application_fee_amount: 9_900,
      transfer_data: { destination: coach },
      payment_method: 'pm_card_bypassPending',
    });
    const after = await stripe.paymentIntents.update(intent.id, {
      amount: 59_900,
      application_fee_amount: 10_900,
      customer: customer.id,
      setup_future_usage: 'off_session',
      transfer_group: 'booking_2',
    });
    expect(after).toMatchObject({
      amount: 59_900,
      application_fee_amount: 10_900,
      customer: customer.id,
      setup_future_usage: 'off_session',
      transfer_group: 'booking_2',
      status: 'requires_confirmation',
    });
    expect((await stripe.paymentIntents.update(intent.id, { setup_future_usage: '' })).setup_future_usage).toBeNull();
    await stripe.paymentIntents.confirm(intent.id);
    expect(await available(coach)).toBe(49_000);
    const late = refusal(stripe.paymentIntents.update(intent.id, { amount: 100_000 }));
    expect(await late).toMatchObject({ code: 'payment_intent_unexpected_state', param: 'amount' });
    expect((await stripe.paymentIntents.update(intent.id, { description: 'Late' })).description).toBe('Late');
  });

  it('keeps to its split', async () => {
    const coach = await onboardedCoach(stripe);
    const intent = await stripe.paymentIntents.create({
      amount: 49_900,
      currency: 'sek',
      application_fee_amount: 9_900,
      transfer_data: { destination: coach },
    });
    expect((await refusal(stripe.paymentIntents.update(intent.id, { amount: 5_000 }))).param).toBe(
      'application_fee_amount',
    );
    expect((await refusal(stripe.paymentIntents.update(intent.id, { amount: 1 }))).code).toBe('amount_too_small');
    expect((await refusal(stripe.paymentIntents.update(intent.id, { customer: 'cus_none' }))).code).toBe(
      'resource_missing',
    );
  });
});

it('changes what a charge is called', async () => {
  const sale = await stripe.paymentIntents.create({
    amount: 9_900,
    currency: 'sek',
    payment_method: 'pm_card_visa',
    confirm: true,
  });
  const change = { description: 'Session', metadata: { a: 'b' }, fraud_details: { user_report: 'safe' as const } };
  expect(await stripe.charges.update(sale.latest_charge as string, change)).toMatchObject(change);
  expect((await types()).at(-1)).toBe('charge.updated');
  await stripe.charges.update(sale.latest_charge as string, { transfer_group: 'g1' });
  expect((await refusal(stripe.charges.update(sale.latest_charge as string, { transfer_group: 'g2' }))).param).toBe(
    'transfer_group',
  );
});

describe('the kinds of payment method', () => {
  const make = (more: Partial<Stripe.PaymentIntentCreateParams>) =>
    stripe.paymentIntents.create({ amount: 49_900, currency: 'sek', ...more });

  it('are narrowed by what is allowed or excluded', async () => {
    const allowed = await make({ allowed_payment_method_types: ['card'] });
    expect(allowed).toMatchObject({
      allowed_payment_method_types: ['card'],
      payment_method_types: ['card'],
      automatic_payment_methods: null,
    });
    const without = await make({ excluded_payment_method_types: ['klarna'] });
    expect(without).toMatchObject({ excluded_payment_method_types: ['klarna'], payment_method_types: ['card'] });
    expect((await refusal(make({ allowed_payment_method_types: ['swish'] }))).code).toBe('emulator_unsupported');
    expect((await refusal(make({ excluded_payment_method_types: ['card'] }))).param).toBe(
      'excluded_payment_method_types',
    );
    const both = make({ allowed_payment_method_types: ['card'], excluded_payment_method_types: ['klarna'] });
    expect((await refusal(both)).code).toBe('parameters_exclusive');
  });

  it('have no debit for SEK unless the switch says so', async () => {
    const debit = stripe.paymentMethods.create({
      type: 'sepa_debit',
      sepa_debit: { iban: 'DE89370400440532013000' },
      billing_details: { name: 'Astrid Lind', email: 'astrid@example.se' },
    });
    expect((await refusal(debit)).code).toBe('emulator_unsupported');
  });
});

describe('a debit, with the switch debitsInSek', () => {
  const debit = async (iban: string) => {
    await bench.control('POST', '/switches', { debitsInSek: true });
    const method = await stripe.paymentMethods.create({
      type: 'sepa_debit',
      sepa_debit: { iban },
      billing_details: { name: 'Astrid Lind', email: 'astrid@example.se' },
    });
    return stripe.paymentIntents.create({ amount: 49_900, currency: 'sek', payment_method: method.id, confirm: true });
  };

  it('is processing until the bank has paid', async () => {
    const intent = await debit('DE89 3704 0044 0532 0130 00');
    expect(intent).toMatchObject({ status: 'processing', amount_received: 0 });
    expect((await stripe.charges.retrieve(intent.latest_charge as string)).status).toBe('pending');
    expect((await refusal(stripe.paymentIntents.cancel(intent.id))).code).toBe('payment_intent_unexpected_state');
    await bench.advance(3 * DAY);
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
      status: 'succeeded',
      amount_received: 49_900,
    });
    expect(await types()).toEqual([
      'payment_intent.created',
      'charge.pending',
      'payment_intent.processing',
      'charge.succeeded',
      'payment_intent.succeeded',
    ]);
  });

  it('or until it has not', async () => {
    const intent = await debit('DE62370400440532013001');
    await bench.advance(3 * DAY);
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'insufficient_funds' },
    });
    expect((await types()).slice(-2)).toEqual(['charge.failed', 'payment_intent.payment_failed']);
    expect((await stripe.balanceTransactions.list()).data).toEqual([]);
  });
});
