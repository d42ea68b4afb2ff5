/** The triggers of billing. What is given beside `type` goes into the main request: the subscription, invoice, session. */
import { TEST_CARDS } from './test-cards.ts';
import type { Answer, Trigger, TriggerTools } from './trigger-tools.ts';

const DAY = 86_400;
const MONTH = 32 * DAY;

function customerWith(tools: TriggerTools, card: string): string {
  if (!TEST_CARDS[card]) throw new Error(`There is no test card ${card}.`);
  const { id } = tools.post('/v1/customers', { description: '(created by the emulator)', email: 'jenny@example.com' });
  const method = tools.post(`/v1/payment_methods/${card}/attach`, { customer: id });
  tools.post(`/v1/customers/${id}`, { invoice_settings: { default_payment_method: method.id } });
  return id;
}

function price(tools: TriggerTools, more: object = { recurring: { interval: 'month' } }): string {
  const product = tools.post('/v1/products', { name: '(created by the emulator)' });
  return tools.post('/v1/prices', { currency: 'sek', product: product.id, unit_amount: 9_900, ...more }).id;
}

const subscribe = (tools: TriggerTools, more: object = {}, card = 'pm_card_visa'): Answer =>
  tools.post('/v1/subscriptions', {
    customer: customerWith(tools, card),
    items: [{ price: price(tools) }],
    ...more,
    ...tools.overrides,
  });

const invoice = (tools: TriggerTools, more: object = {}): Answer => {
  const customer = customerWith(tools, 'pm_card_visa');
  tools.post('/v1/invoiceitems', { customer, amount: 9_900, currency: 'sek' });
  return tools.post('/v1/invoices', {
    customer,
    pending_invoice_items_behavior: 'include',
    ...more,
    ...tools.overrides,
  });
};

const open = (tools: TriggerTools): Answer => tools.post(`/v1/invoices/${invoice(tools).id}/finalize`, {});
const on =
  (tools: TriggerTools, what: string): Trigger =>
  () =>
    void tools.post(`/v1/invoices/${open(tools).id}/${what}`);
const after =
  (make: (tools: TriggerTools) => unknown, seconds: number): Trigger =>
  (tools) => {
    make(tools);
    tools.advance(seconds);
  };
const simply =
  (make: (tools: TriggerTools) => unknown): Trigger =>
  (tools) =>
    void make(tools);

/** The renewal fails: the default card is changed for one that declines. */
const failing =
  (card: string): Trigger =>
  (tools) => {
    const made = subscribe(tools);
    const customer = made.customer as string;
    const bad = tools.post(`/v1/payment_methods/${card}/attach`, { customer });
    tools.post(`/v1/customers/${customer}`, { invoice_settings: { default_payment_method: bad.id } });
    tools.advance(MONTH);
  };

const session = (tools: TriggerTools): Answer =>
  tools.post('/v1/checkout/sessions', {
    mode: 'payment',
    line_items: [{ price: price(tools, {}), quantity: 1 }],
    success_url: 'https://example.com/done',
    ...tools.overrides,
  });

const coupon = (tools: TriggerTools): Answer =>
  tools.post('/v1/coupons', { percent_off: 25, duration: 'once', ...tools.overrides });
const clock = (tools: TriggerTools): Answer =>
  tools.post('/v1/test_helpers/test_clocks', { frozen_time: tools.core.now(), ...tools.overrides });
const advanced = (tools: TriggerTools): void => {
  tools.post(`/v1/test_helpers/test_clocks/${clock(tools).id}/advance`, { frozen_time: tools.core.now() + DAY });
  tools.advance(1);
};
const trial = (tools: TriggerTools): Answer => subscribe(tools, { trial_period_days: 7 });
const sent = { collection_method: 'send_invoice', days_until_due: 5 };

export const billingTriggers: Readonly<Record<string, Trigger>> = {
  'customer.subscription.created': simply(subscribe),
  'customer.subscription.updated': (tools) =>
    void tools.post(`/v1/subscriptions/${subscribe(tools).id}`, { metadata: { foo: 'bar' } }),
  'customer.subscription.deleted': (tools) => {
    tools.post(`/v1/subscriptions/${subscribe(tools).id}`, { cancel_at_period_end: true });
    tools.advance(MONTH);
  },
  'customer.subscription.trial_will_end': after(trial, 7 * DAY),
  'invoice.created': simply(invoice),
  'invoice.finalized': simply(open),
  'invoice.paid': (tools) => on(tools, 'pay')(tools),
  'invoice.payment_succeeded': (tools) => on(tools, 'pay')(tools),
  'invoice_payment.paid': (tools) => on(tools, 'pay')(tools),
  'invoice.voided': (tools) => on(tools, 'void')(tools),
  'invoice.marked_uncollectible': (tools) => on(tools, 'mark_uncollectible')(tools),
  'invoice.updated': (tools) => void tools.post(`/v1/invoices/${invoice(tools).id}`, { description: 'Changed' }),
  'invoice.sent': (tools) => void tools.post(`/v1/invoices/${invoice(tools, sent).id}/send`),
  'invoice.overdue': (tools) => {
    tools.post(`/v1/invoices/${invoice(tools, sent).id}/send`);
    tools.advance(6 * DAY);
  },
  'invoice.upcoming': after(subscribe, MONTH),
  'invoice.payment_failed': failing('pm_card_chargeCustomerFail'),
  'invoice.payment_action_required': failing('pm_card_authenticationRequired'),
  'invoiceitem.created': simply(invoice),
  'checkout.session.expired': (tools) => void tools.post(`/v1/checkout/sessions/${session(tools).id}/expire`),
  'coupon.created': simply(coupon),
  'coupon.updated': (tools) => void tools.post(`/v1/coupons/${coupon(tools).id}`, { name: 'Changed' }),
  'promotion_code.created': (tools) => {
    const { id } = tools.post('/v1/coupons', { percent_off: 25, duration: 'once' });
    tools.post('/v1/promotion_codes', { promotion: { type: 'coupon', coupon: id }, ...tools.overrides });
  },
  'billing_portal.session.created': (tools) =>
    void tools.post('/v1/billing_portal/sessions', {
      customer: customerWith(tools, 'pm_card_visa'),
      ...tools.overrides,
    }),
  'test_helpers.test_clock.created': simply(clock),
  'test_helpers.test_clock.advancing': advanced,
  'test_helpers.test_clock.ready': advanced,
};
