import { days, hours } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf } from '../../platform/errors.ts';
import { runWrites } from '../../platform/write.ts';
import { releaseParked } from '../../webhooks/webhooks.service.ts';
import { fetchInvoice, planLook } from './look.service.ts';
import { fetchSubscription } from './mirror.service.ts';
import * as store from './subscriptions.store.ts';

const sweepLimit = 50;
/** Stripe charges an hour after a period's end; what is not heard of long after that may have been lost. */
const patienceMs = hours(6);
/** One that stands still at Stripe too is not looked at for ever. */
const giveUpMs = days(3);

/**
 * For the sweep: looks at subscriptions that were to be charged and of which nothing was heard. (A tenant's events are not
 * in the platform's list of undelivered ones.)
 */
export async function lookAtOverdue(ctx: Context, now: Date): Promise<{ looked: number }> {
  const window = { after: new Date(now.getTime() - giveUpMs), before: new Date(now.getTime() - patienceMs) };
  const overdue = await store.chargedWithin(ctx.db, window, sweepLimit);
  for (const { id, subscription } of overdue) {
    try {
      await lookAgain(ctx, id, subscription.stripeAccountId);
    } catch (error) {
      ctx.log.warn('subscription.not-looked-at', { subscriptionId: id, error: messageOf(error) });
    }
  }
  return { looked: overdue.length };
}

async function lookAgain(ctx: Context, id: string, stripeAccount: string | undefined): Promise<void> {
  const fetched = await fetchSubscription(ctx, id, stripeAccount);
  const { latestInvoice } = fetched.facts;
  const invoice = latestInvoice ? await fetchInvoice(ctx, latestInvoice.id, stripeAccount) : null;
  const created = await ctx.db.runTransaction(async (tx) => {
    const { subscription, version } = await store.readSubscription(ctx.db, id, tx);
    // Changed since: somebody else has looked.
    if (!subscription || version !== fetched.version) return [];
    const look = await planLook(ctx, tx, subscription, { ...fetched, invoice });
    runWrites(tx, look.writes);
    return look.created;
  });
  for (const path of created) await releaseParked(ctx, path);
}
