import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { raiseFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { paymentPath } from '../payments.store.ts';
import { firstInvoice, saveIfMissing } from '../subscriptions/start.service.ts';
import { readSubscription, subscriptionPath } from '../subscriptions/subscriptions.store.ts';
import { checkoutKey, unlikePlan, type Checkout } from './checkout.ts';
import * as store from './checkout.store.ts';

/**
 * Writes a subscription that a page at Stripe began, with its first payment, from what was frozen when the page was opened;
 * whatever event tells of it first. Stripe begins it when the customer tries to pay, so one whose customer leaves at the
 * bank's page is known too. Returns the paths that came to be; safe to call any number of times, at once too.
 */
export async function adoptSubscription(ctx: Context, id: string, account: string | undefined): Promise<string[]> {
  if ((await readSubscription(ctx.db, id)).subscription) return [];
  const stripe = await ctx.stripe();
  const on = account ? { stripeAccount: account } : {};
  const subscription = await stripe.subscriptions.retrieve(id, { expand: ['latest_invoice.payments'] }, on);
  const { userId, [checkoutKey]: requestId } = subscription.metadata;
  const checkout = userId && requestId ? await store.checkoutOf(ctx.db, userId, requestId) : undefined;
  if (checkout?.purchase.mode !== 'subscription') return [];
  const plan = checkout.purchase.subscription;
  const unlike = unlikePlan(checkout, plan, subscription, account);
  if (unlike) {
    await flagUnlike(ctx, checkout, subscription, unlike);
    return [];
  }
  const invoice = await firstInvoice(ctx, subscription, account);
  await saveIfMissing(ctx, checkout.userId, plan, subscription, invoice);
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  const paymentId = invoice.payments[0]?.paymentId;
  const patch = { subscriptionId: id, ...(paymentId ? { paymentId } : {}), updatedAt };
  await ctx.db.runTransaction(async (tx) => store.updateCheckout(ctx.db, tx, checkout.id, patch));
  return [subscriptionPath(id), ...(paymentId ? [paymentPath(paymentId)] : [])];
}

/** Its events wait, and are told of as well: nothing is known of what it gives or costs. */
function flagUnlike(ctx: Context, checkout: Checkout, { id }: Stripe.Subscription, unlike: string): Promise<void> {
  return raiseFlag(ctx, {
    id: `checkout-subscription-differs_${id}`,
    kind: 'checkout-subscription-differs',
    severity: 'critical',
    subject: store.checkoutPath(checkout.id),
    message: `${id} says in its metadata that it was begun on this page, and differs from what was sold there: ${unlike}.`,
    action:
      'Find out in the Stripe dashboard who made it. Cancel it and refund what was paid, or make its document by hand.',
  });
}
