import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { creditUntil } from '../payments/entitlements/entitlements.service.ts';
import type { Caller } from '../platform/auth.ts';
import { businessTime } from '../platform/clock.ts';
import { runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { planLetter } from '../platform/mail.ts';
import { runWrites } from '../platform/write.ts';
import { movedLetter } from './letters.ts';
import { actorOf, requireMovable } from './life.ts';
import * as logs from './sessions.logs.ts';
import { lengthMs, type Session } from './sessions.ts';
import * as store from './sessions.store.ts';
import { planTakeTime } from './slots.service.ts';

export interface RescheduleInput {
  sessionId: string;
  /** ISO 8601 with an offset. */
  startsAt: string;
  requestId: string;
}

export interface RescheduleReply {
  sessionId: string;
  /** ISO 8601, UTC. */
  startsAt: string;
  endsAt: string;
  /** How often it was moved so far. */
  rescheduled: number;
}

/** Moves a session to another time of its coach's: the old is freed and the new taken in one commit. Throws Refusal. */
export function rescheduleSession(ctx: Context, caller: Caller, input: RescheduleInput): Promise<RescheduleReply> {
  const { requestId, ...command } = input;
  return runCommand<RescheduleReply, RescheduleReply>(ctx, {
    command: 'rescheduleSession',
    uid: caller.uid,
    requestId,
    input: command,
    plan: (tx) => move(ctx, tx, caller, command),
  });
}

async function move(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  { sessionId, startsAt: wanted }: Omit<RescheduleInput, 'requestId'>,
): Promise<RescheduleReply> {
  const { session, actor } = actorOf(sessionId, await store.readSession(ctx.db, sessionId, tx), caller);
  const now = ctx.clock.now();
  requireMovable(sessionId, session, actor, ctx.config, now);
  const startsAt = new Date(wanted);
  const endsAt = new Date(startsAt.getTime() + lengthMs(session));
  const reply = { sessionId, startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString() };
  // Nothing is moved, and nobody is written to.
  if (startsAt.getTime() === session.startsAt.toMillis()) return { ...reply, rescheduled: session.rescheduled };
  await requireCredit(ctx, tx, sessionId, session, startsAt);
  const { coachId } = session;
  const time = await planTakeTime(ctx, tx, sessionId, { coachId, startsAt, endsAt, from: session });
  const moved = {
    startsAt: Timestamp.fromDate(startsAt),
    endsAt: Timestamp.fromDate(endsAt),
    rescheduled: session.rescheduled + 1,
    movedBy: actor,
    updatedAt: Timestamp.fromDate(now),
  };
  const letter = movedLetter(session, moved, caller.uid);
  runWrites(tx, [...time, planLetter(ctx.db, `session-moved_${sessionId}_${moved.rescheduled}`, letter)]);
  store.updateSession(ctx.db, tx, sessionId, moved);
  logs.moved(ctx.log, sessionId, caller.uid, moved.rescheduled);
  return { ...reply, rescheduled: moved.rescheduled };
}

/** A session that was paid for in advance is held while those can be used. Throws Refusal. */
async function requireCredit(
  ctx: Context,
  tx: Transaction,
  sessionId: string,
  { paidBy, userId }: Session,
  startsAt: Date,
): Promise<void> {
  const until = paidBy.with === 'credit' ? await creditUntil(ctx, tx, { userId, sessionId }) : null;
  if (!until || startsAt.getTime() < until.toMillis()) return;
  const words = `The session bought in advance can be used until ${businessTime(until.toDate())}. Choose an earlier time.`;
  throw new Refusal('failed-precondition', 'credit-ends-before', words, { sessionId });
}
