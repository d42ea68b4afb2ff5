/** What an account has of billing beyond subscriptions and invoices themselves, and the test clocks of the platform. */
import type Stripe from 'stripe';
import { Collection } from './collection.ts';
import type { Index } from './collection.ts';
import { Timers } from './timers.ts';
import type { InvoiceItem, Price } from './wire.ts';

/** How an invoice's payment is shared with a connected account, where the invoice itself says it. */
export interface Sharing {
  destination: string;
  amount?: number;
  fee?: number;
}

/** What a Checkout Session was asked for, and how far its customer has come. */
export interface CheckoutOrder {
  params: Stripe.Checkout.SessionCreateParams;
  /** `id` is the line item's. */
  prices: { id: string; price: Price; quantity: number }[];
  /** The coupons and the promotion codes they came by. */
  discounts: { coupon: Stripe.Coupon; code: Stripe.PromotionCode | null }[];
  /** What the customer has begun: made once, however often a card is tried. */
  customer: string | null;
  intent: string | null;
  setup: string | null;
  subscription: string | null;
  email: string | null;
}

export interface BillingBook {
  readonly invoiceItems: Collection<InvoiceItem>;
  readonly coupons: Collection<Stripe.Coupon>;
  readonly promotionCodes: Collection<Stripe.PromotionCode>;
  readonly discounts: Collection<Stripe.Discount>;
  readonly checkoutSessions: Collection<Stripe.Checkout.Session>;
  readonly portalConfigurations: Collection<Stripe.BillingPortal.Configuration>;
  readonly portalSessions: Collection<Stripe.BillingPortal.Session>;
  /** By Checkout Session. */
  readonly orders: Map<string, CheckoutOrder>;
  /** The Checkout Session a PaymentIntent or a SetupIntent belongs to. */
  readonly sessionOfIntent: Map<string, string>;
  /** By invoice. */
  readonly sharing: Map<string, Sharing>;
  /** Invoices whose payment is being tried by the emulator itself and not by the customer. */
  readonly collecting: Set<string>;
  /** Discounts with the duration `once` that an invoice has had. */
  readonly spentDiscounts: Set<string>;
  /** The coupon of each discount as it was: it outlives the coupon's deletion. */
  readonly couponOf: Map<string, Stripe.Coupon>;
}

export const createBillingBook = (index: Index): BillingBook => ({
  invoiceItems: new Collection(index),
  coupons: new Collection(index),
  promotionCodes: new Collection(index),
  discounts: new Collection(index),
  checkoutSessions: new Collection(index),
  portalConfigurations: new Collection(index),
  portalSessions: new Collection(index),
  orders: new Map(),
  sessionOfIntent: new Map(),
  sharing: new Map(),
  collecting: new Set(),
  spentDiscounts: new Set(),
  couponOf: new Map(),
});

export interface TestClocks {
  readonly objects: Collection<Stripe.TestHelpers.TestClock>;
  /** What waits for a clock's time, by clock. */
  readonly timers: Map<string, Timers>;
}

export const createTestClocks = (index: Index): TestClocks => ({ objects: new Collection(index), timers: new Map() });

/** What falls due on the billing side. */
export type BillingJob =
  | 'subscription_expires'
  | 'subscription_period_ends'
  | 'subscription_cancels'
  | 'trial_will_end'
  | 'collection_resumes'
  | 'invoice_upcoming'
  | 'invoice_finalizes'
  | 'invoice_retries'
  | 'invoice_overdue'
  | 'checkout_expires'
  | 'clock_advances';
