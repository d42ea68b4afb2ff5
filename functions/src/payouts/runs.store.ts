import type { Firestore, Timestamp, Transaction } from 'firebase-admin/firestore';
import type { BusinessDate } from '../platform/clock.ts';
import { isAlreadyExists } from '../platform/errors.ts';
import type { PayoutRun, RunCoach } from './runs.ts';

const runs = (db: Firestore) => db.collection('payoutRuns');
const coaches = (db: Firestore, runId: string) => runs(db).doc(runId).collection('coaches');

export async function readRun(db: Firestore, runId: string, tx?: Transaction): Promise<PayoutRun | undefined> {
  const ref = runs(db).doc(runId);
  return (await (tx ? tx.get(ref) : ref.get())).data() as PayoutRun | undefined;
}

/** False when the run is there already. */
export async function createRun(db: Firestore, runId: string, run: PayoutRun): Promise<boolean> {
  try {
    await runs(db).doc(runId).create(run);
    return true;
  } catch (error) {
    if (isAlreadyExists(error)) return false;
    throw error;
  }
}

export function writeRun(db: Firestore, tx: Transaction, runId: string, run: PayoutRun): void {
  tx.set(runs(db).doc(runId), run);
}

/** The day of the last run that was completed. Index: state, date descending. */
export async function lastDone(db: Firestore): Promise<BusinessDate | undefined> {
  const found = await runs(db).where('state', '==', 'done').orderBy('date', 'desc').limit(1).get();
  return (found.docs[0]?.data() as PayoutRun | undefined)?.date;
}

/** Runs that are not completed: under way, or abandoned. */
export async function running(db: Firestore, limit: number): Promise<{ runId: string; run: PayoutRun }[]> {
  const found = await runs(db).where('state', '==', 'running').limit(limit).get();
  return found.docs.map((doc) => ({ runId: doc.id, run: doc.data() as PayoutRun }));
}

/** When it was written; undefined: a payCoach task, or an earlier runner, has written there already, which stays. */
export async function noteQueued(db: Firestore, runId: string, coach: RunCoach): Promise<Timestamp | undefined> {
  try {
    return (await coaches(db, runId).doc(coach.coachId).create(coach)).writeTime;
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}

export function writeRunCoach(db: Firestore, tx: Transaction, runId: string, coach: RunCoach): void {
  tx.set(coaches(db, runId).doc(coach.coachId), coach);
}

/** Only if nobody has written there since; otherwise the commit fails with FAILED_PRECONDITION. */
export function answerQueued(db: Firestore, tx: Transaction, runId: string, coach: RunCoach, notedAt: Timestamp): void {
  tx.update(coaches(db, runId).doc(coach.coachId), { ...coach }, { lastUpdateTime: notedAt });
}

/** How many coaches of a run stand how. Counted by the database: a run has as many entries as there are coaches. */
export async function countByState(db: Firestore, runId: string): Promise<Record<RunCoach['state'], number>> {
  const count = async (state: RunCoach['state']) =>
    (await coaches(db, runId).where('state', '==', state).count().get()).data().count;
  const [queued, payout, nothing] = await Promise.all([count('queued'), count('payout'), count('nothing')]);
  return { queued, payout, nothing };
}

export async function readRunCoach(db: Firestore, runId: string, coachId: string): Promise<RunCoach | undefined> {
  return (await coaches(db, runId).doc(coachId).get()).data() as RunCoach | undefined;
}
