/** A Checkout Session's end: its payment came, came later, or failed later. Without a purchase: `checkout-expiry.ts`. */
import type Stripe from 'stripe';
import { emit } from '../../core/events.ts';
import type { Book, World } from '../../core/world.ts';

type Session = Stripe.Checkout.Session;

/** The customer is through: the session is complete, paid or waiting for a bank. */
export function completeSession(
  world: World,
  book: Book,
  id: string,
  status: 'paid' | 'unpaid' | 'no_payment_required',
): Session {
  const before = book.billing.checkoutSessions.get(id)!;
  const order = book.billing.orders.get(id)!;
  const customer = book.customers.get(order.customer ?? '');
  const subscription = book.subscriptions.get(order.subscription ?? '');
  const after = book.billing.checkoutSessions.put({
    ...before,
    status: 'complete',
    payment_status: status,
    url: null,
    customer: order.customer,
    customer_details: {
      address: customer?.address ?? null,
      business_name: null,
      email: order.email ?? customer?.email ?? null,
      individual_name: null,
      name: customer?.name ?? null,
      phone: customer?.phone ?? null,
      tax_exempt: 'none',
      tax_ids: [],
    },
    payment_intent: before.mode === 'payment' ? order.intent : null,
    setup_intent: before.mode === 'setup' ? order.setup : null,
    subscription: order.subscription,
    invoice: (subscription?.latest_invoice as string | null | undefined) ?? null,
  });
  emit(world, book, 'checkout.session.completed', after);
  return after;
}

/** A PaymentIntent succeeded: at once, or days after its session was complete. */
export function sessionPaid(world: World, book: Book, intent: Stripe.PaymentIntent): void {
  const session = book.billing.checkoutSessions.get(book.billing.sessionOfIntent.get(intent.id) ?? '');
  if (!session) return;
  if (session.status === 'open') {
    completeSession(world, book, session.id, 'paid');
  } else if (session.status === 'complete' && session.payment_status === 'unpaid') {
    const after = book.billing.checkoutSessions.update(session.id, { payment_status: 'paid' });
    emit(world, book, 'checkout.session.async_payment_succeeded', after);
  }
}

/** A declined card may be tried again; a bank's late refusal is final. */
export function sessionAttemptFailed(world: World, book: Book, intent: Stripe.PaymentIntent): void {
  const session = book.billing.checkoutSessions.get(book.billing.sessionOfIntent.get(intent.id) ?? '');
  if (session?.status === 'complete' && session.payment_status === 'unpaid')
    emit(world, book, 'checkout.session.async_payment_failed', session);
}
