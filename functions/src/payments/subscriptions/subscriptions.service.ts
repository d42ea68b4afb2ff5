import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Caller } from '../../platform/auth.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { minor, toMajor, toStripeCurrency, type Currency, type Minor } from '../../platform/money.ts';
import { askOrFind, classifyStripeError, idOf, keyStillKept } from '../../platform/stripe.ts';
import { ensureCustomer } from '../customers.service.ts';
import { expired, fetchIntent, refusalOf, type IntentCommand } from '../intents.service.ts';
import { confirmAndMerge, createIfMissing, newPayment } from '../payments.service.ts';
import { requireSellable, type Product } from '../products.ts';
import { readProduct, savePrice } from '../products.store.ts';
import { mirror } from './subscriptions.ts';
import * as store from './subscriptions.store.ts';

export interface CreateSubscriptionInput {
  productId: string;
  requestId: string;
  quantity?: number | undefined;
  /** Pays the first invoice at once; without it the client confirms with the client secret. */
  paymentMethodId?: string | undefined;
}

export interface CreateSubscriptionReply {
  subscriptionId: string;
  paymentId: string;
  clientSecret: string | null;
  publishableKey: string;
  status: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
}

export interface SubscriptionPlan {
  productId: string;
  description: string;
  amountMinor: Minor;
  currency: Currency;
  interval: 'month' | 'year';
  quantity: number;
  vatRate: number;
  email?: string;
  customerName: string;
  paymentMethodId?: string;
}

interface Started {
  subscriptionId: string;
  paymentId: string;
}

export const createSubscriptionCommand = 'createSubscription';

/** Starts a subscription to one of the platform's own products; its first payment is made by Stripe's first invoice. */
export async function createSubscription(
  ctx: Context,
  caller: Caller,
  input: CreateSubscriptionInput,
): Promise<CreateSubscriptionReply> {
  const started = await runCommand<SubscriptionPlan, Started & { amountMinor: Minor; currency: Currency }>(ctx, {
    command: createSubscriptionCommand,
    uid: caller.uid,
    requestId: input.requestId,
    input,
    plan: (tx) => planSubscription(ctx, tx, caller, input),
    execute: async (accepted, startedAt) => {
      const result = await executeSubscription(
        ctx,
        { uid: caller.uid, requestId: input.requestId, startedAt },
        accepted,
      );
      return { ...result, amountMinor: accepted.amountMinor, currency: accepted.currency };
    },
  });
  const [{ subscription }, intent] = await Promise.all([
    store.readSubscription(ctx.db, started.subscriptionId),
    fetchIntent(ctx, started.paymentId),
  ]);
  return {
    subscriptionId: started.subscriptionId,
    paymentId: started.paymentId,
    clientSecret: intent.client_secret,
    publishableKey: ctx.config.stripePublishableKey,
    status: subscription?.status ?? 'incomplete',
    amount: toMajor(started.amountMinor, started.currency),
    amountMinor: started.amountMinor,
    currency: started.currency,
  };
}

async function planSubscription(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  input: CreateSubscriptionInput,
): Promise<SubscriptionPlan> {
  const product = requireSellable(input.productId, await readProduct(ctx.db, input.productId, tx), [
    ctx.config.currency,
  ]);
  if (product.kind !== 'subscription' || !product.interval) {
    throw new Refusal(
      'failed-precondition',
      'not-a-subscription',
      `${product.name} is bought once. Call processPayment.`,
    );
  }
  if (product.coachId) {
    throw new Refusal(
      'unimplemented',
      'coach-subscriptions-not-sold-yet',
      `${product.name} belongs to a coach; only the platform's own subscriptions are sold yet.`,
    );
  }
  if (await store.standingSubscription(ctx.db, tx, caller.uid, input.productId)) {
    throw new Refusal('already-exists', 'already-subscribed', `You already have ${product.name}.`);
  }
  const quantity = input.quantity ?? 1;
  return {
    productId: input.productId,
    description: product.name,
    amountMinor: minor(product.amountMinor * quantity),
    currency: product.currency,
    interval: product.interval,
    quantity,
    vatRate: product.vatRate,
    ...(caller.email ? { email: caller.email } : {}),
    customerName: caller.name ?? '',
    ...(input.paymentMethodId ? { paymentMethodId: input.paymentMethodId } : {}),
  };
}

export async function executeSubscription(
  ctx: Context,
  command: IntentCommand,
  plan: SubscriptionPlan,
): Promise<Started> {
  const customer = await ensureCustomer(ctx, { uid: command.uid, ...(plan.email ? { email: plan.email } : {}) });
  const object = await subscriptionOnce(ctx, command, plan, customer);
  const paymentId = await firstPaymentId(ctx, object);
  const intent = await fetchIntent(ctx, paymentId);
  await createIfMissing(ctx, { ...newPayment(ctx, command, plan, intent), subscriptionId: object.id });
  await saveIfMissing(ctx, command.uid, plan.productId, object, paymentId);
  if (plan.paymentMethodId) await confirmAndMerge(ctx, command, intent, plan.paymentMethodId);
  return { subscriptionId: object.id, paymentId };
}

async function subscriptionOnce(
  ctx: Context,
  command: IntentCommand,
  plan: SubscriptionPlan,
  customer: string,
): Promise<Stripe.Subscription> {
  const stripe = await ctx.stripe();
  if (!keyStillKept(command.startedAt, ctx.clock.now())) {
    return (await findSubscription(stripe, command, customer)) ?? expired(command.requestId);
  }
  try {
    const price = await ensurePrice(ctx, plan);
    const params: Stripe.SubscriptionCreateParams = {
      customer,
      items: [{ price, quantity: plan.quantity }],
      payment_behavior: 'default_incomplete',
      payment_settings: { save_default_payment_method: 'on_subscription' },
      metadata: { userId: command.uid, productId: plan.productId, requestId: command.requestId },
    };
    return await askOrFind(
      () => stripe.subscriptions.create(params, { idempotencyKey: `sub:${command.uid}:${command.requestId}` }),
      () => findSubscription(stripe, command, customer),
    );
  } catch (error) {
    throw refusalOf(classifyStripeError(error));
  }
}

async function findSubscription(
  stripe: Stripe,
  command: IntentCommand,
  customer: string,
): Promise<Stripe.Subscription | undefined> {
  const since = Math.floor(command.startedAt.getTime() / 1000) - 60;
  const list = stripe.subscriptions.list({ customer, created: { gte: since }, status: 'all', limit: 100 });
  for await (const found of list) {
    if (found.metadata.requestId === command.requestId) return found;
  }
  return undefined;
}

/** The PaymentIntent of the first invoice. */
async function firstPaymentId(ctx: Context, object: Stripe.Subscription): Promise<string> {
  const stripe = await ctx.stripe();
  const invoiceId = idOf(object.latest_invoice);
  if (!invoiceId) throw new Error(`Subscription ${object.id} came without a first invoice.`);
  const invoice = await stripe.invoices.retrieve(invoiceId, { expand: ['payments'] });
  const paymentId = idOf(invoice.payments?.data[0]?.payment.payment_intent);
  if (!paymentId) throw new Error(`Invoice ${invoiceId} of subscription ${object.id} has no PaymentIntent.`);
  return paymentId;
}

async function saveIfMissing(
  ctx: Context,
  userId: string,
  productId: string,
  object: Stripe.Subscription,
  latestPaymentId: string,
): Promise<void> {
  const at = Timestamp.fromDate(ctx.clock.now());
  await ctx.db.runTransaction(async (tx) => {
    const { subscription } = await store.readSubscription(ctx.db, object.id, tx);
    if (subscription) return;
    store.writeSubscription(ctx.db, tx, object.id, {
      userId,
      productId,
      ...mirror(object),
      latestPaymentId,
      createdAt: at,
      updatedAt: at,
    });
  });
}

/** The Stripe price for exactly the product's amount and interval; made once, found again by its lookup key. */
async function ensurePrice(ctx: Context, plan: SubscriptionPlan): Promise<string> {
  const product = await readProduct(ctx.db, plan.productId);
  const unitMinor = minor(plan.amountMinor / plan.quantity);
  const { currency, interval } = plan;
  if (product?.stripePrice && samePrice(product.stripePrice, { amountMinor: unitMinor, currency, interval }))
    return product.stripePrice.id;
  const stripe = await ctx.stripe();
  const lookupKey = `${plan.productId}_${unitMinor}_${currency}_${interval}`;
  const found = await stripe.prices.list({ lookup_keys: [lookupKey], limit: 1 });
  const price =
    found.data[0] ??
    (await stripe.prices.create(
      {
        currency: toStripeCurrency(currency),
        unit_amount: unitMinor,
        recurring: { interval },
        lookup_key: lookupKey,
        product_data: { name: plan.description, metadata: { productId: plan.productId } },
        metadata: { productId: plan.productId },
      },
      { idempotencyKey: `price:${lookupKey}` },
    ));
  await savePrice(ctx.db, plan.productId, { id: price.id, amountMinor: unitMinor, currency, interval });
  return price.id;
}

type PriceTerms = Pick<NonNullable<Product['stripePrice']>, 'amountMinor' | 'currency' | 'interval'>;

const samePrice = (a: PriceTerms, b: PriceTerms): boolean =>
  a.amountMinor === b.amountMinor && a.currency === b.currency && a.interval === b.interval;
