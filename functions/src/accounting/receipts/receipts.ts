import type { Timestamp } from 'firebase-admin/firestore';
import type { LedgerDocument, LedgerKind } from '../../ledger/ledger.ts';
import type { BusinessDate } from '../../platform/clock.ts';
import { minor, negate, sum, toMajor, type Currency, type Minor } from '../../platform/money.ts';
import type { Profile } from '../account-plan.ts';
import { taxOfPart, type Taxed, type TaxLine } from '../tax.ts';

/** `credit_withdrawn`: money that was credited is the seller's after all (a lost dispute that an appeal turned round). */
export type ReceiptKind = 'receipt' | 'credit_note' | 'credit_withdrawn';

export interface Seller {
  /** The coach who sells (profile `agent`); absent: the platform does. */
  coachId?: string;
  name: string;
  address: string;
  /** null: not registered for VAT. */
  vatNumber: string | null;
}

export interface ReceiptLine {
  description: string;
  quantity: number;
  /** VAT included, signed. */
  amountMinor: Minor;
  /** Percent; null: several rates, told apart in `vat`. */
  vatRate: number | null;
}

/**
 * `receipts/{id}`, named after the ledger document it is about. Written once, never changed, kept for seven years after the
 * year it is of (BFL 7:2). Its customer reads it, so nothing of shares and fees is in it. Numbers follow one another without
 * gaps in their series.
 */
export interface Receipt {
  kind: ReceiptKind;
  userId: string;
  paymentId: string;
  ledgerId: string;
  seriesId: string;
  number: string;
  issuedOn: BusinessDate;
  /** The day on which the money moved. */
  date: BusinessDate;
  seller: Seller;
  /** Who took the money for the seller, where that is somebody else. */
  mediator?: Seller;
  customerName: string;
  lines: ReceiptLine[];
  /** What is inside the lines, one entry a rate. */
  vat: Taxed[];
  /** Signed: what is credited is negative. In the currency of the books. */
  amount: number;
  amountMinor: Minor;
  netMinor: Minor;
  vatMinor: Minor;
  currency: Currency;
  /** What the customer paid in another currency, which Stripe converted. */
  paid?: { amount: number; amountMinor: Minor; currency: Currency };
  /** What it takes back: a credit note a receipt, a withdrawn credit its credit note. */
  refersTo?: { receiptId: string; number: string };
  createdAt: Timestamp;
}

/** Everything but the number. */
export type ReceiptContents = Omit<Receipt, 'seriesId' | 'number' | 'issuedOn' | 'createdAt'>;

/** `ch_1:sale` -> `ch_1_sale`. */
export const receiptIdOf = (ledgerId: string): string => ledgerId.replaceAll(':', '_');

/** One series for all that a seller issues in a year. */
export const seriesOf = ({ coachId }: Pick<Seller, 'coachId'>, issuedOn: BusinessDate): string =>
  `receipts_${coachId === undefined ? 'platform' : `coach_${coachId}`}_${issuedOn.slice(0, 4)}`;

export const numberOf = (issuedOn: BusinessDate, sequence: number): string =>
  `R-${issuedOn.slice(0, 4)}-${String(sequence).padStart(5, '0')}`;

const sales: ReadonlySet<LedgerKind> = new Set(['sale', 'own_sale', 'session_paid']);
export const isSale = ({ kind }: Pick<LedgerDocument, 'kind'>): boolean => sales.has(kind);

/**
 * Whose sale it is, by how the books see the platform: an agent mediates what the coach sells; otherwise (`principal`, and
 * `specification`, which books the whole price as the platform's revenue) the platform sells it.
 */
export const sellingCoach = (profile: Profile, { coachId }: Pick<LedgerDocument, 'coachId'>): string | undefined =>
  profile === 'agent' ? coachId : undefined;

/** What is known of a sale beside the ledger's document of it. */
export interface Sold {
  userId: string;
  customerName: string;
  description: string;
  /** What was ordered, where it was an order and Stripe converted nothing. */
  items: readonly { name: string; quantity: number; amountMinor: Minor; vatRate: number }[];
  /** What the customer paid, in their currency. */
  paid: { amountMinor: Minor; currency: Currency };
}

/** The receipt of a sale. VAT is worked out and rounded once a rate, from the rates the ledger keeps of the sale. */
export function receiptOf(
  document: LedgerDocument,
  sold: Sold,
  { seller, mediator, date }: { seller: Seller; mediator?: Seller; date: BusinessDate },
): ReceiptContents {
  const { grossMinor, vatLines, vatRate } = document.parts;
  // The platform sets the rates of what it sells; a coach who is not registered sells without VAT.
  const taxed = seller.coachId === undefined || seller.vatNumber !== null;
  const rates: readonly TaxLine[] = taxed
    ? (vatLines ?? [{ vatRate, grossMinor: 1 }])
    : [{ vatRate: 0, grossMinor: 1 }];
  const vat = taxOfPart(0, grossMinor, rates);
  const itemised = sold.items.length > 0 && sum(sold.items.map(({ amountMinor }) => amountMinor)) === grossMinor;
  const lines = itemised
    ? sold.items.map(({ name, quantity, amountMinor, vatRate: rate }) => ({
        description: name,
        quantity,
        amountMinor,
        vatRate: taxed ? rate : 0,
      }))
    : [lineOf(sold.description, grossMinor, vat)];
  const { amountMinor, currency } = sold.paid;
  const converted = currency !== document.currency;
  return {
    kind: 'receipt',
    userId: sold.userId,
    ...about(document, date),
    seller,
    ...(mediator ? { mediator } : {}),
    customerName: sold.customerName,
    lines,
    ...totals(vat, grossMinor, document.currency),
    ...(converted ? { paid: { amount: toMajor(amountMinor, currency), amountMinor, currency } } : {}),
  };
}

/**
 * What a refund or a lost dispute takes off a sale: without what it pays of a refund that failed before, which is credited
 * already. Zero: no document. Negative: a loss came back.
 */
export const creditedMinor = ({ parts, deltas }: Pick<LedgerDocument, 'parts' | 'deltas'>): Minor =>
  minor(parts.grossMinor - deltas.customer_payable);

/** A document of the sale that was made before, with its id. */
export interface Issued {
  id: string;
  receipt: Receipt;
}

/**
 * The credit note of what goes back, or the taking back of one. The receipt's own rates; VAT is what is left in the sale
 * before it less what is left after it, so that any sequence of parts ends at zero where one full credit would.
 * `earlier`: every document of the payment so far, its receipt among them.
 */
export function creditOf(
  document: LedgerDocument,
  sale: Issued,
  earlier: readonly Issued[],
  date: BusinessDate,
): ReceiptContents {
  const credited = creditedMinor(document);
  const { userId, seller, mediator, customerName, lines, vat: sold, currency } = sale.receipt;
  const left = sum(earlier.map(({ receipt }) => receipt.amountMinor));
  const rates = sold.length > 0 ? sold : [{ vatRate: 0, grossMinor: 1 }];
  const vat = taxOfPart(left, negate(credited), rates);
  const back = credited < 0 ? noteOfDispute(document, earlier) : undefined;
  const { id, receipt } = back ?? sale;
  return {
    kind: credited < 0 ? 'credit_withdrawn' : 'credit_note',
    userId,
    ...about(document, date),
    seller,
    ...(mediator ? { mediator } : {}),
    customerName,
    lines: [lineOf(lines.map(({ description }) => description).join(', '), negate(credited), vat)],
    ...totals(vat, negate(credited), currency),
    refersTo: { receiptId: id, number: receipt.number },
  };
}

/** The credit note that a decision of the same dispute made. */
function noteOfDispute(document: LedgerDocument, earlier: readonly Issued[]): Issued | undefined {
  const ofDispute = `${document.stripeObjectId}:`;
  return earlier.find(({ receipt }) => receipt.kind === 'credit_note' && receipt.ledgerId.startsWith(ofDispute));
}

const about = ({ id, paymentId = '' }: LedgerDocument, date: BusinessDate) => ({ paymentId, ledgerId: id, date });

const lineOf = (description: string, amountMinor: Minor, vat: readonly Taxed[]): ReceiptLine => ({
  description,
  quantity: 1,
  amountMinor,
  vatRate: vat.length > 1 ? null : (vat[0]?.vatRate ?? 0),
});

function totals(vat: Taxed[], amountMinor: Minor, currency: Currency) {
  const vatMinor = sum(vat.map((line) => line.vatMinor));
  const netMinor = minor(amountMinor - vatMinor);
  return { vat, amount: toMajor(amountMinor, currency), amountMinor, netMinor, vatMinor, currency };
}
