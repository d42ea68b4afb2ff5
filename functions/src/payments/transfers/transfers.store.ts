import type { Firestore, Timestamp, Transaction } from 'firebase-admin/firestore';
import type { Transfer } from './transfers.ts';

/** `transfers/{id}`. */
const ref = (db: Firestore, id: string) => db.collection('transfers').doc(id);

export async function readTransfer(db: Firestore, id: string, tx?: Transaction): Promise<Transfer | undefined> {
  return (await (tx ? tx.get(ref(db, id)) : ref(db, id).get())).data() as Transfer | undefined;
}

export function createTransfer(db: Firestore, tx: Transaction, id: string, transfer: Transfer): void {
  tx.create(ref(db, id), transfer);
}

export function writeTransfer(db: Firestore, tx: Transaction, id: string, transfer: Transfer): void {
  tx.set(ref(db, id), transfer);
}

/** Every order about a payment, by id. */
export async function ofPayment(db: Firestore, tx: Transaction, paymentId: string): Promise<Map<string, Transfer>> {
  const found = await tx.get(db.collection('transfers').where('paymentId', '==', paymentId));
  return new Map(found.docs.map((doc) => [doc.id, doc.data() as Transfer]));
}

/** Orders whose time to be looked at has come, the longest due first. */
export async function dueChecks(db: Firestore, now: Timestamp, limit: number): Promise<string[]> {
  const found = await db.collection('transfers').where('checkAt', '<=', now).orderBy('checkAt').limit(limit).get();
  return found.docs.map((doc) => doc.id);
}

/** Take-backs of all coaches that stand refused since then or longer, the oldest first. Index: kind, status, createdAt. */
export async function refusedSince(db: Firestore, by: Timestamp, limit: number): Promise<Transfer[]> {
  const found = await db
    .collection('transfers')
    .where('kind', '==', 'reversal')
    .where('status', '==', 'refused')
    .where('createdAt', '<=', by)
    .orderBy('createdAt')
    .limit(limit)
    .get();
  return found.docs.map((doc) => doc.data() as Transfer);
}

/** A coach's take-backs that Stripe refused: debts that stand. */
export async function refusedTakeBacks(db: Firestore, coachId: string, limit: number): Promise<string[]> {
  const found = await db
    .collection('transfers')
    .where('coachId', '==', coachId)
    .where('kind', '==', 'reversal')
    .where('status', '==', 'refused')
    .limit(limit)
    .get();
  return found.docs.map((doc) => doc.id);
}
