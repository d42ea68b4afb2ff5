import { FieldPath, type DocumentSnapshot, type Firestore, type Query } from 'firebase-admin/firestore';
import { owned } from './privacy.store.ts';
import type { Place } from './steps.ts';

export interface Page {
  uid: string;
  /** Path of the last document of the page before. */
  after: string | undefined;
  limit: number;
}

/** A page of what a place holds of a person, in the order of paths. */
export async function pageOf(db: Firestore, place: Place, { uid, after, limit }: Page): Promise<DocumentSnapshot[]> {
  if (place.owner === 'id') {
    const one = after === undefined ? await db.doc(`${place.collection}/${uid}`).get() : undefined;
    return one?.exists ? [one] : [];
  }
  const name = place.collection.replace('{uid}', uid);
  const all: Query = place.group ? db.collectionGroup(name) : db.collection(name);
  return (
    await from(db, owned(all, place, uid), after)
      .limit(limit)
      .get()
  ).docs;
}

function from(db: Firestore, query: Query, after: string | undefined): Query {
  const ordered = query.orderBy(FieldPath.documentId());
  return after === undefined ? ordered : ordered.startAfter(db.doc(after));
}

/** A page of what is in a collection below a document. */
export async function pageBelow(
  db: Firestore,
  collection: string,
  { after, limit }: Omit<Page, 'uid'>,
): Promise<DocumentSnapshot[]> {
  return (await from(db, db.collection(collection), after).limit(limit).get()).docs;
}

/** Those of these documents that are there. */
export async function existing(db: Firestore, paths: readonly string[]): Promise<DocumentSnapshot[]> {
  if (paths.length === 0) return [];
  return (await db.getAll(...paths.map((path) => db.doc(path)))).filter(({ exists }) => exists);
}

export const documentOf = (db: Firestore, path: string): Promise<DocumentSnapshot> => db.doc(path).get();

/** Their ids at Stripe: as a customer, also on tenants' accounts, and as a coach. */
export async function atStripeOf(db: Firestore, uid: string): Promise<{ customers: string[]; accounts: string[] }> {
  const ref = db.collection('customers').doc(uid);
  const [customer, tenants, coach] = await Promise.all([
    ref.get(),
    ref.collection('accounts').get(),
    db.collection('coaches').doc(uid).get(),
  ]);
  const known = [customer, ...tenants.docs].map((doc): unknown => doc.get('stripeCustomerId'));
  const former = (customer.get('formerCustomerIds') as string[] | undefined) ?? [];
  const texts = (values: unknown[]) => values.filter((value) => typeof value === 'string');
  return { customers: texts([...known, ...former]), accounts: texts([coach.get('stripeAccountId')]) };
}
