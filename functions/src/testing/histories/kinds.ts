import type { RefundOrder } from '../../payments/refunds/orders.ts';
import type { Transfer } from '../../payments/transfers/transfers.ts';
import type { History } from './history.ts';
import { products } from './stage.ts';
import { booksOf, idOf, moneyOf, type Money } from './stripe-says.ts';

/**
 * What really happened in a history, mostly in Stripe's own words: a step that was drawn and refused has covered nothing.
 * Every one of these must have happened in some history.
 */
export const kinds = [
  'paid: own',
  'paid: destination',
  'paid: separate',
  'paid: held for sessions',
  'paid: direct',
  'paid: an order',
  'paid by bank debit',
  'bank debit failed later',
  'declined, then paid',
  '3-D Secure asked',
  '3-D Secure failed',
  'session completed',
  'refunded whole',
  'refunded in parts',
  'refunded at Stripe',
  'refund pending for a day',
  'refund waited for money',
  'refund failed later',
  'refund canceled',
  'refund made again after it failed',
  'refund whose reversal was refused',
  'share taken back later',
  'share owed by the coach',
  'dispute opened',
  'dispute won',
  'dispute lost',
  'dispute of a tenant',
  'dispute of a subscription',
  'dispute after a refund in part',
  'inquiry closed',
  'inquiry escalated',
  'early fraud warning',
  'review',
  'renewal paid',
  'renewal of a coach’s subscription',
  'renewal of a tenant’s subscription',
  'renewal failed',
  'renewal recovered',
  'subscription given up after retries',
  'subscription changed',
  'subscription canceled',
  'trial ended',
  'invoice paid or voided by hand',
  'payment canceled',
  'money moved by hand',
  'payout paid',
  'platform payout',
  'terms changed',
  'command twice at once',
  'process died',
  'events late',
  'events again',
  'events at once',
  'trouble at Stripe',
] as const;
export type Kind = (typeof kinds)[number];

export async function kindsOf(history: History): Promise<Set<Kind>> {
  const { stage, deliveries } = history;
  const found: Partial<Record<Kind, boolean>> = {};
  const note = (...some: Partial<Record<Kind, boolean>>[]) => {
    for (const each of some) for (const [kind, is] of Object.entries(each)) if (is) found[kind as Kind] = true;
  };
  const payments = new Map(
    (await stage.ctx.db.collection('payments').get()).docs.map((doc) => [doc.id, doc.data() as PaymentLike]),
  );
  for (const said of moneyOf(stage)) {
    const payment = payments.get(said.intent.id);
    if (said.intent.status === 'succeeded') note(paidKinds(payment, said));
    note(refundKinds(said), disputeKinds(payment, said, said.book !== stage.core.world.platform));
  }
  const did = (what: string) => history.log.some((line) => line === what);
  note({
    'invoice paid or voided by hand': did('settle an invoice'),
    'payment canceled': did('cancel a payment'),
    'terms changed': did('change terms'),
    'money moved by hand': did('move money by hand'),
    'command twice at once': history.twice > 0,
    'process died': history.deaths > 0,
  });
  note(subscriptionKinds(history), await orderKinds(history), eventKinds(history), {
    'events late': deliveries.late > 0,
    'events again': deliveries.again > 0,
    'events at once': deliveries.together > 0,
    'trouble at Stripe': stage.core.world.requests.some(({ fault }) => fault !== null),
    'payout paid': [...stage.core.world.books.values()].some((book) =>
      book.payouts.values().some(({ status }) => status === 'paid'),
    ),
    'platform payout': stage.core.world.platform.payouts.size > 0,
  });
  return new Set(Object.keys(found) as Kind[]);
}

interface PaymentLike {
  chargeModel: string;
  held?: { releasedMinor: number };
  orderId?: string;
  subscriptionId?: string;
}

type Found = Partial<Record<Kind, boolean>>;

function paidKinds(payment: PaymentLike | undefined, { charge, book, intent }: Money): Found {
  const debit = charge?.payment_method_details?.type === 'sepa_debit';
  const tries = book.charges.values().filter((each) => idOf(each.payment_intent) === intent.id);
  return {
    'paid: own': payment?.chargeModel === 'own',
    'paid: destination': payment?.chargeModel === 'destination',
    'paid: separate': payment?.chargeModel === 'separate' && !payment.held,
    'paid: held for sessions': payment?.held !== undefined,
    'paid: direct': payment?.chargeModel === 'direct',
    'paid: an order': payment?.orderId !== undefined,
    'paid by bank debit': debit,
    'declined, then paid': tries.some(({ status }) => status === 'failed'),
    'session completed': (payment?.held?.releasedMinor ?? 0) > 0,
  };
}

function refundKinds({ intent, charge, refunds, book }: Money): Found {
  const done = refunds.filter(({ status }) => status === 'succeeded');
  const failed = refunds.filter(({ status }) => status === 'failed');
  const late = (refund: (typeof refunds)[number]) => {
    const taken = book.balanceTransactions.get(idOf(refund.balance_transaction));
    return taken !== undefined && taken.created > refund.created + 60;
  };
  return {
    'refunded whole': done.some(({ amount }) => amount === intent.amount),
    'refunded in parts': done.some(({ amount }) => amount < intent.amount),
    'refunded at Stripe': done.some(({ metadata }) => !metadata?.refundId),
    'refund pending for a day': refunds.length > 0 && charge?.payment_method_details?.card?.last4 === '7726',
    'refund waited for money': refunds.some(late),
    'refund failed later': failed.length > 0,
    'refund canceled': refunds.some(({ status }) => status === 'canceled'),
    'refund made again after it failed': failed.some((each) =>
      refunds.some((other) => other.created > each.created + 86_400),
    ),
  };
}

function disputeKinds(payment: PaymentLike | undefined, { charge, disputes, refunds }: Money, tenant: boolean): Found {
  const moved = disputes.filter((each) => each.balance_transactions.length > 0);
  return {
    'dispute opened': moved.length > 0,
    'dispute won': moved.some(({ status }) => status === 'won'),
    'dispute lost': moved.some(({ status }) => status === 'lost'),
    'dispute of a tenant': tenant && moved.length > 0,
    'dispute of a subscription': payment?.subscriptionId !== undefined && moved.length > 0,
    'dispute after a refund in part': moved.length > 0 && refunds.length > 0,
    'inquiry closed': disputes.some(({ status }) => status === 'warning_closed'),
    // This card's disputes begin as inquiries.
    'inquiry escalated': moved.length > 0 && charge?.payment_method_details?.card?.last4 === '1976',
  };
}

function subscriptionKinds({ stage }: History): Found {
  const books = booksOf(stage);
  const renewals = books.flatMap((book) =>
    book.invoices
      .values()
      .filter(({ billing_reason, total }) => billing_reason === 'subscription_cycle' && total > 0)
      .map((invoice) => ({ invoice, book, tenant: book !== stage.core.world.platform })),
  );
  const paid = renewals.filter(({ invoice }) => invoice.status === 'paid');
  const ended = books.flatMap((book) => book.subscriptions.values());
  return {
    'renewal paid': paid.length > 0,
    'renewal of a tenant’s subscription': paid.some(({ tenant }) => tenant),
    'renewal of a coach’s subscription': paid.some(({ invoice, tenant, book }) => {
      const of = book.subscriptions.get(idOf(invoice.parent?.subscription_details?.subscription));
      return !tenant && products[of?.items.data[0]?.price.metadata.productId ?? '']?.coachId !== undefined;
    }),
    'renewal failed': renewals.some(({ invoice }) => invoice.attempt_count > 0 && invoice.status !== 'paid'),
    'renewal recovered': paid.some(({ invoice }) => invoice.attempt_count > 1),
    'subscription given up after retries': ended.some(
      ({ status, cancellation_details: why }) => status === 'unpaid' || why?.reason === 'payment_failed',
    ),
    'subscription canceled': ended.some(({ status }) => status === 'canceled'),
    'trial ended': ended.some(({ trial_end, status }) => trial_end !== null && status === 'active'),
  };
}

async function orderKinds({ stage }: History): Promise<Found> {
  const refunds = await stage.all<RefundOrder>('refundOrders');
  const transfers = await stage.all<Transfer>('transfers');
  const takeBacks = transfers.filter(({ kind }) => kind === 'reversal');
  return {
    'refund whose reversal was refused': refunds.some(({ failureCode }) => failureCode === 'balance_insufficient'),
    'share taken back later': takeBacks.some(({ status }) => status === 'done'),
    'share owed by the coach': takeBacks.some(({ status, attempt }) => status === 'refused' || attempt > 1),
  };
}

function eventKinds({ stage, log }: History): Found {
  const events = stage.core.world.events.values();
  const told = (type: string) => events.some((event) => event.type === type);
  return {
    'bank debit failed later': events.some(({ type, data }) => {
      const { failure_code: code, payment_method_details: how } = data.object as Record<string, { type?: string }>;
      return type === 'charge.failed' && code !== null && how?.type === 'sepa_debit';
    }),
    '3-D Secure asked': told('payment_intent.requires_action'),
    '3-D Secure failed': events.some(
      ({ type, data }) => type === 'payment_intent.payment_failed' && failureOf(data.object) === 'authentication',
    ),
    'early fraud warning': told('radar.early_fraud_warning.created'),
    review: told('review.opened'),
    'subscription changed': log.includes('change a subscription') && told('customer.subscription.updated'),
  };
}

function failureOf(object: unknown): string {
  const { last_payment_error: error } = object as { last_payment_error?: { code?: string } | null };
  return error?.code === 'payment_intent_authentication_failure' ? 'authentication' : 'other';
}
