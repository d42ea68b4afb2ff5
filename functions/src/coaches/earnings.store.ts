import type { Firestore, Timestamp, Transaction } from 'firebase-admin/firestore';
import type { Currency } from '../platform/money.ts';
import type { Earning, Settlement } from './earnings.ts';

/** `coaches/{uid}/earnings/{paymentId}`; a session of a bundle has its own, `{paymentId}_{sessionId}`. */
const earnings = (db: Firestore, coachId: string) => db.collection('coaches').doc(coachId).collection('earnings');

export async function readEarning(
  db: Firestore,
  tx: Transaction,
  coachId: string,
  paymentId: string,
): Promise<Earning | undefined> {
  return (await tx.get(earnings(db, coachId).doc(paymentId))).data() as Earning | undefined;
}

export function createEarning(db: Firestore, tx: Transaction, coachId: string, earning: Earning): void {
  tx.create(earnings(db, coachId).doc(earning.paymentId), earning);
}

export function writeEarning(db: Firestore, tx: Transaction, coachId: string, earning: Earning): void {
  tx.set(earnings(db, coachId).doc(earning.paymentId), earning);
}

/** All earnings of a payment, the newest first. */
export async function ofPayment(
  db: Firestore,
  tx: Transaction,
  coachId: string,
  paymentId: string,
): Promise<Earning[]> {
  const sessions = `${paymentId}_`;
  const found = await tx.get(earnings(db, coachId).orderBy('__name__').startAt(paymentId).endAt(`${sessions}\uf8ff`));
  return found.docs
    .filter(({ id }) => id === paymentId || id.startsWith(sessions))
    .map((doc) => doc.data() as Earning)
    .sort((a, b) => b.createdAt.toMillis() - a.createdAt.toMillis());
}

/**
 * All that a payout reckons with, in one query: what rests first, then debts and what has come loose, the oldest first.
 * Index: settlement, currency, countsFrom.
 */
export async function counting(
  db: Firestore,
  tx: Transaction,
  coachId: string,
  wanted: { currency: Currency; by: Timestamp; limit: number },
): Promise<Earning[]> {
  const unsettled: Settlement[] = ['debt', 'held', 'open'];
  const found = await tx.get(
    earnings(db, coachId)
      .where('settlement', 'in', unsettled)
      .where('currency', '==', wanted.currency)
      .where('countsFrom', '<=', wanted.by)
      .orderBy('countsFrom')
      .limit(wanted.limit),
  );
  return found.docs.map((doc) => doc.data() as Earning);
}

/** A coach's earning among those of all coaches. */
export interface OldEarning {
  coachId: string;
  earning: Earning;
}

/** Money at Stripe, of all coaches, that was earned by then and is not paid yet; the oldest first. Index of the group: settlement, createdAt. */
export async function unpaidSince(
  db: Firestore,
  wanted: { settlement: 'open' | 'held'; by: Timestamp; limit: number },
): Promise<OldEarning[]> {
  const found = await db
    .collectionGroup('earnings')
    .where('settlement', '==', wanted.settlement)
    .where('createdAt', '<=', wanted.by)
    .orderBy('createdAt')
    .limit(wanted.limit)
    .get();
  return found.docs.map((doc) => ({ coachId: doc.ref.parent.parent?.id ?? '', earning: doc.data() as Earning }));
}
