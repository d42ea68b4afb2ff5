import type { Firestore, Timestamp, Transaction } from 'firebase-admin/firestore';
import type { PlatformPayout } from './platform.ts';

/** `platformPayouts/{id}`. */
const payouts = (db: Firestore) => db.collection('platformPayouts');

export const platformPayoutPath = (id: string): string => `platformPayouts/${id}`;

export async function read(db: Firestore, id: string, tx?: Transaction): Promise<PlatformPayout | undefined> {
  const ref = payouts(db).doc(id);
  return (await (tx ? tx.get(ref) : ref.get())).data() as PlatformPayout | undefined;
}

export interface Listed {
  id: string;
  payout: PlatformPayout;
}

/** The one written last. Read in the transaction that writes the next, so that of two at once one sees the other. */
export async function latest(db: Firestore, tx?: Transaction): Promise<Listed | undefined> {
  const query = payouts(db).orderBy('createdAt', 'desc').limit(1);
  const doc = (await (tx ? tx.get(query) : query.get())).docs[0];
  return doc && { id: doc.id, payout: doc.data() as PlatformPayout };
}

export async function dueChecks(db: Firestore, now: Timestamp, limit: number): Promise<Listed[]> {
  const found = await payouts(db).where('checkAt', '<=', now).orderBy('checkAt').limit(limit).get();
  return found.docs.map((doc) => ({ id: doc.id, payout: doc.data() as PlatformPayout }));
}

export function create(db: Firestore, tx: Transaction, id: string, payout: PlatformPayout): void {
  tx.create(payouts(db).doc(id), payout);
}

export function write(db: Firestore, tx: Transaction, id: string, payout: PlatformPayout): void {
  tx.set(payouts(db).doc(id), payout);
}

/** Set by accounting, which knows nothing else of the document. */
export function setReference(db: Firestore, tx: Transaction, id: string, reference: string): void {
  tx.update(payouts(db).doc(id), { fortnoxReference: reference });
}
