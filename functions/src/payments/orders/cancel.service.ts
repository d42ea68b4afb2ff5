import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../../admin/audit.service.ts';
import type { Caller } from '../../platform/auth.ts';
import { FinalRefusal, runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { runWrites } from '../../platform/write.ts';
import { onceOfOrder } from '../checkout/checkout.ts';
import { closePages } from '../checkout/pages.service.ts';
import { closeIntent } from '../intents.service.ts';
import { tenantAccountOf } from '../payments.ts';
import { readPayment } from '../payments.store.ts';
import { isPaid, type Order } from './orders.ts';
import * as store from './orders.store.ts';
import { planStockBack } from './pay.service.ts';

export interface CancelOrderInput {
  orderId: string;
  requestId: string;
}

export interface CancelOrderReply {
  orderId: string;
  status: 'canceled';
  paymentStatus: 'unpaid';
}

/** What was decided when the command was accepted. */
export interface CancelOrderPlan {
  orderId: string;
}

export const cancelOrderCommand = 'cancelOrder';

/** Cancels an order that is not paid: customers their own, administrators any. Canceled before, the same answer. */
export async function cancelOrder(
  ctx: Context,
  caller: Caller,
  { orderId, requestId }: CancelOrderInput,
): Promise<CancelOrderReply> {
  return runCommand<CancelOrderPlan, CancelOrderReply>(ctx, {
    command: cancelOrderCommand,
    uid: caller.uid,
    requestId,
    input: { orderId },
    plan: (tx) => planCancel(ctx, tx, caller, orderId),
    execute: (plan) => executeCancelOrder(ctx, plan),
  });
}

async function planCancel(ctx: Context, tx: Transaction, caller: Caller, orderId: string): Promise<CancelOrderPlan> {
  const order = await store.readOrder(ctx.db, orderId, tx);
  const own = order?.userId === caller.uid;
  // One that is not there is refused like somebody else's.
  if (!order || (!own && !caller.admin))
    throw new Refusal('not-found', 'order-not-found', `You have no order ${orderId}.`);
  requireUnpaid(orderId, order);
  if (!own) {
    const entry = { by: caller.uid, action: cancelOrderCommand, subject: store.orderPath(orderId) };
    planAudit(ctx, `${cancelOrderCommand}_${orderId}`, { ...entry, before: { status: order.status } })(tx);
  }
  return { orderId };
}

function requireUnpaid(orderId: string, { paymentStatus }: Order): void {
  if (!isPaid(paymentStatus) && paymentStatus !== 'refunded') return;
  throw new FinalRefusal(
    'failed-precondition',
    'order-paid',
    `Order ${orderId} is paid and cannot be canceled. Ask for a refund.`,
  );
}

/** News of its payments come while it is canceled, and again. */
const mostTries = 3;

/** Safe to run any number of times; the sweep runs it again after a crash. A payment that was faster wins. */
export async function executeCancelOrder(ctx: Context, { orderId }: CancelOrderPlan): Promise<CancelOrderReply> {
  for (let tries = 0; tries < mostTries; tries++) {
    const outcome = await cancelUnpaid(ctx, orderId);
    if (outcome === 'being-paid') throw beingPaid(orderId);
    if (outcome === 'canceled') return { orderId, status: 'canceled', paymentStatus: 'unpaid' };
    const order = await store.readOrder(ctx.db, orderId);
    if (order) requireUnpaid(orderId, order);
  }
  throw new Refusal('aborted', 'order-changed', 'The order changed meanwhile. Try again with the same requestId.');
}

const beingPaid = (orderId: string): Refusal =>
  new FinalRefusal(
    'failed-precondition',
    'order-being-paid',
    `Order ${orderId} was just paid, or its payment is under way. Once it is paid, ask for a refund.`,
  );

/** `being-paid`: Stripe no longer cancels its payment. `changed`: look again. */
export type CancelOutcome = 'canceled' | 'being-paid' | 'changed';

/**
 * First nobody begins to pay it any more (`closing`), then Stripe says that what was begun can no longer be paid, then it
 * is canceled and its goods are for sale again: never in another order.
 */
export async function cancelUnpaid(ctx: Context, id: string): Promise<CancelOutcome> {
  const order = await beginClosing(ctx, id);
  if (order?.status === 'canceled') return 'canceled';
  if (order?.status !== 'open') return 'changed';
  const { activePaymentId } = order;
  await closePages(ctx, onceOfOrder(id));
  const closed = activePaymentId === undefined || (await isClosed(ctx, activePaymentId));
  return ctx.db.runTransaction(async (tx) => {
    const current = await store.readOrder(ctx.db, id, tx);
    const updatedAt = Timestamp.fromDate(ctx.clock.now());
    if (current?.status !== 'open' || current.activePaymentId !== activePaymentId) return 'changed';
    if (!closed) {
      store.updateOrder(ctx.db, tx, id, { closing: false, updatedAt });
      return 'being-paid';
    }
    runWrites(tx, current.stock === 'taken' ? await planStockBack(ctx, tx, current.items) : []);
    const stock = current.stock === 'taken' ? 'returned' : current.stock;
    const ended = { status: 'canceled', paymentStatus: 'unpaid', closing: false } as const;
    store.updateOrder(ctx.db, tx, id, { ...ended, stock, updatedAt });
    return 'canceled';
  });
}

/** Whoever begins to pay it writes so and then sees this, or wrote so before and is seen by what follows. */
function beginClosing(ctx: Context, id: string): Promise<Order | undefined> {
  return ctx.db.runTransaction(async (tx) => {
    const order = await store.readOrder(ctx.db, id, tx);
    if (order?.status === 'open' && !order.closing) {
      store.updateOrder(ctx.db, tx, id, { closing: true, updatedAt: Timestamp.fromDate(ctx.clock.now()) });
    }
    return order;
  });
}

async function isClosed(ctx: Context, paymentId: string): Promise<boolean> {
  const payment = await readPayment(ctx.db, paymentId);
  return (await closeIntent(ctx, paymentId, payment && tenantAccountOf(payment))).status === 'canceled';
}
