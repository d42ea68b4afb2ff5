import type { DocumentSnapshot, Firestore, Timestamp, Transaction } from 'firebase-admin/firestore';
import type { Cadence, Coach } from './coaches.ts';

/** `coaches/{uid}`. */
const collection = 'coaches';

const ref = (db: Firestore, coachId: string) => db.collection(collection).doc(coachId);

/** A coach and the version of the document it was read from, to tell later whether it has changed. */
export interface VersionedCoach {
  coachId: string;
  coach: Coach;
  version: string;
}

const versionOf = (time: Timestamp | undefined): string => (time ? `${time.seconds}.${time.nanoseconds}` : 'none');

function versioned(doc: DocumentSnapshot): VersionedCoach | undefined {
  const coach = doc.data() as Coach | undefined;
  return coach && { coachId: doc.id, coach, version: versionOf(doc.updateTime) };
}

export async function readVersioned(
  db: Firestore,
  coachId: string,
  tx?: Transaction,
): Promise<VersionedCoach | undefined> {
  return versioned(await (tx ? tx.get(ref(db, coachId)) : ref(db, coachId).get()));
}

export async function byAccount(
  db: Firestore,
  stripeAccountId: string,
  tx?: Transaction,
): Promise<VersionedCoach | undefined> {
  const query = db.collection(collection).where('stripeAccountId', '==', stripeAccountId).limit(1);
  const doc = (await (tx ? tx.get(query) : query.get())).docs[0];
  return doc && versioned(doc);
}

/** Coaches by id, one page: all, or those paid at these cadences. */
export async function page(
  db: Firestore,
  { after, limit, cadences }: { after?: string; limit: number; cadences?: readonly Cadence[] },
): Promise<VersionedCoach[]> {
  let query = db.collection(collection).orderBy('__name__').limit(limit);
  if (cadences) query = query.where('payoutSettings.cadence', 'in', cadences);
  if (after !== undefined) query = query.startAfter(after);
  return (await query.get()).docs.flatMap((doc) => versioned(doc) ?? []);
}

/** Coaches whose account was closed since then, or whose payouts were held since then. Index: accountStatus, updatedAt. */
export async function outSince(db: Firestore, since: Timestamp, limit: number): Promise<VersionedCoach[]> {
  const all = db.collection(collection);
  const pages = await Promise.all([
    all
      .where('accountStatus', 'in', ['rejected', 'deauthorized'])
      .where('updatedAt', '>=', since)
      .orderBy('updatedAt')
      .limit(limit)
      .get(),
    all.where('hold.since', '>=', since).orderBy('hold.since').limit(limit).get(),
  ]);
  return pages.flatMap(({ docs }) => docs.flatMap((doc) => versioned(doc) ?? []));
}

export function createCoach(db: Firestore, tx: Transaction, coachId: string, coach: Coach): void {
  tx.create(ref(db, coachId), coach);
}

export function writeCoach(db: Firestore, tx: Transaction, coachId: string, coach: Coach): void {
  tx.set(ref(db, coachId), coach);
}
