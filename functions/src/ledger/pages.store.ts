import { AggregateField, Timestamp, type Firestore, type Query, type Transaction } from 'firebase-admin/firestore';
import { added, lessSums, totalOf, type Fields, type Summed } from '../platform/closed-sums.ts';
import { minor, type Currency, type Minor } from '../platform/money.ts';
import { accounts, deltas, type Account, type Deltas, type LedgerDocument, type LedgerKind } from './ledger.ts';

/** Reading the ledger in pages and sums, for the books and the daily proof. Nothing here writes. */
const collection = 'ledger';

/** Where a document says what it moved on each account. */
const deltaFields = Object.fromEntries(accounts.map((account) => [account, `deltas.${account}`])) as Fields<Account>;

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

/** All documents in a currency, added up. A document never changes its currency or its deltas. */
export const ledgerSums = (db: Firestore, currency: Currency): Summed<Account> => ({
  id: `ledger_${currency}`,
  query: db.collection(collection).where('currency', '==', currency),
  cameAt: 'createdAt',
  fields: deltaFields,
});

/**
 * The trial balance before a cut: every account's sum, of one coach's documents when named. Over the whole ledger it is all
 * there is less what occurred since: the later the cut, the shorter the sum, however late a document was booked.
 */
export async function totalsBefore(db: Firestore, cut: Date, currency: Currency, coachId?: string): Promise<Deltas> {
  const at = Timestamp.fromDate(cut);
  const all = ledgerSums(db, currency);
  if (coachId !== undefined) {
    return deltas(
      (await added(all.query.where('coachId', '==', coachId).where('occurredAt', '<', at), deltaFields)).sums,
    );
  }
  return db.runTransaction(
    async (tx) => {
      const { sums } = await totalOf(all, tx);
      const since = await added(all.query.where('occurredAt', '>=', at), deltaFields, tx);
      return deltas(lessSums(sums, since.sums));
    },
    { readOnly: true },
  );
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
  const all = ledgerSums(db, currency);
  const { stripe_platform, stripe_connected } = deltaFields;
  const { count, sums } =
    which === 'all'
      ? await totalOf(all, tx)
      : await added(all.query.where('voucherId', '==', null), { stripe_platform, stripe_connected }, tx);
  return { count, stripeMinor: minor(sums.stripe_platform + sums.stripe_connected) };
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
  const all = ledgerSums(db, currency);
  const reserves = all.query
    .where('kind', '==', 'reserve' satisfies LedgerKind)
    .aggregate({ held: AggregateField.sum(deltaFields.stripe_connected) });
  return db.runTransaction(
    async (tx) => {
      const { sums } = await totalOf(all, tx);
      const { held } = (await tx.get(reserves)).data();
      const totals = Object.fromEntries(platformSums.map((account) => [account, minor(sums[account])]));
      return { ...totals, connected_reserve: minor(0 - held) } as PlatformTotals;
    },
    { readOnly: true },
  );
}

async function documents(query: Query): Promise<LedgerDocument[]> {
  return (await query.get()).docs.map((doc) => doc.data() as LedgerDocument);
}
