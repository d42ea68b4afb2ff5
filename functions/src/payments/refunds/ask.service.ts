import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf } from '../../platform/errors.ts';
import { askOrFind, classifyStripeError, idOf, type StripeFailure } from '../../platform/stripe.ts';
import { runWrites } from '../../platform/write.ts';
import { bookAftermathOf } from '../aftermath/aftermath.service.ts';
import { readPayment } from '../payments.store.ts';
import { planRefundMirror } from './mirror.service.ts';
import { answered, decideAsk, withoutReversal, type AskMode, type RefundOrder } from './orders.ts';
import * as flags from './refund-flags.ts';
import * as logs from './refunds.logs.ts';
import * as store from './refunds.store.ts';
import type { RefundFacts, StripeRefundStatus } from './refunds.ts';
import { takeShareBack } from './take-back.service.ts';

/** The first way, and after its definite refusal the second. */
const mostWays = 2;

/**
 * Asks Stripe for a planned refund and records the answer. Safe to call any number of times, at once, and after a crash
 * at any point: everyone asks the same under the same key. What is not settled by it is left to the sweep.
 */
export async function sendRefund(ctx: Context, refundId: string): Promise<void> {
  for (let way = 1; way <= mostWays; way++) {
    const noted = await noteAsking(ctx, refundId);
    if (!noted) break;
    logs.asking(ctx.log, refundId, noted.order.way, noted.mode);
    const next = await askOnce(ctx, noted.order, noted.mode);
    if (next !== 'another-way') break;
  }
  await takeShareBack(ctx, refundId);
}

/** Written before Stripe is asked: from now on the refund may exist. */
function noteAsking(ctx: Context, refundId: string): Promise<{ order: RefundOrder; mode: AskMode } | undefined> {
  return ctx.db.runTransaction(async (tx) => {
    const order = await store.readOrder(ctx.db, refundId, tx);
    const refund = await store.readRefund(ctx.db, refundId, tx);
    if (!order || !refund) throw new Error(`refunds/${refundId} is to be made but does not exist.`);
    const decided = decideAsk(order, refund, Timestamp.fromDate(ctx.clock.now()));
    if (decided) store.writeOrder(ctx.db, tx, decided.order);
    return decided;
  });
}

async function askOnce(ctx: Context, order: RefundOrder, mode: AskMode): Promise<'another-way' | undefined> {
  let made: Stripe.Refund | undefined;
  try {
    made = await askStripe(ctx, order, mode);
  } catch (error) {
    return settleFailure(ctx, order, classifyStripeError(error));
  }
  if (made) await record(ctx, order, made);
  else await close(ctx, order, 'never_created', 'A day after it was asked for with no clear answer, Stripe has none.');
  return undefined;
}

/** Undefined: the key is forgotten and Stripe has no such refund. */
async function askStripe(ctx: Context, order: RefundOrder, mode: AskMode): Promise<Stripe.Refund | undefined> {
  const find = () => findAtStripe(ctx, order);
  const found = mode === 'first' ? undefined : await find();
  if (found || mode === 'look') return found;
  const stripe = await ctx.stripe();
  return askOrFind(
    () =>
      stripe.refunds.create(
        {
          payment_intent: order.paymentId,
          amount: order.amountMinor,
          ...(order.way === 'reversing' ? { reverse_transfer: true } : {}),
          ...(order.refundFee ? { refund_application_fee: true } : {}),
          metadata: { refundId: order.refundId, ...(order.reason ? { reason: order.reason } : {}) },
        },
        { idempotencyKey: order.stripeKey, ...accountOf(order) },
      ),
    find,
  );
}

const accountOf = ({ stripeAccountId }: RefundOrder): { stripeAccount?: string } =>
  stripeAccountId ? { stripeAccount: stripeAccountId } : {};

/** The payment's refund at Stripe that carries our id, if there is one. */
async function findAtStripe(ctx: Context, order: RefundOrder): Promise<Stripe.Refund | undefined> {
  const stripe = await ctx.stripe();
  const list = stripe.refunds.list({ payment_intent: order.paymentId, limit: 100 }, accountOf(order));
  for await (const one of list) if (one.metadata?.refundId === order.refundId) return one;
  return undefined;
}

/**
 * Stripe has it: our document says so at once. What it moved is booked by Stripe's events, which are on their way and would
 * only wait for each other and for us; but the coach's share, where it is still to be taken back, is not left waiting.
 */
async function record(ctx: Context, order: RefundOrder, made: Stripe.Refund): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    const payment = await readPayment(ctx.db, order.paymentId, tx);
    if (!payment) throw new Error(`payments/${order.paymentId} is gone after a refund of it.`);
    runWrites(tx, await planRefundMirror(ctx, tx, payment, [factsOf(made)]));
  });
  const chargeId = idOf(made.charge);
  if (!chargeId || order.recovery !== 'due') return;
  try {
    await bookAftermathOf(ctx, { chargeId, tenantAccountId: order.stripeAccountId });
  } catch (error) {
    logs.bookedLater(ctx.log, order.refundId, messageOf(error));
  }
}

const statuses: readonly string[] = ['pending', 'succeeded', 'failed', 'canceled'] satisfies StripeRefundStatus[];

function factsOf(refund: Stripe.Refund): RefundFacts {
  const { id, status, amount, currency, reason, failure_reason, created, metadata } = refund;
  return {
    id,
    // `requires_action` waits for the customer: nothing has moved yet.
    status: statuses.includes(status ?? '') ? (status as StripeRefundStatus) : 'pending',
    amountMinor: amount,
    currency,
    reason,
    failureReason: failure_reason ?? null,
    createdMs: created * 1000,
    metadata: { ...metadata },
  };
}

async function settleFailure(
  ctx: Context,
  order: RefundOrder,
  failure: StripeFailure,
): Promise<'another-way' | undefined> {
  const { code, message } = failure;
  // It did not start; the sweep asks again under the same key.
  if (failure.kind === 'busy') {
    logs.busy(ctx.log, order.refundId, code);
    await noteAnswered(ctx, order);
    return undefined;
  }
  // A key used with other parameters says nothing about what happened under it before.
  if (failure.kind !== 'refused' || code === 'StripeIdempotencyError') return markUnknown(ctx, order, code, message);
  // An earlier ask under this key may have come through although this one is refused: look before going on.
  const found = await findAtStripe(ctx, order).catch(() => 'unclear' as const);
  if (found === 'unclear') return markUnknown(ctx, order, code, message);
  if (found) {
    await record(ctx, order, found);
    return undefined;
  }
  if (order.way === 'reversing' && code === 'balance_insufficient') return goWithoutReversal(ctx, order, code);
  await close(ctx, order, code, message);
  return undefined;
}

function noteAnswered(ctx: Context, { refundId, asks }: RefundOrder): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const order = await store.readOrder(ctx.db, refundId, tx);
    if (order) store.writeOrder(ctx.db, tx, answered(order, asks));
  });
}

async function markUnknown(ctx: Context, { refundId }: RefundOrder, code: string, message: string): Promise<undefined> {
  logs.unclear(ctx.log, refundId, code, message);
  await ctx.db.runTransaction(async (tx) => {
    const refund = await store.readRefund(ctx.db, refundId, tx);
    // An event may have told the outcome meanwhile.
    if (!refund || refund.stripeRefundId !== undefined || refund.status !== 'pending') return;
    store.writeRefund(ctx.db, tx, { ...refund, status: 'unknown', updatedAt: Timestamp.fromDate(ctx.clock.now()) });
  });
}

/** The coach's balance is too small: the customer gets their money all the same, and the coach owes the share. */
function goWithoutReversal(
  ctx: Context,
  { refundId, asks, way }: RefundOrder,
  code: string,
): Promise<'another-way' | undefined> {
  return ctx.db.runTransaction(async (tx) => {
    const order = await store.readOrder(ctx.db, refundId, tx);
    if (order?.way !== way) return undefined;
    const at = Timestamp.fromDate(ctx.clock.now());
    const plain = withoutReversal(order, asks, code, at);
    store.writeOrder(ctx.db, tx, plain ?? answered(order, asks));
    if (!plain) return undefined;
    logs.withoutReversal(ctx.log, refundId, code);
    return 'another-way';
  });
}

/** Definitely not made: the amount may be refunded anew. */
async function close(ctx: Context, { refundId, asks, way }: RefundOrder, code: string, message: string): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    const order = await store.readOrder(ctx.db, refundId, tx);
    const refund = await store.readRefund(ctx.db, refundId, tx);
    if (order?.way !== way || !refund || refund.stripeRefundId !== undefined || refund.status === 'refused') return;
    const at = Timestamp.fromDate(ctx.clock.now());
    const flagged = await planFlag(ctx, tx, flags.refundRefused(refund, code, message));
    store.writeRefund(ctx.db, tx, { ...refund, status: 'refused', updatedAt: at });
    const closed = { ...answered(order, asks), failureCode: code, recovery: 'none' as const, checkAt: null };
    store.writeOrder(ctx.db, tx, { ...closed, updatedAt: at });
    runWrites(tx, flagged);
    logs.refused(ctx.log, refundId, code, message);
  });
}
