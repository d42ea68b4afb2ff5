/** Products and prices. */
import type Stripe from 'stripe';
import { badParam, missing, refused, unsupported } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { inRange, page } from '../core/list.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Price } from '../core/wire.ts';
import type { Book, World } from '../core/world.ts';
import { requireSek } from './money.ts';

export function createProduct(world: World, book: Book, params: Stripe.ProductCreateParams): Stripe.Product {
  if (params.id !== undefined && book.products.get(params.id)) {
    throw refused(`Product already exists: ${params.id}`, 'resource_already_exists', 'id');
  }
  const product: Stripe.Product = {
    id: params.id ?? world.ids.next('prod', 14),
    object: 'product',
    active: params.active ?? true,
    created: world.now,
    default_price: null,
    description: params.description ?? null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: mergeMetadata({}, params.metadata),
    name: params.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: world.now,
    url: null,
  };
  book.products.add(product);
  emit(world, book, 'product.created', product);
  return product;
}

const productNamed = (book: Book, id: string, param: string, status: 400 | 404): Stripe.Product => {
  const product = book.products.get(id);
  if (!product) throw missing('product', id, param, status);
  return product;
};

export const retrieveProduct = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) =>
  productNamed(book, id, 'id', 404);

export function updateProduct(world: World, book: Book, params: Stripe.ProductUpdateParams, [id = '']: string[]) {
  const before = productNamed(book, id, 'id', 404);
  const after = book.products.put({
    ...before,
    name: params.name ?? before.name,
    active: params.active ?? before.active,
    description: params.description === undefined ? before.description : textOrNull(params.description),
    metadata: mergeMetadata(before.metadata, params.metadata),
    updated: world.now,
  });
  emitChange(world, book, 'product.updated', before, after);
  return after;
}

export const listProducts = (_: World, book: Book, params: Stripe.ProductListParams) =>
  page(
    book.products,
    '/v1/products',
    params,
    (product) =>
      inRange(product.created, params.created) &&
      (params.active === undefined || product.active === params.active) &&
      (params.ids === undefined || params.ids.includes(product.id)),
  );

interface PriceOrder {
  currency: string;
  product: string;
  unit_amount?: number;
  recurring?: { interval: Stripe.Price.Recurring.Interval; interval_count?: number };
  lookup_key?: string;
  nickname?: string;
  metadata?: Stripe.MetadataParam;
  active: boolean;
}

export function makePrice(world: World, book: Book, order: PriceOrder): Price {
  requireSek(order.currency);
  if (order.unit_amount === undefined)
    throw badParam('unit_amount', 'Missing required param: unit_amount.', 'parameter_missing');
  if (order.unit_amount < 0) throw badParam('unit_amount', 'Invalid non-negative integer', 'parameter_invalid_integer');
  productNamed(book, order.product, 'product', 400);
  const count = order.recurring?.interval_count ?? 1;
  if (count < 1 || count > 36) throw unsupported('recurring[interval_count]', 'this interval_count');
  const price: Price = {
    id: world.ids.next('price'),
    object: 'price',
    active: order.active,
    billing_scheme: 'per_unit',
    created: world.now,
    currency: order.currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: order.lookup_key ?? null,
    metadata: mergeMetadata({}, order.metadata),
    nickname: order.nickname ?? null,
    product: order.product,
    recurring: order.recurring
      ? {
          interval: order.recurring.interval,
          interval_count: count,
          meter: null,
          trial_period_days: null,
          usage_type: 'licensed',
        }
      : null,
    tax_behavior: 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: order.recurring ? 'recurring' : 'one_time',
    unit_amount: order.unit_amount,
    unit_amount_decimal: String(order.unit_amount),
  };
  book.prices.add(price);
  emit(world, book, 'price.created', price);
  return price;
}

export function createPrice(world: World, book: Book, params: Stripe.PriceCreateParams): Price {
  const { lookup_key: key } = params;
  if ((params.product === undefined) === (params.product_data === undefined)) {
    throw badParam(
      'product',
      'You must specify either `product` or `product_data` when creating a price.',
      'parameter_missing',
    );
  }
  if (key !== undefined) {
    const holder = book.prices.values().find((price) => price.lookup_key === key);
    if (holder && params.transfer_lookup_key !== true) {
      throw refused(
        `A price (\`${holder.id}\`) already uses that lookup key. Use transfer_lookup_key to move it.`,
        'resource_already_exists',
        'lookup_key',
      );
    }
    if (holder) emitChange(world, book, 'price.updated', holder, book.prices.update(holder.id, { lookup_key: null }));
  }
  requireSek(params.currency);
  const product = params.product ?? createProduct(world, book, params.product_data!).id;
  return makePrice(world, book, { ...params, product, active: params.active ?? true });
}

export const priceNamed = (book: Book, id: string, param: string, status: 400 | 404): Price => {
  const price = book.prices.get(id);
  if (!price) throw missing('price', id, param, status);
  return price;
};

export const retrievePrice = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) =>
  priceNamed(book, id, 'id', 404);

export const listPrices = (_: World, book: Book, params: Stripe.PriceListParams) =>
  page(
    book.prices,
    '/v1/prices',
    params,
    (price) =>
      inRange(price.created, params.created) &&
      (params.active === undefined || price.active === params.active) &&
      (params.product === undefined || price.product === params.product) &&
      (params.currency === undefined || price.currency === params.currency) &&
      (params.type === undefined || price.type === params.type) &&
      (params.lookup_keys === undefined ||
        (price.lookup_key !== null && params.lookup_keys.includes(price.lookup_key))),
  );
