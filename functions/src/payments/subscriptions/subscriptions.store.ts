import { Timestamp, type DocumentSnapshot, type Firestore, type Transaction } from 'firebase-admin/firestore';
import { standingStatuses, type Subscription } from './subscriptions.ts';

export const subscriptionPath = (id: string): string => `subscriptions/${id}`;
const ref = (db: Firestore, id: string) => db.collection('subscriptions').doc(id);

/** When the document last changed, to tell whether it still is what a fetch was based on; null when it is not there. */
export const versionOf = (snapshot: DocumentSnapshot): string | null =>
  snapshot.updateTime?.toDate().toISOString() ?? null;

export async function readSubscription(
  db: Firestore,
  id: string,
  tx?: Transaction,
): Promise<{ subscription: Subscription | undefined; version: string | null }> {
  const snapshot = await (tx ? tx.get(ref(db, id)) : ref(db, id).get());
  return { subscription: snapshot.data() as Subscription | undefined, version: versionOf(snapshot) };
}

export async function standingSubscription(
  db: Firestore,
  tx: Transaction,
  userId: string,
  productId: string,
): Promise<boolean> {
  const query = db
    .collection('subscriptions')
    .where('userId', '==', userId)
    .where('productId', '==', productId)
    .where('status', 'in', standingStatuses)
    .limit(1);
  return !(await tx.get(query)).empty;
}

/** All that this user ever had or began. */
export async function historyOf(
  db: Firestore,
  tx: Transaction,
  userId: string,
): Promise<{ id: string; subscription: Subscription }[]> {
  const query = db.collection('subscriptions').where('userId', '==', userId);
  return (await tx.get(query)).docs.map((doc) => ({ id: doc.id, subscription: doc.data() as Subscription }));
}

export async function bySetupIntent(
  db: Firestore,
  tx: Transaction,
  setupIntentId: string,
): Promise<{ id: string; subscription: Subscription } | undefined> {
  const query = db.collection('subscriptions').where('setupIntentId', '==', setupIntentId).limit(1);
  const [doc] = (await tx.get(query)).docs;
  return doc && { id: doc.id, subscription: doc.data() as Subscription };
}

/** Subscriptions that were to be charged within this time. */
export async function chargedWithin(
  db: Firestore,
  { after, before }: { after: Date; before: Date },
  limit: number,
): Promise<{ id: string; subscription: Subscription }[]> {
  const page = await db
    .collection('subscriptions')
    .where('nextChargeAt', '>', Timestamp.fromDate(after))
    .where('nextChargeAt', '<', Timestamp.fromDate(before))
    .orderBy('nextChargeAt')
    .limit(limit)
    .get();
  return page.docs.map((doc) => ({ id: doc.id, subscription: doc.data() as Subscription }));
}

/** Trials whose payment method is set up and does not pay for the subscription yet. */
export async function setupsToSettle(db: Firestore, limit: number): Promise<string[]> {
  const query = db.collection('subscriptions').where('setupMethodId', '>', '').limit(limit);
  return (await query.get()).docs.map((doc) => doc.id);
}

export function writeSubscription(db: Firestore, tx: Transaction, id: string, subscription: Subscription): void {
  tx.set(ref(db, id), subscription);
}

/** A user's subscriptions that had time left at that instant, whether or not we have heard of their end. */
export async function withTimeLeft(db: Firestore, tx: Transaction, userId: string, at: Date): Promise<string[]> {
  const page = await tx.get(db.collection('subscriptions').where('userId', '==', userId));
  return page.docs
    .filter((doc) => {
      const { status, currentPeriodEnd } = doc.data() as Subscription;
      if (status === 'canceled') return (currentPeriodEnd?.toMillis() ?? 0) > at.getTime();
      return status !== 'incomplete' && standingStatuses.includes(status);
    })
    .map((doc) => doc.id);
}
