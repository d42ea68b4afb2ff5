import { Timestamp } from 'firebase-admin/firestore';
import { cadences, payoutObstacle, type Cadence, type Coach } from '../coaches/coaches.ts';
import { pageOfCoaches } from '../coaches/coaches.service.ts';
import { businessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { isBankingDay } from './calendar.ts';
import { dueIn, windowOf } from './due.ts';
import { versionText } from './explain.service.ts';
import * as logs from './payouts.logs.ts';
import { isAbandoned, runPageSize, type PayoutRun } from './runs.ts';
import * as store from './runs.store.ts';

/** Tasks queued at once. */
const width = 20;
const resumeLimit = 5;

export interface RunReply {
  runId: string;
  /** `skipped`: banks move no money that day, so nobody is paid and the next run answers for it too. */
  state: 'running' | 'done' | 'skipped';
  /** Coaches queued so far. */
  queued: number;
}

/**
 * Queues every coach who is due. Of any number of calls for one day one does it; a run whose runner died is taken over
 * by the next call. `scheduledAt` is the schedule's time, which says what day the run is for.
 */
export async function startRun(ctx: Context, scheduledAt: Date): Promise<RunReply> {
  const runId = businessDate(scheduledAt);
  if (!isBankingDay(runId)) {
    logs.runNotNeeded(ctx.log, runId, 'not a banking day');
    return { runId, state: 'skipped', queued: 0 };
  }
  const mine = (await begin(ctx, runId, scheduledAt)) ?? (await takeOver(ctx, runId));
  if (mine) return finish(ctx, runId, mine);
  const other = await store.readRun(ctx.db, runId);
  logs.runNotNeeded(ctx.log, runId, other?.state ?? 'gone');
  return { runId, state: other?.state ?? 'running', queued: other?.queued ?? 0 };
}

async function begin(ctx: Context, runId: string, scheduledAt: Date): Promise<PayoutRun | undefined> {
  const { after } = windowOf(runId, await store.lastDone(ctx.db));
  const at = Timestamp.fromDate(ctx.clock.now());
  const run: PayoutRun = {
    date: runId,
    scheduledAt: Timestamp.fromDate(scheduledAt),
    state: 'running',
    after,
    cursor: null,
    queued: 0,
    startedAt: at,
    updatedAt: at,
  };
  if (!(await store.createRun(ctx.db, runId, run))) return undefined;
  logs.runStarted(ctx.log, runId, after, false);
  return run;
}

/** Moving `updatedAt` takes the run: of several who find it abandoned, the transaction lets one through. */
function takeOver(ctx: Context, runId: string): Promise<PayoutRun | undefined> {
  return ctx.db.runTransaction(async (tx) => {
    const run = await store.readRun(ctx.db, runId, tx);
    const now = ctx.clock.now();
    if (!run || !isAbandoned(run, now)) return undefined;
    const taken: PayoutRun = { ...run, updatedAt: Timestamp.fromDate(now) };
    store.writeRun(ctx.db, tx, runId, taken);
    logs.runStarted(ctx.log, runId, run.after, true);
    return taken;
  });
}

/** How far a run has come. */
export interface RunProgress {
  /** Coaches whose task has not answered yet. */
  waiting: number;
  paid: number;
  nothing: number;
}

export async function runProgress(ctx: Context, runId: string): Promise<RunProgress> {
  const { queued, payout, nothing } = await store.countByState(ctx.db, runId);
  return { waiting: queued, paid: payout, nothing };
}

/** For the sweep: goes on with runs whose runner died. */
export async function resumeRuns(ctx: Context): Promise<{ resumed: number }> {
  let resumed = 0;
  for (const { runId, run } of await store.running(ctx.db, resumeLimit)) {
    if (!isAbandoned(run, ctx.clock.now())) continue;
    const mine = await takeOver(ctx, runId);
    if (!mine) continue;
    await finish(ctx, runId, mine);
    resumed++;
  }
  return { resumed };
}

async function finish(ctx: Context, runId: string, begun: PayoutRun): Promise<RunReply> {
  let run = begun;
  const due = cadences.filter((cadence) => dueIn(cadence, { after: run.after, through: run.date }));
  for (;;) {
    const page = await dueCoaches(ctx, due, run.cursor);
    const queued = await queuePage(ctx, runId, run, page);
    const at = Timestamp.fromDate(ctx.clock.now());
    const last = page.length < runPageSize;
    run = { ...run, cursor: page.at(-1)?.coachId ?? run.cursor, queued: run.queued + queued, updatedAt: at };
    if (last) run = { ...run, state: 'done', doneAt: at };
    const saved = run;
    await ctx.db.runTransaction(async (tx) => store.writeRun(ctx.db, tx, runId, saved));
    if (last) break;
  }
  logs.runDone(ctx.log, runId, run.queued);
  return { runId, state: run.state, queued: run.queued };
}

/** One page is all that a run holds at once, however many coaches there are; on most days few of them are due. */
async function dueCoaches(ctx: Context, due: readonly Cadence[], cursor: string | null) {
  if (due.length === 0) return [];
  return pageOfCoaches(ctx, { ...(cursor === null ? {} : { after: cursor }), limit: runPageSize, cadences: due });
}

async function queuePage(
  ctx: Context,
  runId: string,
  run: PayoutRun,
  page: readonly { coachId: string; coach: Coach }[],
): Promise<number> {
  const due = page.flatMap(({ coachId, coach }) => {
    const dueDate = dueIn(coach.payoutSettings.cadence, { after: run.after, through: run.date });
    return dueDate && coach.stripeAccountId ? [{ coachId, coach, dueDate }] : [];
  });
  for (let at = 0; at < due.length; at += width) {
    await Promise.all(due.slice(at, at + width).map((each) => queueCoach(ctx, runId, run, each)));
  }
  return due.length;
}

async function queueCoach(
  ctx: Context,
  runId: string,
  run: PayoutRun,
  { coachId, coach, dueDate }: { coachId: string; coach: Coach; dueDate: string },
): Promise<void> {
  const { currency, stripeAccountId } = coach;
  const now = ctx.clock.now();
  const entry = { coachId, currency, dueDate, state: 'queued' as const, updatedAt: Timestamp.fromDate(now) };
  const notedAt = await store.noteQueued(ctx.db, runId, entry);
  const payable = stripeAccountId && !payoutObstacle(coach, now);
  const seen = notedAt && {
    ...(payable ? { stripeAccountId } : {}),
    scheduledAt: run.scheduledAt.toDate().toISOString(),
    notedAt: versionText(notedAt),
  };
  const payload = { coachId, currency, dueDate, runId, ...(seen ? { seen } : {}) };
  await ctx.tasks.enqueue('payCoach', `${runId}-${coachId}-${currency}`, payload);
}

/** Queues a coach in a day's run beside those who are due. One who was queued already is not queued again. */
export async function queueBeside(
  ctx: Context,
  runId: string,
  { coachId, currency }: { coachId: string; currency: string },
): Promise<void> {
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  await store.noteQueued(ctx.db, runId, { coachId, currency, dueDate: runId, state: 'queued', updatedAt });
  await ctx.tasks.enqueue('payCoach', `${runId}-${coachId}-${currency}`, { coachId, currency, dueDate: runId, runId });
}
