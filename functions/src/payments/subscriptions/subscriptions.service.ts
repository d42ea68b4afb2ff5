import type { Caller } from '../../platform/auth.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { toMajor, type Currency, type Minor } from '../../platform/money.ts';
import { executeSubscription, planSubscription, secretOf, type Started } from './start.service.ts';
import type { SubscriptionPlan } from './start.ts';
import * as store from './subscriptions.store.ts';

export interface CreateSubscriptionInput {
  productId: string;
  requestId: string;
  quantity?: number | undefined;
  /** Pays the first invoice at once, or after a trial; without it the client confirms with the client secret. */
  paymentMethodId?: string | undefined;
}

export interface CreateSubscriptionReply extends Started {
  /** Of the payment, or of a trial's SetupIntent; null where there is nothing for the client to confirm. */
  clientSecret: string | null;
  publishableKey: string;
  /** The connected account Stripe.js is to be loaded for; absent: the platform's. */
  stripeAccountId?: string;
  status: string;
  /** What each period costs. */
  amount: number;
  amountMinor: Minor;
  currency: Currency;
}

export const createSubscriptionCommand = 'createSubscription';

/** Starts a subscription, the platform's own or a coach's; its first payment is made by Stripe's first invoice. */
export async function createSubscription(
  ctx: Context,
  caller: Caller,
  input: CreateSubscriptionInput,
): Promise<CreateSubscriptionReply> {
  const started = await runCommand<SubscriptionPlan, Started>(ctx, {
    command: createSubscriptionCommand,
    uid: caller.uid,
    requestId: input.requestId,
    input,
    plan: (tx) => planSubscription(ctx, tx, caller, input),
    execute: (plan, startedAt) =>
      executeSubscription(ctx, { uid: caller.uid, requestId: input.requestId, startedAt }, plan),
  });
  const { subscription } = await store.readSubscription(ctx.db, started.subscriptionId);
  if (!subscription) throw new Error(`Subscription ${started.subscriptionId} is gone after it was written.`);
  const { stripeAccountId, amountMinor, currency, status } = subscription;
  const clientSecret = await secretOf(ctx, started, stripeAccountId);
  return {
    ...started,
    clientSecret,
    publishableKey: ctx.config.stripePublishableKey,
    ...(stripeAccountId ? { stripeAccountId } : {}),
    status,
    amount: toMajor(amountMinor, currency),
    amountMinor,
    currency,
  };
}
