import type { Timestamp } from 'firebase-admin/firestore';
import type { Currency, Minor } from '../platform/money.ts';
import type { Terms } from './terms.ts';

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
  requirementsDue: string[];
  disabledReason?: string;
  /** May customers pay for this coach's products now. */
  acceptsPayments: boolean;
  currency: Currency;
  /** ISO 3166, "SE". */
  country: string;
  terms: Terms;
  payoutSettings: PayoutSettings;
  /** Payouts rest, for this reason, until an admin lifts it. */
  hold?: { reason: string; since: Timestamp };
  createdAt: Timestamp;
  updatedAt: Timestamp;
}
