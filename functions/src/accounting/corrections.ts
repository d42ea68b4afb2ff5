import { Timestamp } from 'firebase-admin/firestore';
import type { LedgerDocument } from '../ledger/ledger.ts';
import { businessDate } from '../platform/clock.ts';
import { Refusal } from '../platform/errors.ts';
import { negate } from '../platform/money.ts';
import { firstTryMs, retried, type Decision, type Voucher, type VoucherRow } from './accounting.ts';
import {
  debitFirst,
  describe,
  draftDay,
  draftVoucher,
  redated,
  voucherKey,
  wordsOf,
  type Books,
  type Drafted,
} from './vouchers.ts';

/**
 * A posted voucher is never changed: a separate one takes it back, and another books its documents as they should have
 * been. Both are dated the day on which the fault was found, so that no closed period is touched (BFNAR 2013:2 p. 2.17
 * and 2.18), and both name the one they correct.
 */
export interface Corrected {
  /** As it was, and by which voucher it was taken back. */
  old: Voucher;
  reversing: Voucher;
  /** undefined: by the rules of now its documents post nothing. */
  rebooked: Voucher | undefined;
}

/** The longest reason: it fits whole into Fortnox's text. */
export const longestReason = 120;

/** A voucher that may be corrected. Throws Refusal: it is not in Fortnox whole, is itself a correction's other half, or was corrected. */
export function correctable(voucherId: string, voucher: Voucher | undefined): Voucher {
  if (!voucher) throw new Refusal('not-found', 'voucher-not-found', `There is no voucher ${voucherId}.`);
  const { state, list, corrects, correctedBy } = voucher;
  if (corrects !== undefined) {
    throw refused('voucher-is-reversing', `${voucherId} takes ${corrects} back. Correct the voucher that followed it.`);
  }
  if (correctedBy !== undefined) {
    throw refused(
      'voucher-already-corrected',
      `${voucherId} was taken back by ${correctedBy}. Correct the voucher that followed it.`,
      { correctedBy },
    );
  }
  if (state !== 'posted') {
    const message = `${voucherId} is ${state}. Only a voucher that is in Fortnox is corrected; wait until it is posted, or mend what holds it.`;
    throw refused('voucher-not-posted', message, { state });
  }
  if (list && list.state !== 'attached') {
    throw refused(
      'voucher-list-not-attached',
      `The list of ${voucherId} does not hang on it in Fortnox yet. Wait for it.`,
    );
  }
  return voucher;
}

/** Draws up the correction of a voucher whose documents (in its order) these are. Throws Refusal: nothing to correct, or no rule. */
export function correctionOf(
  old: Voucher,
  documents: readonly LedgerDocument[],
  books: Books,
  decision: Decision,
  now: Date,
): Corrected {
  const draft = draftedAnew(old, documents, books, now);
  if (draft.outcome === 'unsupported') {
    throw refused('voucher-unsupported', `No rule of now covers the documents of ${old.id}: ${draft.reason}.`);
  }
  if (draft.outcome === 'voucher' && sameRows(draft.voucher.rows, old.rows)) {
    throw refused(
      'nothing-to-correct',
      `By the rules and the configuration of now ${old.id} would have the rows it has.`,
    );
  }
  const ids = correctionIds(old.id);
  return {
    old: { ...old, correctedBy: ids.reversing, updatedAt: Timestamp.fromDate(now) },
    reversing: reversal(old, ids.reversing, decision, now),
    rebooked: draft.outcome === 'voucher' ? inPlaceOf(old, draft.voucher, ids.rebooked, now) : undefined,
  };
}

/**
 * A voucher that is certainly not in Fortnox (refused, or held before it was sent), by the books of now. It stays the same
 * voucher, found by its key, on its day. Throws Refusal: it may be in Fortnox, it only takes another back, or no rule.
 */
export function redrawn(voucher: Voucher, documents: readonly LedgerDocument[], books: Books, now: Date): Voucher {
  const { id, state, corrects, unclearAt, key, description, date, eventDate } = voucher;
  if (corrects !== undefined) {
    throw refused(
      'voucher-is-reversing',
      `${id} takes ${corrects} back on the accounts that has: mend them in Fortnox until it is posted.`,
    );
  }
  if ((state !== 'ready' && state !== 'rejected') || unclearAt) {
    const message = `${id} is ${state}${unclearAt ? ' and may be in Fortnox' : ''}. Only one that is certainly not there is drawn up anew; one that is posted is corrected (correctVoucher).`;
    throw refused('voucher-not-rejected', message, { state });
  }
  const draft = draftedAnew(voucher, documents, books, now);
  if (draft.outcome !== 'voucher') {
    const why = draft.outcome === 'unsupported' ? draft.reason : 'they post nothing';
    throw refused('voucher-unsupported', `By the rules of now the documents of ${id} have no voucher: ${why}.`);
  }
  const { rebooks, createdAt } = voucher;
  return retried(
    {
      ...draft.voucher,
      ...{ id, key, description, date, attempts: voucher.attempts, createdAt },
      ...(eventDate === undefined ? {} : { eventDate }),
      ...(rebooks === undefined ? {} : { rebooks }),
    },
    now,
  );
}

/**
 * `v_ch_1_sale` is taken back by `v_ch_1_sale_r1`, and `v_ch_1_sale_n1` stands in its place; that one by `…_r2` and `…_n2`.
 * The same voucher can so be corrected only once.
 */
export function correctionIds(voucherId: string): { reversing: string; rebooked: string } {
  const [, first = voucherId, times = '0'] = /^(.*?)(?:_n(\d+))?$/.exec(voucherId) ?? [];
  const next = Number(times) + 1;
  return { reversing: `${first}_r${next}`, rebooked: `${first}_n${next}` };
}

function draftedAnew(old: Voucher, documents: readonly LedgerDocument[], books: Books, now: Date): Drafted {
  if (old.sequence !== undefined) {
    return draftDay({ date: eventDay(old), kind: old.kind, sequence: old.sequence }, documents, books, now);
  }
  const [document, ...others] = documents;
  if (!document || others.length > 0)
    throw new Error(`${old.id} is not a day's voucher and has ${documents.length} documents.`);
  return draftVoucher(document, books, now);
}

/** Row by row the other side, in its own series, for the same financial facts. */
function reversal(old: Voucher, id: string, decision: Decision, now: Date): Voucher {
  const { kind, profile, ruleVersion, series, clearingAccount, clearingMinor } = old;
  const key = voucherKey(id);
  const at = Timestamp.fromDate(now);
  const words = `Rättar ${nameOf(old)} avser ${eventDay(old)}: ${withoutKeys(decision.reason)}`;
  return {
    ...{ id, kind, ledgerIds: [], profile, ruleVersion, series },
    date: businessDate(now),
    eventDate: eventDay(old),
    description: describe(words, key),
    key,
    rows: old.rows.map(otherSide).sort(debitFirst),
    clearingMinor: negate(clearingMinor),
    clearingAccount,
    state: 'ready',
    corrects: old.id,
    correction: decision,
    attempts: 0,
    nextTryAt: Timestamp.fromMillis(now.getTime() + firstTryMs),
    createdAt: at,
    updatedAt: at,
  };
}

function inPlaceOf(old: Voucher, draft: Voucher, id: string, now: Date): Voucher {
  const key = voucherKey(id);
  const description = describe(`${wordsOf(draft)} ersätter ${nameOf(old)}`, key);
  return { ...redated({ ...draft, id, key, description }, businessDate(now)), rebooks: old.id };
}

const eventDay = ({ eventDate, date }: Voucher) => eventDate ?? date;

const nameOf = ({ fortnoxReference, id }: Voucher): string => fortnoxReference ?? id;

const otherSide = ({ account, debitMinor, creditMinor, text }: VoucherRow): VoucherRow => ({
  account,
  debitMinor: creditMinor,
  creditMinor: debitMinor,
  text,
});

/** What looks like a voucher's key would have that voucher found where it is not; in capitals it does not. */
const withoutKeys = (words: string): string => words.replace(/[0-9a-z]{12,}/g, (word) => word.toUpperCase());

/** Texts may differ: they say the same in other words. */
function sameRows(a: readonly VoucherRow[], b: readonly VoucherRow[]): boolean {
  const amounts = (rows: readonly VoucherRow[]) =>
    rows
      .map(({ account, debitMinor, creditMinor }) => `${account} ${debitMinor} ${creditMinor}`)
      .sort()
      .join();
  return amounts(a) === amounts(b);
}

const refused = (reason: string, message: string, details?: Record<string, string>): Refusal =>
  new Refusal('failed-precondition', reason, message, details);
