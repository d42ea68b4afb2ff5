import { Timestamp } from 'firebase-admin/firestore';
import { days } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf } from '../../platform/errors.ts';
import { runWrites } from '../../platform/write.ts';
import { closeIntent } from '../intents.service.ts';
import { onceOfOrder } from '../checkout/checkout.ts';
import { closePages } from '../checkout/pages.service.ts';
import { tenantAccountOf } from '../payments.ts';
import { readPayment } from '../payments.store.ts';
import type { Order } from './orders.ts';
import * as store from './orders.store.ts';
import { planStockBack } from './pay.service.ts';

const perCall = 100;
/** A bank debit takes days to clear; meanwhile the order waits. */
const waitMs = days(1);

/** For the sweep: orders not paid in time are canceled and their goods are for sale again. Returns how many. */
export async function expireOrders(ctx: Context, now: Date): Promise<{ expired: number }> {
  let expired = 0;
  for (const { id, order } of await store.openPast(ctx.db, now, perCall)) {
    try {
      if (await expire(ctx, id, order, now)) expired++;
    } catch (error) {
      ctx.log.warn('order.not-expired', { orderId: id, error: messageOf(error) });
    }
  }
  return { expired };
}

/** First Stripe says that it can no longer be paid, then it is canceled: never the other way round. */
async function expire(ctx: Context, id: string, order: Order, now: Date): Promise<boolean> {
  const { activePaymentId } = order;
  await closePages(ctx, onceOfOrder(id));
  const closed = activePaymentId === undefined || (await isClosed(ctx, activePaymentId));
  return ctx.db.runTransaction(async (tx) => {
    const current = await store.readOrder(ctx.db, id, tx);
    if (current?.status !== 'open' || current.activePaymentId !== activePaymentId) return false;
    const updatedAt = Timestamp.fromDate(now);
    if (!closed) {
      store.updateOrder(ctx.db, tx, id, { expiresAt: Timestamp.fromMillis(now.getTime() + waitMs), updatedAt });
      return false;
    }
    runWrites(tx, current.stock === 'taken' ? await planStockBack(ctx, tx, current.items) : []);
    const stock = current.stock === 'taken' ? 'returned' : current.stock;
    store.updateOrder(ctx.db, tx, id, { status: 'canceled', paymentStatus: 'unpaid', stock, updatedAt });
    return true;
  });
}

async function isClosed(ctx: Context, paymentId: string): Promise<boolean> {
  const payment = await readPayment(ctx.db, paymentId);
  return (await closeIntent(ctx, paymentId, payment && tenantAccountOf(payment))).status === 'canceled';
}
