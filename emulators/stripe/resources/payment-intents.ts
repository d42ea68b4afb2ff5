import type Stripe from 'stripe';
import { badParam, missing, refused, unsupported } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import { inRange, page } from '../core/list.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import { APPLICATION, isPlatform } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { confirmIntent } from './confirm.ts';
import { requireDestination, requireDirect, requireMerchant } from './direct.ts';
import { customerNamed } from './lookup.ts';
import { requireChargeable, requireSek } from './money.ts';
import { releaseAuthorization } from './capture.ts';
import { requireNoDebit } from './debits.ts';
import { methodTypes } from './method-types.ts';
import { usable } from './payment-methods.ts';
import { dropChallenges } from './three-d-secure.ts';

/** What Stripe.js may send beside the SDK's parameters. */
export type WithSecret<P> = P & { client_secret?: string };

export function createPaymentIntent(
  world: World,
  book: Book,
  params: Stripe.PaymentIntentCreateParams,
): Stripe.PaymentIntent {
  requireSek(params.currency);
  requireChargeable(params.amount);
  requireSplit(world, book, params);
  if (params.automatic_payment_methods?.enabled === false) {
    throw unsupported('automatic_payment_methods[enabled]', 'PaymentIntents without automatic payment methods');
  }
  if (params.customer !== undefined) customerNamed(book, params.customer);
  if (params.confirm !== true) {
    for (const name of ['off_session', 'return_url', 'error_on_requires_action'] as const) {
      if (params[name] !== undefined) {
        throw badParam(name, `You cannot provide \`${name}\` unless \`confirm\` is set to true.`);
      }
    }
  } else if (params.payment_method === undefined) {
    throw badParam(
      'payment_method',
      "You cannot confirm this PaymentIntent because it's missing a payment method. Provide `payment_method`.",
      'payment_intent_unexpected_state',
    );
  }
  const method = params.payment_method === undefined ? undefined : usable(world, book, params.payment_method);
  if (method && method.customer !== null && method.customer !== (params.customer ?? null)) {
    throw badParam(
      'payment_method',
      'The PaymentMethod belongs to a customer: pass that customer with the PaymentIntent.',
      'payment_intent_incompatible_payment_method',
    );
  }
  const intent = makeIntent(world, book, { ...params, payment_method: method?.id });
  return params.confirm === true
    ? confirmIntent(world, book, intent, {
        off_session: params.off_session === true,
        return_url: params.return_url,
        error_on_requires_action: params.error_on_requires_action,
      })
    : intent;
}

/** Makes the intent, once its parameters have been found good. */
export function makeIntent(
  world: World,
  book: Book,
  params: Stripe.PaymentIntentCreateParams & { payment_method?: string | undefined },
): Stripe.PaymentIntent {
  const id = world.ids.next('pi');
  const transfer = params.transfer_data;
  const types = methodTypes(world, params);
  const intent: Stripe.PaymentIntent = {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: types.allowed,
    amount: params.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: isPlatform(world, book) ? null : APPLICATION,
    application_fee_amount: params.application_fee_amount ?? null,
    automatic_payment_methods: types.allowed
      ? null
      : { enabled: true, allow_redirects: params.automatic_payment_methods?.allow_redirects ?? 'always' },
    canceled_at: null,
    cancellation_reason: null,
    capture_method: params.capture_method ?? 'automatic_async',
    client_secret: world.ids.next(`${id}_secret`),
    confirmation_method: 'automatic',
    created: world.now,
    currency: 'sek',
    customer: params.customer ?? null,
    customer_account: null,
    description: params.description ?? null,
    excluded_payment_method_types: types.excluded,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: mergeMetadata({}, params.metadata),
    next_action: null,
    on_behalf_of: params.on_behalf_of ?? null,
    payment_method: params.payment_method ?? null,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' },
    },
    payment_method_types: types.all,
    payment_record: null,
    processing: null,
    receipt_email: params.receipt_email ?? null,
    review: null,
    setup_future_usage: params.setup_future_usage ?? null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: params.statement_descriptor_suffix ?? null,
    status: params.payment_method === undefined ? 'requires_payment_method' : 'requires_confirmation',
    transfer_data: transfer
      ? { destination: transfer.destination, ...(transfer.amount === undefined ? {} : { amount: transfer.amount }) }
      : null,
    // A destination payment without a group of its own gets one from Stripe when it is charged.
    transfer_group: params.transfer_group ?? null,
  };
  book.paymentIntents.add(intent);
  emit(world, book, 'payment_intent.created', intent);
  return intent;
}

/** The parts of a PaymentIntent that say who gets what. */
export type Split = Pick<
  Stripe.PaymentIntentCreateParams,
  'amount' | 'application_fee_amount' | 'on_behalf_of' | 'transfer_data'
>;

/** The split between platform and coach must be possible before anything is made. */
export function requireSplit(world: World, book: Book, params: Split): void {
  const { amount, application_fee_amount: fee, transfer_data: transfer } = params;
  const direct = !isPlatform(world, book);
  if (direct) requireDirect(world, book, params);
  if (params.on_behalf_of !== undefined) requireMerchant(world, params.on_behalf_of);
  if (fee !== undefined) {
    if (!transfer && !direct) {
      throw badParam(
        'application_fee_amount',
        'Can only apply an application_fee_amount when the PaymentIntent is attempting a direct payment (using an OAuth key ' +
          'or Stripe-Account header) or destination payment (using `transfer_data[destination]`).',
      );
    }
    if (fee < 1)
      throw badParam(
        'application_fee_amount',
        'This value must be greater than or equal to 1.',
        'parameter_invalid_integer',
      );
    if (fee > amount)
      throw badParam('application_fee_amount', 'Application fee amount must be less than or equal to the amount.');
    if (transfer?.amount !== undefined) {
      throw badParam(
        'application_fee_amount',
        'You cannot pass both `application_fee_amount` and `transfer_data[amount]`.',
      );
    }
  }
  if (!transfer) return;
  if (transfer.amount !== undefined && (transfer.amount < 1 || transfer.amount > amount)) {
    throw badParam('transfer_data[amount]', 'The transfer amount must be between 1 and the amount of the payment.');
  }
  requireDestination(world, transfer.destination, 'transfer_data[destination]');
}

export function intentNamed(book: Book, id: string, secret?: string): Stripe.PaymentIntent {
  const intent = book.paymentIntents.get(id);
  if (!intent) throw missing('payment_intent', id, 'intent', 404);
  if (secret !== undefined && secret !== intent.client_secret) {
    throw badParam(
      'client_secret',
      `The client_secret provided does not match the client_secret associated with the PaymentIntent.`,
      'payment_intent_invalid_parameter',
    );
  }
  return intent;
}

export const retrievePaymentIntent = (
  _: World,
  book: Book,
  params: WithSecret<Stripe.PaymentIntentRetrieveParams>,
  [id = '']: string[],
) => intentNamed(book, id, params.client_secret);

export const listPaymentIntents = (_: World, book: Book, params: Stripe.PaymentIntentListParams) =>
  page(
    book.paymentIntents,
    '/v1/payment_intents',
    params,
    (intent) =>
      inRange(intent.created, params.created) && (params.customer === undefined || intent.customer === params.customer),
  );

export function confirmPaymentIntent(
  world: World,
  book: Book,
  params: WithSecret<Stripe.PaymentIntentConfirmParams>,
  [id = '']: string[],
): Stripe.PaymentIntent {
  const intent = intentNamed(book, id, params.client_secret);
  return confirmIntent(world, book, intent, {
    payment_method: params.payment_method,
    setup_future_usage: params.setup_future_usage === '' ? undefined : params.setup_future_usage,
    receipt_email: textOrNull(params.receipt_email) ?? undefined,
    off_session: params.off_session === true,
    return_url: params.return_url,
    error_on_requires_action: params.error_on_requires_action,
  });
}

export function cancelPaymentIntent(
  world: World,
  book: Book,
  params: Stripe.PaymentIntentCancelParams,
  [id = '']: string[],
): Stripe.PaymentIntent {
  const intent = intentNamed(book, id);
  if (book.invoiceOfIntent.has(id)) {
    throw refused(
      'You cannot cancel a PaymentIntent that pays an invoice: cancel the subscription or void the invoice.',
    );
  }
  if (intent.status === 'succeeded' || intent.status === 'canceled') {
    throw refused(
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the ` +
        'following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, ' +
        'requires_action.',
      'payment_intent_unexpected_state',
    );
  }
  requireNoDebit(intent);
  return cancelIntent(world, book, intent, params.cancellation_reason ?? null);
}

export function cancelIntent(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  reason: Stripe.PaymentIntent['cancellation_reason'],
): Stripe.PaymentIntent {
  dropChallenges(world, intent.id);
  releaseAuthorization(world, book, intent);
  const after = book.paymentIntents.update(intent.id, {
    status: 'canceled',
    amount_capturable: 0,
    next_action: null,
    canceled_at: world.now,
    cancellation_reason: reason,
  });
  emit(world, book, 'payment_intent.canceled', after);
  return after;
}
