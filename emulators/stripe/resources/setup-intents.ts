/** SetupIntents: a payment method is kept for later without being charged. */
import type Stripe from 'stripe';
import { badParam, missing, refused } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import { inRange, page } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { customerNamed } from './lookup.ts';
import { methodTypes } from './method-types.ts';
import type { WithSecret } from './intent-life.ts';
import { usable } from './payment-methods.ts';
import { confirmSetup } from './setup-confirm.ts';
import { dropChallenges } from './three-d-secure.ts';

export function createSetupIntent(
  world: World,
  book: Book,
  params: Stripe.SetupIntentCreateParams,
): Stripe.SetupIntent {
  if (params.customer !== undefined) customerNamed(book, params.customer);
  if (params.return_url !== undefined && params.confirm !== true) {
    throw badParam('return_url', 'You cannot provide `return_url` unless `confirm` is set to true.');
  }
  const types = methodTypes(world, params);
  const method = params.payment_method === undefined ? undefined : usable(world, book, params.payment_method);
  if (method && method.customer !== null && method.customer !== (params.customer ?? null)) {
    throw badParam(
      'payment_method',
      'The PaymentMethod belongs to a customer: pass that customer with the SetupIntent.',
      'payment_method_unexpected_state',
    );
  }
  const id = world.ids.next('seti');
  const intent = book.setupIntents.add({
    id,
    object: 'setup_intent',
    allowed_payment_method_types: types.allowed,
    application: null,
    automatic_payment_methods: types.allowed
      ? null
      : { enabled: true, allow_redirects: params.automatic_payment_methods?.allow_redirects ?? 'always' },
    cancellation_reason: null,
    client_secret: world.ids.next(`${id}_secret`),
    created: world.now,
    customer: params.customer ?? null,
    description: params.description ?? null,
    excluded_payment_method_types: types.excluded,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    mandate: null,
    metadata: mergeMetadata({}, params.metadata),
    next_action: null,
    on_behalf_of: null,
    payment_method: method?.id ?? null,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: types.all,
    single_use_mandate: null,
    status: method ? 'requires_confirmation' : 'requires_payment_method',
    usage: params.usage ?? 'off_session',
  });
  emit(world, book, 'setup_intent.created', intent);
  return params.confirm === true ? confirmSetup(world, book, intent, { return_url: params.return_url }) : intent;
}

function setupNamed(book: Book, id: string, secret?: string): Stripe.SetupIntent {
  const intent = book.setupIntents.get(id);
  if (!intent) throw missing('setupintent', id, 'intent', 404);
  if (secret !== undefined && secret !== intent.client_secret) {
    throw badParam(
      'client_secret',
      'The client_secret provided does not match the client_secret associated with the SetupIntent.',
      'setup_intent_invalid_parameter',
    );
  }
  return intent;
}

export const retrieveSetupIntent = (
  _: World,
  book: Book,
  params: WithSecret<Stripe.SetupIntentRetrieveParams>,
  [id = '']: string[],
) => setupNamed(book, id, params.client_secret);

export const listSetupIntents = (_: World, book: Book, params: Stripe.SetupIntentListParams) =>
  page(
    book.setupIntents,
    '/v1/setup_intents',
    params,
    (intent) =>
      inRange(intent.created, params.created) &&
      (params.customer === undefined || intent.customer === params.customer) &&
      (params.payment_method === undefined || intent.payment_method === params.payment_method),
  );

export function updateSetupIntent(
  world: World,
  book: Book,
  params: Stripe.SetupIntentUpdateParams,
  [id = '']: string[],
): Stripe.SetupIntent {
  const before = setupNamed(book, id);
  const changes = params.customer !== undefined || params.payment_method !== undefined;
  if (changes && (before.status === 'succeeded' || before.status === 'canceled')) {
    throw refused(
      `You cannot update this SetupIntent because it has a status of ${before.status}.`,
      'setup_intent_unexpected_state',
    );
  }
  if (params.customer !== undefined) customerNamed(book, params.customer);
  const method = params.payment_method === undefined ? undefined : usable(world, book, params.payment_method);
  if (method) dropChallenges(world, id);
  return book.setupIntents.put({
    ...before,
    customer: params.customer ?? before.customer,
    description: params.description ?? before.description,
    metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
    ...(method ? { payment_method: method.id, status: 'requires_confirmation' as const, next_action: null } : {}),
  });
}

export const confirmSetupIntent = (
  world: World,
  book: Book,
  params: WithSecret<Stripe.SetupIntentConfirmParams>,
  [id = '']: string[],
): Stripe.SetupIntent =>
  confirmSetup(world, book, setupNamed(book, id, params.client_secret), {
    payment_method: params.payment_method,
    return_url: params.return_url,
  });

export function cancelSetupIntent(
  world: World,
  book: Book,
  params: Stripe.SetupIntentCancelParams,
  [id = '']: string[],
): Stripe.SetupIntent {
  const before = setupNamed(book, id);
  if (before.status === 'succeeded' || before.status === 'canceled') {
    throw refused(
      `You cannot cancel this SetupIntent because it has a status of ${before.status}. Only a SetupIntent with one of the ` +
        'following statuses may be canceled: requires_payment_method, requires_confirmation, requires_action.',
      'setup_intent_unexpected_state',
    );
  }
  dropChallenges(world, id);
  const after = book.setupIntents.put({
    ...before,
    status: 'canceled',
    cancellation_reason: params.cancellation_reason ?? null,
    next_action: null,
  });
  emit(world, book, 'setup_intent.canceled', after);
  return after;
}
