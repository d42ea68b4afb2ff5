import { Refusal } from '../platform/errors.ts';
import type { Currency, Minor } from '../platform/money.ts';

export type ProductKind = 'programme' | 'session' | 'bundle' | 'subscription' | 'good';

/** `products/{id}`: the catalogue. Prices, fees and owners are decided from here, never by a client. */
export interface Product {
  name: string;
  kind: ProductKind;
  amountMinor: Minor;
  currency: Currency;
  interval?: 'month' | 'year';
  coachId?: string;
  /** Percent, inside the price. */
  vatRate: number;
  accessWeeks?: number;
  credits?: number;
  stock?: number;
  active: boolean;
  /** The Stripe price made for exactly this amount and interval; another is made when they change. */
  stripePrice?: { id: string; amountMinor: Minor; currency: Currency; interval: 'month' | 'year' };
}

/** Stripe's limits for a card payment in SEK: 3.00 to 999,999.99 (facts: minimum and maximum amounts). */
const minimumMinor: Record<Currency, number> = { SEK: 300, NOK: 300, DKK: 250, EUR: 50, GBP: 30, USD: 50 };
const maximumMinor = 99_999_999;

/** Throws the Refusal a customer should see when a product cannot be bought; returns it narrowed otherwise. */
export function requireSellable(productId: string, product: Product | undefined, currency: Currency): Product {
  if (!product) throw new Refusal('not-found', 'product-not-found', `There is no product ${productId}.`);
  if (!product.active)
    throw new Refusal('failed-precondition', 'product-not-for-sale', `${product.name} is not for sale now.`);
  if (product.currency !== currency) {
    throw new Refusal(
      'failed-precondition',
      'currency-not-accepted',
      `${product.name} is priced in ${product.currency}; we take ${currency}.`,
    );
  }
  const minimum = minimumMinor[currency] ?? 50;
  if (product.amountMinor < minimum || product.amountMinor > maximumMinor) {
    throw new Refusal(
      'failed-precondition',
      'amount-out-of-range',
      `The price of ${product.name} is outside what Stripe can charge.`,
    );
  }
  return product;
}
