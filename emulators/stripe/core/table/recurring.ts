import type Stripe from 'stripe';
import { int, obj, oneOf, required } from '../params.ts';

/** The rhythm of a price, of a product's own and of a subscription's. */
export const recurring = obj<Stripe.PriceCreateParams.Recurring>({
  interval: required(oneOf('day', 'week', 'month', 'year')),
  interval_count: int,
  usage_type: oneOf('licensed'),
});
