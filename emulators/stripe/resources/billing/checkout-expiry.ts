/** A Checkout Session's end without a purchase: nobody paid in time, or it was expired over the API. */
import type Stripe from 'stripe';
import { emit } from '../../core/events.ts';
import type { Book, World } from '../../core/world.ts';
import { voidInvoice } from './invoice-life.ts';
import { ENDED, endSubscription } from './standing.ts';

/** Over without a purchase; a subscription that was begun and not paid ends with it. */
export function expire(world: World, book: Book, id: string): Stripe.Checkout.Session {
  const order = book.billing.orders.get(id);
  const subscription = book.subscriptions.get(order?.subscription ?? '');
  if (subscription && !ENDED.includes(subscription.status)) {
    const invoice = book.invoices.get((subscription.latest_invoice as string | null) ?? '');
    if (invoice?.status === 'open') voidInvoice(world, book, invoice);
    endSubscription(world, book, subscription, 'cancellation_requested');
  }
  const after = book.billing.checkoutSessions.update(id, { status: 'expired', url: null });
  emit(world, book, 'checkout.session.expired', after);
  return after;
}

export function sessionExpires(world: World, book: Book, id: string): void {
  const session = book.billing.checkoutSessions.get(id);
  if (session?.status === 'open' && session.expires_at <= world.now) expire(world, book, id);
}
