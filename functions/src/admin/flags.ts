import type { Timestamp } from 'firebase-admin/firestore';

/** Something a person must look at. `flags/{id}`; the id names the thing, so that raising it again opens no second flag. */
export interface FlagInput {
  id: string;
  kind: string;
  severity: 'warning' | 'critical';
  /** Path of the document it is about. */
  subject: string;
  message: string;
  /** What the person is to do. */
  action: string;
}

export type Flag = FlagInput & {
  status: 'open' | 'resolved';
  openedAt: Timestamp;
  seenAt: Timestamp;
  resolvedAt?: Timestamp;
  resolvedBy?: string;
  resolution?: string;
};

/** Raised again, a flag keeps when it was first opened; a resolved one opens anew. */
export function mergeFlag(existing: Flag | undefined, input: FlagInput, at: Timestamp): Flag {
  const openedAt = existing?.status === 'open' ? existing.openedAt : at;
  return { ...input, status: 'open', openedAt, seenAt: at };
}

/** The id of the document a flag is about: `ledger/ch_1:sale` -> `ch_1:sale`. */
export const subjectId = ({ subject }: Pick<Flag, 'subject'>): string => subject.slice(subject.lastIndexOf('/') + 1);
