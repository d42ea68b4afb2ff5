import type { FlagInput } from '../admin/flags.ts';
import type { LedgerDocument } from '../ledger/ledger.ts';
import { notSent } from '../platform/fortnox/voucher.ts';
import type { Voucher } from './accounting.ts';

/** What accounting tells a person; each is explained in docs/accounting.md. One flag per cause, not per voucher held by it. */

export const unsupportedKind = 'voucher-unsupported';

export const unsupportedFlag = (document: LedgerDocument, reason: string): FlagInput => ({
  id: `${unsupportedKind}_${document.id}`,
  kind: unsupportedKind,
  severity: 'critical',
  subject: `ledger/${document.id}`,
  message: `Ledger document ${document.id} has no voucher: ${reason}.`,
  action: 'Book it by hand in Fortnox and tell the engineers: the posting rules do not cover it yet.',
});

export const lateVouchersKind = 'vouchers-late';

export const lateVouchersFlag = (late: readonly Voucher[]): FlagInput => ({
  id: lateVouchersKind,
  kind: lateVouchersKind,
  severity: 'critical',
  subject: `vouchers/${late[0]?.id ?? ''}`,
  message: `${late.length} vouchers are not in Fortnox a day after they were made, the oldest first: ${late
    .slice(0, 5)
    .map((voucher) => `${voucher.id} (${voucher.state}: ${voucher.error ?? 'not tried'})`)
    .join('; ')}.`,
  action: 'See what each says; they are tried again by themselves once the cause is mended.',
});

export const missingYearFlag = (voucher: Voucher): FlagInput => ({
  id: `financial-year-missing_${voucher.date.slice(0, 4)}`,
  kind: 'financial-year-missing',
  severity: 'critical',
  subject: `vouchers/${voucher.id}`,
  message: `Fortnox has no financial year that ${voucher.date} is in.`,
  action:
    'Create the financial year in Fortnox (the API cannot). Vouchers held for it then go on by themselves within an hour.',
});

export const seriesFlag = (voucher: Voucher, year: string, problem: string): FlagInput => ({
  id: `voucher-series_${voucher.series}_${year}`,
  kind: 'voucher-series',
  severity: 'critical',
  subject: `vouchers/${voucher.id}`,
  message: `Voucher series ${voucher.series} ${problem} in the financial year of ${voucher.date}.`,
  action: `In Fortnox, create series ${voucher.series} for that year with "Manuell kontering" and let nothing else post to it. Held vouchers then go on by themselves within an hour.`,
});

export const accountFlagKind = 'account-unusable';

export const accountFlag = (voucher: Voucher, account: number, year: string, problem: string): FlagInput => ({
  id: `${accountFlagKind}_${account}_${year}`,
  kind: accountFlagKind,
  severity: 'critical',
  subject: `vouchers/${voucher.id}`,
  message: `Account ${account} ${problem} in the financial year of ${voucher.date}.`,
  action: `Create or activate account ${account} in Fortnox for that year, and held vouchers go on by themselves within an hour. Or configure another (CLEARING_ACCOUNT for the clearing account, ACCOUNT_NUMBERS for the others): vouchers already made keep theirs until retryVoucher with redraw draws them up anew.`,
});

export const lockedFlag = (voucher: Voucher, words: string): FlagInput => ({
  id: `period-locked_${voucher.date}`,
  kind: 'period-locked',
  severity: 'critical',
  subject: `vouchers/${voucher.id}`,
  message: `Vouchers of ${voucher.date} cannot be posted: ${words}`,
  action:
    'Unlock the period in Fortnox until they are posted (they go on by themselves within an hour), then lock it again.',
});

/** What to do about refusals whose cause is known by Fortnox's code (facts of its API; others by their words alone). */
const remedies: Readonly<Record<number, string>> = {
  2000423:
    'Create the account it names in that financial year, or configure another (ACCOUNT_NUMBERS) and retry with `redraw`.',
  2001304:
    'Create the account it names in that financial year, or configure another (ACCOUNT_NUMBERS) and retry with `redraw`.',
  2000550: 'Activate the account it names in that financial year.',
  2001265: 'Create or activate the account it names in that financial year.',
  2000359: 'Tell the engineers: a text has a character that Fortnox does not take.',
  2000663: 'The consent does not cover bookkeeping: connectFortnox asks for it anew.',
  2002455: 'The consent does not cover vouchers: connectFortnox asks for it anew.',
  2001101: 'The company needs the licence it names: see its subscription in Fortnox.',
  2001103: 'The company needs an integration licence: see its subscription in Fortnox.',
};

export function rejectedFlag(voucher: Voucher, words: string, code?: number): FlagInput {
  const wrong = words.startsWith(notSent);
  const which = `voucher ${voucher.id} of ${voucher.date}`;
  const remedy = (code === undefined ? undefined : remedies[code]) ?? 'Mend in Fortnox what it names.';
  return {
    id: `voucher-rejected_${voucher.id}`,
    kind: 'voucher-rejected',
    severity: 'critical',
    subject: `vouchers/${voucher.id}`,
    message: wrong
      ? `Something is wrong with ${which} itself. ${words}`
      : `Fortnox refused ${which}: ${words}${code === undefined ? '' : ` (${code})`}`,
    action: `${wrong ? 'Tell the engineers: it must be made right in the database.' : remedy} Then send the voucher again (retryVoucher).`,
  };
}

export const twiceFlag = (voucher: Voucher, where: string): FlagInput => ({
  id: `voucher-twice_${voucher.id}`,
  kind: 'voucher-twice',
  severity: 'critical',
  subject: `vouchers/${voucher.id}`,
  message: `Fortnox has voucher ${voucher.id} (key ${voucher.key}) more than once: ${where}.`,
  action: 'Reverse the superfluous ones in Fortnox by a correcting voucher; keep the one the document names.',
});

export const unauthorizedFlagId = 'fortnox-unauthorized';

export const listFlag = (voucher: Voucher, words: string): FlagInput => ({
  id: `voucher-list_${voucher.id}`,
  kind: 'voucher-list',
  severity: 'warning',
  subject: `vouchers/${voucher.id}`,
  message: `Voucher ${voucher.fortnoxReference ?? voucher.id} is in Fortnox without the list of its ${voucher.ledgerIds.length} documents: ${words}`,
  action:
    'The consent must cover "inbox" and "connectfile" (connectFortnox asks for them), and the company needs the licences for them. It is tried again every hour; exportTransactions gives the same figures meanwhile.',
});

/** One flag, whatever waits: a fresh token was refused, or none is to be had. `message` says which, and the way back. */
export const unauthorizedFlag = (message: string): FlagInput => ({
  id: unauthorizedFlagId,
  kind: 'fortnox-unauthorized',
  severity: 'critical',
  subject: 'locks/fortnox-token',
  message: `Fortnox lets us in no more, so no voucher is posted: ${message}`,
  action:
    'Do what the message says. With client credentials: check the consent, the licence, the client secret and the tenant id. If the consent is gone: connectFortnox gives the page where a Fortnox system administrator consents again. Vouchers then go on by themselves.',
});

export const retriesSpentFlag = (voucherId: string, error: string): FlagInput => ({
  id: `voucher-retries-spent_${voucherId}`,
  kind: 'voucher-retries-spent',
  severity: 'warning',
  subject: `vouchers/${voucherId}`,
  message: `The queue gave up posting voucher ${voucherId} for now: ${error}`,
  action:
    'The sweep tries it again by itself. If Fortnox refuses the token, check the consent, the licence and the tenant id.',
});

/**
 * Flags that a voucher's being in Fortnox shows to be settled: the year, the series and the accounts are good, the day is
 * open, we are let in, and nothing is the matter with the voucher itself. `year`: the one the financial year starts in.
 */
export function disprovedBy(voucher: Voucher, year: string): string[] {
  const event = { ...voucher, date: voucher.eventDate ?? voucher.date };
  const settled = [
    ...[voucher, event].flatMap((one) => [missingYearFlag(one), lockedFlag(one, '')]),
    seriesFlag(voucher, year, ''),
    ...voucher.rows.map(({ account }) => accountFlag(voucher, account, year, '')),
    rejectedFlag(voucher, ''),
    retriesSpentFlag(voucher.id, ''),
  ];
  return [...new Set([unauthorizedFlagId, ...settled.map(({ id }) => id)])];
}
