import { Timestamp } from 'firebase-admin/firestore';
import { destinationSale, ownSale, stripeFee, type LedgerEntry } from '../ledger/ledger.ts';
import { minor, type Minor } from '../platform/money.ts';
import type { Payment } from './payments.ts';

/** What Stripe booked for one succeeded charge, in plain JSON, so that it can be kept with the event that asked for it. */
export interface SaleFacts {
  chargeId: string;
  amountMinor: number;
  balanceTransaction: {
    id: string;
    created: number;
    amountMinor: number;
    feeMinor: number;
    currency: string;
    availableOn: number;
  };
  /** The coach's share of a destination charge. */
  share?: {
    transferId: string;
    transferredMinor: number;
    transferTransactionId: string;
    stripeAccountId: string;
    /** The fee that came back to the platform, and where it was booked. */
    applicationFeeMinor: number;
    applicationFeeTransactionId?: string;
    /** What reached the coach's balance. */
    received: { transactionId: string; netMinor: number; availableOn: number };
  };
  paymentMethodType?: string;
  receiptUrl?: string;
}

export interface BookedSale {
  parts: LedgerEntry['parts'];
  entries: (LedgerEntry | undefined)[];
  patch: Partial<Payment>;
  availableOn: Timestamp;
  /** Where Stripe's amounts differ from what was asked for; booked as Stripe has it, told to a person. */
  difference?: string;
}

/** Turns what Stripe booked into ledger documents and the payment's figures. Pure; throws only on a broken invariant. */
export function bookSale(payment: Payment, facts: SaleFacts, sourceEventId: string | undefined): BookedSale {
  const { balanceTransaction: booked, share } = facts;
  // Never own revenue by default: a charge that should carry a coach's share and does not waits for a person.
  if (Boolean(share) !== Boolean(payment.coachId)) {
    throw new Error(
      `Charge ${facts.chargeId}: payment ${payment.stripePaymentId} ${payment.coachId ? 'has' : 'has no'} coach, the charge differs.`,
    );
  }
  const occurredAt = Timestamp.fromMillis(booked.created * 1000);
  const base = {
    chargeId: facts.chargeId,
    paymentId: payment.stripePaymentId,
    occurredAt,
    currency: booked.currency,
    grossMinor: minor(booked.amountMinor),
    vatRate: payment.vatRate,
    ...(sourceEventId ? { sourceEventId } : {}),
  };
  const source = sourceEventId ? { sourceEventId } : {};
  const fee = stripeFee({
    balanceTransactionId: booked.id,
    occurredAt,
    currency: booked.currency,
    feeMinor: minor(booked.feeMinor),
    paymentId: payment.stripePaymentId,
    ...source,
  });
  const coachMinor = minor(share?.received.netMinor ?? 0);
  const feeMinor = minor(share ? booked.amountMinor - coachMinor : 0);
  const sale =
    share && payment.coachId
      ? destinationSale({
          ...base,
          coachId: payment.coachId,
          stripeAccountId: share.stripeAccountId,
          coachMinor,
          feeMinor,
          balanceTransactionIds: transactionIds(facts),
        })
      : ownSale({ ...base, balanceTransactionIds: transactionIds(facts) });
  const difference = differenceOf(payment, facts, coachMinor, feeMinor);
  return {
    entries: [sale, fee],
    parts: sale.parts,
    patch: {
      stripeChargeId: facts.chargeId,
      ...(share ? { stripeTransferId: share.transferId, stripeAccountId: share.stripeAccountId } : {}),
      stripeFeeMinor: minor(booked.feeMinor),
      netMinor: minor(booked.amountMinor - coachMinor - booked.feeMinor),
      ...(facts.paymentMethodType ? { paymentMethodType: facts.paymentMethodType } : {}),
      ...(facts.receiptUrl ? { receiptUrl: facts.receiptUrl } : {}),
      paidAt: occurredAt,
    },
    availableOn: Timestamp.fromMillis(Math.max(booked.availableOn, share?.received.availableOn ?? 0) * 1000),
    ...(difference ? { difference } : {}),
  };
}

function transactionIds(facts: SaleFacts): string[] {
  const { share } = facts;
  const ids = [
    facts.balanceTransaction.id,
    share?.transferTransactionId,
    share?.applicationFeeTransactionId,
    share?.received.transactionId,
  ];
  return ids.filter((id) => id !== undefined);
}

function differenceOf(payment: Payment, facts: SaleFacts, coachMinor: Minor, feeMinor: Minor): string | undefined {
  const pairs: [what: string, asked: number | string, booked: number | string][] = [
    ['amount', payment.amountMinor, facts.amountMinor],
    ['currency', payment.currency, facts.balanceTransaction.currency],
    ['coach share', payment.coachAmountMinor, coachMinor],
    ['platform fee', payment.platformFeeMinor, feeMinor],
  ];
  const wrong = pairs.filter(([, asked, booked]) => asked !== booked);
  if (wrong.length === 0) return undefined;
  return wrong.map(([what, asked, booked]) => `${what}: asked ${asked}, Stripe booked ${booked}`).join('; ');
}
