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

/** Earnings in one settlement whose money has come loose, the oldest first. Index: settlement, currency, availableOn. */
export async function bySettlement(
  db: Firestore,
  tx: Transaction,
  coachId: string,
  wanted: { settlement: Settlement; currency: Currency; availableBy: Timestamp; limit: number },
): Promise<Earning[]> {
  const found = await tx.get(
    earnings(db, coachId)
      .where('settlement', '==', wanted.settlement)
      .where('currency', '==', wanted.currency)
      .where('availableOn', '<=', wanted.availableBy)
      .orderBy('availableOn')
      .limit(wanted.limit),
  );
  return found.docs.map((doc) => doc.data() as Earning);
}

/** Earnings that rest while they are disputed, whether their money has come loose or not. */
export async function resting(
  db: Firestore,
  tx: Transaction,
  coachId: string,
  wanted: { currency: Currency; limit: number },
): Promise<Earning[]> {
  const held: Settlement = 'held';
  const found = await tx.get(
    earnings(db, coachId).where('settlement', '==', held).where('currency', '==', wanted.currency).limit(wanted.limit),
  );
  return found.docs.map((doc) => doc.data() as Earning);
}
