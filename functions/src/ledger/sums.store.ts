import { AggregateField, Timestamp, type Firestore } from 'firebase-admin/firestore';
import { minor, type Currency, type Minor } from '../platform/money.ts';
import type { LedgerKind } from './ledger.ts';

/** Sums of the ledger over a span of time. Nothing here writes. */
const collection = 'ledger';

/** What documents made of a coach's share and the platform's fee of it. */
export interface ShareSums {
  count: number;
  /** The coach's: what is owed to them less what they owe. Signed as people read it: earned is positive. */
  shareMinor: Minor;
  feeMinor: Minor;
}

/** A coach's documents of some kinds in a span of time (`to` excluded), summed by the database. */
export async function sharesBetween(
  db: Firestore,
  of: { coachId: string; currency: Currency; kinds: readonly LedgerKind[]; from: Date; to: Date },
): Promise<ShareSums> {
  const sums = await db
    .collection(collection)
    .where('coachId', '==', of.coachId)
    .where('currency', '==', of.currency)
    .where('kind', 'in', of.kinds)
    .where('occurredAt', '>=', Timestamp.fromDate(of.from))
    .where('occurredAt', '<', Timestamp.fromDate(of.to))
    .aggregate({
      count: AggregateField.count(),
      payable: AggregateField.sum('deltas.coach_payable'),
      receivable: AggregateField.sum('deltas.coach_receivable'),
      fee: AggregateField.sum('deltas.fee_revenue'),
    })
    .get();
  const { count, payable, receivable, fee } = sums.data();
  return { count, shareMinor: minor(-(payable + receivable)), feeMinor: minor(-fee) };
}
