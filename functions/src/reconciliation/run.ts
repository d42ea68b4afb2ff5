import type { Timestamp } from 'firebase-admin/firestore';
import { hours, minutes, type BusinessDate } from '../platform/clock.ts';
import type { Currency, Minor } from '../platform/money.ts';
import type { AccountProof, AccountState, NightResult, RangeResult } from './reconciliation.ts';

/**
 * A proof under way. `queueing`: its accounts are being listed and their tasks queued. `proving`: all of them are queued.
 * Whoever proves the last one ends it; nobody writes to its document in between.
 */
export interface RunBase {
  /** Up to where is compared. */
  cut: Timestamp;
  /** The last coach whose page is queued; where a resumed listing goes on. */
  cursor: string | null;
  /** Accounts queued so far. */
  queued: number;
  startedAt: Timestamp;
  /** Moves with every page. */
  updatedAt: Timestamp;
}

interface NightScope extends RunBase {
  date: BusinessDate;
  /** The last night that came to its end: what it proved is not looked at again. null: there was none. */
  before: BusinessDate | null;
}

/** `reconciliations/{date}`: the proof of the night of that date. */
export type Night = NightScope & ({ state: 'queueing' | 'proving' } | ({ state: 'done' } & NightResult));

interface RangeScope extends RunBase {
  /** First and last day. */
  from: BusinessDate;
  to: BusinessDate;
  /** The first instant of `from`; `cut` is the end of `to`. */
  fromCut: Timestamp;
  /** Uid of the administrator who asked. */
  requestedBy: string;
}

/** `reconciliationRanges/{uid_requestId}`: the proof of some days, asked for by hand. */
export type Range = RangeScope & ({ state: 'queueing' | 'proving' } | ({ state: 'done' } & RangeResult));

export type Run = Night | Range;

export const isNight = (run: Run): run is Night => 'date' in run;

/** A night that came to its end. */
export type Reconciliation = Extract<Night, { state: 'done' }>;

/** `…/accounts/{account}`: one account's part of a proof. */
export interface AccountPart {
  /** "platform" or Stripe's account id. */
  account: string;
  coachId?: string;
  /** When it was queued the coach had taken the account away from us. */
  disconnected?: true;
  state: 'queued' | AccountState;
  /** One per currency. */
  proofs: AccountProof[];
  /** A coach's: what the ledger says of it, by currency. The database adds these up. */
  connectedMinor?: Record<Currency, Minor>;
  updatedAt: Timestamp;
}

/** What a task of `reconcileCoach` is about. */
export interface PartTask {
  /** Path of the proof's document. */
  run: string;
  account: string;
}

/** Longer than the listing may live (9 minutes): whoever did it is dead. */
const listingLeaseMs = minutes(10);
/** Tasks of ten thousand accounts and all their retries are done by then. */
const tasksLeaseMs = hours(1);
/** A proof that takes longer is told of. */
const lateMs = hours(3);

export function isAbandoned(run: Pick<Run, 'state' | 'updatedAt'>, now: Date): boolean {
  if (run.state === 'done') return false;
  return now.getTime() - run.updatedAt.toMillis() > (run.state === 'queueing' ? listingLeaseMs : tasksLeaseMs);
}

export const isLate = (run: Pick<Run, 'startedAt'>, now: Date): boolean =>
  now.getTime() - run.startedAt.toMillis() > lateMs;

/** An account's state is its worst currency's. */
export function partState(proofs: readonly Pick<AccountProof, 'state'>[]): AccountState {
  const worstFirst = ['unverifiable', 'unchecked', 'different'] as const;
  return worstFirst.find((state) => proofs.some((proof) => proof.state === state)) ?? 'ok';
}
