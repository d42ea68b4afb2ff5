/** A subscription's life by the clock: trials end, periods are renewed and billed, cancellations take effect. */
import type Stripe from 'stripe';
import { StripeFailure } from '../../core/errors.ts';
import { emit, emitChange } from '../../core/events.ts';
import { embedded } from '../../core/list.ts';
import type { Invoice, Subscription } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { customerNamed } from '../lookup.ts';
import { carriedDiscounts } from './discounts.ts';
import {
  DRAFT_SECONDS,
  collect,
  finalizeInvoice,
  invoiceSubscription,
  markUncollectible,
  storeDraft,
  takePending,
  tellDraft,
  voidInvoice,
} from './invoice-life.ts';
import { buildInvoice } from './invoice-shape.ts';
import type { InvoiceOrder } from './invoice-shape.ts';
import { periodLines, rhythmOf } from './lines.ts';
import type { Draft } from './lines.ts';
import { ENDED, changeSubscription, endSubscription } from './standing.ts';
import { nowOf, periodEndAfter, schedule } from './time.ts';
import type { Period } from './time.ts';

const DAY = 86_400;
/** How long before a renewal `invoice.upcoming` comes: a setting of Stripe's Dashboard. */
export const UPCOMING_DAYS = 7;
/** How long before its end `customer.subscription.trial_will_end` comes; at once for a shorter trial. */
export const TRIAL_NOTICE_DAYS = 3;

export const periodOf = (subscription: Subscription): Period => ({
  start: subscription.items.data[0]!.current_period_start,
  end: subscription.items.data[0]!.current_period_end,
});

/** Sets what will happen at the end of the period a subscription is in. Timers of an earlier plan find it changed. */
export function scheduleCycle(world: World, book: Book, subscription: Subscription): void {
  const { id } = subscription;
  const { end } = periodOf(subscription);
  const now = nowOf(world, subscription);
  const set = (at: number, kind: Parameters<typeof schedule>[2]['kind']) =>
    schedule(world, subscription, { at, kind, account: book.account, id });
  set(end, 'subscription_period_ends');
  if (end - UPCOMING_DAYS * DAY > now) set(end - UPCOMING_DAYS * DAY, 'invoice_upcoming');
  if (subscription.status === 'trialing') set(Math.max(now, end - TRIAL_NOTICE_DAYS * DAY), 'trial_will_end');
}

export function withPeriod(subscription: Subscription, { start, end }: Period): Subscription['items'] {
  const items = subscription.items.data.map((item) => ({
    ...item,
    current_period_start: start,
    current_period_end: end,
  }));
  return embedded(subscription.items.url, items);
}

/** The order of an invoice of a subscription, as it is now. */
export function subscriptionOrder(
  world: World,
  book: Book,
  subscription: Subscription,
  how: {
    reason: Stripe.Invoice.BillingReason;
    lines: Draft[];
    period: Period;
    finalizesAt: number | null;
    autoAdvance: boolean;
  },
): InvoiceOrder {
  const now = nowOf(world, subscription);
  const sends = subscription.collection_method === 'send_invoice';
  return {
    ...how,
    customer: customerNamed(book, subscription.customer as string),
    subscription,
    discounts: carriedDiscounts(world, book, subscription.discounts.map(String), now),
    collection: subscription.collection_method,
    dueAt: sends ? (how.finalizesAt ?? now) + (subscription.days_until_due ?? 30) * DAY : null,
  };
}

/** The period is over: canceled, or renewed with an invoice that is a draft for an hour. */
export function subscriptionPeriodEnds(world: World, book: Book, id: string): void {
  const before = book.subscriptions.get(id);
  if (!before || ENDED.includes(before.status) || before.status === 'incomplete' || before.status === 'paused') return;
  const now = nowOf(world, before);
  const last = periodOf(before);
  if (last.end !== now) return;
  if (before.cancel_at !== null && before.cancel_at <= now) {
    endSubscription(world, book, before, 'cancellation_requested');
    return;
  }
  const trialOver = before.status === 'trialing';
  if (trialOver && !endTrial(world, book, before)) return;
  const anchor = trialOver ? now : before.billing_cycle_anchor;
  const period = { start: now, end: periodEndAfter(anchor, now, rhythmOf(before.items.data[0]!.price)) };
  bill(world, book, before, period, last, {
    billing_cycle_anchor: anchor,
    ...(trialOver ? { status: 'active' as const } : {}),
  });
}

/** Whether billing begins; without a payment method the subscription may be canceled or paused instead. */
function endTrial(world: World, book: Book, subscription: Subscription): boolean {
  const wanted = subscription.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice';
  const customer = book.customers.get(subscription.customer as string);
  const method = subscription.default_payment_method ?? customer?.invoice_settings.default_payment_method ?? null;
  if (wanted === 'create_invoice' || method !== null) return true;
  if (wanted === 'cancel') {
    endSubscription(world, book, subscription, 'payment_failed');
  } else {
    const after = changeSubscription(world, book, subscription.id, { status: 'paused' });
    emit(world, book, 'customer.subscription.paused', after);
  }
  return false;
}

/** A new period with its invoice. */
export function bill(
  world: World,
  book: Book,
  before: Subscription,
  period: Period,
  last: Period,
  patch: Partial<Subscription> = {},
): Invoice {
  const now = nowOf(world, before);
  const next = book.subscriptions.put({ ...before, ...patch, items: withPeriod(before, period) });
  const held = before.status === 'unpaid' || before.pause_collection?.behavior === 'keep_as_draft';
  const invoice = storeDraft(
    world,
    book,
    subscriptionOrder(world, book, next, {
      reason: 'subscription_cycle',
      lines: [...periodLines(book, next), ...takePending(book, next.customer as string, next.id)],
      period: last,
      finalizesAt: held ? null : now + DRAFT_SECONDS,
      autoAdvance: !held,
    }),
  );
  const after = book.subscriptions.update(before.id, {
    latest_invoice: invoice.id,
    discounts: carriedDiscounts(world, book, next.discounts.map(String), now),
  });
  emitChange(world, book, 'customer.subscription.updated', before, after);
  tellDraft(world, book, invoice);
  scheduleCycle(world, book, after);
  return invoice;
}

/** The moment of `cancel_at` has come. */
export function subscriptionCancels(world: World, book: Book, id: string): void {
  const before = book.subscriptions.get(id);
  if (!before || ENDED.includes(before.status)) return;
  if (before.cancel_at === null || before.cancel_at > nowOf(world, before)) return;
  endSubscription(world, book, before, 'cancellation_requested');
}

export function trialWillEnd(world: World, book: Book, id: string): void {
  const subscription = book.subscriptions.get(id);
  if (subscription?.status !== 'trialing' || subscription.trial_end === null) return;
  if (subscription.trial_end - TRIAL_NOTICE_DAYS * DAY > nowOf(world, subscription)) return;
  emit(world, book, 'customer.subscription.trial_will_end', subscription);
}

/** The invoice that the next renewal will make, as far as is known now. Nothing is stored. */
export function upcomingInvoice(world: World, book: Book, subscription: Subscription, extra: Draft[] = []): Invoice {
  const last = periodOf(subscription);
  const rhythm = rhythmOf(subscription.items.data[0]!.price);
  const anchor = subscription.status === 'trialing' ? last.end : subscription.billing_cycle_anchor;
  const period = { start: last.end, end: periodEndAfter(anchor, last.end, rhythm) };
  const next = { ...subscription, items: withPeriod(subscription, period) };
  const order = subscriptionOrder(world, book, subscription, {
    reason: 'upcoming',
    lines: [...periodLines(book, next), ...takePending(book, next.customer as string, next.id), ...extra],
    period: last,
    finalizesAt: last.end + DRAFT_SECONDS,
    autoAdvance: true,
  });
  const invoice = buildInvoice(world, book, { ...order, id: world.ids.next('upcoming_in') });
  return { ...invoice, created: last.end };
}

export function invoiceUpcoming(world: World, book: Book, id: string): void {
  const subscription = book.subscriptions.get(id);
  if (!subscription || !['active', 'trialing', 'past_due'].includes(subscription.status)) return;
  if (subscription.cancel_at !== null && subscription.cancel_at <= periodOf(subscription).end) return;
  if (periodOf(subscription).end - UPCOMING_DAYS * DAY !== nowOf(world, subscription)) return;
  emit(world, book, 'invoice.upcoming', upcomingInvoice(world, book, subscription));
}

/** The draft's hour is over: it is finalized and paid, sent, or given up while collection is paused. */
export function invoiceFinalizes(world: World, book: Book, id: string): void {
  const draft = book.invoices.get(id);
  if (draft?.status !== 'draft' || !draft.auto_advance) return;
  if (draft.automatically_finalizes_at === null || draft.automatically_finalizes_at > nowOf(world, draft)) return;
  const subscription = invoiceSubscription(book, draft);
  if (!book.customers.get(draft.customer as string)) return;
  let invoice: Invoice;
  try {
    invoice = finalizeInvoice(world, book, id);
  } catch (error) {
    if (!(error instanceof StripeFailure)) throw error;
    const { message, code, param } = error.body;
    const failed = book.invoices.update(id, {
      auto_advance: false,
      last_finalization_error: {
        type: 'invalid_request_error',
        message,
        ...(code ? { code } : {}),
        ...(param ? { param } : {}),
      },
    });
    emit(world, book, 'invoice.finalization_failed', failed);
    return;
  }
  if (invoice.status !== 'open') return;
  const paused = subscription?.pause_collection?.behavior;
  if (paused === 'void') voidInvoice(world, book, invoice);
  else if (paused === 'mark_uncollectible') markUncollectible(world, book, invoice);
  else advance(world, book, invoice);
}

/** What follows by itself when an invoice has been finalized. */
export function advance(world: World, book: Book, invoice: Invoice): Invoice {
  if (invoice.status !== 'open' || !invoice.auto_advance) return invoice;
  if (invoice.collection_method === 'send_invoice') {
    emit(world, book, 'invoice.sent', invoice);
    return invoice;
  }
  return collect(world, book, invoice, { automatic: true, offSession: true });
}

export function invoiceRetries(world: World, book: Book, id: string): void {
  const invoice = book.invoices.get(id);
  if (invoice?.status !== 'open' || !invoice.auto_advance) return;
  if (invoice.next_payment_attempt !== nowOf(world, invoice)) return;
  collect(world, book, invoice, { automatic: true, offSession: true });
}

/** A sent invoice was not paid by its day. */
export function invoiceOverdue(world: World, book: Book, id: string): void {
  const invoice = book.invoices.get(id);
  if (invoice?.status !== 'open') return;
  emit(world, book, 'invoice.overdue', invoice);
  const subscription = invoiceSubscription(book, invoice);
  if (subscription?.status === 'active' && subscription.latest_invoice === id)
    changeSubscription(world, book, subscription.id, { status: 'past_due' });
}

/** `pause_collection[resumes_at]` has come. */
export function collectionResumes(world: World, book: Book, id: string): void {
  const before = book.subscriptions.get(id);
  const at = before?.pause_collection?.resumes_at ?? null;
  if (!before || at === null || at > nowOf(world, before)) return;
  changeSubscription(world, book, id, { pause_collection: null });
}
