import { Timestamp } from 'firebase-admin/firestore';
import { planAudit } from '../admin/audit.service.ts';
import type { Caller } from '../platform/auth.ts';
import { addDays, businessDate, daysBetween, startOfBusinessDate, type BusinessDate } from '../platform/clock.ts';
import { runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { queueAccounts } from './run.service.ts';
import type { Range } from './run.ts';
import * as store from './run.store.ts';

export interface RangeInput {
  /** First and last day, in Stockholm. */
  from: BusinessDate;
  to: BusinessDate;
  requestId: string;
}

export interface RangeReply {
  /** Where the proof is written: `reconciliationRanges/{reconciliationId}`, `done` when its tasks are. */
  reconciliationId: string;
  from: BusinessDate;
  to: BusinessDate;
}

/** A year, and a leap day. */
const longestDays = 366;

/**
 * An administrator's proof of some days: cut at both ends, from the first day's first instant to the last one's end, stored
 * apart from the nights'. Its tasks are queued here; where that is cut short the sweep goes on. Throws Refusal.
 */
export async function runReconciliation(ctx: Context, { uid }: Caller, input: RangeInput): Promise<RangeReply> {
  const { from, to, requestId } = input;
  const reconciliationId = `${uid}_${requestId}`;
  const run = store.rangePath(reconciliationId);
  const reply = await runCommand<RangeReply, RangeReply>(ctx, {
    command: 'runReconciliation',
    uid,
    requestId,
    input,
    plan: async (tx) => {
      requireRange(ctx, from, to);
      planAudit(ctx, `runReconciliation_${reconciliationId}`, {
        by: uid,
        action: 'runReconciliation',
        subject: run,
        after: { from, to },
      })(tx);
      store.writeRun(ctx.db, tx, run, begun(ctx, uid, from, to));
      return { reconciliationId, from, to };
    },
  });
  const document = await store.readRun(ctx.db, run);
  if (document?.state === 'queueing') await queueAccounts(ctx, run, document);
  return reply;
}

function refuse(reason: string, message: string): never {
  throw new Refusal('invalid-argument', reason, message);
}

function requireRange(ctx: Context, from: BusinessDate, to: BusinessDate): void {
  if (to < from) refuse('range-backwards', 'The last day is before the first.');
  if (to >= businessDate(ctx.clock.now())) {
    refuse('range-not-over', 'Only days that are over can be proven: the last one is yesterday at the latest.');
  }
  if (daysBetween(from, to) >= longestDays) {
    refuse('range-too-long', `At most ${longestDays} days are proven at once. Ask for them in parts.`);
  }
}

function begun(ctx: Context, requestedBy: string, from: BusinessDate, to: BusinessDate): Range {
  const at = Timestamp.fromDate(ctx.clock.now());
  return {
    from,
    to,
    fromCut: Timestamp.fromDate(startOfBusinessDate(from)),
    cut: Timestamp.fromDate(startOfBusinessDate(addDays(to, 1))),
    requestedBy,
    state: 'queueing',
    cursor: null,
    queued: 0,
    startedAt: at,
    updatedAt: at,
  };
}
