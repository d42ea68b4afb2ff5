import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { KeptShare } from '../../ledger/returns.ts';
import type { Context } from '../../platform/context.ts';
import { minor, type Minor } from '../../platform/money.ts';
import type { Write } from '../../platform/write.ts';
import type { Payment } from '../payments.ts';
import { newOrder, type KnownRefunds } from './orders.ts';
import * as logs from './refunds.logs.ts';
import * as store from './refunds.store.ts';
import { leftMinor, newRefund, refundableAmount } from './refunds.ts';

export interface RefundAsk {
  /** Deterministic: what decided it (`refundIdOf`). */
  refundId: string;
  /** All that is left, when not named. */
  amountMinor?: Minor;
  reason?: string;
  /** Uid of who decided it. */
  by: string;
  approvedBy?: string;
  /** Of a session cancelled late: what stays, shared like a sale. */
  kept?: KeptShare;
}

/**
 * Plans a refund, in the transaction that decides it; send it after the commit (`sendRefund`), the sweep makes up for a
 * lost one. Throws Refusal when so much cannot go back.
 */
export async function planRefund(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  ask: RefundAsk,
): Promise<{ amountMinor: Minor; writes: Write[] }> {
  const known = await store.readKnown(ctx.db, tx, payment.stripePaymentId);
  const amountMinor = refundableAmount(payment, known.refunds, ask.amountMinor);
  return { amountMinor, writes: planOfKnown(ctx, payment, known, { ...ask, amountMinor }) };
}

/** What of a payment can still go back, in the transaction that goes on to plan a refund of it. */
export async function refundLeft(ctx: Context, tx: Transaction, payment: Payment): Promise<Minor> {
  const { refunds } = await store.readKnown(ctx.db, tx, payment.stripePaymentId);
  return minor(Math.max(0, leftMinor(payment, refunds)));
}

/** The same for who has read what is known of the payment's refunds in this transaction. */
export function planOfKnown(
  ctx: Context,
  payment: Payment,
  known: KnownRefunds,
  ask: RefundAsk & { amountMinor: Minor },
): Write[] {
  const at = Timestamp.fromDate(ctx.clock.now());
  const { refundId, amountMinor, reason } = ask;
  const refund = newRefund(payment, { refundId, amountMinor, origin: 'product', ...(reason ? { reason } : {}) }, at);
  const order = newOrder(payment, known, ask, at);
  return [
    (tx) => {
      store.createRefund(ctx.db, tx, refund, order);
      logs.planned(ctx.log, refundId, order.paymentId, amountMinor, order.way);
    },
  ];
}
