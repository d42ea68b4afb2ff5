import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import type { Entitlements } from './entitlements.ts';

/** The field `entitlements` of `customers/{uid}`; the rest of the document is the customers' store's. */
const ref = (db: Firestore, uid: string) => db.collection('customers').doc(uid);

/** What stands there, and whether the document does: a tenant's customer has none until something is theirs. */
export async function readEntitlements(
  db: Firestore,
  uid: string,
  tx: Transaction,
): Promise<{ there: boolean; entitlements: Entitlements | undefined }> {
  const snapshot = await tx.get(ref(db, uid));
  return { there: snapshot.exists, entitlements: snapshot.get('entitlements') as Entitlements | undefined };
}

/** Replaces the field whole. */
export function writeEntitlements(
  db: Firestore,
  tx: Transaction,
  uid: string,
  { entitlements, there, now }: { entitlements: Entitlements; there: boolean; now: Date },
): void {
  const updatedAt = Timestamp.fromDate(now);
  if (there) tx.update(ref(db, uid), { entitlements, updatedAt });
  else tx.create(ref(db, uid), { entitlements, createdAt: updatedAt, updatedAt });
}
