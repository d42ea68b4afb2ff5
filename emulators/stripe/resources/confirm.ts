/** A PaymentIntent is confirmed: the card pays or declines. */
import type Stripe from 'stripe';
import { StripeFailure, refused } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import type { Book, World } from '../core/world.ts';
import { failedCharge, settleCharge, succeededCharge } from './charges.ts';
import { invoiceAttemptFailed, invoicePaid } from './invoices.ts';
import { attachTo, cardOf, requireUnspent, usable } from './payment-methods.ts';
import type { CardOutcome } from './test-cards.ts';

export interface Confirmation {
  payment_method?: string | undefined;
  setup_future_usage?: Stripe.PaymentIntent['setup_future_usage'] | undefined;
  receipt_email?: string | undefined;
  off_session: boolean;
}

const CONFIRMABLE = ['requires_payment_method', 'requires_confirmation'];

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
  if (method.customer !== null && method.customer !== before.customer) {
    throw refused(
      'The PaymentMethod belongs to a customer that is not the one of this PaymentIntent.',
      'payment_intent_incompatible_payment_method',
      'payment_method',
    );
  }
  if (method.customer === null) requireUnspent(book, method);
  const intent = book.paymentIntents.put({
    ...before,
    payment_method: method.id,
    setup_future_usage: how.setup_future_usage ?? before.setup_future_usage,
    receipt_email: how.receipt_email ?? before.receipt_email,
    transfer_group: before.transfer_group ?? (before.transfer_data ? `group_${before.id}` : null),
    last_payment_error: null,
  });
  const { outcome } = cardOf(method);
  return outcome.kind === 'declines'
    ? decline(world, book, intent, method, outcome)
    : succeed(world, book, intent, method, outcome.fundsAtOnce);
}

function succeed(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  fundsAtOnce: boolean,
): Stripe.PaymentIntent {
  const delay = world.switches.chargeBalanceTransactionDelaySeconds;
  if (intent.customer !== null && intent.setup_future_usage !== null) {
    attachTo(world, book, method, intent.customer as string);
  } else if (method.customer === null) {
    book.spentPaymentMethods.add(method.id);
  }
  const made = succeededCharge(world, book, intent, method, fundsAtOnce);
  const charge = delay > 0 ? made : settleCharge(world, book, made);
  if (delay > 0) {
    world.timers.add({ at: world.now + delay, kind: 'charge_settles', account: book.account, id: charge.id });
  }
  const after = book.paymentIntents.put({
    ...intent,
    status: 'succeeded',
    amount_received: intent.amount,
    latest_charge: charge.id,
  });
  emit(world, book, 'charge.succeeded', charge);
  emit(world, book, 'payment_intent.succeeded', after);
  invoicePaid(world, book, after);
  return after;
}

function decline(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
  outcome: Extract<CardOutcome, { kind: 'declines' }>,
): never {
  const charge = failedCharge(world, book, intent, method, outcome);
  const error = {
    ...(outcome.declineCode === null ? {} : { advice_code: 'try_again_later', decline_code: outcome.declineCode }),
    charge: charge.id,
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
    latest_charge: charge.id,
    last_payment_error: error,
  });
  emit(world, book, 'charge.failed', charge);
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
