/** What a new subscription looks like. */
import type Stripe from 'stripe';
import { embedded } from '../../core/list.ts';
import { mergeMetadata } from '../../core/params.ts';
import type { Plan, Price, Subscription, SubscriptionItem } from '../../core/wire.ts';
import type { World } from '../../core/world.ts';
import type { Period } from './time.ts';

/** One item of an order: what is subscribed to, and how many of it. */
export interface Line {
  price: Price;
  quantity: number;
  metadata: Record<string, string>;
}

export const subscriptionItemOf = (
  world: World,
  subscription: string,
  line: Line,
  period: Period,
  created: number,
): SubscriptionItem => ({
  id: world.ids.next('si', 14),
  object: 'subscription_item',
  billing_thresholds: null,
  created,
  current_period_end: period.end,
  current_period_start: period.start,
  current_trial: null,
  discounts: [],
  metadata: line.metadata,
  plan: planOf(line.price),
  price: line.price,
  quantity: line.quantity,
  subscription,
  tax_rates: [],
});

export interface Birth {
  customer: Stripe.Customer;
  lines: Line[];
  now: number;
  period: Period;
  anchor: number;
  trialEnd: number | null;
}

/** A new subscription, still incomplete. */
export function subscriptionOf(
  world: World,
  id: string,
  params: Stripe.SubscriptionCreateParams,
  birth: Birth,
): Subscription {
  const { now, period } = birth;
  const items = birth.lines.map((line) => subscriptionItemOf(world, id, line, period, now));
  const sends = params.collection_method === 'send_invoice';
  const transfer = params.transfer_data;
  return {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: typeof params.application_fee_percent === 'number' ? params.application_fee_percent : null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: birth.anchor,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: sends ? 'send_invoice' : 'charge_automatically',
    created: now,
    currency: 'sek',
    customer: birth.customer.id,
    customer_account: null,
    days_until_due: sends ? (params.days_until_due ?? null) : null,
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
    start_date: now,
    status: 'incomplete',
    test_clock: birth.customer.test_clock ?? null,
    transfer_data: transfer
      ? { amount_percent: transfer.amount_percent ?? null, destination: transfer.destination }
      : null,
    trial_end: birth.trialEnd,
    trial_settings: {
      end_behavior: {
        billing_cycle_anchor: null,
        missing_payment_method: params.trial_settings?.end_behavior.missing_payment_method ?? 'create_invoice',
      },
    },
    trial_start: birth.trialEnd === null ? null : now,
  };
}

export const planOf = (price: Price): Plan => ({
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
