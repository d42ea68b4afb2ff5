import type { Firestore, Timestamp, Transaction } from 'firebase-admin/firestore';
import { typedCollection } from '../platform/firestore/converters.ts';

/** `sessions/{id}/notes/{id}`: the coach's own; nobody else reads them. */
export interface SessionNote {
  text: string;
  createdAt: Timestamp;
}

const notes = (db: Firestore, sessionId: string) => typedCollection<SessionNote>(db, `sessions/${sessionId}/notes`);

export const newNoteId = (db: Firestore, sessionId: string): string => notes(db, sessionId).doc().id;

/** How many there are, counted up to `most`. */
export async function countNotes(db: Firestore, tx: Transaction, sessionId: string, most: number): Promise<number> {
  return (await tx.get(notes(db, sessionId).limit(most))).size;
}

export function createNote(db: Firestore, tx: Transaction, sessionId: string, id: string, note: SessionNote): void {
  tx.create(notes(db, sessionId).doc(id), note);
}
