import { FieldValue, Timestamp } from 'firebase-admin/firestore';
import { onceOfSession } from '../payments/checkout/checkout.ts';
import { closePages } from '../payments/checkout/pages.service.ts';
import { closeIntent } from '../payments/intents.service.ts';
import { tenantAccountOf } from '../payments/payments.ts';
import { readPayment } from '../payments/reads.service.ts';
import { planRefund, sendRefund } from '../payments/refunds/refunds.service.ts';
import { days } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { runWrites } from '../platform/write.ts';
import type { Session } from './sessions.ts';
import * as store from './sessions.store.ts';
import { planFreeTime } from './slots.service.ts';

const perCall = 100;
/** A bank debit takes days to clear; meanwhile the session keeps its time. */
const waitMs = days(1);

/** For the sweep: what was not paid in time is canceled, and what was paid too late is given back. */
export async function expireSessions(ctx: Context, now: Date): Promise<{ expired: number; givenBack: number }> {
  let expired = 0;
  for (const kept of await store.unpaidPast(ctx.db, now, perCall))
    if (await tried(ctx, kept.id, () => expire(ctx, kept, now))) expired++;
  let givenBack = 0;
  for (const kept of await store.refundsDue(ctx.db, perCall))
    if (await tried(ctx, kept.id, () => giveBack(ctx, kept.id))) givenBack++;
  return { expired, givenBack };
}

/** One that fails stops none of the others; the next sweep tries again. */
async function tried(ctx: Context, sessionId: string, run: () => Promise<boolean>): Promise<boolean> {
  try {
    return await run();
  } catch (error) {
    ctx.log.warn('session.not-settled', { sessionId, error: messageOf(error) });
    return false;
  }
}

/**
 * Sees to it that nobody can pay for a session any more: its pages and its PaymentIntent are closed at Stripe. Whether that
 * is so: a debit that is under way, and money that has come, cannot be stopped. Call it before an unpaid session is canceled.
 */
export async function closePaying(
  ctx: Context,
  id: string,
  { activePaymentId }: Pick<Session, 'activePaymentId'>,
): Promise<boolean> {
  await closePages(ctx, onceOfSession(id));
  if (activePaymentId === undefined) return true;
  const payment = await readPayment(ctx.db, activePaymentId);
  return (await closeIntent(ctx, activePaymentId, payment && tenantAccountOf(payment))).status === 'canceled';
}

/** First Stripe says that it can no longer be paid, then its time is free: never the other way round. */
async function expire(ctx: Context, { id, session }: store.Kept, now: Date): Promise<boolean> {
  const closed = await closePaying(ctx, id, session);
  const at = Timestamp.fromDate(now);
  return ctx.db.runTransaction(async (tx) => {
    const current = await store.readSession(ctx.db, id, tx);
    // Paid, begun to be paid anew, moved or canceled meanwhile.
    if (current?.status !== 'booked' || !current.payBy || current.activePaymentId !== session.activePaymentId)
      return false;
    if (!closed) {
      store.updateSession(ctx.db, tx, id, { payBy: Timestamp.fromMillis(now.getTime() + waitMs), updatedAt: at });
      return false;
    }
    const canceled = { status: 'canceled', canceledBy: 'system', canceledAt: at, reason: 'Not paid in time.' } as const;
    runWrites(tx, [planFreeTime(ctx, id, current)]);
    store.updateSession(ctx.db, tx, id, {
      ...canceled,
      paymentStatus: 'unpaid',
      payBy: FieldValue.delete(),
      updatedAt: at,
    });
    return true;
  });
}

const lateReason = 'Paid after the session was canceled.';

/** All that is left of it goes back. Disputed, it waits: won, it can go back; lost, it has, and the session follows. */
async function giveBack(ctx: Context, id: string): Promise<boolean> {
  const refundId = `session-late_${id}`;
  const planned = await ctx.db.runTransaction(async (tx) => {
    const session = await store.readSession(ctx.db, id, tx);
    const payment = session?.activePaymentId ? await readPayment(ctx.db, session.activePaymentId, tx) : undefined;
    if (!session?.refundDue || !payment) return false;
    const { writes } = await planRefund(ctx, tx, payment, { refundId, by: 'system', reason: lateReason });
    runWrites(tx, writes);
    const updatedAt = Timestamp.fromDate(ctx.clock.now());
    store.updateSession(ctx.db, tx, id, { refundDue: FieldValue.delete(), updatedAt });
    return true;
  });
  // A lost one is made up for by the sweep of refunds.
  if (planned) await sendRefund(ctx, refundId);
  return planned;
}
