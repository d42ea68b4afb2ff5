import type { Timestamp } from 'firebase-admin/firestore';
import type { VoucherState } from '../accounting/accounting.ts';
import type { BusinessDate } from '../platform/clock.ts';
import { minor, zero, type Currency, type Minor } from '../platform/money.ts';

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
  /** The coaches' documents do not add up to all that moved in connected accounts. */
  | 'coaches-differ'
  /** The clearing account of the vouchers is not what the ledger moved in Stripe. */
  | 'clearing-differs'
  /** A voucher we hold to be posted is not in Fortnox under its key. */
  | 'voucher-not-in-fortnox'
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
  /** What the other side (Stripe, or the vouchers) says. */
  otherMinor: Minor;
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

/** The days looked up in Fortnox this night: those that vouchers were posted to since the night before. */
export interface FortnoxProof {
  days: number;
  /** Vouchers posted until then are proven to be in Fortnox, once; null: none yet. */
  provenUntil: Timestamp | null;
  error?: string;
}

/** What the proof of a night came to. */
export interface NightResult {
  ranAt: Timestamp;
  ok: boolean;
  /** Accounts, by how they stand. */
  counts: Record<AccountState, number>;
  /** The platform, and the accounts that are not ok first; at most 100. All of them are in the subcollection. */
  accounts: Pick<
    AccountProof,
    'account' | 'currency' | 'state' | 'ledgerMinor' | 'transactionsMinor' | 'stripeMinor'
  >[];
  vouchers: VoucherCounts;
  fortnox: FortnoxProof;
  /** At most 100. */
  differences: Difference[];
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

/** A voucher as Fortnox lists it. */
export interface Listed {
  series: string;
  number: number;
  description: string;
}

/** Our vouchers of one series and day, as the proof needs them. */
export interface Ours {
  id: string;
  key: string;
  clearingMinor: Minor;
  /** Posted before Fortnox was asked, so it must be in its answer. */
  mustBeThere: boolean;
}

/** Holds one day of our series in Fortnox against our vouchers. Fortnox keeps rows as they were posted, so the key is enough. */
export function fortnoxDiffers(
  day: { date: BusinessDate; currency: Currency },
  listed: readonly Listed[],
  ours: readonly Ours[],
): Difference[] {
  const base = { account: 'fortnox', currency: day.currency };
  const named = (one: Listed) => `${one.series} ${one.number} of ${day.date}`;
  const differences: Difference[] = [];
  for (const { id, key, clearingMinor, mustBeThere } of ours) {
    const found = listed.filter(({ description }) => description.includes(key));
    if (found.length === 0 && mustBeThere) {
      differences.push({
        ...base,
        kind: 'voucher-not-in-fortnox',
        ids: [id],
        ledgerMinor: clearingMinor,
        otherMinor: zero,
      });
    } else if (found.length > 1) {
      const ids = [id, ...found.map(named)];
      const otherMinor = minor(clearingMinor * found.length);
      differences.push({ ...base, kind: 'voucher-twice-in-fortnox', ids, ledgerMinor: clearingMinor, otherMinor });
    }
  }
  for (const one of listed) {
    if (ours.some(({ key }) => one.description.includes(key))) continue;
    differences.push({ ...base, kind: 'voucher-not-ours', ids: [named(one)], ledgerMinor: zero, otherMinor: zero });
  }
  return differences;
}

/** What a coach's or the platform's night came to, and up to where it is proven now. */
export function concluded(proof: AccountProof, closed: Closed): AccountProof {
  const ok = proof.differences.length === 0;
  return { ...proof, state: ok ? 'ok' : 'different', closed: ok ? closed : proof.closed };
}

/** One difference in words. */
export function inWords(difference: Difference): string {
  const { kind, account, currency, ids, ledgerMinor, otherMinor } = difference;
  const about = ids.length > 0 ? ` ${ids.join(', ')}` : '';
  return `${account}: ${kind}${about} (ledger ${ledgerMinor}, other side ${otherMinor} minor ${currency})`;
}
