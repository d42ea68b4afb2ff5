/** PaymentIntents below their requests: made, found, split, canceled. Invoices and Checkout Sessions make theirs here. */
import type Stripe from 'stripe';
import { badParam, missing } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import { mergeMetadata } from '../core/params.ts';
import { APPLICATION, isPlatform } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { releaseAuthorization } from './authorization.ts';
import { requireDestination, requireDirect, requireMerchant } from './direct.ts';
import { methodTypes } from './method-types.ts';
import { dropChallenges } from './three-d-secure.ts';

/** What Stripe.js may send beside the SDK's parameters. */
export type WithSecret<P> = P & { client_secret?: string };

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
