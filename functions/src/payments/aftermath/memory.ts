import { minor, sum, type Minor } from '../../platform/money.ts';
import { laterStatus } from '../disputes/disputes.ts';
import type { Aftermath, DisputeFound, RefundFound, RefundStatus } from './aftermath.ts';

/**
 * What a payment remembers of its refunds and disputes. Merging is commutative, associative and idempotent, so any order
 * and any duplication of news ends the same.
 */

const refundRank: Record<RefundStatus, number> = { pending: 0, succeeded: 1, canceled: 2, failed: 3 };

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
      status: laterStatus(before.status, status),
      withdrawnMinor: minor(Math.max(before.withdrawnMinor, withdrawnMinor)),
      reinstatedMinor: minor(Math.max(before.reinstatedMinor, reinstatedMinor)),
    };
  }
  return next;
}

type DisputeMemory = Aftermath['disputes'][string];

const outMinor = (dispute: DisputeMemory): number => Math.max(0, dispute.withdrawnMinor - dispute.reinstatedMinor);

export const refundedMinor = ({ refunds }: Aftermath): Minor =>
  sum(Object.values(refunds).map(({ status, amountMinor }) => (refundRank[status] < 2 ? amountMinor : 0)));

export const disputedMinor = ({ disputes }: Aftermath): Minor => sum(Object.values(disputes).map(outMinor));
