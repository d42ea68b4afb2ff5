import type { Timestamp } from 'firebase-admin/firestore';
import { minutes, type BusinessDate } from '../platform/clock.ts';
import type { Currency, Minor } from '../platform/money.ts';
import type { PayoutObstacle } from '../coaches/coaches.ts';
import type { NothingReason } from './amount.ts';

/** `payoutRuns/{Stockholm date}`: one day's decision about who is due. */
export interface PayoutRun {
  date: BusinessDate;
  /** The schedule's time, which is the run's now. */
  scheduledAt: Timestamp;
  state: 'running' | 'done';
  /** The run pays the due dates after this day, up to its own: the day of the last run done before it. */
  after: BusinessDate;
  /** The last coach whose page is finished; where a resumed run goes on. */
  cursor: string | null;
  queued: number;
  startedAt: Timestamp;
  /** Moves with every page. */
  updatedAt: Timestamp;
  doneAt?: Timestamp;
}

/** Coaches that a run reads, queues and then forgets. */
export const runPageSize = 200;

/** Longer than one page takes by far, and longer than the function may live (9 minutes): whoever ran it is dead. */
export const runLeaseMs = minutes(10);

export const isAbandoned = (run: PayoutRun, now: Date): boolean =>
  run.state === 'running' && now.getTime() - run.updatedAt.toMillis() > runLeaseMs;

/** What an amount was reckoned from; minor units. */
export interface Numbers {
  /** What the ledger owes the coach. */
  boundMinor: Minor;
  /** What Stripe lets go. */
  availableMinor: Minor;
  /** What earnings explain. */
  explainedMinor: Minor;
  minimumMinor: Minor;
}

/** `payoutRuns/{id}/coaches/{coachId}`: what came of one coach in one run, with the numbers, so that nobody has to guess. */
export type RunCoach = { coachId: string; currency: Currency; dueDate: BusinessDate; updatedAt: Timestamp } & (
  | { state: 'queued' }
  | { state: 'payout'; payoutId: string; amountMinor: Minor; numbers?: Numbers }
  | {
      state: 'nothing';
      reason: NothingReason | PayoutObstacle | 'earlier-payout-open' | 'balance-refused' | 'more-than-payable';
      /** What of it could be paid all the same, were it enough. */
      payableMinor?: Minor;
      numbers?: Numbers;
    }
);
