import type { Firestore } from 'firebase-admin/firestore';
import type { Payout, PayoutItem } from './payouts.ts';

/** One payout as pages show it. */
export interface ListedPayout {
  payoutId: string;
  payout: Payout;
}

/** A coach's payouts, the newest first; `after` is the last id of the page before. Index: coachId, createdAt descending. */
export async function pageOf(
  db: Firestore,
  coachId: string,
  { after, limit }: { after?: ListedPayout; limit: number },
): Promise<ListedPayout[]> {
  let query = db
    .collection('payouts')
    .where('coachId', '==', coachId)
    .orderBy('createdAt', 'desc')
    .orderBy('__name__', 'desc')
    .limit(limit);
  if (after) query = query.startAfter(after.payout.createdAt, after.payoutId);
  return (await query.get()).docs.map((doc) => ({ payoutId: doc.id, payout: doc.data() as Payout }));
}

/** What a payout is made of, by ledger document; at most `limit` of it. */
export async function itemsOf(db: Firestore, payoutId: string, limit: number): Promise<Map<string, PayoutItem>> {
  const found = await db.collection('payouts').doc(payoutId).collection('items').limit(limit).get();
  return new Map(found.docs.map((doc) => [doc.id, doc.data() as PayoutItem]));
}
