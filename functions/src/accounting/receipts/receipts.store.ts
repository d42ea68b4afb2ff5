import type { Firestore, Transaction } from 'firebase-admin/firestore';
import { keepNumber } from '../../platform/number-series.ts';
import type { Issued, Receipt } from './receipts.ts';

/** `receipts/{id}`: created, never changed. */
const receipts = (db: Firestore) => db.collection('receipts');

export async function readReceipt(db: Firestore, id: string): Promise<Receipt | undefined> {
  return (await receipts(db).doc(id).get()).data() as Receipt | undefined;
}

/** Every document of a payment: its receipt and what was credited, at most one a ledger document. */
export async function receiptsOf(db: Firestore, paymentId: string, tx?: Transaction): Promise<Issued[]> {
  const query = receipts(db).where('paymentId', '==', paymentId);
  const found = await (tx ? tx.get(query) : query.get());
  return found.docs.map((doc) => ({ id: doc.id, receipt: doc.data() as Receipt }));
}

/** The document and its number in one: a number is given when its document is there, and only then. */
export function createReceipt(db: Firestore, tx: Transaction, id: string, receipt: Receipt, last: number): void {
  tx.create(receipts(db).doc(id), receipt);
  keepNumber(db, tx, receipt.seriesId, last);
}
