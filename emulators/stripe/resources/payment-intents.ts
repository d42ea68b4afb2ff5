import type Stripe from 'stripe';
import { badParam, refused, unsupported } from '../core/errors.ts';
import { inRange, page } from '../core/list.ts';
import { textOrNull } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { confirmIntent } from './confirm.ts';
import { customerNamed } from './lookup.ts';
import { requireChargeable, requireSek } from './money.ts';
import { requireNoDebit } from './debits.ts';
import { cancelIntent, intentNamed, makeIntent, requireSplit } from './intent-life.ts';
import type { WithSecret } from './intent-life.ts';
import { usable } from './payment-methods.ts';

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
