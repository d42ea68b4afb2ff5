import { Timestamp } from 'firebase-admin/firestore';
import { minimumPayout } from '../../coaches/coaches.ts';
import type { PlatformTotals } from '../../ledger/ledger.service.ts';
import { minor, toMajor, type Currency, type Minor } from '../../platform/money.ts';
import { cameBack, isBooked, type PayoutFacts, type PayoutLife } from '../payouts.ts';

/** What is on the platform's Stripe balance and whose it is; minor units, none of them signed but the first three. */
export interface PlatformNumbers {
  /** What Stripe lets go now; what comes loose later; both together by the ledger. */
  availableMinor: Minor;
  pendingMinor: Minor;
  bookedMinor: Minor;
  /** Sessions paid and not held yet: the customer's until then. */
  heldMinor: Minor;
  /** Coaches' shares that are not on their connected accounts: waiting, planned or under way. */
  untransferredMinor: Minor;
  /** Refunds that came back from customers' banks and are owed to them still. */
  customersMinor: Minor;
  /** PLATFORM_RESERVE_MINOR, for refunds and debts to come. */
  reserveMinor: Minor;
}

/**
 * A share not transferred is what the ledger owes coaches beyond what their accounts hold, in reserve or not: sales,
 * transfers, reversals and payouts move both alike. A dispute has taken its money out of the balance already; if it is about a held session, its
 * price stays behind as well until it is decided, which errs on the safe side.
 */
export function platformNumbers(
  totals: PlatformTotals,
  balance: { availableMinor: Minor; pendingMinor: Minor },
  reserveMinor: number,
): PlatformNumbers {
  const owed = (ledgerMinor: number): Minor => minor(Math.max(0, -ledgerMinor));
  return {
    ...balance,
    bookedMinor: totals.stripe_platform,
    heldMinor: owed(totals.session_held),
    untransferredMinor: owed(totals.coach_payable + totals.stripe_connected + totals.connected_reserve),
    customersMinor: owed(totals.customer_payable),
    reserveMinor: minor(reserveMinor),
  };
}

/** What is others': stays behind whatever the reserve. */
export const othersMinor = (numbers: PlatformNumbers): Minor =>
  minor(numbers.heldMinor + numbers.untransferredMinor + numbers.customersMinor);

/** What may go to the platform's bank now. Others' money is kept in what is loose, so that no refund or transfer waits. */
export function ownMinor(numbers: PlatformNumbers): Minor {
  const there = Math.min(numbers.availableMinor, numbers.bookedMinor);
  return minor(there - othersMinor(numbers) - numbers.reserveMinor);
}

export type PlatformDecision =
  { pay: true; amountMinor: Minor } | { pay: false; reason: 'nothing-own' | 'more-than-own'; ownMinor: Minor };

/** All that is the platform's, or the wanted part of it. */
export function decidePlatform(numbers: PlatformNumbers, wantedMinor?: Minor): PlatformDecision {
  const own = ownMinor(numbers);
  if (own < minimumPayout) return { pay: false, reason: 'nothing-own', ownMinor: minor(Math.max(0, own)) };
  if (wantedMinor !== undefined && wantedMinor > own) return { pay: false, reason: 'more-than-own', ownMinor: own };
  return { pay: true, amountMinor: wantedMinor ?? own };
}

/**
 * How far the balance is from covering what must come out of it: 0 when it does. All money counts, loose or not; a balance
 * that Stripe shows as negative is short by itself, since refunds then fail.
 */
export function shortMinor(numbers: PlatformNumbers): Minor {
  const all = Math.min(numbers.availableMinor + numbers.pendingMinor, numbers.bookedMinor);
  const uncovered = othersMinor(numbers) + numbers.reserveMinor - all;
  return minor(Math.max(0, uncovered, 0 - numbers.availableMinor));
}

/** `platformPayouts/{id}`: the platform's own money on its way to its bank. Readable by administrators. */
export interface PlatformPayout extends PayoutLife {
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  /** `asked`: by payPlatform. `stripe`: made elsewhere (dashboard, a schedule at Stripe), booked when Stripe told of it. */
  origin: 'asked' | 'stripe';
  /** The administrator who asked. */
  by?: string;
  /** What was reckoned when it was decided: what it leaves behind. */
  numbers?: PlatformNumbers;
  /** When Stripe was first asked under this key; with `asked`. */
  stripeKey?: string;
  askedAt?: Timestamp;
  /** "S 12 (2026)": the voucher that booked it leaving. */
  fortnoxReference?: string;
  checkAt: Timestamp | null;
}

/** One request, one payout. */
export const askedId = (uid: string, requestId: string): string => `m_${uid}_${requestId}`;

/** The next one may be reckoned: the ledger has this one, or Stripe has not and will not. */
export const isSettled = (payout: PlatformPayout): boolean =>
  isBooked(payout) || (payout.stripePayoutId === undefined && cameBack(payout.status));

export function newPlatformPayout(
  order: { amountMinor: Minor; currency: Currency; at: Timestamp } & Pick<PlatformPayout, 'origin'>,
): PlatformPayout {
  const { amountMinor, currency, origin, at } = order;
  return {
    amount: toMajor(amountMinor, currency),
    amountMinor,
    currency,
    origin,
    status: 'pending',
    stripeStatus: null,
    checkAt: at,
    checks: 0,
    createdAt: at,
    updatedAt: at,
  };
}

/** One that Stripe tells of and nobody asked us for. */
export const foundPlatformPayout = (facts: PayoutFacts, at: Timestamp): PlatformPayout =>
  newPlatformPayout({ amountMinor: minor(facts.amountMinor), currency: facts.currency, origin: 'stripe', at });
