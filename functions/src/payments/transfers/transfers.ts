import { Timestamp } from 'firebase-admin/firestore';
import { days, hours, minutes } from '../../platform/clock.ts';
import type { Currency, Minor } from '../../platform/money.ts';
import { keyStillKept } from '../../platform/stripe.ts';

/**
 * `unknown`: asked with no clear answer. `refused`: Stripe said no; it is asked for anew, as another attempt, every day.
 * `canceled`: there is nothing left to take back.
 */
export type TransferStatus = 'planned' | 'unknown' | 'done' | 'refused' | 'canceled';

interface Order {
  coachId: string;
  stripeAccountId: string;
  paymentId: string;
  sessionId?: string;
  amountMinor: Minor;
  currency: Currency;
}

/** Money from a charge of the platform's to a coach's Stripe balance. */
export interface TransferOrder extends Order {
  /** Deterministic: what decided it (`shareId`, `releaseId`). One id moves money once. */
  id: string;
  /**
   * The charge whose money it is; Stripe lets it go when the charge's money is there. Without one it comes from what the
   * platform has: a share that is sent again after a dispute was won.
   */
  sourceChargeId?: string;
}

/** Money back from a coach's Stripe balance. */
export interface TakeBackOrder extends Order {
  id: string;
  /** The transfer it is taken from: Stripe's `tr_…`, or our order that may not be done yet; then it waits for that. */
  of: { stripeTransferId: string } | { orderId: string };
  /** Gives the platform's fee back with it, in proportion (destination charges only). */
  refundFee?: boolean;
}

interface Life {
  status: TransferStatus;
  /** Counts from 1; Stripe is asked anew only after it has refused. */
  attempt: number;
  stripeKey: string;
  /** When Stripe was first asked under this key. */
  askedAt?: Timestamp;
  /** When the sweep looks next; null: never again. */
  checkAt: Timestamp | null;
  checks: number;
  failureCode?: string;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** `transfers/{id}`. */
export type Transfer = Order &
  Life &
  (
    | { kind: 'transfer'; sourceChargeId?: string; stripeTransferId?: string }
    | {
        kind: 'reversal';
        /** The transfer it takes back; known at the latest when Stripe is asked. */
        ofTransferId?: string;
        ofOrderId?: string;
        refundFee?: boolean;
        stripeReversalId?: string;
      }
  );

export type OutgoingTransfer = Extract<Transfer, { kind: 'transfer' }>;
export type TakeBack = Extract<Transfer, { kind: 'reversal' }>;

/** The order that sends a coach's share of a payment. */
export const shareId = (paymentId: string): string => `share_${paymentId}`;
/** The order that sends a coach's share of a completed session. */
export const releaseId = (sessionId: string): string => `session_${sessionId}`;

/** The first look at an order whose sending nobody has reported on. */
const firstLookMs = minutes(5);
/** A refused order is asked for anew. */
const retryMs = days(1);

const later = (at: Timestamp, milliseconds: number): Timestamp => Timestamp.fromMillis(at.toMillis() + milliseconds);

const keyOf = (id: string, attempt: number): string => `transfer:${id}:${attempt}`;

function life(id: string, at: Timestamp): Life {
  const checkAt = later(at, firstLookMs);
  return {
    status: 'planned',
    attempt: 1,
    stripeKey: keyOf(id, 1),
    checkAt,
    checks: 0,
    createdAt: at,
    updatedAt: at,
  };
}

export function newTransfer({ id, ...order }: TransferOrder, at: Timestamp): Transfer {
  return { kind: 'transfer', ...order, ...life(id, at) };
}

export function newTakeBack({ id, of, ...order }: TakeBackOrder, at: Timestamp): Transfer {
  const taken = 'orderId' in of ? { ofOrderId: of.orderId } : { ofTransferId: of.stripeTransferId };
  return { kind: 'reversal', ...order, ...taken, ...life(id, at) };
}

/** `first`: ask. `again`: look for it, then ask under the same key. `look`: the key is forgotten, only look. */
export type AskMode = 'first' | 'again' | 'look';

/** Whether and how to ask Stripe for an order now, and the order as it is written before. Undefined: there is nothing to ask. */
export function decideAsk(
  id: string,
  order: Transfer,
  now: Timestamp,
  retry: boolean,
): { order: Transfer; mode: AskMode } | undefined {
  if (order.status === 'done' || order.status === 'canceled') return undefined;
  if (order.status === 'refused') {
    if (!retry) return undefined;
    const attempt = order.attempt + 1;
    const anew = { attempt, stripeKey: keyOf(id, attempt), status: 'planned' as const, askedAt: now, updatedAt: now };
    const checkAt = later(now, firstLookMs);
    return { order: { ...order, ...anew, checkAt }, mode: 'again' };
  }
  if (!order.askedAt) return { order: { ...order, askedAt: now, updatedAt: now }, mode: 'first' };
  return { order, mode: keyStillKept(order.askedAt.toDate(), now.toDate()) ? 'again' : 'look' };
}

/** Stripe has said no to this attempt. What another attempt did since stands. */
export function refused(order: Transfer, attempt: number, code: string, at: Timestamp): Transfer {
  if (order.attempt !== attempt || order.status === 'done' || order.status === 'canceled') return order;
  return { ...order, status: 'refused', failureCode: code, checkAt: later(at, retryMs), updatedAt: at };
}

export function unclear(order: Transfer, attempt: number, at: Timestamp): Transfer {
  if (order.attempt !== attempt || order.status !== 'planned') return order;
  return { ...order, status: 'unknown', updatedAt: at };
}

/** The sweep has looked: an open order is looked at after five minutes, an hour and a day, then every day. */
export function looked(order: Transfer, at: Timestamp): Transfer {
  if (order.status !== 'planned' && order.status !== 'unknown') return order;
  const waits = [firstLookMs, hours(1)];
  return { ...order, checks: order.checks + 1, checkAt: later(at, waits[order.checks] ?? days(1)), updatedAt: at };
}

/** Nothing has moved under it and nothing will: Stripe has refused it, or was not asked yet. */
export const isIdle = ({ status, askedAt }: Transfer): boolean =>
  status === 'refused' || (status === 'planned' && askedAt === undefined);

/** A transfer as Stripe has it, with where it was booked on both sides. Plain JSON. */
export interface TransferFacts {
  stripeTransferId: string;
  amountMinor: number;
  currency: Currency;
  stripeAccountId: string;
  sourceChargeId: string | null;
  /** The balance transaction's `created`, Unix seconds. */
  created: number;
  balanceTransactionIds: string[];
}

/** Where Stripe's transfer differs from the order it names; undefined when nowhere. */
export function differenceOf(order: OutgoingTransfer, facts: TransferFacts): string | undefined {
  const pairs: [what: string, asked: number | string | null, made: number | string | null][] = [
    ['amount', order.amountMinor, facts.amountMinor],
    ['currency', order.currency, facts.currency],
    ['account', order.stripeAccountId, facts.stripeAccountId],
    ['charge', order.sourceChargeId ?? null, facts.sourceChargeId],
  ];
  const wrong = pairs.filter(([, asked, made]) => asked !== made);
  if (wrong.length === 0) return undefined;
  return wrong
    .map(([what, asked, made]) => `${what}: asked ${asked ?? 'none'}, Stripe has ${made ?? 'none'}`)
    .join('; ');
}
