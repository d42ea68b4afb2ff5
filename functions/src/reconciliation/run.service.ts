import { Timestamp } from 'firebase-admin/firestore';
import { raiseFlag } from '../admin/flags.service.ts';
import { pageOfCoaches } from '../coaches/coaches.service.ts';
import { businessDate, startOfBusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { recoverForgotten } from '../webhooks/recovery.service.ts';
import { lateFlag } from './reconciliation-flags.ts';
import * as logs from './reconciliation.logs.ts';
import { platformAccount } from './reconciliation.ts';
import { isAbandoned, isLate, type AccountPart, type Night, type Run } from './run.ts';
import * as store from './run.store.ts';

const coachesPerPage = 200;
/** Tasks queued at once. */
const width = 20;
/** Proofs one sweep goes on with, and accounts of each that it queues again. */
const resumeLimit = 5;
const requeueLimit = 200;

/**
 * Starts the proof of the run's Stockholm day: what was never heard of is booked, and every account gets its task. Of any
 * number of calls for one day one proof comes; a call that finds one half queued goes on with it.
 */
export async function startNight(ctx: Context, scheduledAt: Date): Promise<void> {
  const date = businessDate(scheduledAt);
  const run = store.nightPath(date);
  const existing = await store.readRun(ctx.db, run);
  if (existing) return existing.state === 'queueing' ? queueAccounts(ctx, run, existing) : undefined;
  await bookForgotten(ctx);
  const at = Timestamp.fromDate(ctx.clock.now());
  const begun: Night = {
    date,
    cut: Timestamp.fromDate(startOfBusinessDate(date)),
    before: (await store.nightBefore(ctx.db, date))?.date ?? null,
    state: 'queueing',
    cursor: null,
    queued: 0,
    startedAt: at,
    updatedAt: at,
  };
  if (await store.createRun(ctx.db, run, begun)) await queueAccounts(ctx, run, begun);
}

/** What was never heard of is booked before it is proven. Where Stripe does not answer, the proof says so itself. */
async function bookForgotten(ctx: Context): Promise<void> {
  try {
    logs.forgottenBooked(ctx.log, await recoverForgotten(ctx, ctx.clock.now()));
  } catch (error) {
    logs.forgottenUnread(ctx.log, messageOf(error));
  }
}

/** Two who do it at once do no harm: parts are made and tasks queued once, and the document goes on only while queueing. */
export async function queueAccounts(ctx: Context, run: string, begun: Run): Promise<void> {
  let { cursor, queued } = begun;
  if (cursor === null) await queueOne(ctx, run, { account: platformAccount });
  for (;;) {
    const page = await pageOfCoaches(ctx, { ...(cursor === null ? {} : { after: cursor }), limit: coachesPerPage });
    const accounts = page.flatMap(({ coachId, coach }) => {
      const disconnected = coach.accountStatus === 'deauthorized' ? { disconnected: true as const } : {};
      return coach.stripeAccountId ? [{ account: coach.stripeAccountId, coachId, ...disconnected }] : [];
    });
    for (let at = 0; at < accounts.length; at += width) {
      await Promise.all(accounts.slice(at, at + width).map((each) => queueOne(ctx, run, each)));
    }
    cursor = page.at(-1)?.coachId ?? cursor;
    queued += accounts.length;
    const last = page.length < coachesPerPage;
    const mine = await goOn(ctx, run, { cursor, queued, state: last ? 'proving' : 'queueing' });
    if (last || !mine) break;
  }
  logs.accountsQueued(ctx.log, run, queued);
  // Every task may have come to its end before this was so; a proof is ended by a task.
  const waiting = await store.queuedParts(ctx.db, run, 1);
  if (waiting.length === 0) await enqueue(ctx, run, platformAccount, '-end');
}

type Listed = Pick<AccountPart, 'account' | 'coachId' | 'disconnected'>;

async function queueOne(ctx: Context, run: string, listed: Listed): Promise<void> {
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  await store.createPart(ctx.db, run, { ...listed, state: 'queued', proofs: [], updatedAt });
  await enqueue(ctx, run, listed.account);
}

const enqueue = (ctx: Context, run: string, account: string, again = ''): Promise<void> =>
  ctx.tasks.enqueue('reconcileCoach', `${run.replaceAll('/', '-')}-${account}${again}`, { run, account });

/** False when somebody else has come to the end of the list meanwhile. */
function goOn(
  ctx: Context,
  run: string,
  reached: { cursor: string | null; queued: number; state: 'queueing' | 'proving' },
): Promise<boolean> {
  return ctx.db.runTransaction(async (tx) => {
    const current = await store.readRun(ctx.db, run, tx);
    if (current?.state !== 'queueing') return false;
    store.writeRun(ctx.db, tx, run, { ...current, ...reached, updatedAt: Timestamp.fromDate(ctx.clock.now()) });
    return true;
  });
}

/** For the sweep: goes on with proofs whose listing died or whose tasks were lost, and tells of one that takes too long. */
export async function resumeReconciliations(ctx: Context, now: Date): Promise<{ resumed: number }> {
  let resumed = 0;
  for (const { run, document } of await store.unfinished(ctx.db, resumeLimit)) {
    if (isLate(document, now)) await raiseFlag(ctx, lateFlag(run));
    if (!isAbandoned(document, now)) continue;
    if (document.state === 'queueing') await queueAccounts(ctx, run, document);
    else await queueAgain(ctx, run, now);
    resumed += 1;
  }
  return { resumed };
}

/** Under ids that name the hour: a task that only waits for its turn does no harm, one that was lost is made again. */
async function queueAgain(ctx: Context, run: string, now: Date): Promise<void> {
  const waiting = await store.queuedParts(ctx.db, run, requeueLimit);
  const accounts = waiting.length > 0 ? waiting.map(({ account }) => account) : [platformAccount];
  const hour = `-${now.toISOString().slice(0, 13)}`;
  for (let at = 0; at < accounts.length; at += width) {
    await Promise.all(accounts.slice(at, at + width).map((account) => enqueue(ctx, run, account, hour)));
  }
}
