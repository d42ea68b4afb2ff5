import type { Context } from '../../platform/context.ts';
import { toStripeCurrency, type Currency, type Minor } from '../../platform/money.ts';
import type { Product } from '../products.ts';
import { readProduct, savePrice } from '../products.store.ts';

export interface PriceTerms {
  amountMinor: Minor;
  currency: Currency;
  interval: 'month' | 'year';
  /** The connected account that sells it; the platform otherwise. */
  stripeAccountId?: string;
}

/**
 * The Stripe price for exactly the product's amount and interval, on the account that sells it; made once, found again by
 * its lookup key.
 */
export async function ensurePrice(
  ctx: Context,
  sold: { productId: string; name: string },
  terms: PriceTerms,
): Promise<string> {
  const product = await readProduct(ctx.db, sold.productId);
  if (product?.stripePrice && samePrice(product.stripePrice, terms)) return product.stripePrice.id;
  const { amountMinor, currency, interval, stripeAccountId } = terms;
  const on = stripeAccountId ? { stripeAccount: stripeAccountId } : {};
  const stripe = await ctx.stripe();
  const lookupKey = `${sold.productId}_${amountMinor}_${currency}_${interval}`;
  const found = await stripe.prices.list({ lookup_keys: [lookupKey], limit: 1 }, on);
  const price =
    found.data[0] ??
    (await stripe.prices.create(
      {
        currency: toStripeCurrency(currency),
        unit_amount: amountMinor,
        recurring: { interval },
        lookup_key: lookupKey,
        product_data: { name: sold.name, metadata: { productId: sold.productId } },
        metadata: { productId: sold.productId },
      },
      { idempotencyKey: `price:${lookupKey}`, ...on },
    ));
  await savePrice(ctx.db, sold.productId, { id: price.id, ...terms });
  return price.id;
}

const samePrice = (a: NonNullable<Product['stripePrice']>, b: PriceTerms): boolean =>
  a.amountMinor === b.amountMinor &&
  a.currency === b.currency &&
  a.interval === b.interval &&
  a.stripeAccountId === b.stripeAccountId;
