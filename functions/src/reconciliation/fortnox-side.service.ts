import type { Timestamp } from 'firebase-admin/firestore';
import { countPosted, lastPosted, postedFrom, vouchersOf } from '../accounting/accounting.service.ts';
import type { Voucher } from '../accounting/accounting.ts';
import { addDays, businessDate, daysBetween, minutes, type BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import type { SieVoucher } from '../platform/fortnox/index.ts';
import { fortnoxDiffers, type Ours } from './fortnox-rows.ts';
import { listLimit, type Difference, type FortnoxDay, type FortnoxProof } from './reconciliation.ts';

/** Vouchers whose days are looked up in one night; more are for the next. */
const vouchersPerNight = 20_000;
const pageSize = 1_000;
/** Days counted or read side by side. */
const sideBySide = 10;
/** A year's books take four minutes to read at most (the client's limit), and a task lives nine: later no reading is begun. */
const lastReadMs = minutes(4);

/** Vouchers of one financial year that are to be held against Fortnox. */
interface YearTask {
  financialYearId: number;
  /** Every voucher of these days is compared. */
  days: Set<BusinessDate>;
  series: Set<string>;
  /** Of vouchers that may have been moved to another day by hand. */
  keys: Set<string>;
}

/**
 * Reads the year's books in one call and compares, row by row, every day that vouchers were posted to since the last night;
 * and counts the other days, so that one lost long after it was proven is missed too. Nothing is ever posted again from
 * here. A Fortnox that cannot be read is said so, and the same days are looked up next night.
 */
export async function proveFortnox(
  ctx: Context,
  before: FortnoxProof | undefined,
): Promise<FortnoxProof & { differences: Difference[] }> {
  const since = before?.provenUntil ?? null;
  const begun = ctx.clock.now();
  const { years, last } = await postedSince(ctx, since);
  for (const day of before?.again ?? []) note(yearOf(years, day), day);
  const tasks = [...years.values()];
  const days = tasks.reduce((total, year) => total + year.days.size, 0);
  const differences: Difference[] = [];
  const again: FortnoxDay[] = [];
  try {
    for (const year of tasks) {
      const compared = await proveYear(ctx, year, begun);
      differences.push(...compared.differences);
      again.push(...compared.again);
    }
  } catch (error) {
    return { days, provenUntil: since, again: before?.again ?? [], error: messageOf(error), differences };
  }
  return { days, provenUntil: last ?? since, again: again.slice(0, listLimit), differences };
}

/** Days that are compared at once: what is held of them at most. */
const daysAtOnce = 31;

/** Days asked for by hand, row by row: the year's books are read once for each 31 of them. */
export async function proveFortnoxDays(
  ctx: Context,
  from: BusinessDate,
  to: BusinessDate,
): Promise<{ days: number; error?: string; differences: Difference[] }> {
  const days = daysBetween(from, to) + 1;
  const begun = ctx.clock.now();
  const differences: Difference[] = [];
  try {
    for (let day = from; day <= to;) {
      const year = await (await ctx.fortnox()).financialYear(day);
      if (!year) throw new Error(`Fortnox has no financial year of ${day}.`);
      const until = [to, year.to, addDays(day, daysAtOnce - 1)].sort()[0] ?? to;
      const some = new Set(daysFrom(day, until));
      const series = new Set([ctx.config.voucherSeries]);
      const task = { financialYearId: year.id, days: some, series, keys: new Set<string>() };
      const compared = await compareYear(ctx, task, begun);
      differences.push(...compared.differences);
      day = addDays(until, 1);
    }
  } catch (error) {
    return { days, error: messageOf(error), differences };
  }
  return { days, differences };
}

function daysFrom(from: BusinessDate, to: BusinessDate): BusinessDate[] {
  return Array.from({ length: daysBetween(from, to) + 1 }, (_, n) => addDays(from, n));
}

/** The years that vouchers were posted to since then, and the one posted to last. */
async function postedSince(
  ctx: Context,
  since: Timestamp | null,
): Promise<{ years: Map<number, YearTask>; last: Timestamp | undefined }> {
  const years = new Map<number, YearTask>();
  const seen = new Set<string>();
  let last: Timestamp | undefined;
  while (seen.size < vouchersPerNight) {
    const page = await postedFrom(ctx.db, last ?? since, pageSize);
    const fresh = page.filter(({ id }) => !seen.has(id));
    for (const voucher of fresh) {
      seen.add(voucher.id);
      note(yearOf(years, dayOf(voucher)), voucher);
    }
    last = page.at(-1)?.postedAt ?? last;
    if (page.length < pageSize || fresh.length === 0) break;
  }
  for (const voucher of await lastPosted(ctx.db, 1)) yearOf(years, dayOf(voucher));
  return { years, last };
}

function dayOf({ financialYearId, date, series }: Voucher): FortnoxDay {
  if (financialYearId === undefined) throw new Error(`A voucher of ${date} is posted without its financial year.`);
  return { financialYearId, date, series };
}

function yearOf(years: Map<number, YearTask>, { financialYearId, series }: FortnoxDay): YearTask {
  const year = years.get(financialYearId) ?? {
    financialYearId,
    days: new Set(),
    series: new Set([series]),
    keys: new Set(),
  };
  years.set(financialYearId, year);
  return year;
}

function note(year: YearTask, { date, series, key }: { date: BusinessDate; series: string; key?: string }): void {
  year.days.add(date);
  year.series.add(series);
  if (key !== undefined) year.keys.add(key);
}

async function proveYear(ctx: Context, year: YearTask, begun: Date): Promise<Compared> {
  const posted = await countPosted(ctx.db, { financialYearId: year.financialYearId });
  const first = await compareYear(ctx, year, begun);
  if (first.count >= posted) return first;
  const lost = await daysWithFewer(ctx, year, first.perDay);
  if (lost.length === 0) return first;
  const days = new Set([...year.days, ...lost.slice(0, daysAtOnce)]);
  return compareYear(ctx, { ...year, days }, begun);
}

/** The end of a description that one of ours has (`voucherKey`). */
const keyShape = /(?:^| )[0-9a-hjkmnp-tv-z]{12}$/;

interface Compared {
  differences: Difference[];
  again: FortnoxDay[];
  /** Vouchers of the whole year that look like ours, together and by day. */
  count: number;
  perDay: Map<BusinessDate, number>;
}

async function compareYear(ctx: Context, year: YearTask, begun: Date): Promise<Compared> {
  const asked = ctx.clock.now().getTime();
  if (asked - begun.getTime() > lastReadMs) {
    throw new Error(
      'Reading its books takes too long for one task. The rest is for the next night, or for fewer days.',
    );
  }
  const listed: SieVoucher[] = [];
  const perDay = new Map<BusinessDate, number>();
  let count = 0;
  for await (const voucher of (await ctx.fortnox()).vouchersOfYear(year.financialYearId)) {
    if (!year.series.has(voucher.series)) continue;
    if (keyShape.test(voucher.description)) {
      count += 1;
      perDay.set(voucher.date, (perDay.get(voucher.date) ?? 0) + 1);
    }
    const moved = year.keys.has(voucher.description.split(' ').at(-1) ?? '');
    if (year.days.has(voucher.date) || moved) listed.push(voucher);
  }
  // Ours are read after Fortnox's, so that one posted in between is known when it is met.
  const ours = await oursOf(ctx, year, asked);
  const differences = fortnoxDiffers(ctx.config.currency, listed, ours);
  return { differences, again: toLookAtAgain(year, differences, ours), count, perDay };
}

function toLookAtAgain(
  { financialYearId }: YearTask,
  differences: readonly Difference[],
  ours: readonly Ours[],
): FortnoxDay[] {
  const wrong = new Set(
    differences.flatMap(({ kind, ids }) =>
      kind === 'voucher-not-in-fortnox' || kind === 'voucher-altered' ? ids.slice(0, 1) : [],
    ),
  );
  return ours.flatMap(({ voucher: { id, series, date } }) =>
    wrong.has(id) ? [{ financialYearId, series, date }] : [],
  );
}

async function oursOf(ctx: Context, { days, series }: YearTask, asked: number): Promise<Ours[]> {
  return overDays([...days], async (day) => {
    const vouchers = (await vouchersOf(ctx.db, day)).filter((voucher) => series.has(voucher.series));
    return vouchers.map(({ id, key, series: own, date, rows, clearingAccount, clearingMinor, state, postedAt }) => {
      const mustBeThere = state === 'posted' && postedAt !== undefined && postedAt.toMillis() < asked;
      return { voucher: { id, key, series: own, date, rows, clearingAccount, clearingMinor }, mustBeThere };
    });
  });
}

/** Days of the year of which Fortnox has fewer than we posted. */
async function daysWithFewer(
  ctx: Context,
  { financialYearId, days }: YearTask,
  perDay: ReadonlyMap<BusinessDate, number>,
): Promise<BusinessDate[]> {
  const [any] = [...days, ...perDay.keys()];
  const whole = await (await ctx.fortnox()).financialYear(any ?? businessDate(ctx.clock.now()));
  if (!whole) return [];
  return overDays(daysFrom(whole.from, whole.to), async (day) => {
    const posted = await countPosted(ctx.db, { financialYearId, date: day });
    return posted > (perDay.get(day) ?? 0) ? [day] : [];
  });
}

async function overDays<T>(days: readonly BusinessDate[], each: (day: BusinessDate) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (let at = 0; at < days.length; at += sideBySide) {
    found.push(...(await Promise.all(days.slice(at, at + sideBySide).map(each))).flat());
  }
  return found;
}
