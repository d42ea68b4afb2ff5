/** A SetupIntent is confirmed: the card is authenticated where it wants to be, and kept for later. */
import type Stripe from 'stripe';
import { StripeFailure, refused } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import type { Book, World } from '../core/world.ts';
import { changeSubscription } from './billing/standing.ts';
import { attachTo, cardOf, requireUnspent, usable } from './payment-methods.ts';
import { challenge, dropChallenges, mustAuthenticate } from './three-d-secure.ts';

/** @throws a 402 when the bank declines the card, after the intent has gone back to requires_payment_method. */
export function confirmSetup(
  world: World,
  book: Book,
  before: Stripe.SetupIntent,
  how: { payment_method?: string | undefined; return_url?: string | undefined },
): Stripe.SetupIntent {
  if (!['requires_payment_method', 'requires_confirmation', 'requires_action'].includes(before.status)) {
    throw new StripeFailure(400, {
      type: 'invalid_request_error',
      code: 'setup_intent_unexpected_state',
      doc_url: 'https://stripe.com/docs/error-codes/setup-intent-unexpected-state',
      message: `You cannot confirm this SetupIntent because it has a status of ${before.status}.`,
      setup_intent: before,
    });
  }
  const wanted = how.payment_method ?? (before.payment_method as string | null);
  if (wanted === null) {
    throw refused(
      "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method " +
        'and then confirm it again, or confirm it directly with a payment method.',
      'setup_intent_unexpected_state',
    );
  }
  const method = usable(world, book, wanted);
  if (!before.payment_method_types.includes(method.type)) {
    throw refused(
      `The PaymentMethod provided (${method.type}) is not allowed for this SetupIntent, which takes ${before.payment_method_types.join(', ')}.`,
      'setup_intent_invalid_parameter',
      'payment_method',
    );
  }
  if (method.customer !== null && method.customer !== before.customer) {
    throw refused(
      'The PaymentMethod belongs to a customer that is not the one of this SetupIntent.',
      'payment_method_unexpected_state',
      'payment_method',
    );
  }
  if (method.customer === null) requireUnspent(book, method);
  dropChallenges(world, before.id);
  const intent = book.setupIntents.put({
    ...before,
    status: 'requires_confirmation',
    payment_method: method.id,
    next_action: null,
    last_setup_error: null,
  });
  // A card that was set up elsewhere for off-session use still authenticates when it is set up here.
  if (method.type !== 'card' || !mustAuthenticate(book, cardOf(method), method, false))
    return finish(world, book, intent, method);
  const after = book.setupIntents.put({
    ...intent,
    status: 'requires_action',
    next_action: challenge(world, {
      account: book.account,
      kind: 'setup_intent',
      id: intent.id,
      returnUrl: how.return_url ?? null,
    }),
  });
  emit(world, book, 'setup_intent.requires_action', after);
  return after;
}

function finish(
  world: World,
  book: Book,
  intent: Stripe.SetupIntent,
  method: Stripe.PaymentMethod,
): Stripe.SetupIntent {
  const outcome = method.type === 'card' ? cardOf(method).outcome : null;
  if (outcome?.kind === 'declines' && !outcome.attaches) {
    const error = {
      ...(outcome.declineCode === null ? {} : { decline_code: outcome.declineCode }),
      code: outcome.code,
      doc_url: `https://stripe.com/docs/error-codes/${outcome.code.replaceAll('_', '-')}`,
      message: outcome.message,
      payment_method: method,
      type: 'card_error' as const,
    };
    throw new StripeFailure(402, { ...error, setup_intent: fail(world, book, intent, error) });
  }
  if (intent.customer !== null) attachTo(world, book, method, intent.customer as string);
  book.payments.setUp.add(method.id);
  const after = book.setupIntents.put({ ...intent, status: 'succeeded', next_action: null });
  emit(world, book, 'setup_intent.succeeded', after);
  // Whether Stripe also makes it the subscription's default is unconfirmed, so that is left to who asked for it.
  const waits = book.subscriptions.values().find((each) => each.pending_setup_intent === intent.id);
  if (waits) changeSubscription(world, book, waits.id, { pending_setup_intent: null });
  return after;
}

function fail(
  world: World,
  book: Book,
  intent: Stripe.SetupIntent,
  error: Stripe.SetupIntent.LastSetupError,
): Stripe.SetupIntent {
  const after = book.setupIntents.put({
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    next_action: null,
    last_setup_error: error,
  });
  emit(world, book, 'setup_intent.setup_failed', after);
  return after;
}

/** The holder has authenticated. A decline is in the intent, since nobody waits for an answer. */
export function setupAuthenticated(world: World, book: Book, intent: Stripe.SetupIntent): Stripe.SetupIntent {
  try {
    return finish(world, book, intent, book.paymentMethods.get(intent.payment_method as string)!);
  } catch (error) {
    if (error instanceof StripeFailure && error.status === 402) return book.setupIntents.get(intent.id)!;
    throw error;
  }
}

/** The holder could not or would not authenticate. */
export const setupAuthenticationFailed = (world: World, book: Book, intent: Stripe.SetupIntent): Stripe.SetupIntent =>
  fail(world, book, intent, {
    code: 'setup_intent_authentication_failure',
    doc_url: 'https://stripe.com/docs/error-codes/setup-intent-authentication-failure',
    message:
      'The latest attempt to set up the payment method has failed because authentication failed. Provide a new payment method.',
    payment_method: book.paymentMethods.get(intent.payment_method as string)!,
    type: 'invalid_request_error',
  });
