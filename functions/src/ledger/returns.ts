import type { Timestamp } from 'firebase-admin/firestore';
import { minor, negate, zero, type Currency, type Minor } from '../platform/money.ts';
import { assertBalanced, deltas, type Account, type LedgerEntry, type LedgerKind, type Parts } from './ledger.ts';

/**
 * What comes back after a sale: refunds, transfer reversals, fee refunds, disputes. One document per Stripe money object,
 * with Stripe's own amounts; who bears what of it is worked out before (payments/aftermath).
 */
export interface ReturnBooking {
  paymentId: string;
  occurredAt: Timestamp;
  currency: Currency;
  /** Stripe's amount, minor units, positive. */
  amountMinor: Minor;
  /** Percent, of the sale. */
  vatRate: number;
  /** What VAT is worked out by beside the rate: the sale's, and where the payment stood before this. */
  vat?: Pick<Parts, 'vatLines' | 'coachVat' | 'before'>;
  /** What it is about: `re_…`, `trr_…`, `fr_…`, `du_…`. */
  stripeObjectId: string;
  balanceTransactionIds: string[];
  coachId?: string;
  /** Set where a connected account's balance moved. */
  stripeAccountId?: string;
  /** The charge is a tenant's own. */
  tenant?: true;
  sourceEventId?: string;
}

/**
 * Who bears an amount that goes back to the customer. The parts sum to the amount.
 * `owedMinor` was owed to the customer since a refund of theirs failed.
 */
export interface Bearing {
  coachMinor: Minor;
  feeMinor: Minor;
  ownMinor: Minor;
  heldMinor: Minor;
  owedMinor: Minor;
}

export const nothingBorne: Bearing = {
  coachMinor: zero,
  feeMinor: zero,
  ownMinor: zero,
  heldMinor: zero,
  owedMinor: zero,
};

/** What of a held session price stays when the rest is refunded: the late-cancellation fee, shared like a sale. */
export interface KeptShare {
  coachMinor: Minor;
  feeMinor: Minor;
}

/**
 * A refund left the platform's balance. Of a session cancelled late (`kept`), what is not refunded is shared in the same
 * document. Of a tenant's charge, the money left the tenant's balance and is the tenant's alone.
 */
export function refund(booking: ReturnBooking, bearing: Bearing, kept?: KeptShare): LedgerEntry {
  const g = booking.amountMinor;
  const moved = booking.tenant
    ? { stripe_connected: negate(g), coach_payable: g }
    : {
        stripe_platform: negate(g),
        coach_receivable: bearing.coachMinor,
        fee_revenue: bearing.feeMinor - (kept?.feeMinor ?? 0),
        own_revenue: bearing.ownMinor,
        session_held: bearing.heldMinor + (kept ? kept.coachMinor + kept.feeMinor : 0),
        coach_payable: kept ? negate(kept.coachMinor) : 0,
        customer_payable: bearing.owedMinor,
      };
  return entry('refund', `${booking.stripeObjectId}:refund`, moved, booking, {
    coachMinor: minor(bearing.coachMinor - (kept?.coachMinor ?? 0)),
    feeMinor: minor(bearing.feeMinor - (kept?.feeMinor ?? 0)),
  });
}

/** A refund came back from the customer's bank: the platform has the money and owes it to the customer still. */
export function refundFailed(booking: ReturnBooking): LedgerEntry {
  const g = booking.amountMinor;
  const moved = booking.tenant
    ? { stripe_connected: g, coach_payable: negate(g) }
    : { stripe_platform: g, customer_payable: negate(g) };
  return {
    ...entry('refund_failed', `${booking.stripeObjectId}:refund_failed`, moved, booking),
    reverses: `${booking.stripeObjectId}:refund`,
  };
}

/** A transfer was taken back from the coach's balance, wholly or in part. */
export function transferReversal(booking: ReturnBooking): LedgerEntry {
  const a = booking.amountMinor;
  const moved = { stripe_platform: a, stripe_connected: negate(a), coach_payable: a, coach_receivable: negate(a) };
  return entry('transfer_reversal', `${booking.stripeObjectId}:transfer_reversal`, moved, booking);
}

/** The platform gave its fee back to the coach's balance; of a tenant's charge it was earned and is earned no more. */
export function feeRefund(booking: ReturnBooking): LedgerEntry {
  const f = booking.amountMinor;
  const moved = booking.tenant
    ? { stripe_platform: negate(f), stripe_connected: f, coach_payable: negate(f), fee_revenue: f }
    : { stripe_platform: negate(f), stripe_connected: f, coach_payable: negate(f), coach_receivable: f };
  return entry('fee_refund', `${booking.stripeObjectId}:fee_refund`, moved, booking);
}

/** A dispute took money from the balance until it is decided. One document per balance transaction. */
export function disputeWithdrawn(booking: ReturnBooking, balanceTransactionId: string): LedgerEntry {
  const g = booking.amountMinor;
  const moved = booking.tenant
    ? { stripe_connected: negate(g), coach_payable: g }
    : { dispute_held: g, stripe_platform: negate(g) };
  return entry('dispute_withdrawn', `${balanceTransactionId}:dispute_withdrawn`, moved, booking);
}

export function disputeReinstated(booking: ReturnBooking, balanceTransactionId: string): LedgerEntry {
  const g = booking.amountMinor;
  const moved = booking.tenant
    ? { stripe_connected: g, coach_payable: negate(g) }
    : { dispute_held: negate(g), stripe_platform: g };
  return entry('dispute_reinstated', `${balanceTransactionId}:dispute_reinstated`, moved, booking);
}

/**
 * A dispute is lost: what was held is borne as a refund would be. A negative amount takes a loss back that an appeal
 * turned round; `step` numbers the decisions of one dispute from 1.
 */
export function disputeLost(booking: ReturnBooking, bearing: Bearing, step: number): LedgerEntry {
  const moved = {
    dispute_held: negate(booking.amountMinor),
    coach_receivable: bearing.coachMinor,
    fee_revenue: bearing.feeMinor,
    own_revenue: bearing.ownMinor,
    session_held: bearing.heldMinor,
    customer_payable: bearing.owedMinor,
  };
  const id = `${booking.stripeObjectId}:dispute_lost${step > 1 ? `_${step}` : ''}`;
  return entry('dispute_lost', id, moved, booking, { coachMinor: bearing.coachMinor, feeMinor: bearing.feeMinor });
}

/** A debt of a coach that will not be paid any more. `id` names the decision. */
export function writeOff(booking: Omit<ReturnBooking, 'balanceTransactionIds'>, id: string): LedgerEntry {
  const moved = { losses: booking.amountMinor, coach_receivable: negate(booking.amountMinor) };
  return entry('write_off', `${id}:write_off`, moved, { ...booking, balanceTransactionIds: [] });
}

function entry(
  kind: LedgerKind,
  id: string,
  moved: Partial<Record<Account, number>>,
  booking: ReturnBooking,
  shares: { coachMinor: Minor; feeMinor: Minor } = { coachMinor: zero, feeMinor: zero },
): LedgerEntry {
  const { coachId, stripeAccountId, tenant, sourceEventId } = booking;
  return assertBalanced({
    id,
    kind,
    occurredAt: booking.occurredAt,
    currency: booking.currency,
    deltas: deltas(moved),
    parts: { grossMinor: booking.amountMinor, ...shares, vatRate: booking.vatRate, ...booking.vat },
    ...(coachId ? { coachId } : {}),
    paymentId: booking.paymentId,
    ...(stripeAccountId ? { stripeAccountId } : {}),
    ...(tenant ? { tenant } : {}),
    stripeObjectId: booking.stripeObjectId,
    balanceTransactionIds: booking.balanceTransactionIds,
    ...(sourceEventId ? { sourceEventId } : {}),
  });
}
