import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Invoicing } from '../coaches/terms.ts';
import type { LedgerKind } from '../ledger/ledger.ts';
import type { BusinessDate } from '../platform/clock.ts';
import { fromStripeCurrency, type Currency, type Minor } from '../platform/money.ts';
import { expanded } from '../platform/stripe.ts';

/** What people read. `unknown`: asked of Stripe, outcome unclear; resolved by asking, never by assuming. */
export type PayoutStatus = 'pending' | 'completed' | 'failed' | 'canceled' | 'unknown';

/** Stripe's own words, and the rank by which events merge in any order. */
export type StripePayoutStatus = 'pending' | 'in_transit' | 'paid' | 'failed' | 'canceled';

/** `due`: to be written; `credit_due`: the payout came back after its invoice was written, so a credit note is to be. */
export type InvoiceState = 'due' | 'issued' | 'credit_due' | 'credited';

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
  /** What of it is of charges in the coach's own name, signed; left out, nothing. */
  tenantMinor?: Minor;
  fortnoxReference?: string;
  stripeAccountId: string;
  /** null until Stripe has answered. */
  stripeStatus: StripePayoutStatus | null;
  /** The external account at Stripe that it goes to; left out, Stripe takes the coach's default. */
  destination?: string;
  arrivalDate?: Timestamp;
  failureCode?: string;
  failureMessage?: string;
  runId: string;
  dueDate: BusinessDate;
  /** A person asked for it; `dueDate` is the day they did. */
  byHand?: true;
  /** Idempotency key at Stripe; the document's id. */
  stripeKey: string;
  /** When it was frozen and Stripe was asked, the one right after the other; its key lives from then. */
  askedAt: Timestamp;
  /** Its items count in their earnings' `paidMinor`. False once the money came back or never left. */
  itemsReserved: boolean;
  /** Which invoice goes with it, by the coach's terms when it was paid, and how far that has come. */
  invoicing?: Invoicing;
  invoiceState?: InvoiceState;
  /** The balance transactions that the ledger has booked. */
  balanceTransactionId?: string;
  failureBalanceTransactionId?: string;
  /** When the sweep looks next; null: nothing can come any more. */
  checkAt: Timestamp | null;
  /** How often the sweep has looked. */
  checks: number;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** One payout with what it is made of. */
export interface PayoutWithItems {
  payoutId: string;
  payout: Payout;
  items: PayoutItem[];
}

/** `payouts/{id}/items/{ledgerId}`: sums exactly to the payout. */
export interface PayoutItem {
  paymentId: string;
  kind: LedgerKind;
  /** Signed. */
  amountMinor: Minor;
  /** What other payouts held of the same share when this one was made: says which part of the fee belongs here. */
  paidBeforeMinor?: Minor;
}

/** `payoutLocks/{coachId_currency}`: held from the freezing of a payout until its outcome is known and booked. */
export interface PayoutLock {
  payoutId: string;
  takenAt: Timestamp;
}

export const lockId = (coachId: string, currency: Currency): string => `${coachId}_${currency}`;

export const payoutId = (coachId: string, currency: Currency, dueDate: BusinessDate, attempt: number): string =>
  `${coachId}_${currency}_${dueDate}_${attempt}`;

/** By hand: one payout for one request. */
export const byHandId = (coachId: string, currency: Currency, date: BusinessDate, requestId: string): string =>
  `${coachId}_${currency}_${date}_m${requestId}`;

/** The n-th attempt at what this payout is an attempt at: `…_2026-11-23_2`, by hand `…_2026-11-23_m{requestId}_2`. */
export function attemptId(id: string, { byHand }: Pick<Payout, 'byHand'>, n: number): string {
  // A requestId has no underscore.
  if (byHand) return `${id.replace(/(_m[A-Za-z0-9-]+)_\d+$/, '$1')}${n === 1 ? '' : `_${n}`}`;
  return id.replace(/_\d+$/, `_${n}`);
}

/** Failed before canceled is arbitrary; that it is always the same is not: a tie must end alike in any order. */
const ranks: readonly StripePayoutStatus[] = ['pending', 'in_transit', 'paid', 'canceled', 'failed'];

/** The later of two states in a payout's life. Commutative, associative, idempotent; null is the state before the first. */
export function mergeStatus(a: StripePayoutStatus | null, b: StripePayoutStatus | null): StripePayoutStatus | null {
  if (a === null) return b;
  if (b === null) return a;
  return ranks.indexOf(a) >= ranks.indexOf(b) ? a : b;
}

/** What Stripe's word means for people. */
export function statusOf(stripeStatus: StripePayoutStatus): PayoutStatus {
  switch (stripeStatus) {
    case 'pending':
    case 'in_transit':
      return 'pending';
    case 'paid':
      return 'completed';
    default:
      return stripeStatus;
  }
}

/** The money is with the coach again, or never left: its earnings are open. */
export const cameBack = (status: PayoutStatus): boolean => status === 'failed' || status === 'canceled';

/** A balance transaction as the ledger needs it. Plain JSON. */
export interface BookedFacts {
  id: string;
  /** Unix seconds. */
  created: number;
  /** Signed, fees taken off. */
  netMinor: number;
  currency: Currency;
}

/** What of a Stripe payout concerns us. Plain JSON: stored with the event that made us look. */
export interface PayoutFacts {
  id: string;
  /** null: a status this version does not know, which changes nothing. */
  status: StripePayoutStatus | null;
  amountMinor: number;
  currency: Currency;
  /** Our document's id, from the metadata we put there; null: not made by us. */
  payoutId: string | null;
  /** Unix seconds. */
  arrivalDate: number | null;
  failureCode: string | null;
  failureMessage: string | null;
  booked: BookedFacts | null;
  returned: BookedFacts | null;
}

export function payoutFacts(payout: Stripe.Payout): PayoutFacts {
  return {
    id: payout.id,
    status: ranks.find((status) => status === payout.status) ?? null,
    amountMinor: payout.amount,
    currency: fromStripeCurrency(payout.currency),
    payoutId: payout.metadata?.payoutId ?? null,
    arrivalDate: payout.arrival_date,
    failureCode: payout.failure_code,
    failureMessage: payout.failure_message,
    booked: bookedFacts(expanded(payout.balance_transaction)),
    returned: bookedFacts(expanded(payout.failure_balance_transaction)),
  };
}

function bookedFacts(transaction: Stripe.BalanceTransaction | undefined): BookedFacts | null {
  if (!transaction) return null;
  const { id, created, net, currency } = transaction;
  return { id, created, netMinor: net, currency: fromStripeCurrency(currency) };
}

/** What every payout has of its life at Stripe, a coach's or the platform's own. */
export type PayoutLife = Pick<
  Payout,
  | 'status'
  | 'stripePayoutId'
  | 'stripeStatus'
  | 'arrivalDate'
  | 'failureCode'
  | 'failureMessage'
  | 'balanceTransactionId'
  | 'failureBalanceTransactionId'
  | 'checks'
  | 'createdAt'
  | 'updatedAt'
>;

/**
 * The payout with what Stripe says of it. Facts may come in any order and any number of times, old ones after new: the
 * status only rises, what is known stays known.
 */
export function withFacts(payout: Payout, facts: PayoutFacts, at: Timestamp): Payout {
  const next = merged(payout, facts, at);
  return { ...next, itemsReserved: !cameBack(next.status) };
}

/** The same of any payout's life. */
export function merged<T extends PayoutLife>(payout: T, facts: PayoutFacts, at: Timestamp): T {
  const stripeStatus = mergeStatus(payout.stripeStatus, facts.status);
  const returned = facts.returned ?? undefined;
  const status = stripeStatus === null ? payout.status : statusOf(stripeStatus);
  return {
    ...payout,
    stripePayoutId: facts.id,
    stripeStatus,
    status,
    ...(facts.arrivalDate ? { arrivalDate: Timestamp.fromMillis(facts.arrivalDate * 1000) } : {}),
    ...(facts.failureCode ? { failureCode: facts.failureCode } : {}),
    ...(facts.failureMessage ? { failureMessage: facts.failureMessage } : {}),
    ...(facts.booked ? { balanceTransactionId: facts.booked.id } : {}),
    ...(returned ? { failureBalanceTransactionId: returned.id } : {}),
    updatedAt: at,
  };
}

/** The ledger has all that Stripe booked so far, so the next payout may be reckoned from it. */
export function isBooked(payout: PayoutLife): boolean {
  if (payout.balanceTransactionId === undefined) return false;
  return !cameBack(payout.status) || payout.failureBalanceTransactionId !== undefined;
}

/** A payout that has arrived gets its invoice, and one that came back after that a credit note. */
export function withInvoice(before: Payout, next: Payout, invoicing: Invoicing | undefined): Payout {
  const arrived = before.status !== 'completed' && next.status === 'completed';
  if (arrived) return invoicing ? { ...next, invoicing, invoiceState: 'due' } : next;
  if (cameBack(before.status) || !cameBack(next.status) || !before.invoiceState) return next;
  if (before.invoiceState === 'issued') return { ...next, invoiceState: 'credit_due' };
  const { invoiceState: _state, ...never } = next;
  return never;
}
