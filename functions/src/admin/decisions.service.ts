import type { Transaction } from 'firebase-admin/firestore';
import type { Caller } from '../platform/auth.ts';
import { FinalRefusal, runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { runWrites } from '../platform/write.ts';
import { decide, type Approval, type Verdict } from './approvals.ts';
import * as store from './approvals.store.ts';
import { planAudit } from './audit.service.ts';

/** What was approved, as it was asked for. */
export interface Approved {
  /** Also the requestId of what is done: however often it is run, it is done once. */
  approvalId: string;
  by: string;
  approvedBy: string;
  input: object;
}

/** Does what was approved, as an idempotent command of the asker's under `approvalId`. */
export type ApprovedAction = (ctx: Context, approved: Approved) => Promise<object>;

export interface DecisionInput {
  approvalId: string;
  requestId: string;
}

/** What was decided when the command was accepted. */
export interface DecisionPlan {
  approvalId: string;
  action: string;
  status: Verdict;
}

export interface DecisionReply {
  approvalId: string;
  status: Verdict;
  /** What the approved operation answered. */
  result?: object;
}

export const approveOperationCommand = 'approveOperation';
export const rejectOperationCommand = 'rejectOperation';

/** Every operation that can wait for a second administrator, by its callable's name. */
export type ApprovedActions = Readonly<Record<string, ApprovedAction>>;

/** A second administrator confirms: what was asked for is done with its frozen input, once. */
export function approveOperation(
  ctx: Context,
  caller: Caller,
  input: DecisionInput,
  actions: ApprovedActions,
): Promise<DecisionReply> {
  return runCommand<DecisionPlan, DecisionReply>(ctx, {
    command: approveOperationCommand,
    uid: caller.uid,
    requestId: input.requestId,
    input,
    plan: (tx) => planDecision(ctx, tx, caller, input, 'approved'),
    execute: (plan) => executeDecision(ctx, plan, actions),
  });
}

/** An administrator says no; nothing is done. */
export function rejectOperation(ctx: Context, caller: Caller, input: DecisionInput): Promise<DecisionReply> {
  return runCommand<DecisionPlan, DecisionReply>(ctx, {
    command: rejectOperationCommand,
    uid: caller.uid,
    requestId: input.requestId,
    input,
    plan: (tx) => planDecision(ctx, tx, caller, input, 'rejected'),
    execute: (plan) => executeDecision(ctx, plan, {}),
  });
}

async function planDecision(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  { approvalId }: DecisionInput,
  verdict: Verdict,
): Promise<DecisionPlan> {
  const decided = decide(await store.readApproval(ctx.db, approvalId, tx), verdict, caller.uid, ctx.clock.now());
  const command = verdict === 'approved' ? approveOperationCommand : rejectOperationCommand;
  runWrites(tx, [
    (t) => store.writeApproval(ctx.db, t, approvalId, decided),
    planAudit(ctx, `${command}_${approvalId}`, {
      by: caller.uid,
      action: command,
      subject: store.approvalPath(approvalId),
      after: { action: decided.action, askedBy: decided.by, input: decided.input },
      note: decided.reason,
    }),
  ]);
  return { approvalId, action: decided.action, status: verdict };
}

/** Safe to run any number of times; the sweep runs it again after a crash. A refusal of the operation is the decision's result. */
export async function executeDecision(
  ctx: Context,
  { approvalId, action, status }: DecisionPlan,
  actions: ApprovedActions,
): Promise<DecisionReply> {
  if (status === 'rejected') return { approvalId, status };
  const approval = await store.readApproval(ctx.db, approvalId);
  const run = actions[action];
  if (!approval || !run) throw new Error(`approvals/${approvalId}: nobody carries out ${action}.`);
  try {
    return { approvalId, status, result: await run(ctx, approvedOf(approvalId, approval)) };
  } catch (error) {
    if (!(error instanceof Refusal) || unsettled.has(error.code)) throw error;
    throw new FinalRefusal(error.code, error.reason, error.message, { ...error.details });
  }
}

/** Refusals that say "not now": the same request finishes it. */
const unsettled: ReadonlySet<string> = new Set(['unavailable', 'resource-exhausted']);

function approvedOf(approvalId: string, { by, approvedBy = '', input }: Approval): Approved {
  return { approvalId, by, approvedBy, input };
}
