import type { Firestore } from 'firebase-admin/firestore';
import type { Write } from './write.ts';

/** `mail/{id}` in the shape of Firebase's Trigger Email extension. */
export interface Letter {
  to?: string;
  toUids: string[];
  message: { subject: string; text: string };
}

/** In Swedish first and in English below, where we do not know which its reader reads. */
export const both = (
  subject: Record<'sv' | 'en', string>,
  sv: readonly string[],
  en: readonly string[],
): Letter['message'] => ({
  subject: `${subject.sv} / ${subject.en}`,
  text: [...sv, '—', ...en].join('\n\n'),
});

/** Plans a letter under an id that names its occasion, so that the same occasion writes one letter however often it is told. */
export function planLetter(db: Firestore, id: string, letter: Letter): Write {
  return (tx) => tx.set(db.collection('mail').doc(id.replaceAll('/', '_')), letter, { merge: true });
}
