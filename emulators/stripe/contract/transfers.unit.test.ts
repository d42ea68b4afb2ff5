import type Stripe from 'stripe';
import { DAY, newAccount, onboardedCoach, refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

/** A session of 499 SEK paid to the platform: the coach earns it later. */
const sell = (card = 'pm_card_bypassPending', more: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({ amount: 49_900, currency: 'sek', payment_method: card, confirm: true, ...more });
const balance = async (account?: string) => {
  const { available, pending } = await stripe.balance.retrieve({}, account ? { stripeAccount: account } : {});
  return [available[0]?.amount, pending[0]?.amount];
};
const types = async () => (await stripe.events.list({ limit: 100 })).data.map((event) => event.type).reverse();

describe('separate charges and transfers', () => {
  it('send a part of a charge, at once when its money is there', async () => {
    const coach = await onboardedCoach(stripe);
    const sale = await sell('pm_card_bypassPending', { transfer_group: 'booking_1' });
    const transfer = await stripe.transfers.create({
      amount: 40_000,
      currency: 'sek',
      destination: coach,
      source_transaction: sale.latest_charge as string,
      metadata: { booking: '1' },
      expand: ['destination_payment.balance_transaction', 'balance_transaction'],
    });
    expect(transfer).toMatchObject({
      amount: 40_000,
      transfer_group: 'booking_1',
      source_transaction: sale.latest_charge,
      reversed: false,
      balance_transaction: { type: 'transfer', net: -40_000 },
      destination_payment: { source_transfer: transfer.id, balance_transaction: { type: 'payment', net: 40_000 } },
    });
    expect(await balance(coach)).toEqual([40_000, 0]);
    expect(await balance()).toEqual([8_971, 0]);
    expect(await types()).toContain('transfer.created');
    const { data } = await stripe.transfers.list({ transfer_group: 'booking_1' });
    expect(data.map((each) => each.id)).toEqual([transfer.id]);
    const updated = await stripe.transfers.update(transfer.id, { description: 'Session', metadata: { paid: 'yes' } });
    expect(updated).toMatchObject({ description: 'Session', metadata: { booking: '1', paid: 'yes' } });
    expect(await types()).toContain('transfer.updated');
  });

  it('are pending as long as the charge is', async () => {
    const coach = await onboardedCoach(stripe);
    const sale = await sell('pm_card_visa');
    await stripe.transfers.create({
      amount: 40_000,
      currency: 'sek',
      destination: coach,
      source_transaction: sale.latest_charge as string,
    });
    expect(await balance(coach)).toEqual([0, 40_000]);
    expect(await balance()).toEqual([0, 8_971]);
    await bench.advance(7 * DAY);
    expect(await balance(coach)).toEqual([40_000, 0]);
    const [available] = (await stripe.events.list({ type: 'balance.available' }, { stripeAccount: coach })).data;
    expect(available).toMatchObject({ account: coach, data: { object: { available: [{ amount: 40_000 }] } } });
  });

  it('take no more than the charge, whatever was taken back', async () => {
    const coach = await onboardedCoach(stripe);
    const charge = (await sell()).latest_charge as string;
    const send = (amount?: number) =>
      stripe.transfers.create({
        ...(amount === undefined ? {} : { amount }),
        currency: 'sek',
        destination: coach,
        source_transaction: charge,
      });
    await send(30_000);
    expect((await refusal(send(19_901))).code).toBe('transfer_source_balance_parameters_mismatch');
    expect((await send()).amount).toBe(19_900);
    expect((await refusal(send(1))).message).toContain('more than the charge');
    const other = await stripe.charges.retrieve(charge);
    expect(other.transfer_group).toBe(`group_${other.payment_intent as string}`);
  });

  it('come from the available balance without a charge, and from no more than that', async () => {
    const coach = await onboardedCoach(stripe);
    const send = (amount: number, more: Partial<Stripe.TransferCreateParams> = {}) =>
      stripe.transfers.create({ amount, currency: 'sek', destination: coach, ...more });
    await sell('pm_card_visa');
    expect((await refusal(send(100))).code).toBe('balance_insufficient');
    await sell();
    expect((await refusal(send(48_972))).code).toBe('balance_insufficient');
    expect((await send(48_971, { transfer_group: 'late' })).source_transaction).toBeNull();
    expect(await balance(coach)).toEqual([48_971, 0]);
  });

  it('are refused by name', async () => {
    const coach = await onboardedCoach(stripe);
    const restricted = await newAccount(stripe);
    const paid = await sell('pm_card_bypassPending', {
      transfer_data: { destination: coach },
      application_fee_amount: 1,
    });
    const send = (params: Partial<Stripe.TransferCreateParams>) =>
      refusal(stripe.transfers.create({ amount: 100, currency: 'sek', destination: coach, ...params }));
    expect((await send({ destination: restricted.id })).code).toBe('insufficient_capabilities_for_transfer');
    expect((await send({ destination: 'acct_none' })).code).toBe('resource_missing');
    expect((await send({ source_transaction: 'ch_none' })).code).toBe('resource_missing');
    expect((await send({ source_transaction: paid.latest_charge as string })).message).toContain('transfer_data');
    expect((await send({ currency: 'eur' })).code).toBe('emulator_unsupported');
    expect((await send({ amount: 0 })).param).toBe('amount');
    const grouped = await sell('pm_card_bypassPending', { transfer_group: 'a' });
    const charge = grouped.latest_charge as string;
    expect((await send({ source_transaction: charge, transfer_group: 'b' })).param).toBe('transfer_group');
    await bench.control('POST', `/accounts/${coach}`, { deauthorize: true });
    expect((await send({})).code).toBe('resource_missing');
  });

  it('are charged on behalf of an account that may take cards', async () => {
    const coach = await onboardedCoach(stripe);
    expect((await refusal(sell('pm_card_visa', { on_behalf_of: coach }))).param).toBe('on_behalf_of');
    await stripe.accounts.updateCapability(coach, 'card_payments', { requested: true });
    const sale = await sell('pm_card_visa', { on_behalf_of: coach, expand: ['latest_charge'] });
    expect(sale).toMatchObject({ on_behalf_of: coach, latest_charge: { on_behalf_of: coach } });
  });
});

describe('reversals', () => {
  const sent = async (amount = 40_000) => {
    const coach = await onboardedCoach(stripe);
    const source_transaction = (await sell()).latest_charge as string;
    const transfer = await stripe.transfers.create({ amount, currency: 'sek', destination: coach, source_transaction });
    return { coach, transfer };
  };

  it('take a transfer back, in parts', async () => {
    const { coach, transfer } = await sent();
    const first = await stripe.transfers.createReversal(transfer.id, { amount: 10_000, metadata: { why: 'part' } });
    expect(first).toMatchObject({ object: 'transfer_reversal', amount: 10_000, transfer: transfer.id });
    expect(await balance(coach)).toEqual([30_000, 0]);
    expect(await balance()).toEqual([18_971, 0]);
    const rest = await stripe.transfers.createReversal(transfer.id);
    expect(rest.amount).toBe(30_000);
    const after = await stripe.transfers.retrieve(transfer.id);
    expect(after).toMatchObject({ reversed: true, amount_reversed: 40_000 });
    expect(after.reversals.data.map((each) => each.id)).toEqual([rest.id, first.id]);
    const { data } = await stripe.transfers.listReversals(transfer.id, { limit: 1 });
    expect(data.map((each) => each.id)).toEqual([rest.id]);
    await stripe.transfers.updateReversal(transfer.id, first.id, { metadata: { seen: 'yes' } });
    expect((await stripe.transfers.retrieveReversal(transfer.id, first.id)).metadata).toEqual({
      why: 'part',
      seen: 'yes',
    });
    expect((await types()).filter((type) => type === 'transfer.reversed')).toHaveLength(2);
    expect((await refusal(stripe.transfers.createReversal(transfer.id))).message).toContain('already fully reversed');
    expect((await refusal(stripe.transfers.retrieveReversal('tr_none', first.id))).statusCode).toBe(404);
  });

  it('are refused when the coach no longer has the money, and nothing is done', async () => {
    const { coach, transfer } = await sent();
    await stripe.payouts.create({ amount: 30_000, currency: 'sek' }, { stripeAccount: coach });
    const error = await refusal(stripe.transfers.createReversal(transfer.id, { amount: 10_001 }));
    expect(error.code).toBe('balance_insufficient');
    expect((await stripe.transfers.retrieve(transfer.id)).amount_reversed).toBe(0);
    expect((await stripe.transfers.createReversal(transfer.id, { amount: 10_000 })).amount).toBe(10_000);
    expect(await balance(coach)).toEqual([0, 0]);
  });

  it('give the application fee of a destination charge back in proportion', async () => {
    const coach = await onboardedCoach(stripe);
    const sale = await sell('pm_card_bypassPending', {
      application_fee_amount: 9_900,
      transfer_data: { destination: coach },
      expand: ['latest_charge'],
    });
    const { transfer } = sale.latest_charge as Stripe.Charge;
    await stripe.transfers.createReversal(transfer as string, { amount: 24_950, refund_application_fee: true });
    expect(await balance(coach)).toEqual([20_000, 0]);
    const [fee] = (await stripe.applicationFees.list()).data;
    expect(fee?.amount_refunded).toBe(4_950);
  });
});
