/** Reading what money did: balance, balance transactions, transfers, application fees. */
import type Stripe from 'stripe';
import { balanceOf } from '../core/balance.ts';
import { badParam, missing } from '../core/errors.ts';
import { inRange, page } from '../core/list.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Book, World } from '../core/world.ts';

export const retrieveBalance = (world: World, book: Book, _: ExpandOnly) => balanceOf(world, book);

export function retrieveBalanceTransaction(_: World, book: Book, __: ExpandOnly, [id = '']: string[]) {
  const txn = book.balanceTransactions.get(id);
  if (!txn) throw missing('balance transaction', id, 'id', 404);
  return txn;
}

export function listBalanceTransactions(world: World, book: Book, params: Stripe.BalanceTransactionListParams) {
  if (params.payout !== undefined) {
    const payout = book.payouts.get(params.payout);
    if (!payout) throw missing('payout', params.payout, 'payout', 400);
    if (!payout.automatic) {
      throw badParam('payout', 'Balance transaction history can only be filtered on automatic payouts, not manual.');
    }
  }
  return page(
    book.balanceTransactions,
    '/v1/balance_transactions',
    params,
    (txn) =>
      inRange(txn.created, params.created) &&
      (params.currency === undefined || txn.currency === params.currency) &&
      (params.type === undefined || txn.type === params.type) &&
      (params.payout === undefined || world.connect.paidOutBy.get(txn.id) === params.payout),
    params.source,
  );
}

export function retrieveTransfer(_: World, book: Book, __: ExpandOnly, [id = '']: string[]) {
  const transfer = book.transfers.get(id);
  if (!transfer) throw missing('transfer', id, 'transfer', 404);
  return transfer;
}

export const listTransfers = (_: World, book: Book, params: Stripe.TransferListParams) =>
  page(
    book.transfers,
    '/v1/transfers',
    params,
    (transfer) =>
      inRange(transfer.created, params.created) &&
      (params.destination === undefined || transfer.destination === params.destination) &&
      (params.transfer_group === undefined || transfer.transfer_group === params.transfer_group),
  );

export function retrieveApplicationFee(_: World, book: Book, __: ExpandOnly, [id = '']: string[]) {
  const fee = book.applicationFees.get(id);
  if (!fee) throw missing('application fee', id, 'id', 404);
  return fee;
}

export const listApplicationFees = (_: World, book: Book, params: Stripe.ApplicationFeeListParams) =>
  page(
    book.applicationFees,
    '/v1/application_fees',
    params,
    (fee) => inRange(fee.created, params.created) && (params.charge === undefined || fee.charge === params.charge),
  );
