import { isDeepStrictEqual } from 'node:util';
import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { fromStripeCurrency, minor, toMajor, type Currency, type Minor } from '../../platform/money.ts';
import { expanded, idOf } from '../../platform/stripe.ts';

/**
 * `subscriptions/{stripeSubscriptionId}`: Stripe's own status words; the object goes back and forth, so it is mirrored, not
 * merged. What is not mirrored was decided when it was bought.
 */
export interface Subscription {
  userId: string;
  productId: string;
  quantity: number;
  status: string;
  /** What a whole period costs, all of the quantity. */
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  interval: 'month' | 'year';
  /** A coach's subscription: charged on the platform and shared by transfer, or on the tenant's own account. */
  chargeModel: 'own' | 'separate' | 'direct';
  coachId?: string;
  /** `direct`: the connected account the subscription is on. */
  stripeAccountId?: string;
  customerName: string;
  currentPeriodEnd?: Timestamp;
  /** When Stripe tries to charge next: a renewal, a trial's end, or a late payment's next attempt. */
  nextChargeAt?: Timestamp;
  /** Ends then: at a contract's end, or since it was cancelled. */
  cancelAt?: Timestamp;
  cancelAtPeriodEnd?: boolean;
  trialEnd?: Timestamp;
  contractId?: string;
  contractEnd?: Timestamp;
  /** The SetupIntent of a trial, and what it set up, until that pays for the subscription. */
  setupIntentId?: string;
  setupMethodId?: string;
  latestPaymentId?: string;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** Statuses in which a second subscription to the same product would charge the customer twice. */
export const standingStatuses = ['incomplete', 'trialing', 'active', 'past_due', 'unpaid', 'paused'];

/** It is over and does not come back. */
export const hasEnded = ({ status }: Pick<Subscription, 'status'>): boolean => !standingStatuses.includes(status);

/** What we look at of Stripe's object, as plain JSON, so that it can be kept with the event that asked for it. */
export interface SubscriptionFacts {
  status: string;
  quantity: number;
  unitMinor: number;
  currency: string;
  interval: string;
  /** From our own price: which product it sells. */
  productId: string | null;
  /** Unix seconds, all of these. */
  currentPeriodEnd: number | null;
  cancelAt: number | null;
  trialEnd: number | null;
  cancelAtPeriodEnd: boolean;
  /** Stripe's word for why it ended or will. */
  endReason: string | null;
  /** Of each charge on a tenant's account, what Stripe takes for the platform. */
  feePercent: number | null;
  latestInvoice: { id: string; nextAttempt: number | null; paymentId: string | null } | null;
}

/** Asked for with the subscription, so that one call tells all. */
export const subscriptionExpand = ['latest_invoice.payments'];

export function factsOf(object: Stripe.Subscription): SubscriptionFacts {
  const [item] = object.items.data;
  if (!item) throw new Error(`Subscription ${object.id} has no item.`);
  const invoice = expanded<Stripe.Invoice>(object.latest_invoice);
  return {
    status: object.status,
    quantity: item.quantity ?? 1,
    unitMinor: item.price.unit_amount ?? 0,
    currency: item.price.currency,
    interval: item.price.recurring?.interval ?? 'month',
    productId: item.price.metadata.productId ?? null,
    currentPeriodEnd: item.current_period_end,
    cancelAt: object.cancel_at,
    trialEnd: object.trial_end,
    cancelAtPeriodEnd: object.cancel_at_period_end,
    endReason: object.cancellation_details?.reason ?? null,
    feePercent: object.application_fee_percent,
    latestInvoice: invoice
      ? { id: invoice.id, nextAttempt: invoice.next_payment_attempt, paymentId: latestIntentOf(invoice) }
      : null,
  };
}

const latestIntentOf = (invoice: Stripe.Invoice): string | null =>
  idOf(invoice.payments?.data.find(({ payment }) => payment.payment_intent)?.payment.payment_intent) ?? null;

type Mirrored = Pick<Subscription, 'quantity' | 'status' | 'amount' | 'amountMinor' | 'currency' | 'interval'> &
  Partial<
    Pick<
      Subscription,
      'currentPeriodEnd' | 'nextChargeAt' | 'cancelAt' | 'cancelAtPeriodEnd' | 'trialEnd' | 'latestPaymentId'
    >
  >;

/** What our document mirrors of Stripe's object. */
export function mirror(facts: SubscriptionFacts): Mirrored {
  const at = (seconds: number | null) => (seconds === null ? undefined : Timestamp.fromMillis(seconds * 1000));
  const currency = fromStripeCurrency(facts.currency);
  const amountMinor = minor(facts.unitMinor * facts.quantity);
  const times = {
    currentPeriodEnd: at(facts.currentPeriodEnd),
    nextChargeAt: at(nextCharge(facts)),
    cancelAt: at(facts.cancelAt),
    trialEnd: at(facts.trialEnd),
  };
  return {
    status: facts.status,
    quantity: facts.quantity,
    amount: toMajor(amountMinor, currency),
    amountMinor,
    currency,
    interval: facts.interval === 'year' ? 'year' : 'month',
    ...Object.fromEntries(Object.entries(times).filter(([, time]) => time !== undefined)),
    ...(facts.cancelAtPeriodEnd ? { cancelAtPeriodEnd: true } : {}),
    ...(facts.latestInvoice?.paymentId ? { latestPaymentId: facts.latestInvoice.paymentId } : {}),
  };
}

function nextCharge(facts: SubscriptionFacts): number | null {
  const { status, cancelAt, currentPeriodEnd: end, latestInvoice } = facts;
  if (status === 'past_due') return latestInvoice?.nextAttempt ?? null;
  if (status !== 'active' && status !== 'trialing') return null;
  return end !== null && cancelAt !== null && cancelAt <= end ? null : end;
}

/**
 * Our document after a look at Stripe's; itself where nothing is new. What Stripe no longer says (a cancellation taken
 * back) goes from ours too.
 */
export function mirrored(
  before: Subscription,
  facts: SubscriptionFacts,
  productId: string,
  at: Timestamp,
): Subscription {
  const { cancelAt: _c, cancelAtPeriodEnd: _p, trialEnd: _t, currentPeriodEnd: _e, nextChargeAt: _n, ...rest } = before;
  const told: Subscription = { ...rest, ...mirror(facts), productId };
  const next = told.status === 'trialing' ? told : withoutSetup(told);
  return isDeepStrictEqual(next, before) ? before : { ...next, updatedAt: at };
}

export function withoutSetup({ setupIntentId: _i, setupMethodId: _m, ...rest }: Subscription): Subscription {
  return rest;
}
