import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import type { SavedMethod } from './methods.ts';

const methods = (db: Firestore) => db.collection('paymentMethods');

export async function readMethod(db: Firestore, id: string, tx?: Transaction): Promise<SavedMethod | undefined> {
  const ref = methods(db).doc(id);
  return (await (tx ? tx.get(ref) : ref.get())).data() as SavedMethod | undefined;
}

/** All of a user's; Stripe lets a customer have a few hundred. */
export async function methodsOf(db: Firestore, userId: string, tx?: Transaction): Promise<SavedMethod[]> {
  const query = methods(db).where('userId', '==', userId);
  return (await (tx ? tx.get(query) : query.get())).docs.map((doc) => doc.data() as SavedMethod);
}

export function writeMethod(db: Firestore, tx: Transaction, method: SavedMethod): void {
  tx.set(methods(db).doc(method.id), method);
}

export function deleteMethod(db: Firestore, tx: Transaction, id: string): void {
  tx.delete(methods(db).doc(id));
}

/** Those whose owners are to be told by now that they expire, longest due first. */
export async function toBeNoticed(db: Firestore, now: Date, limit: number): Promise<SavedMethod[]> {
  const page = await methods(db)
    .where('noticeAt', '<=', Timestamp.fromDate(now))
    .orderBy('noticeAt')
    .limit(limit)
    .get();
  return page.docs.map((doc) => doc.data() as SavedMethod);
}

export function markNoticed(db: Firestore, tx: Transaction, id: string): void {
  tx.update(methods(db).doc(id), { noticeAt: null });
}
