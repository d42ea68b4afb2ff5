import { Timestamp } from 'firebase-admin/firestore';
import { minor, negate, sum, zero, type Currency, type Minor } from '../platform/money.ts';

/**
 * The double-entry core. One document per Stripe money object, with Stripe's own amounts; debit positive; append-only.
 * The worked table is in docs/database-structure.md.
 */
export const accounts = [
  'stripe_platform',
  'stripe_connected',
  'bank_platform',
  'dispute_held',
  'coach_receivable', // assets
  'coach_payable',
  'session_held',
  'customer_payable', // liabilities
  'fee_revenue',
  'own_revenue', // income
  'stripe_fees',
  'losses', // costs
] as const;

export type Account = (typeof accounts)[number];

/** Every account, zeros included: an aggregation over several fields counts only documents that have them all. */
export type Deltas = Record<Account, Minor>;

export const ledgerKinds = [
  'sale',
  'own_sale',
  'direct_sale',
  'session_paid',
  'session_completed',
  'fee',
  'transfer',
  'transfer_reversal',
  'refund',
  'refund_failed',
  'fee_refund',
  'dispute_withdrawn',
  'dispute_reinstated',
  'dispute_lost',
  'payout',
  'payout_returned',
  'platform_payout',
  'write_off',
  'reserve',
  'topup',
  'adjustment',
] as const;

export type LedgerKind = (typeof ledgerKinds)[number];

/**
 * Kinds that share a balance transaction with another document: Stripe's fee sits on the charge's, and a fee given back
 * with a reversal is inside the movement that takes the payment back from the coach's balance.
 */
export const isCompanion = (kind: LedgerKind): boolean => kind === 'fee' || kind === 'fee_refund';

/** What a voucher needs beside the deltas. For payouts and fees gross is the amount and the rest is zero. */
export interface Parts {
  grossMinor: Minor;
  coachMinor: Minor;
  feeMinor: Minor;
  /** Percent: 25, 12, 6 or 0; of several rates the effective one. */
  vatRate: number;
  /** Set when there are several rates: what of the sale's gross is at which. A return carries its sale's. */
  vatLines?: { vatRate: number; grossMinor: Minor }[];
  /** The coach charges VAT on the share (registered for it when the sale was booked). */
  coachVat?: true;
  /**
   * What of the same payment was income before this document, less what had gone back, and the coach's part of that.
   * Absent: nothing. VAT is rounded over this and this document together, so that any sequence of parts ends at the öre
   * where the whole would.
   */
  before?: IncomeSoFar;
  /**
   * Of a payout, what is a tenant's own money (charge model `direct`); of one that came back, what of it is back. Signed as
   * the payout moves `coach_payable`. Absent: nothing.
   */
  tenantMinor?: Minor;
}

export interface IncomeSoFar {
  grossMinor: Minor;
  coachMinor: Minor;
}

export interface LedgerEntry {
  /** Deterministic: `ch_…:sale`, `txn_…:fee`, `po_…:payout`. The same Stripe object can be booked once. */
  id: string;
  kind: LedgerKind;
  /** The balance transaction's `created`. */
  occurredAt: Timestamp;
  /** The balance transaction's currency. */
  currency: Currency;
  deltas: Deltas;
  parts: Parts;
  coachId?: string;
  paymentId?: string;
  payoutId?: string;
  /** The money is a tenant's own (charge model `direct`): only the fee of it is the platform's. */
  tenant?: true;
  /** Which connected account's balance `stripe_connected` speaks of. */
  stripeAccountId?: string;
  stripeObjectId: string;
  balanceTransactionIds: string[];
  sourceEventId?: string;
  reverses?: string;
}

/**
 * `voucherId` is null until grouped into a voucher. `receiptId` is there where the customer gets a receipt or a credit note
 * of ours: null until it is made, `none` where it turned out that there is nothing to say.
 */
export type LedgerDocument = LedgerEntry & {
  voucherId: string | null;
  receiptId?: string | null;
  createdAt: Timestamp;
};

const receipted: ReadonlySet<LedgerKind> = new Set(['sale', 'own_sale', 'session_paid', 'refund', 'dispute_lost']);

/** Whether the customer gets a document of it. What a tenant sells and gives back is between the two of them. */
export const getsReceipt = ({ kind, tenant }: Pick<LedgerEntry, 'kind' | 'tenant'>): boolean =>
  !tenant && receipted.has(kind);

export function deltas(moved: Partial<Record<Account, number>>): Deltas {
  return Object.fromEntries(accounts.map((account) => [account, minor(moved[account] ?? 0)])) as Deltas;
}

/** Throws when a document does not balance: nothing unbalanced is ever written. */
export function assertBalanced(entry: LedgerEntry): LedgerEntry {
  const total = sum(accounts.map((account) => entry.deltas[account]));
  if (total !== 0)
    throw new Error(`Ledger document ${entry.id} does not balance: debits less credits are ${total} öre.`);
  if (!entry.deltas || accounts.some((account) => entry.deltas[account] === undefined)) {
    throw new Error(`Ledger document ${entry.id} leaves out an account.`);
  }
  return entry;
}

/** Sums of documents, for a trial balance. */
export function trialBalance(entries: Iterable<{ deltas: Deltas }>): Deltas {
  const totals: Record<Account, number> = { ...deltas({}) };
  for (const entry of entries) for (const account of accounts) totals[account] += entry.deltas[account];
  return deltas(totals);
}

/** Two bookings of one Stripe object agree when they moved the same money. */
export function sameBooking(a: LedgerEntry, b: LedgerEntry): boolean {
  return (
    a.kind === b.kind &&
    a.currency === b.currency &&
    accounts.every((account) => a.deltas[account] === b.deltas[account])
  );
}

interface SaleBase {
  chargeId: string;
  paymentId: string;
  occurredAt: Timestamp;
  currency: Currency;
  /** What the customer paid. */
  grossMinor: Minor;
  vatRate: number;
  balanceTransactionIds: string[];
  sourceEventId?: string;
}

/** Sale with the coach's share sent at once (destination charge): Stripe's own amounts, fee = gross − coach. */
export function destinationSale(
  sale: SaleBase & { coachId: string; stripeAccountId: string; coachMinor: Minor; feeMinor: Minor },
): LedgerEntry {
  return assertBalanced({
    id: `${sale.chargeId}:sale`,
    kind: 'sale',
    occurredAt: sale.occurredAt,
    currency: sale.currency,
    deltas: deltas({
      stripe_platform: sale.grossMinor - sale.coachMinor,
      stripe_connected: sale.coachMinor,
      coach_payable: negate(sale.coachMinor),
      fee_revenue: negate(sale.feeMinor),
    }),
    parts: { grossMinor: sale.grossMinor, coachMinor: sale.coachMinor, feeMinor: sale.feeMinor, vatRate: sale.vatRate },
    coachId: sale.coachId,
    paymentId: sale.paymentId,
    stripeAccountId: sale.stripeAccountId,
    stripeObjectId: sale.chargeId,
    balanceTransactionIds: sale.balanceTransactionIds,
    ...(sale.sourceEventId ? { sourceEventId: sale.sourceEventId } : {}),
  });
}

/** Sale of the platform's own product. */
export function ownSale(sale: SaleBase): LedgerEntry {
  return assertBalanced({
    id: `${sale.chargeId}:sale`,
    kind: 'own_sale',
    occurredAt: sale.occurredAt,
    currency: sale.currency,
    deltas: deltas({ stripe_platform: sale.grossMinor, own_revenue: negate(sale.grossMinor) }),
    parts: { grossMinor: sale.grossMinor, coachMinor: zero, feeMinor: zero, vatRate: sale.vatRate },
    paymentId: sale.paymentId,
    stripeObjectId: sale.chargeId,
    balanceTransactionIds: sale.balanceTransactionIds,
    ...(sale.sourceEventId ? { sourceEventId: sale.sourceEventId } : {}),
  });
}

/** Stripe's own fee on a platform balance transaction. Zero fees are not booked: returns undefined. */
export function stripeFee(fee: {
  balanceTransactionId: string;
  occurredAt: Timestamp;
  currency: Currency;
  feeMinor: Minor;
  paymentId?: string;
  sourceEventId?: string;
}): LedgerEntry | undefined {
  if (fee.feeMinor === 0) return undefined;
  return assertBalanced({
    id: `${fee.balanceTransactionId}:fee`,
    kind: 'fee',
    occurredAt: fee.occurredAt,
    currency: fee.currency,
    deltas: deltas({ stripe_fees: fee.feeMinor, stripe_platform: negate(fee.feeMinor) }),
    parts: { grossMinor: fee.feeMinor, coachMinor: zero, feeMinor: zero, vatRate: 0 },
    ...(fee.paymentId ? { paymentId: fee.paymentId } : {}),
    stripeObjectId: fee.balanceTransactionId,
    balanceTransactionIds: [fee.balanceTransactionId],
    ...(fee.sourceEventId ? { sourceEventId: fee.sourceEventId } : {}),
  });
}

interface PayoutBooking {
  stripePayoutId: string;
  payoutId: string;
  coachId: string;
  stripeAccountId: string;
  occurredAt: Timestamp;
  currency: Currency;
  amountMinor: Minor;
  /** What of it is a tenant's own money. */
  tenantMinor?: Minor;
  balanceTransactionId: string;
  sourceEventId?: string;
}

/** A payout left the coach's Stripe balance. */
export function coachPayout(payout: PayoutBooking): LedgerEntry {
  return payoutEntry('payout', `${payout.stripePayoutId}:payout`, payout.amountMinor, payout);
}

/** A payout failed or was canceled: the money is back in the coach's Stripe balance and owed again. */
export function payoutReturned(payout: PayoutBooking): LedgerEntry {
  const id = `${payout.stripePayoutId}:payout_returned`;
  return {
    ...payoutEntry('payout_returned', id, negate(payout.amountMinor), payout),
    reverses: `${payout.stripePayoutId}:payout`,
  };
}

function payoutEntry(kind: LedgerKind, id: string, amount: Minor, payout: PayoutBooking): LedgerEntry {
  const { tenantMinor } = payout;
  return assertBalanced({
    id,
    kind,
    occurredAt: payout.occurredAt,
    currency: payout.currency,
    deltas: deltas({ coach_payable: amount, stripe_connected: negate(amount) }),
    parts: {
      grossMinor: minor(Math.abs(amount)),
      coachMinor: zero,
      feeMinor: zero,
      vatRate: 0,
      ...(tenantMinor === undefined ? {} : { tenantMinor: amount < 0 ? negate(tenantMinor) : tenantMinor }),
    },
    coachId: payout.coachId,
    payoutId: payout.payoutId,
    stripeAccountId: payout.stripeAccountId,
    stripeObjectId: payout.stripePayoutId,
    balanceTransactionIds: [payout.balanceTransactionId],
    ...(payout.sourceEventId ? { sourceEventId: payout.sourceEventId } : {}),
  });
}
