/** A PaymentIntent is confirmed: the card pays, declines, or asks its holder to authenticate first. */
import type Stripe from 'stripe';
import { StripeFailure, refused } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import type { Book, World } from '../core/world.ts';
import { authorized } from './authorization.ts';
import { failedCharge, succeededCharge } from './charges.ts';
import { startDebit } from './debits.ts';
import { adviceOf } from './decline.ts';
import type { Decline } from './decline.ts';
import { invoiceAttemptFailed } from './invoices.ts';
import { paid } from './paid.ts';
import { attachTo, cardOf, requireUnspent, usable } from './payment-methods.ts';
import type { TestCard } from './test-cards.ts';
import { AUTHENTICATION_REQUIRED, challenge, dropChallenges, mustAuthenticate } from './three-d-secure.ts';

export interface Confirmation {
  payment_method?: string | undefined;
  setup_future_usage?: Stripe.PaymentIntent['setup_future_usage'] | undefined;
  receipt_email?: string | undefined;
  off_session: boolean;
  /** Where a redirect for authentication comes back to; without it Stripe.js must take over. */
  return_url?: string | undefined;
  /** Refuses rather than asking the customer for anything. */
  error_on_requires_action?: boolean | undefined;
}

const CONFIRMABLE = ['requires_payment_method', 'requires_confirmation', 'requires_action'];

/** Charges the intent. A decline is thrown as Stripe's 402, after the intent has gone back to requires_payment_method. */
export function confirmIntent(
  world: World,
  book: Book,
  before: Stripe.PaymentIntent,
  how: Confirmation,
): Stripe.PaymentIntent {
  if (!CONFIRMABLE.includes(before.status)) throw unexpectedState(before);
  const wanted = how.payment_method ?? (before.payment_method as string | null);
  if (wanted === null) {
    throw refused(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent " +
        'with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.',
      'payment_intent_unexpected_state',
    );
  }
  const method = usable(world, book, wanted);
  requireType(before, method);
  if (method.customer !== null && method.customer !== before.customer) {
    throw refused(
      'The PaymentMethod belongs to a customer that is not the one of this PaymentIntent.',
      'payment_intent_incompatible_payment_method',
      'payment_method',
    );
  }
  if (method.customer === null) requireUnspent(book, method);
  dropChallenges(world, before.id);
  const intent = book.paymentIntents.put({
    ...before,
    status: 'requires_confirmation',
    next_action: null,
    payment_method: method.id,
    setup_future_usage: how.setup_future_usage ?? before.setup_future_usage,
    receipt_email: how.receipt_email ?? before.receipt_email,
    transfer_group: before.transfer_group ?? (before.transfer_data ? `group_${before.id}` : null),
    last_payment_error: null,
  });
  if (method.type === 'sepa_debit') {
    if (intent.capture_method === 'manual') throw refused('SEPA Direct Debit cannot be captured manually.');
    return startDebit(world, book, intent, method);
  }
  const card = cardOf(method);
  if (!mustAuthenticate(book, card, method, how.off_session)) return charge(world, book, intent, method, card, false);
  if (how.off_session || how.error_on_requires_action === true) {
    return decline(world, book, intent, method, AUTHENTICATION_REQUIRED);
  }
  const after = book.paymentIntents.put({
    ...intent,
    status: 'requires_action',
    next_action: challenge(world, {
      account: book.account,
      kind: 'payment_intent',
      id: intent.id,
      returnUrl: how.return_url ?? null,
    }),
  });
  emit(world, book, 'payment_intent.requires_action', after);
  const invoice = book.invoices.get(book.invoiceOfIntent.get(intent.id) ?? '');
  if (invoice) emit(world, book, 'invoice.payment_action_required', invoice);
  return after;
}

/** The holder has authenticated: the card is charged. A decline is in the intent, since nobody waits for an answer. */
export function authenticated(world: World, book: Book, before: Stripe.PaymentIntent): Stripe.PaymentIntent {
  const method = book.paymentMethods.get(before.payment_method as string)!;
  const intent = book.paymentIntents.put({ ...before, status: 'requires_confirmation', next_action: null });
  try {
    return charge(world, book, intent, method, cardOf(method), true);
  } catch (error) {
    if (error instanceof StripeFailure && error.status === 402) return book.paymentIntents.get(intent.id)!;
    throw error;
  }
}

/** The holder could not or would not authenticate: the intent wants another payment method. */
export function authenticationFailed(world: World, book: Book, before: Stripe.PaymentIntent): Stripe.PaymentIntent {
  const method = book.paymentMethods.get(before.payment_method as string)!;
  const after = book.paymentIntents.put({
    ...before,
    status: 'requires_payment_method',
    next_action: null,
    payment_method: null,
    last_payment_error: {
      code: 'payment_intent_authentication_failure',
      doc_url: 'https://stripe.com/docs/error-codes/payment-intent-authentication-failure',
      message:
        'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod ' +
        'to attempt to fulfill this PaymentIntent again.',
      payment_method: method,
      type: 'invalid_request_error',
    },
  });
  emit(world, book, 'payment_intent.payment_failed', after);
  invoiceAttemptFailed(world, book, after);
  return after;
}

function requireType(intent: Stripe.PaymentIntent, method: Stripe.PaymentMethod): void {
  if (intent.payment_method_types.includes(method.type)) return;
  throw refused(
    `The PaymentMethod provided (${method.type}) is not allowed for this PaymentIntent, which takes ` +
      `${intent.payment_method_types.join(', ')}. Please attach an allowed PaymentMethod.`,
    'payment_intent_incompatible_payment_method',
    'payment_method',
  );
}

function charge(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  card: TestCard,
  wasAuthenticated: boolean,
): Stripe.PaymentIntent {
  if (card.outcome.kind === 'declines') return decline(world, book, intent, method, card.outcome);
  if (intent.customer !== null && intent.setup_future_usage !== null) {
    attachTo(world, book, method, intent.customer as string);
    book.payments.setUp.add(method.id);
  } else if (method.customer === null) {
    book.spentPaymentMethods.add(method.id);
  }
  const made = succeededCharge(world, book, intent, method, {
    fundsAtOnce: card.outcome.fundsAtOnce,
    captured: intent.capture_method !== 'manual',
    authenticated: wasAuthenticated,
    elevated: card.aftermath?.kind === 'review',
  });
  if (intent.capture_method === 'manual') return authorized(world, book, intent, made);
  return paid(world, book, intent, made, () => emit(world, book, 'charge.succeeded', book.charges.get(made.id)!));
}

function decline(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  outcome: Decline,
): never {
  const made = failedCharge(world, book, intent, method, outcome);
  const error = {
    advice_code: adviceOf(outcome),
    ...(outcome.declineCode === null ? {} : { decline_code: outcome.declineCode }),
    charge: made.id,
    code: outcome.code,
    doc_url: `https://stripe.com/docs/error-codes/${outcome.code.replaceAll('_', '-')}`,
    message: outcome.message,
    payment_method: method,
    type: 'card_error' as const,
  } satisfies Stripe.PaymentIntent.LastPaymentError;
  const after = book.paymentIntents.put({
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: made.id,
    last_payment_error: error,
  });
  emit(world, book, 'charge.failed', made);
  emit(world, book, 'payment_intent.payment_failed', after);
  invoiceAttemptFailed(world, book, after);
  throw new StripeFailure(402, { ...error, code: outcome.code, payment_intent: after });
}

function unexpectedState(intent: Stripe.PaymentIntent): StripeFailure {
  const why =
    intent.status === 'succeeded'
      ? 'it has already succeeded after being previously confirmed'
      : `it has a status of ${intent.status}`;
  return new StripeFailure(400, {
    type: 'invalid_request_error',
    code: 'payment_intent_unexpected_state',
    doc_url: 'https://stripe.com/docs/error-codes/payment-intent-unexpected-state',
    message: `You cannot confirm this PaymentIntent because ${why}.`,
    payment_intent: intent,
  });
}
