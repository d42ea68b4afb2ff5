import type Stripe from 'stripe';
import { StripeFailure, missing, refused } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import { page } from '../core/list.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { customerNamed } from './lookup.ts';
import { TEST_CARDS } from './test-cards.ts';
import type { TestCard } from './test-cards.ts';

const KNOWN = Object.keys(TEST_CARDS).join(', ');

/** The test card behind a payment method, found by its last four digits and country. */
export function cardOf(method: Stripe.PaymentMethod): TestCard {
  const card = Object.values(TEST_CARDS).find(
    (each) =>
      each.last4 === method.card?.last4 && each.country === method.card.country && each.brand === method.card.brand,
  );
  if (!card) throw new Error(`No test card behind ${method.id}.`);
  return card;
}

/** A payment method by its id, or a fresh one from a test token such as `pm_card_se`. */
export function usable(
  world: World,
  book: Book,
  id: string,
  param = 'payment_method',
  status: 400 | 404 = 400,
): Stripe.PaymentMethod {
  const card = TEST_CARDS[id];
  if (card) return book.paymentMethods.add(fresh(world, card));
  const method = book.paymentMethods.get(id);
  if (method) return method;
  if (id.startsWith('pm_card_')) {
    throw new StripeFailure(status, {
      type: 'invalid_request_error',
      code: 'resource_missing',
      param,
      message: `No such PaymentMethod: '${id}'. The emulator knows these test tokens: ${KNOWN}.`,
    });
  }
  throw missing('PaymentMethod', id, param, status);
}

/** A new card like the test card. */
export function fresh(world: World, card: TestCard): Stripe.PaymentMethod {
  return {
    id: world.ids.next('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    card: {
      brand: card.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: card.country,
      display_brand: card.brand,
      exp_month: 12,
      exp_year: new Date(world.now * 1000).getUTCFullYear() + 1,
      fingerprint: `Emulated${card.brand}${card.last4}`,
      funding: card.funding,
      generated_from: null,
      last4: card.last4,
      networks: { available: [card.brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created: world.now,
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
  };
}

export const retrievePaymentMethod = (world: World, book: Book, _: ExpandOnly, [id = '']: string[]) =>
  usable(world, book, id, 'payment_method', 404);

export const listPaymentMethods = (_: World, book: Book, params: Stripe.PaymentMethodListParams) => {
  if (params.customer !== undefined) customerNamed(book, params.customer);
  return page(
    book.paymentMethods,
    '/v1/payment_methods',
    params,
    // Without a customer Stripe lists the attached ones of nobody: only methods of a customer are ever listed.
    (method) => method.customer !== null && (params.customer === undefined || method.customer === params.customer),
  );
};

export function listCustomerMethods(
  _: World,
  book: Book,
  params: Stripe.CustomerListPaymentMethodsParams,
  [id = '']: string[],
) {
  customerNamed(book, id, 'customer', 404);
  return page(book.paymentMethods, `/v1/customers/${id}/payment_methods`, params, (method) => method.customer === id);
}

export function attachTo(
  world: World,
  book: Book,
  method: Stripe.PaymentMethod,
  customer: string,
): Stripe.PaymentMethod {
  if (method.customer === customer) return method;
  if (method.customer !== null) {
    throw refused(
      'The payment method you provided has already been attached to a customer.',
      undefined,
      'payment_method',
    );
  }
  requireUnspent(book, method);
  const outcome = method.type === 'card' ? cardOf(method).outcome : null;
  if (outcome?.kind === 'declines' && !outcome.attaches) {
    throw new StripeFailure(402, {
      type: 'card_error',
      code: outcome.code,
      ...(outcome.declineCode === null ? {} : { decline_code: outcome.declineCode }),
      message: outcome.message,
      param: '',
    });
  }
  const after = book.paymentMethods.update(method.id, { customer });
  emit(world, book, 'payment_method.attached', after);
  return after;
}

export function requireUnspent(book: Book, method: Stripe.PaymentMethod): void {
  if (!book.spentPaymentMethods.has(method.id)) return;
  throw refused(
    'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a ' +
      'connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a ' +
      'PaymentMethod multiple times, you must attach it to a Customer first.',
    'payment_method_unexpected_state',
    'payment_method',
  );
}

export function attachPaymentMethod(
  world: World,
  book: Book,
  params: Stripe.PaymentMethodAttachParams,
  [id = '']: string[],
): Stripe.PaymentMethod {
  const customer = customerNamed(book, params.customer ?? '');
  return attachTo(world, book, usable(world, book, id, 'payment_method', 404), customer.id);
}

export function detachPaymentMethod(
  world: World,
  book: Book,
  _: ExpandOnly,
  [id = '']: string[],
): Stripe.PaymentMethod {
  const before = book.paymentMethods.get(id);
  if (!before) throw missing('PaymentMethod', id, 'payment_method', 404);
  if (before.customer === null) {
    throw refused(
      'The payment method you provided is not attached to a customer so detachment is impossible.',
      undefined,
      'payment_method',
    );
  }
  const after = book.paymentMethods.update(id, { customer: null });
  book.spentPaymentMethods.add(id);
  emit(world, book, 'payment_method.detached', after, { customer: before.customer });
  const holder = book.customers.get(before.customer as string);
  if (holder?.invoice_settings.default_payment_method === id) {
    const settings = { ...holder.invoice_settings, default_payment_method: null };
    book.customers.update(holder.id, { invoice_settings: settings });
    emit(world, book, 'customer.updated', book.customers.get(holder.id)!, {
      invoice_settings: { default_payment_method: id },
    });
  }
  return after;
}
