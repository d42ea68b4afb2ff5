/** Invoices and their payments: what becomes of them when their PaymentIntent is paid, declined or given up. */
import type Stripe from 'stripe';
import { missing } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { inRange, page } from '../core/list.ts';
import type { Invoice } from '../core/wire.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';

const subscriptionOf = (invoice: Invoice) => invoice.parent?.subscription_details?.subscription as string | undefined;

const paymentOf = (book: Book, invoice: Invoice): Stripe.InvoicePayment | undefined =>
  [...book.invoicePayments.walk({ group: invoice.id })][0];

/** The PaymentIntent of an invoice succeeded: the invoice is paid and its subscription begins. */
export function invoicePaid(world: World, book: Book, intent: Stripe.PaymentIntent): void {
  const before = book.invoices.get(book.invoiceOfIntent.get(intent.id) ?? '');
  if (!before) return;
  const payment = paymentOf(book, before);
  const after = book.invoices.update(before.id, {
    status: 'paid',
    amount_paid: before.amount_due,
    amount_remaining: 0,
    attempt_count: before.attempt_count + 1,
    attempted: true,
    status_transitions: { ...before.status_transitions, paid_at: world.now },
  });
  if (payment) {
    const paid = book.invoicePayments.update(payment.id, {
      amount_paid: payment.amount_requested,
      status: 'paid',
      status_transitions: { canceled_at: null, paid_at: world.now },
    });
    emit(world, book, 'invoice_payment.paid', paid);
  }
  emitChange(world, book, 'invoice.updated', before, after);
  emit(world, book, 'invoice.paid', after);
  emit(world, book, 'invoice.payment_succeeded', after);
  activate(world, book, subscriptionOf(after), intent.payment_method as string | null);
}

function activate(world: World, book: Book, id: string | undefined, method: string | null): void {
  const before = book.subscriptions.get(id ?? '');
  if (before?.status !== 'incomplete') return;
  const saves = before.payment_settings?.save_default_payment_method === 'on_subscription';
  const after = book.subscriptions.update(before.id, {
    status: 'active',
    default_payment_method: saves ? method : before.default_payment_method,
  });
  emitChange(world, book, 'customer.subscription.updated', before, after);
}

/** The PaymentIntent of an invoice was declined: the invoice stays open. */
export function invoiceAttemptFailed(world: World, book: Book, intent: Stripe.PaymentIntent): void {
  const before = book.invoices.get(book.invoiceOfIntent.get(intent.id) ?? '');
  if (!before) return;
  const after = book.invoices.update(before.id, { attempt_count: before.attempt_count + 1, attempted: true });
  emitChange(world, book, 'invoice.updated', before, after);
  emit(world, book, 'invoice.payment_failed', after);
}

/** An open invoice is given up. */
export function voidInvoice(world: World, book: Book, before: Invoice): void {
  const payment = paymentOf(book, before);
  if (payment) {
    book.invoicePayments.update(payment.id, {
      status: 'canceled',
      status_transitions: { canceled_at: world.now, paid_at: null },
    });
  }
  const after = book.invoices.update(before.id, {
    status: 'void',
    status_transitions: { ...before.status_transitions, voided_at: world.now },
  });
  emitChange(world, book, 'invoice.updated', before, after);
  emit(world, book, 'invoice.voided', after);
}

export function retrieveInvoice(_: World, book: Book, __: ExpandOnly, [id = '']: string[]): Invoice {
  const invoice = book.invoices.get(id);
  if (!invoice) throw missing('invoice', id, 'invoice', 404);
  return invoice;
}

export const listInvoices = (_: World, book: Book, params: Stripe.InvoiceListParams) =>
  page(
    book.invoices,
    '/v1/invoices',
    params,
    (invoice) =>
      inRange(invoice.created, params.created) &&
      (params.customer === undefined || invoice.customer === params.customer) &&
      (params.status === undefined || invoice.status === params.status) &&
      (params.subscription === undefined || subscriptionOf(invoice) === params.subscription),
  );

export const listInvoicePayments = (_: World, book: Book, params: Stripe.InvoicePaymentListParams) =>
  page(
    book.invoicePayments,
    '/v1/invoice_payments',
    params,
    (payment) =>
      (params.status === undefined || payment.status === params.status) &&
      inRange(payment.created, params.created) &&
      (params.payment === undefined || payment.payment.payment_intent === params.payment.payment_intent),
    params.invoice,
  );

export function retrieveInvoicePayment(_: World, book: Book, __: ExpandOnly, [id = '']: string[]) {
  const payment = book.invoicePayments.get(id);
  if (!payment) throw missing('invoice_payment', id, 'id', 404);
  return payment;
}
