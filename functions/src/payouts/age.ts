import { minimumPayout, payoutObstacle, type Coach, type PayoutObstacle } from '../coaches/coaches.ts';
import { openMinor, type Earning } from '../coaches/earnings.ts';
import { addDays, businessDate, days, daysBetween, type BusinessDate } from '../platform/clock.ts';
import { minor, type Currency, type Minor } from '../platform/money.ts';

/**
 * Stripe wants money of manual payouts paid out within 90 days (Stripe: manual payouts; 90 days in Sweden). It does not do it
 * by itself, so we do: after 75 days people hear of it, after 82 it is paid whatever the coach's cadence and own minimum.
 * Holds, disputes and Stripe's own minimum stand. A week is left for the banks' holidays and for what goes wrong.
 */
export const ageLimitDays = 90;
export const warnAfterDays = 75;
export const payAfterDays = 82;

/** Money that has come loose and must not wait for the coach's minimum any more. */
export const isOverdue = (open: readonly Earning[], now: Date): boolean =>
  open.some(({ createdAt }) => now.getTime() - createdAt.toMillis() >= days(payAfterDays));

/** A coach's old money in one currency. */
export interface OldMoney {
  coachId: string;
  currency: Currency;
  oldest: Date;
  openMinor: Minor;
  /** Disputed: it stays until that is decided. */
  heldMinor: Minor;
}

export function oldMoney(found: readonly { coachId: string; earning: Earning }[]): OldMoney[] {
  const all = new Map<string, OldMoney>();
  for (const { coachId, earning } of found) {
    const { currency, settlement } = earning;
    const at = earning.createdAt.toDate();
    const known = all.get(`${coachId}_${currency}`);
    const before = known ?? { coachId, currency, oldest: at, openMinor: minor(0), heldMinor: minor(0) };
    const part = openMinor(earning);
    all.set(`${coachId}_${currency}`, {
      ...before,
      oldest: at < before.oldest ? at : before.oldest,
      ...(settlement === 'held'
        ? { heldMinor: minor(before.heldMinor + part) }
        : { openMinor: minor(before.openMinor + part) }),
    });
  }
  return [...all.values()];
}

export type AgeReason = PayoutObstacle | 'disputed' | 'below-stripe-minimum' | 'below-minimum' | 'by-hand' | 'not-paid';

export interface Outlook {
  /** The last day by Stripe's rule, and the day from which we pay it by ourselves. */
  limit: BusinessDate;
  payFrom: BusinessDate;
  reason: AgeReason;
  /** It is to be paid now. */
  pay: boolean;
  /** Only a person can still help in time. */
  urgent: boolean;
}

/** What becomes of old money, and why it is not paid yet. `owedMinor`: all that the ledger owes the coach. */
export function outlook(coach: Coach | undefined, old: OldMoney, owedMinor: Minor, now: Date): Outlook {
  const since = businessDate(old.oldest);
  const late = daysBetween(since, businessDate(now)) >= payAfterDays;
  const reason = reasonOf(coach, old, owedMinor, now);
  const ours = reason === 'below-minimum' || reason === 'by-hand' || reason === 'not-paid';
  return {
    limit: addDays(since, ageLimitDays),
    payFrom: addDays(since, payAfterDays),
    reason,
    pay: late && ours,
    urgent: late && !ours,
  };
}

function reasonOf(coach: Coach | undefined, old: OldMoney, owedMinor: Minor, now: Date): AgeReason {
  const obstacle = payoutObstacle(coach, now);
  if (obstacle || !coach) return obstacle ?? 'no-account';
  if (old.openMinor <= 0) return 'disputed';
  if (owedMinor < minimumPayout) return 'below-stripe-minimum';
  if (coach.payoutSettings.cadence === 'manual') return 'by-hand';
  return owedMinor < coach.payoutSettings.minimumMinor ? 'below-minimum' : 'not-paid';
}
