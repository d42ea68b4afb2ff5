/** Subscriptions: made, read, canceled, resumed. */
import type Stripe from 'stripe';
import { StripeFailure, badParam, missing, refused } from '../../core/errors.ts';
import { emit, emitChange } from '../../core/events.ts';
import { inRange, limitOf, page } from '../../core/list.ts';
import { textOrNull } from '../../core/params.ts';
import type { ExpandOnly } from '../../core/params.ts';
import type { Invoice, Subscription } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { customerNamed } from '../lookup.ts';
import { cardOf } from '../payment-methods.ts';
import { createSetupIntent } from '../setup-intents.ts';
import { mustAuthenticate } from '../three-d-secure.ts';
import { bill, periodOf, scheduleCycle, subscriptionOrder } from './cycle.ts';
import { askedDiscounts, redeem, redeemable } from './discounts.ts';
import type { Redeemable } from './discounts.ts';
import { collect, finalizeInvoice, noMethod, storeDraft, takePending, tellDraft, voidInvoice } from './invoice-life.ts';
import { makeInvoiceItems } from './invoice-items.ts';
import { linesOf } from './items.ts';
import { periodLines, prorationLine, rhythmOf } from './lines.ts';
import { requireShare } from './sharing.ts';
import { ENDED, changeSubscription, endSubscription } from './standing.ts';
import { subscriptionOf } from './subscription-shapes.ts';
import { nowOf, periodEndAfter, schedule } from './time.ts';

const DAY = 86_400;
/** How long a first payment may take. */
const INCOMPLETE_SECONDS = 23 * 3_600;

export function createSubscription(world: World, book: Book, params: Stripe.SubscriptionCreateParams): Subscription {
  const customer = customerNamed(book, params.customer ?? '');
  const now = nowOf(world, customer);
  const method = params.default_payment_method;
  requireMethod(book, customer, method);
  requireShare(world, book, params);
  requireCollection(params.collection_method, params.days_until_due);
  const cancelAt = requireCancelAt(params.cancel_at, now);
  const trialEnd = trialEndOf(params, now);
  const redeemed = (askedDiscounts(params.discounts) ?? []).map((each, i) =>
    redeemable(world, book, each, customer.id, `discounts[${i}]`),
  );
  const behavior = params.payment_behavior ?? 'allow_incomplete';
  const card = method ?? (customer.invoice_settings.default_payment_method as string | null);
  const sends = params.collection_method === 'send_invoice';
  const paysNow =
    !sends &&
    trialEnd === null &&
    behavior !== 'default_incomplete' &&
    maySell(book, params.items ?? [], card === null);
  if (paysNow && card === null) throw noMethod();
  if (paysNow && behavior === 'error_if_incomplete') requirePaying(book, card!);
  const lines = linesOf(world, book, params.items ?? []);
  const id = world.ids.next('sub');
  const anchor = trialEnd ?? now;
  const period = { start: now, end: trialEnd ?? periodEndAfter(now, now, rhythmOf(lines[0]!.price)) };
  const made = subscriptionOf(world, id, params, { customer, lines, now, period, anchor, trialEnd });
  const atPeriodEnd = params.cancel_at_period_end === true;
  book.subscriptions.add({
    ...made,
    cancel_at: atPeriodEnd ? period.end : cancelAt,
    cancel_at_period_end: atPeriodEnd,
    canceled_at: atPeriodEnd || cancelAt !== null ? now : null,
  });
  if (trialEnd !== null && behavior === 'default_incomplete' && !sends && card === null) {
    const setup = createSetupIntent(world, book, { customer: customer.id });
    book.subscriptions.update(id, { pending_setup_intent: setup.id });
  }
  return begin(world, book, id, { customer, redeemed, trialEnd, sends, paysNow });
}

/** Whether the items cost anything: only asked where it decides whether a card is needed. */
function maySell(book: Book, items: Stripe.SubscriptionCreateParams.Item[], matters: boolean): boolean {
  if (!matters) return true;
  return items.some(
    (item) => (item.price_data?.unit_amount ?? book.prices.get(item.price ?? '')?.unit_amount ?? 1) > 0,
  );
}

interface Beginning {
  customer: Stripe.Customer;
  redeemed: Redeemable[];
  trialEnd: number | null;
  sends: boolean;
  paysNow: boolean;
}

function begin(world: World, book: Book, id: string, how: Beginning): Subscription {
  const { customer, trialEnd, sends } = how;
  const now = nowOf(world, customer);
  const discounts = how.redeemed.map((each) => redeem(world, book, each, { customer, subscription: id }).id);
  const draft = book.subscriptions.update(id, { discounts });
  const invoice = storeDraft(
    world,
    book,
    subscriptionOrder(world, book, draft, {
      reason: 'subscription_create',
      lines: [...periodLines(book, draft, trialEnd !== null), ...takePending(book, customer.id, id)],
      period: { start: now, end: now },
      finalizesAt: sends && trialEnd === null ? now + 3_600 : null,
      autoAdvance: sends && trialEnd === null,
    }),
  );
  const owes = invoice.amount_due > 0;
  const status = trialEnd !== null ? 'trialing' : sends || !owes ? 'active' : 'incomplete';
  const subscription = book.subscriptions.update(id, { latest_invoice: invoice.id, status });
  emit(world, book, 'customer.subscription.created', subscription);
  tellDraft(world, book, invoice);
  if (subscription.cancel_at !== null && !subscription.cancel_at_period_end)
    schedule(world, subscription, {
      at: subscription.cancel_at,
      kind: 'subscription_cancels',
      account: book.account,
      id,
    });
  scheduleCycle(world, book, subscription);
  if (sends && trialEnd === null) return subscription;
  const open = finalizeInvoice(world, book, invoice.id);
  if (status === 'incomplete') {
    schedule(world, subscription, {
      at: now + INCOMPLETE_SECONDS,
      kind: 'subscription_expires',
      account: book.account,
      id,
    });
  }
  if (how.paysNow && open.status === 'open') collect(world, book, open, { automatic: true, offSession: false });
  return book.subscriptions.get(id)!;
}

export function requireMethod(book: Book, customer: Stripe.Customer, id: string | undefined): void {
  if (id === undefined || book.paymentMethods.get(id)?.customer === customer.id) return;
  throw badParam(
    'default_payment_method',
    `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    'resource_missing',
  );
}

/** `error_if_incomplete`: a card that will not simply pay refuses the request before anything is made. */
export function requirePaying(book: Book, id: string): void {
  const method = book.paymentMethods.get(id);
  if (!method) throw missing('PaymentMethod', id, 'default_payment_method', 400);
  const card = cardOf(method);
  const { outcome } = card;
  if (mustAuthenticate(book, card, method, false))
    throw new StripeFailure(402, {
      type: 'card_error',
      code: 'subscription_payment_intent_requires_action',
      message: 'Payment for this subscription requires additional user action before it can be completed successfully.',
    });
  if (outcome.kind === 'pays') return;
  throw new StripeFailure(402, {
    type: 'card_error',
    code: outcome.code,
    ...(outcome.declineCode === null ? {} : { decline_code: outcome.declineCode }),
    message: outcome.message,
  });
}

export function requireCollection(method: string | undefined, days: number | undefined): void {
  if (method === 'send_invoice' && days === undefined)
    throw badParam(
      'days_until_due',
      'You must pass `days_until_due` with `collection_method` = send_invoice.',
      'parameter_missing',
    );
  if (method !== 'send_invoice' && days !== undefined)
    throw badParam('days_until_due', '`days_until_due` can only be set with `collection_method` = send_invoice.');
  if (days !== undefined && (days < 0 || days > 365)) throw badParam('days_until_due', 'Invalid days_until_due');
}

export function requireCancelAt(given: unknown, now: number): number | null {
  if (given === undefined || given === null || given === '') return null;
  if (typeof given !== 'number' || given <= now)
    throw badParam('cancel_at', 'cancel_at must be a timestamp in the future.', 'parameter_invalid_integer');
  return given;
}

function trialEndOf(params: Stripe.SubscriptionCreateParams, now: number): number | null {
  const { trial_period_days: days, trial_end: end } = params;
  if (days !== undefined && end !== undefined)
    throw badParam('trial_period_days', 'You may only specify one of these parameters: trial_end, trial_period_days.');
  if (days !== undefined) {
    if (days < 1 || days > 730) throw badParam('trial_period_days', 'A trial has from 1 to 730 days.');
    return now + days * DAY;
  }
  if (end === undefined || end === 'now') return null;
  if (end <= now || end > now + 730 * DAY)
    throw badParam('trial_end', 'trial_end must be in the future, and at most two years from now.');
  return end;
}

export function subscriptionNamed(book: Book, id: string, param = 'id', status: 400 | 404 = 404): Subscription {
  const subscription = book.subscriptions.get(id);
  if (!subscription) throw missing('subscription', id, param, status);
  return subscription;
}

export const retrieveSubscription = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) =>
  subscriptionNamed(book, id);

export const listSubscriptions = (_: World, book: Book, params: Stripe.SubscriptionListParams) =>
  page(
    book.subscriptions,
    '/v1/subscriptions',
    params,
    (each) =>
      inRange(each.created, params.created) &&
      (params.customer === undefined || each.customer === params.customer) &&
      (params.price === undefined || each.items.data.some((item) => item.price.id === params.price)) &&
      (params.test_clock === undefined || each.test_clock === params.test_clock) &&
      (params.collection_method === undefined || each.collection_method === params.collection_method) &&
      byStatus(each, params.status),
  );

/** Without a status Stripe lists all but the canceled ones; `all` lists every one, `ended` those that are over. */
function byStatus(subscription: Subscription, wanted: Stripe.SubscriptionListParams['status']): boolean {
  if (wanted === undefined) return subscription.status !== 'canceled';
  if (wanted === 'all') return true;
  return wanted === 'ended' ? ENDED.includes(subscription.status) : subscription.status === wanted;
}

/** Search by `status` and `metadata`, clauses joined by AND. */
export function searchSubscriptions(world: World, book: Book, params: Stripe.SubscriptionSearchParams) {
  const clauses = params.query.split(/\s+AND\s+/).map((text) => {
    const match = /^\s*(?:metadata\[(["'])(.+?)\1\]|status)\s*:\s*(["'])(.*)\3\s*$/.exec(text);
    if (!match)
      throw badParam(
        'query',
        `We were unable to parse your search query (${text.trim()}). The emulator searches subscriptions by status and metadata['key'], with :, joined by AND.`,
      );
    const [, , key, , wanted = ''] = match;
    return (each: Subscription) => (key === undefined ? each.status : (each.metadata[key] ?? null)) === wanted;
  });
  const limit = limitOf(params.limit);
  const start = params.page === undefined ? 0 : Number(params.page);
  if (!Number.isInteger(start)) throw badParam('page', `Invalid page: ${params.page}`);
  const seen = world.now - world.switches.searchDelaySeconds;
  const found = [...book.subscriptions.walk()].filter(
    (each) =>
      each.created <= Math.max(seen, nowOf(world, each) - world.switches.searchDelaySeconds) &&
      clauses.every((clause) => clause(each)),
  );
  const more = found.length > start + limit;
  return {
    object: 'search_result',
    url: '/v1/subscriptions/search',
    has_more: more,
    data: found.slice(start, start + limit),
    next_page: more ? String(start + limit) : null,
  };
}

export function cancelSubscription(
  world: World,
  book: Book,
  params: Stripe.SubscriptionCancelParams,
  [id = '']: string[],
): Subscription {
  const before = subscriptionNamed(book, id);
  if (ENDED.includes(before.status)) throw missing('subscription', id, 'id', 404);
  if (before.status === 'incomplete') giveUpInvoice(world, book, before);
  const now = nowOf(world, before);
  const prorates = params.prorate === true && ['active', 'past_due'].includes(before.status);
  if (prorates) {
    const credits = before.items.data.map((item) => prorationLine(book, before, item, now, -1));
    makeInvoiceItems(world, book, before, credits);
  }
  const after = endSubscription(world, book, before, 'cancellation_requested', {
    comment: textOrNull(params.cancellation_details?.comment),
    feedback: textOrNull(params.cancellation_details?.feedback),
  });
  if (params.invoice_now !== true) return after;
  const lines = takePending(book, after.customer as string, id);
  if (lines.length === 0) return after;
  const invoice = invoiceNow(world, book, after, lines, 'subscription_update', true);
  return book.subscriptions.update(id, { latest_invoice: invoice.id });
}

/** An invoice of a subscription that is finalized, and by wish paid, at once. */
export function invoiceNow(
  world: World,
  book: Book,
  subscription: Subscription,
  lines: Parameters<typeof subscriptionOrder>[3]['lines'],
  reason: 'subscription_update' | 'subscription_cycle',
  pays: boolean,
): Invoice {
  const order = subscriptionOrder(world, book, subscription, {
    reason,
    lines,
    period: periodOf(subscription),
    finalizesAt: null,
    autoAdvance: true,
  });
  const draft = storeDraft(world, book, order);
  if (!ENDED.includes(subscription.status))
    changeSubscription(world, book, subscription.id, { latest_invoice: draft.id });
  tellDraft(world, book, draft);
  const open = finalizeInvoice(world, book, draft.id);
  if (open.status !== 'open' || !pays) return open;
  if (open.collection_method === 'send_invoice') {
    emit(world, book, 'invoice.sent', open);
    return open;
  }
  return collect(world, book, open, { automatic: true, offSession: true });
}

/** An unpaid first invoice ends with its subscription, and its PaymentIntent with it. */
function giveUpInvoice(world: World, book: Book, subscription: Subscription): void {
  const invoice = book.invoices.get((subscription.latest_invoice as string | null) ?? '');
  if (invoice?.status === 'open') voidInvoice(world, book, invoice);
}

/** The first payment did not come in 23 hours. */
export function subscriptionExpires(world: World, book: Book, id: string): void {
  const before = book.subscriptions.get(id);
  if (before?.status !== 'incomplete') return;
  giveUpInvoice(world, book, before);
  const after = book.subscriptions.update(id, { status: 'incomplete_expired', ended_at: nowOf(world, before) });
  emitChange(world, book, 'customer.subscription.updated', before, after);
}

/** A paused subscription goes on: a new period begins now, with an invoice that is paid at once. */
export function resumeSubscription(
  world: World,
  book: Book,
  _: Stripe.SubscriptionResumeParams,
  [id = '']: string[],
): Subscription {
  const before = subscriptionNamed(book, id);
  if (before.status !== 'paused')
    throw refused(
      `This subscription cannot be resumed: its status is ${before.status}, not paused.`,
      'resource_invalid_state',
    );
  const now = nowOf(world, before);
  const period = { start: now, end: periodEndAfter(now, now, rhythmOf(before.items.data[0]!.price)) };
  const invoice = bill(world, book, before, period, periodOf(before), { billing_cycle_anchor: now, status: 'active' });
  emit(world, book, 'customer.subscription.resumed', book.subscriptions.get(id)!);
  const open = finalizeInvoice(world, book, invoice.id);
  if (open.status === 'open' && open.collection_method === 'charge_automatically')
    collect(world, book, open, { automatic: true, offSession: true });
  return book.subscriptions.get(id)!;
}
