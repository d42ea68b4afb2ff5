import type { Transaction } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import type { Write } from '../platform/write.ts';

/**
 * Plans the payout's reference to its voucher in Fortnox, in the transaction that marks the voucher posted. A payout that
 * is not there (one made outside the product, by hand in Stripe) has nothing to update.
 */
export async function planPayoutReference(
  ctx: Context,
  tx: Transaction,
  payoutId: string,
  fortnoxReference: string,
): Promise<Write[]> {
  const ref = ctx.db.collection('payouts').doc(payoutId);
  const payout = await tx.get(ref);
  if (!payout.exists) return [];
  return [(t) => t.update(ref, { fortnoxReference })];
}
