import type { Transaction } from 'firebase-admin/firestore';
import { businessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import type { Write } from '../platform/write.ts';
import { requireOffered, stillTaken, takenBy, type Span } from './availability.ts';
import { bookingExpired, type Session } from './sessions.ts';
import * as store from './slots.store.ts';

type Where = Pick<Session, 'coachId' | 'startsAt'>;

/** The document of the coach's day that a session is in. */
const dayOf = ({ coachId, startsAt }: Where) => ({ coachId, date: businessDate(startsAt.toDate()) });

/**
 * Plans that a session has this time of its coach's, in the transaction that books or moves it. `until`: only so long,
 * unless paying is begun. `from`: where it was before; that time is freed. Throws the Refusal of a time that is taken or
 * not offered.
 */
export async function planTakeTime(
  ctx: Context,
  tx: Transaction,
  sessionId: string,
  wanted: Span & { coachId: string; until?: Date; from?: Where },
): Promise<Write[]> {
  const { coachId, from } = wanted;
  const now = ctx.clock.now();
  requireOffered(wanted, await store.readAvailability(ctx.db, coachId, tx), now);
  const date = businessDate(wanted.startsAt);
  const day = await store.readDay(ctx.db, coachId, date, tx);
  if (takenBy(day.taken, wanted, now, sessionId) !== undefined)
    throw new Refusal('failed-precondition', 'time-taken', 'Somebody else has this time. Choose another.');
  const moved = from && dayOf(from).date !== date ? [planFreeTime(ctx, sessionId, from)] : [];
  const taken = stillTaken(day.taken, now);
  return [...moved, (t) => store.takeTime(ctx.db, t, { ...day, taken }, sessionId, wanted)];
}

/** The session's time is free again, once however often it is written. Needs no read. */
export function planFreeTime(ctx: Context, sessionId: string, session: Where): Write {
  return (tx) => store.freeTime(ctx.db, tx, dayOf(session), sessionId);
}

/**
 * Plans that a session keeps its time until somebody has made sure that it cannot be paid any more: paying is begun. Throws
 * the Refusal of one whose time was given to another by then.
 */
export async function planKeepTime(ctx: Context, tx: Transaction, sessionId: string, session: Where): Promise<Write[]> {
  const day = await store.readDay(ctx.db, session.coachId, dayOf(session).date, tx);
  const entry = day.taken[sessionId];
  if (!entry) throw bookingExpired(sessionId);
  return entry.until ? [(t) => store.keepTime(ctx.db, t, day, sessionId)] : [];
}
