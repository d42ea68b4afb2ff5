import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import type { SeenByRun, TaskPayloads } from '../platform/tasks.ts';
import * as logs from './payouts.logs.ts';
import type { RunCoach } from './runs.ts';
import * as runs from './runs.store.ts';

type VerdictOf<State extends RunCoach['state']> = Omit<
  Extract<RunCoach, { state: State }>,
  'coachId' | 'currency' | 'dueDate' | 'updatedAt'
>;

export type Nothing = VerdictOf<'nothing'>;

/** What came of one coach in one run. */
export type Verdict = Nothing | VerdictOf<'payout'>;

/** Writes it into the run. With `seen`, only over the entry that the run itself left: anything else fails the commit. */
export function explainIn(
  ctx: Context,
  tx: Transaction,
  task: TaskPayloads['payCoach'],
  verdict: Verdict,
  seen?: SeenByRun,
): void {
  const { coachId, currency, dueDate, runId } = task;
  const entry: RunCoach = { coachId, currency, dueDate, updatedAt: Timestamp.fromDate(ctx.clock.now()), ...verdict };
  if (seen) runs.answerQueued(ctx.db, tx, runId, entry, versionTime(seen.notedAt));
  else runs.writeRunCoach(ctx.db, tx, runId, entry);
  if (verdict.state === 'nothing') logs.nothingPaid(ctx.log, coachId, runId, verdict.reason);
}

export function explain(ctx: Context, task: TaskPayloads['payCoach'], verdict: Verdict): Promise<void> {
  return ctx.db.runTransaction(async (tx) => explainIn(ctx, tx, task, verdict));
}

/** A document's version as text and back: a Date would lose what lies below the millisecond. */
export const versionText = ({ seconds, nanoseconds }: Timestamp): string => `${seconds}.${nanoseconds}`;

const versionTime = (text: string): Timestamp => {
  const [seconds, nanoseconds] = text.split('.').map(Number);
  return new Timestamp(seconds ?? 0, nanoseconds ?? 0);
};
