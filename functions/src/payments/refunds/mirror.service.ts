import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../../admin/audit.service.ts';
import type { FlagInput } from '../../admin/flags.ts';
import { planFlag } from '../../admin/flags.service.ts';
import type { KeptShare } from '../../ledger/returns.ts';
import type { Context } from '../../platform/context.ts';
import { planLetter } from '../../platform/mail.ts';
import type { Write } from '../../platform/write.ts';
import type { Payment } from '../payments.ts';
import { refundFailedLetter } from './letters.ts';
import { madeAtStripe, orderAtStripe, type RefundOrder } from './orders.ts';
import * as flags from './refund-flags.ts';
import * as logs from './refunds.logs.ts';
import * as store from './refunds.store.ts';
import { refundAtStripe, refundMeant, withFacts, type Refund, type RefundFacts } from './refunds.ts';

/**
 * Plans that a payment's `refunds` documents say what Stripe says, and what a refund that failed or was canceled asks of
 * people. Facts in any order, any number of times; a refund made in Stripe's dashboard gets a document of its own.
 */
export async function planRefundMirror(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  facts: readonly RefundFacts[],
): Promise<Write[]> {
  if (facts.length === 0) return [];
  const at = Timestamp.fromDate(ctx.clock.now());
  const { refunds, orders } = await store.readKnown(ctx.db, tx, payment.stripePaymentId);
  const before = new Map(refunds.map((refund) => [refund.refundId, refund]));
  const after = new Map(before);
  const writes: Write[] = [];
  for (const each of facts) {
    const meant = refundMeant([...after.values()], each);
    const next = meant ? withFacts(meant, each, at) : refundAtStripe(payment, each, at);
    after.set(next.refundId, next);
    const named = meant ? undefined : after.get(each.metadata.refundId ?? '');
    if (named) writes.push(...(await planFlag(ctx, tx, flags.refundTwice(named, each))));
  }
  for (const refund of after.values()) {
    const known = before.get(refund.refundId);
    if (refund === known) continue;
    const order = orders.find(({ refundId }) => refundId === refund.refundId);
    writes.push(...(await planChanged(ctx, tx, payment, { known, refund, order, at })));
  }
  return writes;
}

/** Of refunds that cancel a session late: what stays, by Stripe's refund id. */
export async function keptShares(
  ctx: Context,
  tx: Transaction,
  paymentId: string,
  facts: readonly RefundFacts[],
): Promise<Map<string, KeptShare>> {
  const { refunds, orders } = await store.readKnown(ctx.db, tx, paymentId);
  const kept = new Map(orders.flatMap(({ refundId, kept: share }) => (share ? [[refundId, share] as const] : [])));
  return new Map(
    facts.flatMap((each) => {
      const share = kept.get(refundMeant(refunds, each)?.refundId ?? '');
      return share ? [[each.id, share] as const] : [];
    }),
  );
}

interface Change {
  known: Refund | undefined;
  refund: Refund;
  order: RefundOrder | undefined;
  at: Timestamp;
}

async function planChanged(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  { known, refund, order, at }: Change,
): Promise<Write[]> {
  const { refundId, status } = refund;
  const writes: Write[] = [
    (t) => {
      store.writeRefund(ctx.db, t, refund);
      logs.changed(ctx.log, refund);
    },
  ];
  if (order) {
    writes.push((t) => store.writeOrder(ctx.db, t, madeAtStripe(order, at)));
  }
  if (!known) writes.push(auditOf(ctx, refund));
  if (!known && payment.coachId && payment.chargeModel !== 'direct') {
    writes.push((t) => store.writeOrder(ctx.db, t, orderAtStripe(payment, refund, at)));
  }
  const flag = status === known?.status ? undefined : flagFor(refund, order);
  if (flag) writes.push(...(await planFlag(ctx, tx, flag)));
  if (status === 'failed' && known?.status !== 'failed') {
    writes.push(planLetter(ctx.db, `refund-failed_${refundId}`, refundFailedLetter(payment, refund)));
  }
  return writes;
}

function flagFor(refund: Refund, order: RefundOrder | undefined): FlagInput | undefined {
  if (refund.status === 'failed') return flags.refundFailed(refund);
  return refund.status === 'canceled' && order?.way === 'reversing' ? flags.shareTakenInVain(refund) : undefined;
}

/** A refund that somebody made in Stripe's dashboard; who it was, Stripe does not say. */
const auditOf = (ctx: Context, { refundId, paymentId, amountMinor, currency, reason }: Refund): Write =>
  planAudit(ctx, `refund-at-stripe_${refundId}`, {
    by: 'stripe',
    action: 'refund-at-stripe',
    subject: store.refundPath(refundId),
    after: { paymentId, amountMinor, currency },
    ...(reason ? { note: reason } : {}),
  });
