import type { Firestore } from 'firebase-admin/firestore';
import type { BusinessDate } from '../platform/clock.ts';
import type { AccountProof, Reconciliation } from './reconciliation.ts';

const collection = 'reconciliations';

export const reconciliationPath = (date: BusinessDate): string => `${collection}/${date}`;
const ref = (db: Firestore, date: BusinessDate) => db.collection(collection).doc(date);

/** The last night before `date` that came to its end. */
export async function nightBefore(db: Firestore, date: BusinessDate): Promise<Reconciliation | undefined> {
  const page = await db.collection(collection).where('date', '<', date).orderBy('date', 'desc').limit(1).get();
  return page.docs[0]?.data() as Reconciliation | undefined;
}

/** What a night proved of one account, a document per currency. */
export async function accountProofs(db: Firestore, date: BusinessDate, account: string): Promise<AccountProof[]> {
  const found = await ref(db, date).collection('accounts').where('account', '==', account).get();
  return found.docs.map((doc) => doc.data() as AccountProof);
}

export async function saveProof(db: Firestore, date: BusinessDate, proof: AccountProof): Promise<void> {
  await ref(db, date).collection('accounts').doc(`${proof.account}_${proof.currency}`).set(proof);
}

export async function saveNight(db: Firestore, night: Reconciliation): Promise<void> {
  await ref(db, night.date).set(night);
}
