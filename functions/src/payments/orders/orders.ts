import type { Timestamp } from 'firebase-admin/firestore';
import { Refusal } from '../../platform/errors.ts';
import { minor, sum, type Currency, type Minor } from '../../platform/money.ts';
import { requireChargeable } from '../amounts.ts';
import type { Payment } from '../payments.ts';
import type { Share } from '../plans.ts';
import type { Product, ProductKind } from '../products.ts';
import { vatLinesOf, type VatLine } from '../vat.ts';

export const orderKinds = ['order', 'booking', 'invoice', 'contract'] as const;
export type OrderKind = (typeof orderKinds)[number];

/** How many different products an order holds at most, and how many of one. */
export const limits = { items: 20, quantity: 100 } as const;

export interface OrderItem {
  productId: string;
  name: string;
  kind: ProductKind;
  quantity: number;
  unitMinor: Minor;
  amountMinor: Minor;
  /** Percent, inside the price. */
  vatRate: number;
  /** Taken from the product's stock when the order was made. */
  fromStock: boolean;
}

export type OrderStatus = 'open' | 'processing' | 'fulfilled' | 'canceled';
export type OrderPaymentStatus = 'unpaid' | 'pending' | 'paid' | 'failed' | 'partially_refunded' | 'refunded';

/** `orders/{id}`: what was ordered, with prices, shares and owner as they were that moment. */
export interface Order {
  userId: string;
  coachId?: string;
  items: OrderItem[];
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  /** One a VAT rate, the highest first. */
  vatLines: VatLine[];
  kind: OrderKind;
  status: OrderStatus;
  paymentStatus: OrderPaymentStatus;
  /** The coach's share by the terms of that moment. */
  share?: Share;
  /** What came from stock is held for the customer, or was given back: once. */
  stock: 'none' | 'taken' | 'returned';
  /** The PaymentIntent that pays it; another follows only when Stripe says that this one is canceled. */
  activePaymentId?: string;
  /** It is about to be canceled: nobody begins to pay it. */
  closing?: boolean;
  /** Not paid by then, it is canceled and its goods are for sale again. */
  expiresAt: Timestamp;
  createdAt: Timestamp;
  updatedAt: Timestamp;
}

/** What an order holds before anybody's share is worked out. */
export type Draft = Pick<Order, 'items' | 'amountMinor' | 'currency' | 'vatLines' | 'stock'> & { coachId?: string };

export interface Wanted {
  productId: string;
  quantity: number;
  product: Product;
}

/** Prices and sums an order; throws the Refusal of what cannot be ordered, or not together. */
export function draftOrder(wanted: readonly Wanted[]): Draft {
  const [first] = wanted;
  if (!first) throw new Refusal('invalid-argument', 'order-empty', 'An order has at least one item.');
  const items = wanted.map(itemOf);
  const { coachId, currency } = first.product;
  for (const { productId, product } of wanted) {
    if (wanted.filter((other) => other.productId === productId).length > 1)
      throw new Refusal('invalid-argument', 'product-twice', `${product.name} is there twice. Give it one quantity.`);
    if (product.coachId !== coachId)
      throw new Refusal(
        'failed-precondition',
        'one-coach-per-order',
        `${product.name} and ${first.product.name} are not of the same coach. Make an order for each.`,
      );
    if (product.currency !== currency)
      throw new Refusal(
        'failed-precondition',
        'one-currency-per-order',
        `${product.name} is not priced in ${currency}. Make an order for each currency.`,
      );
  }
  const amountMinor = sum(items.map((item) => item.amountMinor));
  requireChargeable(amountMinor, currency, 'the order');
  return {
    items,
    amountMinor,
    currency,
    vatLines: vatLinesOf(items),
    stock: items.some(({ fromStock }) => fromStock) ? 'taken' : 'none',
    ...(coachId ? { coachId } : {}),
  };
}

const orderable: readonly ProductKind[] = ['programme', 'good'];

function itemOf({ productId, quantity, product }: Wanted): OrderItem {
  if (!orderable.includes(product.kind)) {
    throw new Refusal(
      'failed-precondition',
      'not-orderable',
      `${product.name} is a ${product.kind}, which is not sold in orders. Call ${product.kind === 'subscription' ? 'createSubscription' : 'bookSession'}.`,
    );
  }
  if (product.stock !== undefined && product.stock < quantity) {
    throw new Refusal(
      'failed-precondition',
      'out-of-stock',
      `${product.name}: ${Math.max(0, product.stock)} left, ${quantity} wanted.`,
      { productId, left: Math.max(0, product.stock) },
    );
  }
  return {
    productId,
    name: product.name,
    kind: product.kind,
    quantity,
    unitMinor: product.amountMinor,
    amountMinor: minor(product.amountMinor * quantity),
    vatRate: product.vatRate,
    fromStock: product.stock !== undefined,
  };
}

/** "Programme, 2 × Book": what the payer reads. */
export function describe(items: readonly Pick<OrderItem, 'name' | 'quantity'>[]): string {
  const all = items.map(({ name, quantity }) => (quantity === 1 ? name : `${quantity} × ${name}`)).join(', ');
  return all.length <= 200 ? all : `${all.slice(0, 199)}…`;
}

/** What the payment says of the order that it pays. A payment that differs from what was owed pays nothing. */
export function paymentStatusOf(
  payment: Pick<Payment, 'status' | 'amountMinor' | 'refundedMinor' | 'difference'>,
): OrderPaymentStatus {
  if (payment.status === 'canceled') return 'unpaid';
  if (payment.status === 'pending' || payment.status === 'failed') return payment.status;
  if (payment.difference) return 'pending';
  if (payment.refundedMinor >= payment.amountMinor) return 'refunded';
  return payment.refundedMinor > 0 ? 'partially_refunded' : 'paid';
}

export interface OrderChange {
  patch: Pick<Order, 'status' | 'paymentStatus' | 'stock'>;
  returnsStock: boolean;
}

/**
 * How an order follows its payment: paid, it is fulfilled at once unless there is something to send; wholly refunded, it is
 * canceled. What was canceled stays so, and what was sent stays sent. Undefined: nothing changes.
 */
export function followed(
  order: Pick<Order, 'items' | 'status' | 'paymentStatus' | 'stock'>,
  payment: Parameters<typeof paymentStatusOf>[0],
): OrderChange | undefined {
  const paymentStatus = paymentStatusOf(payment);
  const status = statusFor(order, paymentStatus);
  const returnsStock = order.stock === 'taken' && status === 'canceled';
  const patch = { status, paymentStatus, stock: returnsStock ? ('returned' as const) : order.stock };
  const same = status === order.status && paymentStatus === order.paymentStatus && !returnsStock;
  return same ? undefined : { patch, returnsStock };
}

function statusFor(order: Pick<Order, 'items' | 'status'>, paymentStatus: OrderPaymentStatus): OrderStatus {
  if (order.status === 'canceled' || paymentStatus === 'refunded') return 'canceled';
  if (order.status !== 'open' || !isPaid(paymentStatus)) return order.status;
  return order.items.some(({ kind }) => kind === 'good') ? 'processing' : 'fulfilled';
}

export const isPaid = (status: OrderPaymentStatus): boolean => status === 'paid' || status === 'partially_refunded';
