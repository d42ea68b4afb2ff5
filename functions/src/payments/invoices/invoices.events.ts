import type { Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Context } from '../../platform/context.ts';
import { idOf } from '../../platform/stripe.ts';
import { handler, nothingToFetch, type DispatchTable, type Outcome } from '../../webhooks/webhooks.ts';
import { ownerOf } from '../customers.store.ts';
import { readSubscription } from '../subscriptions/subscriptions.store.ts';
import { invoiceOf, mergeInvoice, subscriptionIdOf } from './invoices.ts';
import { readInvoice, writeInvoice } from './invoices.store.ts';

/** The event tells the whole invoice, so nothing is fetched. Of a tenant's own invoices only our subscriptions' are kept. */
const told = handler({
  fetch: nothingToFetch,
  plan: async (ctx, tx, event): Promise<Outcome> => {
    const invoice = event.data.object as Stripe.Invoice;
    const userId = await customerOf(ctx, tx, event, invoice);
    if (userId === null && event.account) return { outcome: 'applied', writes: [] };
    const known = await readInvoice(ctx.db, invoice.id, tx);
    if (known && known.stripeAccountId !== event.account) {
      throw new Error(`${invoice.id} is not on ${event.account ?? 'the platform'}.`);
    }
    const next = mergeInvoice(known, invoiceOf(invoice, event, userId));
    return { outcome: 'applied', writes: [(t) => writeInvoice(ctx.db, t, invoice.id, next)] };
  },
});

/** By our own documents only: what stands in an invoice's metadata, somebody else may have written. */
async function customerOf(
  ctx: Context,
  tx: Transaction,
  event: Stripe.Event,
  invoice: Stripe.Invoice,
): Promise<string | null> {
  const subscriptionId = subscriptionIdOf(invoice);
  const { subscription } = subscriptionId ? await readSubscription(ctx.db, subscriptionId, tx) : {};
  if (subscription && subscription.stripeAccountId === event.account) return subscription.userId;
  const customerId = idOf(invoice.customer);
  if (event.account || !customerId) return null;
  return (await ownerOf(ctx.db, customerId, tx))?.uid ?? null;
}

export const invoiceEvents: DispatchTable = {
  'invoice.created': told,
  'invoice.updated': told,
  'invoice.finalized': told,
  'invoice.sent': told,
  'invoice.paid': told,
  'invoice.payment_failed': told,
  'invoice.payment_action_required': told,
  'invoice.voided': told,
  'invoice.marked_uncollectible': told,
  'invoice.deleted': told,
};
