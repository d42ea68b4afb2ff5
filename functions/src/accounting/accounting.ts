import { Timestamp } from 'firebase-admin/firestore';
import { days, hours, minutes, type BusinessDate } from '../platform/clock.ts';
import type { LedgerKind } from '../ledger/ledger.ts';
import type { Minor } from '../platform/money.ts';
import type { UploadedFile } from '../platform/fortnox/client.ts';
import type { AccountPlan, Profile } from './account-plan.ts';

/** `rejected`: Fortnox said no, a person must act. `unknown`: may have been posted; looked up by its key before anything else. */
export type VoucherState = 'ready' | 'sending' | 'posted' | 'rejected' | 'unknown';

export const voucherStates = ['ready', 'sending', 'posted', 'rejected', 'unknown'] as const satisfies VoucherState[];

export interface VoucherRow {
  account: number;
  debitMinor: Minor;
  creditMinor: Minor;
  text: string;
}

/** The itemised list of a day's voucher. `wanted`: not in Fortnox. `uploaded`: in its inbox. `attached`: hangs on the voucher. */
export interface AttachedList {
  state: 'wanted' | 'uploaded' | 'attached';
  /** What the voucher was made by: the list must add up to it whatever is configured later. */
  plan: AccountPlan;
  file?: UploadedFile;
  /** Until then a worker has it. */
  busyUntil?: Timestamp;
}

/** Who had a voucher corrected, and why. */
export interface Decision {
  by: string;
  reason: string;
}

/** `vouchers/{id}`: frozen when made; only its state moves. */
export interface Voucher {
  id: string;
  /** What its documents are. */
  kind: LedgerKind;
  /** Grouped by day: which of the day's vouchers of this kind. */
  sequence?: number;
  ledgerIds: string[];
  profile: Profile;
  ruleVersion: number;
  series: string;
  date: BusinessDate;
  /** The day of the event, where the voucher is dated later: its period was locked, or it corrects one of that day. */
  eventDate?: BusinessDate;
  description: string;
  /** Short and unique, part of the description: Fortnox has no idempotency, so a voucher is found again by it. */
  key: string;
  rows: VoucherRow[];
  /** Debits less credits on the clearing account, kept beside the rows so that the daily proof can add them up. */
  clearingMinor: Minor;
  clearingAccount: number;
  state: VoucherState;
  /** "S 12 (2026)": series, number and the year it starts in. */
  fortnoxReference?: string;
  fortnoxNumber?: number;
  financialYearId?: number;
  /** Payouts (ours) that it books leaving; each shows where. */
  payoutIds?: string[];
  /** Grouped by day: the list of its documents, attached to the voucher in Fortnox as a file once it is posted. */
  list?: AttachedList;
  /** The reversing voucher that took it back. Its documents name another since; its `ledgerIds` stay, as history. */
  correctedBy?: string;
  /** A reversing voucher: what it takes back, row by row, and who decided it and why. It has no documents of its own. */
  corrects?: string;
  correction?: Decision;
  /** Thousands of documents follow their correction in commits of their own: which voucher they go to, until all are there. */
  movesTo?: string;
  /** The voucher in whose place it stands, made by the rules and the configuration of its own time. */
  rebooks?: string;
  /** How often a worker took it. From the second time on it is looked up before it is posted. */
  attempts: number;
  error?: string;
  errorCode?: number;
  sendingSince?: Timestamp;
  /** When it may last have been posted without our hearing of it. */
  unclearAt?: Timestamp;
  /** From then on the sweep queues it again; absent once posted (and its list attached) or rejected. */
  nextTryAt?: Timestamp;
  createdAt: Timestamp;
  updatedAt: Timestamp;
  postedAt?: Timestamp;
}

/** A worker that has not finished by then is dead: longer than the longest run of `postVoucher` by far. */
export const leaseMs = minutes(10);
/** A worker that comes to its post later than this does not post any more; well before the lease runs out. */
export const latestPostMs = minutes(5);
/** Fortnox may show a voucher a little after it took it: not finding it sooner proves nothing. */
export const settleMs = 30_000;
/** The sync queues new vouchers itself; the sweep looks after those it did not come to. */
export const firstTryMs = minutes(10);
/** What waits for a person (locked period, missing year) is tried again this often. */
export const holdMs = hours(1);
/** Not posted by then: a person is told. */
export const lateMs = days(1);

export type Lease = { taken: true; voucher: Voucher } | { taken: false; because: 'posted' | 'rejected' | 'being sent' };

/** Takes a voucher for sending. A fresh `sending` belongs to another worker; a stale one may have been posted. */
export function takeLease(voucher: Voucher, now: Date): Lease {
  const { state, sendingSince } = voucher;
  if (state === 'posted' || state === 'rejected') return { taken: false, because: state };
  const died = state === 'sending' && sendingSince ? sendingSince : undefined;
  if (died && now.getTime() - died.toMillis() < leaseMs) return { taken: false, because: 'being sent' };
  const at = Timestamp.fromDate(now);
  const unclearAt = died ?? voucher.unclearAt;
  return {
    taken: true,
    voucher: {
      ...voucher,
      state: 'sending',
      attempts: voucher.attempts + 1,
      sendingSince: at,
      ...(unclearAt ? { unclearAt } : {}),
      nextTryAt: later(now, leaseMs),
      updatedAt: at,
    },
  };
}

/** Whether somebody else took the voucher meanwhile. */
export function stillLeased(current: Voucher, mine: Voucher): boolean {
  return current.state === 'sending' && current.attempts === mine.attempts;
}

export function mustLookUp(voucher: Voucher): boolean {
  return voucher.attempts > 1 || voucher.unclearAt !== undefined;
}

/** May a voucher that a look-up begun at `lookedUpAt` did not find be posted. */
export function mayPost(voucher: Voucher, lookedUpAt: Date): boolean {
  return !voucher.unclearAt || lookedUpAt.getTime() - voucher.unclearAt.toMillis() >= settleMs;
}

/** Is there enough of the lease left to post. */
export function inTime(voucher: Voucher, now: Date): boolean {
  return voucher.sendingSince !== undefined && now.getTime() - voucher.sendingSince.toMillis() < latestPostMs;
}

export interface FortnoxVoucherRef {
  number: number;
  financialYearId: number;
  /** "S 12 (2026)". */
  reference: string;
}

export function posted(voucher: Voucher, where: FortnoxVoucherRef, now: Date): Voucher {
  const attach = voucher.list?.state === 'wanted' ? { nextTryAt: later(now, firstTryMs) } : {};
  return {
    ...settled(voucher),
    ...attach,
    state: 'posted',
    fortnoxNumber: where.number,
    financialYearId: where.financialYearId,
    fortnoxReference: where.reference,
    postedAt: Timestamp.fromDate(now),
    updatedAt: Timestamp.fromDate(now),
  };
}

export function rejected(voucher: Voucher, error: string, code: number | undefined, now: Date): Voucher {
  return {
    ...settled(voucher),
    state: 'rejected',
    error,
    ...(code === undefined ? {} : { errorCode: code }),
    updatedAt: Timestamp.fromDate(now),
  };
}

/** Nothing was posted this time; it goes back to where it was and is tried again after `waitMs`. */
export function putBack(voucher: Voucher, error: string, waitMs: number, now: Date): Voucher {
  const { sendingSince: _, ...rest } = voucher;
  return {
    ...rest,
    state: voucher.unclearAt ? 'unknown' : 'ready',
    error,
    nextTryAt: later(now, waitMs),
    updatedAt: Timestamp.fromDate(now),
  };
}

/** It was sent, and what came of it is not known. */
export function unclear(voucher: Voucher, error: string, now: Date): Voucher {
  return putBack({ ...voucher, unclearAt: Timestamp.fromDate(now) }, error, settleMs, now);
}

/** A look-up showed that it is not in Fortnox. */
export function withoutDoubt(voucher: Voucher): Voucher {
  const { unclearAt: _, ...rest } = voucher;
  return rest;
}

/** A person mended what Fortnox refused. */
export function retried(voucher: Voucher, now: Date): Voucher {
  return { ...settled(voucher), state: 'ready', nextTryAt: later(now, firstTryMs), updatedAt: Timestamp.fromDate(now) };
}

/** Without what only an unfinished voucher has. */
function settled(voucher: Voucher): Voucher {
  const {
    sendingSince: _since,
    unclearAt: _unclear,
    nextTryAt: _next,
    error: _error,
    errorCode: _code,
    ...rest
  } = voucher;
  return rest;
}

const later = (now: Date, ms: number): Timestamp => Timestamp.fromMillis(now.getTime() + ms);
