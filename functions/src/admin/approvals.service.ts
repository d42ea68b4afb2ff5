import { Timestamp } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import type { Write } from '../platform/write.ts';
import { approvalIdOf, newApproval, type ApprovalRequest, type AwaitingApproval } from './approvals.ts';
import * as store from './approvals.store.ts';

/**
 * Plans that a command waits for a second administrator. For the transaction that accepts the command: it is then
 * accepted, and its reply is what this returns.
 */
export function planApproval(
  ctx: Context,
  requestId: string,
  request: ApprovalRequest,
): { reply: AwaitingApproval; write: Write } {
  const approvalId = approvalIdOf({ uid: request.by, requestId });
  const approval = newApproval(request, ctx.clock.now());
  return {
    reply: { status: 'awaiting-approval', approvalId },
    write: (tx) => store.createApproval(ctx.db, tx, approvalId, approval),
  };
}

const sweepLimit = 100;

/** For the sweep: what nobody decided in time is expired, so that lists show only what still waits. */
export async function expireApprovals(ctx: Context, now: Date): Promise<{ expired: number }> {
  let expired = 0;
  for (const id of await store.overdue(ctx.db, Timestamp.fromDate(now), sweepLimit)) {
    await ctx.db.runTransaction(async (tx) => {
      const approval = await store.readApproval(ctx.db, id, tx);
      if (approval?.status !== 'waiting') return;
      store.writeApproval(ctx.db, tx, id, { ...approval, status: 'expired', decidedAt: Timestamp.fromDate(now) });
    });
    expired++;
  }
  return { expired };
}
