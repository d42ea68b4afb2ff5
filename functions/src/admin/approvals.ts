import { createHash } from 'node:crypto';
import { Timestamp } from 'firebase-admin/firestore';
import { days } from '../platform/clock.ts';
import { Refusal } from '../platform/errors.ts';
import type { Currency, Minor } from '../platform/money.ts';

export type ApprovalStatus = 'waiting' | 'approved' | 'rejected' | 'expired';

/** What is to be confirmed by a second administrator before it is done. */
export interface ApprovalRequest {
  /** The callable's name; what it does once approved is in decisions.service.ts. */
  action: string;
  /** Uid of who asked. */
  by: string;
  /** Frozen: what is approved is exactly this. */
  input: object;
  amountMinor?: Minor;
  currency?: Currency;
  reason: string;
  /** Uids of the customer or coach whom it is about. */
  about: readonly string[];
}

/** `approvals/{id}`. */
export interface Approval extends ApprovalRequest {
  status: ApprovalStatus;
  createdAt: Timestamp;
  expiresAt: Timestamp;
  /** Uid of who rejected it. */
  rejectedBy?: string;
  approvedBy?: string;
  decidedAt?: Timestamp;
}

/** What a callable answers whose work waits for a second administrator. */
export interface AwaitingApproval {
  status: 'awaiting-approval';
  approvalId: string;
}

const lifetimeMs = days(7);

/** An approval's id follows from the command that needs it, and can itself be the requestId of what is then done. */
export function approvalIdOf(command: { uid: string; requestId: string }): string {
  return `ap-${createHash('sha256').update(`${command.uid}\n${command.requestId}`).digest('hex').slice(0, 32)}`;
}

export function newApproval(request: ApprovalRequest, now: Date): Approval {
  return {
    ...request,
    status: 'waiting',
    createdAt: Timestamp.fromDate(now),
    expiresAt: Timestamp.fromMillis(now.getTime() + lifetimeMs),
  };
}

export type Verdict = 'approved' | 'rejected';

/**
 * The approval with a decision. Two pairs of eyes: nobody approves what they asked for; rejecting it takes it back.
 * Throws Refusal.
 */
export function decide(approval: Approval | undefined, verdict: Verdict, uid: string, now: Date): Approval {
  if (!approval) throw new Refusal('not-found', 'approval-not-found', 'There is nothing to confirm under this id.');
  const at = Timestamp.fromDate(now);
  if (
    approval.status === 'expired' ||
    (approval.status === 'waiting' && at.toMillis() >= approval.expiresAt.toMillis())
  )
    throw new Refusal('failed-precondition', 'approval-expired', 'Nobody confirmed this in time. Ask for it anew.');
  if (approval.status !== 'waiting') {
    throw new Refusal('failed-precondition', 'approval-decided', `This was ${approval.status} already.`);
  }
  if (verdict === 'rejected') return { ...approval, status: verdict, rejectedBy: uid, decidedAt: at };
  if (approval.by === uid) {
    throw new Refusal(
      'permission-denied',
      'second-administrator-needed',
      'You asked for this yourself. Another administrator confirms it.',
    );
  }
  return { ...approval, status: verdict, approvedBy: uid, decidedAt: at };
}
