/** What a card has promised and nobody has taken yet: given, and let go. Taking it: `capture.ts`. */
import type Stripe from 'stripe';
import { emit, emitChange } from '../core/events.ts';
import type { Book, World } from '../core/world.ts';

/** Stripe lets go of a card's authorization after seven days. */
const AUTHORIZED_SECONDS = 7 * 86_400;

/** The card has promised the amount. */
export function authorized(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  charge: Stripe.Charge,
): Stripe.PaymentIntent {
  const after = book.paymentIntents.put({
    ...intent,
    status: 'requires_capture',
    amount_capturable: intent.amount,
    latest_charge: charge.id,
  });
  emit(world, book, 'charge.succeeded', charge);
  emit(world, book, 'payment_intent.amount_capturable_updated', after);
  world.timers.add({
    at: world.now + AUTHORIZED_SECONDS,
    kind: 'authorization_expires',
    account: book.account,
    id: intent.id,
  });
  return after;
}

/** The authorization is let go: nothing was taken, so nothing is booked, and the charge counts as refunded. */
export function releaseAuthorization(world: World, book: Book, intent: Stripe.PaymentIntent): void {
  const before = book.charges.get(intent.latest_charge as string);
  if (before?.captured !== false || before.status !== 'succeeded') return;
  const refund = book.refunds.add({
    id: world.ids.next('re'),
    object: 'refund',
    amount: before.amount,
    balance_transaction: null,
    charge: before.id,
    created: world.now,
    currency: before.currency,
    customer: null,
    customer_account: null,
    metadata: {},
    payment_intent: intent.id,
    payment_method: before.payment_method,
    reason: null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  });
  const after = book.charges.update(before.id, { amount_refunded: before.amount, refunded: true });
  emit(world, book, 'refund.created', refund);
  emitChange(world, book, 'charge.refunded', before, after);
}
