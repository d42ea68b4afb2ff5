import type { Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import type { Outcome } from '../../webhooks/webhooks.ts';
import { belongsTo, checkoutKey } from './checkout.ts';
import { checkoutOf, checkoutPath, readCheckout } from './checkout.store.ts';
import { retrieveSession } from './pages.service.ts';
import { planPage } from './paid.service.ts';

export interface MadeOnPage {
  checkoutId: string;
  session: Stripe.Checkout.Session;
}

/** The SDK's response carries methods and headers; what is stored with an event is plain JSON. */
export async function plainSession(ctx: Context, id: string, account?: string): Promise<Stripe.Checkout.Session> {
  return JSON.parse(JSON.stringify(await retrieveSession(ctx, id, account))) as Stripe.Checkout.Session;
}

/**
 * The page that a PaymentIntent without a payment may have been made on. A page makes its intent when the customer tries to
 * pay, and is complete only when they have: a card that is declined there is seen by the intent's news alone. What its
 * metadata says only tells which page to look at.
 */
export async function fetchMade(ctx: Context, event: Stripe.Event): Promise<MadeOnPage | null> {
  const { metadata } = event.data.object as Stripe.PaymentIntent;
  const { userId, [checkoutKey]: requestId } = metadata;
  if (!userId || !requestId) return null;
  const checkout = await checkoutOf(ctx.db, userId, requestId);
  if (!checkout || checkout.stripeAccountId !== event.account) return null;
  return { checkoutId: checkout.id, session: await plainSession(ctx, checkout.id, event.account) };
}

/** Makes the payment of a page from the first news of its intent; undefined while it is not clear that it is the page's. */
export async function planMade(
  ctx: Context,
  tx: Transaction,
  event: Stripe.Event,
  made: MadeOnPage,
): Promise<Outcome | undefined> {
  const intent = event.data.object as Stripe.PaymentIntent;
  const checkout = await readCheckout(ctx.db, made.checkoutId, tx);
  if (!checkout) return undefined;
  const belongs = belongsTo(checkout, made.session, intent);
  if (belongs === 'yes') return { outcome: 'applied', ...(await planPage(ctx, tx, checkout, made.session, intent)) };
  if (belongs === 'unclear') return undefined;
  const writes = await planFlag(ctx, tx, {
    id: `checkout-intent-differs_${intent.id}`,
    kind: 'checkout-intent-differs',
    severity: 'critical',
    subject: checkoutPath(checkout.id),
    message: `${intent.id} says in its metadata that it is of this page, and differs from what Stripe's page says.`,
    action: 'Find out in the Stripe dashboard who made it. If it is paid, refund it: nothing was sold for it.',
  });
  return { outcome: 'applied', writes };
}
