/** What payments of invoices do to their subscription: active, past due, given up. */
import type { Invoice, Subscription } from '../../core/wire.ts';
import { emit, emitChange } from '../../core/events.ts';
import type { Book, World } from '../../core/world.ts';
import { nowOf, schedule } from './time.ts';

/**
 * Days from a failed automatic attempt to the next, standing for Stripe's Smart Retries, whose times are chosen by
 * machine learning: up to four attempts within 15 days. After the last the switch `subscriptionAfterRetries` decides.
 */
export const RETRY_DAYS: readonly number[] = [3, 5, 7];
const DAY = 86_400;

export const ENDED: readonly string[] = ['canceled', 'incomplete_expired'];

const subscriptionOf = (book: Book, invoice: Invoice): Subscription | undefined =>
  book.subscriptions.get((invoice.parent?.subscription_details?.subscription as string | undefined) ?? '');

export function changeSubscription(world: World, book: Book, id: string, patch: Partial<Subscription>): Subscription {
  const before = book.subscriptions.get(id)!;
  const after = book.subscriptions.update(id, patch);
  emitChange(world, book, 'customer.subscription.updated', before, after);
  return after;
}

/** The first payment begins a subscription; that of its latest invoice mends one that is behind. */
export function subscriptionPaid(world: World, book: Book, invoice: Invoice, method: string | null): void {
  const before = subscriptionOf(book, invoice);
  if (before?.latest_invoice !== invoice.id) return;
  if (before.status !== 'incomplete' && before.status !== 'past_due' && before.status !== 'unpaid') return;
  const saves = before.payment_settings?.save_default_payment_method === 'on_subscription' && method !== null;
  changeSubscription(world, book, before.id, {
    status: 'active',
    default_payment_method: saves ? method : before.default_payment_method,
  });
}

/** An attempt failed. `code` is the decline's, null when there was no payment method at all. */
export function attemptFailed(world: World, book: Book, before: Invoice, code: string | null): void {
  const automatic = book.billing.collecting.has(before.id);
  const subscription = subscriptionOf(book, before);
  const first = before.billing_reason === 'subscription_create';
  const retries = automatic && before.auto_advance && !first;
  const days = retries ? RETRY_DAYS[before.attempt_count] : undefined;
  const now = nowOf(world, before);
  const next = days === undefined ? (automatic ? null : before.next_payment_attempt) : now + days * DAY;
  const after = book.invoices.update(before.id, {
    attempt_count: before.attempt_count + 1,
    attempted: true,
    next_payment_attempt: next,
  });
  if (days !== undefined)
    schedule(world, after, { at: now + days * DAY, kind: 'invoice_retries', account: book.account, id: after.id });
  emitChange(world, book, 'invoice.updated', before, after);
  emit(world, book, 'invoice.payment_failed', after);
  if (code === 'authentication_required') emit(world, book, 'invoice.payment_action_required', after);
  if (!subscription || first || !automatic) return;
  if (subscription.status === 'active' || subscription.status === 'trialing')
    changeSubscription(world, book, subscription.id, { status: 'past_due' });
  if (retries && days === undefined) afterLastRetry(world, book, after, subscription.id);
}

function afterLastRetry(world: World, book: Book, invoice: Invoice, id: string): void {
  const subscription = book.subscriptions.get(id);
  if (!subscription || ENDED.includes(subscription.status)) return;
  switch (world.switches.subscriptionAfterRetries) {
    case 'cancel':
      book.invoices.update(invoice.id, { auto_advance: false });
      endSubscription(world, book, subscription, 'payment_failed');
      return;
    case 'unpaid':
      book.invoices.update(invoice.id, { auto_advance: false });
      changeSubscription(world, book, id, { status: 'unpaid' });
      return;
    case 'past_due':
      return;
  }
}

/** Over, now. Open invoices stay open and are tried no more. */
export function endSubscription(
  world: World,
  book: Book,
  before: Subscription,
  reason: 'cancellation_requested' | 'payment_failed',
  said: { comment?: string | null; feedback?: string | null } = {},
): Subscription {
  const now = nowOf(world, before);
  const after = book.subscriptions.update(before.id, {
    status: 'canceled',
    canceled_at: before.canceled_at ?? now,
    ended_at: now,
    cancellation_details: {
      comment: said.comment ?? before.cancellation_details?.comment ?? null,
      feedback: said.feedback ?? before.cancellation_details?.feedback ?? null,
      feedback_option: null,
      reason,
    },
  });
  const invoices = book.invoices.values().filter((each) => subscriptionOf(book, each)?.id === before.id);
  for (const invoice of invoices) {
    if (invoice.status === 'open' || invoice.status === 'draft')
      book.invoices.update(invoice.id, { auto_advance: false, next_payment_attempt: null });
  }
  emit(world, book, 'customer.subscription.deleted', after);
  return after;
}
