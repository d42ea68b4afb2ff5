/** `invoices.createPreview`: the invoice that would be made, with nothing made. */
import type Stripe from 'stripe';
import { badParam } from '../../core/errors.ts';
import { embedded } from '../../core/list.ts';
import type { Invoice, Subscription } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { priceNamed } from '../catalogue.ts';
import { customerNamed } from '../lookup.ts';
import { periodOf, subscriptionOrder, upcomingInvoice, withPeriod } from './cycle.ts';
import { costOf } from './invoice-items.ts';
import { takePending } from './invoice-life.ts';
import { buildInvoice } from './invoice-shape.ts';
import { changeItems } from './items.ts';
import { periodLines, rhythmOf } from './lines.ts';
import type { Draft } from './lines.ts';
import { prorationsOf } from './subscription-update.ts';
import { subscriptionOf } from './subscription-shapes.ts';
import { subscriptionNamed } from './subscriptions.ts';
import { nowOf, periodEndAfter } from './time.ts';

type Params = Stripe.InvoiceCreatePreviewParams;

export function createPreview(world: World, book: Book, params: Params): Invoice {
  if (params.subscription !== undefined) return ofSubscription(world, book, params, params.subscription);
  const customer = customerNamed(book, params.customer ?? '');
  const items = params.subscription_details?.items;
  return items === undefined ? ofCustomer(world, book, params, customer) : ofNew(world, book, customer, items);
}

function ofSubscription(world: World, book: Book, params: Params, id: string): Invoice {
  const before = subscriptionNamed(book, id, 'subscription', 400);
  if (params.customer !== undefined && params.customer !== before.customer)
    throw badParam('customer', 'The subscription belongs to another customer.');
  const asked = params.subscription_details ?? {};
  if (asked.cancel_at_period_end === true || asked.cancel_now === true) throw nothingUpcoming();
  if (before.status === 'canceled' || before.status === 'incomplete_expired' || before.cancel_at !== null)
    throw nothingUpcoming();
  const now = nowOf(world, before);
  const extra = extraLines(book, params, now);
  if (asked.items === undefined) return upcomingInvoice(world, book, before, extra);
  const change = changeItems(world, book, before, asked.items, periodOf(before), now);
  const moved: Subscription = { ...before, items: embedded(before.items.url, change.items) };
  const behavior = asked.proration_behavior ?? 'create_prorations';
  const billed = ['active', 'past_due'].includes(before.status);
  const prorations =
    billed && behavior !== 'none' ? prorationsOf(book, before, change, asked.proration_date ?? now) : [];
  if (!change.newRhythm && behavior !== 'always_invoice')
    return upcomingInvoice(world, book, moved, [...prorations, ...extra]);
  const period = { start: now, end: periodEndAfter(now, now, rhythmOf(change.items[0]!.price)) };
  const restarted = { ...moved, items: withPeriod(moved, period) };
  const order = subscriptionOrder(world, book, moved, {
    reason: 'upcoming',
    lines: [
      ...(change.newRhythm ? periodLines(book, restarted) : []),
      ...takePending(book, before.customer as string, id),
      ...prorations,
      ...extra,
    ],
    period: periodOf(before),
    finalizesAt: null,
    autoAdvance: true,
  });
  return buildInvoice(world, book, { ...order, id: world.ids.next('upcoming_in') });
}

function ofNew(
  world: World,
  book: Book,
  customer: Stripe.Customer,
  items: NonNullable<NonNullable<Params['subscription_details']>['items']>,
): Invoice {
  const now = nowOf(world, customer);
  const lines = items.map((item, i) => {
    if (item.price === undefined)
      throw badParam(`items[${i}][price]`, 'Missing required param: price.', 'parameter_missing');
    return {
      price: priceNamed(book, item.price, `subscription_details[items][${i}][price]`, 400),
      quantity: item.quantity ?? 1,
      metadata: {},
    };
  });
  const [first] = lines;
  if (!first) throw badParam('subscription_details[items]', 'Missing required param: items.', 'parameter_missing');
  const period = { start: now, end: periodEndAfter(now, now, rhythmOf(first.price)) };
  const made = subscriptionOf(
    world,
    world.ids.next('sub'),
    {},
    { customer, lines, now, period, anchor: now, trialEnd: null },
  );
  const order = subscriptionOrder(world, book, made, {
    reason: 'upcoming',
    lines: [...periodLines(book, made), ...takePending(book, customer.id, null)],
    period: { start: now, end: now },
    finalizesAt: null,
    autoAdvance: true,
  });
  return { ...buildInvoice(world, book, { ...order, id: world.ids.next('upcoming_in') }), parent: null };
}

function ofCustomer(world: World, book: Book, params: Params, customer: Stripe.Customer): Invoice {
  const now = nowOf(world, customer);
  const lines = [...takePending(book, customer.id, null), ...extraLines(book, params, now)];
  if (lines.length === 0) throw nothingUpcoming();
  return buildInvoice(world, book, {
    id: world.ids.next('upcoming_in'),
    customer,
    subscription: null,
    reason: 'upcoming',
    lines,
    period: { start: now, end: now },
    discounts: [],
    autoAdvance: true,
    finalizesAt: null,
    collection: 'charge_automatically',
  });
}

function extraLines(book: Book, params: Params, now: number): Draft[] {
  return (params.invoice_items ?? []).map((item) => {
    const { amount, quantity, price } = costOf(book, {
      ...(item.amount === undefined ? {} : { amount: item.amount }),
      ...(item.quantity === undefined ? {} : { quantity: item.quantity }),
      ...(item.price === undefined ? {} : { pricing: { price: item.price } }),
    });
    return {
      amount,
      description: item.description ?? 'Invoice item',
      quantity,
      price,
      unitAmount: price?.unit_amount ?? null,
      period: item.period ?? { start: now, end: now },
      proration: false,
      discountable: item.discountable ?? true,
      metadata: {},
      subscription: null,
      subscriptionItem: null,
      invoiceItem: '',
    };
  });
}

const nothingUpcoming = () =>
  badParam('', 'No upcoming invoices for customer: nothing would be billed.', 'invoice_upcoming_none');
