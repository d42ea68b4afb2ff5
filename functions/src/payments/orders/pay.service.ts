import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { FinalRefusal } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import type { Write } from '../../platform/write.ts';
import { attemptOf, planStranger, requireNoOther, strangeness } from '../once.service.ts';
import type { Payment } from '../payments.ts';
import type { Owed } from '../plans.ts';
import { readProduct, writeStock } from '../products.store.ts';
import { shareOf } from '../shares.service.ts';
import { effectiveRate } from '../vat.ts';
import { describe, followed, isPaid, type Order, type OrderItem } from './orders.ts';
import * as store from './orders.store.ts';

/** What the caller owes for an order: what it froze when it was made. */
export async function owedForOrder(ctx: Context, tx: Transaction, uid: string, orderId: string): Promise<Owed> {
  const order = await store.readOrder(ctx.db, orderId, tx);
  if (order?.userId !== uid) throw new Refusal('not-found', 'order-not-found', `You have no order ${orderId}.`);
  requirePayable(orderId, order);
  const { amountMinor, currency, vatLines } = order;
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
    ...(await attemptOf(ctx, tx, { kind: 'order', id: orderId }, order)),
  };
}

function requirePayable(orderId: string, { status, paymentStatus, closing }: Order): void {
  if (isPaid(paymentStatus) || paymentStatus === 'refunded')
    throw new Refusal('already-exists', 'order-paid', `Order ${orderId} is paid already.`);
  if (closing || status === 'canceled')
    throw new Refusal('failed-precondition', 'order-canceled', `Order ${orderId} was canceled. Make a new one.`);
}

/**
 * In the transaction that writes a new payment: it is the order's from now on. Refused where the order has moved on
 * meanwhile, or another payment of it can still be paid.
 */
export async function planAttach(ctx: Context, tx: Transaction, orderId: string, payment: Payment): Promise<Write[]> {
  const order = await store.readOrder(ctx.db, orderId, tx);
  if (order?.status !== 'open' || order.closing || isPaid(order.paymentStatus)) {
    throw new FinalRefusal('failed-precondition', 'order-closed', `Order ${orderId} can no longer be paid.`);
  }
  await requireNoOther(ctx, tx, { kind: 'order', id: orderId }, order, payment);
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
  const which = { kind: 'order', id: orderId } as const;
  const order = await store.readOrder(ctx.db, orderId, tx);
  const wrong = await strangeness(ctx, tx, 'order', order, payment);
  if (!order || wrong) return planStranger(ctx, tx, which, payment, wrong ?? 'they differ');
  const change = followed(order, payment);
  const late = order.status === 'canceled' && order.paymentStatus === 'unpaid';
  const flags = late ? await planStranger(ctx, tx, which, payment, 'it was canceled before it was paid') : [];
  if (!change) return flags;
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  return [
    ...flags,
    ...(change.returnsStock ? await planStockBack(ctx, tx, order.items) : []),
    (t) => store.updateOrder(ctx.db, t, orderId, { ...change.patch, activePaymentId: stripePaymentId, updatedAt }),
  ];
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
