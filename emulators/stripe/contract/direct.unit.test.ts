import type Stripe from 'stripe';
import { DAY, FORM, newLink, onboardedCoach, refusal, startBench, submitForm } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

/** A store that is its own merchant, with the full dashboard. */
async function store(ours = true): Promise<string> {
  const account = await stripe.accounts.create({
    country: 'SE',
    controller: {
      fees: { payer: ours ? 'application' : 'account' },
      losses: { payments: ours ? 'application' : 'stripe' },
      stripe_dashboard: { type: 'full' },
    },
    capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
    settings: { payouts: { schedule: { interval: 'manual' } } },
  });
  await submitForm((await newLink(stripe, account.id)).url, FORM);
  return account.id;
}
const charge = (
  account: string,
  card = 'pm_card_bypassPending',
  more: Partial<Stripe.PaymentIntentCreateParams> = {},
) =>
  stripe.paymentIntents.create(
    {
      amount: 49_900,
      currency: 'sek',
      application_fee_amount: 9_900,
      payment_method: card,
      confirm: true,
      expand: ['latest_charge'],
      ...more,
    },
    { stripeAccount: account },
  );
const balance = async (account?: string) => {
  const { available, pending } = await stripe.balance.retrieve({}, account ? { stripeAccount: account } : {});
  return [available[0]?.amount, pending[0]?.amount];
};

describe('direct charges', () => {
  it('are on the account; the platform earns its fee and pays Stripe', async () => {
    const account = await store();
    const sale = await charge(account);
    const made = sale.latest_charge as Stripe.Charge;
    expect(sale.application).toMatch(/^ca_/);
    const [txn] = (await stripe.balanceTransactions.list({ source: made.id }, { stripeAccount: account })).data;
    expect(txn).toMatchObject({
      type: 'charge',
      amount: 49_900,
      fee: 9_900,
      net: 40_000,
      fee_details: [{ type: 'application_fee', amount: 9_900 }],
    });
    expect(await balance(account)).toEqual([40_000, 0]);
    // 99.00 earned, less Stripe's 9.29.
    expect(await balance()).toEqual([8_971, 0]);
    const [fee] = (await stripe.applicationFees.list({ charge: made.id })).data;
    expect(fee).toMatchObject({ id: made.application_fee, account, amount: 9_900, originating_transaction: null });
    const own = (await stripe.balanceTransactions.list({})).data.map((each) => [each.type, each.net]);
    expect(own).toEqual([
      ['application_fee', 9_900],
      ['stripe_fee', -929],
    ]);
    // The objects and the events are the account's, and the platform's own lists have none of them.
    expect((await refusal(stripe.paymentIntents.retrieve(sale.id))).statusCode).toBe(404);
    expect((await stripe.charges.list()).data).toEqual([]);
    const on = { stripeAccount: account };
    const types = (await stripe.events.list({ type: 'payment_intent.succeeded' }, on)).data;
    expect(types).toMatchObject([{ account, data: { object: { id: sale.id } } }]);
    expect((await stripe.events.list({ type: 'application_fee.created' })).data).toHaveLength(1);
  });

  it('have customers and saved cards of their own', async () => {
    const account = await store();
    const on = { stripeAccount: account };
    const customer = await stripe.customers.create({ email: 'kund@example.se' }, on);
    await stripe.paymentMethods.attach('pm_card_se', { customer: customer.id }, on);
    const [card] = (await stripe.customers.listPaymentMethods(customer.id, {}, on)).data;
    const sale = await charge(account, card!.id, { customer: customer.id, off_session: true });
    expect(sale.status).toBe('succeeded');
    expect(await balance(account)).toEqual([0, 40_000]);
    await bench.advance(7 * DAY);
    expect(await balance(account)).toEqual([40_000, 0]);
    expect((await refusal(stripe.customers.retrieve(customer.id))).statusCode).toBe(404);
    expect((await refusal(charge(account, 'pm_card_visa_chargeDeclined'))).code).toBe('card_declined');
  });

  it('are refunded by the account, with or without the fee', async () => {
    const account = await store();
    const on = { stripeAccount: account };
    const whole = await charge(account);
    await stripe.refunds.create({ payment_intent: whole.id, amount: 24_950, refund_application_fee: true }, on);
    expect(await balance(account)).toEqual([20_000, 0]);
    expect(await balance()).toEqual([4_021, 0]);
    expect((await stripe.applicationFees.list()).data[0]).toMatchObject({ amount_refunded: 4_950, refunded: false });
    const kept = await charge(account);
    await stripe.refunds.create({ payment_intent: kept.id }, on);
    expect(await balance(account)).toEqual([10_100, 0]);
    expect((await stripe.events.list({ type: 'charge.refunded' }, on)).data).toHaveLength(2);
  });

  it('bill the account where it pays its own fees', async () => {
    const account = await store(false);
    expect((await stripe.accounts.retrieve(account)).type).toBe('standard');
    const sale = await charge(account);
    const id = (sale.latest_charge as Stripe.Charge).id;
    const [txn] = (await stripe.balanceTransactions.list({ source: id }, { stripeAccount: account })).data;
    expect(txn).toMatchObject({ fee: 10_829, net: 39_071 });
    expect(txn?.fee_details.map((each) => [each.type, each.amount])).toEqual([
      ['application_fee', 9_900],
      ['stripe_fee', 929],
    ]);
    expect(await balance()).toEqual([9_900, 0]);
    expect((await refusal(stripe.accounts.createLoginLink(account))).message).toContain('Express');
    expect((await refusal(stripe.accounts.reject(account, { reason: 'other' }))).message).toContain('liable');
  });

  it('wait for the days the account chose', async () => {
    const account = await store();
    await stripe.balanceSettings.update(
      { payments: { settlement_timing: { delay_days_override: 2 } } },
      { stripeAccount: account },
    );
    await charge(account, 'pm_card_visa');
    await bench.advance(2 * DAY);
    expect(await balance(account)).toEqual([40_000, 0]);
  });

  it('are refused without the capability, and with what they have not', async () => {
    const coach = await onboardedCoach(stripe);
    expect((await refusal(charge(coach))).message).toContain('card_payments');
    const account = await store();
    const split = await refusal(charge(account, 'pm_card_visa', { transfer_data: { destination: coach } }));
    expect(split.code).toBe('emulator_unsupported');
    expect((await refusal(charge(account, 'pm_card_visa', { application_fee_amount: 49_901 }))).param).toBe(
      'application_fee_amount',
    );
    await bench.control('POST', `/accounts/${account}`, { capabilities: { card_payments: 'inactive' } });
    expect((await refusal(charge(account))).message).toContain('card_payments');
  });
});
