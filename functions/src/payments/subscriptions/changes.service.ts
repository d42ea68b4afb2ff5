import type { Timestamp, Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Caller } from '../../platform/auth.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { minor, toMajor, type Currency, type Minor } from '../../platform/money.ts';
import { acceptedCurrencies, requireSellable } from '../products.ts';
import { readProduct } from '../products.store.ts';
import { cancelChange, requireChangeable, requireOwn, resumeChange, type ChangePlan } from './changes.ts';
import { executeChange, itemChange } from './change-calls.service.ts';
import { refreshSubscription } from './mirror.service.ts';
import type { Subscription } from './subscriptions.ts';
import * as store from './subscriptions.store.ts';

export interface UpdateSubscriptionInput {
  subscriptionId: string;
  requestId: string;
  productId?: string | undefined;
  quantity?: number | undefined;
  /** Only tells what it would cost now; nothing is changed, and the requestId is not used up. */
  preview?: boolean | undefined;
}

export interface CancelSubscriptionInput {
  subscriptionId: string;
  requestId: string;
  when: 'now' | 'period_end';
}

export interface ResumeSubscriptionInput {
  subscriptionId: string;
  requestId: string;
}

/** The subscription as it is after the command. Times are ISO 8601, null where there is none. */
export interface SubscriptionReply {
  subscriptionId: string;
  productId: string;
  quantity: number;
  status: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  currentPeriodEnd: string | null;
  nextChargeAt: string | null;
  cancelAt: string | null;
  /** Of a preview: what would be charged at once; less than nothing is credited to later invoices. */
  dueNow?: number;
  dueNowMinor?: Minor;
}

export const updateSubscriptionCommand = 'updateSubscription';
export const cancelSubscriptionCommand = 'cancelSubscription';
export const resumeSubscriptionCommand = 'resumeSubscription';

/** Changes plan and quantity. The difference for the rest of the period is charged (or credited) at once, or nothing changes. */
export async function updateSubscription(
  ctx: Context,
  caller: Caller,
  input: UpdateSubscriptionInput,
): Promise<SubscriptionReply> {
  const plan = (tx: Transaction) => planUpdate(ctx, tx, caller, input);
  if (input.preview) return preview(ctx, input.subscriptionId, await ctx.db.runTransaction(plan));
  return change(ctx, caller, updateSubscriptionCommand, input, plan);
}

/** Ends it now, without money back, or when what is paid is used up. */
export function cancelSubscription(
  ctx: Context,
  caller: Caller,
  input: CancelSubscriptionInput,
): Promise<SubscriptionReply> {
  const { subscriptionId, when } = input;
  return change(ctx, caller, cancelSubscriptionCommand, input, async (tx): Promise<ChangePlan> => {
    const subscription = await own(ctx, tx, caller, subscriptionId);
    const base = baseOf(subscriptionId, subscription);
    return cancelChange(subscription, when) === 'none'
      ? { ...base, change: 'none' }
      : { ...base, change: 'cancel', when };
  });
}

/** Takes a cancellation at the period's end back. */
export function resumeSubscription(
  ctx: Context,
  caller: Caller,
  input: ResumeSubscriptionInput,
): Promise<SubscriptionReply> {
  return change(ctx, caller, resumeSubscriptionCommand, input, async (tx): Promise<ChangePlan> => {
    const subscription = await own(ctx, tx, caller, input.subscriptionId);
    const base = baseOf(input.subscriptionId, subscription);
    if (resumeChange(subscription) === 'none') return { ...base, change: 'none' };
    const { contractEnd } = subscription;
    return { ...base, change: 'resume', ...(contractEnd ? { contractEnd } : {}) };
  });
}

function change(
  ctx: Context,
  caller: Caller,
  command: string,
  input: { subscriptionId: string; requestId: string },
  plan: (tx: Transaction) => Promise<ChangePlan>,
): Promise<SubscriptionReply> {
  const { requestId } = input;
  return runCommand<ChangePlan, SubscriptionReply>(ctx, {
    command,
    uid: caller.uid,
    requestId,
    input,
    plan,
    execute: (accepted, startedAt) => finishChange(ctx, { uid: caller.uid, requestId, startedAt }, accepted),
  });
}

/** Asks Stripe, and looks what is there then. Run again after a crash, by the customer or the sweep. */
export async function finishChange(
  ctx: Context,
  command: Parameters<typeof executeChange>[1],
  plan: ChangePlan,
): Promise<SubscriptionReply> {
  if (plan.change !== 'none') await executeChange(ctx, command, plan);
  return replyOf(plan.subscriptionId, await refreshSubscription(ctx, plan.subscriptionId, plan.stripeAccountId));
}

async function own(ctx: Context, tx: Transaction, caller: Caller, id: string): Promise<Subscription> {
  return requireOwn(id, (await store.readSubscription(ctx.db, id, tx)).subscription, caller.uid);
}

const baseOf = (subscriptionId: string, { stripeAccountId }: Subscription) => ({
  subscriptionId,
  ...(stripeAccountId ? { stripeAccountId } : {}),
});

async function planUpdate(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  input: UpdateSubscriptionInput,
): Promise<Extract<ChangePlan, { change: 'update' }>> {
  const subscription = await own(ctx, tx, caller, input.subscriptionId);
  const productId = input.productId ?? subscription.productId;
  const quantity = input.quantity ?? subscription.quantity;
  const product = requireSellable(productId, await readProduct(ctx.db, productId, tx), acceptedCurrencies(ctx.config));
  requireChangeable(subscription, { product, productId, quantity });
  const another = productId !== subscription.productId;
  if (another && (await store.standingSubscription(ctx.db, tx, caller.uid, productId))) {
    throw new Refusal('already-exists', 'already-subscribed', `You already have ${product.name}.`);
  }
  return {
    ...baseOf(input.subscriptionId, subscription),
    change: 'update',
    productId,
    name: product.name,
    unitMinor: product.amountMinor,
    currency: product.currency,
    interval: product.interval ?? 'month',
    quantity,
  };
}

async function preview(
  ctx: Context,
  id: string,
  plan: Extract<ChangePlan, { change: 'update' }>,
): Promise<SubscriptionReply> {
  const stripe = await ctx.stripe();
  const on = plan.stripeAccountId ? { stripeAccount: plan.stripeAccountId } : {};
  const { items } = await itemChange(ctx, plan);
  const details: Stripe.InvoiceCreatePreviewParams.SubscriptionDetails = {
    items,
    proration_behavior: 'always_invoice',
  };
  const invoice = await stripe.invoices.createPreview({ subscription: id, subscription_details: details }, on);
  const { subscription } = await store.readSubscription(ctx.db, id);
  if (!subscription) throw new Error(`subscriptions/${id} is gone while it is read.`);
  const dueNowMinor = minor(invoice.total < 0 ? invoice.total : invoice.amount_due);
  return {
    ...replyOf(id, subscription),
    dueNowMinor,
    dueNow: toMajor(dueNowMinor, subscription.currency),
  };
}

const iso = (at: Timestamp | undefined): string | null => at?.toDate().toISOString() ?? null;

function replyOf(subscriptionId: string, subscription: Subscription): SubscriptionReply {
  const { productId, quantity, status, amountMinor, currency } = subscription;
  return {
    subscriptionId,
    productId,
    quantity,
    status,
    amount: toMajor(amountMinor, currency),
    amountMinor,
    currency,
    currentPeriodEnd: iso(subscription.currentPeriodEnd),
    nextChargeAt: iso(subscription.nextChargeAt),
    cancelAt: iso(subscription.cancelAt),
  };
}
