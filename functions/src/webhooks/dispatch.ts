import { coachEvents } from '../coaches/coaches.events.ts';
import { paymentEvents } from '../payments/payments.events.ts';
import { subscriptionEvents } from '../payments/subscriptions/subscriptions.events.ts';
import { payoutEvents } from '../payouts/payouts.events.ts';
import type { DispatchTable } from './webhooks.ts';

/** Which domain handles which of Stripe's events. Types not listed are kept as `ignored` envelopes. */
export const dispatchTable: DispatchTable = {
  ...paymentEvents,
  ...subscriptionEvents,
  ...coachEvents,
  ...payoutEvents,
};
