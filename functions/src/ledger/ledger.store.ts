import { AggregateField, Timestamp, type Firestore, type Query, type Transaction } from 'firebase-admin/firestore';
import type { Currency, Minor } from '../platform/money.ts';
import { minor, sum } from '../platform/money.ts';
import { getsReceipt, type LedgerDocument, type LedgerEntry } from './ledger.ts';

/** `ledger/{id}`: created, never changed but for `receiptId`, set once, and `voucherId`, which a correction moves on. */
const collection = 'ledger';

export function ledgerRef(db: Firestore, id: string) {
  return db.collection(collection).doc(id);
}

export async function readEntry(db: Firestore, tx: Transaction, id: string): Promise<LedgerDocument | undefined> {
  return (await tx.get(ledgerRef(db, id))).data() as LedgerDocument | undefined;
}

/** Those that exist, by id. */
export async function readEntries(
  db: Firestore,
  tx: Transaction,
  ids: readonly string[],
): Promise<Map<string, LedgerDocument>> {
  const found = await Promise.all([...new Set(ids)].map((id) => readEntry(db, tx, id)));
  return new Map(found.flatMap((document) => (document ? [[document.id, document] as const] : [])));
}

/** The same for many, in one call. */
export async function readMany(
  db: Firestore,
  tx: Transaction,
  ids: readonly string[],
): Promise<Map<string, LedgerDocument>> {
  if (ids.length === 0) return new Map();
  const found = await tx.getAll(...ids.map((id) => ledgerRef(db, id)));
  return new Map(found.flatMap((doc) => (doc.exists ? [[doc.id, doc.data() as LedgerDocument] as const] : [])));
}

/** What a coach owes of one payment: shares that went back to the customer and were not taken back yet. Negative: is owed. */
export async function receivableOf(db: Firestore, tx: Transaction, paymentId: string): Promise<Minor> {
  const found = await tx.get(db.collection(collection).where('paymentId', '==', paymentId));
  return sum(found.docs.map((doc) => (doc.data() as LedgerDocument).deltas.coach_receivable));
}

export async function entryExists(db: Firestore, id: string): Promise<boolean> {
  return (await ledgerRef(db, id).get()).exists;
}

export function createEntry(db: Firestore, tx: Transaction, entry: LedgerEntry, now: Date): void {
  const open = getsReceipt(entry) ? { voucherId: null, receiptId: null } : { voucherId: null };
  const document: LedgerDocument = { ...entry, ...open, createdAt: Timestamp.fromDate(now) };
  tx.create(ledgerRef(db, entry.id), document);
}

export function setVoucher(db: Firestore, tx: Transaction, id: string, voucherId: string): void {
  tx.update(ledgerRef(db, id), { voucherId });
}

export function setReceipt(db: Firestore, tx: Transaction, id: string, receiptId: string): void {
  tx.update(ledgerRef(db, id), { receiptId });
}

/** What a coach is owed and owes, over all of their documents; inside a transaction, so that a concurrent booking aborts it. */
export async function coachBalance(
  db: Firestore,
  tx: Transaction,
  coachId: string,
  currency: Currency,
): Promise<{ payable: Minor; receivable: Minor; connected: Minor }> {
  const query = db.collection(collection).where('coachId', '==', coachId).where('currency', '==', currency);
  const sums = await tx.get(
    query.aggregate({
      payable: AggregateField.sum('deltas.coach_payable'),
      receivable: AggregateField.sum('deltas.coach_receivable'),
      connected: AggregateField.sum('deltas.stripe_connected'),
    }),
  );
  const { payable, receivable, connected } = sums.data();
  return { payable: minor(payable), receivable: minor(receivable), connected: minor(connected) };
}

const claiming = (db: Firestore, balanceTransactionId: string): Query =>
  db.collection(collection).where('balanceTransactionIds', 'array-contains', balanceTransactionId).limit(5);

/** Ledger documents that explain a balance transaction. */
export async function explaining(db: Firestore, balanceTransactionId: string): Promise<LedgerDocument[]> {
  const found = await claiming(db, balanceTransactionId).get();
  return found.docs.map((doc) => doc.data() as LedgerDocument);
}

/** The same of any of some names, inside a transaction: a document that comes to explain them aborts it. */
export async function explainingIn(
  db: Firestore,
  tx: Transaction,
  names: readonly string[],
): Promise<LedgerDocument[]> {
  const claims = names.map((name) => tx.get(claiming(db, name)));
  return (await Promise.all(claims)).flatMap(({ docs }) => docs.map((doc) => doc.data() as LedgerDocument));
}
