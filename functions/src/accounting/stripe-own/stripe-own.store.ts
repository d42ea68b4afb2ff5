import type { Firestore, Timestamp } from 'firebase-admin/firestore';

/**
 * `stripeOwn/{type}`: how far the platform's own movements of one of Stripe's types were looked through. Written over by
 * whoever is at it; what is lost by that is looked at again.
 */
export interface Mark {
  type: string;
  /** All that was made before this has been looked at; null: nothing yet. */
  doneUntil: Timestamp | null;
  /** A run that is not through: all from its begin down to this balance transaction has been looked at. */
  run: { begunAt: Timestamp; after: string } | null;
  updatedAt: Timestamp;
}

const markRef = (db: Firestore, type: string) => db.collection('stripeOwn').doc(type);

export async function readMark(db: Firestore, type: string): Promise<Mark | undefined> {
  return (await markRef(db, type).get()).data() as Mark | undefined;
}

export async function writeMark(db: Firestore, mark: Mark): Promise<void> {
  await markRef(db, mark.type).set(mark);
}
