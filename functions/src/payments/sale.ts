import { Timestamp } from 'firebase-admin/firestore';
import { destinationSale, ownSale, stripeFee, type LedgerEntry } from '../ledger/ledger.ts';
import { directSale, separateSale, sessionPaid } from '../ledger/shares.ts';
import { minor, zero, type Minor } from '../platform/money.ts';
import type { Payment } from './payments.ts';

/** What Stripe booked for one succeeded charge, in plain JSON, so that it can be kept with the event that asked for it. */
export interface SaleFacts {
  chargeId: string;
  /** What the customer paid, in the currency they paid in. */
  amountMinor: number;
  currency: string;
  /**
   * Where the charge is: on the platform, or on the account of a direct charge. In the currency Stripe settles in, as is
   * everything below.
   */
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
    transferTransactionId: string;
    stripeAccountId: string;
    /** Where the fee that came back to the platform was booked. */
    applicationFeeTransactionId?: string;
    /** The coach's side of the transfer (`py_…`): the source of the movement on their balance. */
    destinationPaymentId: string;
    /** What reached the coach's balance. */
    netMinor: number;
    availableOn: number;
  };
  /** A charge on a tenant's own account. */
  direct?: {
    stripeAccountId: string;
    applicationFeeMinor: number;
    applicationFeeTransactionId?: string;
    /** Stripe's fee where the tenant pays it: part of the balance transaction's. */
    stripeFeeMinor: number;
    /** Stripe's fee where the platform is billed for it. */
    billed?: { transactionId: string; created: number; feeMinor: number };
  };
  paymentMethodType?: string;
  receiptUrl?: string;
}

export interface BookedSale {
  parts: LedgerEntry['parts'];
  entries: (LedgerEntry | undefined)[];
  patch: Partial<Payment>;
  availableOn: Timestamp;
  /** The coach's share is theirs now; of a price that is held until sessions are completed nothing is yet. */
  earned: boolean;
  /** What the platform is still to send to the coach for it. */
  toTransferMinor: Minor;
  /** Where Stripe's amounts differ from what was asked for; booked as Stripe has it, told to a person. */
  difference?: string;
}

/** How the charge was shared, the ledger's document of it, and what of the payment follows. */
interface Shared {
  sale: LedgerEntry;
  coachMinor: Minor;
  feeMinor: Minor;
  /** Stripe's cost of the charge, whoever paid it. */
  stripeFeeMinor: number;
  /** The part of that which left the platform's balance, and where. */
  billed: { transactionId: string; created: number; feeMinor: number };
}

/** A session's price, and a bundle's, is nobody's income until a session is completed. */
export const isHeld = (payment: Pick<Payment, 'sessionId' | 'held'>): boolean =>
  payment.sessionId !== undefined || payment.held !== undefined;

/**
 * Turns what Stripe booked into ledger documents and the payment's figures. `coachVat`: the coach is registered for VAT
 * now. Pure; throws only on a broken invariant.
 */
export function bookSale(
  payment: Payment,
  facts: SaleFacts,
  sourceEventId: string | undefined,
  { coachVat }: { coachVat: boolean } = { coachVat: false },
): BookedSale {
  const { balanceTransaction: booked, share, direct } = facts;
  const shared = withVat(payment, facts, shareOut(payment, facts, sourceEventId), coachVat);
  const fee = stripeFee({
    balanceTransactionId: shared.billed.transactionId,
    occurredAt: Timestamp.fromMillis(shared.billed.created * 1000),
    currency: booked.currency,
    feeMinor: minor(shared.billed.feeMinor),
    paymentId: payment.stripePaymentId,
    ...(sourceEventId ? { sourceEventId } : {}),
  });
  const held = payment.coachId !== undefined && payment.chargeModel === 'separate' && isHeld(payment);
  const difference = differenceOf(payment, facts, shared);
  const availableOn = Timestamp.fromMillis(Math.max(booked.availableOn, share?.availableOn ?? 0) * 1000);
  const platformMinor = direct ? direct.applicationFeeMinor : booked.amountMinor - shared.coachMinor;
  return {
    entries: [shared.sale, fee],
    parts: shared.sale.parts,
    patch: {
      stripeChargeId: facts.chargeId,
      ...(share ? { stripeTransferId: share.transferId, stripeAccountId: share.stripeAccountId } : {}),
      stripeFeeMinor: minor(shared.stripeFeeMinor),
      netMinor: minor(platformMinor - shared.billed.feeMinor),
      // Once only: what was released or refunded since stands.
      ...(held && payment.netMinor === null
        ? { held: { leftMinor: minor(booked.amountMinor), releasedMinor: zero, releasedCoachMinor: zero } }
        : {}),
      ...(facts.paymentMethodType ? { paymentMethodType: facts.paymentMethodType } : {}),
      ...(facts.receiptUrl ? { receiptUrl: facts.receiptUrl } : {}),
      ...(booked.currency === facts.currency
        ? {}
        : { settlement: { amountMinor: minor(booked.amountMinor), currency: booked.currency } }),
      paidAt: shared.sale.occurredAt,
      availableOn,
    },
    availableOn,
    earned: payment.coachId !== undefined && !held,
    toTransferMinor: payment.chargeModel === 'separate' && !held ? shared.coachMinor : zero,
    ...(difference ? { difference } : {}),
  };
}

/**
 * What the vouchers need beside the amounts: at which rates (the last line takes what rounding a converted amount left),
 * and whether the coach's share has VAT in it. A tenant's VAT is the tenant's alone.
 */
function withVat({ vatLines }: Payment, facts: SaleFacts, shared: Shared, coachVat: boolean): Shared {
  const registered = coachVat && !shared.sale.tenant && shared.sale.coachId ? { coachVat: true as const } : {};
  const parts = { ...shared.sale.parts, ...registered };
  if (!vatLines) return { ...shared, sale: { ...shared.sale, parts } };
  let leftMinor: number = parts.grossMinor;
  const lines = vatLines.map(({ vatRate, grossMinor }, index) => {
    const lineMinor = minor(index === vatLines.length - 1 ? leftMinor : settled(grossMinor, facts));
    leftMinor -= lineMinor;
    return { vatRate, grossMinor: lineMinor };
  });
  return { ...shared, sale: { ...shared.sale, parts: { ...parts, vatLines: lines } } };
}

/** By the payment's charge model; what Stripe booked must be of that kind. Never own revenue by default. */
function shareOut(payment: Payment, facts: SaleFacts, sourceEventId: string | undefined): Shared {
  const { balanceTransaction: booked, share, direct } = facts;
  const { chargeModel, coachId, stripeAccountId } = payment;
  const base = {
    chargeId: facts.chargeId,
    stripeObjectId: facts.chargeId,
    paymentId: payment.stripePaymentId,
    occurredAt: Timestamp.fromMillis(booked.created * 1000),
    currency: booked.currency,
    grossMinor: minor(booked.amountMinor),
    vatRate: payment.vatRate,
    balanceTransactionIds: transactionIds(facts),
    ...(sourceEventId ? { sourceEventId } : {}),
  };
  const onPlatform = {
    stripeFeeMinor: booked.feeMinor,
    billed: { transactionId: booked.id, created: booked.created, feeMinor: booked.feeMinor },
  };
  if (!coachId && chargeModel === 'own' && !share && !direct) {
    return { sale: ownSale(base), coachMinor: zero, feeMinor: zero, ...onPlatform };
  }
  if (coachId && chargeModel === 'destination' && share && !direct) {
    const coachMinor = minor(share.netMinor);
    const parts = { coachMinor, feeMinor: minor(booked.amountMinor - coachMinor) };
    const sale = destinationSale({ ...base, ...parts, coachId, stripeAccountId: share.stripeAccountId });
    return { sale, ...parts, ...onPlatform };
  }
  if (coachId && chargeModel === 'separate' && !share && !direct) {
    const coachMinor = minor(Math.min(settled(payment.coachAmountMinor, facts), booked.amountMinor));
    const parts = { coachMinor, feeMinor: minor(booked.amountMinor - coachMinor) };
    const sale = isHeld(payment) ? sessionPaid({ ...base, coachId }) : separateSale({ ...base, ...parts, coachId });
    return { sale, ...parts, ...onPlatform };
  }
  if (coachId && chargeModel === 'direct' && direct && direct.stripeAccountId === stripeAccountId) {
    const receivedMinor = minor(booked.amountMinor - booked.feeMinor);
    const feeMinor = minor(direct.applicationFeeMinor);
    return {
      sale: directSale({ ...base, coachId, stripeAccountId, receivedMinor, feeMinor }),
      coachMinor: minor(receivedMinor + direct.stripeFeeMinor),
      feeMinor,
      stripeFeeMinor: direct.stripeFeeMinor + (direct.billed?.feeMinor ?? 0),
      billed: direct.billed ?? { transactionId: booked.id, created: booked.created, feeMinor: 0 },
    };
  }
  throw new Error(
    `Charge ${facts.chargeId}: payment ${payment.stripePaymentId} is ${chargeModel} and ` +
      `${coachId ? 'has' : 'has no'} coach, the charge differs.`,
  );
}

/** A part of the price in the currency Stripe settled in, rounded down: of a share, the fee bears the rest. */
function settled(part: Minor, { balanceTransaction: booked, amountMinor, currency }: SaleFacts): number {
  if (booked.currency === currency) return part;
  return Number((BigInt(part) * BigInt(booked.amountMinor)) / BigInt(amountMinor));
}

function transactionIds(facts: SaleFacts): string[] {
  const { share, direct } = facts;
  const ids = [
    facts.balanceTransaction.id,
    share?.transferTransactionId,
    share?.applicationFeeTransactionId,
    share?.destinationPaymentId,
    direct?.applicationFeeTransactionId,
  ];
  return ids.filter((id) => id !== undefined);
}

/** How far a share may be off after Stripe converted it: half a minor unit for each of its three roundings. */
const roundingMinor = 2;

function differenceOf(payment: Payment, facts: SaleFacts, { coachMinor, feeMinor }: Shared): string | undefined {
  const { balanceTransaction: booked, amountMinor: chargedMinor } = facts;
  const converted = booked.currency !== facts.currency;
  // Shares are owed in the currency of the price and booked in Stripe's; converted, they keep their proportion.
  const differ = (asked: number, was: number) => Math.abs(asked - was) > (converted ? roundingMinor : 0);
  const [coachOwed, feeOwed] = [settled(payment.coachAmountMinor, facts), settled(payment.platformFeeMinor, facts)];
  const pairs: [what: string, asked: number | string, booked: number | string, wrong: boolean][] = [
    ['amount', payment.amountMinor, chargedMinor, payment.amountMinor !== chargedMinor],
    ['currency', payment.currency, facts.currency, payment.currency !== facts.currency],
    ['coach share', coachOwed, coachMinor, differ(coachOwed, coachMinor)],
    ['platform fee', feeOwed, feeMinor, differ(feeOwed, feeMinor)],
  ];
  const wrong = pairs.filter(([, , , differs]) => differs);
  if (wrong.length === 0) return undefined;
  return wrong.map(([what, asked, was]) => `${what}: asked ${asked}, Stripe booked ${was}`).join('; ');
}
