import type { Timestamp } from 'firebase-admin/firestore';
import { Refusal } from '../../platform/errors.ts';
import type { Currency, Minor } from '../../platform/money.ts';
import type { Product } from '../products.ts';
import { requireSubscribable } from './start.ts';
import { hasEnded, type Subscription } from './subscriptions.ts';

/** What an accepted change will ask of Stripe; a resumed run asks exactly this. */
export type ChangePlan = { subscriptionId: string; stripeAccountId?: string } & (
  | {
      change: 'update';
      productId: string;
      name: string;
      unitMinor: Minor;
      currency: Currency;
      interval: 'month' | 'year';
      quantity: number;
    }
  | { change: 'cancel'; when: 'now' | 'period_end' }
  /** `contractEnd`: the end that was agreed on stands again. */
  | { change: 'resume'; contractEnd?: Timestamp }
  /** It is as it is wished to be. */
  | { change: 'none' }
);

const refuse = (reason: string, message: string): Refusal => new Refusal('failed-precondition', reason, message);

/** One's own subscription; another's is none. */
export function requireOwn(id: string, subscription: Subscription | undefined, uid: string): Subscription {
  if (subscription?.userId === uid) return subscription;
  throw new Refusal('not-found', 'subscription-not-found', `You have no subscription ${id}.`);
}

export interface Wanted {
  product: Product;
  quantity: number;
  productId: string;
}

/**
 * Whether a subscription may become this. Throws the Refusal a customer should see. From a year to months is refused: the
 * rest of the year would be a credit for years; it is cancelled at the period's end and subscribed to anew.
 */
export function requireChangeable(subscription: Subscription, { product, productId, quantity }: Wanted): void {
  const { name } = product;
  const { interval } = requireSubscribable(product);
  if (hasEnded(subscription)) throw refuse('subscription-ended', 'This subscription has ended. Subscribe anew.');
  if (subscription.status !== 'active' && subscription.status !== 'trialing')
    throw refuse('subscription-not-paid', 'Pay what is open on this subscription first, then change it.');
  if (subscription.cancelAtPeriodEnd)
    throw refuse('subscription-canceling', 'This subscription is cancelled. Take the cancellation back first.');
  if (productId === subscription.productId && quantity === subscription.quantity)
    throw refuse('nothing-to-change', `The subscription is to ${quantity} of ${name} already.`);
  if (product.coachId !== subscription.coachId)
    throw refuse('plan-of-another-seller', `${name} is sold by somebody else. Subscribe to it by itself.`);
  if (product.currency !== subscription.currency)
    throw refuse('plan-in-another-currency', `${name} is priced in ${product.currency}, your subscription is not.`);
  if (subscription.interval === 'year' && interval === 'month')
    throw refuse(
      'plan-with-shorter-interval',
      `${name} is paid by the month. Cancel your yearly subscription at its period's end and subscribe anew.`,
    );
}

/** What a cancellation comes to. What is cancelled for the period's end may still be ended now. */
export function cancelChange(subscription: Subscription, when: 'now' | 'period_end'): 'cancel' | 'none' {
  if (hasEnded(subscription)) throw refuse('subscription-ended', 'This subscription has ended already.');
  if (when === 'now') return 'cancel';
  if (subscription.status === 'incomplete')
    throw refuse('subscription-not-begun', 'This subscription was never paid. Cancel it now.');
  return subscription.cancelAtPeriodEnd ? 'none' : 'cancel';
}

/** What taking a cancellation back comes to. */
export function resumeChange(subscription: Subscription): 'resume' | 'none' {
  if (hasEnded(subscription)) throw refuse('subscription-ended', 'This subscription has ended. Subscribe anew.');
  return subscription.cancelAtPeriodEnd ? 'resume' : 'none';
}
