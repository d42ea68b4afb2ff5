import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { KeptShare } from '../ledger/returns.ts';
import { planReturnCredit } from '../payments/entitlements/entitlements.service.ts';
import type { Payment } from '../payments/payments.ts';
import { readPayment } from '../payments/reads.service.ts';
import { isLive } from '../payments/refunds/refunds.ts';
import { planRefund, readRefund, refundLeft, sendRefund } from '../payments/refunds/refunds.service.ts';
import { planRelease } from '../payments/release.service.ts';
import { releaseShare } from '../payments/release.ts';
import { releaseId } from '../payments/transfers/transfers.ts';
import { readTransfer, sendOrder } from '../payments/transfers/transfers.service.ts';
import type { Context } from '../platform/context.ts';
import { minor, zero, type Minor } from '../platform/money.ts';
import type { Write } from '../platform/write.ts';
import { heldFor, requireBooked, requireUndisputed, settledMinor, splitKept, type CancelDecision } from './life.ts';
import { isPaid, type Cancellation, type Session } from './sessions.ts';

/** The payment whose money a session is about: its own, or the one that bought its credit. */
export async function paymentOf(
  ctx: Context,
  tx: Transaction,
  { paidBy, activePaymentId }: Session,
): Promise<Payment | undefined> {
  const paymentId = paidBy.with === 'credit' ? paidBy.paymentId : activePaymentId;
  return paymentId === undefined ? undefined : readPayment(ctx.db, paymentId, tx);
}

/** Plans that what is held for a session becomes its coach's share and the fee, once. */
export async function planReleaseOf(
  ctx: Context,
  tx: Transaction,
  sessionId: string,
  payment: Payment | undefined,
  grossMinor: Minor | undefined,
): Promise<Write[]> {
  if (!payment || !grossMinor) return [];
  return planRelease(ctx, tx, { sessionId, payment, grossMinor, at: Timestamp.fromDate(ctx.clock.now()) });
}

/** After the commit: the coach's share is sent, where there is one. The sweep makes up for a lost one. */
export async function sendRelease(ctx: Context, sessionId: string): Promise<void> {
  const id = releaseId(sessionId);
  if (await readTransfer(ctx, id)) await sendOrder(ctx, id);
}

/** After the commit that canceled a session. The sweeps make up for what is lost of it. */
export async function sendCancellation(ctx: Context, sessionId: string, { refundId }: Cancellation): Promise<void> {
  // What is kept of a refund is sent when the refund is booked.
  await (refundId ? sendRefund(ctx, refundId) : sendRelease(ctx, sessionId));
}

interface Canceling {
  sessionId: string;
  session: Session;
  /** Uid of who cancels. */
  by: string;
  reason?: string | undefined;
}

const nothing = { refundMinor: zero, keptMinor: zero };

/** Plans what canceling does to money, and says what it was. Throws Refusal. */
export async function planMoneyBack(
  ctx: Context,
  tx: Transaction,
  canceling: Canceling,
  { late, money }: CancelDecision,
): Promise<{ cancellation: Cancellation; writes: Write[] }> {
  if (money.kind === 'none') return { cancellation: { late, ...nothing }, writes: [] };
  const payment = await paymentOf(ctx, tx, canceling.session);
  if (money.kind === 'credit') return planCredit(ctx, tx, canceling, payment, { late, used: money.used });
  if (!payment) throw new Error(`sessions/${canceling.sessionId} is paid and its payment is not there.`);
  requireUndisputed(canceling.sessionId, payment);
  const split = splitKept(await refundLeft(ctx, tx, payment), money.keptPercent);
  return planSplit(ctx, tx, canceling, payment, { late, ...split, refundId: refundIdOf(canceling.sessionId, 1) });
}

const refundIdOf = (sessionId: string, attempt: number): string => `session_${sessionId}_${attempt}`;

/** A credit comes back; used up, its price is shared as if the session had taken place. */
async function planCredit(
  ctx: Context,
  tx: Transaction,
  { sessionId, session }: Canceling,
  payment: Payment | undefined,
  { late, used }: { late: boolean; used: boolean },
): Promise<{ cancellation: Cancellation; writes: Write[] }> {
  if (!used) {
    const writes = await planReturnCredit(ctx, tx, { userId: session.userId, sessionId });
    return { cancellation: { late, ...nothing, credit: 'returned' }, writes };
  }
  const writes = await planReleaseOf(ctx, tx, sessionId, payment, heldFor(sessionId, session, payment));
  return { cancellation: { late, refundMinor: zero, keptMinor: session.amountMinor, credit: 'used' }, writes };
}

/** A part goes back to the customer, and the rest is shared by the same document of the ledger. */
async function planSplit(
  ctx: Context,
  tx: Transaction,
  { sessionId, session, by, reason }: Canceling,
  payment: Payment,
  split: Cancellation & { refundId: string },
): Promise<{ cancellation: Cancellation; writes: Write[] }> {
  const { refundId, ...told } = split;
  if (split.refundMinor === 0) {
    const grossMinor = split.keptMinor > 0 ? heldFor(sessionId, session, payment) : zero;
    return { cancellation: told, writes: await planReleaseOf(ctx, tx, sessionId, payment, grossMinor) };
  }
  const kept = keptOf(sessionId, payment, split.keptMinor);
  const { writes } = await planRefund(ctx, tx, payment, {
    refundId,
    amountMinor: split.refundMinor,
    by,
    reason: reason ?? `Session canceled${split.late ? ' late' : ''}.`,
    ...(kept ? { kept } : {}),
  });
  return { cancellation: split, writes };
}

/** How what is kept is shared; of a tenant's own charge it stays where it is. */
function keptOf(sessionId: string, payment: Payment, keptMinor: Minor): KeptShare | undefined {
  if (keptMinor === 0 || !payment.held) return undefined;
  const held = requireBooked(sessionId, payment);
  const grossMinor = minor(Math.min(settledMinor(payment, keptMinor), held.leftMinor));
  if (grossMinor <= 0) return undefined;
  const { coachMinor, feeMinor } = releaseShare(payment, held, grossMinor);
  return { coachMinor, feeMinor };
}

/**
 * Plans that what a canceled session still owes its customer goes back, where Stripe has definitely not made a refund of it:
 * all that is left but what was kept, which is shared now unless it was. Undefined: nothing is owed.
 */
export async function planBackAnew(
  ctx: Context,
  tx: Transaction,
  canceling: Canceling,
): Promise<{ cancellation: Cancellation; writes: Write[] } | undefined> {
  const { sessionId, session } = canceling;
  const { cancellation, paidBy } = session;
  const payment = await paymentOf(ctx, tx, session);
  if (!cancellation || !payment || paidBy.with === 'credit' || !isPaid(session)) return undefined;
  requireUndisputed(sessionId, payment);
  const before = cancellation.refundId ? await readRefund(ctx, cancellation.refundId, tx) : undefined;
  const refundMinor = minor((await refundLeft(ctx, tx, payment)) - cancellation.keptMinor);
  if (refundMinor <= 0) return undefined;
  const attempt = Number(before?.refundId.split('_').at(-1) ?? 0) + 1;
  const refundId = refundIdOf(sessionId, attempt);
  const isUnmade = before?.status === 'refused' || before?.status === 'canceled';
  const split = { ...cancellation, refundId, refundMinor, keptMinor: isUnmade ? cancellation.keptMinor : zero };
  const { writes } = await planSplit(ctx, tx, canceling, payment, split);
  const goneMinor = before && isLive(before) ? cancellation.refundMinor : zero;
  const { keptMinor } = cancellation;
  return { cancellation: { ...split, refundMinor: minor(goneMinor + refundMinor), keptMinor }, writes };
}
