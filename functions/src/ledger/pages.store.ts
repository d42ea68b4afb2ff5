import { AggregateField, Timestamp, type Firestore, type Query, type Transaction } from 'firebase-admin/firestore';
import { minor, type Currency, type Minor } from '../platform/money.ts';
import { accounts, deltas, type Account, type Deltas, type LedgerDocument, type LedgerKind } from './ledger.ts';

/** Reading the ledger in pages and sums, for the books and the daily proof. Nothing here writes. */
const collection = 'ledger';

/** Firestore takes at most five aggregations in one query. */
const sumsPerQuery = 5;

/** Where a page ended. */
export type PageEnd = Pick<LedgerDocument, 'occurredAt' | 'id'>;

/** Documents where a field is still null, oldest first, after `after`: one that cannot be worked on does not hide the rest. */
function stillOpen(
  db: Firestore,
  field: 'voucherId' | 'receiptId',
  after: PageEnd | undefined,
  limit: number,
): Promise<LedgerDocument[]> {
  const query = db
    .collection(collection)
    .where(field, '==', null)
    .orderBy('occurredAt')
    .orderBy('__name__')
    .limit(limit);
  return documents(after ? query.startAfter(after.occurredAt, after.id) : query);
}

/** Documents not yet grouped into a voucher, oldest first. */
export const ungroupedAfter = (db: Firestore, after: PageEnd | undefined, limit: number): Promise<LedgerDocument[]> =>
  stillOpen(db, 'voucherId', after, limit);

/** Documents whose receipt or credit note is to be made, oldest first. */
export const withoutReceipt = (db: Firestore, after: PageEnd | undefined, limit: number): Promise<LedgerDocument[]> =>
  stillOpen(db, 'receiptId', after, limit);

/** How many wait for their receipt or credit note. */
export async function countWithoutReceipt(db: Firestore): Promise<number> {
  return (await db.collection(collection).where('receiptId', '==', null).count().get()).data().count;
}

/** Documents from `from` on, newest first, below `below`; one coach's when named. */
export async function newestFirst(
  db: Firestore,
  range: { from: Date | undefined; below?: PageEnd | undefined; coachId?: string | undefined },
  limit: number,
): Promise<LedgerDocument[]> {
  let query: Query = db.collection(collection);
  if (range.coachId !== undefined) query = query.where('coachId', '==', range.coachId);
  if (range.from) query = query.where('occurredAt', '>=', Timestamp.fromDate(range.from));
  query = query.orderBy('occurredAt', 'desc').orderBy('__name__', 'desc').limit(limit);
  if (range.below) query = query.startAfter(range.below.occurredAt, range.below.id);
  return documents(query);
}

/** What went between Stripe and the platform's bank, and what came back, from one moment to another. Index: kind, occurredAt. */
export async function bankMovementsBetween(db: Firestore, from: Date, until: Date): Promise<LedgerDocument[]> {
  const query = db
    .collection(collection)
    .where('kind', 'in', ['platform_payout', 'topup'] satisfies LedgerKind[])
    .where('occurredAt', '>=', Timestamp.fromDate(from))
    .where('occurredAt', '<', Timestamp.fromDate(until));
  return documents(query.orderBy('occurredAt'));
}

/** The documents booked last (by when we wrote them, whenever they occurred). */
export async function lastBooked(db: Firestore, limit: number): Promise<LedgerDocument[]> {
  return documents(db.collection(collection).orderBy('createdAt', 'desc').limit(limit));
}

/** Documents by id; those that are not there are left out. */
export async function entriesById(db: Firestore, ids: readonly string[]): Promise<LedgerDocument[]> {
  if (ids.length === 0) return [];
  const found = await db.getAll(...ids.map((id) => db.collection(collection).doc(id)));
  return found.flatMap((doc) => (doc.exists ? [doc.data() as LedgerDocument] : []));
}

/** The trial balance before a cut: every account's sum, of one coach's documents when named. */
export async function totalsBefore(db: Firestore, cut: Date, currency: Currency, coachId?: string): Promise<Deltas> {
  let query = db
    .collection(collection)
    .where('currency', '==', currency)
    .where('occurredAt', '<', Timestamp.fromDate(cut));
  if (coachId !== undefined) query = query.where('coachId', '==', coachId);
  const sums: Partial<Record<Account, number>> = {};
  for (let i = 0; i < accounts.length; i += sumsPerQuery) {
    Object.assign(sums, (await query.aggregate(sumSpec(accounts.slice(i, i + sumsPerQuery))).get()).data());
  }
  return deltas(sums);
}

export interface StripeTotals {
  count: number;
  /** `stripe_platform` and `stripe_connected` together: what the clearing account must say. */
  stripeMinor: Minor;
}

/** What documents moved in Stripe: all in the currency, or those of them without a voucher, read at a transaction's moment. */
export async function stripeTotals(
  db: Firestore,
  tx: Transaction,
  currency: Currency,
  which: 'all' | 'ungrouped',
): Promise<StripeTotals> {
  let query: Query = db.collection(collection).where('currency', '==', currency);
  if (which === 'ungrouped') query = query.where('voucherId', '==', null);
  const sums = await tx.get(
    query.aggregate({
      count: AggregateField.count(),
      platform: AggregateField.sum('deltas.stripe_platform'),
      connected: AggregateField.sum('deltas.stripe_connected'),
    }),
  );
  const { count, platform, connected } = sums.data();
  return { count, stripeMinor: minor(platform + connected) };
}

/** What stands on the platform's own Stripe balance, and what of it is owed to others; ledger signs. */
export type PlatformTotals = Record<(typeof platformSums)[number], Minor> & {
  /** What Stripe holds back on coaches' accounts: theirs still, and in none of the sums. */
  connected_reserve: Minor;
};

const platformSums = [
  'stripe_platform',
  'stripe_connected',
  'coach_payable',
  'session_held',
  'customer_payable',
] as const satisfies readonly Account[];

/** All at one moment. */
export function platformTotals(db: Firestore, currency: Currency): Promise<PlatformTotals> {
  const query = db.collection(collection).where('currency', '==', currency);
  const reserves = query.where('kind', '==', 'reserve').aggregate(sumSpec(['stripe_connected']));
  return db.runTransaction(
    async (tx) => {
      const sums = (await tx.get(query.aggregate(sumSpec(platformSums)))).data();
      const held = (await tx.get(reserves)).data();
      const totals = Object.fromEntries(platformSums.map((account) => [account, minor(Number(sums[account]))]));
      return { ...totals, connected_reserve: minor(0 - Number(held.stripe_connected)) } as PlatformTotals;
    },
    { readOnly: true },
  );
}

const sumSpec = (some: readonly Account[]) =>
  Object.fromEntries(some.map((account) => [account, AggregateField.sum(`deltas.${account}`)]));

async function documents(query: Query): Promise<LedgerDocument[]> {
  return (await query.get()).docs.map((doc) => doc.data() as LedgerDocument);
}
