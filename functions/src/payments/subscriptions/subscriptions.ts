import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';

/** `subscriptions/{stripeSubscriptionId}`: Stripe's own status words; the object goes back and forth, so it is mirrored, not merged. */
export interface Subscription {
  userId: string;
  productId: string;
  quantity: number;
  status: string;
  currentPeriodEnd?: Timestamp;
  cancelAt?: Timestamp;
  trialEnd?: Timestamp;
  latestPaymentId?: string;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** Statuses in which a second subscription to the same product would charge the customer twice. */
export const standingStatuses = ['incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused'];

/** What our document mirrors of Stripe's object. */
export function mirror(
  object: Stripe.Subscription,
): Pick<Subscription, 'status' | 'quantity' | 'currentPeriodEnd' | 'cancelAt' | 'trialEnd'> {
  const item = object.items.data[0];
  const at = (seconds: number | null | undefined) => (seconds ? Timestamp.fromMillis(seconds * 1000) : undefined);
  const currentPeriodEnd = at(item?.current_period_end);
  const cancelAt = at(object.cancel_at);
  const trialEnd = at(object.trial_end);
  return {
    status: object.status,
    quantity: item?.quantity ?? 1,
    ...(currentPeriodEnd ? { currentPeriodEnd } : {}),
    ...(cancelAt ? { cancelAt } : {}),
    ...(trialEnd ? { trialEnd } : {}),
  };
}
