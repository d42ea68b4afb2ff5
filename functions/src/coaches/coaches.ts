import type { Timestamp } from 'firebase-admin/firestore';
import type { Config } from '../config.ts';
import { minor, type Currency, type Minor } from '../platform/money.ts';
import { defaultTerms, type Terms } from './terms.ts';

/** Where a coach's Stripe account stands, in one word a coach's page can show. */
export type AccountStatus = 'none' | 'pending' | 'restricted' | 'active' | 'rejected' | 'deauthorized';

export type Cadence = 'daily' | 'weekly' | 'biweekly' | 'monthly' | 'manual';

export interface PayoutSettings {
  cadence: Cadence;
  /** Stripe's own minimum in Sweden is 20 SEK. */
  minimumMinor: Minor;
}

/** `coaches/{uid}`: readable by the coach, so nothing in it is hidden from them. */
export interface Coach {
  stripeAccountId?: string;
  accountStatus: AccountStatus;
  chargesEnabled: boolean;
  payoutsEnabled: boolean;
  /** What Stripe asks of the coach now, in Stripe's own words; sorted. */
  requirementsDue: string[];
  disabledReason?: string;
  /** The coach has been through Stripe's form to its end at least once. */
  detailsSubmitted?: boolean;
  /** May customers pay for this coach's products now. */
  acceptsPayments: boolean;
  currency: Currency;
  /** ISO 3166, "SE". */
  country: string;
  terms: Terms;
  payoutSettings: PayoutSettings;
  /** Written before Stripe is first asked for the account, and what it was asked with; a retry under the same key asks the same. */
  accountAsked?: { at: Timestamp; email: string | null };
  /** The bank account payouts go to, as Stripe names it. */
  payoutDestination?: { id: string; last4: string; status: string };
  /** Payouts rest, for this reason, until an admin lifts it. */
  hold?: { reason: string; since: Timestamp };
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** Stripe pays out at least 20 SEK in Sweden. */
export const minimumPayout = minor(2000);

/** A coach who has just come: paid every week, the platform's terms, no Stripe account yet. */
export function newCoach(
  config: Pick<Config, 'platformFeePercent' | 'feeRounding' | 'currency'>,
  at: Timestamp,
): Coach {
  return {
    accountStatus: 'none',
    chargesEnabled: false,
    payoutsEnabled: false,
    requirementsDue: [],
    acceptsPayments: false,
    currency: config.currency,
    country: 'SE',
    terms: defaultTerms(config),
    payoutSettings: { cadence: 'weekly', minimumMinor: minimumPayout },
    createdAt: at,
    updatedAt: at,
  };
}

/** Has the coach something to do on Stripe's pages. A closed account is not mended there. */
export function needsOnboarding(coach: Coach | undefined): boolean {
  if (!coach?.stripeAccountId) return true;
  if (coach.accountStatus === 'rejected' || coach.accountStatus === 'deauthorized') return false;
  return coach.detailsSubmitted !== true || coach.requirementsDue.length > 0;
}

/** Why this coach cannot be paid out now, for programs; undefined when nothing stands in the way. */
export type PayoutObstacle = 'no-account' | 'account-not-active' | 'payouts-disabled' | 'hold';

export function payoutObstacle(coach: Coach | undefined): PayoutObstacle | undefined {
  if (!coach?.stripeAccountId) return 'no-account';
  if (coach.hold) return 'hold';
  if (coach.accountStatus !== 'active') return 'account-not-active';
  return coach.payoutsEnabled ? undefined : 'payouts-disabled';
}
