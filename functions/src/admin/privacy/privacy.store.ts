import {
  FieldPath,
  FieldValue,
  type DocumentSnapshot,
  type Firestore,
  type Query,
  type Timestamp,
  type Transaction,
} from 'firebase-admin/firestore';
import type { Entitlements } from '../../payments/entitlements/entitlements.ts';
import type { Currency } from '../../platform/money.ts';
import type { Erasure } from './erasure.ts';
import type { Change, Data, Place, Step } from './steps.ts';

const erasures = (db: Firestore) => db.collection('erasures');

export async function readErasure(db: Firestore, uid: string, tx?: Transaction): Promise<Erasure | undefined> {
  const ref = erasures(db).doc(uid);
  return (await (tx ? tx.get(ref) : ref.get())).data() as Erasure | undefined;
}

export function writeErasure(db: Firestore, tx: Transaction, uid: string, erasure: Erasure): void {
  tx.set(erasures(db).doc(uid), erasure);
}

/** Whose erasure is not at its end, or has something that the law lets go now. */
export async function erasuresDue(db: Firestore, now: Timestamp, limit: number): Promise<string[]> {
  const [open, over] = await Promise.all([
    erasures(db).where('state', '==', 'erasing').limit(limit).get(),
    erasures(db).where('eraseAfter', '<=', now).orderBy('eraseAfter').limit(limit).get(),
  ]);
  return [...new Set([...open.docs, ...over.docs].map((doc) => doc.id))];
}

/** Those of a collection's documents that are a person's. */
export function owned(all: Query, { owner, list, values }: Place, uid: string): Query {
  if (owner === 'all') return all;
  if (list) return all.where(owner, 'array-contains', uid);
  return values ? all.where(owner, 'in', values(uid)) : all.where(owner, '==', uid);
}

/** A page of what a step finds of a person, after a document. */
export async function page(
  db: Firestore,
  tx: Transaction,
  step: Step,
  { uid, after, limit }: { uid: string; after: string | null; limit: number },
): Promise<DocumentSnapshot[]> {
  const collection = db.collection(step.collection.replace('{uid}', uid));
  if (step.owner === 'id') {
    const one = after === null ? await tx.get(collection.doc(uid)) : undefined;
    return one?.exists ? [one] : [];
  }
  const ordered = owned(collection, step, uid).orderBy(FieldPath.documentId()).limit(limit);
  return (await tx.get(after === null ? ordered : ordered.startAfter(after))).docs;
}

/** The documents in a collection below one. */
export const below = async (tx: Transaction, doc: DocumentSnapshot, name: string, limit: number) =>
  (await tx.get(doc.ref.collection(name).limit(limit))).docs;

/** What of a change is not so already; undefined: all of it is. */
export function changeOf(
  doc: DocumentSnapshot,
  { set = {}, remove = [] }: Change,
): Record<string, unknown> | undefined {
  const data = doc.data();
  if (!data) return undefined;
  const patch: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(set)) if (!same(data[field], value)) patch[field] = value;
  for (const field of remove) if (field in data) patch[field] = FieldValue.delete();
  return Object.keys(patch).length > 0 ? patch : undefined;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value ?? null;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}

export const documentAt = (db: Firestore, tx: Transaction, path: string) => tx.get(db.doc(path));

/** One of these payments has something booked whose receipt is not made yet: that one needs the customer's name. */
export async function receiptsDue(db: Firestore, tx: Transaction, paymentIds: readonly string[]): Promise<boolean> {
  if (paymentIds.length === 0) return false;
  const due = db
    .collection('ledger')
    .where('receiptId', '==', null)
    .where('paymentId', 'in', [...paymentIds]);
  return !(await tx.get(due.limit(1))).empty;
}

/** A document of theirs in one of these states. */
export async function anyOf(
  db: Firestore,
  tx: Transaction,
  {
    collection,
    owner,
    field,
    states,
    list,
  }: { collection: string; owner: [field: string, uid: string]; field: string; states: unknown[]; list?: true },
): Promise<boolean> {
  const theirs = db.collection(collection).where(owner[0], list ? 'array-contains' : '==', owner[1]);
  return !(await tx.get(theirs.where(field, 'in', states).limit(1))).empty;
}

/** A refund to them came back, and no other has settled it. Index: userId, returned.owedMinor. */
export async function isOwed(db: Firestore, tx: Transaction, uid: string): Promise<boolean> {
  const owed = db.collection('payments').where('userId', '==', uid).where('returned.owedMinor', '>', 0);
  return !(await tx.get(owed.limit(1))).empty;
}

/** The currencies in which the ledger has something of a coach. Index: coachId, currency. */
export async function bookedCurrencies(db: Firestore, tx: Transaction, coachId: string): Promise<Currency[]> {
  const currencies: Currency[] = [];
  for (let last = ''; ;) {
    const next = db.collection('ledger').where('coachId', '==', coachId).where('currency', '>', last);
    const [found] = (await tx.get(next.orderBy('currency').limit(1))).docs;
    if (!found) return currencies;
    last = found.get('currency') as Currency;
    currencies.push(last);
  }
}

/** What the audit log says of a document. */
export async function auditsOf(db: Firestore, path: string, limit: number, tx?: Transaction) {
  const found = db.collection('auditLog').where('subject', '==', path).limit(limit);
  return (await (tx ? tx.get(found) : found.get())).docs;
}

/** The sessions that they have paid for ahead. */
export async function creditsOf(db: Firestore, tx: Transaction, uid: string) {
  const entitlements = (await tx.get(db.collection('customers').doc(uid))).get('entitlements') as
    Entitlements | undefined;
  return Object.values(entitlements?.credits ?? {});
}

/** What is known of them as a customer at Stripe: the platform's, and those on tenants' accounts. */
export async function customersOf(db: Firestore, uid: string): Promise<{ account?: string; known: Data }[]> {
  const ref = db.collection('customers').doc(uid);
  const [own, tenants] = await Promise.all([ref.get(), ref.collection('accounts').get()]);
  return [
    ...(own.exists ? [{ known: own.data() ?? {} }] : []),
    ...tenants.docs.map((doc) => ({ account: doc.id, known: doc.data() })),
  ];
}

/** Payloads of events applied up to an instant, the earliest first, after the last one emptied. */
export async function appliedBetween(
  db: Firestore,
  from: { at: Timestamp; id: string } | undefined,
  until: Timestamp,
  limit: number,
): Promise<DocumentSnapshot[]> {
  const query = db
    .collection('stripeEvents')
    .where('appliedAt', '<=', until)
    .orderBy('appliedAt')
    .orderBy(FieldPath.documentId());
  return (await (from ? query.startAfter(from.at, from.id) : query).limit(limit).get()).docs;
}

const emptied = (db: Firestore) => db.collection('settings').doc('privacy');

export async function emptiedUntil(db: Firestore): Promise<{ at: Timestamp; id: string } | undefined> {
  return (await emptied(db).get()).get('emptiedUntil') as { at: Timestamp; id: string } | undefined;
}

/** Takes out what the events say; what they were and that they were applied stays. */
export async function emptyEvents(db: Firestore, events: readonly DocumentSnapshot[]): Promise<void> {
  const last = events.at(-1);
  if (!last) return;
  const batch = db.batch();
  for (const { ref } of events) batch.update(ref, { payload: FieldValue.delete(), fetched: FieldValue.delete() });
  batch.set(emptied(db), { emptiedUntil: { at: last.get('appliedAt') as Timestamp, id: last.id } });
  await batch.commit();
}
