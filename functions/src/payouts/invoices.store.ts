import type { Firestore, Transaction } from 'firebase-admin/firestore';
import type { InvoiceSeries, PayoutInvoice } from './invoices.ts';
import type { InvoiceState } from './payouts.ts';

/** `payoutInvoices/{id}`, `invoiceSeries/{id}`. */
const invoices = (db: Firestore) => db.collection('payoutInvoices');
const series = (db: Firestore) => db.collection('invoiceSeries');

export const creditId = (payoutId: string): string => `${payoutId}_credit`;

export async function readInvoice(db: Firestore, id: string, tx?: Transaction): Promise<PayoutInvoice | undefined> {
  const ref = invoices(db).doc(id);
  return (await (tx ? tx.get(ref) : ref.get())).data() as PayoutInvoice | undefined;
}

/** The last number given in a series; 0 before the first. */
export async function lastNumber(db: Firestore, tx: Transaction, seriesId: string): Promise<number> {
  return ((await tx.get(series(db).doc(seriesId))).data() as InvoiceSeries | undefined)?.last ?? 0;
}

/** The invoice and its number in one: a number is given when its invoice is there, and only then. */
export function createInvoice(db: Firestore, tx: Transaction, id: string, invoice: PayoutInvoice, last: number): void {
  tx.create(invoices(db).doc(id), invoice);
  tx.set(series(db).doc(invoice.seriesId), { last } satisfies InvoiceSeries);
}

/** Payouts whose invoice or credit note is to be written. */
export async function payoutsToInvoice(db: Firestore, limit: number): Promise<string[]> {
  const waiting: InvoiceState[] = ['due', 'credit_due'];
  const found = await db.collection('payouts').where('invoiceState', 'in', waiting).limit(limit).get();
  return found.docs.map((doc) => doc.id);
}
