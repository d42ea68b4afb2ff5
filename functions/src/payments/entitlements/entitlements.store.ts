import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import type { Entitlements } from './entitlements.ts';

/** The field `entitlements` of `customers/{uid}`; the rest of the document is the customers' store's. */
const ref = (db: Firestore, uid: string) => db.collection('customers').doc(uid);

export async function readEntitlements(db: Firestore, uid: string, tx: Transaction): Promise<Entitlements | undefined> {
  return (await tx.get(ref(db, uid))).get('entitlements') as Entitlements | undefined;
}

/** Replaces the field whole. The customer is there: nobody pays before. */
export function writeEntitlements(
  db: Firestore,
  tx: Transaction,
  uid: string,
  entitlements: Entitlements,
  now: Date,
): void {
  tx.update(ref(db, uid), { entitlements, updatedAt: Timestamp.fromDate(now) });
}
