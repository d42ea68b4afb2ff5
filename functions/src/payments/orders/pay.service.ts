import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../../admin/flags.service.ts';
import { FinalRefusal } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import type { Write } from '../../platform/write.ts';
import type { Payment } from '../payments.ts';
import { readPayment } from '../payments.store.ts';
import type { Owed } from '../plans.ts';
import { readProduct, writeStock } from '../products.store.ts';
import { shareOf } from '../shares.service.ts';
import { effectiveRate } from '../vat.ts';
import { describe, followed, isPaid, type Order, type OrderItem } from './orders.ts';
import * as store from './orders.store.ts';

/**
 * What the caller owes for an order: what it froze when it was made. While its PaymentIntent is open, whoever asks gets
 * that one; the next attempt is named after the one that Stripe canceled, so that two who start it at once ask Stripe
 * for the same thing.
 */
export async function owedForOrder(ctx: Context, tx: Transaction, uid: string, orderId: string): Promise<Owed> {
  const order = await store.readOrder(ctx.db, orderId, tx);
  if (order?.userId !== uid) throw new Refusal('not-found', 'order-not-found', `You have no order ${orderId}.`);
  requirePayable(orderId, order);
  const { activePaymentId, amountMinor, currency, vatLines } = order;
  const active = activePaymentId ? await readPayment(ctx.db, activePaymentId, tx) : undefined;
  const name = describe(order.items);
  // The terms of the order stand; whether the coach takes payments, and where, is asked anew.
  const coach = order.share && {
    ...order.share,
    stripeAccountId: (await shareOf(ctx, tx, order.share.coachId, { name, amountMinor, currency })).stripeAccountId,
  };
  return {
    orderId,
    description: name,
    amountMinor,
    currency,
    vatRate: effectiveRate(vatLines),
    ...(vatLines.length > 1 ? { vatLines } : {}),
    ...(coach ? { coach } : {}),
    ...(active && active.status !== 'canceled'
      ? { openPaymentId: active.stripePaymentId }
      : { attempt: `order:${orderId}:${activePaymentId ?? 'first'}` }),
  };
}

function requirePayable(orderId: string, { status, paymentStatus }: Order): void {
  if (status === 'canceled' && paymentStatus !== 'refunded')
    throw new Refusal('failed-precondition', 'order-canceled', `Order ${orderId} was canceled. Make a new one.`);
  if (isPaid(paymentStatus) || paymentStatus === 'refunded')
    throw new Refusal('already-exists', 'order-paid', `Order ${orderId} is paid already.`);
}

/**
 * In the transaction that writes a new payment: it is the order's from now on. Refused where the order has moved on
 * meanwhile, or another payment of it can still be paid.
 */
export async function planAttach(ctx: Context, tx: Transaction, orderId: string, payment: Payment): Promise<Write[]> {
  const order = await store.readOrder(ctx.db, orderId, tx);
  if (order?.status !== 'open' || isPaid(order.paymentStatus)) {
    throw new FinalRefusal('failed-precondition', 'order-closed', `Order ${orderId} can no longer be paid.`);
  }
  const { activePaymentId } = order;
  const other = activePaymentId === payment.stripePaymentId ? undefined : activePaymentId;
  if (other && (await readPayment(ctx.db, other, tx))?.status !== 'canceled') {
    throw new FinalRefusal('failed-precondition', 'order-being-paid', `Order ${orderId} is being paid elsewhere.`);
  }
  const patch = {
    activePaymentId: payment.stripePaymentId,
    paymentStatus: 'pending' as const,
    updatedAt: Timestamp.fromDate(ctx.clock.now()),
  };
  return [(t) => store.updateOrder(ctx.db, t, orderId, patch)];
}

/**
 * In the transaction that changes a payment: its order follows. `payment` is as it will be. A paid one that is not the
 * order's, or not for what the order says, changes nothing and a person hears of it.
 */
export async function planFollow(ctx: Context, tx: Transaction, payment: Payment): Promise<Write[]> {
  const { orderId, stripePaymentId } = payment;
  if (!orderId) return [];
  const order = await store.readOrder(ctx.db, orderId, tx);
  const wrong = notTheOrders(order, payment) ?? (order && (await takenBy(ctx, tx, order, payment)));
  if (!order || wrong) return hasCome(payment) ? flagStranger(ctx, tx, orderId, payment, wrong) : [];
  const change = followed(order, payment);
  const late = order.status === 'canceled' && hasCome(payment) && order.paymentStatus === 'unpaid';
  const flags = late ? await flagStranger(ctx, tx, orderId, payment, 'it was canceled before it was paid') : [];
  if (!change) return flags;
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  return [
    ...flags,
    ...(change.returnsStock ? await planStockBack(ctx, tx, order.items) : []),
    (t) => store.updateOrder(ctx.db, t, orderId, { ...change.patch, activePaymentId: stripePaymentId, updatedAt }),
  ];
}

const hasCome = ({ status }: Payment): boolean => status !== 'pending' && status !== 'failed' && status !== 'canceled';

function notTheOrders(order: Order | undefined, payment: Payment): string | undefined {
  if (!order) return 'there is no such order';
  if (order.userId !== payment.userId) return 'the order is somebody else’s';
  if (order.amountMinor !== payment.amountMinor || order.currency !== payment.currency)
    return `the order is ${order.amountMinor} ${order.currency}, the payment ${payment.amountMinor} ${payment.currency} in minor units`;
  return undefined;
}

/**
 * Another payment is the order's: until it is canceled, when what was paid elsewhere (on a page that was open at the same
 * time) is taken for it.
 */
async function takenBy(ctx: Context, tx: Transaction, order: Order, payment: Payment): Promise<string | undefined> {
  const { activePaymentId } = order;
  if (activePaymentId === payment.stripePaymentId) return undefined;
  const active = activePaymentId ? await readPayment(ctx.db, activePaymentId, tx) : undefined;
  const free = active === undefined || active.status === 'canceled';
  return free && hasCome(payment) ? undefined : 'another payment is the order’s';
}

function flagStranger(
  ctx: Context,
  tx: Transaction,
  orderId: string,
  payment: Payment,
  wrong: string | undefined,
): Promise<Write[]> {
  return planFlag(ctx, tx, {
    id: `order-payment-differs_${payment.stripePaymentId}`,
    kind: 'order-payment-differs',
    severity: 'critical',
    subject: `orders/${orderId}`,
    message: `Payment ${payment.stripePaymentId} names order ${orderId}, but ${wrong ?? 'they differ'}. The order was not marked paid.`,
    action: 'Compare the payment in the Stripe dashboard with the order. Refund it, or settle it with the customer.',
  });
}

/** What was taken from stock is for sale again; the caller writes to the order that it was given back. */
export async function planStockBack(ctx: Context, tx: Transaction, items: readonly OrderItem[]): Promise<Write[]> {
  const planned = await Promise.all(
    items
      .filter(({ fromStock }) => fromStock)
      .map(async ({ productId, quantity }) => {
        const stock = (await readProduct(ctx.db, productId, tx))?.stock;
        // A product that is gone or no longer counted needs none back.
        return stock === undefined ? [] : [(t: Transaction) => writeStock(ctx.db, t, productId, stock + quantity)];
      }),
  );
  return planned.flat();
}
