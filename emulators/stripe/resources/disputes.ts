/** Disputes and inquiries: opened by a test card, answered with evidence, decided by the bank when the clock says so. */
import type Stripe from 'stripe';
import { post } from '../core/balance.ts';
import { StripeFailure, badParam, missing, refused } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { inRange, page } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import { isPlatform } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { settleLate } from './charges.ts';
import { payerOf } from './direct.ts';

/** How long there is to answer. The bank's own time differs; 14 days is the emulator's. */
const ANSWER_SECONDS = 14 * 86_400;

export const EVIDENCE_TEXTS = [
  'access_activity_log',
  'billing_address',
  'cancellation_policy',
  'cancellation_policy_disclosure',
  'cancellation_rebuttal',
  'customer_communication',
  'customer_email_address',
  'customer_name',
  'customer_purchase_ip',
  'customer_signature',
  'duplicate_charge_documentation',
  'duplicate_charge_explanation',
  'duplicate_charge_id',
  'product_description',
  'receipt',
  'refund_policy',
  'refund_policy_disclosure',
  'refund_refusal_explanation',
  'service_date',
  'service_documentation',
  'shipping_address',
  'shipping_carrier',
  'shipping_date',
  'shipping_documentation',
  'shipping_tracking_number',
  'uncategorized_file',
  'uncategorized_text',
] as const satisfies readonly (keyof Stripe.DisputeUpdateParams.Evidence)[];
type Text = (typeof EVIDENCE_TEXTS)[number];

const noEvidence = (): Stripe.Dispute.Evidence => ({
  ...(Object.fromEntries(EVIDENCE_TEXTS.map((name) => [name, null])) as Record<Text, null>),
  enhanced_evidence: {},
});

const OPEN = ['needs_response', 'warning_needs_response'];
const isInquiry = (dispute: Stripe.Dispute): boolean => dispute.status.startsWith('warning_');
const ofCharge = (book: Book, id: string) => [...book.disputes.walk({ group: id })];

/** Opens a dispute over what is left of a charge. An inquiry moves no money. */
export function openDispute(
  world: World,
  book: Book,
  before: Stripe.Charge,
  what: { reason: string; inquiry: boolean },
): void {
  settleLate(world, book, before.id);
  const id = world.ids.next('du');
  const brand = before.payment_method_details?.card?.brand ?? 'visa';
  const code = what.reason === 'fraudulent' ? '10.4' : '13.1';
  const opened: Stripe.Dispute = {
    id,
    object: 'dispute',
    amount: before.amount - before.amount_refunded,
    balance_transactions: [],
    charge: before.id,
    created: world.now,
    currency: before.currency,
    enhanced_eligibility_types: [],
    evidence: noEvidence(),
    evidence_details: {
      due_by: world.now + ANSWER_SECONDS,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: what.inquiry,
    livemode: false,
    metadata: {},
    network_reason_code: code,
    payment_intent: before.payment_intent,
    payment_method_details: {
      card: {
        brand,
        case_type: what.inquiry ? 'inquiry' : 'chargeback',
        network: brand,
        network_reason_code: code,
      },
      type: 'card',
    },
    reason: what.reason,
    status: what.inquiry ? 'warning_needs_response' : 'needs_response',
  };
  book.disputes.add(opened);
  const charge = book.charges.get(before.id)!;
  emitChange(world, book, 'charge.updated', charge, book.charges.update(charge.id, { disputed: true }));
  const dispute = what.inquiry ? opened : withdraw(world, book, opened);
  emit(world, book, 'charge.dispute.created', dispute);
  if (!what.inquiry) emit(world, book, 'charge.dispute.funds_withdrawn', dispute);
  world.timers.add({ at: world.now + ANSWER_SECONDS, kind: 'dispute_overdue', account: book.account, id });
}

const feeDetail = (amount: number, currency: string): Stripe.BalanceTransaction.FeeDetail[] =>
  amount === 0 ? [] : [{ amount, application: null, currency, description: 'Dispute fee', type: 'stripe_fee' }];

/** Of a direct charge the dispute's fee is the platform's where it pays Stripe's fees: a movement of its own. */
const platformPays = (world: World, book: Book): boolean =>
  !isPlatform(world, book) && payerOf(world, book) === 'application';

function bill(world: World, dispute: Stripe.Dispute, amount: number): void {
  if (amount === 0) return;
  post(world, world.platform, {
    type: 'stripe_fee',
    reportingCategory: 'fee',
    amount,
    currency: dispute.currency,
    source: dispute.id,
    availableOn: world.now,
    description: `Dispute fee of ${dispute.charge as string}`,
  });
}

function withdraw(world: World, book: Book, dispute: Stripe.Dispute): Stripe.Dispute {
  const elsewhere = platformPays(world, book);
  const fee = elsewhere ? 0 : world.switches.disputeFee;
  if (elsewhere) bill(world, dispute, 0 - world.switches.disputeFee);
  const txn = post(world, book, {
    type: 'adjustment',
    reportingCategory: 'dispute',
    amount: -dispute.amount,
    fee,
    feeDetails: feeDetail(fee, dispute.currency),
    currency: dispute.currency,
    source: dispute.id,
    availableOn: world.now,
    description: `Chargeback withdrawal for ${dispute.charge as string}`,
  });
  return book.disputes.update(dispute.id, { balance_transactions: [...dispute.balance_transactions, txn] });
}

function reinstate(world: World, book: Book, dispute: Stripe.Dispute): Stripe.Dispute {
  const returned = world.switches.disputeFeeReturnedWhenWon;
  const fee = returned ? 0 - (dispute.balance_transactions[0]?.fee ?? 0) : 0;
  if (returned && platformPays(world, book)) {
    const [billed] = [...world.platform.balanceTransactions.walk({ group: dispute.id })];
    if (billed) bill(world, dispute, 0 - billed.amount);
  }
  const txn = post(world, book, {
    type: 'adjustment',
    reportingCategory: 'dispute_reversal',
    amount: dispute.amount,
    fee,
    feeDetails: feeDetail(fee, dispute.currency),
    currency: dispute.currency,
    source: dispute.id,
    availableOn: world.now,
    description: `Chargeback reversal for ${dispute.charge as string}`,
  });
  return book.disputes.update(dispute.id, { balance_transactions: [...dispute.balance_transactions, txn] });
}

function close(
  world: World,
  book: Book,
  before: Stripe.Dispute,
  status: 'won' | 'lost' | 'warning_closed',
): Stripe.Dispute {
  const decided = book.disputes.update(before.id, { status, is_charge_refundable: status !== 'lost' });
  const after = status === 'won' ? reinstate(world, book, decided) : decided;
  if (status === 'won') emit(world, book, 'charge.dispute.funds_reinstated', after);
  emit(world, book, 'charge.dispute.closed', after);
  return after;
}

/** The bank decides on what was submitted, as Stripe's test texts say; on anything else it takes its time for ever. */
export function disputeCloses(world: World, book: Book, id: string): void {
  const dispute = book.disputes.get(id);
  if (!dispute?.status.endsWith('under_review')) return;
  const inquiry = isInquiry(dispute);
  const text = dispute.evidence.uncategorized_text;
  if (text === 'winning_evidence') close(world, book, dispute, inquiry ? 'warning_closed' : 'won');
  else if (text === 'losing_evidence') close(world, book, dispute, inquiry ? 'warning_closed' : 'lost');
  else if (text === 'escalate_inquiry_evidence' && inquiry) escalate(world, book, dispute);
}

/** The bank is not content with the answer to its inquiry: it becomes a dispute, and takes the money. */
function escalate(world: World, book: Book, before: Stripe.Dispute): void {
  const details = before.payment_method_details;
  const due = world.now + ANSWER_SECONDS;
  const opened = book.disputes.update(before.id, {
    status: 'needs_response',
    is_charge_refundable: false,
    evidence: noEvidence(),
    evidence_details: { ...before.evidence_details, due_by: due, has_evidence: false },
    ...(details?.card
      ? { payment_method_details: { ...details, card: { ...details.card, case_type: 'chargeback' } } }
      : {}),
  });
  const after = withdraw(world, book, opened);
  emitChange(world, book, 'charge.dispute.updated', before, after);
  emit(world, book, 'charge.dispute.funds_withdrawn', after);
  world.timers.add({ at: due, kind: 'dispute_overdue', account: book.account, id: after.id });
}

/** Nobody answered in time. */
export function disputeOverdue(world: World, book: Book, id: string): void {
  const dispute = book.disputes.get(id)!;
  if (!OPEN.includes(dispute.status) || (dispute.evidence_details.due_by ?? 0) > world.now) return;
  const late = book.disputes.update(id, { evidence_details: { ...dispute.evidence_details, past_due: true } });
  close(world, book, late, isInquiry(dispute) ? 'warning_closed' : 'lost');
}

/** An inquiry over a charge that was wholly refunded is over. */
export function inquiryRefunded(world: World, book: Book, charge: Stripe.Charge): void {
  for (const dispute of ofCharge(book, charge.id)) {
    if (isInquiry(dispute) && dispute.status !== 'warning_closed') close(world, book, dispute, 'warning_closed');
  }
}

/** A charge whose dispute has its money cannot be refunded as well. */
export function requireRefundable(book: Book, charge: Stripe.Charge): void {
  if (ofCharge(book, charge.id).every((dispute) => dispute.is_charge_refundable)) return;
  throw refused(`Charge ${charge.id} has been charged back; cannot issue a refund.`, 'charge_disputed');
}

function disputeNamed(book: Book, id: string): Stripe.Dispute {
  const dispute = book.disputes.get(id);
  if (!dispute) throw missing('dispute', id, 'dispute', 404);
  return dispute;
}

export const retrieveDispute = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) => disputeNamed(book, id);

export const listDisputes = (_: World, book: Book, params: Stripe.DisputeListParams) =>
  page(
    book.disputes,
    '/v1/disputes',
    params,
    (dispute) =>
      inRange(dispute.created, params.created) &&
      (params.payment_intent === undefined || dispute.payment_intent === params.payment_intent),
    params.charge,
  );

/** Stages evidence, and submits it unless `submit` is false. It is submitted once. */
export function updateDispute(
  world: World,
  book: Book,
  params: Stripe.DisputeUpdateParams,
  [id = '']: string[],
): Stripe.Dispute {
  const before = disputeNamed(book, id);
  const submits = params.submit ?? params.evidence !== undefined;
  if ((submits || params.evidence !== undefined) && !OPEN.includes(before.status)) {
    throw new StripeFailure(400, {
      type: 'invalid_request_error',
      message:
        before.evidence_details.submission_count > 0
          ? 'This dispute has already been submitted to the bank, and its evidence can no longer be changed.'
          : `This dispute is already closed (${before.status}).`,
    });
  }
  const given = (params.evidence ?? {}) as Partial<Record<Text, string>>;
  const length = Object.values(given).reduce((sum, text) => sum + text.length, 0);
  if (length > 150_000) throw badParam('evidence', 'The combined character count of evidence is limited to 150,000.');
  const texts = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, text === '' ? null : text]));
  const evidence = { ...before.evidence, ...texts };
  const { evidence_details: details } = before;
  const after = book.disputes.update(id, {
    metadata: mergeMetadata(before.metadata, params.metadata),
    evidence,
    evidence_details: {
      ...details,
      has_evidence: EVIDENCE_TEXTS.some((name) => evidence[name] !== null),
      ...(submits ? { submission_count: details.submission_count + 1, submission_method: 'manual' } : {}),
    },
    ...(submits ? { status: isInquiry(before) ? 'warning_under_review' : 'under_review' } : {}),
  });
  emitChange(world, book, 'charge.dispute.updated', before, after);
  if (submits) {
    const at = world.now + world.switches.disputeDecidedAfterSeconds;
    world.timers.add({ at, kind: 'dispute_closes', account: book.account, id });
  }
  return after;
}

/** Gives in: the dispute is lost, and that stays so. */
export function closeDispute(world: World, book: Book, _: ExpandOnly, [id = '']: string[]): Stripe.Dispute {
  const before = disputeNamed(book, id);
  if (!OPEN.includes(before.status))
    throw refused(`This dispute cannot be closed: it has a status of ${before.status}.`);
  return close(world, book, before, isInquiry(before) ? 'warning_closed' : 'lost');
}
