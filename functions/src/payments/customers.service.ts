import { createHash } from 'node:crypto';
import type { Caller } from '../platform/auth.ts';
import type { Context } from '../platform/context.ts';
import { createCustomer, readCustomer } from './customers.store.ts';

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
  const customer = await stripe.customers.create(
    { ...(caller.email ? { email: caller.email } : {}), metadata: { userId: caller.uid } },
    { idempotencyKey: `customer:${caller.uid}:${address}` },
  );
  return createCustomer(ctx.db, caller.uid, customer.id, ctx.clock.now());
}
