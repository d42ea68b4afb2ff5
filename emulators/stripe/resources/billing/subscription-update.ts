/** Changes of a subscription: what it is for, how much, until when, how it is paid; with prorations. */
import type Stripe from 'stripe';
import { badParam, missing, refused, unsupported } from '../../core/errors.ts';
import { emitChange } from '../../core/events.ts';
import { embedded, page } from '../../core/list.ts';
import { mergeMetadata, textOrNull } from '../../core/params.ts';
import type { ExpandOnly } from '../../core/params.ts';
import { Collection } from '../../core/collection.ts';
import type { Subscription, SubscriptionItem } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { customerNamed } from '../lookup.ts';
import { periodOf, scheduleCycle, withPeriod } from './cycle.ts';
import { askedDiscounts, redeem, redeemable } from './discounts.ts';
import { makeInvoiceItems } from './invoice-items.ts';
import { noMethod, takePending } from './invoice-life.ts';
import { changeItems } from './items.ts';
import type { ItemChange } from './items.ts';
import { itemAmount, periodLines, prorationLine, rhythmOf } from './lines.ts';
import type { Draft } from './lines.ts';
import { requireShare } from './sharing.ts';
import { ENDED } from './standing.ts';
import {
  invoiceNow,
  requireCancelAt,
  requireCollection,
  requireMethod,
  requirePaying,
  subscriptionNamed,
} from './subscriptions.ts';
import { nowOf, periodEndAfter, schedule } from './time.ts';
import type { Period } from './time.ts';

type Params = Stripe.SubscriptionUpdateParams;

/** The credits and charges of changed items for the rest of their period. */
export function prorationsOf(book: Book, subscription: Subscription, change: ItemChange, at: number): Draft[] {
  return change.changed.flatMap(({ before, after }) => [
    ...(before && itemAmount(before) > 0 ? [prorationLine(book, subscription, before, at, -1)] : []),
    ...(after && !change.newRhythm && itemAmount(after) > 0 ? [prorationLine(book, subscription, after, at, 1)] : []),
  ]);
}

export function updateSubscription(world: World, book: Book, params: Params, [id = '']: string[]): Subscription {
  const before = subscriptionNamed(book, id);
  if (ENDED.includes(before.status)) {
    const harmless = Object.keys(params).every((name) => ['metadata', 'cancellation_details', 'expand'].includes(name));
    if (!harmless) throw refused('A canceled subscription can only update its cancellation_details and metadata.');
  }
  const plan = planUpdate(world, book, before, params);
  const after = book.subscriptions.put(plan.next);
  const { discounts } = plan;
  const last = discounts === undefined ? after : book.subscriptions.update(id, { discounts: discounts() });
  emitChange(world, book, 'customer.subscription.updated', before, last);
  const now = nowOf(world, before);
  if (last.cancel_at !== null && last.cancel_at !== before.cancel_at && !last.cancel_at_period_end)
    schedule(world, last, { at: last.cancel_at, kind: 'subscription_cancels', account: book.account, id });
  const resumes = last.pause_collection?.resumes_at ?? null;
  if (resumes !== null && resumes !== before.pause_collection?.resumes_at)
    schedule(world, last, { at: Math.max(now, resumes), kind: 'collection_resumes', account: book.account, id });
  if (periodOf(last).end !== periodOf(before).end) scheduleCycle(world, book, last);
  makeInvoiceItems(world, book, last, plan.prorations);
  if (plan.invoices) {
    const lines = [
      ...(plan.restarts ? periodLines(book, last) : []),
      ...takePending(book, last.customer as string, id),
    ];
    const pays = params.payment_behavior !== 'default_incomplete';
    if (lines.length > 0) invoiceNow(world, book, last, lines, 'subscription_update', pays);
  }
  return book.subscriptions.get(id)!;
}

interface Update {
  next: Subscription;
  prorations: Draft[];
  /** A new period begins now. */
  restarts: boolean;
  /** An invoice is made at once. */
  invoices: boolean;
  discounts?: () => string[];
}

/** Checks everything and says what the update comes to; nothing is changed yet. */
function planUpdate(world: World, book: Book, before: Subscription, params: Params): Update {
  const now = nowOf(world, before);
  const customer = customerNamed(book, before.customer as string);
  requireMethod(book, customer, params.default_payment_method);
  requireShare(world, book, {
    transfer_data: params.transfer_data === undefined ? sharedAs(before) : params.transfer_data,
    application_fee_percent: params.application_fee_percent === undefined ? undefined : params.application_fee_percent,
  });
  const cancelAt = requireCancelAt(params.cancel_at, now);
  const asked = askedDiscounts(params.discounts)?.map((each, i) =>
    redeemable(world, book, each, customer.id, `discounts[${i}]`),
  );
  const behavior = params.proration_behavior ?? 'create_prorations';
  const at = prorationMoment(before, params.proration_date, now);
  const change =
    params.items === undefined
      ? { items: before.items.data, changed: [], newRhythm: false }
      : changeItems(world, book, before, params.items, periodOf(before), now);
  const trial = trialChange(before, params, now);
  const billed = ['active', 'past_due', 'unpaid'].includes(before.status);
  const restarts = trial === 'ends' || (billed && (change.newRhythm || params.billing_cycle_anchor?.type === 'now'));
  const prorates = billed && behavior !== 'none';
  const rest =
    billed && params.billing_cycle_anchor?.type === 'now' && !change.newRhythm ? untouched(before, change) : [];
  const prorations = prorates
    ? [
        ...prorationsOf(book, before, restarts ? { ...change, newRhythm: true } : change, at),
        ...rest.map((item) => prorationLine(book, before, item, at, -1)),
      ]
    : [];
  const invoices = restarts || (behavior === 'always_invoice' && prorations.length > 0);
  if (invoices && params.payment_behavior === 'error_if_incomplete') {
    const method = before.default_payment_method ?? customer.invoice_settings.default_payment_method;
    if (method === null) throw noMethod();
    requirePaying(book, method as string);
  }
  const items = embedded<SubscriptionItem>(before.items.url, change.items);
  const moved = { ...before, items };
  const period: Period = restarts
    ? { start: now, end: periodEndAfter(now, now, rhythmOf(items.data[0]!.price)) }
    : typeof trial === 'number'
      ? { start: periodOf(before).start, end: trial }
      : periodOf(before);
  const next = settings({ ...moved, items: withPeriod(moved, period) }, params, now, cancelAt);
  return {
    next: {
      ...next,
      ...(restarts ? { billing_cycle_anchor: now } : {}),
      ...(trial === 'ends' ? { status: 'active' as const, trial_end: now } : {}),
      ...(typeof trial === 'number' ? { trial_end: trial, billing_cycle_anchor: trial } : {}),
    },
    prorations,
    restarts,
    invoices,
    ...(asked === undefined
      ? {}
      : { discounts: () => asked.map((each) => redeem(world, book, each, { customer, subscription: before.id }).id) }),
  };
}

const sharedAs = (before: Subscription) =>
  before.transfer_data === null
    ? undefined
    : {
        destination: before.transfer_data.destination as string,
        ...(before.transfer_data.amount_percent === null
          ? {}
          : { amount_percent: before.transfer_data.amount_percent }),
      };

const untouched = (before: Subscription, change: ItemChange): SubscriptionItem[] =>
  before.items.data.filter(
    (item) => itemAmount(item) > 0 && !change.changed.some((each) => each.before?.id === item.id),
  );

function prorationMoment(before: Subscription, given: number | undefined, now: number): number {
  if (given === undefined) return now;
  const { start, end } = periodOf(before);
  if (given < start || given > end)
    throw badParam('proration_date', 'Cannot specify proration_date outside of current subscription period.');
  return given;
}

/** `ends`: billing begins now; a number: the trial goes on until then. */
function trialChange(before: Subscription, params: Params, now: number): 'ends' | number | undefined {
  const { trial_end: end } = params;
  if (end === undefined) return undefined;
  if (before.status !== 'trialing') {
    if (end === 'now') return undefined;
    throw unsupported('trial_end', 'a trial on a subscription that is not trialing');
  }
  if (end === 'now') return 'ends';
  if (end <= now) throw badParam('trial_end', 'trial_end must be in the future, or `now`.');
  return end;
}

/** What is simply set. */
function settings(sub: Subscription, params: Params, now: number, cancelAt: number | null): Subscription {
  const next = { ...sub };
  const { end } = periodOf(sub);
  const { transfer_data: transfer, pause_collection: pause, application_fee_percent: fee } = params;
  if (params.metadata !== undefined) next.metadata = mergeMetadata(sub.metadata, params.metadata);
  if (params.description !== undefined) next.description = textOrNull(params.description);
  if (params.default_payment_method !== undefined) next.default_payment_method = params.default_payment_method;
  if (params.payment_settings?.save_default_payment_method !== undefined && next.payment_settings)
    next.payment_settings = {
      ...next.payment_settings,
      save_default_payment_method: params.payment_settings.save_default_payment_method,
    };
  if (params.trial_settings !== undefined)
    next.trial_settings = {
      end_behavior: {
        billing_cycle_anchor: null,
        missing_payment_method: params.trial_settings.end_behavior.missing_payment_method ?? 'create_invoice',
      },
    };
  if (fee !== undefined) next.application_fee_percent = typeof fee === 'number' ? fee : null;
  if (transfer !== undefined)
    next.transfer_data = transfer
      ? { destination: transfer.destination, amount_percent: transfer.amount_percent ?? null }
      : null;
  if (pause !== undefined)
    next.pause_collection = pause
      ? { behavior: pause.behavior, resumes_at: typeof pause.resumes_at === 'number' ? pause.resumes_at : null }
      : null;
  if (params.collection_method !== undefined || params.days_until_due !== undefined) {
    const method = params.collection_method ?? sub.collection_method;
    requireCollection(
      method,
      params.days_until_due ?? (method === 'send_invoice' ? (sub.days_until_due ?? undefined) : undefined),
    );
    next.collection_method = method;
    next.days_until_due = method === 'send_invoice' ? (params.days_until_due ?? sub.days_until_due) : null;
  }
  const { comment, feedback } = params.cancellation_details ?? {};
  let details = sub.cancellation_details;
  if (params.cancel_at_period_end !== undefined && params.cancel_at !== undefined)
    throw badParam('cancel_at', 'You may only specify one of these parameters: cancel_at, cancel_at_period_end.');
  if (params.cancel_at_period_end === true || cancelAt !== null) {
    next.cancel_at_period_end = params.cancel_at_period_end === true;
    next.cancel_at = cancelAt ?? end;
    next.canceled_at = now;
    details = { comment: null, feedback: null, feedback_option: null, ...details, reason: 'cancellation_requested' };
  } else if (params.cancel_at_period_end === false || params.cancel_at !== undefined) {
    next.cancel_at_period_end = false;
    next.cancel_at = null;
    next.canceled_at = null;
    details = { comment: null, feedback: null, feedback_option: null, reason: null };
  } else if (next.cancel_at_period_end) {
    next.cancel_at = end;
  }
  if (params.cancellation_details !== undefined && details)
    details = {
      ...details,
      ...(comment === undefined ? {} : { comment: textOrNull(comment) }),
      ...(feedback === undefined ? {} : { feedback: textOrNull(feedback) }),
    };
  next.cancellation_details = details;
  return next;
}

function itemNamed(book: Book, id: string): { subscription: Subscription; item: SubscriptionItem } {
  for (const subscription of book.subscriptions.values()) {
    const item = subscription.items.data.find((each) => each.id === id);
    if (item) return { subscription, item };
  }
  throw missing('subscription_item', id, 'item', 404);
}

export const retrieveItem = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) => itemNamed(book, id).item;

export function listItems(_: World, book: Book, params: Stripe.SubscriptionItemListParams) {
  const { items } = subscriptionNamed(book, params.subscription, 'subscription', 400);
  const all = new Collection<SubscriptionItem>(new Map());
  // Lists are newest first; a subscription's items come in their own order.
  for (const item of [...items.data].reverse()) all.add(item);
  return page(all, '/v1/subscription_items', params);
}

export function updateItem(
  world: World,
  book: Book,
  params: Stripe.SubscriptionItemUpdateParams,
  [id = '']: string[],
): SubscriptionItem {
  const { subscription } = itemNamed(book, id);
  const { price, quantity, metadata, payment_behavior, proration_behavior, proration_date } = params;
  updateSubscription(
    world,
    book,
    {
      items: [
        {
          id,
          ...(price === undefined ? {} : { price }),
          ...(quantity === undefined ? {} : { quantity }),
          ...(metadata === undefined ? {} : { metadata }),
        },
      ],
      ...(payment_behavior === undefined ? {} : { payment_behavior }),
      ...(proration_behavior === undefined ? {} : { proration_behavior }),
      ...(proration_date === undefined ? {} : { proration_date }),
    },
    [subscription.id],
  );
  return itemNamed(book, id).item;
}
