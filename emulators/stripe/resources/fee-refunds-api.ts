/** Application fees refunded by themselves, and reading what was. */
import type Stripe from 'stripe';
import { fundsOf } from '../core/balance.ts';
import { missing, refused } from '../core/errors.ts';
import { emitChange } from '../core/events.ts';
import { embedded, page } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';
import { refundFee } from './fee-refunds.ts';

function feeNamed(book: Book, id: string): Stripe.ApplicationFee {
  const fee = book.applicationFees.get(id);
  if (!fee) throw missing('application fee', id, 'fee', 404);
  return fee;
}

/** @throws `balance_insufficient` when the platform holds less than is to be given back. */
export function createFeeRefund(
  world: World,
  book: Book,
  params: Stripe.ApplicationFeeCreateRefundParams,
  [id = '']: string[],
): Stripe.FeeRefund {
  const fee = feeNamed(book, id);
  const earned = book.balanceTransactions.get(fee.balance_transaction as string);
  const { available, pending } = fundsOf(book, fee.currency);
  const usable = earned?.status === 'pending' ? available + pending : available;
  if ((params.amount ?? fee.amount - fee.amount_refunded) > usable) {
    throw refused('Insufficient funds in your Stripe balance to refund this application fee.', 'balance_insufficient');
  }
  return refundFee(world, fee, { amount: params.amount, metadata: params.metadata, connected: 'own' });
}

function refundNamed(book: Book, fee: string, id: string): Stripe.FeeRefund {
  const refund = book.feeRefunds.get(id);
  if (refund?.fee !== fee) throw missing('fee refund', id, 'id', 404);
  return refund;
}

export const retrieveFeeRefund = (_: World, book: Book, __: ExpandOnly, [fee = '', id = '']: string[]) =>
  refundNamed(book, fee, id);

export const listFeeRefunds = (
  _: World,
  book: Book,
  params: Stripe.ApplicationFeeListRefundsParams,
  [fee = '']: string[],
) => page(book.feeRefunds, feeNamed(book, fee).refunds.url, params, undefined, fee);

export function updateFeeRefund(
  world: World,
  book: Book,
  params: Stripe.ApplicationFeeUpdateRefundParams,
  [feeId = '', id = '']: string[],
): Stripe.FeeRefund {
  const before = refundNamed(book, feeId, id);
  const after = book.feeRefunds.update(id, { metadata: mergeMetadata(before.metadata ?? {}, params.metadata) });
  const fee = feeNamed(book, feeId);
  book.applicationFees.update(feeId, {
    refunds: embedded(
      fee.refunds.url,
      fee.refunds.data.map((each) => (each.id === id ? after : each)),
    ),
  });
  emitChange(world, book, 'application_fee.refund.updated', before, after);
  return after;
}
