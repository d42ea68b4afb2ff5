import type { Firestore, Transaction } from 'firebase-admin/firestore';
import type { SellerIdentity } from './identity.ts';

/** `sellerIdentities/{coachId}`. */
const identity = (db: Firestore, coachId: string) => db.collection('sellerIdentities').doc(coachId);

export async function readIdentity(
  db: Firestore,
  coachId: string,
  tx?: Transaction,
): Promise<SellerIdentity | undefined> {
  const ref = identity(db, coachId);
  return (await (tx ? tx.get(ref) : ref.get())).data() as SellerIdentity | undefined;
}

export function writeIdentity(db: Firestore, tx: Transaction, coachId: string, told: SellerIdentity): void {
  tx.set(identity(db, coachId), told);
}
