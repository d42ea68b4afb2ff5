import { raiseFlagOnce } from '../admin/flags.service.ts';
import { coachesOutSince, readCoach } from '../coaches/coaches.service.ts';
import type { Coach } from '../coaches/coaches.ts';
import { days, hours } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf, Refusal } from '../platform/errors.ts';
import { runWrites } from '../platform/write.ts';
import { planCompletion } from './life.service.ts';
import { sendRelease } from './money.service.ts';
import * as flags from './session-flags.ts';
import * as logs from './sessions.logs.ts';
import { isUnpaid } from './sessions.ts';
import * as store from './sessions.store.ts';

/** One sweep's share; the rest waits five minutes. */
const perPage = 50;
const pagesPerSweep = 20;
/** Coaches who have fallen out are looked at for a day, each with so many of their sessions. */
const outForMs = days(1);
const coachesPerSweep = 100;
const sessionsPerCoach = 100;

export interface EndedSweep {
  completed: number;
  /** Left for a bank, or for a person who is told. */
  left: number;
}

/**
 * For the sweep: a session whose coach has said nothing so long after its end is taken to have been held. Not where its coach
 * has fallen out or nobody has paid: then a person is asked, once. One that fails holds up no other.
 */
export async function completeEnded(ctx: Context, now: Date): Promise<EndedSweep> {
  const by = new Date(now.getTime() - hours(ctx.config.sessionAutoCompleteHours));
  const coaches = new Map<string, Coach | undefined>();
  const sweep: EndedSweep = { completed: 0, left: 0 };
  let after: store.Kept | undefined;
  for (let page = 0; page < pagesPerSweep; page++) {
    const ended = await store.bookedEndingBy(ctx.db, by, perPage, after);
    for (const kept of ended) {
      const { coachId } = kept.session;
      if (!coaches.has(coachId)) coaches.set(coachId, await readCoach(ctx, coachId));
      if (await end(ctx, kept, coaches.get(coachId))) sweep.completed++;
      else sweep.left++;
    }
    after = ended.at(-1);
    if (ended.length < perPage) return sweep;
  }
  logs.backlog(ctx.log, perPage * pagesPerSweep);
  return sweep;
}

async function end(ctx: Context, { id, session }: store.Kept, coach: Coach | undefined): Promise<boolean> {
  try {
    const why = flags.outReason(coach);
    const flag = why
      ? flags.coachOut(id, session, why)
      : isUnpaid(session)
        ? flags.unpaidAtEnd(id, session)
        : undefined;
    if (flag) {
      await raiseFlagOnce(ctx, flag);
      return false;
    }
    await completeBySweep(ctx, id);
    await sendRelease(ctx, id);
    return true;
  } catch (error) {
    // Disputed, or not booked yet: it is looked at again.
    if (!(error instanceof Refusal)) logs.notCompleted(ctx.log, id, messageOf(error));
    return false;
  }
}

function completeBySweep(ctx: Context, sessionId: string): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const session = await store.readSession(ctx.db, sessionId, tx);
    // Canceled, moved or completed since.
    if (session?.status !== 'booked' || session.endsAt.toMillis() > ctx.clock.now().getTime()) return;
    const { writes } = await planCompletion(ctx, tx, { sessionId, session, outcome: 'completed', by: 'system' });
    runWrites(tx, writes);
  });
}

/** For the sweep: sessions to come of coaches who have just fallen out. A person asks both sides. */
export async function flagDropped(ctx: Context, now: Date): Promise<{ flagged: number }> {
  let flagged = 0;
  for (const [coachId, coach] of await coachesOutSince(ctx, new Date(now.getTime() - outForMs), coachesPerSweep)) {
    const why = flags.outReason(coach);
    if (!why) continue;
    for (const { id, session } of await store.bookedOf(ctx.db, coachId, now, sessionsPerCoach)) {
      await raiseFlagOnce(ctx, flags.coachOut(id, session, why));
      flagged++;
    }
  }
  return { flagged };
}
