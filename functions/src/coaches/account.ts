import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { fromStripeCurrency, type Currency } from '../platform/money.ts';
import type { AccountStatus, Coach, PayoutDestination } from './coaches.ts';
import type { ChargeModel } from './terms.ts';

/** What of a Stripe account concerns us, as plain JSON: stored with the event that made us look. */
export interface AccountFacts {
  id: string;
  /** Our coach's uid, from the metadata we put there. */
  uid: string | null;
  chargesEnabled: boolean;
  payoutsEnabled: boolean;
  detailsSubmitted: boolean;
  /** Status of the capability `transfers`: without it no share can be sent. */
  transfers: string;
  /** Status of the capability `card_payments`. */
  cardPayments: string;
  requirementsDue: string[];
  /** Unix seconds. */
  deadline: number | null;
  disabledReason: string | null;
  /** The address Stripe writes to. */
  email: string | null;
  /** Bank accounts, and debit cards where Stripe pays out to them. */
  banks: (PayoutDestination & { currency: Currency; isDefault: boolean })[];
}

export function accountFacts(account: Stripe.Account): AccountFacts {
  const { requirements } = account;
  const due = [...(requirements?.currently_due ?? []), ...(requirements?.past_due ?? [])];
  return {
    id: account.id,
    uid: account.metadata?.uid ?? null,
    chargesEnabled: account.charges_enabled,
    payoutsEnabled: account.payouts_enabled,
    detailsSubmitted: account.details_submitted,
    transfers: account.capabilities?.transfers ?? 'inactive',
    cardPayments: account.capabilities?.card_payments ?? 'inactive',
    requirementsDue: [...new Set(due)].sort(),
    deadline: requirements?.current_deadline ?? null,
    disabledReason: requirements?.disabled_reason ?? null,
    email: account.email ?? null,
    banks: (account.external_accounts?.data ?? []).map((bank) => ({
      id: bank.id,
      kind: bank.object,
      currency: fromStripeCurrency(bank.currency ?? ''),
      isDefault: bank.default_for_currency === true,
      last4: bank.last4,
      status: bank.status ?? 'new',
    })),
  };
}

/** Stripe is looking, the coach has nothing to do (Stripe API reference: `requirements.disabled_reason`). */
const waitingForStripe = new Set(['requirements.pending_verification', 'under_review']);

/** One word for where the account stands. Every Stripe account has exactly one; `none` and `deauthorized` are ours to set. */
export function accountStatus(facts: AccountFacts): Exclude<AccountStatus, 'none' | 'deauthorized'> {
  if (facts.disabledReason?.startsWith('rejected.')) return 'rejected';
  if (!facts.detailsSubmitted) return 'pending';
  if (facts.transfers === 'active' && facts.payoutsEnabled) return 'active';
  if (facts.requirementsDue.length > 0) return 'restricted';
  const verifying = facts.disabledReason ? waitingForStripe.has(facts.disabledReason) : facts.transfers === 'pending';
  return verifying ? 'pending' : 'restricted';
}

/**
 * May customers pay for this coach's products now: a share must be able to arrive. Payouts to the bank may rest meanwhile
 * (a bank account that needs mending stops no sale). A tenant charging on its own account needs charges instead.
 */
export function acceptsPayments(facts: AccountFacts, chargeModel: ChargeModel): boolean {
  if (accountStatus(facts) === 'rejected') return false;
  return chargeModel === 'direct' ? facts.chargesEnabled : facts.transfers === 'active';
}

/** The coach as the account now is. A deauthorised account stays so whatever arrives late: only a person brings it back. */
export function withAccount(coach: Coach, facts: AccountFacts, at: Timestamp): Coach {
  if (coach.accountStatus === 'deauthorized') return { ...coach, updatedAt: at };
  const {
    disabledReason: _reason,
    payoutDestination: _destination,
    accountEmail: _email,
    requirementsDeadline: _deadline,
    ...kept
  } = coach;
  const banks = facts.banks.filter((bank) => bank.currency === coach.currency);
  const bank = banks.find((candidate) => candidate.isDefault) ?? (banks.length === 1 ? banks[0] : undefined);
  return {
    ...kept,
    stripeAccountId: facts.id,
    accountStatus: accountStatus(facts),
    chargesEnabled: facts.chargesEnabled,
    payoutsEnabled: facts.payoutsEnabled,
    detailsSubmitted: facts.detailsSubmitted,
    requirementsDue: facts.requirementsDue,
    takesCards: facts.cardPayments === 'active',
    takesTransfers: facts.transfers === 'active',
    ...(facts.deadline ? { requirementsDeadline: Timestamp.fromMillis(facts.deadline * 1000) } : {}),
    ...(facts.disabledReason ? { disabledReason: facts.disabledReason } : {}),
    ...(facts.email ? { accountEmail: facts.email } : {}),
    acceptsPayments: acceptsPayments(facts, coach.terms.chargeModel),
    ...(bank ? { payoutDestination: { id: bank.id, kind: bank.kind, last4: bank.last4, status: bank.status } } : {}),
    updatedAt: at,
  };
}

/**
 * The coach let us into the account at that time. Of this and a deauthorisation the later one holds, in whatever order
 * they are told; what Stripe says of the account is read next.
 */
export function connected(coach: Coach, authorizedAt: Timestamp): Coach {
  const lost = coach.deauthorizedAt?.toMillis() ?? 0;
  if (authorizedAt.toMillis() <= lost) return coach;
  const known = coach.authorizedAt?.toMillis() ?? 0;
  const next = authorizedAt.toMillis() > known ? { ...coach, authorizedAt } : coach;
  return next.accountStatus === 'deauthorized' ? { ...next, accountStatus: 'pending' } : next;
}

/** The coach has disconnected the account: we can neither see it nor send to it. */
export function withoutAccess(coach: Coach, since: Timestamp, at: Timestamp): Coach {
  const known = coach.deauthorizedAt;
  return {
    ...coach,
    accountStatus: 'deauthorized',
    deauthorizedAt: known && known.toMillis() > since.toMillis() ? known : since,
    chargesEnabled: false,
    payoutsEnabled: false,
    acceptsPayments: false,
    updatedAt: at,
  };
}
