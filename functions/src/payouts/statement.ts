import type { Earning } from '../coaches/earnings.ts';
import type { EarningsOverview, PendingDay } from '../coaches/earnings-report.ts';
import { businessDate, type BusinessDate } from '../platform/clock.ts';
import { minor, negate, sum, type Currency, type Minor } from '../platform/money.ts';
import type { NextPayout } from './next.ts';
import type { Payout, PayoutItem, PayoutStatus } from './payouts.ts';

/** One payment's part in a payout. */
export interface StatementLine {
  paymentId: string;
  /** The day of the sale. */
  date: BusinessDate;
  description: string;
  customerName: string;
  /** What the customer paid, the platform's fee of it, and what of the coach's share went back by refunds or disputes. */
  grossMinor: Minor;
  feeMinor: Minor;
  refundedMinor: Minor;
  /** What of it is in this payout; negative: a debt taken off. */
  amountMinor: Minor;
}

/** Money of the coach that is not in this payout, and why; as of the moment the statement is made. */
export interface Remaining {
  why: 'next-payout' | 'pending' | 'disputed' | 'debt' | NonNullable<NextPayout['reason']>;
  /** The day it can be paid, where that is known. */
  until: BusinessDate | null;
  /** Signed: a debt is negative. */
  amountMinor: Minor;
}

/** All that a payout's statement says, before it has a language. */
export interface Statement {
  payoutId: string;
  stripePayoutId: string | null;
  coachId: string;
  date: BusinessDate;
  arrivalDate: BusinessDate | null;
  status: PayoutStatus;
  currency: Currency;
  amountMinor: Minor;
  lines: StatementLine[];
  remaining: Remaining[];
  madeAt: Date;
}

/** What is read for a statement. */
export interface StatementFacts {
  payoutId: string;
  payout: Payout;
  items: ReadonlyMap<string, PayoutItem>;
  /** By ledger document. */
  earnings: ReadonlyMap<string, Earning>;
  overview: EarningsOverview;
  pending: readonly PendingDay[];
  next: NextPayout;
  madeAt: Date;
}

/** Throws when the items do not sum to the payout: such a statement would be a lie. */
export function statementOf(facts: StatementFacts): Statement {
  const { payoutId, payout, items, madeAt } = facts;
  const lines = [...items].map(([ledgerId, item]) => lineOf(item, facts.earnings.get(ledgerId), payout)).sort(byDate);
  const total = sum(lines.map(({ amountMinor }) => amountMinor));
  if (total !== payout.amountMinor) {
    throw new Error(`payouts/${payoutId}: items sum to ${total}, the payout is ${payout.amountMinor}.`);
  }
  return {
    payoutId,
    stripePayoutId: payout.stripePayoutId ?? null,
    coachId: payout.coachId,
    date: businessDate(payout.date.toDate()),
    arrivalDate: payout.arrivalDate ? businessDate(payout.arrivalDate.toDate()) : null,
    status: payout.status,
    currency: payout.currency,
    amountMinor: payout.amountMinor,
    lines,
    remaining: remainingOf(facts),
    madeAt,
  };
}

const byDate = (a: StatementLine, b: StatementLine): number => {
  const [left, right] = [`${a.date} ${a.paymentId}`, `${b.date} ${b.paymentId}`];
  return left < right ? -1 : left > right ? 1 : 0;
};

/** An earning that is gone leaves its line without words; its amount stays. */
function lineOf(item: PayoutItem, earning: Earning | undefined, payout: Payout): StatementLine {
  return {
    paymentId: item.paymentId,
    date: businessDate((earning?.createdAt ?? payout.createdAt).toDate()),
    description: earning?.description ?? '',
    customerName: earning?.customerName ?? '',
    grossMinor: earning?.amountMinor ?? minor(0),
    feeMinor: earning?.feeMinor ?? minor(0),
    refundedMinor: earning?.reversedMinor ?? minor(0),
    amountMinor: item.amountMinor,
  };
}

/** What stays behind, piece by piece; the pieces sum to all that is the coach's and in no payout. */
export function remainingOf({
  overview,
  pending,
  next,
}: Pick<StatementFacts, 'overview' | 'pending' | 'next'>): Remaining[] {
  const dated = sum(pending.map(({ amountMinor }) => amountMinor));
  const pieces: Remaining[] = [
    { why: next.reason ?? 'next-payout', until: next.date, amountMinor: overview.availableMinor },
    ...pending.map(({ date, amountMinor }) => ({ why: 'pending' as const, until: date, amountMinor })),
    { why: 'pending', until: null, amountMinor: minor(overview.pendingMinor - dated) },
    { why: 'disputed', until: null, amountMinor: overview.heldMinor },
    { why: 'debt', until: null, amountMinor: negate(overview.debtMinor) },
  ];
  return pieces.filter(({ amountMinor }) => amountMinor !== 0);
}
