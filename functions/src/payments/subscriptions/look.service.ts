import type { Transaction } from 'firebase-admin/firestore';
import type { Context } from '../../platform/context.ts';
import type { Write } from '../../platform/write.ts';
import { planMirrored, planSave, type FetchedSubscription } from './mirror.service.ts';
import { invoiceExpand, invoiceFactsOf, type InvoiceFacts } from './renewals.ts';
import { planRenewal } from './renewals.service.ts';
import type { Subscription } from './subscriptions.ts';

/** A look at a subscription and at one of its invoices, as plain JSON. */
export interface Looked extends FetchedSubscription {
  invoice: InvoiceFacts | null;
}

export async function fetchInvoice(
  ctx: Context,
  invoiceId: string,
  stripeAccount: string | undefined,
): Promise<InvoiceFacts> {
  const stripe = await ctx.stripe();
  const on = stripeAccount ? { stripeAccount } : {};
  return invoiceFactsOf(await stripe.invoices.retrieve(invoiceId, { expand: invoiceExpand }, on));
}

export interface PlannedLook {
  next: Subscription;
  writes: Write[];
  /** Paths of payments that came to be: events may wait for them. */
  created: string[];
}

/** All that follows from a look, from whichever side it came: our mirror, the invoice's payments, what the owner may use. */
export async function planLook(
  ctx: Context,
  tx: Transaction,
  before: Subscription,
  { id, facts, invoice }: Looked,
): Promise<PlannedLook> {
  const { next, writes } = await planMirrored(ctx, tx, id, before, facts);
  const renewal = invoice ? await planRenewal(ctx, tx, id, next, invoice) : { payments: [], writes: [], created: [] };
  const others = renewal.payments.map((payment) => ({ of: 'payment' as const, payment }));
  const saved = await planSave(ctx, tx, id, next, { before, others });
  return { next, writes: [...writes, ...renewal.writes, ...saved], created: renewal.created };
}
