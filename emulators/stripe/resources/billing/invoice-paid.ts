/** What pays an invoice, and what follows when it is paid. */
import type Stripe from 'stripe';
import { emit, emitChange } from '../../core/events.ts';
import type { Invoice } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { subscriptionPaid } from './standing.ts';
import { nowOf } from './time.ts';

export const paymentOf = (book: Book, invoice: Invoice): Stripe.InvoicePayment | undefined =>
  [...book.invoicePayments.walk({ group: invoice.id })].find((each) => each.status !== 'canceled');

export function intentOfInvoice(book: Book, invoice: Invoice): Stripe.PaymentIntent | undefined {
  const id = paymentOf(book, invoice)?.payment.payment_intent;
  return typeof id === 'string' ? book.paymentIntents.get(id) : undefined;
}

/** Paid, by the intent given or by nothing (null): nothing was due, or the money came another way. */
export function markPaid(world: World, book: Book, before: Invoice, intent: Stripe.PaymentIntent | null): Invoice {
  const now = nowOf(world, before);
  const after = book.invoices.update(before.id, {
    status: 'paid',
    amount_paid: before.amount_due,
    amount_remaining: 0,
    attempt_count: before.attempt_count + (intent ? 1 : 0),
    attempted: true,
    next_payment_attempt: null,
    status_transitions: { ...before.status_transitions, paid_at: now },
  });
  const payment = paymentOf(book, before);
  if (payment && intent) {
    const paid = book.invoicePayments.update(payment.id, {
      amount_paid: payment.amount_requested,
      status: 'paid',
      status_transitions: { canceled_at: null, paid_at: now },
    });
    emit(world, book, 'invoice_payment.paid', paid);
  }
  emitChange(world, book, 'invoice.updated', before, after);
  emit(world, book, 'invoice.paid', after);
  emit(world, book, 'invoice.payment_succeeded', after);
  subscriptionPaid(world, book, after, (intent?.payment_method as string | null | undefined) ?? null);
  return after;
}
