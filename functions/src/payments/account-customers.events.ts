import type Stripe from 'stripe';
import { handler, nothingToFetch, type DispatchTable, type Outcome } from '../webhooks/webhooks.ts';
import { dropAccountCustomer, readAccountCustomer } from './account-customers.store.ts';

/** A tenant has deleted a customer: the next payment there makes a new one. */
const customerDeleted = handler({
  fetch: nothingToFetch,
  plan: async (ctx, tx, event): Promise<Outcome> => {
    const { account } = event;
    const customer = event.data.object as Stripe.Customer;
    const { userId } = customer.metadata;
    // A tenant may have written anything there.
    const isId = userId !== undefined && /^[A-Za-z0-9_-]{1,128}$/.test(userId);
    const known = account && isId ? await readAccountCustomer(ctx.db, userId, account, tx) : undefined;
    if (!account || !userId || known?.stripeCustomerId !== customer.id) return { outcome: 'applied', writes: [] };
    return { outcome: 'applied', writes: [(t) => dropAccountCustomer(ctx.db, t, userId, account)] };
  },
});

export const accountCustomerEvents: DispatchTable = { 'customer.deleted': customerDeleted };
