import { AggregateField, Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import { typedCollection } from '../platform/firestore/converters.ts';
import type { Session, SessionPatch } from './sessions.ts';

export const sessionPath = (id: string): string => `sessions/${id}`;
const sessions = (db: Firestore) => typedCollection<Session>(db, 'sessions');

export interface Kept {
  id: string;
  session: Session;
}

export const newSessionId = (db: Firestore): string => sessions(db).doc().id;

export async function readSession(db: Firestore, id: string, tx?: Transaction): Promise<Session | undefined> {
  const ref = sessions(db).doc(id);
  return (await (tx ? tx.get(ref) : ref.get())).data();
}

export function createSession(db: Firestore, tx: Transaction, id: string, session: Session): void {
  tx.create(sessions(db).doc(id), session);
}

export function updateSession(db: Firestore, tx: Transaction, id: string, patch: SessionPatch): void {
  tx.update(db.doc(sessionPath(id)), patch);
}

/** Booked, and over by then, the oldest first; after another. Index: status, endsAt. */
export async function bookedEndingBy(db: Firestore, by: Date, limit: number, after?: Kept): Promise<Kept[]> {
  const query = sessions(db)
    .where('status', '==', 'booked')
    .where('endsAt', '<=', Timestamp.fromDate(by))
    .orderBy('endsAt')
    .orderBy('__name__')
    .limit(limit);
  const found = await (after ? query.startAfter(after.session.endsAt, after.id) : query).get();
  return found.docs.map((doc) => ({ id: doc.id, session: doc.data() }));
}

/** A coach's sessions that are booked and to come, the next first. Index: coachId, status, startsAt. */
export function bookedOf(db: Firestore, coachId: string, after: Date, limit: number): Promise<Kept[]> {
  return page(
    sessions(db)
      .where('coachId', '==', coachId)
      .where('status', '==', 'booked')
      .where('startsAt', '>', Timestamp.fromDate(after)),
    'startsAt',
    limit,
  );
}

/** Sums over a coach's sessions. Indexes: coachId, status, minutes; coachId, counts. */
export async function sumsOf(
  db: Firestore,
  coachId: string,
): Promise<{ completed: number; minutes: number; counted: number }> {
  const ofCoach = sessions(db).where('coachId', '==', coachId);
  const [completed, counted] = await Promise.all([
    ofCoach
      .where('status', '==', 'completed')
      .aggregate({ count: AggregateField.count(), minutes: AggregateField.sum('minutes') })
      .get(),
    ofCoach.where('counts', '==', true).count().get(),
  ]);
  const { count, minutes } = completed.data();
  return { completed: count, minutes, counted: counted.data().count };
}

/** Booked, and not paid by then, the oldest first. Index: status, payBy. */
export function unpaidPast(db: Firestore, now: Date, limit: number): Promise<Kept[]> {
  return page(
    sessions(db).where('status', '==', 'booked').where('payBy', '<=', Timestamp.fromDate(now)),
    'payBy',
    limit,
  );
}

/** How many sessions somebody has booked that are to be paid after now, counted up to `most`. Index: userId, status, payBy. */
export async function countUnpaid(
  db: Firestore,
  tx: Transaction,
  userId: string,
  now: Date,
  most: number,
): Promise<number> {
  const query = sessions(db)
    .where('userId', '==', userId)
    .where('status', '==', 'booked')
    .where('payBy', '>', Timestamp.fromDate(now));
  return (await tx.get(query.limit(most))).size;
}

/** Booked with credits of a purchase, as this transaction sees them. */
export async function bookedWithCreditsOf(db: Firestore, tx: Transaction, paymentId: string): Promise<Kept[]> {
  const query = sessions(db).where('paidBy.paymentId', '==', paymentId).where('status', '==', 'booked');
  return (await tx.get(query)).docs.map((doc) => ({ id: doc.id, session: doc.data() }));
}

/** Paid after they were canceled, and not given back yet. */
export function refundsDue(db: Firestore, limit: number): Promise<Kept[]> {
  return page(sessions(db).where('refundDue', '==', true), '__name__', limit);
}

async function page(query: FirebaseFirestore.Query<Session, Session>, by: string, limit: number): Promise<Kept[]> {
  const found = await query.orderBy(by).limit(limit).get();
  return found.docs.map((doc) => ({ id: doc.id, session: doc.data() }));
}
