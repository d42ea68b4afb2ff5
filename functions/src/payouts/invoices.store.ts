import type { Firestore, Transaction } from 'firebase-admin/firestore';
import { keepNumber } from '../platform/number-series.ts';
import type { PayoutInvoice } from './invoices.ts';
import type { InvoiceState } from './payouts.ts';

/** `payoutInvoices/{id}`. */
const invoices = (db: Firestore) => db.collection('payoutInvoices');

export const creditId = (payoutId: string): string => `${payoutId}_credit`;

export async function readInvoice(db: Firestore, id: string, tx?: Transaction): Promise<PayoutInvoice | undefined> {
  const ref = invoices(db).doc(id);
  return (await (tx ? tx.get(ref) : ref.get())).data() as PayoutInvoice | undefined;
}

/** The invoice and its number in one: a number is given when its invoice is there, and only then. */
export function createInvoice(db: Firestore, tx: Transaction, id: string, invoice: PayoutInvoice, last: number): void {
  tx.create(invoices(db).doc(id), invoice);
  keepNumber(db, tx, invoice.seriesId, last);
}

/** Payouts whose invoice or credit note is to be written. */
export async function payoutsToInvoice(db: Firestore, limit: number): Promise<string[]> {
  const waiting: InvoiceState[] = ['due', 'credit_due'];
  const found = await db.collection('payouts').where('invoiceState', 'in', waiting).limit(limit).get();
  return found.docs.map((doc) => doc.id);
}
