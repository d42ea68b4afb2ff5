/** Thin events: what a v1 event says to those who only want to be told where to look. */
import type Stripe from 'stripe';
import type { ThinEvent } from './connect-world.ts';
import { isThinType } from './thin-types.ts';

type Subject = Record<string, unknown> & { id?: string; object: string };

/** Where an object is read, by its kind. A kind that is not here has no related object. */
const URLS: Readonly<Record<string, (subject: Subject) => string>> = {
  account: ({ id }) => `/v1/accounts/${id}`,
  application_fee: ({ id }) => `/v1/application_fees/${id}`,
  balance: () => '/v1/balance',
  balance_settings: () => '/v1/balance_settings',
  capability: ({ id, account }) => `/v1/accounts/${String(account)}/capabilities/${id}`,
  charge: ({ id }) => `/v1/charges/${id}`,
  'billing_portal.configuration': ({ id }) => `/v1/billing_portal/configurations/${id}`,
  'checkout.session': ({ id }) => `/v1/checkout/sessions/${id}`,
  coupon: ({ id }) => `/v1/coupons/${id}`,
  customer: ({ id }) => `/v1/customers/${id}`,
  dispute: ({ id }) => `/v1/disputes/${id}`,
  fee_refund: ({ id, fee }) => `/v1/application_fees/${String(fee)}/refunds/${id}`,
  invoice: ({ id }) => `/v1/invoices/${id}`,
  invoice_payment: ({ id }) => `/v1/invoice_payments/${id}`,
  invoiceitem: ({ id }) => `/v1/invoiceitems/${id}`,
  payment_intent: ({ id }) => `/v1/payment_intents/${id}`,
  payment_method: ({ id }) => `/v1/payment_methods/${id}`,
  payout: ({ id }) => `/v1/payouts/${id}`,
  price: ({ id }) => `/v1/prices/${id}`,
  product: ({ id }) => `/v1/products/${id}`,
  promotion_code: ({ id }) => `/v1/promotion_codes/${id}`,
  'radar.early_fraud_warning': ({ id }) => `/v1/radar/early_fraud_warnings/${id}`,
  refund: ({ id }) => `/v1/refunds/${id}`,
  review: ({ id }) => `/v1/reviews/${id}`,
  setup_intent: ({ id }) => `/v1/setup_intents/${id}`,
  subscription: ({ id }) => `/v1/subscriptions/${id}`,
  'test_helpers.test_clock': ({ id }) => `/v1/test_helpers/test_clocks/${id}`,
  transfer: ({ id }) => `/v1/transfers/${id}`,
};

/** The id of an event's thin twin, and back. */
export const thinId = (id: string): string => `evt_65${id.slice('evt_'.length)}`;
export const snapshotId = (id: string): string | undefined =>
  id.startsWith('evt_65') ? `evt_${id.slice('evt_65'.length)}` : undefined;

/** The thin twin of an event; undefined for a type that has none. */
export function thinOf(event: Stripe.EventBase): ThinEvent | undefined {
  const type = `v1.${event.type}`;
  if (!isThinType(type)) return undefined;
  const subject = event.data.object as unknown as Subject;
  const upcoming = event.type === 'invoice.upcoming';
  // An invoice that is only foreseen can be read nowhere.
  const url = upcoming ? undefined : URLS[subject.object]?.(subject);
  const { id, idempotency_key: key } = event.request ?? { id: null, idempotency_key: null };
  return {
    id: thinId(event.id),
    object: 'v2.core.event',
    type,
    created: isoTime(event.created),
    livemode: false,
    ...(event.account === undefined ? {} : { context: event.account }),
    ...(id === null ? {} : { reason: { type: 'request' as const, request: { id, idempotency_key: key ?? '' } } }),
    snapshot_event: event.id,
    ...(url === undefined
      ? {}
      : { related_object: { ...(subject.id === undefined ? {} : { id: subject.id }), type: subject.object, url } }),
  };
}

/** What is fetched beside the notification, of the one type that has something. */
export function thinData(event: Stripe.EventBase): object {
  if (event.type !== 'invoice.upcoming') return {};
  const invoice = event.data.object as unknown as Stripe.Invoice;
  const subscription = invoice.parent?.subscription_details?.subscription;
  return { data: { customer: invoice.customer, ...(subscription === undefined ? {} : { subscription }) } };
}

/** As v2 writes moments: `2026-11-21T01:30:00.000Z`. */
export const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString();
