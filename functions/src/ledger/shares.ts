import type { Timestamp } from 'firebase-admin/firestore';
import { minor, negate, zero, type Currency, type Minor } from '../platform/money.ts';
import { assertBalanced, deltas, type Account, type LedgerEntry, type LedgerKind, type Parts } from './ledger.ts';

/** Sales whose share is sent later, and the sending: charge models `separate` and `direct`, sessions, platform payouts. */
interface Base {
  occurredAt: Timestamp;
  currency: Currency;
  stripeObjectId: string;
  balanceTransactionIds: string[];
  sourceEventId?: string;
}

export interface SharedSale extends Base {
  paymentId: string;
  coachId: string;
  /** What the customer paid. */
  grossMinor: Minor;
  coachMinor: Minor;
  feeMinor: Minor;
  vatRate: number;
  /** Of a part of a held price: the sale's, and where the payment stood before. */
  vat?: Pick<Parts, 'vatLines' | 'coachVat' | 'before'>;
}

/**
 * A charge on the platform whose share is the coach's at once and is transferred by itself (a coach's subscription).
 * The sale of the table, with nothing on the connected account yet.
 */
export function separateSale(sale: SharedSale): LedgerEntry {
  return entry('sale', `${sale.stripeObjectId}:sale`, sale, {
    stripe_platform: sale.grossMinor,
    coach_payable: negate(sale.coachMinor),
    fee_revenue: negate(sale.feeMinor),
  });
}

/** A session (or a bundle of them) is paid: held until it is completed or cancelled. */
export function sessionPaid(sale: Omit<SharedSale, 'coachMinor' | 'feeMinor'>): LedgerEntry {
  return entry(
    'session_paid',
    `${sale.stripeObjectId}:sale`,
    { ...sale, coachMinor: zero, feeMinor: zero },
    { stripe_platform: sale.grossMinor, session_held: negate(sale.grossMinor) },
  );
}

/** A held session price becomes the coach's share and the platform's fee. `id` names the session and why. */
export function sessionCompleted(sale: Omit<SharedSale, 'balanceTransactionIds'>, id: string): LedgerEntry {
  const booked = { ...sale, balanceTransactionIds: [] };
  return entry('session_completed', `${id}:session_completed`, booked, {
    session_held: sale.grossMinor,
    coach_payable: negate(sale.coachMinor),
    fee_revenue: negate(sale.feeMinor),
  });
}

/**
 * A charge on a tenant's own account. `receivedMinor` is what reached the tenant's balance (gross less our fee, and less
 * Stripe's where the tenant pays it); only the fee is ours.
 */
export function directSale(
  sale: Omit<SharedSale, 'coachMinor'> & { receivedMinor: Minor; stripeAccountId: string },
): LedgerEntry {
  return {
    ...entry(
      'direct_sale',
      `${sale.stripeObjectId}:sale`,
      { ...sale, coachMinor: sale.receivedMinor },
      {
        stripe_connected: sale.receivedMinor,
        coach_payable: negate(sale.receivedMinor),
        stripe_platform: sale.feeMinor,
        fee_revenue: negate(sale.feeMinor),
      },
    ),
    stripeAccountId: sale.stripeAccountId,
    tenant: true,
  };
}

/** The platform sent money to a coach's Stripe balance (`tr_…`). */
export function transfer(
  sent: Base & { paymentId: string; coachId: string; stripeAccountId: string; amountMinor: Minor },
): LedgerEntry {
  const { amountMinor, stripeAccountId } = sent;
  const sale = { ...sent, grossMinor: amountMinor, coachMinor: zero, feeMinor: zero, vatRate: 0 };
  return {
    ...entry('transfer', `${sent.stripeObjectId}:transfer`, sale, {
      stripe_connected: amountMinor,
      stripe_platform: negate(amountMinor),
    }),
    stripeAccountId,
  };
}

/** The platform's own money reached its bank; a negative amount came back. */
export function platformPayout(
  payout: Base & { payoutId: string; amountMinor: Minor; returned: boolean },
): LedgerEntry {
  const x = payout.returned ? negate(payout.amountMinor) : payout.amountMinor;
  const { payoutId, currency, occurredAt, stripeObjectId, balanceTransactionIds, sourceEventId } = payout;
  return assertBalanced({
    id: `${stripeObjectId}:${payout.returned ? 'platform_payout_returned' : 'platform_payout'}`,
    kind: 'platform_payout',
    occurredAt,
    currency,
    deltas: deltas({ bank_platform: x, stripe_platform: negate(x) }),
    parts: { grossMinor: payout.amountMinor, coachMinor: zero, feeMinor: zero, vatRate: 0 },
    payoutId,
    stripeObjectId,
    balanceTransactionIds,
    ...(sourceEventId ? { sourceEventId } : {}),
    ...(payout.returned ? { reverses: `${stripeObjectId}:platform_payout` } : {}),
  });
}

function entry(kind: LedgerKind, id: string, sale: SharedSale, moved: Partial<Record<Account, number>>): LedgerEntry {
  return assertBalanced({
    id,
    kind,
    occurredAt: sale.occurredAt,
    currency: sale.currency,
    deltas: deltas(moved),
    parts: {
      grossMinor: sale.grossMinor,
      coachMinor: sale.coachMinor,
      feeMinor: minor(sale.feeMinor),
      vatRate: sale.vatRate,
      ...sale.vat,
    },
    coachId: sale.coachId,
    paymentId: sale.paymentId,
    stripeObjectId: sale.stripeObjectId,
    balanceTransactionIds: sale.balanceTransactionIds,
    ...(sale.sourceEventId ? { sourceEventId: sale.sourceEventId } : {}),
  });
}
