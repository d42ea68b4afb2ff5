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
  /** Set where several commands may start the same payment (an order's): they ask Stripe under this one name. */
  attempt?: string;
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
    const idempotencyKey = `pi:${command.attempt ?? `${command.uid}:${command.requestId}`}`;
    return await askOrFind(
      () => stripe.paymentIntents.create(params, { idempotencyKey, ...on(command.stripeAccount) }),
      () => findIntent(stripe, command, params.customer),
    );
  } catch (error) {
    const failure = classifyStripeError(error);
    // Another tab began the same attempt a little otherwise (with another address, say): what it made is the attempt's.
    const begun = failure.code === 'StripeIdempotencyError' && command.attempt;
    const found = begun ? await findIntent(stripe, command, params.customer) : undefined;
    if (found) return found;
    throw refusalOf(failure);
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
    const { userId, requestId, attempt } = intent.metadata;
    const same = command.attempt ? attempt === command.attempt : requestId === command.requestId;
    if (same && userId === command.uid) return intent;
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
  how: ConfirmHow = {},
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
          { payment_method: paymentMethodId, ...how },
          { idempotencyKey: key, ...on(command.stripeAccount) },
        ),
      () => confirmed(stripe, intent.id, command.stripeAccount),
    );
  } catch (error) {
    const failure = classifyStripeError(error);
    const current =
      failure.code === 'payment_intent_unexpected_state'
        ? await confirmed(stripe, intent.id, command.stripeAccount)
        : undefined;
    // Another tab was faster: what came of it is the answer.
    if (current) return current;
    throw refusalOf(failure, intent.id);
  }
}

export type ConfirmHow = Pick<Stripe.PaymentIntentConfirmParams, 'return_url' | 'setup_future_usage'>;

/** Lets an open intent keep the card, when a later tab asks for that. */
export async function keepMethod(
  ctx: Context,
  intent: Stripe.PaymentIntent,
  stripeAccount: string | undefined,
): Promise<Stripe.PaymentIntent> {
  if (intent.setup_future_usage || intent.status !== 'requires_payment_method') return intent;
  const stripe = await ctx.stripe();
  try {
    return await stripe.paymentIntents.update(intent.id, { setup_future_usage: 'off_session' }, on(stripeAccount));
  } catch (error) {
    throw refusalOf(classifyStripeError(error), intent.id);
  }
}

/**
 * Cancels an intent that nobody shall pay any more and gives it as it then is: paid or on its way, it stays what it is.
 * Throws while Stripe's answer is unclear. Without a key of ours: canceling twice is canceling, and a refusal must not be
 * replayed once the reason for it is gone.
 */
export async function closeIntent(ctx: Context, id: string, stripeAccount?: string): Promise<Stripe.PaymentIntent> {
  const stripe = await ctx.stripe();
  try {
    return await stripe.paymentIntents.cancel(id, { cancellation_reason: 'abandoned' }, on(stripeAccount));
  } catch (error) {
    const failure = classifyStripeError(error);
    if (failure.kind === 'refused') return fetchIntent(ctx, id, stripeAccount);
    throw refusalOf(failure, id);
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
  const named = namedRefusal(failure);
  if (named)
    return new FinalRefusal('failed-precondition', named.reason, named.message, { ...about, code: failure.code });
  return new FinalRefusal('failed-precondition', 'stripe-refused', failure.message, { ...about, code: failure.code });
}

/** Stripe's refusals that a customer can do something about. */
function namedRefusal({
  code,
  param,
}: StripeFailure & { kind: 'refused' }): { reason: string; message: string } | undefined {
  if (param === 'payment_method') {
    return {
      reason: 'payment-method-refused',
      message: 'This payment method is not there, was used up, or belongs to somebody else. Choose another.',
    };
  }
  if (code === 'amount_too_small' || code === 'amount_too_large')
    return { reason: 'amount-out-of-range', message: 'Stripe does not charge an amount this small or this large.' };
  return undefined;
}

/** A client secret is fetched when it is needed and never stored. */
export async function fetchIntent(ctx: Context, id: string, stripeAccount?: string): Promise<Stripe.PaymentIntent> {
  const stripe = await ctx.stripe();
  return stripe.paymentIntents.retrieve(id, {}, on(stripeAccount));
}
