/**
 * Bank debits: paid days after they were asked for. `processing` until the bank has answered. Stripe has no such method
 * for SEK (SEPA Direct Debit takes EUR only), so the switch `debitsInSek` must be on for one to be used here.
 */
import type Stripe from 'stripe';
import { emit } from '../core/events.ts';
import { StripeFailure, badParam, refused } from '../core/errors.ts';
import type { Book, World } from '../core/world.ts';
import { pendingDebit } from './charges.ts';
import { invoiceAttemptFailed } from './invoices.ts';
import { paid } from './paid.ts';
import { attachTo } from './payment-methods.ts';

/** Stripe's test IBANs, with what the bank answers. */
export const DEBIT_IBANS: Readonly<Record<string, 'pays' | 'fails'>> = {
  DE89370400440532013000: 'pays',
  FR1420041010050500013M02606: 'pays',
  DE62370400440532013001: 'fails',
  FR8420041010050500013M02607: 'fails',
};

export function ibanOf(given: string): string {
  const iban = given.replaceAll(/\s/g, '').toUpperCase();
  if (!Object.hasOwn(DEBIT_IBANS, iban)) {
    throw badParam(
      'sepa_debit[iban]',
      `The IBAN you provided is invalid. The emulator knows these: ${Object.keys(DEBIT_IBANS).join(', ')}.`,
      'invalid_bank_account_iban',
    );
  }
  return iban;
}

/** The bank is asked; its answer comes when the clock has passed the switch's time. */
export function startDebit(
  world: World,
  book: Book,
  intent: Stripe.PaymentIntent,
  method: Stripe.PaymentMethod,
): Stripe.PaymentIntent {
  if (!world.switches.debitsInSek) {
    throw refused(
      "The currency provided (sek) is invalid for payment method type sepa_debit. Stripe takes EUR only; the emulator's switch debitsInSek lets it pass.",
      'payment_intent_invalid_parameter',
      'payment_method',
    );
  }
  if (intent.customer !== null && intent.setup_future_usage !== null) {
    attachTo(world, book, method, intent.customer as string);
  } else if (method.customer === null) {
    book.spentPaymentMethods.add(method.id);
  }
  const charge = pendingDebit(world, book, intent, method);
  const after = book.paymentIntents.put({ ...intent, status: 'processing', latest_charge: charge.id });
  emit(world, book, 'charge.pending', charge);
  emit(world, book, 'payment_intent.processing', after);
  world.timers.add({
    at: world.now + world.switches.debitClearsAfterSeconds,
    kind: 'debit_clears',
    account: book.account,
    id: intent.id,
  });
  return after;
}

/** The bank has answered. */
export function debitClears(world: World, book: Book, id: string): void {
  const intent = book.paymentIntents.get(id);
  if (intent?.status !== 'processing') return;
  const charge = book.charges.get(intent.latest_charge as string)!;
  const method = book.paymentMethods.get(intent.payment_method as string)!;
  if (method.sepa_debit?.fingerprint !== 'Emulated-fails') {
    const made = book.charges.update(charge.id, {
      status: 'succeeded',
      paid: true,
      captured: true,
      amount_captured: charge.amount,
    });
    paid(world, book, intent, made, () => emit(world, book, 'charge.succeeded', book.charges.get(made.id)!));
    return;
  }
  const message = 'The payment was returned: the bank account has insufficient funds.';
  const failed = book.charges.update(charge.id, {
    status: 'failed',
    failure_code: 'insufficient_funds',
    failure_message: message,
  });
  const after = book.paymentIntents.put({
    ...intent,
    status: 'requires_payment_method',
    payment_method: null,
    last_payment_error: {
      charge: charge.id,
      code: 'insufficient_funds',
      message,
      payment_method: method,
      type: 'invalid_request_error',
    },
  });
  emit(world, book, 'charge.failed', failed);
  emit(world, book, 'payment_intent.payment_failed', after);
  invoiceAttemptFailed(world, book, after);
}

/** A debit that the bank is working on can no longer be stopped. */
export function requireNoDebit(intent: Stripe.PaymentIntent): void {
  if (intent.status !== 'processing') return;
  throw new StripeFailure(400, {
    type: 'invalid_request_error',
    code: 'payment_intent_unexpected_state',
    message: 'You cannot cancel this PaymentIntent because its debit has been handed to the bank.',
    payment_intent: intent,
  });
}
