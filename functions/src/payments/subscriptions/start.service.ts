import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { readCoach } from '../../coaches/coaches.service.ts';
import type { Caller } from '../../platform/auth.ts';
import type { Context } from '../../platform/context.ts';
import { runWrites } from '../../platform/write.ts';
import { askOrFind, classifyStripeError, idOf, keyRetentionMs, keyStillKept } from '../../platform/stripe.ts';
import { ensureAccountCustomer } from '../account-customers.service.ts';
import { ensureCustomer } from '../customers.service.ts';
import { expired, fetchIntent, refusalOf, type IntentCommand } from '../intents.service.ts';
import { onceOfSubscription } from '../checkout/checkout.ts';
import { closePages } from '../checkout/pages.service.ts';
import { requireNotAnothers } from '../methods/methods.service.ts';
import { confirmAndMerge } from '../payments.service.ts';
import { createPayment, readPayment } from '../payments.store.ts';
import { acceptedCurrencies, requireSellable, type Product } from '../products.ts';
import { readProduct } from '../products.store.ts';
import { shareOf } from '../shares.service.ts';
import { planSave, refreshSubscription } from './mirror.service.ts';
import { ensurePrice } from './prices.service.ts';
import { invoiceExpand, invoiceFactsOf, renewalPayment, type InvoiceFacts } from './renewals.ts';
import {
  beginningOf,
  conditionsOf,
  priceOf,
  requirePercentOnly,
  requireSubscribable,
  type CoachOfPlan,
  type SubscriptionPlan,
} from './start.ts';
import { factsOf, mirror, type Subscription } from './subscriptions.ts';
import * as store from './subscriptions.store.ts';

export interface Started {
  subscriptionId: string;
  /** The first payment; null while a trial costs nothing. */
  paymentId: string | null;
  /** A trial's, which saves the payment method; null where there is nothing to save. */
  setupIntentId: string | null;
}

export interface SubscriptionWish {
  productId: string;
  quantity?: number | undefined;
  paymentMethodId?: string | undefined;
}

export async function planSubscription(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  wish: SubscriptionWish,
): Promise<SubscriptionPlan> {
  const { productId, paymentMethodId } = wish;
  if (paymentMethodId) await requireNotAnothers(ctx, caller.uid, paymentMethodId);
  const sold = requireSellable(productId, await readProduct(ctx.db, productId, tx), acceptedCurrencies(ctx.config));
  const product = requireSubscribable(sold);
  const quantity = wish.quantity ?? 1;
  const history = await store.historyOf(ctx.db, tx, caller.uid);
  const beginning = beginningOf(product.name, productId, history, quantity);
  const trialed = history.some(({ subscription }) => subscription.productId === productId);
  const coach = product.coachId ? await coachOf(ctx, tx, product.coachId, product) : undefined;
  return {
    productId,
    description: product.name,
    unitMinor: product.amountMinor,
    amountMinor: priceOf(product, quantity),
    currency: product.currency,
    interval: product.interval,
    quantity,
    vatRate: product.vatRate,
    ...(caller.email ? { email: caller.email } : {}),
    customerName: caller.name ?? '',
    ...(wish.paymentMethodId ? { paymentMethodId: wish.paymentMethodId } : {}),
    ...(coach ? { coach } : {}),
    ...conditionsOf(product, trialed, ctx.clock.now()),
    ...beginning,
  };
}

async function coachOf(ctx: Context, tx: Transaction, coachId: string, product: Product): Promise<CoachOfPlan> {
  const share = await shareOf(ctx, tx, coachId, { ...product, sentLater: true });
  const coach = await readCoach(ctx, coachId, tx);
  if (!coach) throw new Error(`coaches/${coachId} is gone while it is read.`);
  const { stripeAccountId } = share;
  const chargeModel = share.chargeModel === 'direct' ? 'direct' : 'separate';
  return requirePercentOnly(product.name, { coachId, stripeAccountId, chargeModel, terms: coach.terms });
}

const accountOf = ({ coach }: SubscriptionPlan): string | undefined =>
  coach?.chargeModel === 'direct' ? coach.stripeAccountId : undefined;

/**
 * Makes the subscription, writes it with its first payment, and only then confirms. Every step is repeatable under the same
 * keys.
 */
export async function executeSubscription(
  ctx: Context,
  wanted: IntentCommand,
  plan: SubscriptionPlan,
): Promise<Started> {
  const stripeAccount = accountOf(plan);
  const command: IntentCommand = { ...wanted, attempt: plan.attempt, ...(stripeAccount ? { stripeAccount } : {}) };
  const who = { uid: command.uid, ...(plan.email ? { email: plan.email } : {}) };
  const customer = await (stripeAccount ? ensureAccountCustomer(ctx, who, stripeAccount) : ensureCustomer(ctx, who));
  const stripe = await ctx.stripe();
  if (!plan.openSubscriptionId) await closePages(ctx, onceOfSubscription(command.uid, plan.productId));
  const object = plan.openSubscriptionId
    ? await stripe.subscriptions.retrieve(plan.openSubscriptionId, {}, on(stripeAccount))
    : await subscriptionOnce(ctx, command, plan, customer);
  const invoice = await firstInvoice(ctx, object, stripeAccount);
  const setupIntentId = idOf(object.pending_setup_intent) ?? null;
  await saveIfMissing(ctx, command.uid, plan, object, invoice);
  const paymentId = invoice.payments[0]?.paymentId ?? null;
  if (plan.paymentMethodId) {
    if (paymentId) {
      const intent = await fetchIntent(ctx, paymentId, stripeAccount);
      await confirmAndMerge(ctx, command, intent, plan.paymentMethodId);
    } else if (!command.customerGone) {
      await useMethod(ctx, command, object.id, setupIntentId, plan.paymentMethodId);
    }
    await refreshSubscription(ctx, object.id, stripeAccount);
  }
  return { subscriptionId: object.id, paymentId, setupIntentId };
}

/** What Stripe is asked for a subscription; a page at Stripe is asked for the same. */
export function createParams(
  command: IntentCommand,
  plan: SubscriptionPlan,
  customer: string,
  price: string,
): Stripe.SubscriptionCreateParams {
  const { coach, trialDays, cancelAt } = plan;
  return {
    customer,
    items: [{ price, quantity: plan.quantity }],
    payment_behavior: 'default_incomplete',
    payment_settings: { save_default_payment_method: 'on_subscription' },
    ...(trialDays
      ? {
          trial_period_days: trialDays,
          trial_settings: { end_behavior: { missing_payment_method: 'cancel' as const } },
        }
      : {}),
    // The last period ends seconds early, with the contract; that is not to be paid back.
    ...(cancelAt ? { cancel_at: cancelAt, proration_behavior: 'none' as const } : {}),
    ...(coach?.chargeModel === 'direct' ? { application_fee_percent: coach.terms.feePercent } : {}),
    metadata: {
      userId: command.uid,
      productId: plan.productId,
      ...(command.attempt ? { attempt: command.attempt } : { requestId: command.requestId }),
      ...(coach ? { coachId: coach.coachId } : {}),
    },
    expand: ['latest_invoice.payments'],
  };
}

async function subscriptionOnce(
  ctx: Context,
  command: IntentCommand,
  plan: SubscriptionPlan,
  customer: string,
): Promise<Stripe.Subscription> {
  const stripe = await ctx.stripe();
  const find = () => findSubscription(stripe, command, plan.attempt, customer);
  if (!keyStillKept(command.startedAt, ctx.clock.now())) return (await find()) ?? expired(command.requestId);
  try {
    const { productId, description: name, unitMinor: amountMinor, currency, interval } = plan;
    const stripeAccountId = command.stripeAccount;
    const terms = { amountMinor, currency, interval, ...(stripeAccountId ? { stripeAccountId } : {}) };
    const params = createParams(command, plan, customer, await ensurePrice(ctx, { productId, name }, terms));
    const idempotencyKey = `sub:${command.uid}:${plan.attempt}`;
    return await askOrFind(
      () => stripe.subscriptions.create(params, { idempotencyKey, ...on(command.stripeAccount) }),
      find,
    );
  } catch (error) {
    const failure = classifyStripeError(error);
    // Another tab began the same a little otherwise: what it made is the attempt's.
    const begun = failure.code === 'StripeIdempotencyError' ? await find() : undefined;
    if (begun?.items.data[0]?.quantity === plan.quantity) return begun;
    throw refusalOf(failure);
  }
}

async function findSubscription(
  stripe: Stripe,
  command: IntentCommand,
  attempt: string,
  customer: string,
): Promise<Stripe.Subscription | undefined> {
  // Another tab may have begun it, as long ago as Stripe keeps a key.
  const since = Math.floor((command.startedAt.getTime() - keyRetentionMs) / 1000);
  const list = stripe.subscriptions.list(
    { customer, created: { gte: since }, status: 'all', limit: 100, expand: ['data.latest_invoice'] },
    on(command.stripeAccount),
  );
  for await (const found of list) {
    if (found.metadata.attempt === attempt && found.metadata.userId === command.uid) return found;
  }
  return undefined;
}

/** The first invoice and its PaymentIntent; a trial's invoice of nothing has none. */
export async function firstInvoice(
  ctx: Context,
  object: Stripe.Subscription,
  stripeAccount: string | undefined,
): Promise<InvoiceFacts> {
  const stripe = await ctx.stripe();
  const invoiceId = idOf(object.latest_invoice);
  if (!invoiceId) throw new Error(`Subscription ${object.id} came without a first invoice.`);
  return invoiceFactsOf(await stripe.invoices.retrieve(invoiceId, { expand: invoiceExpand }, on(stripeAccount)));
}

/** Subscription and first payment in one commit, so that whatever event comes finds both or none. */
export async function saveIfMissing(
  ctx: Context,
  userId: string,
  plan: SubscriptionPlan,
  object: Stripe.Subscription,
  invoice: InvoiceFacts,
): Promise<void> {
  const at = Timestamp.fromDate(ctx.clock.now());
  const subscription = subscriptionOf(userId, plan, object, at);
  await ctx.db.runTransaction(async (tx) => {
    const { subscription: known } = await store.readSubscription(ctx.db, object.id, tx);
    if (known) return;
    const [first] = invoice.payments;
    const of = {
      subscriptionId: object.id,
      subscription,
      product: { name: plan.description, vatRate: plan.vatRate },
      ...(plan.coach ? { coach: plan.coach } : {}),
    };
    const payment = first && renewalPayment(of, invoice, first, at);
    const there = payment && (await readPayment(ctx.db, payment.stripePaymentId, tx));
    const latest = payment ? { latestPaymentId: payment.stripePaymentId } : {};
    const save = await planSave(ctx, tx, object.id, { ...subscription, ...latest });
    if (payment && !there) createPayment(ctx.db, tx, payment);
    runWrites(tx, save);
  });
}

function subscriptionOf(
  userId: string,
  plan: SubscriptionPlan,
  object: Stripe.Subscription,
  at: Timestamp,
): Subscription {
  const { coach, contractId, cancelAt } = plan;
  const setupIntentId = idOf(object.pending_setup_intent);
  return {
    userId,
    productId: plan.productId,
    chargeModel: coach ? coach.chargeModel : 'own',
    ...(coach ? { coachId: coach.coachId } : {}),
    ...(coach?.chargeModel === 'direct' ? { stripeAccountId: coach.stripeAccountId } : {}),
    customerName: plan.customerName,
    ...(contractId ? { contractId } : {}),
    ...(cancelAt ? { contractEnd: Timestamp.fromMillis(cancelAt * 1000) } : {}),
    ...(setupIntentId ? { setupIntentId } : {}),
    ...mirror(factsOf(object)),
    createdAt: at,
    updatedAt: at,
  };
}

/** A trial's payment method: set up where Stripe wants that, else named. Nothing is charged by either. */
async function useMethod(
  ctx: Context,
  command: IntentCommand,
  subscriptionId: string,
  setupIntentId: string | null,
  paymentMethodId: string,
): Promise<void> {
  const stripe = await ctx.stripe();
  const options = { idempotencyKey: `sub:${command.uid}:${command.requestId}:method`, ...on(command.stripeAccount) };
  try {
    if (setupIntentId) {
      const { status } = await stripe.setupIntents.retrieve(setupIntentId, {}, on(command.stripeAccount));
      if (status === 'succeeded' || status === 'processing' || status === 'canceled') return;
      await stripe.setupIntents.confirm(setupIntentId, { payment_method: paymentMethodId }, options);
    } else {
      await stripe.subscriptions.update(subscriptionId, { default_payment_method: paymentMethodId }, options);
    }
  } catch (error) {
    throw refusalOf(classifyStripeError(error));
  }
}

/** The client secret of what the client is to confirm; null where there is nothing. Fetched, never stored. */
export async function secretOf(
  ctx: Context,
  { paymentId, setupIntentId }: Started,
  stripeAccount: string | undefined,
): Promise<string | null> {
  if (paymentId) return (await fetchIntent(ctx, paymentId, stripeAccount)).client_secret;
  if (!setupIntentId) return null;
  const stripe = await ctx.stripe();
  return (await stripe.setupIntents.retrieve(setupIntentId, {}, on(stripeAccount))).client_secret;
}

const on = (stripeAccount: string | undefined): { stripeAccount?: string } => (stripeAccount ? { stripeAccount } : {});
