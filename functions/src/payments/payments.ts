import type { Timestamp } from 'firebase-admin/firestore';
import type { ChargeModel } from '../coaches/terms.ts';
import type { Aftermath } from './aftermath/aftermath.ts';
import { minor, sum, toMajor, type Currency, type Minor } from '../platform/money.ts';
import { vatInside, type VatLine } from './vat.ts';

/** What Stripe's PaymentIntent can say, ranked: events merge in any order to the highest. Refunds and disputes come on top. */
export type BaseStatus = 'pending' | 'failed' | 'canceled' | 'succeeded';
export type PaymentStatus = BaseStatus | 'partially_refunded' | 'refunded' | 'disputed';

/** `payments/{paymentIntentId}`. */
export interface Payment {
  userId: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  date: Timestamp;
  status: PaymentStatus;
  stripePaymentId: string;
  description: string;
  subscriptionId?: string;
  /** The Stripe invoice it pays. */
  invoiceId?: string;
  /** Of a subscription: how many, and the end of the period that it pays. */
  quantity?: number;
  periodEnd?: Timestamp;
  coachId?: string;
  productId?: string;
  orderId?: string;
  sessionId?: string;
  platformFeeMinor: Minor;
  coachAmountMinor: Minor;
  /** null until the sale is booked. */
  stripeFeeMinor: Minor | null;
  /** What stays with the platform after the coach's share and Stripe's fee; null until the sale is booked. */
  netMinor: Minor | null;
  /** Percent, from the product when it was sold; of several rates the effective one. */
  vatRate: number;
  /** Set when there are several rates. */
  vatLines?: VatLine[];
  chargeModel: ChargeModel | 'own';
  stripeAccountId?: string;
  stripeChargeId?: string;
  stripeTransferId?: string;
  paymentMethodType?: string;
  /** Refunded so far; what failed is taken out again. */
  refundedMinor: Minor;
  refundReason?: string;
  refundedAt?: Timestamp;
  /** What an open or lost dispute holds or took. */
  disputedMinor?: Minor;
  /** How much has gone back so far and how it was split; the next part is split after it. */
  returned?: Returned;
  /** Refunds and disputes as they were last seen, by Stripe's id. */
  aftermath?: Aftermath;
  /** Of a price held until sessions are completed: what is left of it and what was released. */
  held?: Held;
  /** Where something else was charged than was owed: what it pays for is not marked paid. */
  difference?: string;
  /** What Stripe made of it, where it settles in another currency: the ledger's and every fee's currency. */
  settlement?: { amountMinor: Minor; currency: Currency };
  /** Who confirms it to the customer; absent where Stripe's invoice does. */
  receipt?: 'stripe' | 'letter';
  failureCode?: string;
  failureMessage?: string;
  receiptUrl?: string;
  customerName: string;
  metadata: Record<string, string>;
  paidAt?: Timestamp;
  /** When Stripe lets the charge's money go. */
  availableOn?: Timestamp;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** The account a direct charge and all that follows from it is on; undefined: the platform. */
export function tenantAccountOf(payment: Pick<Payment, 'chargeModel' | 'stripeAccountId'>): string | undefined {
  return payment.chargeModel === 'direct' ? payment.stripeAccountId : undefined;
}

/** Running totals of what refunds and lost disputes took back from a payment. */
export interface Returned {
  /** Borne by the coach and the platform. */
  grossMinor: Minor;
  /** The coach's part of that. */
  coachMinor: Minor;
  /** Refunds that failed and were not made again: owed to the customer. */
  owedMinor: Minor;
}

/** Money of the customer's that is nobody's income yet, and what became the coach's share and the fee, in running totals. */
export interface Held {
  leftMinor: Minor;
  releasedMinor: Minor;
  /** The coach's part of what was released. */
  releasedCoachMinor: Minor;
}

/** A held price before its sale is booked. */
export const nothingHeld: Held = { leftMinor: minor(0), releasedMinor: minor(0), releasedCoachMinor: minor(0) };

const rank: Record<BaseStatus, number> = { pending: 0, failed: 1, canceled: 2, succeeded: 3 };

/**
 * Merges what an event says into what is known: commutative, associative, idempotent, so any order and any duplication
 * of events ends the same. A status that refunds or disputes have moved on from stays.
 */
export function mergeStatus(current: PaymentStatus, incoming: BaseStatus): PaymentStatus {
  if (!(current in rank)) return current;
  return rank[incoming] > rank[current as BaseStatus] ? incoming : current;
}

/** What refunds and disputes make of a payment. Money that went back says that it had come. */
export function statusAfter(
  payment: Pick<Payment, 'status' | 'amountMinor' | 'refundedMinor' | 'disputedMinor'>,
): PaymentStatus {
  const { status, refundedMinor, amountMinor } = payment;
  if ((payment.disputedMinor ?? 0) > 0) return 'disputed';
  if (refundedMinor >= amountMinor) return 'refunded';
  if (refundedMinor > 0) return 'partially_refunded';
  return status in rank ? status : 'succeeded';
}

/** Stripe's PaymentIntent status in our words. `requires_payment_method` is a failure only after an attempt. */
export function statusOfIntent(intent: { status: string; last_payment_error?: unknown }): BaseStatus {
  if (intent.status === 'succeeded' || intent.status === 'canceled') return intent.status;
  if (intent.status === 'requires_payment_method' && intent.last_payment_error) return 'failed';
  return 'pending';
}

/** The payer's breakdown, in major units. VAT is inside the price (Swedish consumer prices are). */
export interface Breakdown {
  subtotal: number;
  vat: number;
  total: number;
  coach?: number;
  platformFee?: number;
}

/** VAT inside what was paid: by rate where there are several. */
export function vatOf({
  amountMinor,
  vatRate,
  vatLines,
}: Pick<Payment, 'amountMinor' | 'vatRate' | 'vatLines'>): Minor {
  return vatLines ? sum(vatLines.map(({ vatMinor }) => vatMinor)) : vatInside(amountMinor, vatRate);
}

export function breakdown(
  payment: Pick<
    Payment,
    'amountMinor' | 'currency' | 'vatRate' | 'vatLines' | 'coachId' | 'coachAmountMinor' | 'platformFeeMinor'
  >,
): Breakdown {
  const { amountMinor, currency } = payment;
  const vat = vatOf(payment);
  const shares = payment.coachId
    ? { coach: toMajor(payment.coachAmountMinor, currency), platformFee: toMajor(payment.platformFeeMinor, currency) }
    : {};
  return {
    subtotal: toMajor(minor(amountMinor - vat), currency),
    vat: toMajor(vat, currency),
    total: toMajor(amountMinor, currency),
    ...shares,
  };
}
