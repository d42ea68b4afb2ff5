import { AggregateField, type Firestore, type Transaction } from 'firebase-admin/firestore';
import type { BusinessDate } from '../platform/clock.ts';
import { isAlreadyExists } from '../platform/errors.ts';
import { minor, type Currency, type Minor } from '../platform/money.ts';
import { accountStates, type AccountState } from './reconciliation.ts';
import type { AccountPart, Reconciliation, Run } from './run.ts';

const nights = 'reconciliations';
const ranges = 'reconciliationRanges';

export const nightPath = (date: BusinessDate): string => `${nights}/${date}`;

export const rangePath = (id: string): string => `${ranges}/${id}`;

const parts = (db: Firestore, run: string) => db.doc(run).collection('accounts');

/** The last night before `date` that came to its end. Index: state, date descending. */
export async function nightBefore(db: Firestore, date: BusinessDate): Promise<Reconciliation | undefined> {
  const ended = db.collection(nights).where('state', '==', 'done').where('date', '<', date);
  const page = await ended.orderBy('date', 'desc').limit(1).get();
  return page.docs[0]?.data() as Reconciliation | undefined;
}

export async function readRun(db: Firestore, run: string, tx?: Transaction): Promise<Run | undefined> {
  const ref = db.doc(run);
  return (await (tx ? tx.get(ref) : ref.get())).data() as Run | undefined;
}

/** False when it is there already. */
export async function createRun(db: Firestore, run: string, document: Run): Promise<boolean> {
  return created(db.doc(run).create(document));
}

export function writeRun(db: Firestore, tx: Transaction, run: string, document: Run): void {
  tx.set(db.doc(run), document);
}

/** Those that have not come to their end, so many of nights and so many asked for by hand. */
export async function unfinished(db: Firestore, limit: number): Promise<{ run: string; document: Run }[]> {
  const open = (collection: string) => db.collection(collection).where('state', 'in', ['queueing', 'proving']);
  const found = await Promise.all([nights, ranges].map((collection) => open(collection).limit(limit).get()));
  return found.flatMap(({ docs }) => docs.map((doc) => ({ run: doc.ref.path, document: doc.data() as Run })));
}

/** One that is there stays: it may have been proven meanwhile. */
export async function createPart(db: Firestore, run: string, part: AccountPart): Promise<void> {
  await created(parts(db, run).doc(part.account).create(part));
}

export async function readPart(db: Firestore, run: string, account: string): Promise<AccountPart | undefined> {
  return (await parts(db, run).doc(account).get()).data() as AccountPart | undefined;
}

/** Of several who prove one account the first one's word stays. */
export async function answerPart(db: Firestore, run: string, part: AccountPart): Promise<void> {
  const ref = parts(db, run).doc(part.account);
  await db.runTransaction(async (tx) => {
    const current = (await tx.get(ref)).data() as AccountPart | undefined;
    if (current?.state === 'queued') tx.set(ref, part);
  });
}

/** Accounts that nobody has proven yet. */
export async function queuedParts(db: Firestore, run: string, limit: number): Promise<AccountPart[]> {
  return partsIn(db, run, 'queued', limit);
}

export async function partsIn(
  db: Firestore,
  run: string,
  state: AccountPart['state'],
  limit: number,
): Promise<AccountPart[]> {
  const found = await parts(db, run).where('state', '==', state).limit(limit).get();
  return found.docs.map((doc) => doc.data() as AccountPart);
}

export async function countParts(db: Firestore, run: string): Promise<Record<AccountState, number>> {
  const counts = await Promise.all(
    accountStates.map(async (state) => {
      const found = await parts(db, run).where('state', '==', state).count().get();
      return [state, found.data().count] as const;
    }),
  );
  return Object.fromEntries(counts) as Record<AccountState, number>;
}

/** What the ledger says of all coaches' accounts together. */
export async function connectedTotal(db: Firestore, run: string, currency: Currency): Promise<Minor> {
  const sums = parts(db, run).aggregate({ total: AggregateField.sum(`connectedMinor.${currency}`) });
  return minor((await sums.get()).data().total);
}

async function created(creation: Promise<unknown>): Promise<boolean> {
  try {
    await creation;
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}
