import type { Context } from '../../platform/context.ts';
import { classifyStripeError, type StripeClient } from '../../platform/stripe.ts';
import { customersOf } from './privacy.store.ts';
import type { Data } from './steps.ts';

/**
 * Deletes the person's customers at Stripe, the platform's and those on tenants' accounts. Our documents name them and stay
 * until that is done, so that after a crash or an unclear outcome it is asked again: deleting what is deleted changes
 * nothing. Returns the accounts that have shut us out. Throws while Stripe gives no answer.
 */
export async function eraseAtStripe(ctx: Context, uid: string): Promise<string[]> {
  const stripe = await ctx.stripe();
  const unreachable: string[] = [];
  for (const { account, known } of await customersOf(ctx.db, uid)) {
    const there = account === undefined ? {} : { stripeAccount: account };
    try {
      for (const id of await idsOf(stripe, uid, known, there)) await deleteCustomer(stripe, id, there);
    } catch (error) {
      const failure = classifyStripeError(error);
      if (account === undefined || failure.kind !== 'refused' || ![401, 403].includes(failure.status)) throw error;
      unreachable.push(account);
    }
  }
  return unreachable;
}

type There = { stripeAccount?: string };

/** The one we know, or what came of an asking whose answer was lost. */
async function idsOf(stripe: StripeClient, uid: string, known: Data, there: There): Promise<string[]> {
  if (typeof known.stripeCustomerId === 'string') return [known.stripeCustomerId];
  const asked = (known.customerAsked ?? known.asked) as { email: string | null } | undefined;
  if (!asked) return [];
  const email = asked.email ? { email: asked.email } : {};
  const found: string[] = [];
  for await (const customer of stripe.customers.list({ ...email, limit: 100 }, there)) {
    if (customer.metadata.userId === uid) found.push(customer.id);
  }
  return found;
}

async function deleteCustomer(stripe: StripeClient, id: string, there: There): Promise<void> {
  try {
    await stripe.customers.del(id, {}, there);
  } catch (error) {
    const failure = classifyStripeError(error);
    if (failure.kind !== 'refused' || failure.status !== 404) throw error;
  }
}
