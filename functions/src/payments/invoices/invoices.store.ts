import type { Firestore, Transaction } from 'firebase-admin/firestore';
import type { Invoice } from './invoices.ts';

export const invoicePath = (id: string): string => `invoices/${id}`;
const ref = (db: Firestore, id: string) => db.collection('invoices').doc(id);

export async function readInvoice(db: Firestore, id: string, tx?: Transaction): Promise<Invoice | undefined> {
  return (await (tx ? tx.get(ref(db, id)) : ref(db, id).get())).data() as Invoice | undefined;
}

export function writeInvoice(db: Firestore, tx: Transaction, id: string, invoice: Invoice): void {
  tx.set(ref(db, id), invoice);
}
