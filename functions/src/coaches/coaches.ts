import { Timestamp } from 'firebase-admin/firestore';
import type { Config } from '../config.ts';
import { minor, type Currency, type Minor } from '../platform/money.ts';
import { defaultTerms, type Terms } from './terms.ts';

/** Where a coach's Stripe account stands, in one word a coach's page can show. */
export type AccountStatus = 'none' | 'pending' | 'restricted' | 'active' | 'rejected' | 'deauthorized';

export const cadences = ['daily', 'weekly', 'biweekly', 'monthly', 'manual'] as const;

export type Cadence = (typeof cadences)[number];

export interface PayoutSettings {
  cadence: Cadence;
  /** Stripe's own minimum in Sweden is 20 SEK. */
  minimumMinor: Minor;
}

export interface PayoutDestination {
  id: string;
  kind: 'bank_account' | 'card';
  last4: string;
  /** Stripe's: `errored` takes no payout until it is mended. */
  status: string;
}

/** What the coach tells about their business before they see Stripe's form, which then asks for less. */
export interface BusinessProfile {
  name?: string | undefined;
  url?: string | undefined;
  description?: string | undefined;
}

/** What Stripe was asked for an account with. `direct`: as a merchant of their own, with Stripe's full dashboard. */
export interface AccountAsked {
  at: Timestamp;
  email: string | null;
  businessProfile?: BusinessProfile;
  direct?: true;
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
  accountAsked?: AccountAsked;
  /** When the coach let us into the account, and when they shut us out; the later one holds. */
  authorizedAt?: Timestamp;
  deauthorizedAt?: Timestamp;
  /** The address Stripe writes to; the coach may have another login. */
  accountEmail?: string;
  /** Stripe lets the account take cards in its own name: what charging on it (`direct`) needs. */
  takesCards?: boolean;
  /** Stripe lets the account receive shares. */
  takesTransfers?: boolean;
  /** Absent: not registered for VAT. */
  vatNumber?: string;
  /** Who the coach is on invoices. */
  invoiceDetails?: { name: string; address: string };
  /** When what is due must be given; then Stripe restricts the account. */
  requirementsDeadline?: Timestamp;
  /** The bank account or debit card payouts go to, as Stripe names it. */
  payoutDestination?: PayoutDestination;
  /** The destination before a new one comes: kept when there is none for a while. */
  knownDestination?: string;
  /** Payouts rest because the destination changed: a stranger who got in would change it first. */
  payoutRest?: { since: Timestamp; until: Timestamp };
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
  country = 'SE',
): Coach {
  return {
    accountStatus: 'none',
    chargesEnabled: false,
    payoutsEnabled: false,
    requirementsDue: [],
    acceptsPayments: false,
    currency: config.currency,
    country,
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
export type PayoutObstacle = 'no-account' | 'account-not-active' | 'payouts-disabled' | 'hold' | 'bank-account-changed';

export function payoutObstacle(coach: Coach | undefined, now: Date): PayoutObstacle | undefined {
  if (!coach?.stripeAccountId) return 'no-account';
  if (coach.hold) return 'hold';
  if (coach.accountStatus !== 'active') return 'account-not-active';
  if (!coach.payoutsEnabled) return 'payouts-disabled';
  return isResting(coach, now) ? 'bank-account-changed' : undefined;
}

export const isResting = (coach: Coach, now: Date): boolean =>
  coach.payoutRest !== undefined && now.getTime() < coach.payoutRest.until.toMillis();

/**
 * The coach after Stripe was looked at again: payouts rest from a change of where they go. The first destination ever
 * makes nothing rest. `changed` says that people are to be told.
 */
export function withRest(
  before: Coach,
  next: Coach,
  restMs: number,
  at: Timestamp,
): { coach: Coach; changed: boolean } {
  const known = before.knownDestination ?? before.payoutDestination?.id;
  const destination = next.payoutDestination?.id ?? known;
  if (destination === undefined) return { coach: next, changed: false };
  const coach: Coach = { ...next, knownDestination: destination };
  if (known === undefined || destination === known) return { coach, changed: false };
  const until = Timestamp.fromMillis(at.toMillis() + restMs);
  return { coach: { ...coach, payoutRest: { since: at, until } }, changed: true };
}

/** Stripe stands in the coach's way; undefined when it does not. Each kind of it is told once, when it begins. */
export function trouble(coach: Coach): 'restricted' | 'rejected' | undefined {
  return coach.accountStatus === 'restricted' || coach.accountStatus === 'rejected' ? coach.accountStatus : undefined;
}
