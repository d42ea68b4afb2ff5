import type Stripe from 'stripe';
import { badParam } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { inRange, limitOf, page } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { clockNamed } from './billing/clock-lookup.ts';
import { customerNamed } from './lookup.ts';
import { attachTo, usable } from './payment-methods.ts';

export function createCustomer(world: World, book: Book, params: Stripe.CustomerCreateParams): Stripe.Customer {
  const customer: Stripe.Customer = {
    id: world.ids.next('cus', 14),
    object: 'customer',
    address: addressOf(params.address),
    balance: 0,
    created:
      params.test_clock === undefined ? world.now : clockNamed(world, params.test_clock, 'test_clock', 400).frozen_time,
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: params.description ?? null,
    discount: null,
    email: params.email ?? null,
    invoice_prefix: world.ids.next('x', 8).slice(2).toUpperCase(),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: mergeMetadata({}, params.metadata),
    name: params.name ?? null,
    next_invoice_sequence: 1,
    phone: params.phone ?? null,
    preferred_locales: params.preferred_locales ?? [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: params.test_clock ?? null,
  };
  const method = params.payment_method === undefined ? undefined : usable(world, book, params.payment_method);
  book.customers.add(customer);
  emit(world, book, 'customer.created', customer);
  if (method) attachTo(world, book, method, customer.id);
  return withDefault(world, book, customer, params.invoice_settings?.default_payment_method);
}

export function updateCustomer(
  world: World,
  book: Book,
  params: Stripe.CustomerUpdateParams,
  [id = '']: string[],
): Stripe.Customer {
  const before = customerNamed(book, id, 'id', 404);
  const after = book.customers.put({
    ...before,
    ...(params.address === undefined ? {} : { address: addressOf(params.address) }),
    ...pick(params, ['description', 'email', 'name', 'phone', 'preferred_locales']),
    metadata: mergeMetadata(before.metadata, params.metadata),
  });
  const last = withDefault(world, book, after, params.invoice_settings?.default_payment_method, true);
  emitChange(world, book, 'customer.updated', before, last);
  return last;
}

export const listCustomers = (_: World, book: Book, params: Stripe.CustomerListParams) =>
  page(
    book.customers,
    '/v1/customers',
    params,
    (customer) =>
      inRange(customer.created, params.created) &&
      (params.test_clock === undefined || customer.test_clock === params.test_clock) &&
      (params.email === undefined || customer.email === params.email),
  );

type Clause = (customer: Stripe.Customer) => boolean;

/** Search by `email`, `name` and `metadata`, clauses joined by AND. */
export function searchCustomers(world: World, book: Book, params: Stripe.CustomerSearchParams) {
  const clauses = params.query.split(/\s+AND\s+/).map(clauseOf);
  const limit = limitOf(params.limit);
  const start = params.page === undefined ? 0 : Number(params.page);
  if (!Number.isInteger(start)) throw badParam('page', `Invalid page: ${params.page}`);
  const seen = world.now - world.switches.searchDelaySeconds;
  const found = [...book.customers.walk()].filter(
    (customer) => customer.created <= seen && clauses.every((clause) => clause(customer)),
  );
  const more = found.length > start + limit;
  return {
    object: 'search_result',
    url: '/v1/customers/search',
    has_more: more,
    data: found.slice(start, start + limit),
    next_page: more ? String(start + limit) : null,
  } satisfies Stripe.ApiSearchResult<Stripe.Customer> & { next_page: string | null };
}

function clauseOf(text: string): Clause {
  const match = /^\s*(?:metadata\[(["'])(.+?)\1\]|(email|name))\s*(:|~)\s*(["'])(.*)\5\s*$/.exec(text);
  if (!match) {
    throw badParam(
      'query',
      `We were unable to parse your search query (${text.trim()}). The emulator searches customers by email, name and ` +
        `metadata['key'], with : (equal) or ~ (contains), joined by AND.`,
    );
  }
  const [, , key, field, operator, , wanted = ''] = match;
  return (customer) => {
    const value = key === undefined ? (field === 'email' ? customer.email : customer.name) : customer.metadata[key];
    if (value === null || value === undefined) return false;
    return operator === ':'
      ? value.toLowerCase() === wanted.toLowerCase()
      : value.toLowerCase().includes(wanted.toLowerCase());
  };
}

function withDefault(
  world: World,
  book: Book,
  customer: Stripe.Customer,
  wanted: string | undefined,
  quiet = false,
): Stripe.Customer {
  if (wanted === undefined) return customer;
  const method = book.paymentMethods.get(wanted);
  if (method?.customer !== customer.id) {
    throw badParam(
      'invoice_settings[default_payment_method]',
      `The customer does not have a payment method with the ID ${wanted}. The payment method must be attached to the customer.`,
      'resource_missing',
    );
  }
  const after = book.customers.update(customer.id, {
    invoice_settings: { ...customer.invoice_settings, default_payment_method: method.id },
  });
  if (!quiet) emitChange(world, book, 'customer.updated', customer, after);
  return after;
}

const addressOf = (given: Stripe.Emptyable<Stripe.AddressParam> | undefined | null): Stripe.Address | null =>
  given === undefined || given === null || given === ''
    ? null
    : {
        city: given.city ?? null,
        country: given.country ?? null,
        line1: given.line1 ?? null,
        line2: given.line2 ?? null,
        postal_code: given.postal_code ?? null,
        state: given.state ?? null,
      };

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]])) as Pick<T, K>;
}
