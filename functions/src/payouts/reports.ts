import type { Earning } from '../coaches/earnings.ts';
import type { EarningsOverview, PendingDay, Period } from '../coaches/earnings-report.ts';
import type { BusinessDate } from '../platform/clock.ts';
import type { Currency, Minor } from '../platform/money.ts';
import type { NextPayout } from './next.ts';
import type { Payout, PayoutItem, PayoutStatus } from './payouts.ts';

/** What a coach's sessions came to. */
export interface SessionFigures {
  /** Of completed sessions. */
  hours: number;
  completed: number;
  /** Completed, not shown up to, canceled late by the customer or at any time by the coach. */
  ended: number;
}

export interface EarningsReply extends EarningsOverview {
  coachId: string;
  currency: Currency;
  /** What Stripe still keeps, by the day it comes loose; of the first 500 payments. */
  pending: PendingDay[];
  nextPayout: NextPayout;
  weeks: Period[];
  months: Period[];
  /** For the next pages: `weeksBefore`, `monthsBefore`. */
  nextWeeksBefore: BusinessDate;
  nextMonthsBefore: BusinessDate;
  hours: number;
  sessionsCompleted: number;
  /** Completed of those that ended, 0 to 1; null: there are none. */
  completionRate: number | null;
}

export const completionRate = ({ completed, ended }: SessionFigures): number | null =>
  ended === 0 ? null : completed / ended;

/** One payment inside a payout, as its coach sees it. */
export interface ItemView {
  paymentId: string;
  kind: PayoutItem['kind'];
  /** Signed; a debt taken off is negative. */
  amountMinor: Minor;
  description: string;
  customerName: string;
}

export interface PayoutView {
  payoutId: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  status: PayoutStatus;
  /** ISO 8601, UTC. */
  date: string;
  dueDate: BusinessDate;
  /** When the bank should have it, ISO 8601, UTC. */
  arrivalDate: string | null;
  failureCode: string | null;
  items: ItemView[];
  /** There are more items than are shown; the statement has all of them. */
  moreItems: boolean;
}

export function payoutView(
  payoutId: string,
  payout: Payout,
  items: ReadonlyMap<string, PayoutItem>,
  earnings: ReadonlyMap<string, Earning>,
  limit: number,
): PayoutView {
  const shown = [...items].slice(0, limit);
  return {
    payoutId,
    amount: payout.amount,
    amountMinor: payout.amountMinor,
    currency: payout.currency,
    status: payout.status,
    date: payout.date.toDate().toISOString(),
    dueDate: payout.dueDate,
    arrivalDate: payout.arrivalDate?.toDate().toISOString() ?? null,
    failureCode: payout.failureCode ?? null,
    items: shown.map(([ledgerId, { paymentId, kind, amountMinor }]) => ({
      paymentId,
      kind,
      amountMinor,
      description: earnings.get(ledgerId)?.description ?? '',
      customerName: earnings.get(ledgerId)?.customerName ?? '',
    })),
    moreItems: items.size > shown.length,
  };
}
