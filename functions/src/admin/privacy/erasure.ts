import type { Timestamp } from 'firebase-admin/firestore';
import { steps, type Fate } from './steps.ts';

/** What was done in one place, without saying what was there. */
export interface Tally {
  deleted: number;
  changed: number;
  kept: number;
}

/** Why something is still there, and until when the last of it is. */
export interface Kept {
  count: number;
  law: string;
  until: Timestamp;
}

/** `erasures/{uid}`: the record of a person's erasure. It holds no personal data but the uid that names it. */
export type Erasure = {
  /** Uid of the administrator. */
  by: string;
  /** The steps of a later round: those that had kept something. Null: all. */
  only: readonly string[] | null;
  /** What is worked on, and the last document of it that is done. */
  step: string;
  cursor: string | null;
  /** By place; `changed` are made anonymous. */
  tallies: Record<string, Tally>;
  /** By place, what this round left because the law wants it. */
  kept: Record<string, Kept>;
  /** Stripe accounts of tenants who have shut us out: the customer there is theirs to erase. */
  unreachable: string[];
  /** When the next of what is kept may go; the sweep erases it then. Null: nothing is kept, or it is being looked at. */
  eraseAfter: Timestamp | null;
  startedAt: Timestamp;
  updatedAt: Timestamp;
} & ({ state: 'erasing' } | { state: 'kept' | 'done'; finishedAt: Timestamp });

/** The first step: Stripe's customers, before what says who they are goes. */
export const atStripe = 'stripe';

export function begun(known: Erasure | undefined, by: string, now: Timestamp): Erasure {
  return {
    by,
    tallies: known?.tallies ?? {},
    state: 'erasing',
    only: null,
    step: atStripe,
    cursor: null,
    kept: {},
    unreachable: known?.unreachable ?? [],
    eraseAfter: null,
    startedAt: known?.startedAt ?? now,
    updatedAt: now,
  };
}

/**
 * Another round through what was kept, and through nothing else: years have gone by, and who has come back since is
 * somebody's customer again.
 */
export const begunAgain = (known: Erasure, now: Timestamp): Erasure =>
  afterStep({ ...begun(known, known.by, now), only: Object.keys(known.kept) }, now);

export interface Done {
  /** What became of each document of the page; undefined: nothing was left to do. */
  fates: readonly (Fate | undefined)[];
  /** The page's last document; null: the step is over. */
  cursor: string | null;
  now: Timestamp;
}

/** The record after a page of its step. */
export function withPage(erasure: Erasure, { fates, cursor, now }: Done): Erasure {
  const { step } = erasure;
  const tally = { ...(erasure.tallies[step] ?? { deleted: 0, changed: 0, kept: 0 }) };
  let { eraseAfter } = erasure;
  let kept = erasure.kept[step];
  // What was kept in an earlier round is counted anew.
  if (erasure.cursor === null) tally.kept = 0;
  for (const fate of fates) {
    if (fate?.do === 'delete') tally.deleted++;
    if (fate?.do === 'change') tally.changed++;
    if (fate?.do !== 'keep') continue;
    tally.kept++;
    const { law, until } = fate;
    kept = { law, count: tally.kept, until: kept && kept.until > until ? kept.until : until };
    if (!eraseAfter || until < eraseAfter) eraseAfter = until;
  }
  const some = tally.deleted + tally.changed + tally.kept > 0;
  const next: Erasure = {
    ...erasure,
    tallies: some ? { ...erasure.tallies, [step]: tally } : erasure.tallies,
    kept: kept ? { ...erasure.kept, [step]: kept } : erasure.kept,
    eraseAfter,
    cursor,
    updatedAt: now,
  };
  return cursor === null ? afterStep(next, now) : next;
}

/** On to the next step, or the end. */
export function afterStep(erasure: Erasure, now: Timestamp): Erasure {
  const { only } = erasure;
  const rest = steps.slice(steps.findIndex(({ name }) => name === erasure.step) + 1);
  const next = rest.find(({ name }) => !only || only.includes(name));
  if (next) return { ...erasure, step: next.name, cursor: null, updatedAt: now };
  const state = erasure.eraseAfter ? 'kept' : 'done';
  return { ...erasure, state, finishedAt: now, cursor: null, updatedAt: now };
}
