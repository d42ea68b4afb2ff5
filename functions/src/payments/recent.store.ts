import type { Context } from '../platform/context.ts';
import type { Payment } from './payments.ts';

/** The payments made last: for the invariants. */
export async function lastPayments(ctx: Context, limit: number): Promise<Payment[]> {
  const page = await ctx.db.collection('payments').orderBy('createdAt', 'desc').limit(limit).get();
  return page.docs.map((doc) => doc.data() as Payment);
}
