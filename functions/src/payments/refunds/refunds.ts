import { createHash } from 'node:crypto';
import { Timestamp } from 'firebase-admin/firestore';
import { Refusal } from '../../platform/errors.ts';
import {
  formatMoney,
  fromStripeCurrency,
  minor,
  sum,
  toMajor,
  type Currency,
  type Minor,
} from '../../platform/money.ts';
import type { Payment } from '../payments.ts';

/** Stripe's words for a refund, ranked: news merge in any order to the highest. */
export type StripeRefundStatus = 'pending' | 'succeeded' | 'failed' | 'canceled';

/** Before Stripe has it: `pending` is to be asked, `unknown` was asked with no clear answer, `refused` will not be. */
export type RefundStatus = StripeRefundStatus | 'unknown' | 'refused';

/** `refunds/{refundId}`: what the customer may see of money that goes back. How it is done is in `refundOrders`. */
export interface Refund {
  /** Ours: made from the command. Of a refund made in Stripe's dashboard: Stripe's own id. */
  refundId: string;
  paymentId: string;
  userId: string;
  coachId?: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  status: RefundStatus;
  /** `stripe`: made there by hand, not by this product. */
  origin: 'product' | 'stripe';
  stripeRefundId?: string;
  reason?: string;
  /** Stripe's word for why the customer's bank did not take it. */
  failureReason?: string;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** What Stripe says of one refund. Plain JSON. */
export interface RefundFacts {
  id: string;
  status: StripeRefundStatus;
  amountMinor: number;
  /** As Stripe writes it, "sek". */
  currency: string;
  reason: string | null;
  failureReason?: string | null;
  createdMs: number;
  metadata: Record<string, string>;
}

/** The id follows from the command, so that a repeated one finds its refund. */
export function refundIdOf(command: { uid: string; requestId: string }): string {
  return `rf_${createHash('sha256').update(`${command.uid}\n${command.requestId}`).digest('hex').slice(0, 32)}`;
}

export function newRefund(
  payment: Payment,
  refund: Pick<Refund, 'refundId' | 'amountMinor' | 'origin'> & { reason?: string },
  at: Timestamp,
): Refund {
  const { currency } = payment;
  return {
    ...refund,
    paymentId: payment.stripePaymentId,
    userId: payment.userId,
    ...(payment.coachId ? { coachId: payment.coachId } : {}),
    amount: toMajor(refund.amountMinor, currency),
    currency,
    status: 'pending',
    createdAt: at,
    updatedAt: at,
  };
}

/** Failed after canceled is arbitrary; that it is always the same is not. What only we say ranks below all of Stripe's. */
const rank: Record<RefundStatus, number> = {
  unknown: 0,
  refused: 0,
  pending: 1,
  succeeded: 2,
  canceled: 3,
  failed: 4,
};

/** The refund with what Stripe says of it, in any order and any number of times. The same object: nothing is new. */
export function withFacts(refund: Refund, facts: RefundFacts, at: Timestamp): Refund {
  const known = refund.stripeRefundId !== undefined;
  const status = known && rank[refund.status] >= rank[facts.status] ? refund.status : facts.status;
  const reason = refund.reason ?? facts.metadata.reason ?? facts.reason ?? undefined;
  const failureReason = refund.failureReason ?? facts.failureReason ?? undefined;
  const same = known && status === refund.status && reason === refund.reason && failureReason === refund.failureReason;
  if (same) return refund;
  return {
    ...refund,
    stripeRefundId: facts.id,
    status,
    ...(reason ? { reason } : {}),
    ...(failureReason ? { failureReason } : {}),
    updatedAt: at,
  };
}

/** A refund made in Stripe's dashboard, as a document of its own. */
export function refundAtStripe(payment: Payment, facts: RefundFacts, at: Timestamp): Refund {
  const made = newRefund(
    { ...payment, currency: fromStripeCurrency(facts.currency) },
    { refundId: facts.id, amountMinor: minor(facts.amountMinor), origin: 'stripe' },
    Timestamp.fromMillis(facts.createdMs),
  );
  return withFacts(made, facts, at);
}

/**
 * Which of a payment's refunds Stripe speaks of: the one it is known to be, or ours that still waits for one and is named
 * in the metadata with the same amount. Undefined: none of them. Metadata can be edited by hand, so it is not believed
 * against what is known.
 */
export function refundMeant(known: readonly Refund[], facts: RefundFacts): Refund | undefined {
  return (
    known.find(({ stripeRefundId }) => stripeRefundId === facts.id) ??
    known.find(
      ({ refundId, stripeRefundId, amountMinor }) =>
        refundId === facts.metadata.refundId && stripeRefundId === undefined && amountMinor === facts.amountMinor,
    )
  );
}

/** It went back, is on its way, or may be. */
export const isLive = ({ status }: Pick<Refund, 'status'>): boolean =>
  status === 'pending' || status === 'succeeded' || status === 'unknown';

/** What has gone back, is on its way or may be. */
export const liveMinor = (refunds: readonly Refund[]): Minor =>
  sum(refunds.filter(isLive).map(({ amountMinor }) => amountMinor));

/** What can still go back: nothing that may be under way is counted twice. */
export function leftMinor(payment: Payment, refunds: readonly Refund[]): Minor {
  return minor(payment.amountMinor - Math.max(liveMinor(refunds), payment.refundedMinor));
}

/** How much goes back: what was asked for, or all that is left. Throws Refusal. */
export function refundableAmount(payment: Payment, refunds: readonly Refund[], asked: number | undefined): Minor {
  const refused = (reason: string, message: string, details: Record<string, number> = {}) =>
    new Refusal('failed-precondition', reason, message, details);
  const { status } = payment;
  if (status === 'pending' || status === 'failed' || status === 'canceled') {
    throw refused('payment-not-paid', `This payment is ${status}: there is nothing to give back.`);
  }
  if (status === 'disputed' || (payment.disputedMinor ?? 0) > 0) {
    throw refused('payment-disputed', 'The customer’s bank has the money while it is disputed. Answer the dispute.');
  }
  const left = leftMinor(payment, refunds);
  if (left <= 0) throw refused('already-refunded', 'All of this payment has gone back, or is on its way.');
  if (asked === undefined) return left;
  if (!Number.isSafeInteger(asked) || asked <= 0) {
    throw new Refusal('invalid-argument', 'refund-amount-not-positive', 'Name a whole number of minor units above 0.');
  }
  if (asked > left) {
    const most = formatMoney(left, payment.currency);
    throw refused('refund-exceeds-payment', `At most ${most} of this payment can go back.`, { leftMinor: left });
  }
  return minor(asked);
}
