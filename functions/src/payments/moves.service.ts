import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../admin/flags.service.ts';
import type { Context } from '../platform/context.ts';
import { planLetter } from '../platform/mail.ts';
import type { Write } from '../platform/write.ts';
import * as session from '../sessions/pay.service.ts';
import { differenceFrom, type News } from './charged.ts';
import { planEntitlement } from './entitlements/entitlements.service.ts';
import { failedDebitLetter, isDebit, receiptLetter } from './letters.ts';
import * as order from './orders/pay.service.ts';
import { mergeStatus, type Payment } from './payments.ts';
import { updatePayment } from './payments.store.ts';

/** What news change in a payment: nothing where it knows as much already. */
export function newsPatch(payment: Payment, { status: told, charged, failure }: News): Partial<Payment> {
  const status = mergeStatus(payment.status, told);
  const difference = payment.difference ?? (charged && differenceFrom(payment, charged));
  return {
    ...(status === payment.status ? {} : { status }),
    ...(difference === payment.difference ? {} : { difference }),
    ...(status === 'failed' && status !== payment.status && failure?.code ? { failureCode: failure.code } : {}),
    ...(status === 'failed' && status !== payment.status && failure?.message
      ? { failureMessage: failure.message }
      : {}),
  };
}

/**
 * Plans all that follows from news of a payment, from whichever side they come: the payment itself, what it pays for, letters, a
 * flag where something else was charged than was owed. `more` is what the same transaction changes in the payment beside.
 */
export async function planNews(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  news: News,
  more: Partial<Payment> = {},
): Promise<Write[]> {
  const patch = { ...newsPatch(payment, news), ...more };
  if (Object.keys(patch).length === 0) return [];
  const next: Payment = { ...payment, ...patch, updatedAt: Timestamp.fromDate(ctx.clock.now()) };
  return [
    ...(next.difference && next.difference !== payment.difference ? await planDifference(ctx, tx, next) : []),
    ...(await planConsequences(ctx, tx, next)),
    ...lettersFor(ctx, payment, next, news),
    (t) => updatePayment(ctx.db, t, payment.stripePaymentId, { ...patch, updatedAt: next.updatedAt }),
  ];
}

/** In the transaction that writes a new payment: what is paid for once only is this payment's from now on. */
export async function planAttach(ctx: Context, tx: Transaction, payment: Payment): Promise<Write[]> {
  const { orderId, sessionId } = payment;
  if (orderId) return order.planAttach(ctx, tx, orderId, payment);
  return sessionId ? session.planAttach(ctx, tx, sessionId, payment) : [];
}

/** What follows from a payment as it will be, whoever changes it: its order or session, and what its buyer may use. */
export async function planConsequences(ctx: Context, tx: Transaction, next: Payment): Promise<Write[]> {
  return [
    ...(await order.planFollow(ctx, tx, next)),
    ...(await session.planFollow(ctx, tx, next)),
    ...(await planEntitlement(ctx, tx, next.userId, [{ of: 'payment', payment: next }])),
  ];
}

function lettersFor(ctx: Context, before: Payment, after: Payment, { failure }: News): Write[] {
  if (before.status === after.status) return [];
  const id = after.stripePaymentId;
  if (after.status === 'succeeded' && after.receipt === 'letter' && !after.difference)
    return [planLetter(ctx.db, `receipt_${id}`, receiptLetter(after))];
  // A card's refusal is seen at once; a debit fails days after the customer left. Subscriptions write their own letters.
  if (after.status === 'failed' && isDebit(failure?.method) && !after.subscriptionId)
    return [planLetter(ctx.db, `payment-failed_${failure?.chargeId ?? id}`, failedDebitLetter(after))];
  return [];
}

function planDifference(ctx: Context, tx: Transaction, payment: Payment): Promise<Write[]> {
  const id = payment.stripePaymentId;
  return planFlag(ctx, tx, {
    id: `payment-differs_${id}`,
    kind: 'payment-differs',
    severity: 'critical',
    subject: `payments/${id}`,
    message: `What was charged is not what was owed: ${payment.difference ?? ''}. What it pays for was not marked paid.`,
    action: 'Compare the payment in the Stripe dashboard with ours; refund it, or settle it with the customer.',
  });
}
