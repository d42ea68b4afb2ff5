import { Timestamp } from 'firebase-admin/firestore';
import { days } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf } from '../../platform/errors.ts';
import { cancelUnpaid } from './cancel.service.ts';
import type { Order } from './orders.ts';
import * as store from './orders.store.ts';

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

async function expire(ctx: Context, id: string, order: Order, now: Date): Promise<boolean> {
  const outcome = await cancelUnpaid(ctx, id);
  if (outcome === 'being-paid') await waitOn(ctx, id, order, now);
  return outcome === 'canceled';
}

function waitOn(ctx: Context, id: string, { activePaymentId }: Order, now: Date): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const current = await store.readOrder(ctx.db, id, tx);
    if (current?.status !== 'open' || current.activePaymentId !== activePaymentId) return;
    const expiresAt = Timestamp.fromMillis(now.getTime() + waitMs);
    store.updateOrder(ctx.db, tx, id, { expiresAt, updatedAt: Timestamp.fromDate(now) });
  });
}
