/** Lines of invoices: of a subscription's items, of invoice items, and of prorations. */
import type Stripe from 'stripe';
import type { InvoiceItem, InvoiceLine, Price, Subscription, SubscriptionItem } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { restOf } from './time.ts';
import type { Period } from './time.ts';

/** A line before its invoice is made. */
export interface Draft {
  amount: number;
  description: string;
  quantity: number;
  price: Price | null;
  unitAmount: number | null;
  period: Period;
  proration: boolean;
  discountable: boolean;
  metadata: Record<string, string>;
  subscription: string | null;
  subscriptionItem: string | null;
  invoiceItem: string | null;
}

export function nameOf(book: Book, price: Price): string {
  return book.products.get(price.product as string)?.name ?? price.nickname ?? price.id;
}

export const itemAmount = (item: Pick<SubscriptionItem, 'price' | 'quantity'>): number =>
  (item.price.unit_amount ?? 0) * (item.quantity ?? 1);

export const rhythmOf = (price: Price) => ({
  interval: price.recurring?.interval ?? 'month',
  interval_count: price.recurring?.interval_count ?? 1,
});

/** The lines of a period; in a trial they cost nothing. */
export const periodLines = (book: Book, subscription: Subscription, trial = false): Draft[] =>
  subscription.items.data.map((item) => {
    const { interval, interval_count: count } = rhythmOf(item.price);
    const unit = ((item.price.unit_amount ?? 0) / 100).toFixed(2);
    const name = nameOf(book, item.price);
    const every = count === 1 ? interval : `every ${count} ${interval}s`;
    return {
      amount: trial ? 0 : itemAmount(item),
      description: trial ? `Trial period for ${name}` : `${item.quantity} × ${name} (at ${unit} kr / ${every})`,
      quantity: item.quantity ?? 1,
      price: item.price,
      unitAmount: trial ? 0 : item.price.unit_amount,
      period: { start: item.current_period_start, end: item.current_period_end },
      proration: false,
      discountable: true,
      metadata: item.metadata,
      subscription: subscription.id,
      subscriptionItem: item.id,
      invoiceItem: null,
    };
  });

/** 21 Nov 2026. */
const day = (at: number): string => new Date(at * 1000).toUTCString().slice(5, 16);

/** The credit for the rest of what was paid, or the charge for the rest of what is taken instead. */
export function prorationLine(
  book: Book,
  subscription: Subscription,
  item: SubscriptionItem,
  at: number,
  sign: 1 | -1,
): Draft {
  const period = { start: item.current_period_start, end: item.current_period_end };
  const name = `${(item.quantity ?? 1) === 1 ? '' : `${item.quantity} × `}${nameOf(book, item.price)}`;
  return {
    amount: restOf(sign * itemAmount(item), period, at),
    description: `${sign < 0 ? 'Unused' : 'Remaining'} time on ${name} after ${day(at)}`,
    quantity: item.quantity ?? 1,
    price: item.price,
    unitAmount: null,
    period: { start: at, end: period.end },
    proration: true,
    discountable: false,
    metadata: {},
    subscription: subscription.id,
    subscriptionItem: item.id,
    invoiceItem: null,
  };
}

export const itemLine = (book: Book, item: InvoiceItem): Draft => {
  const { pricing } = item;
  const price = book.prices.get((pricing?.price_details?.price as string | undefined) ?? '') ?? null;
  return {
    amount: item.amount,
    description: item.description ?? (price ? nameOf(book, price) : 'Invoice item'),
    quantity: item.quantity,
    price,
    unitAmount: pricing && pricing.unit_amount_decimal !== null ? Number(pricing.unit_amount_decimal) : null,
    period: item.period,
    proration: item.proration,
    discountable: item.discountable,
    metadata: item.metadata ?? {},
    subscription: item.parent?.subscription_details?.subscription ?? null,
    subscriptionItem: item.parent?.subscription_details?.subscription_item ?? null,
    invoiceItem: item.id,
  };
};

export function invoiceLineOf(world: World, invoice: string, draft: Draft): InvoiceLine {
  const ofItem = draft.invoiceItem !== null;
  return {
    id: world.ids.next('il'),
    object: 'line_item',
    amount: draft.amount,
    currency: 'sek',
    description: draft.description,
    discount_amounts: [],
    discountable: draft.discountable,
    discounts: [],
    invoice,
    livemode: false,
    metadata: draft.metadata,
    parent: ofItem
      ? {
          invoice_item_details: {
            invoice_item: draft.invoiceItem!,
            proration: draft.proration,
            proration_details: { credited_items: null },
            subscription: draft.subscription,
          },
          subscription_item_details: null,
          type: 'invoice_item_details',
        }
      : {
          invoice_item_details: null,
          subscription_item_details: {
            invoice_item: null,
            proration: draft.proration,
            proration_details: { credited_items: null },
            subscription: draft.subscription,
            subscription_item: draft.subscriptionItem ?? '',
          },
          type: 'subscription_item_details',
        },
    period: draft.period,
    pretax_credit_amounts: [],
    pricing: draft.price
      ? {
          price_details: { price: draft.price.id, product: draft.price.product as string },
          type: 'price_details',
          unit_amount_decimal: draft.unitAmount === null ? null : String(draft.unitAmount),
        }
      : null,
    quantity: draft.quantity,
    quantity_decimal: String(draft.quantity),
    subscription: draft.subscription,
    subtotal: draft.amount,
    taxes: [],
  };
}

/**
 * What each coupon takes off each amount: percentages rounded half up one by one, amounts spread in proportion, never
 * more than what the coupons before it have left.
 */
export function discountShares(amounts: number[], coupons: Stripe.Coupon[]): number[][] {
  const left = amounts.map((amount) => Math.max(0, amount));
  return coupons.map((coupon) => {
    const sum = left.reduce((all, each) => all + each, 0);
    const off = Math.min(coupon.amount_off ?? 0, sum);
    let seen = 0;
    let spread = 0;
    return left.map((rest, i) => {
      seen += rest;
      const share =
        coupon.percent_off === null
          ? Math.min(rest, (sum === 0 ? 0 : Math.floor((off * seen) / sum)) - spread)
          : Math.min(rest, Math.floor((rest * Math.round(coupon.percent_off * 100) + 5_000) / 10_000));
      spread += share;
      left[i] = rest - share;
      return share;
    });
  });
}

export function applyDiscounts(lines: InvoiceLine[], discounts: { id: string; coupon: Stripe.Coupon }[]) {
  const shares = discountShares(
    lines.map((line) => (line.discountable ? line.amount : 0)),
    discounts.map((each) => each.coupon),
  );
  const of = (i: number) =>
    discounts.flatMap(({ id }, d) => (shares[d]![i]! > 0 ? [{ amount: shares[d]![i]!, discount: id }] : []));
  return {
    lines: lines.map((line, i) => ({ ...line, discount_amounts: of(i) })),
    totals: discounts.map(({ id }, d) => ({ amount: shares[d]!.reduce((all, each) => all + each, 0), discount: id })),
  };
}
