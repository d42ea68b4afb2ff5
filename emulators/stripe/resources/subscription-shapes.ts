/** What a new subscription looks like. */
import type Stripe from 'stripe';
import { embedded } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import type { Plan, Price, Subscription, SubscriptionItem } from '../core/wire.ts';
import type { World } from '../core/world.ts';

/** One item of an order: what is subscribed to, and how many of it. */
export interface Line {
  price: Price;
  quantity: number;
  metadata: Record<string, string>;
}

export function subscriptionOf(
  world: World,
  id: string,
  params: Stripe.SubscriptionCreateParams,
  lines: Line[],
): Subscription {
  const ends = periodEnd(world.now, lines[0]!.price);
  const items = lines.map((line): SubscriptionItem => ({
    id: world.ids.next('si', 14),
    object: 'subscription_item',
    billing_thresholds: null,
    created: world.now,
    current_period_end: ends,
    current_period_start: world.now,
    current_trial: null,
    discounts: [],
    metadata: line.metadata,
    plan: planOf(line.price),
    price: line.price,
    quantity: line.quantity,
    subscription: id,
    tax_rates: [],
  }));
  return {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: world.now,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: 'charge_automatically',
    created: world.now,
    currency: 'sek',
    customer: params.customer ?? '',
    customer_account: null,
    days_until_due: null,
    default_payment_method: params.default_payment_method ?? null,
    default_source: null,
    default_tax_rates: [],
    description: params.description ?? null,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: embedded(`/v1/subscription_items?subscription=${id}`, items),
    latest_invoice: null,
    livemode: false,
    managed_payments: null,
    metadata: mergeMetadata({}, params.metadata),
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: params.payment_settings?.save_default_payment_method ?? 'off',
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: world.now,
    status: 'incomplete',
    test_clock: null,
    transfer_data: null,
    trial_end: null,
    trial_settings: null,
    trial_start: null,
  };
}

/** The same day of the month or year after the price's interval, or the last day of a shorter month. */
export function periodEnd(start: number, price: Price): number {
  const { interval = 'month', interval_count: count = 1 } = price.recurring ?? {};
  if (interval === 'day' || interval === 'week') return start + count * (interval === 'day' ? 86_400 : 604_800);
  const from = new Date(start * 1000);
  const months = from.getUTCMonth() + count * (interval === 'year' ? 12 : 1);
  const lastDay = new Date(Date.UTC(from.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const to = new Date(from);
  to.setUTCMonth(months, Math.min(from.getUTCDate(), lastDay));
  return Math.floor(to.getTime() / 1000);
}

const planOf = (price: Price): Plan => ({
  id: price.id,
  object: 'plan',
  active: price.active,
  amount: price.unit_amount,
  amount_decimal: price.unit_amount_decimal,
  billing_scheme: 'per_unit',
  created: price.created,
  currency: price.currency,
  interval: price.recurring?.interval ?? 'month',
  interval_count: price.recurring?.interval_count ?? 1,
  livemode: false,
  metadata: price.metadata,
  meter: null,
  nickname: price.nickname,
  product: price.product,
  tiers_mode: null,
  transform_usage: null,
  trial_period_days: null,
  usage_type: 'licensed',
});
