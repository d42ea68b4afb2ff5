import type Stripe from 'stripe';
import type { Caller } from '../platform/auth.ts';
import type { Context } from '../platform/context.ts';
import { askOrFind, classifyStripeError, keyStillKept } from '../platform/stripe.ts';
import {
  nameAccountCustomer,
  noteAsked,
  readAccountCustomer,
  type AccountCustomer,
} from './account-customers.store.ts';
import { refusalOf } from './intents.service.ts';

type Who = Pick<Caller, 'uid' | 'email'>;

/**
 * The user's one Stripe customer on a tenant's own account, made on first need. What is asked is written down first:
 * however many calls race, and whenever one crashes, one customer is made.
 */
export async function ensureAccountCustomer(ctx: Context, caller: Who, stripeAccount: string): Promise<string> {
  const email = caller.email ?? null;
  const known =
    (await readAccountCustomer(ctx.db, caller.uid, stripeAccount)) ??
    (await noteAsked(ctx.db, caller.uid, stripeAccount, { at: ctx.clock.now(), email }));
  if (known.stripeCustomerId) return known.stripeCustomerId;
  const customer = await findOrCreate(ctx, caller.uid, stripeAccount, known).catch((error: unknown) => {
    throw refusalOf(classifyStripeError(error));
  });
  await nameAccountCustomer(ctx.db, caller.uid, stripeAccount, customer.id);
  return customer.id;
}

async function findOrCreate(
  ctx: Context,
  uid: string,
  stripeAccount: string,
  { asked }: AccountCustomer,
): Promise<Stripe.Customer> {
  const stripe = await ctx.stripe();
  if (keyStillKept(asked.at.toDate(), ctx.clock.now())) return create(stripe, uid, stripeAccount, asked);
  const found = await find(stripe, uid, stripeAccount, asked);
  if (found) return found;
  const now = { at: ctx.clock.now(), email: asked.email };
  const renewed = await noteAsked(ctx.db, uid, stripeAccount, now, asked.at);
  return create(stripe, uid, stripeAccount, renewed.asked);
}

type Asked = AccountCustomer['asked'];

const create = (stripe: Stripe, uid: string, stripeAccount: string, asked: Asked): Promise<Stripe.Customer> =>
  askOrFind(
    () =>
      stripe.customers.create(
        { ...(asked.email ? { email: asked.email } : {}), metadata: { userId: uid } },
        { stripeAccount, idempotencyKey: `customer:${uid}:${stripeAccount}:${asked.at.toMillis()}` },
      ),
    () => find(stripe, uid, stripeAccount, asked),
  );

/** Stripe's clock and ours need not agree. */
const clockSkewSeconds = 3600;

async function find(
  stripe: Stripe,
  uid: string,
  stripeAccount: string,
  asked: Asked,
): Promise<Stripe.Customer | undefined> {
  const email = asked.email ? { email: asked.email } : {};
  const created = { gte: asked.at.seconds - clockSkewSeconds };
  for await (const one of stripe.customers.list({ ...email, created, limit: 100 }, { stripeAccount })) {
    if (one.metadata.userId === uid) return one;
  }
  return undefined;
}
