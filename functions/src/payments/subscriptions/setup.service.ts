import { raiseFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf } from '../../platform/errors.ts';
import { classifyStripeError } from '../../platform/stripe.ts';
import { setupRefusedFlag } from './subscription-flags.ts';
import { withoutSetup } from './subscriptions.ts';
import * as store from './subscriptions.store.ts';

const sweepLimit = 50;

/** For the sweep: trials whose payment method came while the call that follows it was lost. */
export async function settleSetups(ctx: Context): Promise<{ settled: number }> {
  const due = await store.setupsToSettle(ctx.db, sweepLimit);
  for (const id of due) await settleSetup(ctx, id);
  return { settled: due.length };
}

/**
 * Makes the payment method of a trial's SetupIntent the subscription's own. Asked under a key made from the intent, and
 * asked again it says the same, so nothing is lost by repeating it.
 */
export async function settleSetup(ctx: Context, id: string): Promise<void> {
  const { subscription } = await store.readSubscription(ctx.db, id);
  if (!subscription?.setupIntentId || !subscription.setupMethodId) return;
  const { setupIntentId, setupMethodId, stripeAccountId } = subscription;
  const stripe = await ctx.stripe();
  try {
    await stripe.subscriptions.update(
      id,
      { default_payment_method: setupMethodId },
      { idempotencyKey: `sub:${id}:${setupIntentId}`, ...(stripeAccountId ? { stripeAccount: stripeAccountId } : {}) },
    );
  } catch (error) {
    if (classifyStripeError(error).kind !== 'refused') throw error;
    await raiseFlag(ctx, setupRefusedFlag(id, messageOf(error)));
  }
  await ctx.db.runTransaction(async (tx) => {
    const { subscription: now } = await store.readSubscription(ctx.db, id, tx);
    if (now?.setupIntentId === setupIntentId) store.writeSubscription(ctx.db, tx, id, withoutSetup(now));
  });
}
