import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { readCoach } from '../../coaches/coaches.service.ts';
import type { Context } from '../../platform/context.ts';
import type { Write } from '../../platform/write.ts';
import { createPayment, paymentPath, readPayment } from '../payments.store.ts';
import type { Payment } from '../payments.ts';
import { readProduct } from '../products.store.ts';
import { renewalPayment, type InvoiceFacts, type RenewalOf } from './renewals.ts';
import type { Subscription } from './subscriptions.ts';

export interface PlannedRenewal {
  /** Payments that came to be. */
  payments: Payment[];
  writes: Write[];
  /** Events of their PaymentIntents may have come before. */
  created: string[];
}

/** Gives every PaymentIntent of a subscription's invoice its document; one that has it keeps it as it is. */
export async function planRenewal(
  ctx: Context,
  tx: Transaction,
  subscriptionId: string,
  subscription: Subscription,
  invoice: InvoiceFacts,
): Promise<PlannedRenewal> {
  const at = Timestamp.fromDate(ctx.clock.now());
  const known = await Promise.all(invoice.payments.map(({ paymentId }) => readPayment(ctx.db, paymentId, tx)));
  const missing = invoice.payments.filter((_paid, index) => known[index] === undefined);
  if (missing.length === 0) return { payments: [], writes: [], created: [] };
  const of = await renewalOf(ctx, tx, subscriptionId, subscription);
  const payments = missing.map((paid) => renewalPayment(of, invoice, paid, at));
  return {
    payments,
    writes: payments.map((payment) => (t: Transaction) => createPayment(ctx.db, t, payment)),
    created: payments.map(({ stripePaymentId }) => paymentPath(stripePaymentId)),
  };
}

async function renewalOf(
  ctx: Context,
  tx: Transaction,
  subscriptionId: string,
  subscription: Subscription,
): Promise<RenewalOf> {
  const { productId, coachId } = subscription;
  const product = await readProduct(ctx.db, productId, tx);
  if (!product) throw new Error(`subscriptions/${subscriptionId} is for products/${productId}, which is not there.`);
  if (!coachId) return { subscriptionId, subscription, product };
  const coach = await readCoach(ctx, coachId, tx);
  if (!coach?.stripeAccountId) throw new Error(`coaches/${coachId} has no Stripe account to share a renewal with.`);
  return { subscriptionId, subscription, product, coach };
}
