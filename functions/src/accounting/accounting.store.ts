import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import type { BusinessDate } from '../platform/clock.ts';
import { added, totalOf, type Summed } from '../platform/closed-sums.ts';
import { minor, type Minor } from '../platform/money.ts';
import { voucherStates, type Voucher, type VoucherState } from './accounting.ts';

const collection = 'vouchers';

export const voucherPath = (id: string): string => `${collection}/${id}`;
const ref = (db: Firestore, id: string) => db.collection(collection).doc(id);

export async function readVoucher(db: Firestore, tx: Transaction, id: string): Promise<Voucher | undefined> {
  return (await tx.get(ref(db, id))).data() as Voucher | undefined;
}

export function createVoucher(db: Firestore, tx: Transaction, voucher: Voucher): void {
  tx.create(ref(db, voucher.id), voucher);
}

/** The whole document: what an old state had and the new one has not (an error, a lease) goes with it. */
export function saveVoucher(db: Firestore, tx: Transaction, voucher: Voucher): void {
  tx.set(ref(db, voucher.id), voucher);
}

/** Vouchers ready to be sent, by id, after one of them. */
export async function readyVouchers(db: Firestore, after: string | undefined, limit: number): Promise<Voucher[]> {
  let query = db.collection(collection).where('state', '==', 'ready').orderBy('__name__').limit(limit);
  if (after !== undefined) query = query.startAfter(after);
  return (await query.get()).docs.map((doc) => doc.data() as Voucher);
}

/** Unfinished vouchers whose time has come, longest waiting first. */
export async function dueVouchers(db: Firestore, now: Date, limit: number): Promise<Voucher[]> {
  const page = await db
    .collection(collection)
    .where('nextTryAt', '<=', Timestamp.fromDate(now))
    .orderBy('nextTryAt')
    .limit(limit)
    .get();
  return page.docs.map((doc) => doc.data() as Voucher);
}

/** The vouchers posted last; at a transaction's moment, when there is one. */
export async function lastPosted(db: Firestore, limit: number, tx?: Transaction): Promise<Voucher[]> {
  const query = db.collection(collection).orderBy('postedAt', 'desc').limit(limit);
  const page = await (tx ? tx.get(query) : query.get());
  return page.docs.map((doc) => doc.data() as Voucher);
}

/** Vouchers posted from a moment on, first posted first; all when none is given. */
export async function postedFrom(db: Firestore, since: Timestamp | null, limit: number): Promise<Voucher[]> {
  let query = db.collection(collection).orderBy('postedAt').limit(limit);
  if (since) query = query.where('postedAt', '>=', since);
  return (await query.get()).docs.map((doc) => doc.data() as Voucher);
}

/** Every voucher of a day, whatever its state. */
export async function vouchersOf(db: Firestore, date: BusinessDate): Promise<Voucher[]> {
  const found = await db.collection(collection).where('date', '==', date).get();
  return found.docs.map((doc) => doc.data() as Voucher);
}

/** Vouchers dated in a period (both days in it), by day, after one of them. */
export async function vouchersBetween(
  db: Firestore,
  from: BusinessDate,
  to: BusinessDate,
  after: Pick<Voucher, 'date' | 'id'> | undefined,
  limit: number,
): Promise<Voucher[]> {
  let query = db
    .collection(collection)
    .where('date', '>=', from)
    .where('date', '<=', to)
    .orderBy('date')
    .orderBy('__name__')
    .limit(limit);
  if (after) query = query.startAfter(after.date, after.id);
  return (await query.get()).docs.map((doc) => doc.data() as Voucher);
}

/** Vouchers asked for in one call. */
const idsPerCall = 500;

/** Where vouchers are in Fortnox, by their id; those that are not there are left out. */
export async function referencesOf(db: Firestore, ids: readonly string[]): Promise<Map<string, string>> {
  const wanted = [...new Set(ids)];
  const found = new Map<string, string>();
  for (let i = 0; i < wanted.length; i += idsPerCall) {
    for (const doc of await db.getAll(...wanted.slice(i, i + idsPerCall).map((id) => ref(db, id)))) {
      const reference = (doc.data() as Voucher | undefined)?.fortnoxReference;
      if (reference) found.set(doc.id, reference);
    }
  }
  return found;
}

/** How many vouchers of a year are posted; of one day of it, when named. */
export async function countPosted(
  db: Firestore,
  { financialYearId, date }: { financialYearId: number; date?: BusinessDate },
): Promise<number> {
  let query = db.collection(collection).where('financialYearId', '==', financialYearId).where('state', '==', 'posted');
  if (date !== undefined) query = query.where('date', '==', date);
  return (await query.count().get()).data().count;
}

export interface StateTotal {
  count: number;
  clearingMinor: Minor;
}

/** All posted vouchers, added up. Once posted, a voucher stays so, and what it clears is frozen. */
export const postedSums = (db: Firestore): Summed<'clearingMinor'> => ({
  id: 'vouchers_posted',
  query: db.collection(collection),
  cameAt: 'postedAt',
  fields: clearingField,
});

const clearingField = { clearingMinor: 'clearingMinor' } as const;

/** How many vouchers are in each state and what they say moved in Stripe, read at one moment. */
export async function totalsByState(db: Firestore, tx: Transaction): Promise<Record<VoucherState, StateTotal>> {
  const totals = await Promise.all(
    voucherStates.map(async (state): Promise<[VoucherState, StateTotal]> => {
      const query = db.collection(collection).where('state', '==', state);
      const { count, sums } =
        state === 'posted' ? await totalOf(postedSums(db), tx) : await added(query, clearingField, tx);
      return [state, { count, clearingMinor: minor(sums.clearingMinor) }];
    }),
  );
  return Object.fromEntries(totals) as Record<VoucherState, StateTotal>;
}
