/** Changing a PaymentIntent: what it costs only before it is charged, what it is called always. */
import type Stripe from 'stripe';
import { badParam, refused } from '../core/errors.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { customerNamed } from './lookup.ts';
import { methodTypes } from './method-types.ts';
import { requireChargeable, requireSek } from './money.ts';
import { intentNamed, requireSplit } from './intent-life.ts';
import { usable } from './payment-methods.ts';
import { dropChallenges } from './three-d-secure.ts';

type Params = Stripe.PaymentIntentUpdateParams;

const CHANGEABLE = ['requires_payment_method', 'requires_confirmation', 'requires_action'];
/** What may be changed whatever has become of the intent. */
const ALWAYS: readonly (keyof Params)[] = ['description', 'expand', 'metadata', 'receipt_email', 'transfer_group'];

export function updatePaymentIntent(
  world: World,
  book: Book,
  params: Params,
  [id = '']: string[],
): Stripe.PaymentIntent {
  const before = intentNamed(book, id);
  const bound = (Object.keys(params) as (keyof Params)[]).filter((name) => !ALWAYS.includes(name));
  if (bound.length > 0) requireChangeable(before, bound[0]!);
  const named = {
    ...before,
    description: params.description ?? before.description,
    receipt_email: params.receipt_email === undefined ? before.receipt_email : textOrNull(params.receipt_email),
    transfer_group: params.transfer_group ?? before.transfer_group,
    metadata: mergeMetadata(before.metadata, params.metadata),
  };
  return book.paymentIntents.put(bound.length === 0 ? named : changed(world, book, named, params));
}

function requireChangeable(intent: Stripe.PaymentIntent, param: string): void {
  if (CHANGEABLE.includes(intent.status)) return;
  throw refused(
    `This PaymentIntent's ${param} could not be updated because it has a status of ${intent.status}. You may only update the ` +
      `${param} of a PaymentIntent with one of the following statuses: ${CHANGEABLE.join(', ')}.`,
    'payment_intent_unexpected_state',
    param,
  );
}

function changed(world: World, book: Book, before: Stripe.PaymentIntent, params: Params): Stripe.PaymentIntent {
  if (params.currency !== undefined) requireSek(params.currency);
  const amount = params.amount ?? before.amount;
  if (params.amount !== undefined) requireChargeable(params.amount);
  const given = params.application_fee_amount;
  const fee = given === undefined ? before.application_fee_amount : typeof given === 'number' ? given : null;
  const transfer = transferOf(before, params);
  const splits = ['amount', 'application_fee_amount', 'transfer_data'] as const;
  if (splits.some((name) => params[name] !== undefined)) {
    requireSplit(world, book, {
      amount,
      ...(fee === null ? {} : { application_fee_amount: fee }),
      ...(transfer ? { transfer_data: transfer } : {}),
    });
  }
  if (params.customer !== undefined) {
    customerNamed(book, params.customer);
    if (before.customer !== null && before.customer !== params.customer) {
      throw badParam('customer', 'The customer of a PaymentIntent cannot be changed once it is set.');
    }
  }
  const narrows =
    params.allowed_payment_method_types !== undefined || params.excluded_payment_method_types !== undefined;
  const types = narrows ? methodTypes(world, params) : undefined;
  const method = params.payment_method === undefined ? undefined : usable(world, book, params.payment_method);
  const customer = params.customer ?? (before.customer as string | null);
  if (method && method.customer !== null && method.customer !== customer) {
    throw badParam(
      'payment_method',
      'The PaymentMethod belongs to a customer that is not the one of this PaymentIntent.',
      'payment_intent_incompatible_payment_method',
    );
  }
  const restarts = method !== undefined || amount !== before.amount;
  if (restarts) dropChallenges(world, before.id);
  const chosen = method?.id ?? before.payment_method;
  return {
    ...before,
    amount,
    application_fee_amount: fee,
    transfer_data: transfer ?? null,
    capture_method: params.capture_method ?? before.capture_method,
    customer,
    payment_method: chosen,
    setup_future_usage:
      params.setup_future_usage === undefined ? before.setup_future_usage : textOrNull(params.setup_future_usage),
    statement_descriptor_suffix: params.statement_descriptor_suffix ?? before.statement_descriptor_suffix,
    ...(types
      ? {
          allowed_payment_method_types: types.allowed,
          excluded_payment_method_types: types.excluded,
          payment_method_types: types.all,
        }
      : {}),
    ...(restarts
      ? { status: chosen === null ? 'requires_payment_method' : 'requires_confirmation', next_action: null }
      : {}),
  };
}

function transferOf(
  before: Stripe.PaymentIntent,
  params: Params,
): { destination: string; amount?: number } | undefined {
  const held = before.transfer_data;
  const given = params.transfer_data?.amount;
  if (!held) {
    if (given === undefined) return undefined;
    throw badParam('transfer_data', 'This PaymentIntent was made without a destination: its transfer has no amount.');
  }
  const amount = given ?? held.amount;
  return { destination: held.destination as string, ...(amount === undefined ? {} : { amount }) };
}
