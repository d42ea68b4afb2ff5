import type { Firestore, Transaction } from 'firebase-admin/firestore';
import type { Flag } from './flags.ts';

const ref = (db: Firestore, id: string) => db.collection('flags').doc(id.replaceAll('/', '_'));

export async function readFlag(db: Firestore, tx: Transaction, id: string): Promise<Flag | undefined> {
  return (await tx.get(ref(db, id))).data() as Flag | undefined;
}

/** Open flags of one kind. */
export async function openOfKind(db: Firestore, kind: string, limit: number): Promise<Flag[]> {
  const found = await db.collection('flags').where('kind', '==', kind).where('status', '==', 'open').limit(limit).get();
  return found.docs.map((doc) => doc.data() as Flag);
}

export function writeFlag(db: Firestore, tx: Transaction, flag: Flag): void {
  tx.set(ref(db, flag.id), flag);
}
