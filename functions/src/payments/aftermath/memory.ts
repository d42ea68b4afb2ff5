import { minor, sum, type Minor } from '../../platform/money.ts';
import type { Aftermath, DisputeFound, RefundFound, RefundStatus } from './aftermath.ts';

/**
 * What a payment remembers of its refunds and disputes. Merging is commutative, associative and idempotent, so any order
 * and any duplication of news ends the same.
 */

const refundRank: Record<RefundStatus, number> = { pending: 0, succeeded: 1, canceled: 2, failed: 3 };

/** Stripe's dispute statuses, in the order a dispute can take them; what is not listed counts as open. */
const disputeRank: Record<string, number> = {
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
const rankOf = (status: string): number => disputeRank[status] ?? 3;

/** An appeal is about money that is lost until it is won. */
const lostStatuses = new Set(['lost', 'appeal_needs_response', 'appeal_under_review']);
export const isLost = (status: string): boolean => lostStatuses.has(status);

export const noAftermath: Aftermath = { refunds: {}, disputes: {} };

export function remember(
  known: Aftermath,
  refunds: readonly RefundFound[],
  disputes: readonly DisputeFound[],
): Aftermath {
  const next: Aftermath = { refunds: { ...known.refunds }, disputes: { ...known.disputes } };
  for (const { id, amountMinor, status } of refunds) {
    const before = next.refunds[id];
    const higher = before && refundRank[before.status] > refundRank[status] ? before.status : status;
    next.refunds[id] = { amountMinor: minor(amountMinor), status: higher };
  }
  for (const { id, status, withdrawnMinor, reinstatedMinor } of disputes) {
    const before = next.disputes[id] ?? {
      withdrawnMinor: 0,
      reinstatedMinor: 0,
      status,
      lostMinor: minor(0),
      decisions: 0,
    };
    next.disputes[id] = {
      ...before,
      status: rankOf(before.status) > rankOf(status) ? before.status : status,
      withdrawnMinor: minor(Math.max(before.withdrawnMinor, withdrawnMinor)),
      reinstatedMinor: minor(Math.max(before.reinstatedMinor, reinstatedMinor)),
    };
  }
  return next;
}

type DisputeMemory = Aftermath['disputes'][string];

const outMinor = (dispute: DisputeMemory): number => Math.max(0, dispute.withdrawnMinor - dispute.reinstatedMinor);

/** What of a dispute's money is gone, as things stand. */
export const lostMinor = (dispute: DisputeMemory): Minor => minor(isLost(dispute.status) ? outMinor(dispute) : 0);

/** Money is with the bank and the bank has not decided, or has not paid back yet. */
export const isOpen = (dispute: DisputeMemory): boolean => !isLost(dispute.status) && outMinor(dispute) > 0;

export const refundedMinor = ({ refunds }: Aftermath): Minor =>
  sum(Object.values(refunds).map(({ status, amountMinor }) => (refundRank[status] < 2 ? amountMinor : 0)));

export const disputedMinor = ({ disputes }: Aftermath): Minor => sum(Object.values(disputes).map(outMinor));
