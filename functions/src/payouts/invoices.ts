import type { Timestamp } from 'firebase-admin/firestore';
import type { Coach } from '../coaches/coaches.ts';
import type { Earning } from '../coaches/earnings.ts';
import type { Invoicing } from '../coaches/terms.ts';
import type { Config } from '../config.ts';
import { vatLinesOf, type VatLine } from '../payments/vat.ts';
import { businessDate, type BusinessDate } from '../platform/clock.ts';
import { minor, negate, sum, type Currency, type Minor } from '../platform/money.ts';
import type { PayoutItem } from './payouts.ts';

/** Swedish VAT on what the platform does for a coach (ML 2023:200, 9:2): the standard rate. */
const serviceVatRate = 25;

export interface Party {
  name: string;
  address: string;
  /** null: not registered for VAT. */
  vatNumber: string | null;
}

export interface InvoiceLine {
  paymentId: string;
  /** The day of the sale. */
  date: BusinessDate;
  description: string;
  /** VAT included, signed. */
  amountMinor: Minor;
  vatRate: number;
}

/**
 * `payoutInvoices/{payoutId}`, and `{payoutId}_credit` for one that was taken back. Written once, never changed. Numbers
 * follow one another without gaps in their series.
 */
export interface PayoutInvoice {
  payoutId: string;
  coachId: string;
  kind: Invoicing;
  /** The number of the invoice that this one takes back. */
  credits?: string;
  seriesId: string;
  number: string;
  issuedOn: BusinessDate;
  currency: Currency;
  seller: Party;
  buyer: Party;
  lines: InvoiceLine[];
  /** What is inside the lines, one entry a rate. */
  vat: VatLine[];
  totalMinor: Minor;
  createdAt: Timestamp;
}

/**
 * The series of an invoice. A self-billing invoice is the coach's own and counts in theirs; the platform's to coaches share
 * one. Both begin anew each year.
 */
export function seriesOf(kind: Invoicing, coachId: string, issuedOn: BusinessDate): string {
  const year = issuedOn.slice(0, 4);
  return kind === 'self_billing' ? `self_billing_${coachId}_${year}` : `commission_${year}`;
}

export const numberOf = (kind: Invoicing, issuedOn: BusinessDate, sequence: number): string =>
  `${kind === 'self_billing' ? 'S' : 'P'}-${issuedOn.slice(0, 4)}-${String(sequence).padStart(4, '0')}`;

/** One item with what is known of its sale. */
export interface InvoicedItem {
  item: PayoutItem;
  earning: Earning;
  /** Percent, of the sale. */
  vatRate: number;
  /** What Stripe corrected on the coach's balance was sold by nobody. */
  isSale: boolean;
}

export interface InvoiceFacts {
  payoutId: string;
  coachId: string;
  coach: Coach;
  config: Pick<Config, 'platformName' | 'platformAddress' | 'platformVatNumber'>;
  kind: Invoicing;
  currency: Currency;
  items: readonly InvoicedItem[];
}

export type InvoiceContents = Pick<
  PayoutInvoice,
  'payoutId' | 'coachId' | 'kind' | 'currency' | 'seller' | 'buyer' | 'lines' | 'vat' | 'totalMinor'
>;

/** Everything but the number. Self-billing: the coach sells the shares paid out. Commission: the platform sells its fee of them. */
export function invoiceContents(facts: InvoiceFacts): InvoiceContents {
  const { payoutId, coachId, coach, config, kind, currency, items } = facts;
  const ours: Party = {
    name: config.platformName,
    address: config.platformAddress,
    vatNumber: config.platformVatNumber || null,
  };
  const theirs: Party = {
    name: coach.invoiceDetails?.name ?? '',
    address: coach.invoiceDetails?.address ?? '',
    vatNumber: coach.vatNumber ?? null,
  };
  const [seller, buyer] = kind === 'self_billing' ? [theirs, ours] : [ours, theirs];
  const lines = items
    .map((each) => lineOf(kind, each, seller.vatNumber !== null))
    .filter((line) => line.amountMinor !== 0);
  return {
    payoutId,
    coachId,
    kind,
    currency,
    seller,
    buyer,
    lines,
    vat: vatLinesOf(lines),
    totalMinor: sum(lines.map(({ amountMinor }) => amountMinor)),
  };
}

function lineOf(kind: Invoicing, { item, earning, vatRate, isSale }: InvoicedItem, registered: boolean): InvoiceLine {
  const rate = kind === 'self_billing' ? vatRate : serviceVatRate;
  const share = isSale ? item.amountMinor : minor(0);
  return {
    paymentId: item.paymentId,
    date: businessDate(earning.createdAt.toDate()),
    description: earning.description,
    amountMinor: kind === 'self_billing' ? share : feePart(item, earning),
    vatRate: registered ? rate : 0,
  };
}

/**
 * The platform's fee that belongs to an item. A share paid in several payouts splits its fee by cumulative proportion, so
 * the parts sum to the fee, and what is taken off later gives its part back.
 */
export function feePart(item: PayoutItem, earning: Pick<Earning, 'amountMinor' | 'feeMinor'>): Minor {
  const share = earning.amountMinor - earning.feeMinor;
  // Nothing is ever paid out of a sale that is all fee, so no payout has its item.
  if (share <= 0) return minor(0);
  const before = item.paidBeforeMinor ?? minor(0);
  const until = (paid: number): number => Math.round((earning.feeMinor * paid) / share);
  return minor(until(before + item.amountMinor) - until(before));
}

/** The note that takes an invoice back: the same, negative. */
export const creditOf = (invoice: PayoutInvoice): InvoiceContents & { credits: string } => ({
  payoutId: invoice.payoutId,
  coachId: invoice.coachId,
  kind: invoice.kind,
  currency: invoice.currency,
  seller: invoice.seller,
  buyer: invoice.buyer,
  credits: invoice.number,
  lines: invoice.lines.map((line) => ({ ...line, amountMinor: negate(line.amountMinor) })),
  vat: invoice.vat.map(({ vatRate, grossMinor, vatMinor }) => ({
    vatRate,
    grossMinor: negate(grossMinor),
    vatMinor: negate(vatMinor),
  })),
  totalMinor: negate(invoice.totalMinor),
});
