import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { requireAllowedAddress } from '../../platform/addresses.ts';
import type { Caller } from '../../platform/auth.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { toStripeCurrency } from '../../platform/money.ts';
import { askOrFind, classifyStripeError, keyStillKept } from '../../platform/stripe.ts';
import { ensureAccountCustomer } from '../account-customers.service.ts';
import { ensureCustomer } from '../customers.service.ts';
import { expired, refusalOf, type IntentCommand } from '../intents.service.ts';
import { intentParams, planPayment } from '../payments.service.ts';
import { tenantAccountOf } from '../payments.ts';
import { ensurePrice } from '../subscriptions/prices.service.ts';
import { createParams, planSubscription } from '../subscriptions/start.service.ts';
import type { SubscriptionPlan } from '../subscriptions/start.ts';
import {
  intentData,
  onceOf,
  subscriptionData,
  pageParams,
  paymentLine,
  type Checkout,
  type Mode,
  type PageWishes,
  type Purchase,
} from './checkout.ts';
import * as store from './checkout.store.ts';
import { closePages, giveWay, retrieveSession } from './pages.service.ts';

export interface CheckoutInput {
  mode: Mode;
  /** What is bought, exactly one of them; none in setup mode. */
  productId?: string | undefined;
  orderId?: string | undefined;
  sessionId?: string | undefined;
  /** May hold Stripe's placeholder {CHECKOUT_SESSION_ID} in its query. */
  successUrl: string;
  cancelUrl?: string | undefined;
  locale?: PageWishes['locale'] | undefined;
  /** Of a subscription; 1 unless told. Several goods are an order. */
  quantity?: number | undefined;
  allowPromotionCodes?: boolean | undefined;
  requestId: string;
}

export interface CheckoutReply {
  checkoutId: string;
  url: string;
}

export interface CheckoutPlan {
  purchase: Purchase;
  wishes: PageWishes;
  email?: string;
}

export interface Opened {
  checkoutId: string;
  stripeAccountId?: string;
}

export const createCheckoutCommand = 'createCheckoutSession';

/**
 * Opens a page at Stripe to pay, to subscribe or to save a card. Nothing is charged before the customer acts there; what
 * comes of it is told by the events.
 */
export async function createCheckoutSession(
  ctx: Context,
  caller: Caller,
  input: CheckoutInput,
): Promise<CheckoutReply> {
  const opened = await runCommand<CheckoutPlan, Opened>(ctx, {
    command: createCheckoutCommand,
    uid: caller.uid,
    requestId: input.requestId,
    input,
    plan: (tx) => planCheckout(ctx, tx, caller, input),
    execute: (plan, startedAt) =>
      executeCheckout(ctx, { uid: caller.uid, requestId: input.requestId, startedAt }, plan),
  });
  // The address carries a secret, so it is fetched and never stored.
  const session = await retrieveSession(ctx, opened.checkoutId, opened.stripeAccountId);
  if (session.url) return { checkoutId: opened.checkoutId, url: session.url };
  throw new Refusal(
    'failed-precondition',
    `checkout-${session.status ?? 'closed'}`,
    'This page was used or has expired. Open a new one with a new requestId.',
  );
}

async function planCheckout(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  input: CheckoutInput,
): Promise<CheckoutPlan> {
  const { allowedOrigins, automaticTax } = ctx.config;
  const { cancelUrl, locale = 'auto', allowPromotionCodes = false } = input;
  const successUrl = requireAllowedAddress('successUrl', input.successUrl, allowedOrigins);
  const cancel =
    cancelUrl === undefined ? {} : { cancelUrl: requireAllowedAddress('cancelUrl', cancelUrl, allowedOrigins) };
  const purchase = await planPurchase(ctx, tx, caller, input);
  if (allowPromotionCodes) requireDiscountable(purchase);
  return {
    purchase,
    wishes: {
      successUrl,
      ...cancel,
      locale,
      promotionCodes: allowPromotionCodes,
      automaticTax: automaticTax && input.mode !== 'setup',
    },
    ...(caller.email ? { email: caller.email } : {}),
  };
}

async function planPurchase(ctx: Context, tx: Transaction, caller: Caller, input: CheckoutInput): Promise<Purchase> {
  const { mode, productId, orderId, sessionId, requestId, quantity } = input;
  if (quantity !== undefined && mode !== 'subscription') {
    throw new Refusal('invalid-argument', 'quantity-of-subscriptions', 'A quantity is told of subscriptions only.');
  }
  if (mode === 'subscription') return { mode, subscription: await planBegun(ctx, tx, caller, input) };
  if (mode === 'payment') {
    const payment = await planPayment(ctx, tx, caller, { productId, orderId, sessionId, requestId });
    if (!payment.openPaymentId) return { mode, payment };
    throw new Refusal(
      'failed-precondition',
      'payment-under-way',
      'A payment of it was begun in the app. Finish it there.',
      { paymentId: payment.openPaymentId },
    );
  }
  if (productId !== undefined || orderId !== undefined || sessionId !== undefined) {
    throw new Refusal('invalid-argument', 'nothing-to-buy', 'In setup mode a card is saved and nothing is bought.');
  }
  return { mode: 'setup', currency: ctx.config.currency };
}

async function planBegun(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  { productId, orderId, sessionId, quantity }: CheckoutInput,
): Promise<SubscriptionPlan> {
  if (productId === undefined || orderId !== undefined || sessionId !== undefined) {
    throw new Refusal('invalid-argument', 'name-a-subscription', 'Name the productId that is subscribed to.');
  }
  const plan = await planSubscription(ctx, tx, caller, { productId, quantity });
  if (plan.openSubscriptionId !== undefined) {
    throw new Refusal(
      'failed-precondition',
      'subscription-begun',
      `You have begun to subscribe to ${plan.description}. Pay that with createSubscription, or cancel it now first.`,
    );
  }
  if (plan.cancelAt === undefined) return plan;
  throw new Refusal(
    'failed-precondition',
    'contract-not-on-page',
    `${plan.description} ends with its contract, which Stripe's page cannot be told. Call createSubscription.`,
  );
}

/**
 * What a code takes off is known only when the customer pays, after Stripe was told the platform's fee: all of it would go
 * from the coach's share. An order owes what it says. So codes are for the platform's own products.
 */
function requireDiscountable(purchase: Purchase): void {
  if (purchase.mode === 'payment' && purchase.payment.productId && !purchase.payment.coach) return;
  if (purchase.mode === 'subscription' && !purchase.subscription.coach) return;
  throw new Refusal(
    'failed-precondition',
    'promotion-codes-not-taken',
    'Promotion codes are taken for the platform’s own products only.',
  );
}

/** Asks Stripe for the page and writes its document; the customer gets the address only after that. */
export async function executeCheckout(ctx: Context, command: IntentCommand, plan: CheckoutPlan): Promise<Opened> {
  const { purchase, wishes } = plan;
  const stripeAccountId = sellerOf(purchase);
  const who = { uid: command.uid, ...(plan.email ? { email: plan.email } : {}) };
  const customer = await (stripeAccountId
    ? ensureAccountCustomer(ctx, who, stripeAccountId)
    : ensureCustomer(ctx, who));
  const once = onceOf(command.uid, purchase);
  if (once) await closePages(ctx, once, command.requestId);
  const params = {
    ...pageParams(purchase.mode, command, customer, wishes),
    ...(await purchaseParams(ctx, command, plan, customer)),
  };
  const session = await sessionOnce(ctx, command, params, stripeAccountId);
  const at = Timestamp.fromDate(ctx.clock.now());
  const checkout: Checkout = {
    id: session.id,
    userId: command.uid,
    requestId: command.requestId,
    stripeCustomerId: customer,
    purchase,
    promotionCodes: wishes.promotionCodes,
    status: 'open',
    paymentStatus: 'unpaid',
    createdAt: at,
    updatedAt: at,
    ...(stripeAccountId ? { stripeAccountId } : {}),
    ...(once ? { once } : {}),
  };
  await store.createIfMissing(ctx.db, checkout);
  if (purchase.mode === 'payment') await giveWay(ctx, purchase.payment, { id: session.id, stripeAccountId });
  return { checkoutId: session.id, ...(stripeAccountId ? { stripeAccountId } : {}) };
}

/** The connected account that sells for itself; the platform otherwise. */
function sellerOf(purchase: Purchase): string | undefined {
  if (purchase.mode === 'setup') return undefined;
  const { coach } = purchase.mode === 'payment' ? purchase.payment : purchase.subscription;
  return coach && tenantAccountOf(coach);
}

async function purchaseParams(
  ctx: Context,
  command: IntentCommand,
  { purchase, wishes }: CheckoutPlan,
  customer: string,
): Promise<Partial<Stripe.Checkout.SessionCreateParams>> {
  if (purchase.mode === 'setup') return { currency: toStripeCurrency(purchase.currency) };
  if (purchase.mode === 'subscription') {
    const plan = purchase.subscription;
    const price = await priceAtStripe(ctx, plan, sellerOf(purchase));
    return {
      line_items: [{ price, quantity: plan.quantity }],
      subscription_data: subscriptionData(createParams(command, plan, customer, price), command.requestId),
    };
  }
  return {
    line_items: paymentLine(purchase.payment, wishes.automaticTax),
    payment_intent_data: intentData(intentParams(command, purchase.payment, customer), command.requestId),
  };
}

async function priceAtStripe(
  ctx: Context,
  plan: SubscriptionPlan,
  stripeAccountId: string | undefined,
): Promise<string> {
  const { productId, description: name, unitMinor: amountMinor, currency, interval } = plan;
  const terms = { amountMinor, currency, interval, ...(stripeAccountId ? { stripeAccountId } : {}) };
  try {
    return await ensurePrice(ctx, { productId, name }, terms);
  } catch (error) {
    throw refusalOf(classifyStripeError(error));
  }
}

async function sessionOnce(
  ctx: Context,
  command: IntentCommand,
  params: Stripe.Checkout.SessionCreateParams,
  stripeAccount: string | undefined,
): Promise<Stripe.Checkout.Session> {
  const stripe = await ctx.stripe();
  const on = stripeAccount ? { stripeAccount } : {};
  const since = Math.floor(command.startedAt.getTime() / 1000) - 60;
  const find = async () => {
    const list = stripe.checkout.sessions.list(
      { customer: params.customer ?? '', created: { gte: since }, limit: 100 },
      on,
    );
    for await (const session of list) if (session.metadata?.requestId === command.requestId) return session;
    return undefined;
  };
  if (!keyStillKept(command.startedAt, ctx.clock.now())) return (await find()) ?? expired(command.requestId);
  const idempotencyKey = `cs:${command.uid}:${command.requestId}`;
  try {
    return await askOrFind(() => stripe.checkout.sessions.create(params, { idempotencyKey, ...on }), find);
  } catch (error) {
    throw refusalOf(classifyStripeError(error));
  }
}
