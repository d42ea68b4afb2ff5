import { Timestamp, type Firestore, type Query } from 'firebase-admin/firestore';
import type { LedgerDocument, LedgerKind } from './ledger.ts';
import type { PageEnd } from './pages.store.ts';

/** Reading the ledger by spans of time. Nothing here writes. */
const collection = 'ledger';

/** The oldest document from a moment on that is not grouped into a voucher. */
export async function firstUngrouped(db: Firestore, from: Date): Promise<LedgerDocument | undefined> {
  const query = db
    .collection(collection)
    .where('voucherId', '==', null)
    .where('occurredAt', '>=', Timestamp.fromDate(from))
    .orderBy('occurredAt')
    .limit(1);
  return (await documents(query))[0];
}

/** Documents of a kind and a span of time (`to` excluded) that are not grouped, oldest first, after `after`. */
export async function ungroupedOf(
  db: Firestore,
  of: { kind: LedgerKind; from: Date; to: Date },
  after: PageEnd | undefined,
  limit: number,
): Promise<LedgerDocument[]> {
  let query = db
    .collection(collection)
    .where('voucherId', '==', null)
    .where('kind', '==', of.kind)
    .where('occurredAt', '>=', Timestamp.fromDate(of.from))
    .where('occurredAt', '<', Timestamp.fromDate(of.to))
    .orderBy('occurredAt')
    .orderBy('__name__')
    .limit(limit);
  if (after) query = query.startAfter(after.occurredAt, after.id);
  return documents(query);
}

/** Documents of a span of time (`to` excluded), oldest first, after `after`. */
export async function occurredBetween(
  db: Firestore,
  { from, to }: { from: Date; to: Date },
  after: PageEnd | undefined,
  limit: number,
): Promise<LedgerDocument[]> {
  let query = db
    .collection(collection)
    .where('occurredAt', '>=', Timestamp.fromDate(from))
    .where('occurredAt', '<', Timestamp.fromDate(to))
    .orderBy('occurredAt')
    .orderBy('__name__')
    .limit(limit);
  if (after) query = query.startAfter(after.occurredAt, after.id);
  return documents(query);
}

async function documents(query: Query): Promise<LedgerDocument[]> {
  return (await query.get()).docs.map((doc) => doc.data() as LedgerDocument);
}
