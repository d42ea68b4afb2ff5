/** Refunds of charges, with or without taking back what was shared out. */
import type Stripe from 'stripe';
import { badParam, missing, refused } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { inRange, page } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { chargeRefunded } from './aftermath.ts';
import { settleLate } from './charges.ts';
import { requireRefundable } from './disputes.ts';
import { proportion, refundFee } from './fee-refunds.ts';
import { afterTaking, hasFunds, takeRefund, tellRefund, unrefund } from './refund-money.ts';
import { reverseTransfer } from './reversals.ts';

/**
 * Refunds a charge, wholly or in part. With `reverse_transfer` a proportional part of the transfer is taken back first,
 * with `refund_application_fee` a proportional part of the fee is returned.
 *
 * @throws `balance_insufficient` when the connected account has too little for the reversal, and nothing is done. When
 * the platform's own balance is short the refund is made and is `pending` until there is money.
 */
export function createRefund(world: World, book: Book, params: Stripe.RefundCreateParams): Stripe.Refund {
  const charge = settled(world, book, chargeOf(book, params));
  const left = charge.amount - charge.amount_refunded;
  const amount = params.amount ?? left;
  if (left === 0) throw refused(`Charge ${charge.id} has already been refunded.`, 'charge_already_refunded');
  if (amount < 1)
    throw badParam('amount', 'This value must be greater than or equal to 1.', 'parameter_invalid_integer');
  if (amount > left) {
    throw badParam(
      'amount',
      `Refund amount (${kronor(amount)}) is greater than unrefunded amount on charge (${kronor(left)})`,
    );
  }
  const transfer = params.reverse_transfer === true ? transferOf(book, charge) : undefined;
  const fee = params.refund_application_fee === true ? feeOf(world, charge, params) : undefined;
  const id = world.ids.next(charge.id.startsWith('py_') ? 'pyr' : 're');
  const part = partOf(charge, amount);

  const reversal =
    transfer &&
    reverseTransfer(world, book, transfer, {
      amount: Math.min(transfer.amount - transfer.amount_reversed, part(transfer.amount)) || undefined,
      applicationFee: fee ? part(fee.amount) : 'keep',
      sourceRefund: id,
    });
  // Of a direct charge the fee comes back inside the refund's own movement, or by itself while the refund must wait.
  const ownFee = fee && !transfer ? Math.min(fee.amount - fee.amount_refunded, part(fee.amount)) : 0;
  const funded = hasFunds(world, book, charge, amount - ownFee);
  if (fee && ownFee > 0) refundFee(world, fee, { amount: ownFee, connected: funded ? 'none' : 'own' });
  const txn = funded ? takeRefund(world, book, { id, amount }, charge, ownFee) : null;
  const status = txn ? afterTaking(world, book, charge, id) : 'pending';
  if (!txn) world.waitingRefunds.set(id, book.account);

  const refund = book.refunds.add({
    id,
    object: 'refund',
    amount,
    balance_transaction: txn?.id ?? null,
    charge: charge.id,
    created: world.now,
    currency: charge.currency,
    customer: null,
    customer_account: null,
    ...(charge.payment_method_details?.type === 'card'
      ? {
          destination_details: {
            type: 'card',
            card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' as const },
          },
        }
      : {}),
    metadata: mergeMetadata({}, params.metadata),
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    ...(status === 'pending' ? { pending_reason: txn ? 'processing' : 'insufficient_funds' } : {}),
    reason: params.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status,
    transfer_reversal: reversal?.id ?? null,
  });
  const before = book.charges.get(charge.id)!;
  const after = book.charges.update(charge.id, {
    amount_refunded: before.amount_refunded + amount,
    refunded: before.amount_refunded + amount === before.amount,
    ...(params.reason === 'fraudulent'
      ? { fraud_details: { ...before.fraud_details, user_report: 'fraudulent' } }
      : {}),
  });
  emit(world, book, 'refund.created', refund);
  emitChange(world, book, 'charge.refunded', before, after);
  if (after.refunded) chargeRefunded(world, book, after, params.reason === 'fraudulent');
  return refund;
}

const kronor = (amount: number): string => `kr${(amount / 100).toFixed(2)}`;

/** What belongs to this refund of a sum shared out when the charge was made; parts of all refunds add up to it. */
function partOf(charge: Stripe.Charge, amount: number): (whole: number) => number {
  const total = charge.amount_captured;
  const before = charge.amount_refunded - (charge.amount - total);
  return (whole) => proportion(whole, before + amount, total) - proportion(whole, before, total);
}

function chargeOf(book: Book, params: Stripe.RefundCreateParams): Stripe.Charge {
  const { charge: id, payment_intent: intentId } = params;
  if ((id === undefined) === (intentId === undefined)) {
    throw badParam(
      'charge',
      'One of the following params should be provided for this request: payment_intent or charge.',
    );
  }
  if (id !== undefined) {
    const charge = book.charges.get(id);
    if (!charge) throw missing('charge', id, 'charge', 400);
    return charge;
  }
  const intent = book.paymentIntents.get(intentId!);
  if (!intent) throw missing('payment_intent', intentId!, 'payment_intent', 400);
  const charge = book.charges.get((intent.latest_charge as string | null) ?? '');
  if (charge?.status !== 'succeeded') {
    throw refused('This PaymentIntent does not have a successful charge to refund.', 'payment_intent_unexpected_state');
  }
  return charge;
}

/** The charge with its money booked: one that waits for that is booked now. */
function settled(world: World, book: Book, charge: Stripe.Charge): Stripe.Charge {
  if (charge.status !== 'succeeded') {
    throw refused(
      `Charge ${charge.id} cannot be refunded because it has a status of ${charge.status}.`,
      'charge_not_refundable',
    );
  }
  if (!charge.captured) {
    throw refused(
      `Charge ${charge.id} has not been captured: cancel its PaymentIntent to let the authorization go.`,
      'charge_not_refundable',
    );
  }
  if (charge.source_transfer !== null) {
    throw refused(`${charge.id} was paid by a transfer: reverse the transfer instead.`, 'charge_not_refundable');
  }
  requireRefundable(book, charge);
  settleLate(world, book, charge.id);
  return book.charges.get(charge.id)!;
}

function transferOf(book: Book, charge: Stripe.Charge): Stripe.Transfer {
  const transfer = book.transfers.get((charge.transfer as string | undefined) ?? '');
  if (!transfer) {
    throw badParam(
      'reverse_transfer',
      'Cannot reverse transfer: this charge has no transfer of its own (transfer_data).',
    );
  }
  return transfer;
}

function feeOf(world: World, charge: Stripe.Charge, params: Stripe.RefundCreateParams): Stripe.ApplicationFee {
  const fee = world.platform.applicationFees.get((charge.application_fee as string | null) ?? '');
  if (!fee) throw badParam('refund_application_fee', 'There is no application fee on this charge to refund.');
  if (charge.transfer_data && params.reverse_transfer !== true) {
    throw badParam(
      'refund_application_fee',
      'The application fee of a destination charge can be refunded only together with its transfer: pass reverse_transfer.',
    );
  }
  return fee;
}

function refundNamed(book: Book, id: string): Stripe.Refund {
  const refund = book.refunds.get(id);
  if (!refund) throw missing('refund', id, 'refund', 404);
  return refund;
}

export const retrieveRefund = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) => refundNamed(book, id);

export const listRefunds = (_: World, book: Book, params: Stripe.RefundListParams) =>
  page(
    book.refunds,
    '/v1/refunds',
    params,
    (refund) =>
      inRange(refund.created, params.created) &&
      (params.payment_intent === undefined || refund.payment_intent === params.payment_intent),
    params.charge,
  );

export function updateRefund(world: World, book: Book, params: Stripe.RefundUpdateParams, [id = '']: string[]) {
  const before = refundNamed(book, id);
  const after = book.refunds.update(id, { metadata: mergeMetadata(before.metadata ?? {}, params.metadata) });
  tellRefund(world, book, before, after);
  return after;
}

/** Gives up a refund that waits for money. A reversal made for it stays: the money is the platform's until it is sent on. */
export function cancelRefund(world: World, book: Book, _: ExpandOnly, [id = '']: string[]): Stripe.Refund {
  const before = refundNamed(book, id);
  if (!world.waitingRefunds.has(id)) {
    throw refused(`You cannot cancel this refund: it has a status of ${before.status} and its money has been sent.`);
  }
  world.waitingRefunds.delete(id);
  const { pending_reason: __, ...rest } = before;
  const after = book.refunds.put({ ...rest, status: 'canceled' });
  unrefund(world, book, before);
  tellRefund(world, book, before, after);
  return after;
}
