import type { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Caller } from '../platform/auth.ts';
import type { Context } from '../platform/context.ts';
import { askOrFind, classifyStripeError, keyStillKept } from '../platform/stripe.ts';
import { askCustomer, nameCustomer, readCustomer, type Customer } from './customers.store.ts';
import { refusalOf } from './intents.service.ts';

/**
 * The user's one Stripe customer, made on first need, and anew when it was deleted at Stripe. What Stripe is asked is
 * written down first: however many calls race and whenever one crashes, Stripe's key lets one customer be made, and past
 * the key's life it is looked for before another is asked for.
 */
export async function ensureCustomer(ctx: Context, caller: Pick<Caller, 'uid' | 'email'>): Promise<string> {
  const { db, clock } = ctx;
  const known = await readCustomer(db, caller.uid);
  if (known?.stripeCustomerId) return known.stripeCustomerId;
  const asked = await askCustomer(db, caller.uid, caller.email ?? null, clock.now());
  if (asked.stripeCustomerId) return asked.stripeCustomerId;
  const customer = await findOrCreate(ctx, caller.uid, asked).catch((error: unknown) => {
    throw refusalOf(classifyStripeError(error));
  });
  return nameCustomer(db, caller.uid, customer.id, clock.now());
}

type Asked = NonNullable<Customer['customerAsked']>;

function askedOf(uid: string, { customerAsked }: Customer): Asked {
  if (!customerAsked) throw new Error(`customers/${uid}: a customer was to be asked for before that was written down.`);
  return customerAsked;
}

async function findOrCreate(ctx: Context, uid: string, customer: Customer): Promise<Stripe.Customer> {
  const stripe = await ctx.stripe();
  const asked = askedOf(uid, customer);
  if (keyStillKept(asked.at.toDate(), ctx.clock.now())) return create(stripe, uid, asked);
  const found = await find(stripe, uid, asked);
  if (found) return found;
  // Two who both found none both ask under one key, so still one customer is made.
  const renewed = await askCustomer(ctx.db, uid, asked.email, ctx.clock.now(), asked.at);
  return create(stripe, uid, askedOf(uid, renewed));
}

function create(stripe: Stripe, uid: string, asked: Asked): Promise<Stripe.Customer> {
  const params = { ...(asked.email ? { email: asked.email } : {}), metadata: { userId: uid } };
  const idempotencyKey = `customer:${uid}:${asked.at.toMillis()}`;
  return askOrFind(
    () => stripe.customers.create(params, { idempotencyKey }),
    () => find(stripe, uid, asked),
  );
}

/** Stripe's clock and ours need not agree. */
const clockSkewSeconds = 3600;
const since = (at: Timestamp): number => at.seconds - clockSkewSeconds;

/** Stripe lists no deleted customers. */
async function find(stripe: Stripe, uid: string, asked: Asked): Promise<Stripe.Customer | undefined> {
  const email = asked.email ? { email: asked.email } : {};
  for await (const customer of stripe.customers.list({ ...email, created: { gte: since(asked.at) }, limit: 100 })) {
    if (customer.metadata.userId === uid) return customer;
  }
  return undefined;
}
