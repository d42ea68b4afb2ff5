import type { Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag, planResolve } from '../../admin/flags.service.ts';
import type { FlagInput } from '../../admin/flags.ts';
import type { Context } from '../../platform/context.ts';
import { expanded, idOf } from '../../platform/stripe.ts';
import { handler, nothingToFetch, type DispatchTable, type Outcome } from '../../webhooks/webhooks.ts';
import { paymentPath, readPayment } from '../payments.store.ts';
import type { Payment } from '../payments.ts';
import type { Decline } from './declines.ts';
import * as flags from './fraud-flags.ts';
import { planDecline } from './fraud.service.ts';

const nothing: Outcome = { outcome: 'applied', writes: [] };

/** What Stripe's error says of a declined card; undefined for what is no card's fault: other methods, authentication. */
function declineOf(event: Stripe.Event, error: Stripe.PaymentIntent.LastPaymentError | null): Decline | undefined {
  if (error?.type !== 'card_error' || error.decline_code === 'authentication_required') return undefined;
  const card = expanded<Stripe.PaymentMethod>(error.payment_method)?.card?.fingerprint;
  return { id: idOf(error.charge) ?? event.id, at: event.created * 1000, ...(card ? { card } : {}) };
}

/** Cards tried out on a payment. A tenant's word on whose it was is not taken: only our own document's. */
const paymentFailed = handler<null>({
  fetch: nothingToFetch,
  async plan(ctx, tx, event) {
    const intent = event.data.object as Stripe.PaymentIntent;
    const decline = declineOf(event, intent.last_payment_error);
    if (!decline) return nothing;
    const payment = await readPayment(ctx.db, intent.id, tx);
    const ours = event.account === undefined || payment?.stripeAccountId === event.account;
    const uid = payment?.userId ?? (event.account === undefined ? intent.metadata.userId : undefined);
    if (!uid || !ours) return nothing;
    const { writes, paused } = await planDecline(ctx, tx, uid, decline);
    // Stripe does not let an invoice's intent be canceled; and a tenant's is the tenant's.
    const stop = paused && !payment?.invoiceId && !payment?.subscriptionId && event.account === undefined;
    return { outcome: 'applied', writes, then: stop ? [(c) => cancelIntent(c, 'paymentIntents', intent.id)] : [] };
  },
});

/**
 * A client secret in a browser tries cards without asking us, so the intent is ended. Best effort: while the pause lasts,
 * the next decline does it again.
 */
async function cancelIntent(ctx: Context, kind: 'paymentIntents' | 'setupIntents', id: string): Promise<void> {
  const stripe = await ctx.stripe();
  await stripe[kind].cancel(id, {}, { idempotencyKey: `card-testing:${id}` });
}

/** Cards tried out by saving them. */
const setupFailed = handler<null>({
  fetch: nothingToFetch,
  async plan(ctx, tx, event) {
    const intent = event.data.object as Stripe.SetupIntent;
    const decline = declineOf(event, intent.last_setup_error);
    const uid = intent.metadata?.userId;
    if (!decline || !uid || event.account) return nothing;
    const attempt = idOf(intent.latest_attempt);
    const { writes, paused } = await planDecline(ctx, tx, uid, { ...decline, ...(attempt ? { id: attempt } : {}) });
    return { outcome: 'applied', writes, then: paused ? [(c) => cancelIntent(c, 'setupIntents', intent.id)] : [] };
  },
});

/** What is open now about a payment of the platform's; a tenant's are the tenant's, who sees them at Stripe. */
interface Concern {
  id: string;
  paymentId: string | null;
  open: boolean;
  /** Stripe's word for it. */
  reason: string;
}

/** The event is a hint: opened and settled may come in any order, so the object is looked at as it is now. */
const concern = (
  fetchOne: (stripe: Stripe, id: string) => Promise<Concern>,
  flagId: (id: string) => string,
  flagOf: (id: string, payment: Payment, reason: string) => FlagInput,
) =>
  handler<Concern | null>({
    async fetch(ctx, event) {
      if (event.account) return null;
      return fetchOne(await ctx.stripe(), (event.data.object as { id: string }).id);
    },
    plan: (ctx, tx, _event, found) => planConcern(ctx, tx, found, flagId, flagOf),
  });

async function planConcern(
  ctx: Context,
  tx: Transaction,
  found: Concern | null,
  flagId: (id: string) => string,
  flagOf: (id: string, payment: Payment, reason: string) => FlagInput,
): Promise<Outcome> {
  if (!found?.paymentId) return nothing;
  const { id, paymentId, open, reason } = found;
  if (!open)
    return { outcome: 'applied', writes: await planResolve(ctx, tx, flagId(id), `At Stripe it is ${reason}.`) };
  const payment = await readPayment(ctx.db, paymentId, tx);
  if (!payment) return { outcome: 'parked', waitingFor: paymentPath(paymentId) };
  return { outcome: 'applied', writes: await planFlag(ctx, tx, flagOf(id, payment, reason)) };
}

const fraudWarning = concern(
  async (stripe, id) => {
    const warning = await stripe.radar.earlyFraudWarnings.retrieve(id);
    const reason = warning.actionable ? warning.fraud_type : 'refunded or disputed';
    return { id, paymentId: idOf(warning.payment_intent) ?? null, open: warning.actionable, reason };
  },
  flags.warningFlagId,
  flags.fraudWarned,
);

const review = concern(
  async (stripe, id) => {
    const found = await stripe.reviews.retrieve(id);
    const reason = found.open ? found.opened_reason : (found.closed_reason ?? 'closed');
    return { id, paymentId: idOf(found.payment_intent) ?? null, open: found.open, reason };
  },
  flags.reviewFlagId,
  flags.underReview,
);

export const fraudEvents: DispatchTable = {
  'payment_intent.payment_failed': paymentFailed,
  'setup_intent.setup_failed': setupFailed,
  'radar.early_fraud_warning.created': fraudWarning,
  'radar.early_fraud_warning.updated': fraudWarning,
  'review.opened': review,
  'review.closed': review,
};
