/** What an invoice looks like, and what it comes to. */
import type Stripe from 'stripe';
import { embedded } from '../../core/list.ts';
import type { Invoice, InvoiceLine, Subscription } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { isPlatform } from '../../core/world.ts';
import { MINIMUM_CHARGE } from '../money.ts';
import { liveDiscounts } from './discounts.ts';
import { applyDiscounts, invoiceLineOf } from './lines.ts';
import type { Draft } from './lines.ts';
import { nowOf } from './time.ts';
import type { Period } from './time.ts';

export interface InvoiceOrder {
  customer: Stripe.Customer;
  subscription: Subscription | null;
  reason: Stripe.Invoice.BillingReason;
  lines: Draft[];
  period: Period;
  /** Ids of discounts. */
  discounts: string[];
  autoAdvance: boolean;
  finalizesAt: number | null;
  collection: Stripe.Invoice.CollectionMethod;
  dueAt?: number | null;
  method?: string | null;
  description?: string | null;
  metadata?: Record<string, string>;
  footer?: string | null;
  id?: string;
}

/**
 * What is to be paid of a total: the customer's balance is added (a credit is negative), and what is below Stripe's
 * smallest charge is left on it for the next invoice.
 */
export function dueOf(total: number, balance: number): { due: number; ending: number } {
  const sum = total + balance;
  return sum >= MINIMUM_CHARGE ? { due: sum, ending: 0 } : { due: 0, ending: sum };
}

/** The amounts of an invoice, of its lines. */
export function amountsOf(
  world: World,
  book: Book,
  lines: InvoiceLine[],
  discounts: string[],
  balance: number,
  now: number,
) {
  const live = liveDiscounts(world, book, discounts, now);
  const bare = lines.map((line) => ({ ...line, discount_amounts: [] }));
  const { lines: discounted, totals } = applyDiscounts(bare, live);
  const subtotal = lines.reduce((sum, line) => sum + line.amount, 0);
  const total = subtotal - totals.reduce((sum, each) => sum + each.amount, 0);
  const { due } = dueOf(total, balance);
  return {
    lines: discounted,
    fields: {
      amount_due: due,
      amount_remaining: due,
      starting_balance: balance,
      subtotal,
      subtotal_excluding_tax: subtotal,
      total,
      total_discount_amounts: totals,
      total_excluding_tax: total,
    } satisfies Partial<Invoice>,
  };
}

/** A draft, neither stored nor told of. */
export function buildInvoice(world: World, book: Book, order: InvoiceOrder): Invoice {
  const { customer, subscription } = order;
  const now = nowOf(world, customer);
  const id = order.id ?? world.ids.next('in');
  const made = order.lines.map((line) => invoiceLineOf(world, id, line));
  const { lines, fields } = amountsOf(world, book, made, order.discounts, customer.balance, now);
  return {
    id,
    object: 'invoice',
    account_country: 'SE',
    account_name: isPlatform(world, book)
      ? 'Inner Journey'
      : (world.accounts.get(book.account)?.business_profile?.name ?? null),
    account_tax_ids: null,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: order.autoAdvance,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: order.finalizesAt,
    billing_reason: order.reason,
    collection_method: order.collection,
    created: now,
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
    default_payment_method: order.method ?? null,
    default_source: null,
    default_tax_rates: [],
    description: order.description ?? null,
    discounts: order.discounts,
    due_date: order.dueAt ?? null,
    effective_at: null,
    ending_balance: null,
    footer: order.footer ?? null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: embedded(`/v1/invoices/${id}/lines`, lines),
    livemode: false,
    metadata: order.metadata ?? {},
    next_payment_attempt: order.collection === 'charge_automatically' && order.autoAdvance ? order.finalizesAt : null,
    number: null,
    on_behalf_of: null,
    parent: subscription
      ? {
          quote_details: null,
          subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
          type: 'subscription_details',
        }
      : null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: order.period.end,
    period_start: order.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    test_clock: customer.test_clock ?? null,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
    ...fields,
  };
}
