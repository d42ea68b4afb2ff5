/**
 * Transfers taken back: the connected account's payment is refunded to the platform. `POST /v1/transfers/{}/reversals`,
 * and refunds with `reverse_transfer`, both come here.
 */
import type Stripe from 'stripe';
import { fundsOf, post } from '../core/balance.ts';
import { StripeFailure, badParam, refused } from '../core/errors.ts';
import { emit } from '../core/events.ts';
import { embedded } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import { bookOf } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { feeBack, proportion, refundFee } from './fee-refunds.ts';

export interface ReversalOrder {
  /** Minor units; everything that is left when absent. */
  amount?: number | undefined;
  description?: string | undefined;
  metadata?: Stripe.Emptyable<Stripe.MetadataParam> | undefined;
  /** What of the application fee goes back with it: a part in proportion, or so many minor units. */
  applicationFee?: 'keep' | 'proportional' | number;
  /** The refund of the charge that this reversal belongs to. */
  sourceRefund?: string;
}

/**
 * Reverses a transfer, wholly or in part.
 *
 * @throws `balance_insufficient` when the connected account holds too little, and nothing is done. What the payment
 * itself left pending there counts while it is pending: the reversal is then pending until the same moment.
 */
export function reverseTransfer(
  world: World,
  book: Book,
  transfer: Stripe.Transfer,
  order: ReversalOrder = {},
): Stripe.TransferReversal {
  const left = transfer.amount - transfer.amount_reversed;
  const amount = order.amount ?? left;
  if (left === 0) throw refused(`Transfer ${transfer.id} is already fully reversed.`);
  if (amount < 1)
    throw badParam('amount', 'This value must be greater than or equal to 1.', 'parameter_invalid_integer');
  if (amount > left) {
    throw badParam('amount', `Reversal amount (${amount}) is greater than unreversed amount on transfer (${left})`);
  }
  const there = bookOf(world, transfer.destination as string);
  const payment = there.charges.get(transfer.destination_payment as string)!;
  const fee =
    payment.application_fee === null
      ? undefined
      : world.platform.applicationFees.get(payment.application_fee as string);
  const feeAmount = feePart(order.applicationFee ?? 'keep', fee, transfer, amount);
  const availableOn = there.balanceTransactions.get(payment.balance_transaction as string)?.available_on ?? world.now;
  requireFunds(world, there, amount - feeAmount, transfer.currency, availableOn);

  const id = world.ids.next('trr');
  const back = post(world, book, {
    type: 'transfer_refund',
    reportingCategory: 'transfer_reversal',
    amount,
    currency: transfer.currency,
    source: id,
    availableOn,
    description: order.description ?? `REFUND FOR TRANSFER (${transfer.id})`,
  });
  const taken = takeBack(world, there, payment, { amount, feeAmount, availableOn, reversal: id });
  if (fee && feeAmount > 0) refundFee(world, fee, { amount: feeAmount, connected: 'none' });
  const reversal = book.reversals.add({
    id,
    object: 'transfer_reversal',
    amount,
    balance_transaction: back.id,
    created: world.now,
    currency: transfer.currency,
    destination_payment_refund: taken.id,
    metadata: mergeMetadata({}, order.metadata),
    source_refund: order.sourceRefund ?? null,
    transfer: transfer.id,
  });
  const reversed = transfer.amount_reversed + amount;
  const after = book.transfers.update(transfer.id, {
    amount_reversed: reversed,
    reversed: reversed === transfer.amount,
    reversals: embedded(transfer.reversals.url, [reversal, ...transfer.reversals.data]),
  });
  emit(world, book, 'transfer.reversed', after, {
    amount_reversed: transfer.amount_reversed,
    reversed: transfer.reversed,
  });
  return reversal;
}

function feePart(
  wanted: 'keep' | 'proportional' | number,
  fee: Stripe.ApplicationFee | undefined,
  transfer: Stripe.Transfer,
  amount: number,
): number {
  if (wanted === 'keep' || !fee) return 0;
  const left = fee.amount - fee.amount_refunded;
  if (wanted !== 'proportional') return Math.min(left, wanted);
  const before = transfer.amount_reversed;
  const part =
    proportion(fee.amount, before + amount, transfer.amount) - proportion(fee.amount, before, transfer.amount);
  return Math.min(left, part);
}

/** The account must hold what is taken; what is still on its way to it counts for a payment that is so itself. */
function requireFunds(world: World, there: Book, net: number, currency: string, availableOn: number): void {
  const funds = fundsOf(there, currency);
  const usable = availableOn > world.now ? funds.available + funds.pending : funds.available;
  if (net <= usable) return;
  throw new StripeFailure(400, {
    type: 'invalid_request_error',
    code: 'balance_insufficient',
    doc_url: 'https://stripe.com/docs/error-codes/balance-insufficient',
    message:
      `Insufficient funds in the connected account ${there.account} to reverse this transfer: ` +
      `it holds ${usable} and ${net} would be taken.`,
  });
}

/** The refund of the payment on the connected account. */
function takeBack(
  world: World,
  there: Book,
  payment: Stripe.Charge,
  part: { amount: number; feeAmount: number; availableOn: number; reversal: string },
): Stripe.Refund {
  const id = world.ids.next('pyr');
  const txn = post(world, there, {
    type: 'payment_refund',
    reportingCategory: 'refund',
    amount: -part.amount,
    fee: 0 - part.feeAmount,
    feeDetails: feeBack(part.feeAmount, payment.currency),
    currency: payment.currency,
    source: id,
    availableOn: part.availableOn,
    description: 'REFUND FOR PAYMENT',
  });
  const refund = there.refunds.add({
    id,
    object: 'refund',
    amount: part.amount,
    balance_transaction: txn.id,
    charge: payment.id,
    created: world.now,
    currency: payment.currency,
    customer: null,
    customer_account: null,
    metadata: {},
    payment_intent: null,
    payment_method: null,
    reason: null,
    receipt_number: null,
    source_transfer_reversal: part.reversal,
    status: 'succeeded',
    transfer_reversal: null,
  });
  const refundedNow = payment.amount_refunded + part.amount;
  const after = there.charges.update(payment.id, {
    amount_refunded: refundedNow,
    refunded: refundedNow === payment.amount,
  });
  emit(world, there, 'refund.created', refund);
  emit(world, there, 'charge.refunded', after, {
    amount_refunded: payment.amount_refunded,
    refunded: payment.refunded,
  });
  return refund;
}
