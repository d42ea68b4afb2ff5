import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Context } from '../platform/context.ts';
import { idOf } from '../platform/stripe.ts';
import { handler, nothingToFetch, type DispatchTable, type Outcome } from '../webhooks/webhooks.ts';
import { intentPatch } from './payments.service.ts';
import { paymentPath, readPayment, updatePayment } from './payments.store.ts';
import { mergeStatus, type Payment } from './payments.ts';
import { fetchSale, planSale } from './sale.service.ts';
import type { SaleFacts } from './sale.ts';

/** A PaymentIntent moved: its status is merged by rank. */
const intentMoved = handler({
  fetch: nothingToFetch,
  plan: (ctx, tx, event) => planMove(ctx, tx, event, event.data.object as Stripe.PaymentIntent, undefined),
});

/** It succeeded: as above, and its sale is booked if Stripe has booked it. */
const intentSucceeded = handler({
  fetch: async (ctx, event) => {
    const chargeId = idOf((event.data.object as Stripe.PaymentIntent).latest_charge);
    return (chargeId && (await fetchSale(ctx, chargeId))) ?? null;
  },
  plan: (ctx, tx, event, fetched: SaleFacts | null) =>
    planMove(ctx, tx, event, event.data.object as Stripe.PaymentIntent, fetched ?? undefined),
});

/** A charge succeeded or its balance transactions arrived: the sale is booked once, by whichever event comes first. */
const chargeBooked = handler({
  fetch: async (ctx, event) => {
    const charge = event.data.object as Stripe.Charge;
    return charge.payment_intent && charge.status === 'succeeded' ? ((await fetchSale(ctx, charge.id)) ?? null) : null;
  },
  plan: async (ctx, tx, event, fetched: SaleFacts | null): Promise<Outcome> => {
    const charge = event.data.object as Stripe.Charge;
    const paymentId = idOf(charge.payment_intent);
    if (!paymentId || charge.status !== 'succeeded') return { outcome: 'applied', writes: [] };
    const payment = await readPayment(ctx.db, paymentId, tx);
    if (!payment) return { outcome: 'parked', waitingFor: paymentPath(paymentId) };
    const status = mergeStatus(payment.status, 'succeeded');
    return planUpdate(ctx, tx, event, payment, status === payment.status ? {} : { status }, fetched ?? undefined);
  },
});

async function planMove(
  ctx: Context,
  tx: Transaction,
  event: Stripe.Event,
  intent: Stripe.PaymentIntent,
  facts: SaleFacts | undefined,
): Promise<Outcome> {
  const payment = await readPayment(ctx.db, intent.id, tx);
  if (!payment) return { outcome: 'parked', waitingFor: paymentPath(intent.id) };
  return planUpdate(ctx, tx, event, payment, intentPatch(payment, intent) ?? {}, facts);
}

async function planUpdate(
  ctx: Context,
  tx: Transaction,
  event: Stripe.Event,
  payment: Payment,
  patch: Partial<Payment>,
  facts: SaleFacts | undefined,
): Promise<Outcome> {
  const sale = facts ? await planSale(ctx, tx, payment, facts, event.id) : { writes: [], patch: {} };
  const changed = { ...patch, ...sale.patch };
  if (Object.keys(changed).length === 0) return { outcome: 'applied', writes: sale.writes };
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  return {
    outcome: 'applied',
    writes: [...sale.writes, (t) => updatePayment(ctx.db, t, payment.stripePaymentId, { ...changed, updatedAt })],
  };
}

export const paymentEvents: DispatchTable = {
  'payment_intent.processing': intentMoved,
  'payment_intent.requires_action': intentMoved,
  'payment_intent.payment_failed': intentMoved,
  'payment_intent.canceled': intentMoved,
  'payment_intent.succeeded': intentSucceeded,
  'charge.succeeded': chargeBooked,
  'charge.updated': chargeBooked,
};
