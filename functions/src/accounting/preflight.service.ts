import type { FlagInput } from '../admin/flags.ts';
import type { FinancialYear, FortnoxClient, VoucherSeries } from '../platform/fortnox/client.ts';
import { FortnoxError } from '../platform/fortnox/errors.ts';
import type { Voucher } from './accounting.ts';
import { accountFlag, lockedFlag, missingYearFlag, seriesFlag } from './accounting-flags.ts';

/**
 * What is read of Fortnox before a post. Fortnox has no error codes for a missing year or series, and answers without a
 * year land in whatever year somebody last looked at: so both are known before anything is sent.
 */
export interface Registers {
  year: FinancialYear;
  series: VoucherSeries;
}

/** What was found good, per client and financial year: a process asks once. Only good news is kept. */
interface Known {
  years: Map<number, FinancialYear>;
  series: Map<string, VoucherSeries>;
  /** Active accounts by year. The chart is read whole once, in few calls; one that is not among them is asked for. */
  accounts: Map<number, Set<number>>;
  /** The lock was seen not to stand in the way; asked again after a minute. */
  lock?: { lockedTo: string | null; readMs: number };
}

const lockKnownMs = 60_000;

/** What stands between a voucher and its post; `lockedTo` where it is a locked period. */
export interface Obstacle {
  flag: FlagInput;
  lockedTo?: string;
}

const known = new WeakMap<FortnoxClient, Known>();

function knownOf(fortnox: FortnoxClient): Known {
  const found = known.get(fortnox) ?? { years: new Map(), series: new Map(), accounts: new Map() };
  known.set(fortnox, found);
  return found;
}

/** Fortnox refused something that looked good: everything is asked again. */
export function forget(fortnox: FortnoxClient): void {
  known.delete(fortnox);
}

/** The voucher's financial year and series, or what holds it. */
export async function registersOf(fortnox: FortnoxClient, voucher: Voucher): Promise<Registers | { hold: FlagInput }> {
  const cache = knownOf(fortnox);
  const { date, series: code } = voucher;
  const year =
    [...cache.years.values()].find((one) => one.from <= date && date <= one.to) ?? (await fortnox.financialYear(date));
  if (!year) return { hold: missingYearFlag(voucher) };
  cache.years.set(year.id, year);
  const seriesKey = `${year.id}/${code}`;
  const series = cache.series.get(seriesKey) ?? (await fortnox.voucherSeries(code, year.id));
  if (!series) return { hold: seriesFlag(voucher, year.from.slice(0, 4), 'does not exist') };
  if (series.manual) cache.series.set(seriesKey, series);
  return { year, series };
}

/** undefined: nothing stands in the way. */
export async function checkPostable(
  fortnox: FortnoxClient,
  voucher: Voucher,
  { year, series }: Registers,
  now: Date,
): Promise<Obstacle | undefined> {
  const startYear = year.from.slice(0, 4);
  if (!series.manual) {
    return { flag: seriesFlag(voucher, startYear, 'is not manual ("Manuell kontering" is off)') };
  }
  const active = await activeAccounts(fortnox, year.id);
  for (const { account: number } of voucher.rows) {
    if (active.has(number)) continue;
    const account = await fortnox.account(number, year.id);
    if (!account) return { flag: accountFlag(voucher, number, startYear, 'does not exist') };
    if (!account.active) return { flag: accountFlag(voucher, number, startYear, 'is not active') };
    active.add(number);
  }
  const known = knownOf(fortnox);
  const fresh = known.lock !== undefined && Math.abs(now.getTime() - known.lock.readMs) < lockKnownMs;
  const lockedTo = fresh && known.lock ? known.lock.lockedTo : await lastLockedDay(fortnox);
  if (lockedTo !== null && voucher.date <= lockedTo) {
    delete known.lock;
    return { flag: lockedFlag(voucher, `the period to and including ${lockedTo} is locked in Fortnox.`), lockedTo };
  }
  if (!fresh) known.lock = { lockedTo, readMs: now.getTime() };
  return undefined;
}

async function activeAccounts(fortnox: FortnoxClient, yearId: number): Promise<Set<number>> {
  const { accounts } = knownOf(fortnox);
  const active = accounts.get(yearId) ?? new Set(await fortnox.activeAccounts(yearId));
  accounts.set(yearId, active);
  return active;
}

/**
 * The last locked day. Which scope reading it needs is not published: where the consent does not cover it, the post itself
 * tells (Fortnox refuses it with a code of its own).
 */
async function lastLockedDay(fortnox: FortnoxClient): Promise<string | null> {
  try {
    return await fortnox.lockedPeriod();
  } catch (error) {
    const unreadable = error instanceof FortnoxError && ['rejected', 'not_found', 'unauthorized'].includes(error.kind);
    if (unreadable) return null;
    throw error;
  }
}
