/**
 * The shapes the emulator stores and sends, typed with the SDK's own types. Where the SDK turns a string of the wire
 * into its `Decimal` class, the wire's string stands here instead.
 */
import type Stripe from 'stripe';

export type Price = Omit<Stripe.Price, 'unit_amount_decimal'> & { unit_amount_decimal: string | null };
export type Plan = Omit<Stripe.Plan, 'amount_decimal'> & { amount_decimal: string | null };
export type SubscriptionItem = Omit<Stripe.SubscriptionItem, 'price' | 'plan'> & { price: Price; plan: Plan };
export type Subscription = Omit<Stripe.Subscription, 'items'> & { items: Stripe.ApiList<SubscriptionItem> };
type Pricing = Omit<NonNullable<Stripe.InvoiceLineItem['pricing']>, 'unit_amount_decimal'> & {
  unit_amount_decimal: string | null;
};
export type InvoiceLine = Omit<Stripe.InvoiceLineItem, 'quantity_decimal' | 'pricing'> & {
  quantity_decimal: string | null;
  pricing: Pricing | null;
};
export type Invoice = Omit<Stripe.Invoice, 'lines'> & { lines: Stripe.ApiList<InvoiceLine> };

export type InvoiceItem = Omit<Stripe.InvoiceItem, 'quantity_decimal' | 'pricing'> & {
  quantity_decimal: string;
  pricing: Pricing | null;
};

/** The union of what a list or a lookup may answer. */
export type StripeObject = { id: string; object: string };
