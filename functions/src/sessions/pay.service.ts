import { FieldValue, Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../admin/flags.service.ts';
import { hasCome, moneyIsHere } from '../payments/entitlements/money.ts';
import { attemptOf, planStranger, requireNoOther, strangeness } from '../payments/once.service.ts';
import type { Payment } from '../payments/payments.ts';
import type { Owed } from '../payments/plans.ts';
import { shareOf } from '../payments/shares.service.ts';
import { FinalRefusal } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { planLetter } from '../platform/mail.ts';
import { runWrites, type Write } from '../platform/write.ts';
import { bookedLetter, canceledLetter } from './letters.ts';
import { followed, isPaid, requirePayable, type Session, type SessionPatch } from './sessions.ts';
import * as store from './sessions.store.ts';
import { planFreeTime, planKeepTime } from './slots.service.ts';

/**
 * What the caller owes for a session: the price it was booked for, held until it is completed. From here on its time is
 * not free before the sweep has made sure that nobody can pay for it any more: that is written in this transaction, whose
 * last read this is.
 */
export async function owedForSession(ctx: Context, tx: Transaction, uid: string, sessionId: string): Promise<Owed> {
  const session = await store.readSession(ctx.db, sessionId, tx);
  if (session?.userId !== uid) throw new Refusal('not-found', 'session-not-found', `You have no session ${sessionId}.`);
  requirePayable(sessionId, session, ctx.clock.now());
  const { coachId, description, amountMinor, currency, vatRate } = session;
  const coach = await shareOf(ctx, tx, coachId, { name: description, amountMinor, currency, sentLater: true });
  const attempt = await attemptOf(ctx, tx, { kind: 'session', id: sessionId }, session);
  runWrites(tx, await planKeepTime(ctx, tx, sessionId, session));
  return {
    sessionId,
    description,
    amountMinor,
    currency,
    vatRate,
    coach,
    // A tenant's charge is the tenant's at once.
    ...(coach.chargeModel === 'separate' ? { held: true as const } : {}),
    ...attempt,
  };
}

/** The PaymentIntent that was begun for it last. */
export async function activePaymentOf(ctx: Context, sessionId: string): Promise<string | undefined> {
  return (await store.readSession(ctx.db, sessionId))?.activePaymentId;
}

/** As an order's: in the transaction that writes a new payment, it is the session's from now on. */
export async function planAttach(ctx: Context, tx: Transaction, sessionId: string, payment: Payment): Promise<Write[]> {
  const session = await store.readSession(ctx.db, sessionId, tx);
  if (session?.status !== 'booked' || isPaid(session)) {
    throw new FinalRefusal('failed-precondition', 'session-closed', `Session ${sessionId} can no longer be paid.`);
  }
  await requireNoOther(ctx, tx, { kind: 'session', id: sessionId }, session, payment);
  const activePaymentId = payment.stripePaymentId;
  return [patched(ctx, sessionId, { activePaymentId, paymentStatus: 'pending' })];
}

/** As an order's: in the transaction that changes a payment, its session follows. `payment` is as it will be. */
export async function planFollow(ctx: Context, tx: Transaction, payment: Payment): Promise<Write[]> {
  const { sessionId, stripePaymentId: activePaymentId } = payment;
  if (!sessionId) return planCreditsGone(ctx, tx, payment);
  const which = { kind: 'session', id: sessionId } as const;
  const session = await store.readSession(ctx.db, sessionId, tx);
  const wrong = await strangeness(ctx, tx, 'session', session, payment);
  if (!session || wrong) return planStranger(ctx, tx, which, payment, wrong ?? 'they differ');
  const news = followed(session, payment);
  if (!news) return [];
  const isBack = news.paymentStatus === 'refunded';
  const patch: SessionPatch = {
    paymentStatus: news.paymentStatus,
    activePaymentId,
    ...(isBack && session.refundDue ? { refundDue: FieldValue.delete() } : {}),
  };
  if (news.becomes === 'paid') {
    const paidBy = { with: 'payment', paymentId: activePaymentId } as const;
    return [
      patched(ctx, sessionId, { ...patch, paidBy, payBy: FieldValue.delete() }),
      planLetter(ctx.db, `session-booked_${sessionId}`, bookedLetter(session)),
    ];
  }
  if (news.becomes === 'late') {
    return [...(await flagLate(ctx, tx, sessionId, payment)), patched(ctx, sessionId, { ...patch, refundDue: true })];
  }
  if (news.becomes === 'returned') return planReturned(ctx, sessionId, session, patch);
  return [patched(ctx, sessionId, patch)];
}

/** The sessions that were booked with the credits of a purchase, once all of its money went back. */
async function planCreditsGone(ctx: Context, tx: Transaction, payment: Payment): Promise<Write[]> {
  const mayHold = payment.coachId !== undefined && (payment.held !== undefined || payment.subscriptionId !== undefined);
  if (!mayHold || !hasCome(payment) || payment.difference !== undefined || moneyIsHere(payment)) return [];
  const booked = await store.bookedWithCreditsOf(ctx.db, tx, payment.stripePaymentId);
  return booked.flatMap(({ id, session }) => planReturned(ctx, id, session, {}));
}

/** Nobody is coached for money that went back: whoever gave it back has canceled the session. */
function planReturned(ctx: Context, sessionId: string, session: Session, patch: SessionPatch): Write[] {
  const canceledAt = Timestamp.fromDate(ctx.clock.now());
  const canceled = {
    status: 'canceled',
    canceledBy: 'system',
    canceledAt,
    reason: 'Its payment was given back.',
  } as const;
  return [
    patched(ctx, sessionId, { ...patch, ...canceled }),
    planFreeTime(ctx, sessionId, session),
    planLetter(ctx.db, `session-canceled_${sessionId}`, canceledLetter({ ...session, ...canceled })),
  ];
}

function patched(ctx: Context, sessionId: string, patch: SessionPatch): Write {
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  return (tx) => store.updateSession(ctx.db, tx, sessionId, { ...patch, updatedAt });
}

function flagLate(ctx: Context, tx: Transaction, sessionId: string, payment: Payment): Promise<Write[]> {
  return planFlag(ctx, tx, {
    id: `session-paid-late_${payment.stripePaymentId}`,
    kind: 'session-paid-late',
    severity: 'warning',
    subject: store.sessionPath(sessionId),
    message: `Payment ${payment.stripePaymentId} came after session ${sessionId} was canceled. All of it is being given back.`,
    action: 'See that the refund succeeds, and tell the customer that the session does not take place.',
  });
}
