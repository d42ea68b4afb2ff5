import { DateTime } from 'luxon';
import type { Terms } from '../../coaches/terms.ts';
import { Refusal } from '../../platform/errors.ts';
import { minor, type Currency, type Minor } from '../../platform/money.ts';
import type { Product } from '../products.ts';
import { hasEnded, type Subscription } from './subscriptions.ts';

/** What was decided when a subscription was accepted; a resumed run asks Stripe for exactly this. */
export interface SubscriptionPlan {
  productId: string;
  description: string;
  unitMinor: Minor;
  amountMinor: Minor;
  currency: Currency;
  interval: 'month' | 'year';
  quantity: number;
  vatRate: number;
  email?: string;
  customerName: string;
  paymentMethodId?: string;
  coach?: CoachOfPlan;
  trialDays?: number;
  contractId?: string;
  /** Unix seconds: the contract's end. */
  cancelAt?: number;
  /** Names this beginning: whoever begins the same one (another tab) gets the same subscription. */
  attempt: string;
  /** Begun before and not paid: it is gone on with, none is made. */
  openSubscriptionId?: string;
}

export interface CoachOfPlan {
  coachId: string;
  stripeAccountId: string;
  chargeModel: 'separate' | 'direct';
  terms: Terms;
}

/** A product that is subscribed to. Throws the Refusal a customer should see otherwise. */
export function requireSubscribable(product: Product): Product & { interval: 'month' | 'year' } {
  const { interval } = product;
  if (product.kind === 'subscription' && interval) return { ...product, interval };
  throw new Refusal(
    'failed-precondition',
    'not-a-subscription',
    `${product.name} is bought once. Call processPayment.`,
  );
}

/** On a tenant's own account Stripe takes a percentage of each invoice; a fixed part cannot be taken beside it. */
export function requirePercentOnly(name: string, coach: CoachOfPlan): CoachOfPlan {
  if (coach.chargeModel !== 'direct' || coach.terms.feeFixedMinor === 0) return coach;
  throw new Refusal(
    'failed-precondition',
    'fixed-fee-on-direct-subscription',
    `${name} cannot be subscribed to: its seller's terms have a fixed fee, which Stripe cannot take of a subscription.`,
  );
}

/** All of a customer's subscriptions, those that have ended too. */
export type History = readonly {
  id: string;
  subscription: Pick<Subscription, 'productId' | 'status' | 'quantity'>;
}[];

/**
 * Where a customer stands who wants one. What was begun and is not paid yet (another tab, a declined card) is gone on with,
 * so that nobody is charged for two. Throws the Refusal a customer should see.
 */
export function beginningOf(
  name: string,
  productId: string,
  history: History,
  quantity: number,
): Pick<SubscriptionPlan, 'attempt' | 'openSubscriptionId'> {
  const standing = history.find(({ subscription }) => subscription.productId === productId && !hasEnded(subscription));
  // Counts up with every subscription that came to be, so that no later beginning is named like an earlier one.
  const attempt = `${productId}:${history.length}`;
  if (!standing) return { attempt };
  if (standing.subscription.status !== 'incomplete')
    throw new Refusal('already-exists', 'already-subscribed', `You already have ${name}.`);
  if (standing.subscription.quantity !== quantity) {
    throw new Refusal(
      'failed-precondition',
      'begun-with-another-quantity',
      `You have begun to subscribe to ${standing.subscription.quantity} of ${name}. Pay that, or cancel it now first.`,
    );
  }
  return { attempt, openSubscriptionId: standing.id };
}

/** What the product says of trial and contract. `trialed`: this customer has had it before, and a trial is given once. */
export function conditionsOf(
  product: Pick<Product, 'trialDays' | 'contractId' | 'contractMonths'>,
  trialed: boolean,
  now: Date,
): Pick<SubscriptionPlan, 'trialDays' | 'contractId' | 'cancelAt'> {
  const trialDays = trialed ? 0 : (product.trialDays ?? 0);
  const { contractId, contractMonths } = product;
  // Counted from the hour's beginning, a little before Stripe's first period: no period begins after the contract's end,
  // and two tabs ask for the same.
  const starts = DateTime.fromJSDate(now, { zone: 'utc' }).startOf('hour').plus({ days: trialDays });
  return {
    ...(trialDays > 0 ? { trialDays } : {}),
    ...(contractId ? { contractId } : {}),
    ...(contractMonths ? { cancelAt: starts.plus({ months: contractMonths }).toSeconds() } : {}),
  };
}

export const priceOf = (product: Pick<Product, 'amountMinor'>, quantity: number): Minor =>
  minor(product.amountMinor * quantity);
