import type Stripe from 'stripe';
import type { Context } from '../../platform/context.ts';
import { FinalRefusal } from '../../platform/commands.ts';
import { Refusal } from '../../platform/errors.ts';
import { classifyStripeError, idOf } from '../../platform/stripe.ts';
import { activePaymentOf } from '../../sessions/pay.service.ts';
import { refusalOf } from '../intents.service.ts';
import { readOrder } from '../orders/orders.store.ts';
import type { PaymentPlan } from '../plans.ts';
import { readPayment } from '../payments.store.ts';
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
 * Closes the open pages of what is bought once (an order, a session, a subscription) before it is bought in another way. `except`: the
 * request whose own page stays. Refuses when one of them was just used.
 */
export async function closePages(ctx: Context, once: string, except?: string): Promise<void> {
  const stripe = await ctx.stripe();
  for (const { id, requestId, stripeAccountId } of await openOf(ctx.db, once)) {
    if (requestId === except) continue;
    if ((await retrieveSession(ctx, id, stripeAccountId)).status === 'expired') continue;
    if (!(await expirePage(stripe, id, stripeAccountId)))
      throw new Refusal('failed-precondition', 'paid-on-a-page', 'This was just paid on a page opened before.');
  }
}

/** Whether nobody can pay on it any more; false: somebody just did. Throws while that is unclear. */
async function expirePage(stripe: Stripe, id: string, stripeAccount: string | undefined): Promise<boolean> {
  try {
    await stripe.checkout.sessions.expire(id, {}, stripeAccount ? { stripeAccount } : {});
    return true;
  } catch (error) {
    const failure = classifyStripeError(error);
    if (failure.kind !== 'refused') throw refusalOf(failure);
    return false;
  }
}

/**
 * A payment of the order or session that was begun in the app while this page was made goes first, and so does the order's
 * cancellation. Each side looks for the other after it has written its own document, so at least one of them sees the other.
 */
export async function giveWay(
  ctx: Context,
  { orderId, sessionId }: Pick<PaymentPlan, 'orderId' | 'sessionId'>,
  page: { id: string; stripeAccountId: string | undefined },
): Promise<void> {
  const order = orderId ? await readOrder(ctx.db, orderId) : undefined;
  const canceled = order?.status === 'canceled' || order?.closing === true;
  const activePaymentId = sessionId ? await activePaymentOf(ctx, sessionId) : order?.activePaymentId;
  const active = activePaymentId ? await readPayment(ctx.db, activePaymentId) : undefined;
  if (!canceled && (!active || active.status === 'canceled')) return;
  const session = await retrieveSession(ctx, page.id, page.stripeAccountId);
  const its = active !== undefined && idOf(session.payment_intent) === active.stripePaymentId;
  if (its || session.status !== 'open') return;
  await expirePage(await ctx.stripe(), page.id, page.stripeAccountId);
  if (!active || canceled)
    throw new FinalRefusal('failed-precondition', 'order-canceled', 'The order was canceled. Make a new one.');
  throw new FinalRefusal(
    'failed-precondition',
    'payment-under-way',
    'A payment of it was begun in the app. Finish it there.',
    { paymentId: active.stripePaymentId },
  );
}
