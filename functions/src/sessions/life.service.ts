import { FieldValue, Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planResolve } from '../admin/flags.service.ts';
import type { Caller } from '../platform/auth.ts';
import { runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { planLetter } from '../platform/mail.ts';
import { zero, type Currency, type Minor } from '../platform/money.ts';
import { runWrites, type Write } from '../platform/write.ts';
import { closePaying } from './expiry.service.ts';
import { canceledLetter } from './letters.ts';
import {
  actorOf,
  countsFor,
  decideCancel,
  requireCoach,
  requireCompletable,
  requireHeld,
  type Actor,
  type SessionOutcome,
} from './life.ts';
import {
  paymentOf,
  planBackAnew,
  planMoneyBack,
  planReleaseOf,
  sendCancellation,
  sendRelease,
} from './money.service.ts';
import { isUnpaid, lengthMs, type CanceledBy, type Session, type SessionPatch } from './sessions.ts';
import { droppedId } from './session-flags.ts';
import * as logs from './sessions.logs.ts';
import * as store from './sessions.store.ts';
import { planFreeTime } from './slots.service.ts';

export interface CompleteInput {
  sessionId: string;
  /** `no_show`: the student did not come. */
  outcome?: SessionOutcome | undefined;
  requestId?: string | undefined;
}

export interface CompleteReply {
  sessionId: string;
  status: SessionOutcome;
  /** ISO 8601, UTC. */
  completedAt: string;
}

/**
 * The coach (or an administrator) says that a session took place, or that the student did not come: what is held for it is
 * the coach's from now on, and is sent to them, once. Completed before in the same way, it is the same answer.
 */
export async function completeSession(ctx: Context, caller: Caller, input: CompleteInput): Promise<CompleteReply> {
  const { requestId, ...command } = input;
  const { sessionId, outcome = 'completed' } = command;
  const plan = (tx: Transaction) => completeAs(ctx, tx, caller, sessionId, outcome);
  const reply = await (requestId === undefined
    ? ctx.db.runTransaction(plan)
    : runCommand<CompleteReply, CompleteReply>(ctx, {
        command: 'completeSession',
        uid: caller.uid,
        requestId,
        input: command,
        plan,
      }));
  await sendRelease(ctx, sessionId);
  return reply;
}

async function completeAs(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  sessionId: string,
  outcome: SessionOutcome,
): Promise<CompleteReply> {
  const session = requireCoach(sessionId, await store.readSession(ctx.db, sessionId, tx), caller);
  const { completedAt, writes } = await planCompletion(ctx, tx, { sessionId, session, outcome, by: caller.uid });
  runWrites(tx, writes);
  return { sessionId, status: outcome, completedAt: completedAt.toDate().toISOString() };
}

/** Plans the end of a session that was held, whoever says so; send what is released after the commit (`sendRelease`). */
export async function planCompletion(
  ctx: Context,
  tx: Transaction,
  { sessionId, session, outcome, by }: { sessionId: string; session: Session; outcome: SessionOutcome; by: string },
): Promise<{ completedAt: Timestamp; writes: Write[] }> {
  const now = ctx.clock.now();
  const at = Timestamp.fromDate(now);
  if (!requireCompletable(sessionId, session, outcome, now))
    return { completedAt: session.completedAt ?? session.endsAt, writes: [] };
  const payment = await paymentOf(ctx, tx, session);
  const grossMinor = requireHeld(sessionId, session, payment);
  const patch: SessionPatch = {
    status: outcome,
    completedBy: by,
    completedAt: at,
    minutes: lengthMs(session) / 60_000,
    counts: true,
    updatedAt: at,
  };
  const writes = [
    ...(await planReleaseOf(ctx, tx, sessionId, payment, grossMinor)),
    ...(await planResolve(ctx, tx, droppedId(sessionId), 'The session was completed.')),
    (t: Transaction) => {
      store.updateSession(ctx.db, t, sessionId, patch);
      logs.completed(ctx.log, sessionId, outcome, by);
    },
  ];
  return { completedAt: at, writes };
}

export interface CancelInput {
  sessionId: string;
  /** For the other side. */
  reason?: string | undefined;
  requestId: string;
}

export interface CancelReply {
  sessionId: string;
  status: 'canceled';
  canceledBy: CanceledBy;
  /** So near to the start that a part of what was paid is kept, or a credit is used up. */
  late: boolean;
  /** What goes back to the customer, and what is kept, minor units. */
  refundMinor: Minor;
  keptMinor: Minor;
  currency: Currency;
  /** The document that says how far the refund is. */
  refundId?: string;
  /** What became of the credit it was booked with. */
  credit?: 'returned' | 'used';
}

/**
 * Cancels a session. Whoever cancels it again gets the same answer; an administrator who does has a refund made anew that
 * Stripe has refused.
 */
export async function cancelSession(ctx: Context, caller: Caller, input: CancelInput): Promise<CancelReply> {
  const { requestId, ...command } = input;
  const { sessionId } = command;
  await closeIfUnpaid(ctx, caller, sessionId);
  const reply = await runCommand<CancelReply, CancelReply>(ctx, {
    command: 'cancelSession',
    uid: caller.uid,
    requestId,
    input: command,
    plan: (tx) => cancelAs(ctx, tx, caller, command),
  });
  await sendCancellation(ctx, sessionId, reply);
  return reply;
}

/** First Stripe says that nobody can pay for it any more. Money that has come all the same is given back by the sweep. */
async function closeIfUnpaid(ctx: Context, caller: Caller, sessionId: string): Promise<void> {
  const { session } = actorOf(sessionId, await store.readSession(ctx.db, sessionId), caller);
  if (session.status === 'booked' && isUnpaid(session)) await closePaying(ctx, sessionId, session);
}

async function cancelAs(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  { sessionId, reason }: Omit<CancelInput, 'requestId'>,
): Promise<CancelReply> {
  const read = await store.readSession(ctx.db, sessionId, tx);
  const { session, actor } = actorOf(sessionId, read, caller);
  const canceling = { sessionId, session, by: caller.uid, reason };
  const decision = decideCancel(sessionId, session, actor, ctx.config, ctx.clock.now());
  if (decision) {
    const planned = await planMoneyBack(ctx, tx, canceling, decision);
    const patch = canceledPatch(ctx, session, actor, { reason, cancellation: planned.cancellation });
    const closed = await planResolve(ctx, tx, droppedId(sessionId), 'The session was canceled.');
    return cancel(ctx, tx, canceling, patch, [...planned.writes, ...closed]);
  }
  const anew = caller.admin ? await planBackAnew(ctx, tx, canceling) : undefined;
  if (anew) return cancel(ctx, tx, canceling, { cancellation: anew.cancellation }, anew.writes);
  return replyOf(sessionId, session);
}

type Canceled = Partial<Pick<Session, 'status' | 'canceledBy' | 'canceledAt' | 'reason' | 'cancellation' | 'counts'>>;

const canceledPatch = (
  ctx: Context,
  session: Session,
  actor: Actor,
  { reason, cancellation }: { reason: string | undefined } & Required<Pick<Session, 'cancellation'>>,
): Canceled => ({
  status: 'canceled',
  canceledBy: actor,
  canceledAt: Timestamp.fromDate(ctx.clock.now()),
  cancellation,
  ...(reason === undefined ? {} : { reason }),
  ...(countsFor(session, actor, cancellation.late) ? { counts: true } : {}),
});

/** Runs the writes: everything is read by then. */
function cancel(
  ctx: Context,
  tx: Transaction,
  { sessionId, session, by }: { sessionId: string; session: Session; by: string },
  patch: Canceled,
  writes: readonly Write[],
): CancelReply {
  const next: Session = { ...session, ...patch };
  const told = session.status === 'booked' && !isUnpaid(session);
  runWrites(tx, [
    ...writes,
    planFreeTime(ctx, sessionId, session),
    ...(told ? [planLetter(ctx.db, `session-canceled_${sessionId}`, canceledLetter(next, by))] : []),
  ]);
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  store.updateSession(ctx.db, tx, sessionId, { ...patch, payBy: FieldValue.delete(), updatedAt });
  const reply = replyOf(sessionId, next);
  logs.canceled(ctx.log, sessionId, by, reply.late, reply.refundMinor);
  return reply;
}

function replyOf(sessionId: string, { canceledBy = 'system', cancellation, currency }: Session): CancelReply {
  const { late = false, refundMinor = zero, keptMinor = zero, refundId, credit } = cancellation ?? {};
  return {
    sessionId,
    status: 'canceled',
    canceledBy,
    late,
    refundMinor,
    keptMinor,
    currency,
    ...(refundId ? { refundId } : {}),
    ...(credit ? { credit } : {}),
  };
}
