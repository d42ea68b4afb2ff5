import type { Context } from '../platform/context.ts';
import type { Payout, PayoutItem, PayoutWithItems } from './payouts.ts';

/** The payouts written last, with what they are made of: for the invariants. */
export async function lastPayouts(ctx: Context, limit: number): Promise<PayoutWithItems[]> {
  const page = await ctx.db.collection('payouts').orderBy('createdAt', 'desc').limit(limit).get();
  return Promise.all(
    page.docs.map(async (doc) => ({
      payoutId: doc.id,
      payout: doc.data() as Payout,
      items: (await doc.ref.collection('items').get()).docs.map((item) => item.data() as PayoutItem),
    })),
  );
}
