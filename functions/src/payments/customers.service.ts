import { createHash } from 'node:crypto';
import type { Caller } from '../platform/auth.ts';
import type { Context } from '../platform/context.ts';
import { askOrFind, classifyStripeError } from '../platform/stripe.ts';
import { createCustomer, readCustomer } from './customers.store.ts';
import { refusalOf } from './intents.service.ts';

/**
 * The user's one Stripe customer, made on first need. However many calls race, Stripe's key lets one customer be made and
 * the first commit names it.
 */
export async function ensureCustomer(ctx: Context, caller: Pick<Caller, 'uid' | 'email'>): Promise<string> {
  const known = await readCustomer(ctx.db, caller.uid);
  if (known) return known.stripeCustomerId;
  const stripe = await ctx.stripe();
  // The address is part of the key: Stripe refuses a key that comes back with another body.
  const address = createHash('sha256')
    .update(caller.email ?? '')
    .digest('hex')
    .slice(0, 12);
  const email = caller.email ? { email: caller.email } : {};
  const params = { ...email, metadata: { userId: caller.uid } };
  const customer = await askOrFind(
    () => stripe.customers.create(params, { idempotencyKey: `customer:${caller.uid}:${address}` }),
    async () => {
      const { data } = await stripe.customers.list({ ...email, limit: 100 });
      return data.find(({ metadata }) => metadata.userId === caller.uid);
    },
  ).catch((error: unknown) => {
    throw refusalOf(classifyStripeError(error));
  });
  return createCustomer(ctx.db, caller.uid, customer.id, ctx.clock.now());
}
