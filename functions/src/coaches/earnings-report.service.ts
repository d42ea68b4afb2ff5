import { Timestamp } from 'firebase-admin/firestore';
import { businessDate, startOfBusinessDate, type BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import type { Currency } from '../platform/money.ts';
import {
  endOf,
  overviewOf,
  pendingDays,
  periodOf,
  spansBefore,
  startOf,
  type EarningsOverview,
  type PendingDay,
  type Period,
  type Unit,
} from './earnings-report.ts';
import * as store from './earnings-report.store.ts';
import type { Earning } from './earnings.ts';

/** Earnings that are looked at one by one for the days they come loose. */
const upcomingLimit = 500;

/** Where a coach's money is now, by sums, and the days on which what Stripe still keeps comes loose. */
export async function earningsOverview(
  ctx: Context,
  coachId: string,
  currency: Currency,
): Promise<{ overview: EarningsOverview; pending: PendingDay[] }> {
  const { db } = ctx;
  const now = Timestamp.fromDate(ctx.clock.now());
  const [all, open, loose, held, debt, upcoming] = await Promise.all([
    store.allSums(db, coachId, currency),
    store.settlementSums(db, coachId, currency, 'open'),
    store.looseSums(db, coachId, currency, now),
    store.settlementSums(db, coachId, currency, 'held'),
    store.settlementSums(db, coachId, currency, 'debt'),
    store.upcoming(db, coachId, currency, now, upcomingLimit),
  ]);
  return { overview: overviewOf({ all, open, loose, held, debt }), pending: pendingDays(upcoming) };
}

/**
 * The last `count` weeks or months, the newest first: this one and those before it, or those before `before` (a first day
 * from an earlier page's `nextBefore`).
 */
export async function earningsByPeriod(
  ctx: Context,
  coachId: string,
  currency: Currency,
  page: { unit: Unit; before?: BusinessDate | undefined; count: number },
): Promise<{ periods: Period[]; nextBefore: BusinessDate }> {
  const { unit, before, count } = page;
  const end = before === undefined ? endOf(unit, businessDate(ctx.clock.now())) : startOf(unit, before);
  const spans = spansBefore(unit, end, count);
  const periods = await Promise.all(
    spans.map(async (span) => {
      const [from, until] = [span.from, span.until].map((day) => Timestamp.fromDate(startOfBusinessDate(day)));
      if (!from || !until) throw new RangeError('A period without days.');
      return periodOf(span, await store.sumsBetween(ctx.db, coachId, currency, from, until));
    }),
  );
  return { periods, nextBefore: spans.at(-1)?.from ?? end };
}

/** What payout items are about, by the ledger document they name. */
export async function earningsOfItems(
  ctx: Context,
  coachId: string,
  ledgerIds: readonly string[],
): Promise<Map<string, Earning>> {
  const found = await store.byLedgerIds(ctx.db, coachId, ledgerIds);
  return new Map(found.map((earning) => [earning.ledgerId, earning]));
}
