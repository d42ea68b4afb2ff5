import type { Firestore } from 'firebase-admin/firestore';
import type { Write } from './write.ts';

/** `mail/{id}` in the shape of Firebase's Trigger Email extension. */
export interface Letter {
  to?: string;
  toUids: string[];
  message: { subject: string; text: string };
}

/** Plans a letter under an id that names its occasion, so that the same occasion writes one letter however often it is told. */
export function planLetter(db: Firestore, id: string, letter: Letter): Write {
  return (tx) => tx.set(db.collection('mail').doc(id.replaceAll('/', '_')), letter, { merge: true });
}
