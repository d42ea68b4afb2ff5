import type { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { minor, toStripeCurrency, type Currency } from '../../platform/money.ts';
import { idOf } from '../../platform/stripe.ts';
import type { Payment } from '../payments.ts';
import type { PaymentPlan } from '../plans.ts';
import type { SubscriptionPlan } from '../subscriptions/start.ts';

export type Mode = 'payment' | 'subscription' | 'setup';
/** Stripe's own word; a page that is complete or expired never opens again. */
export type CheckoutStatus = 'open' | 'complete' | 'expired';

/** How the page looks and where it leads; frozen with what is bought. */
export interface PageWishes {
  successUrl: string;
  cancelUrl?: string;
  locale: Stripe.Checkout.SessionCreateParams.Locale;
  promotionCodes: boolean;
  automaticTax: boolean;
}

/** What is bought on a page; frozen when the command was accepted. */
export type Purchase =
  | { mode: 'payment'; payment: PaymentPlan }
  | { mode: 'subscription'; subscription: SubscriptionPlan }
  | { mode: 'setup'; currency: Currency };

/** `checkouts/{cs_…}`: our document of a page at Stripe. What is paid there is booked by this, never by metadata alone. */
export interface Checkout {
  id: string;
  userId: string;
  requestId: string;
  stripeCustomerId: string;
  /** The connected account that charges for itself (charge model `direct`); absent on the platform. */
  stripeAccountId?: string;
  purchase: Purchase;
  /** Names what is bought once only (an order, a session, a subscription): this page is closed before it is bought in another way. */
  once?: string;
  promotionCodes: boolean;
  status: CheckoutStatus;
  /** Stripe's: `unpaid`, `paid`, `no_payment_required`. */
  paymentStatus: string;
  paymentId?: string;
  subscriptionId?: string;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

type Params = Stripe.Checkout.SessionCreateParams;

export const onceOfOrder = (orderId: string): string => `order:${orderId}`;
export const onceOfSession = (sessionId: string): string => `session:${sessionId}`;
export const onceOfSubscription = (uid: string, productId: string): string => `subscription:${uid}:${productId}`;

/** Undefined for what may be bought any number of times. */
export function onceOf(uid: string, purchase: Purchase): string | undefined {
  if (purchase.mode === 'subscription') return onceOfSubscription(uid, purchase.subscription.productId);
  return purchase.mode === 'payment' ? onceOfPayment(purchase.payment) : undefined;
}

export function onceOfPayment({ orderId, sessionId }: Pick<PaymentPlan, 'orderId' | 'sessionId'>): string | undefined {
  if (orderId) return onceOfOrder(orderId);
  return sessionId ? onceOfSession(sessionId) : undefined;
}

/** What every page is asked for. `metadata` only says whose page it is to a person who looks at it. */
export function pageParams(
  mode: Mode,
  command: { uid: string; requestId: string },
  customer: string,
  wishes: PageWishes,
): Params {
  return {
    mode,
    customer,
    client_reference_id: command.uid,
    metadata: { userId: command.uid, requestId: command.requestId },
    success_url: wishes.successUrl,
    ...(wishes.cancelUrl ? { cancel_url: wishes.cancelUrl } : {}),
    locale: wishes.locale,
    ...(wishes.promotionCodes ? { allow_promotion_codes: true } : {}),
    // Stripe needs an address to tell the tax; the customer types it on the page.
    ...(wishes.automaticTax ? { automatic_tax: { enabled: true }, customer_update: { address: 'auto' } } : {}),
  };
}

/** One line for the whole: what an order is made of stands in the order. Catalogue prices have their VAT inside. */
export function paymentLine(plan: PaymentPlan, automaticTax: boolean): NonNullable<Params['line_items']> {
  const price_data = {
    currency: toStripeCurrency(plan.currency),
    unit_amount: plan.amountMinor,
    product_data: { name: plan.description },
    ...(automaticTax ? { tax_behavior: 'inclusive' as const } : {}),
  };
  return [{ quantity: 1, price_data }];
}

type IntentData = NonNullable<Params['payment_intent_data']>;

/** Of what a PaymentIntent would be made with, what a page takes for the one it will make. */
export function intentData(params: Stripe.PaymentIntentCreateParams, requestId: string): IntentData {
  const { description, receipt_email, transfer_data, application_fee_amount, transfer_group, metadata } = params;
  const keep = params.setup_future_usage === 'off_session' ? { setup_future_usage: 'off_session' as const } : {};
  return {
    ...(description ? { description } : {}),
    ...(receipt_email ? { receipt_email } : {}),
    ...(transfer_data ? { transfer_data } : {}),
    ...(application_fee_amount === undefined ? {} : { application_fee_amount }),
    ...(transfer_group ? { transfer_group } : {}),
    ...keep,
    metadata: { ...metadata, [checkoutKey]: requestId },
  };
}

type SubscriptionData = NonNullable<Params['subscription_data']>;

/** Of what a subscription would be made with, what a page takes for the one it will begin. Even a trial's page asks for a card. */
export function subscriptionData(params: Stripe.SubscriptionCreateParams, requestId: string): SubscriptionData {
  const { trial_period_days, application_fee_percent, metadata } = params;
  return {
    ...(trial_period_days === undefined ? {} : { trial_period_days }),
    ...(typeof application_fee_percent === 'number' ? { application_fee_percent } : {}),
    metadata: { ...metadata, [checkoutKey]: requestId },
  };
}

/** Where a subscription that names a page is not what that page sold; undefined when it is. */
export function unlikePlan(
  checkout: Checkout,
  plan: SubscriptionPlan,
  subscription: Stripe.Subscription,
  account: string | undefined,
): string | undefined {
  const [item, ...others] = subscription.items.data;
  const pairs: [what: string, ours: unknown, theirs: unknown][] = [
    ['account', checkout.stripeAccountId, account],
    ['customer', checkout.stripeCustomerId, idOf(subscription.customer)],
    ['another subscription', checkout.subscriptionId ?? subscription.id, subscription.id],
    ['items', 0, others.length],
    ['quantity', plan.quantity, item?.quantity],
    ['price', plan.unitMinor, item?.price.unit_amount],
    ['currency', toStripeCurrency(plan.currency), item?.price.currency],
    ['interval', plan.interval, item?.price.recurring?.interval],
  ];
  return differing(pairs);
}

/** Marks PaymentIntents and subscriptions that a page has made. */
export const checkoutKey = 'checkoutRequestId';

/**
 * What is owed for a page now: with a promotion code what Stripe's page says, of our own products only, so that no share is
 * concerned; otherwise what was planned, so that any other amount is found out when it is compared with what was charged.
 */
export function owedOn(checkout: Pick<Checkout, 'promotionCodes'>, plan: PaymentPlan, session: Session): PaymentPlan {
  const total = session.amount_total ?? plan.amountMinor;
  if (!checkout.promotionCodes || total > plan.amountMinor) return plan;
  return { ...plan, amountMinor: minor(total) };
}

type Session = Stripe.Checkout.Session;

function differing(pairs: readonly [what: string, ours: unknown, theirs: unknown][]): string | undefined {
  const wrong = pairs.filter(([, ours, theirs]) => ours !== theirs);
  if (wrong.length === 0) return undefined;
  return wrong.map(([what, ours, theirs]) => `${what}: ours ${String(ours)}, Stripe's ${String(theirs)}`).join('; ');
}

/** Where Stripe's page is not the one we know; undefined when it is. */
export function strangeness(checkout: Checkout, session: Session): string | undefined {
  const pairs: [what: string, ours: unknown, theirs: unknown][] = [
    ['customer', checkout.stripeCustomerId, idOf(session.customer)],
    ['mode', checkout.purchase.mode, session.mode],
    ['client_reference_id', checkout.userId, session.client_reference_id],
    ['metadata.userId', checkout.userId, session.metadata?.userId],
    ['metadata.requestId', checkout.requestId, session.metadata?.requestId],
  ];
  return differing(pairs);
}

/**
 * Whether a PaymentIntent that says it is a page's is. `unclear`: only the amount is another, and a promotion code may have
 * come between; the page tells when it is complete.
 */
export function belongsTo(
  checkout: Checkout,
  session: Session,
  intent: Pick<Stripe.PaymentIntent, 'id' | 'customer' | 'amount' | 'currency'>,
): 'yes' | 'no' | 'unclear' {
  const named = idOf(session.payment_intent) ?? checkout.paymentId;
  if (named !== undefined && named !== intent.id) return 'no';
  if (idOf(intent.customer) !== checkout.stripeCustomerId || intent.currency !== session.currency) return 'no';
  return intent.amount === session.amount_total ? 'yes' : 'unclear';
}

/** Merges what a look at Stripe's page says: whatever comes last or twice, what is over stays over and what is paid stays paid. */
export function movedBy(checkout: Checkout, session: Session): Pick<Checkout, 'status' | 'paymentStatus'> {
  return {
    status: checkout.status === 'open' ? ((session.status ?? 'open') as CheckoutStatus) : checkout.status,
    paymentStatus: checkout.paymentStatus === 'unpaid' ? session.payment_status : checkout.paymentStatus,
  };
}

/** The payment that a page's PaymentIntent is; it moves on by its own events. */
export const asPending = (payment: Payment, metadata: Record<string, string>): Payment => ({
  ...payment,
  status: 'pending',
  // As it was asked for: what Stripe's object says is compared with this before anything is marked paid.
  metadata,
});
