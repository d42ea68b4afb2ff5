import type { Transaction } from 'firebase-admin/firestore';
import { readCoach } from '../../coaches/coaches.service.ts';
import type { Context } from '../../platform/context.ts';
import { hasEnded, type Subscription, type SubscriptionFacts } from './subscriptions.ts';

/**
 * A tenant's terms hold for every charge from now on, but of a subscription Stripe takes the percentage that it was begun
 * with. What is to be told to Stripe after the commit; lost, the next look finds it again.
 */
export async function planFee(
  ctx: Context,
  tx: Transaction,
  id: string,
  subscription: Subscription,
  { feePercent }: Pick<SubscriptionFacts, 'feePercent'>,
): Promise<((ctx: Context) => Promise<void>)[]> {
  const { coachId, stripeAccountId } = subscription;
  if (!coachId || !stripeAccountId || hasEnded(subscription)) return [];
  const wanted = (await readCoach(ctx, coachId, tx))?.terms.feePercent;
  if (wanted === undefined || wanted === feePercent) return [];
  return [
    async (after) => {
      const stripe = await after.stripe();
      await stripe.subscriptions.update(id, { application_fee_percent: wanted }, { stripeAccount: stripeAccountId });
    },
  ];
}
