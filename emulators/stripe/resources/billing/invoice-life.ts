/** An invoice from draft to its end: finalized, tried, voided, given up. Paid: `invoice-paid.ts`. */
import { StripeFailure, badParam, refused } from '../../core/errors.ts';
import { emit, emitChange } from '../../core/events.ts';
import { embedded } from '../../core/list.ts';
import type { Invoice, Subscription } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { confirmIntent } from '../confirm.ts';
import { customerNamed } from '../lookup.ts';
import { cancelIntent, makeIntent } from '../intent-life.ts';
import { spendDiscounts } from './discounts.ts';
import { amountsOf, buildInvoice, dueOf } from './invoice-shape.ts';
import type { InvoiceOrder } from './invoice-shape.ts';
import { intentOfInvoice, markPaid, paymentOf } from './invoice-paid.ts';
import { itemLine } from './lines.ts';
import type { Draft } from './lines.ts';
import { sharingOf } from './sharing.ts';
import { attemptFailed } from './standing.ts';
import { nowOf, schedule } from './time.ts';

/** How long a renewal's invoice stays a draft. */
export const DRAFT_SECONDS = 3_600;

export const subscriptionIdOf = (invoice: Invoice): string | undefined =>
  invoice.parent?.subscription_details?.subscription as string | undefined;

export const invoiceSubscription = (book: Book, invoice: Invoice): Subscription | undefined =>
  book.subscriptions.get(subscriptionIdOf(invoice) ?? '');

/** Pending invoice items an invoice takes: those of its subscription and those of the customer alone. */
export function takePending(book: Book, customer: string, subscription: string | null): Draft[] {
  return book.billing.invoiceItems
    .values()
    .filter((item) => {
      const of = item.parent?.subscription_details?.subscription ?? null;
      return item.customer === customer && item.invoice === null && (of === null || of === subscription);
    })
    .map((item) => itemLine(book, item));
}

/** Stores a draft; its invoice items are no longer pending. `invoice.created` is told by `tellDraft`. */
export function storeDraft(world: World, book: Book, order: InvoiceOrder): Invoice {
  const invoice = book.invoices.add(buildInvoice(world, book, order));
  for (const { invoiceItem } of order.lines)
    if (invoiceItem !== null) book.billing.invoiceItems.update(invoiceItem, { invoice: invoice.id });
  if (order.finalizesAt !== null && order.autoAdvance) {
    schedule(world, invoice, {
      at: order.finalizesAt,
      kind: 'invoice_finalizes',
      account: book.account,
      id: invoice.id,
    });
  }
  return invoice;
}

export const tellDraft = (world: World, book: Book, invoice: Invoice): void =>
  emit(world, book, 'invoice.created', { ...invoice, status: 'draft' });

/** Counts a draft's amounts again, after its lines or its customer's balance have changed. */
export function recount(world: World, book: Book, invoice: Invoice): Invoice {
  const customer = customerNamed(book, invoice.customer as string);
  const ids = invoice.discounts.map(String);
  const { lines, fields } = amountsOf(world, book, invoice.lines.data, ids, customer.balance, nowOf(world, invoice));
  return book.invoices.put({ ...invoice, ...fields, lines: embedded(invoice.lines.url, lines) });
}

/** A draft becomes an open invoice with a number and a PaymentIntent, or is paid at once when nothing is due. */
export function finalizeInvoice(world: World, book: Book, id: string, intentText?: string): Invoice {
  const draft = book.invoices.get(id)!;
  if (draft.status !== 'draft')
    throw refused(
      "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
      'invoice_not_editable',
    );
  const customer = customerNamed(book, draft.customer as string);
  const counted = recount(world, book, draft);
  const { due, ending } = dueOf(counted.total, customer.balance);
  const share = sharingOf(world, book, counted, due);
  const now = nowOf(world, counted);
  const sequence = customer.next_invoice_sequence ?? 1;
  const url = `${world.publicUrl}/_hosted/invoices/${id}`;
  const settled = book.customers.update(customer.id, {
    next_invoice_sequence: sequence + 1,
    currency: 'sek',
    balance: ending,
  });
  if (ending !== customer.balance) emitChange(world, book, 'customer.updated', customer, settled);
  const collects = counted.collection_method === 'charge_automatically' && counted.auto_advance;
  const open = book.invoices.put({
    ...counted,
    status: 'open',
    automatically_finalizes_at: null,
    effective_at: now,
    ending_balance: ending,
    hosted_invoice_url: url,
    invoice_pdf: `${url}/pdf`,
    last_finalization_error: null,
    next_payment_attempt: collects ? now : null,
    number: `${customer.invoice_prefix}-${String(sequence).padStart(4, '0')}`,
    status_transitions: { ...counted.status_transitions, finalized_at: now },
    webhooks_delivered_at: now,
  });
  spendDiscounts(book, open.discounts.map(String));
  if (due > 0) addPayment(world, book, open, due, share, intentText);
  emit(world, book, 'invoice.finalized', open);
  if (open.due_date !== null && open.due_date > now)
    schedule(world, open, { at: open.due_date, kind: 'invoice_overdue', account: book.account, id });
  return due > 0 ? open : markPaid(world, book, open, null);
}

function addPayment(
  world: World,
  book: Book,
  invoice: Invoice,
  amount: number,
  share: ReturnType<typeof sharingOf>,
  text?: string,
): void {
  const subscription = invoiceSubscription(book, invoice);
  const saves = subscription?.payment_settings?.save_default_payment_method === 'on_subscription';
  const first = invoice.billing_reason === 'subscription_create';
  const intent = makeIntent(world, book, {
    amount,
    currency: 'sek',
    customer: invoice.customer as string,
    description:
      text ?? (first ? 'Subscription creation' : subscription ? 'Subscription update' : 'Payment for Invoice'),
    ...(saves && first ? { setup_future_usage: 'off_session' as const } : {}),
    payment_method: methodFor(book, invoice) ?? undefined,
    ...share,
  });
  book.invoiceOfIntent.set(intent.id, invoice.id);
  book.invoicePayments.add({
    id: world.ids.next('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: amount,
    created: nowOf(world, invoice),
    currency: 'sek',
    invoice: invoice.id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  });
}

/** The invoice's own method, its subscription's, the customer's: the first there is. */
export function methodFor(book: Book, invoice: Invoice): string | null {
  const subscription = invoiceSubscription(book, invoice);
  const customer = book.customers.get(invoice.customer as string);
  return (
    (invoice.default_payment_method as string | null) ??
    (subscription?.default_payment_method as string | null | undefined) ??
    (customer?.invoice_settings.default_payment_method as string | null | undefined) ??
    null
  );
}

export const noMethod = (): StripeFailure =>
  refused(
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method.',
    'resource_missing',
  );

/**
 * Tries to pay an open invoice. `automatic`: by the emulator itself, off session; a decline is then not thrown, and
 * brings the next retry. Otherwise a decline is thrown as Stripe's 402.
 */
export function collect(
  world: World,
  book: Book,
  invoice: Invoice,
  how: { method?: string | undefined; automatic: boolean; offSession: boolean; returnUrl?: string },
): Invoice {
  const { collecting } = book.billing;
  const method = how.method ?? methodFor(book, invoice);
  const intent = intentOfInvoice(book, invoice);
  if (!intent) throw new Error(`The open invoice ${invoice.id} has no PaymentIntent.`);
  if (how.automatic) collecting.add(invoice.id);
  try {
    if (method === null) {
      if (!how.automatic) throw noMethod();
      attemptFailed(world, book, invoice, null);
    } else {
      confirmIntent(world, book, intent, {
        payment_method: method,
        off_session: how.offSession,
        return_url: how.returnUrl,
      });
    }
  } catch (error) {
    if (!how.automatic || !(error instanceof StripeFailure)) throw error;
  } finally {
    collecting.delete(invoice.id);
  }
  return book.invoices.get(invoice.id)!;
}

/** An open or uncollectible invoice is given up, with its PaymentIntent; the customer's balance is as before it. */
export function voidInvoice(world: World, book: Book, before: Invoice): Invoice {
  const now = nowOf(world, before);
  giveUpPayment(world, book, before, now);
  const after = book.invoices.update(before.id, {
    status: 'void',
    next_payment_attempt: null,
    status_transitions: { ...before.status_transitions, voided_at: now },
  });
  const customer = book.customers.get(before.customer as string);
  const moved = (before.ending_balance ?? 0) - before.starting_balance;
  if (customer && moved !== 0) {
    const balance = customer.balance - moved;
    emitChange(world, book, 'customer.updated', customer, book.customers.update(customer.id, { balance }));
  }
  emitChange(world, book, 'invoice.updated', before, after);
  emit(world, book, 'invoice.voided', after);
  return after;
}

export function giveUpPayment(world: World, book: Book, invoice: Invoice, now: number): void {
  const payment = paymentOf(book, invoice);
  const intent = intentOfInvoice(book, invoice);
  if (payment?.status === 'open') {
    book.invoicePayments.update(payment.id, {
      status: 'canceled',
      status_transitions: { canceled_at: now, paid_at: null },
    });
  }
  if (intent && intent.status !== 'succeeded' && intent.status !== 'canceled')
    cancelIntent(world, book, intent, 'void_invoice');
}

export function markUncollectible(world: World, book: Book, before: Invoice): Invoice {
  const after = book.invoices.update(before.id, {
    status: 'uncollectible',
    next_payment_attempt: null,
    status_transitions: { ...before.status_transitions, marked_uncollectible_at: nowOf(world, before) },
  });
  emitChange(world, book, 'invoice.updated', before, after);
  emit(world, book, 'invoice.marked_uncollectible', after);
  return after;
}

export function requireOpen(invoice: Invoice, does: string, also: string[] = []): void {
  if (invoice.status === 'open' || also.includes(invoice.status ?? '')) return;
  if (invoice.status === 'paid') throw refused('Invoice is already paid', 'invoice_already_paid');
  throw badParam(
    '',
    `You can only ${does} if its status is open. This invoice is ${invoice.status}.`,
    'invoice_not_open',
  );
}
