import type { Firestore, Transaction } from 'firebase-admin/firestore';

/**
 * `invoiceSeries/{id}`: numbers that follow one another without gaps. A number is read, used and kept in the transaction
 * that writes its document: it is given when the document is there, and only then.
 */
interface NumberSeries {
  /** The last number given. */
  last: number;
}

const ref = (db: Firestore, seriesId: string) => db.collection('invoiceSeries').doc(seriesId);

/** The last number given in a series; 0 before the first. */
export async function lastNumber(db: Firestore, tx: Transaction, seriesId: string): Promise<number> {
  return ((await tx.get(ref(db, seriesId))).data() as NumberSeries | undefined)?.last ?? 0;
}

/** In the same transaction, beside the document that has the number. */
export function keepNumber(db: Firestore, tx: Transaction, seriesId: string, last: number): void {
  tx.set(ref(db, seriesId), { last } satisfies NumberSeries);
}
