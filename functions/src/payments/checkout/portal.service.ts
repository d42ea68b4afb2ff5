import { requireAllowedAddress } from '../../platform/addresses.ts';
import type { Caller } from '../../platform/auth.ts';
import type { Context } from '../../platform/context.ts';
import { classifyStripeError } from '../../platform/stripe.ts';
import { ensureCustomer } from '../customers.service.ts';
import { refusalOf } from '../intents.service.ts';
import type { PageWishes } from './checkout.ts';

export interface PortalInput {
  returnUrl: string;
  locale?: PageWishes['locale'] | undefined;
}

/** A fresh link to Stripe's pages where customers change cards and end subscriptions. It is open for minutes, so none is kept. */
export async function createPortalSession(ctx: Context, caller: Caller, input: PortalInput): Promise<{ url: string }> {
  const return_url = requireAllowedAddress('returnUrl', input.returnUrl, ctx.config.allowedOrigins);
  const customer = await ensureCustomer(ctx, caller);
  const stripe = await ctx.stripe();
  try {
    const locale = input.locale ? { locale: input.locale } : {};
    const { url } = await stripe.billingPortal.sessions.create({ customer, return_url, ...locale });
    return { url };
  } catch (error) {
    throw refusalOf(classifyStripeError(error));
  }
}
