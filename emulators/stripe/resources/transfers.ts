/** Money of the platform's sent to a connected account by itself: separate charges and transfers. */
import type Stripe from 'stripe';
import { fundsOf, post } from '../core/balance.ts';
import { badParam, missing, refused } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { embedded, page } from '../core/list.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import { APPLICATION, bookOf } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { settleLate } from './charges.ts';
import { requireDestination } from './direct.ts';
import { MAXIMUM_CHARGE, requireSek } from './money.ts';
import { reverseTransfer } from './reversals.ts';

/**
 * Sends money to a connected account. With `source_transaction` up to what that charge brought in, available when the
 * charge's funds are; without it only what the platform has available.
 *
 * @throws `balance_insufficient` when the platform has less available than asked for.
 */
export function createTransfer(world: World, book: Book, params: Stripe.TransferCreateParams): Stripe.Transfer {
  requireSek(params.currency);
  requireDestination(world, params.destination, 'destination');
  const charge = params.source_transaction === undefined ? undefined : sourceOf(world, book, params);
  const amount = params.amount ?? (charge ? leftOf(book, charge) : undefined);
  if (amount === undefined) throw badParam('amount', 'Missing required param: amount.', 'parameter_missing');
  if (amount < 1) {
    throw badParam('amount', 'This value must be greater than or equal to 1.', 'parameter_invalid_integer');
  }
  if (amount > MAXIMUM_CHARGE)
    throw badParam('amount', 'Amount must be no more than kr999,999.99 sek', 'amount_too_large');
  if (charge) requireLeft(book, charge, amount);
  else requireAvailable(book, amount);
  const from = charge && book.balanceTransactions.get(charge.balance_transaction as string);
  return sendTransfer(world, book, {
    amount,
    destination: bookOf(world, params.destination),
    availableOn: from?.available_on ?? world.now,
    description: params.description ?? null,
    metadata: params.metadata,
    sourceTransaction: charge?.id ?? null,
    group: groupOf(book, charge, params.transfer_group),
  });
}

function sourceOf(world: World, book: Book, params: Stripe.TransferCreateParams): Stripe.Charge {
  const id = params.source_transaction!;
  const charge = book.charges.get(id);
  if (!charge) throw missing('charge', id, 'source_transaction', 400);
  if (charge.status !== 'succeeded' || !charge.captured) {
    throw refused(
      `The charge ${id} has brought in no money that a transfer could come from.`,
      undefined,
      'source_transaction',
    );
  }
  if (charge.transfer_data !== null) {
    throw refused(
      `The charge ${id} has a transfer of its own (transfer_data): it cannot be the source of another.`,
      undefined,
      'source_transaction',
    );
  }
  if (charge.balance_transaction === null) settleLate(world, book, id);
  return book.charges.get(id)!;
}

/** What of a charge no transfer has taken yet. A reversal does not give it back. */
const leftOf = (book: Book, charge: Stripe.Charge): number =>
  charge.amount_captured - [...book.transfers.walk({ group: charge.id })].reduce((sum, each) => sum + each.amount, 0);

function requireLeft(book: Book, charge: Stripe.Charge, amount: number): void {
  const left = leftOf(book, charge);
  if (amount <= left) return;
  throw refused(
    `The transfers from ${charge.id} would be more than the charge: ${left} of ${charge.amount_captured} ` +
      `${charge.currency} is left, and ${amount} is asked for.`,
    'transfer_source_balance_parameters_mismatch',
    'amount',
  );
}

function requireAvailable(book: Book, amount: number): void {
  if (amount <= fundsOf(book, 'sek').available) return;
  throw refused(
    'You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by ' +
      'creating Charges using the 4000000000000077 test card, or pass a source_transaction.',
    'balance_insufficient',
  );
}

/** A transfer from a charge has the charge's group. A charge without one gets a group of its own now. */
function groupOf(book: Book, charge: Stripe.Charge | undefined, given: string | undefined): string | null {
  if (!charge) return given ?? null;
  if (charge.transfer_group === null) {
    const group = given ?? `group_${(charge.payment_intent as string | null) ?? charge.id}`;
    book.charges.update(charge.id, { transfer_group: group });
    return group;
  }
  if (given !== undefined && given !== charge.transfer_group) {
    throw badParam(
      'transfer_group',
      `The transfer_group must be that of the source_transaction, ${charge.transfer_group}.`,
    );
  }
  return charge.transfer_group;
}

/** Books a transfer and the payment it makes on the other side. */
function sendTransfer(
  world: World,
  book: Book,
  order: {
    amount: number;
    destination: Book;
    availableOn: number;
    description: string | null;
    metadata: Stripe.MetadataParam | undefined;
    sourceTransaction: string | null;
    group: string | null;
  },
): Stripe.Transfer {
  const { amount, destination, availableOn, description } = order;
  const id = world.ids.next('tr');
  const paymentId = world.ids.next('py');
  const money = { currency: 'sek', availableOn, description } as const;
  const out = post(world, book, {
    type: 'transfer',
    reportingCategory: 'transfer',
    amount: -amount,
    source: id,
    ...money,
  });
  const arrived = post(world, destination, {
    type: 'payment',
    reportingCategory: 'charge',
    amount,
    source: paymentId,
    ...money,
  });
  destination.charges.add(
    paymentOf(world, { id: paymentId, amount, txn: arrived.id, transfer: id, group: order.group }),
  );
  const transfer = book.transfers.add({
    id,
    object: 'transfer',
    amount,
    amount_reversed: 0,
    balance_transaction: out.id,
    created: world.now,
    currency: 'sek',
    description,
    destination: destination.account,
    destination_payment: paymentId,
    livemode: false,
    metadata: mergeMetadata({}, order.metadata),
    reversals: embedded(`/v1/transfers/${id}/reversals`, []),
    reversed: false,
    source_transaction: order.sourceTransaction,
    source_type: 'card',
    transfer_group: order.group,
  });
  emit(world, book, 'transfer.created', transfer);
  return transfer;
}

/** The payment that a transfer is on the account it goes to. */
function paymentOf(
  world: World,
  made: { id: string; amount: number; txn: string; transfer: string; group: string | null },
): Stripe.Charge {
  return {
    id: made.id,
    object: 'charge',
    amount: made.amount,
    amount_captured: made.amount,
    amount_refunded: 0,
    application: APPLICATION,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: made.txn,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    calculated_statement_descriptor: null,
    captured: true,
    created: world.now,
    currency: 'sek',
    customer: null,
    description: null,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    fraud_details: {},
    livemode: false,
    metadata: {},
    on_behalf_of: null,
    outcome: null,
    paid: true,
    payment_intent: null,
    payment_method: null,
    payment_method_details: { type: 'stripe_account', stripe_account: {} },
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: made.transfer,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'succeeded',
    transfer_data: null,
    transfer_group: made.group,
  };
}

export function transferNamed(book: Book, id: string): Stripe.Transfer {
  const transfer = book.transfers.get(id);
  if (!transfer) throw missing('transfer', id, 'transfer', 404);
  return transfer;
}

export function updateTransfer(
  world: World,
  book: Book,
  params: Stripe.TransferUpdateParams,
  [id = '']: string[],
): Stripe.Transfer {
  const before = transferNamed(book, id);
  const after = book.transfers.update(id, {
    description: params.description === undefined ? before.description : textOrNull(params.description),
    metadata: mergeMetadata(before.metadata, params.metadata),
  });
  emitChange(world, book, 'transfer.updated', before, after);
  return after;
}

export function createReversal(
  world: World,
  book: Book,
  params: Stripe.TransferCreateReversalParams,
  [id = '']: string[],
): Stripe.TransferReversal {
  return reverseTransfer(world, book, transferNamed(book, id), {
    amount: params.amount,
    description: params.description,
    metadata: params.metadata,
    applicationFee: params.refund_application_fee === true ? 'proportional' : 'keep',
  });
}

function reversalNamed(book: Book, transfer: string, id: string): Stripe.TransferReversal {
  transferNamed(book, transfer);
  const reversal = book.reversals.get(id);
  if (reversal?.transfer !== transfer) throw missing('transfer reversal', id, 'id', 404);
  return reversal;
}

export const retrieveReversal = (_: World, book: Book, __: ExpandOnly, [transfer = '', id = '']: string[]) =>
  reversalNamed(book, transfer, id);

export function listReversals(
  _: World,
  book: Book,
  params: Stripe.TransferListReversalsParams,
  [id = '']: string[],
): Stripe.ApiList<Stripe.TransferReversal> {
  transferNamed(book, id);
  return page(book.reversals, `/v1/transfers/${id}/reversals`, params, (each) => each.transfer === id);
}

export function updateReversal(
  _: World,
  book: Book,
  params: Stripe.TransferUpdateReversalParams,
  [transfer = '', id = '']: string[],
): Stripe.TransferReversal {
  const before = reversalNamed(book, transfer, id);
  const after = book.reversals.update(id, { metadata: mergeMetadata(before.metadata ?? {}, params.metadata) });
  const holder = transferNamed(book, transfer);
  const data = holder.reversals.data.map((each) => (each.id === id ? after : each));
  book.transfers.update(transfer, { reversals: embedded(holder.reversals.url, data) });
  return after;
}
