/** Checkout Sessions as the API has them. What the customer does on the page is in checkout-pay.ts. */
import type Stripe from 'stripe';
import { Collection } from '../../core/collection.ts';
import { badParam, missing, refused } from '../../core/errors.ts';
import { inRange, page } from '../../core/list.ts';
import { mergeMetadata } from '../../core/params.ts';
import type { ExpandOnly } from '../../core/params.ts';
import type { CheckoutOrder } from '../../core/billing-book.ts';
import type { Price } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { createProduct, makePrice, priceNamed } from '../catalogue.ts';
import { customerNamed } from '../lookup.ts';
import { MAXIMUM_CHARGE, requireChargeable, requireSek } from '../money.ts';
import { requireSplit } from '../intent-life.ts';
import { expire } from './checkout-expiry.ts';
import { askedDiscounts, redeemable } from './discounts.ts';
import { discountShares, nameOf, rhythmOf } from './lines.ts';
import { requireShare } from './sharing.ts';

type Session = Stripe.Checkout.Session;
type Params = Stripe.Checkout.SessionCreateParams;
const DAY = 86_400;

export function createSession(world: World, book: Book, params: Params): Session {
  const mode = params.mode ?? 'payment';
  requireModeParams(params, mode);
  const customer = params.customer === undefined ? null : customerNamed(book, params.customer);
  if (customer && params.customer_email !== undefined)
    throw badParam('customer_email', 'You may only specify one of these parameters: customer, customer_email.');
  if (customer && params.customer_creation !== undefined)
    throw badParam('customer_creation', 'You cannot pass `customer_creation` with `customer`.');
  if (mode === 'setup' && params.currency === undefined)
    throw badParam(
      'currency',
      'In setup mode `currency` is needed, as payment methods are dynamic.',
      'parameter_missing',
    );
  if (params.currency !== undefined) requireSek(params.currency);
  const expiresAt = params.expires_at ?? world.now + DAY;
  if (expiresAt < world.now + 1_800 || expiresAt > world.now + DAY)
    throw badParam('expires_at', 'expires_at must be between 30 minutes and 24 hours from now.');
  const data = params.subscription_data;
  if (data) requireShare(world, book, data);
  if (data?.trial_end !== undefined && data.trial_end <= world.now + 2 * DAY)
    throw badParam('subscription_data[trial_end]', 'trial_end must be at least 48 hours from now.');
  const discounts = (askedDiscounts(params.discounts) ?? []).map((each, i) =>
    redeemable(world, book, each, customer?.id ?? null, `discounts[${i}]`),
  );
  if (discounts.length > 1) throw badParam('discounts', 'A Checkout Session takes one discount.');
  if (discounts.length > 0 && params.allow_promotion_codes === true)
    throw badParam('discounts', 'You may only specify one of these parameters: allow_promotion_codes, discounts.');
  const asked = checkLines(book, params, mode);
  const amounts = asked.map(({ price, data, quantity }) => (price?.unit_amount ?? data?.unit_amount ?? 0) * quantity);
  requirePayable(world, book, params, mode, moneyOf(amounts, { params, discounts }, mode));
  // Everything is found good: only now a price is made of price_data.
  const prices = asked.map(({ price, data, quantity }) => ({
    id: world.ids.next('li'),
    price: price ?? madeOf(world, book, data!),
    quantity,
  }));
  const order: CheckoutOrder = {
    params,
    prices,
    discounts,
    customer: customer?.id ?? null,
    intent: null,
    setup: null,
    subscription: null,
    email: customer?.email ?? params.customer_email ?? null,
  };
  const id = world.ids.next('cs_test', 40);
  book.billing.orders.set(id, order);
  const session = book.billing.checkoutSessions.add(shapeOf(world, id, mode, params, order, expiresAt));
  world.timers.add({ at: expiresAt, kind: 'checkout_expires', account: book.account, id });
  return session;
}

function requireModeParams(params: Params, mode: string): void {
  const only = (name: keyof Params, ...modes: string[]) => {
    if (params[name] !== undefined && !modes.includes(mode))
      throw badParam(name, `You can not pass \`${name}\` in \`${mode}\` mode.`);
  };
  only('payment_intent_data', 'payment');
  only('subscription_data', 'subscription');
  only('setup_intent_data', 'setup');
  only('line_items', 'payment', 'subscription');
  only('customer_creation', 'payment', 'setup');
  only('allow_promotion_codes', 'payment', 'subscription');
  only('discounts', 'payment', 'subscription');
  if (params.success_url === undefined)
    throw badParam('success_url', 'Missing required param: success_url.', 'parameter_missing');
  for (const name of ['success_url', 'cancel_url'] as const) {
    const url = params[name];
    if (url !== undefined && !URL.canParse(url.replaceAll('{CHECKOUT_SESSION_ID}', 'x')))
      throw badParam(name, 'Not a valid URL', 'url_invalid');
  }
}

function requirePayable(
  world: World,
  book: Book,
  params: Params,
  mode: string,
  { amount_subtotal: subtotal, amount_total: total }: Pick<Session, 'amount_subtotal' | 'amount_total'>,
): void {
  if ((subtotal ?? 0) > MAXIMUM_CHARGE) requireChargeable(subtotal!);
  if (mode !== 'payment' || !total) return;
  requireChargeable(total);
  requireSplit(world, book, { ...params.payment_intent_data, amount: total });
}

interface AskedLine {
  price: Price | undefined;
  data: Stripe.Checkout.SessionCreateParams.LineItem['price_data'];
  quantity: number;
}

function checkLines(book: Book, params: Params, mode: string): AskedLine[] {
  if (mode === 'setup') return [];
  const items = params.line_items ?? [];
  if (items.length === 0) throw badParam('line_items', 'Missing required param: line_items.', 'parameter_missing');
  return items.map((item, i) => {
    const at = `line_items[${i}]`;
    if ((item.price === undefined) === (item.price_data === undefined))
      throw badParam(`${at}[price]`, 'You must specify either `price` or `price_data`.', 'parameter_missing');
    const quantity = item.quantity ?? 1;
    if (quantity < 1) throw badParam(`${at}[quantity]`, 'Invalid positive integer', 'parameter_invalid_integer');
    const price = item.price === undefined ? undefined : priceNamed(book, item.price, `${at}[price]`, 400);
    if (price && !price.active) throw refused('The price specified is inactive.', undefined, `${at}[price]`);
    const data = item.price_data;
    if (data && (data.product === undefined) === (data.product_data === undefined))
      throw badParam(
        `${at}[price_data][product]`,
        'You must specify either `product` or `product_data`.',
        'parameter_missing',
      );
    if (data) {
      requireSek(data.currency);
      if (data.product !== undefined && !book.products.get(data.product))
        throw missing('product', data.product, `${at}[price_data][product]`, 400);
      if ((data.unit_amount ?? 0) < 0)
        throw badParam(`${at}[price_data][unit_amount]`, 'Invalid non-negative integer', 'parameter_invalid_integer');
    }
    const recurs = price ? price.type === 'recurring' : data?.recurring !== undefined;
    if (recurs && mode === 'payment')
      throw badParam(
        at,
        'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
      );
    if (!recurs && mode === 'subscription')
      throw badParam(at, 'The emulator sells recurring prices only in `subscription` mode.', 'emulator_unsupported');
    return { price, data, quantity };
  });
}

function madeOf(
  world: World,
  book: Book,
  data: NonNullable<Stripe.Checkout.SessionCreateParams.LineItem['price_data']>,
): Price {
  const product = data.product ?? createProduct(world, book, data.product_data!).id;
  const { recurring } = data;
  return makePrice(world, book, {
    currency: data.currency,
    product,
    ...(data.unit_amount === undefined ? {} : { unit_amount: data.unit_amount }),
    ...(recurring
      ? {
          recurring: {
            interval: recurring.interval,
            ...(recurring.interval_count === undefined ? {} : { interval_count: recurring.interval_count }),
          },
        }
      : {}),
    active: false,
  });
}

/** Whether the first payment is put off by a trial. */
export const hasTrial = ({ params }: Pick<CheckoutOrder, 'params'>): boolean =>
  params.subscription_data?.trial_period_days !== undefined || params.subscription_data?.trial_end !== undefined;

export const amountsOfOrder = (order: CheckoutOrder): number[] =>
  order.prices.map(({ price, quantity }) => (price.unit_amount ?? 0) * quantity);

export function linesOfOrder(book: Book, order: CheckoutOrder): Stripe.LineItem[] {
  const amounts = amountsOfOrder(order);
  const shares = discountShares(
    amounts,
    order.discounts.map((each) => each.coupon),
  );
  return order.prices.map(({ id, price, quantity }, i) => {
    const off = shares.reduce((sum, share) => sum + share[i]!, 0);
    return {
      id,
      object: 'item',
      adjustable_quantity: null,
      amount_discount: off,
      amount_subtotal: amounts[i]!,
      amount_tax: 0,
      amount_total: amounts[i]! - off,
      currency: 'sek',
      description: nameOf(book, price),
      metadata: {},
      // The SDK makes a Decimal of the wire's string.
      price: price as unknown as Stripe.Price,
      quantity,
    };
  });
}

/** What the session costs today, of its lines' amounts. */
export function moneyOf(
  whole: number[],
  order: Pick<CheckoutOrder, 'params' | 'discounts'>,
  mode: string,
): Pick<Session, 'amount_subtotal' | 'amount_total' | 'total_details'> {
  if (mode === 'setup') return { amount_subtotal: null, amount_total: null, total_details: null };
  const amounts = hasTrial(order) ? whole.map(() => 0) : whole;
  const subtotal = amounts.reduce((sum, each) => sum + each, 0);
  const coupons = order.discounts.map((each) => each.coupon);
  const off = discountShares(amounts, coupons)
    .flat()
    .reduce((sum, each) => sum + each, 0);
  return {
    amount_subtotal: subtotal,
    amount_total: subtotal - off,
    total_details: { amount_discount: off, amount_shipping: 0, amount_tax: 0 },
  };
}

export const discountsOfOrder = (order: CheckoutOrder): Session['discounts'] =>
  order.discounts.map(({ coupon, code }) => ({ coupon: code ? null : coupon.id, promotion_code: code?.id ?? null }));

function shapeOf(
  world: World,
  id: string,
  mode: NonNullable<Params['mode']>,
  params: Params,
  order: CheckoutOrder,
  expiresAt: number,
): Session {
  return {
    id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    allowed_payment_method_types: null,
    ...moneyOf(amountsOfOrder(order), order, mode),
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: world.now,
    currency: 'sek',
    currency_conversion: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: order.customer,
    customer_account: null,
    customer_creation:
      order.customer !== null ? null : mode === 'subscription' ? 'always' : (params.customer_creation ?? 'if_required'),
    customer_details:
      order.email === null
        ? null
        : {
            address: null,
            business_name: null,
            email: order.email,
            individual_name: null,
            name: null,
            phone: null,
            tax_exempt: 'none',
            tax_ids: null,
          },
    customer_email: params.customer_email ?? null,
    discounts: discountsOfOrder(order),
    expires_at: expiresAt,
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    locale: params.locale ?? null,
    managed_payments: null,
    metadata: mergeMetadata({}, params.metadata),
    mode,
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection: mode === 'subscription' ? 'always' : 'if_required',
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_status: mode === 'setup' || (mode === 'subscription' && hasTrial(order)) ? 'no_payment_required' : 'unpaid',
    permissions: null,
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: null,
    subscription: null,
    success_url: params.success_url ?? null,
    ui_mode: 'hosted_page',
    url: `${world.publicUrl}/_hosted/checkout/${id}`,
    wallet_options: null,
  };
}

export function sessionNamed(book: Book, id: string): Session {
  const session = book.billing.checkoutSessions.get(id);
  if (!session) throw missing('checkout.session', id, 'session', 404);
  return session;
}

export const retrieveSession = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) => sessionNamed(book, id);

export const listSessions = (_: World, book: Book, params: Stripe.Checkout.SessionListParams) =>
  page(
    book.billing.checkoutSessions,
    '/v1/checkout/sessions',
    params,
    (each) =>
      inRange(each.created, params.created) &&
      (params.customer === undefined || each.customer === params.customer) &&
      (params.payment_intent === undefined || each.payment_intent === params.payment_intent) &&
      (params.subscription === undefined || each.subscription === params.subscription) &&
      (params.status === undefined || each.status === params.status),
  );

export function updateSession(_: World, book: Book, params: Stripe.Checkout.SessionUpdateParams, [id = '']: string[]) {
  const before = sessionNamed(book, id);
  return book.billing.checkoutSessions.update(id, { metadata: mergeMetadata(before.metadata ?? {}, params.metadata) });
}

export function expireSession(world: World, book: Book, _: ExpandOnly, [id = '']: string[]): Session {
  if (sessionNamed(book, id).status !== 'open')
    throw refused('Only Checkout Sessions with a status in ["open"] can be expired.', 'resource_invalid_state');
  return expire(world, book, id);
}

export function listLineItems(
  _: World,
  book: Book,
  params: Stripe.Checkout.SessionListLineItemsParams,
  [id = '']: string[],
) {
  sessionNamed(book, id);
  const all = new Collection<Stripe.LineItem>(new Map());
  for (const line of [...linesOfOrder(book, book.billing.orders.get(id)!)].reverse()) all.add(line);
  return page(all, `/v1/checkout/sessions/${id}/line_items`, params);
}

export const rhythmText = (price: Price): string => {
  if (price.type !== 'recurring') return '';
  const { interval, interval_count: count } = rhythmOf(price);
  return count === 1 ? ` / ${interval}` : ` every ${count} ${interval}s`;
};
