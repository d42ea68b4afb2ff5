import { AggregateField, type Firestore, type Query, type Timestamp } from 'firebase-admin/firestore';
import { minor, type Currency } from '../platform/money.ts';
import type { EarningSums } from './earnings-report.ts';
import type { Earning, Settlement } from './earnings.ts';

/** Reading over `coaches/{uid}/earnings`, outside transactions: for a coach's page, never for deciding what is paid. */
const earnings = (db: Firestore, coachId: string) => db.collection('coaches').doc(coachId).collection('earnings');

async function sumsOf(query: Query): Promise<EarningSums> {
  const found = await query
    .aggregate({
      count: AggregateField.count(),
      amount: AggregateField.sum('amountMinor'),
      fee: AggregateField.sum('feeMinor'),
      paid: AggregateField.sum('paidMinor'),
      reversed: AggregateField.sum('reversedMinor'),
    })
    .get();
  const { count, amount, fee, paid, reversed } = found.data();
  return {
    count,
    amountMinor: minor(amount),
    feeMinor: minor(fee),
    paidMinor: minor(paid),
    reversedMinor: minor(reversed),
  };
}

export const allSums = (db: Firestore, coachId: string, currency: Currency): Promise<EarningSums> =>
  sumsOf(earnings(db, coachId).where('currency', '==', currency));

export const settlementSums = (
  db: Firestore,
  coachId: string,
  currency: Currency,
  settlement: Settlement,
): Promise<EarningSums> =>
  sumsOf(earnings(db, coachId).where('settlement', '==', settlement).where('currency', '==', currency));

/** Open earnings that Stripe has let go by then. */
export const looseSums = (db: Firestore, coachId: string, currency: Currency, by: Timestamp): Promise<EarningSums> =>
  sumsOf(
    earnings(db, coachId)
      .where('settlement', '==', 'open')
      .where('currency', '==', currency)
      .where('availableOn', '<=', by),
  );

/** Earnings booked in [from, until). */
export const sumsBetween = (
  db: Firestore,
  coachId: string,
  currency: Currency,
  from: Timestamp,
  until: Timestamp,
): Promise<EarningSums> =>
  sumsOf(
    earnings(db, coachId)
      .where('currency', '==', currency)
      .where('createdAt', '>=', from)
      .where('createdAt', '<', until),
  );

/** Open earnings that Stripe still keeps, the next to come loose first. */
export async function upcoming(
  db: Firestore,
  coachId: string,
  currency: Currency,
  after: Timestamp,
  limit: number,
): Promise<Earning[]> {
  const found = await earnings(db, coachId)
    .where('settlement', '==', 'open')
    .where('currency', '==', currency)
    .where('availableOn', '>', after)
    .orderBy('availableOn')
    .limit(limit)
    .get();
  return found.docs.map((doc) => doc.data() as Earning);
}

/** At most this many values fit one `in`. */
const perQuery = 30;

/** The earnings behind payout items, which name their ledger documents. */
export async function byLedgerIds(db: Firestore, coachId: string, ledgerIds: readonly string[]): Promise<Earning[]> {
  const chunks = Array.from({ length: Math.ceil(ledgerIds.length / perQuery) }, (_, n) =>
    ledgerIds.slice(n * perQuery, (n + 1) * perQuery),
  );
  const found = await Promise.all(chunks.map((chunk) => earnings(db, coachId).where('ledgerId', 'in', chunk).get()));
  return found.flatMap((page) => page.docs.map((doc) => doc.data() as Earning));
}
