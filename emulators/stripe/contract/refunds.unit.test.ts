/** Refunds: of the platform's own money, with what was shared out taken back, and those that wait or fail. */
import type Stripe from 'stripe';
import { DAY, FORM, newLink, onboardedCoach, refusal, sellProgramme, startBench, submitForm } from './harness.ts';
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
/** The platform has money of its own. */
const fill = (amount = 1_000_000) =>
  stripe.paymentIntents.create({ amount, currency: 'sek', payment_method: 'pm_card_bypassPending', confirm: true });
const since = async (id: string) =>
  (await stripe.events.list({ limit: 50, ending_before: id })).data.map((event) => event.type).reverse();
const lastEvent = async () => (await stripe.events.list({ limit: 1 })).data[0]!.id;

describe('a refund with everything taken back', () => {
  it('costs the coach his part, the platform its fee and what Stripe keeps', async () => {
    await fill();
    const coach = await onboardedCoach(stripe);
    const own = await available();
    const sale = await sellProgramme(stripe, coach);
    expect([await available(), await available(coach)]).toEqual([own + 8_971, 40_000]);
    const mark = await lastEvent();
    const refund = await stripe.refunds.create({
      payment_intent: sale.id,
      reverse_transfer: true,
      refund_application_fee: true,
      reason: 'requested_by_customer',
      metadata: { refundId: 'r1' },
      expand: ['balance_transaction', 'transfer_reversal.destination_payment_refund', 'charge.refunds'],
    });
    expect(refund).toMatchObject({
      object: 'refund',
      amount: 49_900,
      status: 'succeeded',
      reason: 'requested_by_customer',
      metadata: { refundId: 'r1' },
      payment_intent: sale.id,
      balance_transaction: { type: 'refund', amount: -49_900, fee: 0, reporting_category: 'refund' },
    });
    expect([await available(), await available(coach)]).toEqual([own - 929, 0]);
    const charge = refund.charge as Stripe.Charge;
    expect(charge).toMatchObject({ amount_refunded: 49_900, refunded: true });
    expect(charge.refunds?.data.map((each) => each.id)).toEqual([refund.id]);
    const reversal = refund.transfer_reversal as Stripe.TransferReversal;
    expect(reversal).toMatchObject({ amount: 49_900, source_refund: refund.id });
    expect(reversal.destination_payment_refund).toMatchObject({
      amount: 49_900,
      source_transfer_reversal: reversal.id,
    });
    const transfer = await stripe.transfers.retrieve(reversal.transfer as string);
    expect(transfer).toMatchObject({ amount_reversed: 49_900, reversed: true });
    const fee = await stripe.applicationFees.retrieve(charge.application_fee as string);
    expect(fee).toMatchObject({ amount_refunded: 9_900, refunded: true });
    const there = await stripe.balanceTransactions.list({ type: 'payment_refund' }, { stripeAccount: coach });
    expect(there.data[0]).toMatchObject({
      amount: -49_900,
      fee: -9_900,
      net: -40_000,
      fee_details: [{ amount: -9_900, type: 'application_fee' }],
    });
    expect((await stripe.balanceTransactions.list({ limit: 3 })).data.map((txn) => [txn.type, txn.amount])).toEqual([
      ['refund', -49_900],
      ['application_fee_refund', -9_900],
      ['transfer_refund', 49_900],
    ]);
    expect(await since(mark)).toEqual([
      'application_fee.refunded',
      'transfer.reversed',
      'refund.created',
      'charge.refunded',
    ]);
    const [event] = (await stripe.events.list({ type: 'charge.refunded' })).data;
    expect(event?.data.previous_attributes).toEqual({ amount_refunded: 0, refunded: false });
    const connected = await stripe.events.list({ limit: 2 }, { stripeAccount: coach });
    expect(connected.data.map((each) => each.type)).toEqual(['charge.refunded', 'refund.created']);
    expect((await refusal(stripe.refunds.create({ payment_intent: sale.id }))).code).toBe('charge_already_refunded');
  });

  it('gives parts that add up to the whole, whatever they are', async () => {
    await fill();
    const coach = await onboardedCoach(stripe);
    const own = await available();
    const sale = await sellProgramme(stripe, coach);
    for (const amount of [3_333, 3_334, 1]) {
      await stripe.refunds.create({
        payment_intent: sale.id,
        amount,
        reverse_transfer: true,
        refund_application_fee: true,
      });
    }
    const charge = await stripe.charges.retrieve(sale.latest_charge as string, { expand: ['application_fee'] });
    expect(charge).toMatchObject({ amount_refunded: 6_668, refunded: false });
    expect((charge.application_fee as Stripe.ApplicationFee).amount_refunded).toBe(1_323);
    const rest = { payment_intent: sale.id, reverse_transfer: true, refund_application_fee: true };
    expect((await stripe.refunds.create(rest)).amount).toBe(43_232);
    expect([await available(), await available(coach)]).toEqual([own - 929, 0]);
    expect((await stripe.refunds.list({ payment_intent: sale.id })).data).toHaveLength(4);
    expect((await stripe.refunds.list({ charge: charge.id, limit: 1 })).has_more).toBe(true);
  });

  it('takes back the share of a transfer with an amount of its own', async () => {
    await fill();
    const coach = await onboardedCoach(stripe);
    const own = await available();
    const sale = await stripe.paymentIntents.create({
      amount: 49_900,
      currency: 'sek',
      transfer_data: { destination: coach, amount: 40_000 },
      payment_method: 'pm_card_bypassPending',
      confirm: true,
    });
    await stripe.refunds.create({ charge: sale.latest_charge as string, amount: 24_950, reverse_transfer: true });
    expect([await available(), await available(coach)]).toEqual([own + 8_971 - 4_950, 20_000]);
  });
});

describe('a refund that cannot take back', () => {
  it('is an error and no refund when the coach has been paid out', async () => {
    await fill();
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach);
    await stripe.payouts.create({ amount: 30_000, currency: 'sek' }, { stripeAccount: coach });
    const before = await available();
    const mark = await lastEvent();
    const asked = { payment_intent: sale.id, reverse_transfer: true, refund_application_fee: true };
    expect(await refusal(stripe.refunds.create(asked))).toMatchObject({
      statusCode: 400,
      code: 'balance_insufficient',
    });
    expect(await since(mark)).toEqual([]);
    expect(await available()).toBe(before);
    // The way out: refund without the reversal, and book a debt.
    expect((await stripe.refunds.create({ payment_intent: sale.id })).status).toBe('succeeded');
    expect([await available(), await available(coach)]).toEqual([before - 49_900, 10_000]);
  });

  it('is refused what is not there', async () => {
    await fill();
    const own = await stripe.paymentIntents.create({
      amount: 9_900,
      currency: 'sek',
      payment_method: 'pm_card_bypassPending',
      confirm: true,
    });
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach);
    const of = (more: Stripe.RefundCreateParams) => refusal(stripe.refunds.create(more));
    expect((await of({ payment_intent: own.id, reverse_transfer: true })).param).toBe('reverse_transfer');
    expect((await of({ payment_intent: own.id, refund_application_fee: true })).param).toBe('refund_application_fee');
    expect((await of({ payment_intent: sale.id, refund_application_fee: true })).param).toBe('refund_application_fee');
    expect((await of({ payment_intent: own.id, amount: 9_901 })).message).toContain('greater than unrefunded amount');
    expect((await of({ payment_intent: own.id, amount: 0 })).param).toBe('amount');
    expect((await of({})).message).toContain('payment_intent or charge');
    expect((await of({ charge: 'ch_none' })).code).toBe('resource_missing');
    expect((await of({ payment_intent: 'pi_none' })).code).toBe('resource_missing');
    const unpaid = await stripe.paymentIntents.create({ amount: 9_900, currency: 'sek' });
    expect((await of({ payment_intent: unpaid.id })).code).toBe('payment_intent_unexpected_state');
  });
});

describe('money that is not there yet', () => {
  it('takes back pending money while the payment itself is pending', async () => {
    await fill(100_000);
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach, 'pm_card_visa');
    const refund = await stripe.refunds.create({
      payment_intent: sale.id,
      amount: 10_000,
      reverse_transfer: true,
      refund_application_fee: true,
    });
    expect(refund.status).toBe('succeeded');
    const balance = await stripe.balance.retrieve({}, { stripeAccount: coach });
    expect([balance.available[0]!.amount, balance.pending[0]!.amount]).toEqual([0, 31_984]);
    await bench.advance(7 * DAY);
    expect(await available(coach)).toBe(31_984);
  });

  it('waits for it, and is made when it comes', async () => {
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach);
    const refund = await stripe.refunds.create({ payment_intent: sale.id });
    expect(refund).toMatchObject({
      status: 'pending',
      pending_reason: 'insufficient_funds',
      balance_transaction: null,
    });
    expect(await available()).toBe(8_971);
    const mark = await lastEvent();
    await fill(50_000);
    const done = await stripe.refunds.retrieve(refund.id);
    expect([done.status, typeof done.balance_transaction, done.pending_reason]).toEqual([
      'succeeded',
      'string',
      undefined,
    ]);
    expect((await since(mark)).slice(-2)).toEqual(['refund.updated', 'charge.refund.updated']);
    expect(await available()).toBe(8_971 + 50_000 - 930 - 49_900);
  });

  it('is made with money of any kind: a reversal, too', async () => {
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach);
    const first = await stripe.refunds.create({ payment_intent: sale.id, amount: 30_000 });
    const second = await stripe.refunds.create({ payment_intent: sale.id, amount: 5_000 });
    expect([first.status, second.status]).toEqual(['pending', 'succeeded']);
    const { transfer } = await stripe.charges.retrieve(sale.latest_charge as string);
    await stripe.transfers.createReversal(transfer as string, { amount: 30_000 });
    expect((await stripe.refunds.retrieve(first.id)).status).toBe('succeeded');
    expect(await available()).toBe(8_971 + 30_000 - 35_000);
  });

  it('is given up while it waits, and asked for again', async () => {
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach);
    const refund = await stripe.refunds.create({ payment_intent: sale.id });
    expect((await stripe.refunds.cancel(refund.id)).status).toBe('canceled');
    const charge = await stripe.charges.retrieve(sale.latest_charge as string);
    expect(charge).toMatchObject({ amount_refunded: 0, refunded: false });
    await fill();
    const again = await stripe.refunds.create({ payment_intent: sale.id });
    expect(again.status).toBe('succeeded');
    expect((await refusal(stripe.refunds.cancel(again.id))).message).toContain('cannot cancel');
  });

  it('goes below zero instead when the switch says so', async () => {
    await bench.control('POST', '/switches', { refundsWaitForFunds: false });
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach);
    expect((await stripe.refunds.create({ payment_intent: sale.id })).status).toBe('succeeded');
    expect(await available()).toBe(8_971 - 49_900);
  });

  it('books a charge first whose booking was delayed', async () => {
    await fill();
    await bench.control('POST', '/switches', { chargeBalanceTransactionDelaySeconds: 600 });
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach);
    expect((await stripe.charges.retrieve(sale.latest_charge as string)).balance_transaction).toBeNull();
    const back = { reverse_transfer: true, refund_application_fee: true };
    const refund = await stripe.refunds.create({ payment_intent: sale.id, ...back });
    expect(refund.status).toBe('succeeded');
    await bench.advance(600);
    const booked = await stripe.balanceTransactions.list({ source: sale.latest_charge as string });
    expect(booked.data).toHaveLength(1);
  });
});

describe('the test cards of refunds', () => {
  const sell = (payment_method: string) =>
    stripe.paymentIntents.create({ amount: 49_900, currency: 'sek', payment_method, confirm: true });

  it('pendingRefund succeeds later', async () => {
    await fill();
    const refund = await stripe.refunds.create({ payment_intent: (await sell('pm_card_pendingRefund')).id });
    expect(refund).toMatchObject({ status: 'pending', pending_reason: 'processing' });
    expect(refund.balance_transaction).not.toBeNull();
    await bench.advance(DAY);
    const done = await stripe.refunds.retrieve(refund.id);
    expect([done.status, done.pending_reason]).toEqual(['succeeded', undefined]);
  });

  it('refundFail succeeds, fails later, and gives the money back', async () => {
    await fill();
    const sale = await sell('pm_card_refundFail');
    const before = await available();
    const refund = await stripe.refunds.create({ payment_intent: sale.id });
    expect(refund.status).toBe('succeeded');
    await bench.advance(7 * DAY);
    const failed = await stripe.refunds.retrieve(refund.id, { expand: ['failure_balance_transaction'] });
    expect(failed).toMatchObject({
      status: 'failed',
      failure_reason: 'expired_or_canceled_card',
      failure_balance_transaction: { type: 'refund_failure', amount: 49_900, source: refund.id },
    });
    expect(await available()).toBe(before + 48_971);
    expect(await stripe.charges.retrieve(sale.latest_charge as string)).toMatchObject({
      amount_refunded: 0,
      refunded: false,
    });
    const told = (await stripe.events.list({ limit: 50 })).data.map((event) => event.type);
    for (const type of ['refund.failed', 'refund.updated', 'charge.refund.updated']) expect(told).toContain(type);
  });
});

describe('a direct charge', () => {
  it('is refunded by its account, and the fee comes back with it', async () => {
    const { id: account } = await stripe.accounts.create({
      country: 'SE',
      controller: {
        fees: { payer: 'application' },
        losses: { payments: 'application' },
        stripe_dashboard: { type: 'full' },
      },
      capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
      settings: { payouts: { schedule: { interval: 'manual' } } },
    });
    await submitForm((await newLink(stripe, account)).url, FORM);
    await fill();
    const there = { stripeAccount: account };
    const sale = await stripe.paymentIntents.create(
      {
        amount: 49_900,
        currency: 'sek',
        application_fee_amount: 9_900,
        payment_method: 'pm_card_bypassPending',
        confirm: true,
      },
      there,
    );
    const own = await available();
    const half = { payment_intent: sale.id, amount: 24_950, expand: ['balance_transaction'] };
    const refund = await stripe.refunds.create({ ...half, refund_application_fee: true }, there);
    expect(refund).toMatchObject({
      status: 'succeeded',
      balance_transaction: { amount: -24_950, fee: -4_950, net: -20_000 },
    });
    expect([await available(), await available(account)]).toEqual([own - 4_950, 20_000]);
    expect((await refusal(stripe.refunds.retrieve(refund.id))).statusCode).toBe(404);
    // Without the fee the account has not enough, and the refund waits.
    expect((await stripe.refunds.create({ payment_intent: sale.id }, there)).status).toBe('pending');
  });
});

it('keeps metadata that is changed, and the same answer under the same key', async () => {
  await fill();
  const sale = await fill(50_000);
  const once = await stripe.refunds.create({ payment_intent: sale.id, amount: 100 }, { idempotencyKey: 'r1' });
  const again = await stripe.refunds.create({ payment_intent: sale.id, amount: 100 }, { idempotencyKey: 'r1' });
  expect(again.id).toBe(once.id);
  expect((await stripe.refunds.update(once.id, { metadata: { a: 'b' } })).metadata).toEqual({ a: 'b' });
  expect((await refusal(stripe.refunds.retrieve('re_none'))).statusCode).toBe(404);
});

it('expands in a list that is empty', async () => {
  expect((await stripe.refunds.list({ expand: ['data.charge'] })).data).toEqual([]);
});
