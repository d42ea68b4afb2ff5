import type Stripe from 'stripe';
import { idOf } from '../../platform/stripe.ts';
import { handler, type DispatchTable, type Outcome } from '../../webhooks/webhooks.ts';
import { checkoutPath, readCheckout } from './checkout.store.ts';
import { plainSession } from './made.service.ts';
import { planPage } from './paid.service.ts';
import { adoptSubscription } from './subscribed.service.ts';

/** A page moved: it is fetched, so that an event that comes late says what is, and what it says merges in any order. */
const pageMoved = handler<{ session: Stripe.Checkout.Session; begun: string[] }>({
  fetch: async (ctx, { account, data }) => {
    const session = await plainSession(ctx, (data.object as Stripe.Checkout.Session).id, account);
    const subscriptionId = idOf(session.subscription);
    return { session, begun: subscriptionId ? await adoptSubscription(ctx, subscriptionId, account) : [] };
  },
  plan: async (ctx, tx, event, { session, begun }): Promise<Outcome> => {
    const checkout = await readCheckout(ctx.db, session.id, tx);
    if (!checkout) return { outcome: 'parked', waitingFor: checkoutPath(session.id) };
    if (checkout.stripeAccountId !== event.account) return { outcome: 'applied', writes: [] };
    const page = await planPage(ctx, tx, checkout, session);
    return { outcome: 'applied', ...page, created: [...begun, ...page.created] };
  },
});

export const checkoutEvents: DispatchTable = {
  'checkout.session.completed': pageMoved,
  'checkout.session.expired': pageMoved,
  'checkout.session.async_payment_succeeded': pageMoved,
  'checkout.session.async_payment_failed': pageMoved,
};
