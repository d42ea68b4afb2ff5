import { Timestamp } from 'firebase-admin/firestore';
import type { KeptShare } from '../../ledger/returns.ts';
import { days, hours, minutes } from '../../platform/clock.ts';
import { minor, sum, type Currency, type Minor } from '../../platform/money.ts';
import { keyStillKept } from '../../platform/stripe.ts';
import type { Payment } from '../payments.ts';
import type { Refund } from './refunds.ts';

/**
 * `reversing`: Stripe takes the coach's share of a destination charge back in the same request. `plain`: from the
 * platform's balance alone; the share is taken back afterwards, where there is one. `tenant`: on the connected account.
 */
export type RefundWay = 'reversing' | 'plain' | 'tenant';

/**
 * The coach's share of a refund that did not take it along: `due` when the refund is booked, `ordered` of Stripe, `owed` by
 * the coach while their balance is too small, `done`.
 */
export type Recovery = 'none' | 'due' | 'ordered' | 'owed' | 'done';

/** `refundOrders/{refundId}`: what is asked of Stripe for one refund of ours, written before it is asked. */
export interface RefundOrder {
  refundId: string;
  paymentId: string;
  amountMinor: Minor;
  currency: Currency;
  /** Uid of who asked for it; `stripe`: it was made in Stripe's dashboard, and only the coach's share is ours to see to. */
  by: string;
  /** Uid of the second administrator, above the limit. */
  approvedBy?: string;
  reason?: string;
  way: RefundWay;
  /** Stripe gives the platform's fee back in proportion. */
  refundFee: boolean;
  /** The account of a tenant's charge. */
  stripeAccountId?: string;
  stripeKey: string;
  /** When Stripe was first asked under this key. */
  askedAt?: Timestamp;
  /** Counts the asks; `asking` holds those whose answer has not come, by number. */
  asks: number;
  asking: Record<string, Timestamp>;
  failureCode?: string;
  recovery: Recovery;
  /** The orders in `transfers` that take the coach's share back. */
  recoveryIds: string[];
  /** Taken back for an earlier refund that came to nothing, and used for this one. */
  aheadMinor: Minor;
  /** Of a session cancelled late: what stays, shared like a sale. */
  kept?: KeptShare;
  /** When the sweep looks next; null: nothing is left to do. */
  checkAt: Timestamp | null;
  checks: number;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** What is known of a payment's refunds. */
export interface KnownRefunds {
  refunds: Refund[];
  orders: RefundOrder[];
}

/** The first look at an order that nobody has reported on. */
const firstLookMs = minutes(5);

const keyOf = (refundId: string, way: RefundWay): string => `refund:${refundId}:${way}`;

/**
 * A destination charge's refund takes the share back with it, unless that was done already for a refund that then came to
 * nothing: the money is with the platform.
 */
export function wayOf(payment: Payment, { refunds, orders }: KnownRefunds): RefundWay {
  if (payment.chargeModel === 'direct') return 'tenant';
  if (payment.chargeModel !== 'destination') return 'plain';
  const inVain = refunds.some(({ status }) => status === 'failed') || canceledMinor({ refunds, orders }) > 0;
  return inVain ? 'plain' : 'reversing';
}

export function newOrder(
  payment: Payment,
  known: KnownRefunds,
  order: Pick<RefundOrder, 'refundId' | 'amountMinor' | 'by' | 'approvedBy' | 'reason' | 'kept'>,
  at: Timestamp,
): RefundOrder {
  const way = wayOf(payment, known);
  return {
    ...order,
    paymentId: payment.stripePaymentId,
    currency: payment.currency,
    way,
    refundFee: way !== 'plain' && payment.platformFeeMinor > 0,
    ...(way === 'tenant' && payment.stripeAccountId ? { stripeAccountId: payment.stripeAccountId } : {}),
    stripeKey: keyOf(order.refundId, way),
    asks: 0,
    asking: {},
    recovery: way === 'plain' && payment.coachId ? 'due' : 'none',
    recoveryIds: [],
    aheadMinor: minor(0),
    checkAt: Timestamp.fromMillis(at.toMillis() + firstLookMs),
    checks: 0,
    createdAt: at,
    updatedAt: at,
  };
}

/**
 * Of a refund made in Stripe's dashboard: nothing is asked of Stripe for it, but the coach's share is seen to. Not before the
 * first look, so that who made it there has the time to take the share back by hand.
 */
export function orderAtStripe(
  payment: Payment,
  { refundId, amountMinor }: Pick<Refund, 'refundId' | 'amountMinor'>,
  at: Timestamp,
): RefundOrder {
  const order = newOrder(payment, { refunds: [], orders: [] }, { refundId, amountMinor, by: 'stripe' }, at);
  return { ...order, way: 'plain', refundFee: false, stripeKey: keyOf(refundId, 'plain'), recovery: 'due' };
}

/** `first`: ask. `again`: look for it, then ask under the same key. `look`: the key is forgotten, only look. */
export type AskMode = 'first' | 'again' | 'look';

/** Whether and how to ask Stripe now, and the order as it is written before. Undefined: Stripe has it, or will not. */
export function decideAsk(
  order: RefundOrder,
  refund: Refund,
  now: Timestamp,
): { order: RefundOrder; mode: AskMode } | undefined {
  if (refund.stripeRefundId !== undefined || refund.status === 'refused') return undefined;
  const asks = order.asks + 1;
  const asking = { ...order.asking, [asks]: now };
  if (!order.askedAt) return { order: { ...order, asks, asking, askedAt: now, updatedAt: now }, mode: 'first' };
  const mode = keyStillKept(order.askedAt.toDate(), now.toDate()) ? 'again' : 'look';
  return { order: { ...order, asks, asking, updatedAt: now }, mode };
}

/** An ask has been answered, however. */
export function answered(order: RefundOrder, ask: number): RefundOrder {
  const { [ask]: _, ...asking } = order.asking;
  return { ...order, asking };
}

/** Longer than any call with its retries. */
const inFlightMs = minutes(4);

/**
 * The second way, after a definite refusal of the first. Undefined while another ask of the first may still come
 * through: two ways at once would give the money back twice.
 */
export function withoutReversal(order: RefundOrder, ask: number, code: string, at: Timestamp): RefundOrder | undefined {
  if (order.way !== 'reversing') return undefined;
  const rest = answered(order, ask);
  const flying = Object.values(rest.asking).some((since) => at.toMillis() - since.toMillis() < inFlightMs);
  if (flying) return undefined;
  const { askedAt: _, ...plain } = rest;
  return {
    ...plain,
    asking: {},
    way: 'plain',
    refundFee: false,
    stripeKey: keyOf(order.refundId, 'plain'),
    failureCode: code,
    recovery: 'due',
    updatedAt: at,
  };
}

/** Stripe has it. The sweep looks once whether what it moved is booked: events can be lost. */
export function madeAtStripe(order: RefundOrder, at: Timestamp): RefundOrder {
  const checkAt = Timestamp.fromMillis(at.toMillis() + firstLookMs);
  return { ...order, asking: {}, checkAt, checks: 0, updatedAt: at };
}

/** When the sweep looks next: at an unclear outcome after 5 minutes, an hour and a day; null when nothing is left to do. */
export function nextCheck(order: RefundOrder, refund: Refund, now: Timestamp): Timestamp | null {
  const wait = waitMs(order, refund);
  return wait === null ? null : Timestamp.fromMillis(now.toMillis() + wait);
}

function waitMs({ checks, recovery }: RefundOrder, refund: Refund): number | null {
  if (refund.status === 'refused') return null;
  if (refund.stripeRefundId === undefined) return [firstLookMs, hours(1)][checks] ?? days(1);
  if (recovery === 'due' && refund.status === 'canceled') return null;
  if (recovery === 'due' || recovery === 'ordered') return checks < 12 ? firstLookMs : hours(1);
  return refund.status === 'pending' || recovery === 'owed' ? days(1) : null;
}

/** Shares that Stripe took back for refunds that were canceled before any money moved. */
function canceledMinor({ refunds, orders }: KnownRefunds): Minor {
  const canceled = new Set(refunds.flatMap(({ status, refundId }) => (status === 'canceled' ? [refundId] : [])));
  return sum(
    orders.map(({ refundId, way, amountMinor }) => (canceled.has(refundId) && way === 'reversing' ? amountMinor : 0)),
  );
}

/** What of `neededMinor` was reversed ahead, for a refund that was then canceled, and serves no other one yet. */
export function takenAhead(known: KnownRefunds, neededMinor: Minor): Minor {
  const used = sum(known.orders.map(({ aheadMinor }) => aheadMinor));
  return minor(Math.max(0, Math.min(neededMinor, canceledMinor(known) - used)));
}
