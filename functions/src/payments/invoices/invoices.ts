import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Letter } from '../../platform/mail.ts';
import { formatMoney, fromStripeCurrency, minor, toMajor, type Currency, type Minor } from '../../platform/money.ts';
import { idOf } from '../../platform/stripe.ts';

/** Stripe's words, and `deleted` for a draft that is no more. */
export type InvoiceStatus = 'draft' | 'open' | 'uncollectible' | 'void' | 'paid' | 'deleted';

/** `invoices/{invoiceId}`: Stripe's invoice as a customer and an administrator read it. */
export interface Invoice {
  /** null: nobody we know; only administrators see it. */
  userId: string | null;
  /** The tenant whose invoice it is; absent for the platform's. */
  stripeAccountId?: string;
  subscriptionId?: string;
  /** From when it is final. */
  number?: string;
  status: InvoiceStatus;
  /** The total, VAT included. */
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  /** What is to be paid: the total less what the customer has to their credit. */
  amountDueMinor: Minor;
  amountPaidMinor: Minor;
  amountRemainingMinor: Minor;
  description?: string;
  /** Stripe's words: `subscription_create`, `subscription_cycle`, `subscription_update`, `manual`, … */
  billingReason?: string;
  collectionMethod: string;
  /** Stripe's page, where it can be paid and downloaded. */
  hostedUrl?: string;
  /** Its customer was erased: what shows their name stays away, whatever Stripe tells later. */
  erased?: true;
  pdfUrl?: string;
  /** What it is for: from the first line's start to the last line's end. */
  periodStart: Timestamp;
  periodEnd: Timestamp;
  dueAt?: Timestamp;
  nextAttemptAt?: Timestamp;
  attemptCount: number;
  finalizedAt?: Timestamp;
  paidAt?: Timestamp;
  /** When Stripe last mailed it. */
  sentAt?: Timestamp;
  createdAt: Timestamp;
  /** The event that this is from; tells which of two states of one invoice is the later. */
  told: { at: Timestamp; eventId: string };
}

const rank: Record<InvoiceStatus, number> = { draft: 0, open: 1, uncollectible: 2, void: 3, paid: 4, deleted: 5 };

/** An invoice never goes back: the state that is further on is the later, then the later word about it. */
const progress = ({ status, amountPaidMinor, attemptCount, told }: Invoice) =>
  [rank[status], amountPaidMinor, attemptCount, told.at.toMillis(), told.eventId] as const;

function isLater(a: Invoice, b: Invoice): boolean {
  const [left, right] = [progress(a), progress(b)];
  const at = left.findIndex((value, index) => value !== right[index]);
  return at >= 0 && (left[at] ?? 0) > (right[at] ?? 0);
}

/** Commutative, associative and idempotent: events of one invoice end the same in any order. */
export function mergeInvoice(known: Invoice | undefined, told: Invoice): Invoice {
  if (!known) return told;
  const [later, earlier] = isLater(told, known) ? [told, known] : [known, told];
  const sent = [later.sentAt, earlier.sentAt].flatMap((at) => at?.toMillis() ?? []);
  const merged = {
    ...later,
    userId: later.userId ?? earlier.userId,
    ...(sent.length > 0 ? { sentAt: Timestamp.fromMillis(Math.max(...sent)) } : {}),
  };
  return known.erased || told.erased ? nameless(merged) : merged;
}

/** Stripe's pages show the name to whoever has their address. */
function nameless(invoice: Invoice): Invoice {
  const { hostedUrl: _page, pdfUrl: _pdf, description: _words, ...rest } = invoice;
  return { ...rest, erased: true };
}

type Told = Pick<Stripe.Event, 'id' | 'created' | 'account' | 'type'>;

/** What an event says of an invoice. */
export function invoiceOf(invoice: Stripe.Invoice, event: Told, userId: string | null): Invoice {
  const currency = fromStripeCurrency(invoice.currency);
  const { lines, status_transitions: moved } = invoice;
  const own = { start: invoice.period_start, end: invoice.period_end };
  const periods = lines.data.length > 0 ? lines.data.map(({ period }) => period) : [own];
  return {
    userId,
    status: event.type === 'invoice.deleted' ? 'deleted' : statusOf(invoice),
    amount: toMajor(minor(invoice.total), currency),
    amountMinor: minor(invoice.total),
    currency,
    amountDueMinor: minor(invoice.amount_due),
    amountPaidMinor: minor(invoice.amount_paid),
    amountRemainingMinor: minor(invoice.amount_remaining),
    collectionMethod: invoice.collection_method,
    periodStart: at(Math.min(...periods.map(({ start }) => start))),
    periodEnd: at(Math.max(...periods.map(({ end }) => end))),
    attemptCount: invoice.attempt_count,
    createdAt: at(invoice.created),
    told: { at: at(event.created), eventId: event.id },
    ...given({
      stripeAccountId: event.account,
      subscriptionId: subscriptionIdOf(invoice),
      number: invoice.number,
      description: invoice.description,
      billingReason: invoice.billing_reason,
      hostedUrl: invoice.hosted_invoice_url,
      pdfUrl: invoice.invoice_pdf,
      dueAt: maybeAt(invoice.due_date),
      nextAttemptAt: maybeAt(invoice.next_payment_attempt),
      finalizedAt: maybeAt(moved.finalized_at),
      paidAt: maybeAt(moved.paid_at),
      sentAt: event.type === 'invoice.sent' ? at(event.created) : undefined,
    }),
  };
}

export const subscriptionIdOf = (invoice: Stripe.Invoice): string | undefined =>
  idOf(invoice.parent?.subscription_details?.subscription);

/** Stripe leaves the list of statuses open: one that we do not know is not final, and stays at what it comes from. */
function statusOf({ status }: Stripe.Invoice): InvoiceStatus {
  return status !== null && status in rank ? (status as InvoiceStatus) : 'draft';
}

const at = (seconds: number): Timestamp => Timestamp.fromMillis(seconds * 1000);
const maybeAt = (seconds: number | null | undefined) => (seconds ? at(seconds) : undefined);

/** Only the fields that have a value: Firestore takes no undefined. */
function given<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

/** The mail for an invoice that Stripe charges by itself and therefore does not mail when asked. */
export function invoiceLetter(invoice: Invoice & { userId: string; hostedUrl: string }): Letter {
  const paid = invoice.status === 'paid';
  return {
    toUids: [invoice.userId],
    message: {
      subject: `Invoice ${invoice.number ?? ''}`.trim(),
      text: [
        `Amount: ${formatMoney(invoice.amountMinor, invoice.currency)}`,
        paid ? 'It is paid.' : `To pay: ${formatMoney(invoice.amountRemainingMinor, invoice.currency)}`,
        `See it${paid ? '' : ', pay it'} and download it: ${invoice.hostedUrl}`,
      ].join('\n'),
    },
  };
}
