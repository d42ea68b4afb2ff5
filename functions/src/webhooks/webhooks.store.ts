import { Timestamp, type Firestore, type Transaction } from 'firebase-admin/firestore';
import { withoutClientSecrets } from './redact.ts';
import type { EventState, StoredEvent } from './webhooks.ts';

/** `stripeEvents/{eventId}`. */
const events = (db: Firestore) => db.collection('stripeEvents');

export const eventRef = (db: Firestore, id: string) => events(db).doc(id);

export async function readEvent(db: Firestore, id: string, tx?: Transaction): Promise<StoredEvent | undefined> {
  const ref = eventRef(db, id);
  return (await (tx ? tx.get(ref) : ref.get())).data() as StoredEvent | undefined;
}

export function writeEvent(db: Firestore, tx: Transaction, id: string, event: StoredEvent): void {
  const { payload, fetched } = event;
  tx.set(eventRef(db, id), {
    ...event,
    ...(payload === undefined ? {} : { payload: withoutClientSecrets(payload) }),
    ...(fetched === undefined ? {} : { fetched: withoutClientSecrets(fetched) }),
  });
}

/** Removes what was kept of a thin notification, once the event it was about stands under its own id. */
export async function forgetNotification(db: Firestore, id: string): Promise<void> {
  await eventRef(db, id).delete();
}

/** Events parked until the document at this path exists, oldest first. */
export async function parkedFor(
  db: Firestore,
  path: string,
  limit: number,
): Promise<{ id: string; stored: StoredEvent }[]> {
  const page = await events(db).where('state', '==', 'parked').where('waitingFor', '==', path).limit(limit).get();
  return page.docs.map((doc) => ({ id: doc.id, stored: doc.data() as StoredEvent }));
}

/** Events in a state, received before an instant, oldest first. */
export async function inState(
  db: Firestore,
  state: EventState,
  before: Date,
  limit: number,
): Promise<{ id: string; stored: StoredEvent }[]> {
  const page = await events(db)
    .where('state', '==', state)
    .where('receivedAt', '<', Timestamp.fromDate(before))
    .orderBy('receivedAt')
    .limit(limit)
    .get();
  return page.docs.map((doc) => ({ id: doc.id, stored: doc.data() as StoredEvent }));
}
