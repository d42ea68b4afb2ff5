/** Invoice items: what is put on a customer's next invoice, or on a draft. */
import type Stripe from 'stripe';
import { badParam, missing, refused } from '../../core/errors.ts';
import { emit } from '../../core/events.ts';
import { embedded, inRange, page } from '../../core/list.ts';
import { mergeMetadata } from '../../core/params.ts';
import type { ExpandOnly } from '../../core/params.ts';
import type { Invoice, InvoiceItem, Price, Subscription } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { priceNamed } from '../catalogue.ts';
import { customerNamed } from '../lookup.ts';
import { requireSek } from '../money.ts';
import { recount } from './invoice-life.ts';
import { invoiceLineOf, itemLine } from './lines.ts';
import type { Draft } from './lines.ts';
import { nowOf } from './time.ts';
import type { Period } from './time.ts';

interface ItemOrder {
  customer: Stripe.Customer;
  amount: number;
  quantity: number;
  price: Price | null;
  description: string | null;
  discountable: boolean;
  metadata: Record<string, string>;
  period: Period;
  proration: boolean;
  subscription: string | null;
  subscriptionItem: string | null;
  invoice: string | null;
}

function addItem(world: World, book: Book, order: ItemOrder): InvoiceItem {
  const { price, subscription, subscriptionItem } = order;
  const item = book.billing.invoiceItems.add({
    id: world.ids.next('ii'),
    object: 'invoiceitem',
    amount: order.amount,
    currency: 'sek',
    customer: order.customer.id,
    customer_account: null,
    date: nowOf(world, order.customer),
    description: order.description,
    discountable: order.discountable,
    discounts: [],
    invoice: order.invoice,
    livemode: false,
    metadata: order.metadata,
    parent:
      subscription === null
        ? null
        : {
            subscription_details: {
              subscription,
              ...(subscriptionItem === null ? {} : { subscription_item: subscriptionItem }),
            },
            type: 'subscription_details',
          },
    period: order.period,
    pricing: price
      ? {
          price_details: { price: price.id, product: price.product as string },
          type: 'price_details',
          unit_amount_decimal: order.proration ? null : price.unit_amount_decimal,
        }
      : null,
    proration: order.proration,
    quantity: order.quantity,
    quantity_decimal: String(order.quantity),
    tax_rates: [],
    test_clock: order.customer.test_clock ?? null,
  });
  emit(world, book, 'invoiceitem.created', item);
  return item;
}

/** Prorations wait for the subscription's next invoice. */
export function makeInvoiceItems(world: World, book: Book, subscription: Subscription, drafts: Draft[]): void {
  const customer = customerNamed(book, subscription.customer as string);
  for (const draft of drafts) {
    addItem(world, book, {
      customer,
      amount: draft.amount,
      quantity: draft.quantity,
      price: draft.price,
      description: draft.description,
      discountable: draft.discountable,
      metadata: draft.metadata,
      period: draft.period,
      proration: draft.proration,
      subscription: subscription.id,
      subscriptionItem: draft.subscriptionItem,
      invoice: null,
    });
  }
}

/** What an item costs: an amount, or a one-time price times a quantity. */
export function costOf(
  book: Book,
  asked: { amount?: number; pricing?: { price?: string }; quantity?: number },
): { amount: number; quantity: number; price: Price | null } {
  const named = asked.pricing?.price;
  if ((asked.amount === undefined) === (named === undefined))
    throw badParam('amount', 'You must specify either `amount` or `pricing[price]`.', 'parameter_missing');
  if (named === undefined) {
    if (asked.quantity !== undefined) throw badParam('quantity', 'You cannot pass quantity with amount.');
    return { amount: asked.amount!, quantity: 1, price: null };
  }
  const price = priceNamed(book, named, 'pricing[price]', 400);
  if (price.type !== 'one_time')
    throw refused(
      'The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.',
      undefined,
      'pricing[price]',
    );
  const quantity = asked.quantity ?? 1;
  if (quantity < 0) throw badParam('quantity', 'Invalid non-negative integer', 'parameter_invalid_integer');
  return { amount: (price.unit_amount ?? 0) * quantity, quantity, price };
}

export function createInvoiceItem(world: World, book: Book, params: Stripe.InvoiceItemCreateParams): InvoiceItem {
  const customer = customerNamed(book, params.customer ?? '');
  if (params.currency !== undefined) requireSek(params.currency);
  const { amount, quantity, price } = costOf(book, params);
  const draft = params.invoice === undefined ? undefined : draftNamed(book, params.invoice);
  if (draft && draft.customer !== customer.id) throw badParam('invoice', 'The invoice belongs to another customer.');
  if (params.subscription !== undefined && book.subscriptions.get(params.subscription)?.customer !== customer.id)
    throw missing('subscription', params.subscription, 'subscription', 400);
  const now = nowOf(world, customer);
  const item = addItem(world, book, {
    customer,
    amount,
    quantity,
    price,
    description: params.description ?? (price ? (book.products.get(price.product as string)?.name ?? null) : null),
    discountable: params.discountable ?? amount > 0,
    metadata: mergeMetadata({}, params.metadata),
    period: params.period ?? { start: now, end: now },
    proration: false,
    subscription: params.subscription ?? null,
    subscriptionItem: null,
    invoice: draft?.id ?? null,
  });
  if (draft) {
    const lines = [...draft.lines.data, invoiceLineOf(world, draft.id, itemLine(book, item))];
    emit(world, book, 'invoice.updated', recount(world, book, { ...draft, lines: embedded(draft.lines.url, lines) }));
  }
  return item;
}

function draftNamed(book: Book, id: string): Invoice {
  const invoice = book.invoices.get(id);
  if (!invoice) throw missing('invoice', id, 'invoice', 400);
  if (invoice.status !== 'draft')
    throw refused('This invoice is no longer a draft: it cannot be changed.', 'invoice_not_editable', 'invoice');
  return invoice;
}

function itemNamed(book: Book, id: string): InvoiceItem {
  const item = book.billing.invoiceItems.get(id);
  if (!item) throw missing('invoiceitem', id, 'invoiceitem', 404);
  return item;
}

export const retrieveInvoiceItem = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) => itemNamed(book, id);

export const listInvoiceItems = (_: World, book: Book, params: Stripe.InvoiceItemListParams) =>
  page(
    book.billing.invoiceItems,
    '/v1/invoiceitems',
    params,
    (item) =>
      inRange(item.date, params.created) &&
      (params.customer === undefined || item.customer === params.customer) &&
      (params.invoice === undefined || item.invoice === params.invoice) &&
      (params.pending === undefined || (item.invoice === null) === params.pending),
  );

export function deleteInvoiceItem(world: World, book: Book, _: object, [id = '']: string[]) {
  const item = itemNamed(book, id);
  if (item.invoice !== null) {
    const draft = draftNamed(book, item.invoice as string);
    const lines = draft.lines.data.filter((line) => line.parent?.invoice_item_details?.invoice_item !== id);
    recount(world, book, { ...draft, lines: embedded(draft.lines.url, lines) });
  }
  book.billing.invoiceItems.delete(id);
  emit(world, book, 'invoiceitem.deleted', item);
  return { id, object: 'invoiceitem', deleted: true } satisfies Stripe.DeletedInvoiceItem;
}
