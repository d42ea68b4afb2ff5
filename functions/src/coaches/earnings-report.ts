import { addDays, businessDate, weekday, type BusinessDate } from '../platform/clock.ts';
import { minor, negate, type Minor } from '../platform/money.ts';
import { openMinor, type Earning } from './earnings.ts';

/** Sums over earnings; minor units. */
export interface EarningSums {
  count: number;
  amountMinor: Minor;
  feeMinor: Minor;
  paidMinor: Minor;
  reversedMinor: Minor;
}

/** What a coach sold in a week or a month. Refunds count where their sale does. */
export interface Period {
  from: BusinessDate;
  /** The last day. */
  to: BusinessDate;
  sales: number;
  earnedMinor: Minor;
  feesMinor: Minor;
  refundsMinor: Minor;
  /** What of it is the coach's: earned less fees and refunds. */
  shareMinor: Minor;
}

/** Days of a period, [from, until). */
export interface Span {
  from: BusinessDate;
  until: BusinessDate;
}

export type Unit = 'week' | 'month';

/** The first day of the week (Monday) or month that a day lies in. */
export function startOf(unit: Unit, day: BusinessDate): BusinessDate {
  return unit === 'week' ? addDays(day, 1 - weekday(day)) : `${day.slice(0, 8)}01`;
}

/** The last `count` weeks or months before a day that begins one, the newest first. */
export function spansBefore(unit: Unit, before: BusinessDate, count: number): Span[] {
  const spans: Span[] = [];
  for (let until = before; spans.length < count;) {
    const from = startOf(unit, addDays(until, -1));
    spans.push({ from, until });
    until = from;
  }
  return spans;
}

/** The first day after the week or month that a day lies in. */
export function endOf(unit: Unit, day: BusinessDate): BusinessDate {
  const start = startOf(unit, day);
  // 32 days after the first of a month lie in the next one.
  return unit === 'week' ? addDays(start, 7) : startOf('month', addDays(start, 32));
}

export const periodOf = ({ from, until }: Span, sums: EarningSums): Period => ({
  from,
  to: addDays(until, -1),
  sales: sums.count,
  earnedMinor: sums.amountMinor,
  feesMinor: sums.feeMinor,
  refundsMinor: sums.reversedMinor,
  shareMinor: minor(sums.amountMinor - sums.feeMinor - sums.reversedMinor),
});

/** Money that Stripe still keeps, by the day it comes loose. */
export interface PendingDay {
  date: BusinessDate;
  amountMinor: Minor;
}

export function pendingDays(earnings: readonly Earning[]): PendingDay[] {
  const days = new Map<BusinessDate, number>();
  for (const earning of earnings) {
    if (!earning.availableOn) continue;
    const date = businessDate(earning.availableOn.toDate());
    days.set(date, (days.get(date) ?? 0) + openMinor(earning));
  }
  return [...days].sort(([a], [b]) => (a < b ? -1 : 1)).map(([date, amount]) => ({ date, amountMinor: minor(amount) }));
}

/** Where a coach's money is; minor units. `shareMinor` − `paidMinor` = available + pending + held − debt. */
export interface EarningsOverview {
  sales: number;
  /** What customers paid. */
  earnedMinor: Minor;
  feesMinor: Minor;
  refundsMinor: Minor;
  /** Earned less fees and refunds. */
  shareMinor: Minor;
  /** In payouts, made or under way. */
  paidMinor: Minor;
  /** Loose at Stripe, for the next payout. */
  availableMinor: Minor;
  /** Stripe still keeps it. */
  pendingMinor: Minor;
  /** Resting while a dispute is open. */
  heldMinor: Minor;
  /** Paid out and then taken back by refunds and disputes; the next payouts take it off. */
  debtMinor: Minor;
}

/** Sums by where earnings stand. */
export interface StandingSums {
  all: EarningSums;
  open: EarningSums;
  loose: EarningSums;
  held: EarningSums;
  debt: EarningSums;
}

export function overviewOf({ all, open, loose, held, debt }: StandingSums): EarningsOverview {
  return {
    sales: all.count,
    earnedMinor: all.amountMinor,
    feesMinor: all.feeMinor,
    refundsMinor: all.reversedMinor,
    shareMinor: minor(all.amountMinor - all.feeMinor - all.reversedMinor),
    paidMinor: all.paidMinor,
    availableMinor: openMinor(loose),
    pendingMinor: minor(openMinor(open) - openMinor(loose)),
    heldMinor: openMinor(held),
    debtMinor: negate(openMinor(debt)),
  };
}
