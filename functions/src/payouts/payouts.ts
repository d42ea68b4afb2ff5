import type { Timestamp } from 'firebase-admin/firestore';
import type { LedgerKind } from '../ledger/ledger.ts';
import type { BusinessDate } from '../platform/clock.ts';
import type { Currency, Minor } from '../platform/money.ts';

/** What people read. `unknown`: asked of Stripe, outcome unclear; resolved by asking, never by assuming. */
export type PayoutStatus = 'pending' | 'completed' | 'failed' | 'canceled' | 'unknown';

/** Stripe's own words, and the rank by which events merge in any order. */
export type StripePayoutStatus = 'pending' | 'in_transit' | 'paid' | 'failed' | 'canceled';

/**
 * `payouts/{coachId_currency_dueDate_n}`: one attempt at one Stripe payout. Amount, key and destination are frozen when
 * it is written, which is before Stripe is asked; a definite refusal closes it and the next attempt is a new document.
 */
export interface Payout {
  coachId: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  date: Timestamp;
  status: PayoutStatus;
  stripePayoutId?: string;
  relatedPaymentIds: string[];
  fortnoxReference?: string;
  stripeAccountId: string;
  /** null until Stripe has answered. */
  stripeStatus: StripePayoutStatus | null;
  /** The external account at Stripe that it goes to. */
  destination?: string;
  arrivalDate?: Timestamp;
  failureCode?: string;
  failureMessage?: string;
  runId: string;
  dueDate: BusinessDate;
  /** Idempotency key at Stripe; the document's id. */
  stripeKey: string;
  /** When Stripe was first asked; its key lives from then. */
  askedAt?: Timestamp;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** `payouts/{id}/items/{ledgerId}`: sums exactly to the payout. */
export interface PayoutItem {
  paymentId: string;
  kind: LedgerKind;
  /** Signed. */
  amountMinor: Minor;
}
