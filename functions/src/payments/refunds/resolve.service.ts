import { Timestamp } from 'firebase-admin/firestore';
import type { FlagInput } from '../../admin/flags.ts';
import { planFlag } from '../../admin/flags.service.ts';
import { days } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf } from '../../platform/errors.ts';
import { runWrites } from '../../platform/write.ts';
import { bookAftermathOf } from '../aftermath/aftermath.service.ts';
import { readPayment } from '../payments.store.ts';
import { sendRefund } from './ask.service.ts';
import { nextCheck, type RefundOrder } from './orders.ts';
import * as flags from './refund-flags.ts';
import * as logs from './refunds.logs.ts';
import * as store from './refunds.store.ts';
import type { Refund } from './refunds.ts';

/** One sweep's share; the rest waits five minutes. */
const sweepLimit = 50;
/** Patience with an outcome nobody knows and with a refund that is not booked. */
const patienceMs = days(1);

/**
 * For the sweep: asks for refunds that were planned and never asked, finds out what became of unclear ones, looks at those
 * under way, and takes back the coach's share. One that fails holds up no other.
 */
export async function resolveRefunds(ctx: Context, now: Date, limit = sweepLimit): Promise<{ looked: number }> {
  const due = await store.dueChecks(ctx.db, Timestamp.fromDate(now), limit);
  for (const refundId of due) {
    try {
      await look(ctx, refundId);
      await sendRefund(ctx, refundId);
    } catch (error) {
      logs.checkFailed(ctx.log, refundId, messageOf(error));
    }
    await noteLooked(ctx, refundId, now);
  }
  return { looked: due.length };
}

/** What Stripe has is looked up and booked, in case its events were lost. */
async function look(ctx: Context, refundId: string): Promise<void> {
  const refund = await store.readRefund(ctx.db, refundId);
  const payment = refund?.stripeRefundId ? await readPayment(ctx.db, refund.paymentId) : undefined;
  if (!payment?.stripeChargeId) return;
  const tenantAccountId = payment.chargeModel === 'direct' ? payment.stripeAccountId : undefined;
  await bookAftermathOf(ctx, { chargeId: payment.stripeChargeId, tenantAccountId });
}

function noteLooked(ctx: Context, refundId: string, now: Date): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const order = await store.readOrder(ctx.db, refundId, tx);
    const refund = await store.readRefund(ctx.db, refundId, tx);
    if (!order || !refund) return;
    const flag = now.getTime() - order.createdAt.toMillis() > patienceMs ? flagFor(order, refund) : undefined;
    const flagged = flag ? await planFlag(ctx, tx, flag) : [];
    const looked: RefundOrder = { ...order, checks: order.checks + 1 };
    // The wait is by how often it was looked before: five minutes, then an hour, then a day.
    store.writeOrder(ctx.db, tx, { ...looked, checkAt: nextCheck(looked, refund, Timestamp.fromDate(now)) });
    runWrites(tx, flagged);
  });
}

function flagFor({ recovery }: RefundOrder, refund: Refund): FlagInput | undefined {
  if (refund.status === 'refused') return undefined;
  if (refund.stripeRefundId === undefined) return flags.stillUnknown(refund);
  return recovery === 'due' && refund.status !== 'canceled' ? flags.notBooked(refund) : undefined;
}
