import type { Firestore, Timestamp, Transaction } from 'firebase-admin/firestore';
import type { Currency } from '../platform/money.ts';
import { lockId, type Payout, type PayoutItem, type PayoutLock } from './payouts.ts';

/** `payouts/{id}` with `items/{ledgerId}`, `payoutLocks/{coachId_currency}`. */
const payouts = (db: Firestore) => db.collection('payouts');
const items = (db: Firestore, id: string) => payouts(db).doc(id).collection('items');
const lockRef = (db: Firestore, coachId: string, currency: Currency) =>
  db.collection('payoutLocks').doc(lockId(coachId, currency));

export const payoutPath = (id: string): string => `payouts/${id}`;

export async function readPayout(db: Firestore, id: string, tx?: Transaction): Promise<Payout | undefined> {
  const ref = payouts(db).doc(id);
  return (await (tx ? tx.get(ref) : ref.get())).data() as Payout | undefined;
}

export function createPayout(
  db: Firestore,
  tx: Transaction,
  id: string,
  payout: Payout,
  parts: ReadonlyMap<string, PayoutItem>,
): void {
  tx.create(payouts(db).doc(id), payout);
  for (const [ledgerId, item] of parts) tx.create(items(db, id).doc(ledgerId), item);
}

export function writePayout(db: Firestore, tx: Transaction, id: string, payout: Payout): void {
  tx.set(payouts(db).doc(id), payout);
}

/** Set by accounting, which knows nothing else of the document. */
export function setReference(db: Firestore, tx: Transaction, id: string, reference: string): void {
  tx.update(payouts(db).doc(id), { fortnoxReference: reference });
}

export async function readItems(db: Firestore, tx: Transaction, id: string): Promise<PayoutItem[]> {
  return (await tx.get(items(db, id))).docs.map((doc) => doc.data() as PayoutItem);
}

/** Payouts whose time to be looked at has come, the longest due first. */
export async function dueChecks(
  db: Firestore,
  now: Timestamp,
  limit: number,
): Promise<{ id: string; payout: Payout }[]> {
  const found = await payouts(db).where('checkAt', '<=', now).orderBy('checkAt').limit(limit).get();
  return found.docs.map((doc) => ({ id: doc.id, payout: doc.data() as Payout }));
}

export async function readLock(
  db: Firestore,
  coachId: string,
  currency: Currency,
  tx?: Transaction,
): Promise<PayoutLock | undefined> {
  const ref = lockRef(db, coachId, currency);
  return (await (tx ? tx.get(ref) : ref.get())).data() as PayoutLock | undefined;
}

export function takeLock(db: Firestore, tx: Transaction, coachId: string, currency: Currency, lock: PayoutLock): void {
  tx.create(lockRef(db, coachId, currency), lock);
}

export function releaseLock(db: Firestore, tx: Transaction, coachId: string, currency: Currency): void {
  tx.delete(lockRef(db, coachId, currency));
}
