import { FieldValue, Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import type { BusinessDate } from '../platform/clock.ts';
import { typedCollection } from '../platform/firestore/converters.ts';
import type { Availability, CoachDay, Span } from './availability.ts';

const availability = (db: Firestore) => typedCollection<Availability>(db, 'availability');
const coachDays = (db: Firestore) => typedCollection<CoachDay>(db, 'coachDays');
const dayRef = (db: Firestore, coachId: string, date: BusinessDate) => coachDays(db).doc(`${coachId}_${date}`);

export async function readAvailability(
  db: Firestore,
  coachId: string,
  tx?: Transaction,
): Promise<Availability | undefined> {
  const ref = availability(db).doc(coachId);
  return (await (tx ? tx.get(ref) : ref.get())).data();
}

export function writeAvailability(db: Firestore, tx: Transaction, coachId: string, hours: Availability): void {
  tx.set(availability(db).doc(coachId), hours);
}

export async function readDay(db: Firestore, coachId: string, date: BusinessDate, tx: Transaction): Promise<CoachDay> {
  return (await tx.get(dayRef(db, coachId, date))).data() ?? { coachId, date, taken: {} };
}

/** Days in the order they are asked for. */
export async function readDays(db: Firestore, coachId: string, dates: readonly BusinessDate[]): Promise<CoachDay[]> {
  if (dates.length === 0) return [];
  const found = await db.getAll(...dates.map((date) => dayRef(db, coachId, date)));
  return dates.map((date, index) => (found[index]?.data() as CoachDay | undefined) ?? { coachId, date, taken: {} });
}

/** Writes the day that this transaction has read, with one more session in it. */
export function takeTime(
  db: Firestore,
  tx: Transaction,
  day: CoachDay,
  sessionId: string,
  { startsAt, endsAt, until }: Span & { until?: Date },
): void {
  const entry = {
    startsAt: Timestamp.fromDate(startsAt),
    endsAt: Timestamp.fromDate(endsAt),
    ...(until ? { until: Timestamp.fromDate(until) } : {}),
  };
  tx.set(dayRef(db, day.coachId, day.date), { ...day, taken: { ...day.taken, [sessionId]: entry } });
}

/** Takes the time limit from a session's time, which this transaction has read. */
export function keepTime(
  db: Firestore,
  tx: Transaction,
  day: Pick<CoachDay, 'coachId' | 'date'>,
  sessionId: string,
): void {
  tx.update(db.doc(dayRef(db, day.coachId, day.date).path), `taken.${sessionId}.until`, FieldValue.delete());
}

/** The time is free again; free already, it stays so. */
export function freeTime(
  db: Firestore,
  tx: Transaction,
  day: Pick<CoachDay, 'coachId' | 'date'>,
  sessionId: string,
): void {
  tx.set(
    db.doc(dayRef(db, day.coachId, day.date).path),
    { taken: { [sessionId]: FieldValue.delete() } },
    { merge: true },
  );
}
