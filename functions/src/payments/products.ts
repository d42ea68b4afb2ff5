import type { Config } from '../config.ts';
import { Refusal } from '../platform/errors.ts';
import type { Currency, Minor } from '../platform/money.ts';
import { requireChargeable } from './amounts.ts';

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
  /** Of a session: how long it is, unless as long as the platform's sessions are (SESSION_MINUTES). */
  durationMinutes?: number;
  /** Of a subscription: days before the first charge, once a customer; the contract it belongs to; months until it ends. */
  trialDays?: number;
  contractId?: string;
  contractMonths?: number;
  active: boolean;
  /** The Stripe price made for exactly this amount and interval; another is made when they change. */
  stripePrice?: {
    id: string;
    amountMinor: Minor;
    currency: Currency;
    interval: 'month' | 'year';
    /** The connected account it was made on; the platform otherwise. */
    stripeAccountId?: string;
  };
}

/** The platform's currency first. */
export const acceptedCurrencies = (config: Pick<Config, 'currency' | 'acceptedCurrencies'>): Currency[] => [
  config.currency,
  ...config.acceptedCurrencies,
];

/** Throws the Refusal a customer should see when a product cannot be bought; returns it narrowed otherwise. */
export function requireForSale(
  productId: string,
  product: Product | undefined,
  accepted: readonly Currency[],
): Product {
  if (!product) throw new Refusal('not-found', 'product-not-found', `There is no product ${productId}.`);
  if (!product.active)
    throw new Refusal('failed-precondition', 'product-not-for-sale', `${product.name} is not for sale now.`);
  if (!accepted.includes(product.currency)) {
    throw new Refusal(
      'failed-precondition',
      'currency-not-accepted',
      `${product.name} is priced in ${product.currency}; we take ${accepted.join(', ')}.`,
    );
  }
  return product;
}

/** The same for one that is charged by itself: its price must be one that Stripe charges. */
export function requireSellable(
  productId: string,
  product: Product | undefined,
  accepted: readonly Currency[],
): Product {
  const sold = requireForSale(productId, product, accepted);
  requireChargeable(sold.amountMinor, sold.currency, sold.name);
  return sold;
}
