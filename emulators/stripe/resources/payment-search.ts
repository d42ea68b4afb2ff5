/** Searching payments: what Stripe lets one search by, of the fields the emulator has. */
import type Stripe from 'stripe';
import { search } from '../core/search.ts';
import type { Book, World } from '../core/world.ts';

export const searchPaymentIntents = (world: World, book: Book, params: Stripe.PaymentIntentSearchParams) =>
  search<Stripe.PaymentIntent>(world, book.paymentIntents, '/v1/payment_intents/search', params, {
    amount: (intent) => intent.amount,
    created: (intent) => intent.created,
    currency: (intent) => intent.currency,
    customer: (intent) => intent.customer as string | null,
    status: (intent) => intent.status,
  });

export const searchCharges = (world: World, book: Book, params: Stripe.ChargeSearchParams) =>
  search<Stripe.Charge>(world, book.charges, '/v1/charges/search', params, {
    amount: (charge) => charge.amount,
    created: (charge) => charge.created,
    currency: (charge) => charge.currency,
    customer: (charge) => charge.customer as string | null,
    disputed: (charge) => String(charge.disputed),
    'payment_method_details.card.last4': (charge) => charge.payment_method_details?.card?.last4 ?? null,
    refunded: (charge) => String(charge.refunded),
    status: (charge) => charge.status,
  });
