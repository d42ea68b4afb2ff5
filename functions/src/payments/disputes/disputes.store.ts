import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import type { Dispute } from './disputes.ts';

/** `disputes/{disputeId}`. */
const collection = 'disputes';

export async function readDispute(db: Firestore, tx: Transaction, id: string): Promise<Dispute | undefined> {
  return (await tx.get(db.collection(collection).doc(id))).data() as Dispute | undefined;
}

export function writeDispute(db: Firestore, tx: Transaction, id: string, dispute: Dispute): void {
  tx.set(db.collection(collection).doc(id), dispute);
}

/** All disputes of a payment. */
export async function ofPayment(db: Firestore, tx: Transaction, paymentId: string): Promise<Dispute[]> {
  const found = await tx.get(db.collection(collection).where('paymentId', '==', paymentId));
  return found.docs.map((doc) => doc.data() as Dispute);
}

/** Ids of disputes whose reminder is due, the most urgent first. */
export async function dueForReminder(db: Firestore, now: Date, limit: number): Promise<string[]> {
  const page = await db
    .collection(collection)
    .where('remindAt', '<=', Timestamp.fromDate(now))
    .orderBy('remindAt')
    .limit(limit)
    .get();
  return page.docs.map(({ id }) => id);
}
