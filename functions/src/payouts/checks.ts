import { days, hours, minutes } from '../platform/clock.ts';
import { cameBack, isBooked, type PayoutLife } from './payouts.ts';

/** An unclear outcome is asked for after 5 minutes, an hour and a day, then every day. */
export function unknownCheckDelayMs(checks: number): number {
  if (checks <= 0) return minutes(5);
  return checks === 1 ? hours(1) : days(1);
}

/** Stripe may fail a paid payout up to five business days later; ten days hold the longest holidays. */
const provisionalMs = days(10);

/**
 * When the sweep looks at a payout next, or null when nothing can come any more. A connected account's events cannot be
 * listed by the platform, so a lost one is made up for by looking.
 */
export function nextCheck(payout: PayoutLife, now: Date): Date | null {
  if (payout.stripePayoutId === undefined) {
    return cameBack(payout.status) ? null : new Date(now.getTime() + unknownCheckDelayMs(payout.checks));
  }
  if (!isBooked(payout)) return new Date(now.getTime() + (payout.checks < 12 ? minutes(5) : hours(1)));
  if (payout.status === 'pending') return new Date(now.getTime() + hours(6));
  if (payout.status !== 'completed') return null;
  const provisionalUntil = (payout.arrivalDate ?? payout.createdAt).toMillis() + provisionalMs;
  return now.getTime() < provisionalUntil ? new Date(now.getTime() + days(2)) : null;
}
