import type Stripe from 'stripe';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { classifyStripeError } from '../../platform/stripe.ts';
import { refusalOf } from '../intents.service.ts';
import { openOf } from './checkout.store.ts';

/** The page as Stripe has it, with the PaymentIntent it made. */
export async function retrieveSession(
  ctx: Context,
  id: string,
  stripeAccount: string | undefined,
): Promise<Stripe.Checkout.Session> {
  const stripe = await ctx.stripe();
  const on = stripeAccount ? { stripeAccount } : {};
  try {
    return await stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] }, on);
  } catch (error) {
    throw refusalOf(classifyStripeError(error));
  }
}

/**
 * Closes an order's open pages before it is paid in another way, so that it is not paid twice. `except`: the request whose
 * own page stays. One that was just used says so: the order is being paid.
 */
export async function closePages(ctx: Context, orderId: string, except?: string): Promise<void> {
  const stripe = await ctx.stripe();
  for (const { id, requestId, stripeAccountId } of await openOf(ctx.db, orderId)) {
    if (requestId === except) continue;
    if ((await retrieveSession(ctx, id, stripeAccountId)).status === 'expired') continue;
    try {
      await stripe.checkout.sessions.expire(id, {}, stripeAccountId ? { stripeAccount: stripeAccountId } : {});
    } catch (error) {
      const failure = classifyStripeError(error);
      if (failure.kind !== 'refused') throw refusalOf(failure);
      throw new Refusal('failed-precondition', 'order-being-paid', 'This order was just paid on another page.');
    }
  }
}
