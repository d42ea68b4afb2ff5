/** Money that is authorized is taken, or no longer held: `capture_method: manual`. */
import type Stripe from 'stripe';
import { StripeFailure, badParam } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { mergeMetadata } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { cancelIntent, intentNamed } from './intent-life.ts';
import { paid } from './paid.ts';

/** Takes what was authorized, or a part of it; the rest is let go. */
export function capturePaymentIntent(
  world: World,
  book: Book,
  params: Stripe.PaymentIntentCaptureParams,
  [id = '']: string[],
): Stripe.PaymentIntent {
  const before = intentNamed(book, id);
  if (before.status !== 'requires_capture') {
    throw new StripeFailure(400, {
      type: 'invalid_request_error',
      code: 'payment_intent_unexpected_state',
      doc_url: 'https://stripe.com/docs/error-codes/payment-intent-unexpected-state',
      message:
        `This PaymentIntent could not be captured because it has a status of ${before.status}. Only a PaymentIntent with one ` +
        'of the following statuses may be captured: requires_capture.',
      payment_intent: before,
    });
  }
  const amount = params.amount_to_capture ?? before.amount_capturable;
  if (amount < 1) throw badParam('amount_to_capture', 'This value must be greater than or equal to 1.');
  if (amount > before.amount_capturable) {
    throw badParam(
      'amount_to_capture',
      `The provided amount of ${amount} is greater than the amount that can be captured, ${before.amount_capturable}.`,
      'amount_too_large',
    );
  }
  const fee = params.application_fee_amount ?? before.application_fee_amount;
  if (params.application_fee_amount !== undefined && before.application_fee_amount === null) {
    throw badParam('application_fee_amount', 'This PaymentIntent was made without an application fee.');
  }
  if (fee !== null && (fee < 1 || fee > amount)) {
    throw badParam(
      'application_fee_amount',
      `The application fee (${fee}) must be between 1 and the amount captured (${amount}).`,
    );
  }
  const share = params.transfer_data?.amount ?? before.transfer_data?.amount;
  if (share !== undefined && (!before.transfer_data || share < 1 || share > amount)) {
    throw badParam('transfer_data[amount]', 'The transfer amount must be between 1 and the amount captured.');
  }
  const charge = book.charges.get(before.latest_charge as string)!;
  const captured = book.charges.put({
    ...charge,
    amount_captured: amount,
    amount_refunded: charge.amount - amount,
    application_fee_amount: fee,
    captured: true,
    ...(charge.transfer_data && share !== undefined
      ? { transfer_data: { ...charge.transfer_data, amount: share } }
      : {}),
  });
  const intent = {
    ...before,
    application_fee_amount: fee,
    metadata: mergeMetadata(before.metadata, params.metadata),
    ...(before.transfer_data && share !== undefined
      ? { transfer_data: { ...before.transfer_data, amount: share } }
      : {}),
  };
  return paid(world, book, intent, captured, () =>
    emitChange(world, book, 'charge.captured', charge, book.charges.get(charge.id)!),
  );
}

/** Seven days are over: the intent is canceled by itself. */
export function authorizationExpires(world: World, book: Book, id: string): void {
  const intent = book.paymentIntents.get(id);
  if (intent?.status !== 'requires_capture') return;
  cancelIntent(world, book, intent, 'automatic');
  emit(world, book, 'charge.expired', book.charges.get(intent.latest_charge as string)!);
}
