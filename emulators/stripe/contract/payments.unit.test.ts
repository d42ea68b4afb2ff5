import type Stripe from 'stripe';
import { DAY, client, onboardedCoach, refusal, sellProgramme, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

const amounts = (part: { amount: number }[]) => part.map((each) => each.amount);

describe('a destination charge of 499 SEK with a fee of 99', () => {
  it("books what Stripe books: 185.42 less the subscription is the platform's, 400 the coach's", async () => {
    const coach = await onboardedCoach(stripe);
    const intent = await stripe.paymentIntents.create({
      amount: 49_900,
      currency: 'sek',
      application_fee_amount: 9_900,
      transfer_data: { destination: coach },
      transfer_group: 'booking_1',
      payment_method: 'pm_card_bypassPending',
      confirm: true,
      metadata: { orderId: 'o1' },
      expand: [
        'latest_charge.balance_transaction',
        'latest_charge.transfer.destination_payment',
        'latest_charge.application_fee',
      ],
    });
    expect(intent).toMatchObject({
      status: 'succeeded',
      amount_received: 49_900,
      metadata: { orderId: 'o1' },
      livemode: false,
    });
    const charge = intent.latest_charge as Stripe.Charge;
    expect(charge).toMatchObject({
      object: 'charge',
      paid: true,
      captured: true,
      status: 'succeeded',
      transfer_group: 'booking_1',
    });
    expect(charge.balance_transaction).toMatchObject({
      type: 'charge',
      amount: 49_900,
      fee: 929,
      net: 48_971,
      fee_details: [{ type: 'stripe_fee', amount: 929 }],
      status: 'available',
      source: charge.id,
    });
    const transfer = charge.transfer as Stripe.Transfer;
    const payment = transfer.destination_payment as Stripe.Charge;
    const fee = charge.application_fee as Stripe.ApplicationFee;
    expect(transfer).toMatchObject({
      amount: 49_900,
      destination: coach,
      source_transaction: charge.id,
      transfer_group: 'booking_1',
    });
    expect(payment.id).toMatch(/^py_/);
    expect(payment).toMatchObject({ amount: 49_900, source_transfer: transfer.id, application_fee: fee.id });
    expect(fee).toMatchObject({
      amount: 9_900,
      account: coach,
      charge: payment.id,
      originating_transaction: charge.id,
    });

    const platform = await stripe.balanceTransactions.list();
    expect(platform.data.map(({ type, amount, fee: cost, net }) => ({ type, amount, cost, net })).reverse()).toEqual([
      { type: 'charge', amount: 49_900, cost: 929, net: 48_971 },
      { type: 'transfer', amount: -49_900, cost: 0, net: -49_900 },
      { type: 'application_fee', amount: 9_900, cost: 0, net: 9_900 },
    ]);
    const connected = await stripe.balanceTransactions.list({ source: payment.id }, { stripeAccount: coach });
    expect(connected.data).toHaveLength(1);
    expect(connected.data[0]).toMatchObject({
      type: 'payment',
      amount: 49_900,
      fee: 9_900,
      net: 40_000,
      fee_details: [{ type: 'application_fee', amount: 9_900 }],
    });
    expect(amounts((await stripe.balance.retrieve()).available)).toEqual([8_971]);
    expect(amounts((await stripe.balance.retrieve({}, { stripeAccount: coach })).available)).toEqual([40_000]);
    expect((await stripe.charges.list({}, { stripeAccount: coach })).data.map((each) => each.id)).toEqual([payment.id]);
    expect((await refusal(stripe.charges.retrieve(payment.id))).code).toBe('resource_missing');
  });

  it('is pending for seven days with an ordinary card', async () => {
    const coach = await onboardedCoach(stripe);
    await sellProgramme(stripe, coach, 'pm_card_se');
    const before = await stripe.balance.retrieve({}, { stripeAccount: coach });
    expect([amounts(before.available), amounts(before.pending)]).toEqual([[0], [40_000]]);
    const [txn] = (await stripe.balanceTransactions.list({}, { stripeAccount: coach })).data;
    expect(txn?.status).toBe('pending');
    expect(txn!.available_on - txn!.created).toBe(7 * DAY);
    await bench.advance(7 * DAY);
    const after = await stripe.balance.retrieve({}, { stripeAccount: coach });
    expect([amounts(after.available), amounts(after.pending)]).toEqual([[40_000], [0]]);
    expect((await stripe.balanceTransactions.retrieve(txn!.id, {}, { stripeAccount: coach })).status).toBe('available');
    expect((await stripe.events.list({ type: 'balance.available' }, { stripeAccount: coach })).data).toHaveLength(1);
  });

  it('shares out an amount instead of a fee', async () => {
    const coach = await onboardedCoach(stripe);
    await stripe.paymentIntents.create({
      amount: 49_900,
      currency: 'sek',
      transfer_data: { destination: coach, amount: 40_000 },
      payment_method: 'pm_card_bypassPending',
      confirm: true,
    });
    expect(amounts((await stripe.balance.retrieve()).available)).toEqual([8_971]);
    expect(amounts((await stripe.balance.retrieve({}, { stripeAccount: coach })).available)).toEqual([40_000]);
    expect((await stripe.applicationFees.list()).data).toEqual([]);
  });

  it('has its balance transaction later when the switch says so', async () => {
    const coach = await onboardedCoach(stripe);
    await bench.control('POST', '/switches', { chargeBalanceTransactionDelaySeconds: 60 });
    const intent = await sellProgramme(stripe, coach);
    const id = intent.latest_charge as string;
    expect(await stripe.charges.retrieve(id)).toMatchObject({ balance_transaction: null, application_fee: null });
    const [first] = (await stripe.events.list({ type: 'charge.succeeded' })).data;
    expect((first!.data.object as Stripe.Charge).balance_transaction).toBeNull();
    expect(amounts((await stripe.balance.retrieve()).available)).toEqual([0]);
    await bench.advance(60);
    const charge = await stripe.charges.retrieve(id);
    expect(charge.transfer).toMatch(/^tr_/);
    const [updated] = (await stripe.events.list({ type: 'charge.updated' })).data;
    expect(updated!.data.previous_attributes).toMatchObject({ balance_transaction: null, application_fee: null });
    expect((updated!.data.object as Stripe.Charge).balance_transaction).toBe(charge.balance_transaction);
    expect(amounts((await stripe.balance.retrieve()).available)).toEqual([8_971]);
  });
});

describe('PaymentIntents', () => {
  it('go from client to client: created by the server, confirmed with the publishable key', async () => {
    const customer = await stripe.customers.create({ email: 'kund@example.se' });
    const intent = await stripe.paymentIntents.create({
      amount: 49_900,
      currency: 'sek',
      customer: customer.id,
      automatic_payment_methods: { enabled: true },
      setup_future_usage: 'off_session',
      receipt_email: 'kund@example.se',
      metadata: { secret: 'only the server' },
    });
    expect(intent).toMatchObject({ status: 'requires_payment_method', payment_method_types: ['card'] });
    const browser = client(bench.emulator.port, 'pk_test_contract');
    expect((await refusal(browser.customers.list())).statusCode).toBe(401);
    expect((await refusal(browser.paymentIntents.retrieve(intent.id))).code).toBe('parameter_missing');
    expect((await refusal(browser.paymentIntents.retrieve(intent.id, { client_secret: 'wrong' }))).code).toBe(
      'payment_intent_invalid_parameter',
    );
    const seen = await browser.paymentIntents.retrieve(intent.id, { client_secret: intent.client_secret! });
    expect(seen).not.toHaveProperty('metadata');
    expect(seen).not.toHaveProperty('customer');
    const confirmation = {
      client_secret: intent.client_secret!,
      payment_method: 'pm_card_se',
    } as Stripe.PaymentIntentConfirmParams;
    const paid = await browser.paymentIntents.confirm(intent.id, confirmation);
    expect(paid.status).toBe('succeeded');
    // The card is the customer's now, and may be charged without them.
    const [saved] = (await stripe.customers.listPaymentMethods(customer.id)).data;
    expect(saved).toMatchObject({
      id: paid.payment_method,
      customer: customer.id,
      card: { last4: '0008', country: 'SE' },
    });
    const again = await stripe.paymentIntents.create({
      amount: 9_900,
      currency: 'sek',
      customer: customer.id,
      payment_method: saved!.id,
      off_session: true,
      confirm: true,
    });
    expect(again.status).toBe('succeeded');
    expect((await refusal(stripe.paymentIntents.confirm(again.id))).code).toBe('payment_intent_unexpected_state');
  });

  it.each([
    ['pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', ''],
  ])('decline with %s', async (card, code, declineCode) => {
    const intent = await stripe.paymentIntents.create({ amount: 49_900, currency: 'sek' });
    const error = await refusal(stripe.paymentIntents.confirm(intent.id, { payment_method: card }));
    expect(error).toMatchObject({ type: 'StripeCardError', statusCode: 402, code, decline_code: declineCode });
    expect(error.payment_intent).toMatchObject({ id: intent.id, status: 'requires_payment_method' });
    const after = await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] });
    expect(after).toMatchObject({
      status: 'requires_payment_method',
      payment_method: null,
      last_payment_error: { code, type: 'card_error' },
    });
    expect(after.latest_charge).toMatchObject({
      status: 'failed',
      paid: false,
      failure_code: code,
      balance_transaction: null,
    });
    const types = (await stripe.events.list()).data.map((event) => event.type);
    expect(types).toEqual(['payment_intent.payment_failed', 'charge.failed', 'payment_intent.created']);
    expect(
      (await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })).last_payment_error,
    ).toBeNull();
  });

  it('are canceled once, and not after they succeeded', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 49_900, currency: 'sek' });
    const canceled = await stripe.paymentIntents.cancel(intent.id, { cancellation_reason: 'abandoned' });
    expect(canceled).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned' });
    expect((await refusal(stripe.paymentIntents.cancel(intent.id))).code).toBe('payment_intent_unexpected_state');
    expect((await refusal(stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' }))).code).toBe(
      'payment_intent_unexpected_state',
    );
  });

  it('keep description and metadata up to date', async () => {
    const intent = await stripe.paymentIntents.create({
      amount: 49_900,
      currency: 'sek',
      metadata: { a: '1', b: '2' },
    });
    const updated = await stripe.paymentIntents.update(intent.id, {
      description: 'Programme',
      metadata: { a: '', c: '3' },
    });
    expect(updated).toMatchObject({ description: 'Programme', metadata: { b: '2', c: '3' } });
    expect(updated.metadata).not.toHaveProperty('a');
  });

  it.each([
    [{ amount: 299, currency: 'sek' }, 'amount_too_small'],
    [{ amount: 100_000_000, currency: 'sek' }, 'amount_too_large'],
    [{ amount: 49_900, currency: 'eur' }, 'emulator_unsupported'],
    [{ amount: 49_900, currency: 'sek', customer: 'cus_none' }, 'resource_missing'],
    [{ amount: 49_900, currency: 'sek', payment_method: 'pm_card_unheardOf' }, 'resource_missing'],
    [{ amount: 49_900, currency: 'sek', transfer_data: { destination: 'acct_none' } }, 'resource_missing'],
    [{ amount: 49_900, currency: 'sek', application_fee_amount: 100 }, undefined],
    [{ amount: 49_900, currency: 'sek', off_session: true }, undefined],
    [{ amount: 49_900, currency: 'sek', payment_method_types: ['card'] }, 'payment_method_types_no_longer_supported'],
  ])('refuse %j', async (params, code) => {
    const error = await refusal(stripe.paymentIntents.create(params));
    expect(error).toMatchObject({ type: 'StripeInvalidRequestError', statusCode: 400 });
    expect(error.code).toBe(code);
    expect(error.requestId).toMatch(/^req_/);
    expect((await stripe.paymentIntents.list()).data).toEqual([]);
  });

  it('are not sent to an account whose transfers are not active', async () => {
    const { newAccount } = await import('./harness.ts');
    const account = await newAccount(stripe);
    const error = await refusal(sellProgramme(stripe, account.id));
    expect(error.code).toBe('insufficient_capabilities_for_transfer');
  });

  it('charge 500 times and read a thousand in seconds', async () => {
    const coach = await onboardedCoach(stripe);
    const started = Date.now();
    const made = await Promise.all(Array.from({ length: 500 }, () => sellProgramme(stripe, coach)));
    await Promise.all(
      made.flatMap(({ id, latest_charge: charge }) => [
        stripe.paymentIntents.retrieve(id),
        stripe.charges.retrieve(charge as string),
      ]),
    );
    expect(amounts((await stripe.balance.retrieve({}, { stripeAccount: coach })).available)).toEqual([500 * 40_000]);
    expect(Date.now() - started).toBeLessThan(15_000);
  }, 30_000);
});
