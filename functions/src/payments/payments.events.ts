import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../admin/flags.service.ts';
import type { Context } from '../platform/context.ts';
import { idOf } from '../platform/stripe.ts';
import type { Write } from '../platform/write.ts';
import { handler, nothingToFetch, type DispatchTable, type Outcome } from '../webhooks/webhooks.ts';
import { intentPatch } from './payments.service.ts';
import { paymentPath, readPayment, updatePayment } from './payments.store.ts';
import { mergeStatus, tenantAccountOf, type Payment } from './payments.ts';
import { fetchSale, noSale, planSale } from './sale.service.ts';
import type { SaleFacts } from './sale.ts';

/** A PaymentIntent moved: its status is merged by rank. */
const intentMoved = handler({
  fetch: nothingToFetch,
  plan: (ctx, tx, event) => planMove(ctx, tx, event, event.data.object as Stripe.PaymentIntent, undefined),
});

/** It succeeded: as above, and its sale is booked if Stripe has booked it. */
const intentSucceeded = handler({
  fetch: async (ctx, event) => {
    const intent = event.data.object as Stripe.PaymentIntent;
    const chargeId = idOf(intent.latest_charge);
    if (!chargeId || isTheirOwn(event, intent)) return null;
    return (await fetchSale(ctx, chargeId, event.account)) ?? null;
  },
  plan: (ctx, tx, event, fetched: SaleFacts | null) =>
    planMove(ctx, tx, event, event.data.object as Stripe.PaymentIntent, fetched ?? undefined),
});

/** A charge succeeded or its balance transactions arrived: the sale is booked once, by whichever event comes first. */
const chargeBooked = handler({
  fetch: async (ctx, event) => {
    const charge = event.data.object as Stripe.Charge;
    if (!charge.payment_intent || charge.status !== 'succeeded' || isTheirOwn(event, charge)) return null;
    return (await fetchSale(ctx, charge.id, event.account)) ?? null;
  },
  plan: async (ctx, tx, event, fetched: SaleFacts | null): Promise<Outcome> => {
    const charge = event.data.object as Stripe.Charge;
    const paymentId = idOf(charge.payment_intent);
    if (!paymentId || charge.status !== 'succeeded') return { outcome: 'applied', writes: [] };
    const payment = await readPayment(ctx.db, paymentId, tx);
    if (!payment) return withoutPayment(event, charge, paymentId);
    const status = mergeStatus(payment.status, 'succeeded');
    return planUpdate(ctx, tx, event, payment, status === payment.status ? {} : { status }, fetched ?? undefined);
  },
});

/** What a tenant does on their own account without us concerns nobody here: no application made it. */
const isTheirOwn = (event: Stripe.Event, object: Pick<Stripe.Charge, 'application'>): boolean =>
  event.account !== undefined && object.application === null;

const withoutPayment = (event: Stripe.Event, object: Pick<Stripe.Charge, 'application'>, paymentId: string): Outcome =>
  isTheirOwn(event, object)
    ? { outcome: 'applied', writes: [] }
    : { outcome: 'parked', waitingFor: paymentPath(paymentId) };

async function planMove(
  ctx: Context,
  tx: Transaction,
  event: Stripe.Event,
  intent: Stripe.PaymentIntent,
  facts: SaleFacts | undefined,
): Promise<Outcome> {
  const payment = await readPayment(ctx.db, intent.id, tx);
  if (!payment) return withoutPayment(event, intent, intent.id);
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
  if (event.account !== tenantAccountOf(payment)) {
    return { outcome: 'applied', writes: await planElsewhere(ctx, tx, event, payment) };
  }
  const sale = facts ? await planSale(ctx, tx, payment, facts, event.id) : noSale;
  const { writes, created, then } = sale;
  const changed = { ...patch, ...sale.patch };
  if (Object.keys(changed).length === 0) return { outcome: 'applied', writes };
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  const update: Write = (t) => updatePayment(ctx.db, t, payment.stripePaymentId, { ...changed, updatedAt });
  return { outcome: 'applied', writes: [...writes, update], created, then };
}

/** An account's events never touch the document of a payment that is not on that account. */
function planElsewhere(ctx: Context, tx: Transaction, event: Stripe.Event, payment: Payment): Promise<Write[]> {
  return planFlag(ctx, tx, {
    id: `payment-elsewhere_${payment.stripePaymentId}`,
    kind: 'payment-elsewhere',
    severity: 'critical',
    subject: `payments/${payment.stripePaymentId}`,
    message: `${event.type} ${event.id} of ${event.account ?? 'the platform'} speaks of a payment that is on ${tenantAccountOf(payment) ?? 'the platform'}.`,
    action: 'Nothing was changed. Look both up in the Stripe dashboard.',
  });
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
