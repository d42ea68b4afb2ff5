/** What a PaymentIntent's outcome does to what it pays for: its invoice, its Checkout Session. */
import type Stripe from 'stripe';
import type { Book, World } from '../core/world.ts';
import { sessionAttemptFailed, sessionPaid } from './billing/checkout-outcome.ts';
import { markPaid } from './billing/invoice-paid.ts';
import { attemptFailed } from './billing/standing.ts';

/** A PaymentIntent succeeded: its invoice is paid, and its subscription begins or is mended. */
export function invoicePaid(world: World, book: Book, intent: Stripe.PaymentIntent): void {
  const invoice = book.invoices.get(book.invoiceOfIntent.get(intent.id) ?? '');
  if (invoice && invoice.status !== 'paid') markPaid(world, book, invoice, intent);
  sessionPaid(world, book, intent);
}

/** A PaymentIntent was declined: its invoice stays open. */
export function invoiceAttemptFailed(world: World, book: Book, intent: Stripe.PaymentIntent): void {
  const invoice = book.invoices.get(book.invoiceOfIntent.get(intent.id) ?? '');
  if (invoice) attemptFailed(world, book, invoice, intent.last_payment_error?.code ?? null);
  sessionAttemptFailed(world, book, intent);
}
