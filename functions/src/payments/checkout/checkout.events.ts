import type Stripe from 'stripe';
import { planFlag } from '../../admin/flags.service.ts';
import { idOf } from '../../platform/stripe.ts';
import { handler, type DispatchTable, type Outcome } from '../../webhooks/webhooks.ts';
import { belongsTo, checkoutKey } from './checkout.ts';
import { checkoutOf, checkoutPath, readCheckout } from './checkout.store.ts';
import { retrieveSession } from './pages.service.ts';
import { planPage } from './paid.service.ts';
import { adoptSubscription } from './subscribed.service.ts';

/** The SDK's response carries methods and headers; what is stored with the event is plain JSON. */
const plain = <T>(object: T): T => JSON.parse(JSON.stringify(object)) as T;

/** A page moved: it is fetched, so that an event that comes late says what is, and what it says merges in any order. */
const pageMoved = handler<{ session: Stripe.Checkout.Session; begun: string[] }>({
  fetch: async (ctx, { account, data }) => {
    const session = plain(await retrieveSession(ctx, (data.object as Stripe.Checkout.Session).id, account));
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

interface MadeOnPage {
  checkoutId: string;
  session: Stripe.Checkout.Session;
}

/**
 * A page makes its PaymentIntent when the customer tries to pay, and is complete only when they have. The payment is made
 * from the first news of the intent, so that a card that is declined there is seen. That the intent is the page's is asked
 * of Stripe: what its metadata says only tells which page to look at.
 */
const intentMade = handler<MadeOnPage | null>({
  fetch: async (ctx, event) => {
    const { metadata } = event.data.object as Stripe.PaymentIntent;
    const { userId, [checkoutKey]: requestId } = metadata;
    if (!userId || !requestId) return null;
    const checkout = await checkoutOf(ctx.db, userId, requestId);
    if (!checkout || checkout.stripeAccountId !== event.account) return null;
    return { checkoutId: checkout.id, session: plain(await retrieveSession(ctx, checkout.id, event.account)) };
  },
  plan: async (ctx, tx, event, made): Promise<Outcome> => {
    const intent = event.data.object as Stripe.PaymentIntent;
    const checkout = made && (await readCheckout(ctx.db, made.checkoutId, tx));
    if (!checkout) return { outcome: 'applied', writes: [] };
    const belongs = belongsTo(checkout, made.session, intent);
    if (belongs === 'yes') return { outcome: 'applied', ...(await planPage(ctx, tx, checkout, made.session, intent)) };
    if (belongs === 'unclear') return { outcome: 'applied', writes: [] };
    const writes = await planFlag(ctx, tx, {
      id: `checkout-intent-differs_${intent.id}`,
      kind: 'checkout-intent-differs',
      severity: 'critical',
      subject: checkoutPath(checkout.id),
      message: `${intent.id} says in its metadata that it is of this page, and differs from what Stripe's page says.`,
      action: 'Find out in the Stripe dashboard who made it. If it is paid, refund it: nothing was sold for it.',
    });
    return { outcome: 'applied', writes };
  },
});

export const checkoutEvents: DispatchTable = {
  'checkout.session.completed': pageMoved,
  'checkout.session.expired': pageMoved,
  'checkout.session.async_payment_succeeded': pageMoved,
  'checkout.session.async_payment_failed': pageMoved,
  'payment_intent.created': intentMade,
};
