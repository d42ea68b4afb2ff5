import { Timestamp } from 'firebase-admin/firestore';
import { days } from '../../platform/clock.ts';
import { fromStripeCurrency, minor, toMajor, type Currency, type Minor } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';

/** What Stripe says of one dispute, as plain JSON. Amounts in minor units, without Stripe's dispute fee. */
export interface DisputeFacts {
  id: string;
  /** Stripe's word: `needs_response`, `warning_closed`, … */
  status: string;
  reason: string;
  amountMinor: number;
  /** As Stripe writes it. */
  currency: string;
  createdMs: number;
  /** Absent, null or 0: the bank takes no answer. */
  evidenceDueByMs?: number | null;
  isInquiry: boolean;
  /** Taken from the balance of the account that made the charge, and given back to it. Both only grow. */
  withdrawnMinor: number;
  reinstatedMinor: number;
  evidenceSubmitted: boolean;
}

/**
 * `inquiry`: the bank asks, no money has moved. `closed`: an inquiry that came to nothing, or a dispute prevented. `appeal`:
 * lost, and contested once more; the money stays lost until the appeal is won.
 */
export type DisputeStage = 'inquiry' | 'closed' | 'open' | 'won' | 'lost' | 'appeal';

/** `disputes/{disputeId}`. The customer may read it. */
export interface Dispute {
  paymentId: string;
  userId: string;
  coachId?: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  /** Why the customer's bank says it is disputed, in Stripe's words. */
  reason: string;
  status: string;
  stage: DisputeStage;
  evidenceDueBy?: Timestamp;
  evidenceSubmitted: boolean;
  withdrawnMinor: Minor;
  reinstatedMinor: Minor;
  /** Gone for good as things stand. */
  lostMinor: Minor;
  /** When the person who must answer is reminded. */
  remindAt?: Timestamp;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** All that the rules look at. */
export type DisputeState = Pick<Dispute, 'status'> & { withdrawnMinor: number; reinstatedMinor: number };

/** Stripe's statuses in the order a dispute can take them. One that this version does not know counts as open. */
const rank: Record<string, number> = {
  warning_needs_response: 0,
  warning_under_review: 1,
  warning_closed: 2,
  prevented: 2,
  needs_response: 3,
  under_review: 4,
  lost: 5,
  appeal_needs_response: 6,
  appeal_under_review: 7,
  won: 8,
};
const rankOf = (status: string): number => rank[status] ?? 3;

/** Of two statuses heard in any order, the later one. */
export const laterStatus = (one: string, other: string): string => {
  const difference = rankOf(one) - rankOf(other);
  if (difference !== 0) return difference > 0 ? one : other;
  return one > other ? one : other;
};

export function stageOf(status: string): DisputeStage {
  if (status === 'warning_needs_response' || status === 'warning_under_review') return 'inquiry';
  if (status === 'warning_closed' || status === 'prevented') return 'closed';
  if (status === 'won' || status === 'lost') return status;
  return status.startsWith('appeal_') ? 'appeal' : 'open';
}

const awayMinor = ({ withdrawnMinor, reinstatedMinor }: DisputeState): number =>
  Math.max(0, withdrawnMinor - reinstatedMinor);

/**
 * What of a dispute's money is gone: all that is away when it is lost; when it is won, what the bank has kept of it
 * (Stripe gives back in one movement, so what comes is all that comes).
 */
export function lostMinor(state: DisputeState): Minor {
  const stage = stageOf(state.status);
  const decided = stage === 'lost' || stage === 'appeal' || (stage === 'won' && state.reinstatedMinor > 0);
  return minor(decided ? awayMinor(state) : 0);
}

/** The coach's share rests: the bank has not decided, or has not given back yet. An inquiry holds nothing. */
export function isHeld(state: DisputeState): boolean {
  return stageOf(state.status) === 'open' || awayMinor(state) > lostMinor(state);
}

export const needsResponse = (status: string): boolean => status.endsWith('needs_response');

/**
 * Stripe says lost again of an appeal whose deadline has passed. Before that it may be old news, of the first decision; the
 * two cannot be told apart, and move the same money.
 */
export const isAppealOver = (
  known: Pick<Dispute, 'status' | 'evidenceDueBy'>,
  told: { status: string },
  at: Timestamp,
) =>
  known.status === 'appeal_needs_response' &&
  told.status === 'lost' &&
  at.toMillis() > (known.evidenceDueBy?.toMillis() ?? 0);

/** How long before the deadline a person is reminded. */
const reminderMs = days(3);

/** The dispute as known and told together. Undefined: nothing new. Any order and any repetition of facts end the same. */
export function mergeDispute(
  known: Dispute | undefined,
  payment: Pick<Payment, 'stripePaymentId' | 'userId' | 'coachId' | 'chargeModel'>,
  facts: DisputeFacts,
  at: Timestamp,
): Dispute | undefined {
  const status = known ? laterStatus(known.status, facts.status) : facts.status;
  const state = {
    status,
    withdrawnMinor: Math.max(known?.withdrawnMinor ?? 0, facts.withdrawnMinor),
    reinstatedMinor: Math.max(known?.reinstatedMinor ?? 0, facts.reinstatedMinor),
  };
  const dueMs = Math.max(known?.evidenceDueBy?.toMillis() ?? 0, facts.evidenceDueByMs ?? 0);
  const amountMinor = minor(Math.max(known?.amountMinor ?? 0, facts.amountMinor));
  const currency = fromStripeCurrency(facts.currency);
  const answered = status !== known?.status && needsResponse(status) && payment.chargeModel !== 'direct';
  const remind = needsResponse(status) ? (answered ? remindAt(dueMs, at) : known?.remindAt) : undefined;
  const next: Dispute = {
    paymentId: payment.stripePaymentId,
    userId: payment.userId,
    ...(payment.coachId ? { coachId: payment.coachId } : {}),
    amount: toMajor(amountMinor, currency),
    amountMinor,
    currency,
    // An inquiry that becomes a dispute may come with another reason; old news does not bring the old one back.
    reason: known && status !== facts.status ? known.reason : facts.reason,
    status,
    stage: stageOf(status),
    ...(dueMs > 0 ? { evidenceDueBy: Timestamp.fromMillis(dueMs) } : {}),
    evidenceSubmitted: facts.evidenceSubmitted || (known?.evidenceSubmitted ?? false),
    withdrawnMinor: minor(state.withdrawnMinor),
    reinstatedMinor: minor(state.reinstatedMinor),
    lostMinor: lostMinor(state),
    ...(remind ? { remindAt: remind } : {}),
    createdAt: Timestamp.fromMillis(facts.createdMs),
    updatedAt: at,
  };
  return known && same(known, next) ? undefined : next;
}

/** None where the deadline is nearer than the reminder would be: opening it says so already. */
function remindAt(dueMs: number, at: Timestamp): Timestamp | undefined {
  const remindMs = dueMs - reminderMs;
  return remindMs > at.toMillis() ? Timestamp.fromMillis(remindMs) : undefined;
}

const told = ['status', 'amountMinor', 'withdrawnMinor', 'reinstatedMinor', 'evidenceSubmitted', 'reason'] as const;

function same(one: Dispute, other: Dispute): boolean {
  const due = (dispute: Dispute) => dispute.evidenceDueBy?.toMillis();
  return due(one) === due(other) && told.every((field) => one[field] === other[field]);
}
