import type { Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../admin/flags.service.ts';
import { FinalRefusal } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import type { Currency, Minor } from '../platform/money.ts';
import type { Write } from '../platform/write.ts';
import { hasCome } from './entitlements/money.ts';
import type { Payment } from './payments.ts';
import { readPayment } from './payments.store.ts';
import type { Owed, Target } from './plans.ts';

/** What is paid for once only, however often and from how many tabs: an order, a session. */
export type Once = Target & { kind: 'order' | 'session' };

/** What its document says of its payment. */
export interface Payable {
  userId: string;
  amountMinor: Minor;
  currency: Currency;
  activePaymentId?: string;
}

/**
 * How it is paid now: while its PaymentIntent is open, whoever asks gets that one; the next attempt is named after the one
 * that Stripe canceled, so that two who start it at once ask Stripe for the same thing.
 */
export async function attemptOf(
  ctx: Context,
  tx: Transaction,
  { kind, id }: Once,
  { activePaymentId }: Payable,
): Promise<Pick<Owed, 'openPaymentId' | 'attempt'>> {
  const active = activePaymentId ? await readPayment(ctx.db, activePaymentId, tx) : undefined;
  return active && active.status !== 'canceled'
    ? { openPaymentId: active.stripePaymentId }
    : { attempt: `${kind}:${id}:${activePaymentId ?? 'first'}` };
}

/** Before a new payment becomes its own: refused while another payment of it can still be paid. */
export async function requireNoOther(
  ctx: Context,
  tx: Transaction,
  { kind, id }: Once,
  { activePaymentId }: Payable,
  { stripePaymentId }: Payment,
): Promise<void> {
  const other = activePaymentId === stripePaymentId ? undefined : activePaymentId;
  if (!other || (await readPayment(ctx.db, other, tx))?.status === 'canceled') return;
  throw new FinalRefusal(
    'failed-precondition',
    kind === 'order' ? 'order-being-paid' : 'session-being-paid',
    `${kind === 'order' ? 'Order' : 'Session'} ${id} is being paid elsewhere.`,
  );
}

/** Why a payment is not what this is paid with; undefined: it is. */
export async function strangeness(
  ctx: Context,
  tx: Transaction,
  kind: Once['kind'],
  payable: Payable | undefined,
  payment: Payment,
): Promise<string | undefined> {
  if (!payable) return `there is no such ${kind}`;
  const { userId, amountMinor, currency } = payable;
  if (userId !== payment.userId) return `the ${kind} is somebody else’s`;
  if (amountMinor !== payment.amountMinor || currency !== payment.currency)
    return `the ${kind} is ${amountMinor} ${currency}, the payment ${payment.amountMinor} ${payment.currency} in minor units`;
  return (await isFree(ctx, tx, payable, payment)) ? undefined : `another payment is the ${kind}’s`;
}

/**
 * Another payment is its own: until it is canceled, when what was paid elsewhere (on a page that was open at the same time)
 * is taken for it.
 */
async function isFree(ctx: Context, tx: Transaction, { activePaymentId }: Payable, payment: Payment): Promise<boolean> {
  if (activePaymentId === payment.stripePaymentId) return true;
  const active = activePaymentId ? await readPayment(ctx.db, activePaymentId, tx) : undefined;
  return (active === undefined || active.status === 'canceled') && hasCome(payment);
}

/** A payment that has come and is not what it says: nothing is marked paid, and a person hears of it. */
export async function planStranger(
  ctx: Context,
  tx: Transaction,
  { kind, id }: Once,
  payment: Payment,
  wrong: string,
): Promise<Write[]> {
  if (!hasCome(payment)) return [];
  return planFlag(ctx, tx, {
    id: `${kind}-payment-differs_${payment.stripePaymentId}`,
    kind: `${kind}-payment-differs`,
    severity: 'critical',
    subject: `${kind}s/${id}`,
    message: `Payment ${payment.stripePaymentId} names ${kind} ${id}, but ${wrong}. The ${kind} was not marked paid.`,
    action: `Compare the payment in the Stripe dashboard with the ${kind}. Refund it, or settle it with the customer.`,
  });
}
