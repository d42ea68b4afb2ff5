import type { Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../admin/flags.service.ts';
import type { Context } from '../platform/context.ts';
import { idOf } from '../platform/stripe.ts';
import type { Write } from '../platform/write.ts';
import { handler, type DispatchTable, type Outcome } from '../webhooks/webhooks.ts';
import { newsOfCharge, newsOfIntent, type News } from './charged.ts';
import { checkoutKey } from './checkout/checkout.ts';
import { fetchMade, planMade, type MadeOnPage } from './checkout/made.service.ts';
import { planNews } from './moves.service.ts';
import { paymentPath, readPayment } from './payments.store.ts';
import { tenantAccountOf, type Payment } from './payments.ts';
import { fetchSale, noSale, planSale } from './sale.service.ts';
import type { SaleFacts } from './sale.ts';

/** A PaymentIntent moved: its status is merged by rank; one that a hosted page made gets its payment by its first news. What Stripe booked is asked about when its charge says that it has. */
const intentMoved = handler<MadeOnPage | null>({
  fetch: async (ctx, event) => {
    const { id, metadata } = event.data.object as Stripe.PaymentIntent;
    return metadata[checkoutKey] && !(await readPayment(ctx.db, id)) ? fetchMade(ctx, event) : null;
  },
  plan: async (ctx, tx, event, made): Promise<Outcome> => {
    const intent = event.data.object as Stripe.PaymentIntent;
    const payment = await readPayment(ctx.db, intent.id, tx);
    if (payment) return planUpdate(ctx, tx, event, payment, newsOfIntent(intent), undefined);
    if (isClosedUnwritten(intent)) return { outcome: 'applied', writes: [] };
    return (made && (await planMade(ctx, tx, event, made))) ?? withoutPayment(event, intent, intent.id);
  },
});

/**
 * What an intent was to pay can be over before its payment is written down; then we close it, and no payment comes of it.
 * (Its event would wait for one for ever.) What somebody else cancels has another reason.
 */
const isClosedUnwritten = ({ status, cancellation_reason, metadata }: Stripe.PaymentIntent): boolean =>
  status === 'canceled' && cancellation_reason === 'abandoned' && metadata[checkoutKey] === undefined;

/**
 * A charge succeeded or its balance transactions arrived: the sale is booked once, by whichever event comes first with a
 * balance transaction. Without one there is nothing to fetch yet; so a sale costs one fetch.
 */
const chargeBooked = handler({
  fetch: async (ctx, event) => {
    const charge = event.data.object as Stripe.Charge;
    const ready = charge.payment_intent && charge.status === 'succeeded' && charge.balance_transaction;
    if (!ready || isTheirOwn(event, charge)) return null;
    return (await fetchSale(ctx, charge.id, event.account)) ?? null;
  },
  plan: async (ctx, tx, event, fetched: SaleFacts | null): Promise<Outcome> => {
    const charge = event.data.object as Stripe.Charge;
    const paymentId = idOf(charge.payment_intent);
    if (!paymentId || charge.status !== 'succeeded') return { outcome: 'applied', writes: [] };
    const payment = await readPayment(ctx.db, paymentId, tx);
    if (!payment) return withoutPayment(event, charge, paymentId);
    return planUpdate(ctx, tx, event, payment, newsOfCharge(charge), fetched ?? undefined);
  },
});

/** What a tenant does on their own account without us concerns nobody here: no application made it. */
const isTheirOwn = (event: Stripe.Event, object: Pick<Stripe.Charge, 'application'>): boolean =>
  event.account !== undefined && object.application === null;

const withoutPayment = (event: Stripe.Event, object: Pick<Stripe.Charge, 'application'>, paymentId: string): Outcome =>
  isTheirOwn(event, object)
    ? { outcome: 'applied', writes: [] }
    : { outcome: 'parked', waitingFor: paymentPath(paymentId) };

async function planUpdate(
  ctx: Context,
  tx: Transaction,
  event: Stripe.Event,
  payment: Payment,
  news: News,
  facts: SaleFacts | undefined,
): Promise<Outcome> {
  if (event.account !== tenantAccountOf(payment)) {
    return { outcome: 'applied', writes: await planElsewhere(ctx, tx, event, payment) };
  }
  const { writes, created, then, patch } = facts ? await planSale(ctx, tx, payment, facts, event.id) : noSale;
  return { outcome: 'applied', writes: [...writes, ...(await planNews(ctx, tx, payment, news, patch))], created, then };
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
  'payment_intent.succeeded': intentMoved,
  'charge.succeeded': chargeBooked,
  'charge.updated': chargeBooked,
};
