/** Subscriptions with their first invoice. Renewals are not built: what a period's end would bring is only noted. */
import type Stripe from 'stripe';
import { badParam, missing, refused, unsupported } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { inRange, page } from '../core/list.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Price, Subscription } from '../core/wire.ts';
import type { Book, World } from '../core/world.ts';
import { makePrice, priceNamed } from './catalogue.ts';
import { firstInvoice } from './first-invoice.ts';
import { voidInvoice } from './invoices.ts';
import { customerNamed } from './lookup.ts';
import { requireChargeable } from './money.ts';
import { cancelIntent } from './payment-intents.ts';
import { subscriptionOf } from './subscription-shapes.ts';
import type { Line } from './subscription-shapes.ts';

/** How long a first payment may take. */
const INCOMPLETE_SECONDS = 23 * 3_600;

export function createSubscription(world: World, book: Book, params: Stripe.SubscriptionCreateParams): Subscription {
  const customer = customerNamed(book, params.customer ?? '');
  if (params.payment_behavior !== 'default_incomplete') {
    throw unsupported('payment_behavior', 'subscriptions other than with payment_behavior = default_incomplete');
  }
  requireMethod(book, customer, params.default_payment_method);
  const lines = linesOf(world, book, params.items ?? []);
  const total = lines.reduce((sum, line) => sum + (line.price.unit_amount ?? 0) * line.quantity, 0);
  requireChargeable(total);
  const id = world.ids.next('sub');
  const draft = subscriptionOf(world, id, params, lines);
  book.subscriptions.add(draft);
  const invoice = firstInvoice(world, book, draft, customer, lines, total);
  const subscription = book.subscriptions.update(id, { latest_invoice: invoice.id });
  emit(world, book, 'customer.subscription.created', subscription);
  emit(world, book, 'invoice.created', { ...invoice, status: 'draft' });
  emit(world, book, 'invoice.finalized', invoice);
  world.timers.add({ at: world.now + INCOMPLETE_SECONDS, kind: 'subscription_expires', account: book.account, id });
  world.timers.add({
    at: subscription.items.data[0]!.current_period_end,
    kind: 'subscription_period_ends',
    account: book.account,
    id,
  });
  return subscription;
}

function requireMethod(book: Book, customer: Stripe.Customer, id: string | undefined): void {
  if (id === undefined || book.paymentMethods.get(id)?.customer === customer.id) return;
  throw badParam(
    'default_payment_method',
    `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    'resource_missing',
  );
}

function linesOf(world: World, book: Book, items: Stripe.SubscriptionCreateParams.Item[]): Line[] {
  if (items.length === 0) throw badParam('items', 'Missing required param: items.', 'parameter_missing');
  // Everything is checked before a price is made of price_data, so that a refusal leaves nothing behind.
  const found = items.map((item, i) => {
    if ((item.price === undefined) === (item.price_data === undefined)) {
      throw badParam(`items[${i}][price]`, 'You must specify either `price` or `price_data`.', 'parameter_missing');
    }
    const quantity = item.quantity ?? 1;
    if (quantity < 1) throw badParam(`items[${i}][quantity]`, 'Invalid positive integer', 'parameter_invalid_integer');
    const price = item.price === undefined ? undefined : priceNamed(book, item.price, `items[${i}][price]`, 400);
    if (price && !price.active)
      throw refused(
        `The price specified is inactive. This field only accepts active prices.`,
        undefined,
        `items[${i}][price]`,
      );
    if (price && price.type !== 'recurring') {
      throw refused(
        'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
        undefined,
        `items[${i}][price]`,
      );
    }
    return { item, quantity, price };
  });
  const lines = found.map(({ item, quantity, price }) => ({
    price: price ?? makePrice(world, book, { ...item.price_data!, active: false }),
    quantity,
    metadata: mergeMetadata({}, item.metadata),
  }));
  const rhythm = (price: Price) => `${price.recurring?.interval_count} ${price.recurring?.interval}`;
  if (new Set(lines.map((line) => rhythm(line.price))).size > 1) {
    throw unsupported('items', 'prices with different intervals in one subscription');
  }
  return lines;
}

function subscriptionNamed(book: Book, id: string): Subscription {
  const subscription = book.subscriptions.get(id);
  if (!subscription) throw missing('subscription', id, 'id', 404);
  return subscription;
}

export const retrieveSubscription = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) =>
  subscriptionNamed(book, id);

const ENDED = ['canceled', 'incomplete_expired'];

export const listSubscriptions = (_: World, book: Book, params: Stripe.SubscriptionListParams) =>
  page(
    book.subscriptions,
    '/v1/subscriptions',
    params,
    (each) =>
      inRange(each.created, params.created) &&
      (params.customer === undefined || each.customer === params.customer) &&
      (params.price === undefined || each.items.data.some((item) => item.price.id === params.price)) &&
      byStatus(each, params.status),
  );

/** Without a status Stripe lists all but the canceled ones; `all` lists every one, `ended` those that are over. */
function byStatus(subscription: Subscription, wanted: Stripe.SubscriptionListParams['status']): boolean {
  if (wanted === undefined) return subscription.status !== 'canceled';
  if (wanted === 'all') return true;
  return wanted === 'ended' ? ENDED.includes(subscription.status) : subscription.status === wanted;
}

export function cancelSubscription(
  world: World,
  book: Book,
  params: Stripe.SubscriptionCancelParams,
  [id = '']: string[],
): Subscription {
  const before = subscriptionNamed(book, id);
  if (ENDED.includes(before.status)) throw missing('subscription', id, 'id', 404);
  giveUpInvoice(world, book, before);
  const after = book.subscriptions.update(id, {
    status: 'canceled',
    canceled_at: world.now,
    ended_at: world.now,
    cancellation_details: {
      comment: textOrNull(params.cancellation_details?.comment),
      feedback: textOrNull(params.cancellation_details?.feedback),
      feedback_option: null,
      reason: 'cancellation_requested',
    },
  });
  emit(world, book, 'customer.subscription.deleted', after);
  return after;
}

/** An unpaid first invoice ends with its subscription, and its PaymentIntent with it. */
function giveUpInvoice(world: World, book: Book, subscription: Subscription): void {
  const invoice = book.invoices.get((subscription.latest_invoice as string | null) ?? '');
  if (invoice?.status !== 'open') return;
  voidInvoice(world, book, invoice);
  for (const payment of book.invoicePayments.walk({ group: invoice.id })) {
    const intent = book.paymentIntents.get(payment.payment.payment_intent as string);
    if (intent && intent.status !== 'succeeded') cancelIntent(world, book, intent, 'void_invoice');
  }
}

/** The first payment did not come in 23 hours. */
export function subscriptionExpires(world: World, book: Book, id: string): void {
  const before = book.subscriptions.get(id);
  if (before?.status !== 'incomplete') return;
  giveUpInvoice(world, book, before);
  const after = book.subscriptions.update(id, { status: 'incomplete_expired', ended_at: world.now });
  emitChange(world, book, 'customer.subscription.updated', before, after);
}

/** Stripe would renew here. The emulator cannot, and says so where its state is read. */
export function subscriptionPeriodEnds(world: World, book: Book, id: string): void {
  if (book.subscriptions.get(id)?.status !== 'active') return;
  world.notices.push(
    `${new Date(world.now * 1000).toISOString()}: the period of ${id} ended. The emulator does not renew subscriptions: ` +
      'it stays active with its old period, and no invoice is made.',
  );
}
