import type Stripe from 'stripe';
import type { Caller } from '../../platform/auth.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { askOrFind, classifyStripeError, idOf, keyStillKept } from '../../platform/stripe.ts';
import { ensureCustomer } from '../customers.service.ts';
import { readCustomer } from '../customers.store.ts';
import { expired, refusalOf, type IntentCommand } from '../intents.service.ts';
import { shownMethods, type ShownMethod } from './methods.ts';
import * as store from './methods.store.ts';
import { customerIdOf, refreshCustomer } from './mirror.service.ts';

export interface SetupPlan {
  email?: string;
}

export interface SetupReply {
  setupIntentId: string;
  clientSecret: string | null;
  publishableKey: string;
}

export const createSetupIntentCommand = 'createSetupIntent';

/** Begins saving a payment method for later; the client confirms with the client secret, and the events save it. */
export async function createSetupIntent(ctx: Context, caller: Caller, requestId: string): Promise<SetupReply> {
  const { setupIntentId } = await runCommand<SetupPlan, { setupIntentId: string }>(ctx, {
    command: createSetupIntentCommand,
    uid: caller.uid,
    requestId,
    input: {},
    plan: async () => (caller.email ? { email: caller.email } : {}),
    execute: (plan, startedAt) => executeSetup(ctx, { uid: caller.uid, requestId, startedAt }, plan),
  });
  const intent = await ask(ctx, (stripe) => stripe.setupIntents.retrieve(setupIntentId));
  return { setupIntentId, clientSecret: intent.client_secret, publishableKey: ctx.config.stripePublishableKey };
}

export async function executeSetup(
  ctx: Context,
  command: IntentCommand,
  plan: SetupPlan,
): Promise<{ setupIntentId: string }> {
  const customer = await ensureCustomer(ctx, { uid: command.uid, ...plan });
  const metadata = { userId: command.uid, requestId: command.requestId };
  const since = Math.floor(command.startedAt.getTime() / 1000) - 60;
  const find = async (stripe: Stripe) => {
    for await (const intent of stripe.setupIntents.list({ customer, created: { gte: since }, limit: 100 })) {
      if (intent.metadata?.requestId === command.requestId) return intent;
    }
    return undefined;
  };
  const intent = await ask(ctx, async (stripe) => {
    if (!keyStillKept(command.startedAt, ctx.clock.now())) return (await find(stripe)) ?? expired(command.requestId);
    return askOrFind(
      () =>
        stripe.setupIntents.create(
          { customer, usage: 'off_session', automatic_payment_methods: { enabled: true }, metadata },
          { idempotencyKey: `seti:${command.uid}:${command.requestId}` },
        ),
      () => find(stripe),
    );
  });
  return { setupIntentId: intent.id };
}

/** The caller's methods as Stripe has them now; our documents are brought up to them on the way. */
export async function listPaymentMethods(ctx: Context, uid: string): Promise<{ paymentMethods: ShownMethod[] }> {
  const customer = (await readCustomer(ctx.db, uid))?.stripeCustomerId;
  if (customer) await refreshCustomer(ctx, customer);
  return { paymentMethods: shownMethods(await store.methodsOf(ctx.db, uid), ctx.clock.now()) };
}

/** The method that later payments are taken from: the customer's default, and that of their running subscriptions. */
export async function setDefaultPaymentMethod(ctx: Context, uid: string, paymentMethodId: string) {
  const { customer } = await ownMethod(ctx, uid, paymentMethodId);
  for (const { id, default_payment_method } of await subscriptionsOf(ctx, customer)) {
    // One without a method of its own follows the customer's.
    if (!default_payment_method || idOf(default_payment_method) === paymentMethodId) continue;
    await ask(ctx, (stripe) => stripe.subscriptions.update(id, { default_payment_method: paymentMethodId }));
  }
  const settings = { invoice_settings: { default_payment_method: paymentMethodId } };
  await ask(ctx, (stripe) => stripe.customers.update(customer, settings));
  return listPaymentMethods(ctx, uid);
}

/**
 * Takes a method off the customer at Stripe. Refused while a running subscription would be paid with it; a default that
 * goes leaves no default, since nobody but the customer says what is charged next.
 */
export async function removePaymentMethod(ctx: Context, uid: string, paymentMethodId: string) {
  const { customer, method, isDefault } = await ownMethod(ctx, uid, paymentMethodId);
  for (const { default_payment_method } of await subscriptionsOf(ctx, customer)) {
    const own = idOf(default_payment_method);
    if (own === undefined ? !isDefault : own !== paymentMethodId) continue;
    throw new Refusal(
      'failed-precondition',
      'payment-method-in-use',
      'A subscription is paid with this. Make another one your default first, or end the subscription.',
    );
  }
  await ask(ctx, (stripe) =>
    askOrFind(
      () => stripe.paymentMethods.detach(method.id),
      async () => {
        const now = await stripe.paymentMethods.retrieve(method.id);
        return now.customer === null ? now : undefined;
      },
    ),
  );
  return listPaymentMethods(ctx, uid);
}

/** Another's method and one that does not exist are refused with the same words, so that nothing is learnt by asking. */
async function ownMethod(ctx: Context, uid: string, paymentMethodId: string) {
  const customer = (await readCustomer(ctx.db, uid))?.stripeCustomerId ?? notYours();
  const method = await ask(ctx, (stripe) => stripe.paymentMethods.retrieve(paymentMethodId).catch(unlessMissing));
  if (!method || customerIdOf(method) !== customer) return notYours();
  const owner = await ask(ctx, (stripe) => stripe.customers.retrieve(customer));
  const isDefault = !owner.deleted && idOf(owner.invoice_settings.default_payment_method) === paymentMethodId;
  return { customer, method, isDefault };
}

function unlessMissing(error: unknown): undefined {
  if (classifyStripeError(error).code === 'resource_missing') return undefined;
  throw error;
}

function notYours(): never {
  throw new Refusal('not-found', 'payment-method-not-found', 'You have no such payment method.');
}

/** All but the canceled ones. */
function subscriptionsOf(ctx: Context, customer: string): Promise<Stripe.Subscription[]> {
  return ask(ctx, (stripe) =>
    stripe.subscriptions.list({ customer, limit: 100 }).autoPagingToArray({ limit: 500 }),
  ).then((all) => all.filter(({ status }) => status !== 'incomplete' && status !== 'incomplete_expired'));
}

/** For commands that name a method to pay with: somebody else's that we know of is refused before Stripe is asked. */
export async function requireNotAnothers(ctx: Context, uid: string, paymentMethodId: string): Promise<void> {
  const known = await store.readMethod(ctx.db, paymentMethodId);
  if (known && known.userId !== uid) notYours();
}

/** Stripe's failures in words for the customer. */
async function ask<T>(ctx: Context, call: (stripe: Stripe) => Promise<T>): Promise<T> {
  const stripe = await ctx.stripe();
  try {
    return await call(stripe);
  } catch (error) {
    throw error instanceof Refusal ? error : refusalOf(classifyStripeError(error));
  }
}
