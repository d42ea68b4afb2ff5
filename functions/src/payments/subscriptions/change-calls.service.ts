import type Stripe from 'stripe';
import type { Context } from '../../platform/context.ts';
import { askOrFind, classifyStripeError, keyStillKept } from '../../platform/stripe.ts';
import { expired, refusalOf, type IntentCommand } from '../intents.service.ts';
import type { ChangePlan } from './changes.ts';
import { ensurePrice } from './prices.service.ts';

/** The calls that change a subscription at Stripe, each under a key made from the command. */

type Asked = Exclude<ChangePlan, { change: 'none' }>;
type UpdatePlan = Extract<ChangePlan, { change: 'update' }>;

/** Ends the command with a refusal where Stripe refuses; throws what leaves it open while the outcome is unclear. */
export async function executeChange(ctx: Context, command: IntentCommand, plan: Asked): Promise<void> {
  const stripe = await ctx.stripe();
  const idempotencyKey = `sub:${command.uid}:${command.requestId}:${plan.change}`;
  const options = { idempotencyKey, ...onAccount(plan) };
  const look = async () => {
    const object = await stripe.subscriptions.retrieve(plan.subscriptionId, {}, onAccount(plan));
    return isDone(object, command, plan) ? object : undefined;
  };
  // Nothing is charged behind a customer's back, nor on a day-old click: only what was asked before is found out.
  const mayAsk = !command.customerGone && keyStillKept(command.startedAt, ctx.clock.now());
  if (!mayAsk) {
    if (!(await look())) expired(command.requestId);
    return;
  }
  try {
    await askOrFind(() => ask(ctx, stripe, command, plan, options), look);
  } catch (error) {
    const failure = classifyStripeError(error);
    // Ended or changed by the same wish from elsewhere, it is as it was to be.
    if (failure.kind === 'refused' && (await look())) return;
    throw refusalOf(failure);
  }
}

async function ask(
  ctx: Context,
  stripe: Stripe,
  command: IntentCommand,
  plan: Asked,
  options: Stripe.RequestOptions,
): Promise<Stripe.Subscription> {
  const { subscriptionId: id } = plan;
  if (plan.change === 'cancel' && plan.when === 'now')
    return stripe.subscriptions.cancel(id, { invoice_now: false, prorate: false }, options);
  if (plan.change === 'cancel') return stripe.subscriptions.update(id, { cancel_at_period_end: true }, options);
  if (plan.change === 'resume') {
    const { contractEnd } = plan;
    const params = contractEnd
      ? { cancel_at: contractEnd.seconds, proration_behavior: 'none' as const }
      : { cancel_at_period_end: false };
    return stripe.subscriptions.update(id, params, options);
  }
  return stripe.subscriptions.update(
    id,
    {
      ...(await itemChange(ctx, plan)),
      // Charged now or not changed at all: nobody uses the dearer plan unpaid.
      proration_behavior: 'always_invoice',
      payment_behavior: 'error_if_incomplete',
      metadata: { productId: plan.productId, changeRequestId: command.requestId },
    },
    options,
  );
}

/** The one item with its new price and quantity. */
export async function itemChange(
  ctx: Context,
  plan: UpdatePlan,
): Promise<{ items: { id: string; price: string; quantity: number }[] }> {
  const stripe = await ctx.stripe();
  const { subscriptionId, productId, name, unitMinor: amountMinor, currency, interval, stripeAccountId } = plan;
  const [object, price] = await Promise.all([
    stripe.subscriptions.retrieve(subscriptionId, {}, onAccount(plan)),
    ensurePrice(
      ctx,
      { productId, name },
      { amountMinor, currency, interval, ...(stripeAccountId ? { stripeAccountId } : {}) },
    ),
  ]);
  const [item] = object.items.data;
  if (!item) throw new Error(`Subscription ${subscriptionId} has no item.`);
  return { items: [{ id: item.id, price, quantity: plan.quantity }] };
}

/** Whether Stripe's object is as the command wants it. */
function isDone(object: Stripe.Subscription, command: IntentCommand, plan: Asked): boolean {
  if (plan.change === 'update') return object.metadata.changeRequestId === command.requestId;
  if (plan.change === 'resume') return !object.cancel_at_period_end && object.status !== 'canceled';
  if (plan.when === 'now') return object.status === 'canceled' || object.status === 'incomplete_expired';
  return object.cancel_at_period_end || object.status === 'canceled';
}

const onAccount = ({ stripeAccountId }: { stripeAccountId?: string }): { stripeAccount?: string } =>
  stripeAccountId ? { stripeAccount: stripeAccountId } : {};
