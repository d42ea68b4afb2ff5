/** A subscription's life on a test clock: renewals, failures and retries, trials, endings. */
import type Stripe from 'stripe';
import { at, billing, period, START, told } from './billing-bench.ts';
import type { Billing } from './billing-bench.ts';
import { DAY, onboardedCoach, refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
let b: Billing;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
  b = await billing(bench);
});
afterEach(() => bench.close());

const subscribe = (more: Partial<Stripe.SubscriptionCreateParams> = {}) =>
  stripe.subscriptions.create({ customer: b.customer.id, items: [{ price: b.price.id }], ...more });
const get = (id: string) => stripe.subscriptions.retrieve(id);
const invoices = async (subscription: string) => (await stripe.invoices.list({ subscription })).data;

describe('a test clock', () => {
  it('gives its customers its time, advances, and takes them with it', async () => {
    expect(b.customer).toMatchObject({ created: START, test_clock: b.clock });
    const advancing = await stripe.testHelpers.testClocks.advance(b.clock, { frozen_time: START + DAY });
    expect(advancing).toMatchObject({ status: 'advancing', frozen_time: START });
    const ready = await stripe.testHelpers.testClocks.retrieve(b.clock);
    expect(ready).toMatchObject({ status: 'ready', frozen_time: START + DAY });
    expect((await refusal(stripe.testHelpers.testClocks.advance(b.clock, { frozen_time: START }))).param).toBe(
      'frozen_time',
    );
    expect((await stripe.testHelpers.testClocks.list()).data.map((each) => each.id)).toEqual([b.clock]);
    expect((await stripe.customers.list({ test_clock: b.clock })).data).toHaveLength(1);
    const { id } = await subscribe();
    await stripe.testHelpers.testClocks.del(b.clock);
    expect((await refusal(stripe.customers.retrieve(b.customer.id))).statusCode).toBe(404);
    expect((await get(id)).status).toBe('canceled');
    expect(await told(stripe)).toEqual(
      expect.arrayContaining(
        ['created', 'advancing', 'ready', 'deleted'].map((what) => `test_helpers.test_clock.${what}`),
      ),
    );
  });

  it('moves by at most two intervals of the shortest subscription', async () => {
    await subscribe();
    const far = stripe.testHelpers.testClocks.advance(b.clock, { frozen_time: at('2026-04-02T00:00:00') });
    expect((await refusal(far)).message).toContain('two intervals');
    await stripe.testHelpers.testClocks.advance(b.clock, { frozen_time: at('2026-03-31T10:00:00') });
  });
});

describe('renewal', () => {
  it('comes month after month: a draft for an hour, then paid; the 31st comes back to the 31st', async () => {
    const made = await subscribe({ metadata: { uid: 'u1' } });
    expect(made.status).toBe('active');
    expect(period(made)).toEqual([START, at('2026-02-28T10:00:00')]);
    await b.until(at('2026-02-21T10:00:00'));
    const [upcoming] = (await stripe.events.list({ type: 'invoice.upcoming' })).data;
    expect(upcoming?.data.object).toMatchObject({ amount_due: 9_900, billing_reason: 'upcoming' });
    await b.until(at('2026-02-28T10:00:00'));
    const renewed = await get(made.id);
    expect(period(renewed)).toEqual([at('2026-02-28T10:00:00'), at('2026-03-31T10:00:00')]);
    const draft = await stripe.invoices.retrieve(renewed.latest_invoice as string);
    expect(draft).toMatchObject({
      status: 'draft',
      billing_reason: 'subscription_cycle',
      created: at('2026-02-28T10:00:00'),
      number: null,
      test_clock: b.clock,
    });
    await b.until(at('2026-02-28T11:00:00'));
    const paid = await stripe.invoices.retrieve(draft.id, { expand: ['payments.data.payment.payment_intent'] });
    expect(paid).toMatchObject({ status: 'paid', amount_paid: 9_900, attempt_count: 1 });
    expect(paid.number).toMatch(/-0002$/);
    expect((paid.payments!.data[0]!.payment.payment_intent as Stripe.PaymentIntent).status).toBe('succeeded');
    await b.until(at('2026-05-01T00:00:00'));
    expect((await invoices(made.id)).map((each) => each.status)).toEqual(['paid', 'paid', 'paid', 'paid']);
    expect((await stripe.balance.retrieve()).available[0]?.amount).toBe(4 * (9_900 - 329));
    const updates = await stripe.events.list({ type: 'customer.subscription.updated' });
    expect(updates.data[0]?.data.previous_attributes).toHaveProperty('items');
  });

  it("comes by the emulator's own clock for a customer of none", async () => {
    const customer = await stripe.customers.create({ email: 'x@example.se', payment_method: 'pm_card_visa' });
    const [method] = (await stripe.paymentMethods.list({ customer: customer.id })).data;
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      default_payment_method: method!.id,
      items: [{ price: b.price.id }],
    });
    await bench.advance(32 * DAY);
    expect((await invoices(id)).map((each) => each.status)).toEqual(['paid', 'paid']);
  });

  it('shares each invoice with a coach by percent', async () => {
    const coach = await onboardedCoach(stripe);
    await subscribe({ transfer_data: { destination: coach, amount_percent: 80 } });
    await b.until(at('2026-03-01T00:00:00'));
    const transfers = await stripe.transfers.list({ destination: coach });
    expect(transfers.data.map((each) => each.amount)).toEqual([7_920, 7_920]);
    const other = subscribe({ transfer_data: { destination: coach, amount_percent: 80.123 } });
    expect((await refusal(other)).param).toBe('transfer_data[amount_percent]');
    const fee = await subscribe({ transfer_data: { destination: coach }, application_fee_percent: 20 });
    expect(fee.application_fee_percent).toBe(20);
    expect((await stripe.applicationFees.list()).data[0]?.amount).toBe(1_980);
    await bench.control('POST', '/switches', { applicationFeePercentOnPlatform: false });
    const refused = subscribe({ transfer_data: { destination: coach }, application_fee_percent: 20 });
    expect((await refusal(refused)).param).toBe('application_fee_percent');
  });
});

describe('a payment that fails', () => {
  const failing = async () => {
    const made = await subscribe();
    const bad = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: b.customer.id });
    await stripe.customers.update(b.customer.id, { invoice_settings: { default_payment_method: bad.id } });
    await b.until(at('2026-02-28T11:00:00'));
    return made.id;
  };

  it('is tried again after 3, 5 and 7 days, and then the subscription is canceled', async () => {
    const id = await failing();
    const behind = await get(id);
    expect(behind.status).toBe('past_due');
    const invoice = behind.latest_invoice as string;
    const first = at('2026-02-28T11:00:00');
    const attempts: [number, number | null][] = [];
    for (const after of [0, 3, 8, 15]) {
      await b.until(first + after * DAY);
      const { attempt_count, next_payment_attempt } = await stripe.invoices.retrieve(invoice);
      attempts.push([attempt_count, next_payment_attempt]);
    }
    expect(attempts).toEqual([
      [1, first + 3 * DAY],
      [2, first + 8 * DAY],
      [3, first + 15 * DAY],
      [4, null],
    ]);
    expect(await get(id)).toMatchObject({ status: 'canceled', cancellation_details: { reason: 'payment_failed' } });
    expect(await stripe.invoices.retrieve(invoice)).toMatchObject({ status: 'open', auto_advance: false });
    expect((await told(stripe)).filter((type) => type === 'invoice.payment_failed')).toHaveLength(4);
  });

  it('is mended by a new card at the next retry, or by paying the invoice', async () => {
    const id = await failing();
    const invoice = (await get(id)).latest_invoice as string;
    const declined = await refusal(stripe.invoices.pay(invoice));
    expect([declined.statusCode, declined.code]).toEqual([402, 'card_declined']);
    await stripe.invoices.pay(invoice, { payment_method: b.card });
    expect((await get(id)).status).toBe('active');
    expect((await refusal(stripe.invoices.pay(invoice))).code).toBe('invoice_already_paid');
  });

  it.each(['unpaid', 'past_due'] as const)('ends %s where the switch says so', async (after) => {
    await bench.control('POST', '/switches', { subscriptionAfterRetries: after });
    const id = await failing();
    await b.until(at('2026-04-01T00:00:00'));
    expect((await get(id)).status).toBe(after);
    const [latest] = await invoices(id);
    expect(latest?.status).toBe(after === 'unpaid' ? 'draft' : 'open');
  });

  it('asks for authentication when the bank wants it', async () => {
    await subscribe();
    const card = await stripe.paymentMethods.attach('pm_card_authenticationRequired', { customer: b.customer.id });
    await stripe.customers.update(b.customer.id, { invoice_settings: { default_payment_method: card.id } });
    await b.until(at('2026-02-28T11:00:00'));
    expect(await told(stripe)).toContain('invoice.payment_action_required');
  });
});

describe('the first payment', () => {
  const decline = async () => {
    const bad = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: b.customer.id });
    return { default_payment_method: bad.id };
  };

  it('leaves the subscription incomplete by default, and refuses it with error_if_incomplete', async () => {
    const incomplete = await subscribe(await decline());
    expect(incomplete.status).toBe('incomplete');
    const before = (await stripe.subscriptions.list({ status: 'all' })).data.length;
    const error = await refusal(subscribe({ ...(await decline()), payment_behavior: 'error_if_incomplete' }));
    expect([error.statusCode, error.code]).toEqual([402, 'card_declined']);
    expect((await stripe.subscriptions.list({ status: 'all' })).data).toHaveLength(before);
    await b.until(START + DAY);
    expect((await get(incomplete.id)).status).toBe('incomplete_expired');
  });

  it('is sent as an invoice with days to pay', async () => {
    const sent = await subscribe({ collection_method: 'send_invoice', days_until_due: 10 });
    expect(sent.status).toBe('active');
    await b.until(START + 3_600);
    const invoice = await stripe.invoices.retrieve(sent.latest_invoice as string);
    expect(invoice).toMatchObject({ status: 'open', due_date: START + 3_600 + 10 * DAY });
    await b.until(START + 11 * DAY);
    expect(await told(stripe)).toEqual(expect.arrayContaining(['invoice.sent', 'invoice.overdue']));
    expect((await get(sent.id)).status).toBe('past_due');
    await stripe.invoices.pay(invoice.id, { paid_out_of_band: true });
    expect((await get(sent.id)).status).toBe('active');
    expect((await refusal(subscribe({ collection_method: 'send_invoice' }))).param).toBe('days_until_due');
  });
});

describe('a trial', () => {
  it('costs nothing, is announced three days before its end, and is then billed', async () => {
    const trial = await subscribe({ trial_period_days: 14 });
    const end = START + 14 * DAY;
    expect(trial).toMatchObject({ status: 'trialing', trial_start: START, trial_end: end });
    expect(await stripe.invoices.retrieve(trial.latest_invoice as string)).toMatchObject({ total: 0, status: 'paid' });
    await b.until(end - 3 * DAY);
    expect(await told(stripe)).toContain('customer.subscription.trial_will_end');
    await b.until(end + 3_600);
    const billed = await get(trial.id);
    expect(billed).toMatchObject({ status: 'active', billing_cycle_anchor: end });
    expect(await stripe.invoices.retrieve(billed.latest_invoice as string)).toMatchObject({
      status: 'paid',
      total: 9_900,
    });
  });

  it('asks for a card with a SetupIntent where the first payment is left to the customer', async () => {
    const customer = await stripe.customers.create({ test_clock: b.clock });
    const waits = { payment_behavior: 'default_incomplete', trial_period_days: 14, customer: customer.id } as const;
    const trial = await subscribe({ ...waits, expand: ['pending_setup_intent'] });
    const setup = trial.pending_setup_intent as Stripe.SetupIntent;
    expect(setup).toMatchObject({ status: 'requires_payment_method', customer: customer.id, usage: 'off_session' });
    await stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_visa' });
    expect(await get(trial.id)).toMatchObject({ pending_setup_intent: null, default_payment_method: null });
    expect((await subscribe({ ...waits, customer: b.customer.id })).pending_setup_intent).toBeNull();
  });

  it('is ended at once or put off', async () => {
    const trial = await subscribe({ trial_period_days: 14 });
    const longer = await stripe.subscriptions.update(trial.id, { trial_end: START + 20 * DAY });
    expect(period(longer)[1]).toBe(START + 20 * DAY);
    const ended = await stripe.subscriptions.update(trial.id, { trial_end: 'now' });
    expect(ended).toMatchObject({ status: 'active', trial_end: START });
    expect((await stripe.balance.retrieve()).available[0]?.amount).toBe(9_571);
  });

  it('without a card pauses and is resumed, or is canceled', async () => {
    const customer = await stripe.customers.create({ test_clock: b.clock });
    const trial = (missing_payment_method: 'cancel' | 'pause') =>
      stripe.subscriptions.create({
        customer: customer.id,
        items: [{ price: b.price.id }],
        trial_period_days: 1,
        trial_settings: { end_behavior: { missing_payment_method } },
      });
    const [paused, canceled] = [await trial('pause'), await trial('cancel')];
    await b.until(START + DAY);
    expect((await get(canceled.id)).status).toBe('canceled');
    expect((await get(paused.id)).status).toBe('paused');
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id });
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: card.id } });
    expect(await stripe.subscriptions.resume(paused.id)).toMatchObject({ status: 'active' });
    expect((await refusal(stripe.subscriptions.resume(paused.id))).message).toContain('not paused');
    expect(await told(stripe)).toEqual(
      expect.arrayContaining(['customer.subscription.paused', 'customer.subscription.resumed']),
    );
  });
});

describe('the end', () => {
  it('comes with the period, unless it is taken back', async () => {
    const [kept, left] = [await subscribe(), await subscribe()];
    for (const { id } of [kept, left]) {
      const leaving = await stripe.subscriptions.update(id, { cancel_at_period_end: true });
      expect(leaving).toMatchObject({ status: 'active', cancel_at: at('2026-02-28T10:00:00'), canceled_at: START });
    }
    const back = await stripe.subscriptions.update(kept.id, { cancel_at_period_end: false });
    expect(back).toMatchObject({ cancel_at: null, canceled_at: null });
    await b.until(at('2026-03-01T00:00:00'));
    expect((await get(kept.id)).status).toBe('active');
    expect(await get(left.id)).toMatchObject({ status: 'canceled', ended_at: at('2026-02-28T10:00:00') });
    expect(await invoices(left.id)).toHaveLength(1);
  });

  it('comes at a moment, or at once with what was not used as a credit', async () => {
    const later = await subscribe({ cancel_at: START + 5 * DAY });
    const now = await subscribe();
    await b.until(START + 14 * DAY);
    expect(await get(later.id)).toMatchObject({ status: 'canceled', ended_at: START + 5 * DAY });
    await stripe.subscriptions.cancel(now.id, {
      prorate: true,
      invoice_now: true,
      cancellation_details: { comment: 'x' },
    });
    const [final] = await invoices(now.id);
    expect(final).toMatchObject({ status: 'paid', total: -4_950, amount_due: 0, ending_balance: -4_950 });
    expect((await stripe.customers.retrieve(b.customer.id)) as Stripe.Customer).toMatchObject({ balance: -4_950 });
    expect((await refusal(stripe.subscriptions.update(now.id, { cancel_at_period_end: true }))).message).toContain(
      'canceled',
    );
  });
});
