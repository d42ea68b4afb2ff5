/** Disputes, inquiries, early fraud warnings and reviews, each brought by its test card. */
import type Stripe from 'stripe';
import { DAY, FORM, newLink, onboardedCoach, refusal, sellProgramme, startBench, submitForm } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench({ switches: { cardFundsDelaySeconds: 0 } });
  stripe = bench.stripe;
});
afterEach(() => bench.close());

const available = async (account?: string) =>
  (await stripe.balance.retrieve({}, account === undefined ? {} : { stripeAccount: account })).available[0]!.amount;
const sell = (payment_method: string) =>
  stripe.paymentIntents.create({ amount: 49_900, currency: 'sek', payment_method, confirm: true });
const types = async () => (await stripe.events.list({ limit: 50 })).data.map((event) => event.type).reverse();
async function disputed(card = 'pm_card_createDispute'): Promise<Stripe.Dispute> {
  const sale = await sell(card);
  return (await stripe.disputes.list({ payment_intent: sale.id })).data[0]!;
}

describe('a dispute', () => {
  it('takes the amount and a fee from the platform, not from the coach', async () => {
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach, 'pm_card_createDispute');
    expect((await stripe.charges.retrieve(sale.latest_charge as string)).disputed).toBe(true);
    const [dispute] = (await stripe.disputes.list({ charge: sale.latest_charge as string })).data;
    expect(dispute).toMatchObject({
      object: 'dispute',
      amount: 49_900,
      reason: 'fraudulent',
      status: 'needs_response',
      charge: sale.latest_charge,
      payment_intent: sale.id,
      is_charge_refundable: false,
      balance_transactions: [{ type: 'adjustment', amount: -49_900, fee: 22_500, reporting_category: 'dispute' }],
      evidence_details: { has_evidence: false, submission_count: 0 },
    });
    expect([await available(), await available(coach)]).toEqual([8_971 - 49_900 - 22_500, 40_000]);
    expect((await types()).slice(-3)).toEqual([
      'charge.updated',
      'charge.dispute.created',
      'charge.dispute.funds_withdrawn',
    ]);
    expect((await refusal(stripe.refunds.create({ payment_intent: sale.id }))).code).toBe('charge_disputed');
    // The platform recovers from the coach by itself.
    const charge = await stripe.charges.retrieve(sale.latest_charge as string);
    await stripe.transfers.createReversal(charge.transfer as string, { amount: 40_000 });
    expect([await available(), await available(coach)]).toEqual([8_971 - 9_900 - 22_500, 0]);
  });

  it('is won with winning_evidence: the money and the fee come back', async () => {
    const dispute = await disputed('pm_card_createDisputeProductNotReceived');
    expect(dispute.reason).toBe('product_not_received');
    const staged = await stripe.disputes.update(dispute.id, {
      evidence: { customer_name: 'Astrid Lind' },
      submit: false,
      metadata: { case: '1' },
    });
    expect(staged).toMatchObject({
      status: 'needs_response',
      evidence_details: { has_evidence: true, submission_count: 0 },
    });
    const sent = await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: 'winning_evidence' } });
    expect(sent).toMatchObject({
      status: 'under_review',
      evidence: { customer_name: 'Astrid Lind', uncategorized_text: 'winning_evidence' },
      evidence_details: { submission_count: 1, submission_method: 'manual' },
      metadata: { case: '1' },
    });
    expect((await refusal(stripe.disputes.update(dispute.id, { evidence: { receipt: 'x' } }))).message).toContain(
      'already been submitted',
    );
    await bench.advance(3_600);
    const won = await stripe.disputes.retrieve(dispute.id, { expand: ['charge'] });
    expect(won).toMatchObject({ status: 'won', charge: { disputed: true } });
    expect(won.balance_transactions.map((txn) => [txn.amount, txn.fee])).toEqual([
      [-49_900, 22_500],
      [49_900, -22_500],
    ]);
    expect(await available()).toBe(48_971);
    expect((await types()).slice(-2)).toEqual(['charge.dispute.funds_reinstated', 'charge.dispute.closed']);
  });

  it('keeps the fee of a won dispute when the switch says so, and takes another one', async () => {
    await bench.control('POST', '/switches', { disputeFee: 15_000, disputeFeeReturnedWhenWon: false });
    const dispute = await disputed();
    await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: 'winning_evidence' } });
    await bench.advance(3_600);
    expect(await available()).toBe(48_971 - 15_000);
  });

  it('is lost with losing_evidence, by giving in, and when nobody answers', async () => {
    const evidence = await disputed();
    await stripe.disputes.update(evidence.id, { evidence: { uncategorized_text: 'losing_evidence' } });
    const given = await disputed();
    expect((await stripe.disputes.close(given.id)).status).toBe('lost');
    expect((await refusal(stripe.disputes.close(given.id))).message).toContain('cannot be closed');
    const forgotten = await disputed();
    await bench.advance(14 * DAY);
    expect((await stripe.disputes.retrieve(evidence.id)).status).toBe('lost');
    expect(await stripe.disputes.retrieve(forgotten.id)).toMatchObject({
      status: 'lost',
      evidence_details: { past_due: true },
    });
    expect((await types()).filter((type) => type === 'charge.dispute.closed')).toHaveLength(3);
    expect(await available()).toBe(3 * (48_971 - 49_900 - 22_500));
  });

  it('stays under review on any other evidence', async () => {
    const dispute = await disputed();
    await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: 'They were there.' } });
    await bench.advance(30 * DAY);
    expect((await stripe.disputes.retrieve(dispute.id)).status).toBe('under_review');
  });

  it('is over what is left of a charge, and not over one that was refunded', async () => {
    await bench.control('POST', '/switches', { disputeAfterSeconds: 600, refundsWaitForFunds: false });
    const part = await sell('pm_card_createDispute');
    await stripe.refunds.create({ payment_intent: part.id, amount: 9_900 });
    const whole = await sell('pm_card_createDispute');
    await stripe.refunds.create({ payment_intent: whole.id });
    await bench.advance(600);
    expect((await stripe.disputes.list()).data.map((each) => [each.payment_intent, each.amount])).toEqual([
      [part.id, 40_000],
    ]);
  });
});

it.each([
  ['application', -49_900, -22_500],
  ['account', -72_400, 0],
] as const)(
  'over a direct charge is its account’s, with the fee for whom pays fees: %s',
  async (payer, theirs, ours) => {
    const { id: account } = await stripe.accounts.create({
      country: 'SE',
      controller: {
        fees: { payer },
        losses: { payments: payer === 'application' ? 'application' : 'stripe' },
        stripe_dashboard: { type: 'full' },
      },
      capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
      settings: { payouts: { schedule: { interval: 'manual' } } },
    });
    await submitForm((await newLink(stripe, account)).url, FORM);
    const there = { stripeAccount: account };
    await stripe.paymentIntents.create(
      { amount: 49_900, currency: 'sek', payment_method: 'pm_card_createDispute', confirm: true },
      there,
    );
    const fee = payer === 'account' ? 929 : 0;
    const [dispute] = (await stripe.disputes.list({}, there)).data;
    expect([await available(account), await available()]).toEqual([49_900 - fee + theirs, ours - (929 - fee)]);
    expect((await stripe.disputes.list()).data).toEqual([]);
    await stripe.disputes.update(dispute!.id, { evidence: { uncategorized_text: 'winning_evidence' } }, there);
    await bench.advance(3_600);
    expect([await available(account), await available()]).toEqual([49_900 - fee, -(929 - fee) + 0]);
  },
);

describe('an inquiry', () => {
  it('moves no money, and is closed by an answer or by a refund', async () => {
    const answered = await disputed('pm_card_createDisputeInquiry');
    expect(answered).toMatchObject({
      status: 'warning_needs_response',
      balance_transactions: [],
      is_charge_refundable: true,
    });
    expect(await available()).toBe(48_971);
    expect(await types()).not.toContain('charge.dispute.funds_withdrawn');
    const sent = await stripe.disputes.update(answered.id, { evidence: { uncategorized_text: 'winning_evidence' } });
    expect(sent.status).toBe('warning_under_review');
    await bench.advance(3_600);
    expect((await stripe.disputes.retrieve(answered.id)).status).toBe('warning_closed');
    const refunded = await disputed('pm_card_createDisputeInquiry');
    await stripe.refunds.create({ charge: refunded.charge as string });
    expect((await stripe.disputes.retrieve(refunded.id)).status).toBe('warning_closed');
  });

  it('becomes a dispute that takes the money', async () => {
    const inquiry = await disputed('pm_card_createDisputeInquiry');
    await stripe.disputes.update(inquiry.id, { evidence: { uncategorized_text: 'escalate_inquiry_evidence' } });
    await bench.advance(3_600);
    expect(await stripe.disputes.retrieve(inquiry.id)).toMatchObject({
      status: 'needs_response',
      is_charge_refundable: false,
      payment_method_details: { card: { case_type: 'chargeback' } },
      balance_transactions: [{ amount: -49_900 }],
    });
    expect((await types()).slice(-1)).toEqual(['charge.dispute.funds_withdrawn']);
  });
});

describe('Radar', () => {
  it('warns of fraud early, and asks for nothing once the charge is refunded', async () => {
    await sell('pm_card_visa');
    const sale = await sell('pm_card_createIssuerFraudRecord');
    const [warning] = (await stripe.radar.earlyFraudWarnings.list({ payment_intent: sale.id })).data;
    expect(warning).toMatchObject({
      object: 'radar.early_fraud_warning',
      actionable: true,
      charge: sale.latest_charge,
    });
    expect(await types()).toContain('radar.early_fraud_warning.created');
    await stripe.refunds.create({ payment_intent: sale.id, reason: 'fraudulent' });
    expect((await stripe.radar.earlyFraudWarnings.retrieve(warning!.id)).actionable).toBe(false);
    expect(await types()).toContain('radar.early_fraud_warning.updated');
  });

  it('opens a review that is approved, or closed by a refund', async () => {
    await sell('pm_card_visa');
    const sale = await sell('pm_card_riskLevelElevated');
    const [review] = (await stripe.reviews.list()).data;
    expect(review).toMatchObject({ open: true, reason: 'rule', payment_intent: sale.id });
    const shown = await stripe.paymentIntents.retrieve(sale.id, { expand: ['review', 'latest_charge'] });
    expect([(shown.review as Stripe.Review).id, (shown.latest_charge as Stripe.Charge).outcome?.risk_level]).toEqual([
      review!.id,
      'elevated',
    ]);
    expect(await stripe.reviews.approve(review!.id)).toMatchObject({ open: false, closed_reason: 'approved' });
    expect((await stripe.reviews.list()).data).toEqual([]);
    expect((await refusal(stripe.reviews.approve(review!.id))).message).toContain('already been closed');
    const other = await sell('pm_card_riskLevelElevated');
    const [open] = (await stripe.reviews.list()).data;
    await stripe.refunds.create({ payment_intent: other.id });
    expect(await stripe.reviews.retrieve(open!.id)).toMatchObject({ open: false, closed_reason: 'refunded' });
    expect((await types()).filter((type) => type.startsWith('review.'))).toEqual([
      'review.opened',
      'review.closed',
      'review.opened',
      'review.closed',
    ]);
  });
});

it('blocks a payment that is too risky, and says not to try again', async () => {
  const error = await refusal(sell('pm_card_radarBlock'));
  expect(error).toMatchObject({ code: 'card_declined', decline_code: 'fraudulent', advice_code: 'do_not_try_again' });
  const charge = await stripe.charges.retrieve(error.charge!);
  expect(charge.outcome).toMatchObject({
    type: 'blocked',
    network_status: 'not_sent_to_network',
    risk_level: 'highest',
  });
});
