import type Stripe from 'stripe';
import { refusal, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
});
afterEach(() => bench.close());

async function subscribe() {
  const customer = await stripe.customers.create({ email: 'kund@example.se', name: 'Kim' });
  const product = await stripe.products.create({ id: `premium_${customer.id}`, name: 'Premium' });
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [
      { price_data: { currency: 'sek', product: product.id, unit_amount: 9_900, recurring: { interval: 'month' } } },
    ],
    payment_behavior: 'default_incomplete',
    payment_settings: { save_default_payment_method: 'on_subscription' },
    metadata: { uid: 'u1' },
    expand: ['latest_invoice.confirmation_secret', 'latest_invoice.payments'],
  });
  const invoice = subscription.latest_invoice as Stripe.Invoice;
  const intent = invoice.payments!.data[0]!.payment.payment_intent as string;
  return { customer, subscription, invoice, intent };
}

const types = async () => (await stripe.events.list({ limit: 100 })).data.map((event) => event.type).reverse();

describe('a subscription of 99 SEK a month', () => {
  it('begins incomplete with an open invoice, and is active once its PaymentIntent is paid', async () => {
    const { customer, subscription, invoice, intent } = await subscribe();
    expect(subscription.status).toBe('incomplete');
    const [item] = subscription.items.data;
    const days = (item!.current_period_end - item!.current_period_start) / 86_400;
    expect(days).toBeGreaterThanOrEqual(28);
    expect(days).toBeLessThanOrEqual(31);
    expect(item!.price.unit_amount_decimal?.toString()).toBe('9900');
    expect(invoice).toMatchObject({
      status: 'open',
      amount_due: 9_900,
      amount_paid: 0,
      billing_reason: 'subscription_create',
      parent: {
        type: 'subscription_details',
        subscription_details: { subscription: subscription.id, metadata: { uid: 'u1' } },
      },
      confirmation_secret: { type: 'payment_intent' },
    });
    expect(invoice.confirmation_secret?.client_secret).toContain(`${intent}_secret_`);
    expect(await stripe.invoices.retrieve(invoice.id)).not.toHaveProperty('confirmation_secret');

    const paid = await stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_bypassPending' });
    expect(paid).toMatchObject({ status: 'succeeded', setup_future_usage: 'off_session' });
    expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({
      status: 'active',
      default_payment_method: paid.payment_method,
    });
    const after = await stripe.invoices.retrieve(invoice.id, { expand: ['payments.data.payment.payment_intent'] });
    expect(after).toMatchObject({ status: 'paid', amount_paid: 9_900, amount_remaining: 0 });
    const [payment] = after.payments!.data;
    expect(payment).toMatchObject({ status: 'paid', amount_paid: 9_900 });
    expect((payment!.payment.payment_intent as Stripe.PaymentIntent).status).toBe('succeeded');
    const byIntent = await stripe.invoicePayments.list({
      payment: { type: 'payment_intent', payment_intent: intent },
      expand: ['data.invoice'],
    });
    expect(byIntent.data.map((each) => (each.invoice as Stripe.Invoice).id)).toEqual([invoice.id]);
    expect((await stripe.balance.retrieve()).available[0]?.amount).toBe(9_900 - 329);
    expect((await stripe.subscriptions.list({ customer: customer.id })).data).toHaveLength(1);
    const told = await types();
    for (const type of [
      'customer.subscription.created',
      'invoice.created',
      'invoice.finalized',
      'payment_intent.created',
      'payment_method.attached',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice_payment.paid',
      'invoice.paid',
      'invoice.payment_succeeded',
      'customer.subscription.updated',
    ]) {
      expect(told).toContain(type);
    }
    const [updated] = (await stripe.events.list({ type: 'customer.subscription.updated' })).data;
    expect(updated?.data.previous_attributes).toEqual({ status: 'incomplete', default_payment_method: null });
  });

  it('stays incomplete when the card declines, and may be tried again', async () => {
    const { subscription, invoice, intent } = await subscribe();
    const error = await refusal(
      stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_visa_chargeDeclined' }),
    );
    expect(error.statusCode).toBe(402);
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('incomplete');
    expect(await stripe.invoices.retrieve(invoice.id)).toMatchObject({ status: 'open', attempt_count: 1 });
    expect(await types()).toContain('invoice.payment_failed');
    await stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_visa' });
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active');
  });

  it('expires unpaid after 23 hours, with its invoice and its PaymentIntent', async () => {
    const { subscription, invoice, intent } = await subscribe();
    await bench.advance(23 * 3_600);
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('incomplete_expired');
    expect((await stripe.invoices.retrieve(invoice.id)).status).toBe('void');
    expect(await stripe.paymentIntents.retrieve(intent)).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'void_invoice',
    });
    expect((await refusal(stripe.paymentIntents.cancel(intent))).statusCode).toBe(400);
  });

  it('is canceled at once', async () => {
    const { subscription, intent } = await subscribe();
    await stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_visa' });
    const canceled = await stripe.subscriptions.cancel(subscription.id);
    expect(canceled).toMatchObject({ status: 'canceled', cancellation_details: { reason: 'cancellation_requested' } });
    expect(await types()).toContain('customer.subscription.deleted');
    expect((await stripe.subscriptions.list()).data).toEqual([]);
    expect((await stripe.subscriptions.list({ status: 'all' })).data).toHaveLength(1);
  });

  it('refuses what cannot be', async () => {
    const customer = await stripe.customers.create({});
    const product = await stripe.products.create({ name: 'x' });
    const price = await stripe.prices.create({ currency: 'sek', product: product.id, unit_amount: 9_900 });
    const items = [{ price: price.id }];
    expect((await refusal(stripe.subscriptions.create({ customer: customer.id, items }))).message).toContain(
      'no attached payment source',
    );
    const oneTime = stripe.subscriptions.create({
      customer: customer.id,
      items,
      payment_behavior: 'default_incomplete',
    });
    expect((await refusal(oneTime)).message).toContain('recurring');
    const pending = stripe.subscriptions.create({
      customer: customer.id,
      items,
      payment_behavior: 'pending_if_incomplete',
    });
    expect((await refusal(pending)).param).toBe('payment_behavior');
    const anchored = stripe.subscriptions.create({ customer: customer.id, items, backdate_start_date: 1 });
    expect((await refusal(anchored)).code).toBe('parameter_unknown');
  });
});
