import type Stripe from 'stripe';
import { embedded } from '../core/list.ts';
import type { Invoice, InvoiceLine, Subscription } from '../core/wire.ts';
import type { Book, World } from '../core/world.ts';
import { makeIntent } from './payment-intents.ts';
import type { Line } from './subscription-shapes.ts';

/** The invoice a subscription begins with, open, and the PaymentIntent that pays it. */
export function firstInvoice(
  world: World,
  book: Book,
  subscription: Subscription,
  customer: Stripe.Customer,
  lines: Line[],
  total: number,
): Invoice {
  const id = world.ids.next('in');
  const number = customer.next_invoice_sequence ?? 1;
  book.customers.update(customer.id, { next_invoice_sequence: number + 1, currency: 'sek' });
  const invoice: Invoice = {
    id,
    object: 'invoice',
    account_country: 'SE',
    account_name: 'Inner Journey',
    account_tax_ids: null,
    amount_due: total,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: total,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: false,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: null,
    billing_reason: 'subscription_create',
    collection_method: 'charge_automatically',
    created: world.now,
    currency: 'sek',
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: null,
    customer_tax_exempt: 'none',
    customer_tax_ids: [],
    default_payment_method: null,
    default_source: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    due_date: null,
    effective_at: world.now,
    ending_balance: 0,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: embedded(
      `/v1/invoices/${id}/lines`,
      lines.map((line, i) => invoiceLine(world, id, subscription, line, i)),
    ),
    livemode: false,
    metadata: {},
    next_payment_attempt: null,
    number: `${customer.invoice_prefix}-${String(number).padStart(4, '0')}`,
    on_behalf_of: null,
    parent: {
      quote_details: null,
      subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
      type: 'subscription_details',
    },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: world.now,
    period_start: world.now,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: 0,
    statement_descriptor: null,
    status: 'open',
    status_transitions: { finalized_at: world.now, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: total,
    subtotal_excluding_tax: total,
    test_clock: null,
    total,
    total_discount_amounts: [],
    total_excluding_tax: total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: world.now,
  };
  book.invoices.add(invoice);
  const saves = subscription.payment_settings?.save_default_payment_method === 'on_subscription';
  const intent = makeIntent(world, book, {
    amount: total,
    currency: 'sek',
    customer: customer.id,
    description: 'Subscription creation',
    ...(saves ? { setup_future_usage: 'off_session' as const } : {}),
    payment_method: (subscription.default_payment_method as string | null) ?? undefined,
  });
  book.invoiceOfIntent.set(intent.id, id);
  book.invoicePayments.add({
    id: world.ids.next('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: total,
    created: world.now,
    currency: 'sek',
    invoice: id,
    is_default: true,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  });
  return invoice;
}

function invoiceLine(
  world: World,
  invoice: string,
  subscription: Subscription,
  line: Line,
  index: number,
): InvoiceLine {
  const item = subscription.items.data[index]!;
  const amount = (line.price.unit_amount ?? 0) * line.quantity;
  return {
    id: world.ids.next('il'),
    object: 'line_item',
    amount,
    currency: 'sek',
    description: `${line.quantity} × ${line.price.nickname ?? line.price.id}`,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice,
    livemode: false,
    metadata: line.metadata,
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: null,
        proration: false,
        proration_details: { credited_items: null },
        subscription: subscription.id,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    period: { end: item.current_period_end, start: item.current_period_start },
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: line.price.id, product: line.price.product as string },
      type: 'price_details',
      unit_amount_decimal: line.price.unit_amount_decimal,
    },
    quantity: line.quantity,
    quantity_decimal: String(line.quantity),
    subscription: subscription.id,
    subtotal: amount,
    taxes: [],
  };
}
