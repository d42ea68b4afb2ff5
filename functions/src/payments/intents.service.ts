import type Stripe from 'stripe';
import { FinalRefusal } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { askOrFind, classifyStripeError, keyStillKept, type StripeFailure } from '../platform/stripe.ts';

/** Calls for PaymentIntents, each under a key made from the command, so that a repeated command asks the same thing again. */

export interface IntentCommand {
  uid: string;
  requestId: string;
  /** When the command was accepted: Stripe's keys live from about then. */
  startedAt: Date;
  /** Finished by the sweep: the customer is no longer there, and may have paid under another requestId. */
  customerGone?: boolean;
  /** The connected account that charges for itself (charge model `direct`); the platform otherwise. */
  stripeAccount?: string;
}

/** Where a call goes: a tenant's account, or the platform. */
const on = (stripeAccount: string | undefined): { stripeAccount?: string } => (stripeAccount ? { stripeAccount } : {});

/** The command's PaymentIntent, made at most once. Past Stripe's retention it is looked for, never asked for again. */
export async function intentOnce(
  ctx: Context,
  command: IntentCommand,
  params: Stripe.PaymentIntentCreateParams,
): Promise<Stripe.PaymentIntent> {
  const stripe = await ctx.stripe();
  if (!keyStillKept(command.startedAt, ctx.clock.now())) {
    return (await findIntent(stripe, command, params.customer)) ?? expired(command.requestId);
  }
  try {
    const idempotencyKey = `pi:${command.uid}:${command.requestId}`;
    return await askOrFind(
      () => stripe.paymentIntents.create(params, { idempotencyKey, ...on(command.stripeAccount) }),
      () => findIntent(stripe, command, params.customer),
    );
  } catch (error) {
    throw refusalOf(classifyStripeError(error));
  }
}

async function findIntent(
  stripe: Stripe,
  command: IntentCommand,
  customer: string | undefined,
): Promise<Stripe.PaymentIntent | undefined> {
  const since = Math.floor(command.startedAt.getTime() / 1000) - 60;
  const list = stripe.paymentIntents.list(
    { ...(customer ? { customer } : {}), created: { gte: since }, limit: 100 },
    on(command.stripeAccount),
  );
  for await (const intent of list) {
    if (intent.metadata.requestId === command.requestId && intent.metadata.userId === command.uid) return intent;
  }
  return undefined;
}

export function expired(requestId: string): never {
  throw new FinalRefusal(
    'aborted',
    'request-expired',
    `Request ${requestId} was never completed and is too old to repeat. Nothing was charged; start anew.`,
  );
}

/**
 * Confirms with a saved or test payment method. A decline is the command's final answer; an unclear outcome leaves the
 * command open, and the same requestId asks again under the same key.
 */
export async function confirmIntent(
  ctx: Context,
  command: IntentCommand,
  intent: Stripe.PaymentIntent,
  paymentMethodId: string,
): Promise<Stripe.PaymentIntent> {
  if (intent.status !== 'requires_payment_method' && intent.status !== 'requires_confirmation') return intent;
  // Nothing is charged behind a customer's back, nor on a day-old click: only what was asked before is found out.
  if (command.customerGone || !keyStillKept(command.startedAt, ctx.clock.now()))
    return fetchIntent(ctx, intent.id, command.stripeAccount);
  const stripe = await ctx.stripe();
  const key = `pi:${command.uid}:${command.requestId}:confirm`;
  try {
    return await askOrFind(
      () =>
        stripe.paymentIntents.confirm(
          intent.id,
          { payment_method: paymentMethodId },
          { idempotencyKey: key, ...on(command.stripeAccount) },
        ),
      () => confirmed(stripe, intent.id, command.stripeAccount),
    );
  } catch (error) {
    throw refusalOf(classifyStripeError(error), intent.id);
  }
}

/** The intent if a confirmation has reached it; undefined while it still waits for one. */
async function confirmed(
  stripe: Stripe,
  id: string,
  stripeAccount: string | undefined,
): Promise<Stripe.PaymentIntent | undefined> {
  const intent = await stripe.paymentIntents.retrieve(id, {}, on(stripeAccount));
  return intent.status === 'requires_payment_method' || intent.status === 'requires_confirmation' ? undefined : intent;
}

/** What a client is told of a failed call; only a definite refusal ends the command. */
export function refusalOf(failure: StripeFailure, paymentId?: string): Refusal {
  const about: Record<string, string> = paymentId ? { paymentId } : {};
  if (failure.kind === 'busy') {
    return new Refusal(
      'resource-exhausted',
      'stripe-busy',
      'Stripe is busy. Try again in a moment with the same requestId.',
      about,
    );
  }
  if (failure.kind === 'unknown') {
    return new Refusal(
      'unavailable',
      'outcome-unknown',
      'Stripe has not answered. Ask again with the same requestId; nothing is charged twice.',
      about,
    );
  }
  if (failure.status === 402) {
    const declineCode: Record<string, string> = failure.declineCode ? { declineCode: failure.declineCode } : {};
    return new FinalRefusal('failed-precondition', 'card-declined', failure.message, {
      ...about,
      code: failure.code,
      ...declineCode,
    });
  }
  return new FinalRefusal('failed-precondition', 'stripe-refused', failure.message, { ...about, code: failure.code });
}

/** A client secret is fetched when it is needed and never stored. */
export async function fetchIntent(ctx: Context, id: string, stripeAccount?: string): Promise<Stripe.PaymentIntent> {
  const stripe = await ctx.stripe();
  return stripe.paymentIntents.retrieve(id, {}, on(stripeAccount));
}
