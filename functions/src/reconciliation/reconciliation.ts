import type { Timestamp } from 'firebase-admin/firestore';
import type { VoucherState } from '../accounting/accounting.ts';
import type { BusinessDate } from '../platform/clock.ts';
import type { Currency, Minor } from '../platform/money.ts';

/**
 * The daily proof. For a cut T, per account and currency:
 *
 *   ledger documents that occurred before T
 *     = net of the balance transactions made before T
 *     = Stripe's balance (available and pending) read at R, less the net of what was made from T to R
 *
 * and down to the id: every balance transaction is explained by one ledger document, every ledger document by Stripe.
 */
export type AccountState =
  | 'ok'
  | 'different'
  /** Stripe does not let us look (the coach has disconnected us): a person must. */
  | 'unverifiable'
  /** Stripe could not be read this time. */
  | 'unchecked';

export const accountStates = ['ok', 'different', 'unverifiable', 'unchecked'] as const satisfies AccountState[];

export type DifferenceKind =
  /** Stripe moved money that no ledger document explains. */
  | 'transaction-unexplained'
  /** Two ledger documents explain one balance transaction. */
  | 'transaction-explained-twice'
  /** A ledger document says that money moved in Stripe, and Stripe has no balance transaction of it. */
  | 'entry-without-transaction'
  /** A ledger document and its balance transactions disagree on the amount. */
  | 'amounts-differ'
  /** The three sums are not one. */
  | 'totals-differ'
  /** Of days asked for by hand: ledger and Stripe were not one already when they began. */
  | 'opening-differs'
  /** The coaches' documents do not add up to all that moved in connected accounts. */
  | 'coaches-differ'
  /** The clearing account of the vouchers is not what the ledger moved in Stripe. */
  | 'clearing-differs'
  /** A voucher we hold to be posted is not in Fortnox under its key. */
  | 'voucher-not-in-fortnox'
  /** A voucher of ours has other rows, or another day, in Fortnox than were posted: somebody changed it by hand. */
  | 'voucher-altered'
  /** Fortnox has one voucher of ours more than once. */
  | 'voucher-twice-in-fortnox'
  /** Our series in Fortnox has a voucher that is not ours: the series is to have one writer. */
  | 'voucher-not-ours';

/** One thing that is not as it should be, down to the ids. */
export interface Difference {
  kind: DifferenceKind;
  /** Stripe's account id, or "platform". */
  account: string;
  currency: Currency;
  /** Balance transactions and ledger documents it is about. */
  ids: string[];
  ledgerMinor: Minor;
  /** What the other side (Stripe, the vouchers, Fortnox) says. */
  otherMinor: Minor;
  /** What exactly, where amounts do not tell; minor units. */
  detail?: string;
}

/** Up to where an account is proven for good; later runs start there. */
export interface Closed {
  cut: Timestamp;
  /** Net of every balance transaction until then. */
  transactionsMinor: Minor;
}

/** What was proven of one account in one currency. */
export interface AccountProof {
  /** "platform" or Stripe's account id. */
  account: string;
  coachId?: string;
  currency: Currency;
  state: AccountState;
  ledgerMinor: Minor;
  /** Net of balance transactions before the cut. */
  transactionsMinor: Minor;
  /** What Stripe held at the cut: its balance when read, less what came after the cut. */
  stripeMinor: Minor;
  balanceMinor: Minor;
  afterCutMinor: Minor;
  /** Of days asked for by hand: what both said when they began. `transactionsMinor` is then the ledger's, and what moved since. */
  opening?: { ledgerMinor: Minor; stripeMinor: Minor };
  /** Balance transactions looked at in this run. */
  transactions: number;
  /** null: not proven yet; every run looks at everything. */
  closed: Closed | null;
  differences: Difference[];
  error?: string;
}

export interface VoucherCounts extends Record<VoucherState, number> {
  ungrouped: number;
}

/** A day of a series in Fortnox. */
export interface FortnoxDay {
  financialYearId: number;
  series: string;
  date: BusinessDate;
}

/** What was compared with Fortnox this night: the days that vouchers were posted to since the night before, and `again`. */
export interface FortnoxProof {
  days: number;
  /** Vouchers posted until then have been compared; null: none yet. */
  provenUntil: Timestamp | null;
  /** Days on which a voucher is missing or altered: compared every night until they are as we posted them. At most 100. */
  again: FortnoxDay[];
  error?: string;
}

/** What a proof of some days came to. */
export interface RangeResult {
  ranAt: Timestamp;
  ok: boolean;
  /** Accounts, by how they stand. */
  counts: Record<AccountState, number>;
  /** The platform, and the accounts that are not ok first; at most 100. All of them are in the subcollection. */
  accounts: Pick<
    AccountProof,
    'account' | 'currency' | 'state' | 'ledgerMinor' | 'transactionsMinor' | 'stripeMinor' | 'opening' | 'error'
  >[];
  fortnox: { days: number; error?: string };
  /** At most 100. */
  differences: Difference[];
}

/** What the proof of a night came to. */
export interface NightResult extends RangeResult {
  vouchers: VoucherCounts;
  fortnox: FortnoxProof;
}

/** Stored lists are cut to this; what is beyond shows again once the first hundred are mended. */
export const listLimit = 100;

export const platformAccount = 'platform';

/** The sums of the equation, when they are not one. */
export function totalsDiffer(
  proof: Pick<AccountProof, 'account' | 'currency' | 'ledgerMinor' | 'transactionsMinor' | 'stripeMinor'>,
): Difference | undefined {
  const { account, currency, ledgerMinor, transactionsMinor, stripeMinor } = proof;
  if (ledgerMinor === transactionsMinor && transactionsMinor === stripeMinor) return undefined;
  const otherMinor = transactionsMinor === ledgerMinor ? stripeMinor : transactionsMinor;
  return { kind: 'totals-differ', account, currency, ids: [], ledgerMinor, otherMinor };
}

/**
 * What an account's night came to in each currency, and up to where it is proven now: in all of them or in none, so that the
 * next night has one place to start from.
 */
export function concluded(drafts: readonly AccountProof[], cut: Timestamp): AccountProof[] {
  const allOk = drafts.every(({ differences }) => differences.length === 0);
  return drafts.map((draft) => ({
    ...draft,
    state: draft.differences.length === 0 ? 'ok' : 'different',
    closed: allOk ? { cut, transactionsMinor: draft.transactionsMinor } : draft.closed,
  }));
}

/** One difference in words. */
export function inWords(difference: Difference): string {
  const { kind, account, currency, ids, ledgerMinor, otherMinor, detail } = difference;
  const about = ids.length > 0 ? ` ${ids.join(', ')}` : '';
  return `${account}: ${kind}${about} (ledger ${ledgerMinor}, other side ${otherMinor} minor ${currency})${detail === undefined ? '' : `: ${detail}`}`;
}
