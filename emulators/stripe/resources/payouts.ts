/** Payouts and their life: pending, in transit, paid, and for some bank accounts failed after that. */
import type Stripe from 'stripe';
import { fundsOf, post } from '../core/balance.ts';
import { StripeFailure, badParam, missing, refused } from '../core/errors.ts';
import { emit, emitChange } from '../core/events.ts';
import { inRange, page } from '../core/list.ts';
import { mergeMetadata } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import { PLATFORM_BANK } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { bankErrored } from './banks.ts';
import { MINIMUM_PAYOUT, bankingDaysAfter, requireSek } from './money.ts';

const FAILURE_MESSAGES: Readonly<Record<string, string>> = {
  no_account: 'The bank account could not be located.',
  account_closed: 'The bank account has been closed.',
  insufficient_funds: 'Your Stripe account has insufficient funds to cover the payout.',
  debit_not_authorized: 'Debit transactions are not approved on your bank account.',
  invalid_currency: 'The bank was unable to process this payout because of its currency.',
};

export function createPayout(world: World, book: Book, params: Stripe.PayoutCreateParams): Stripe.Payout {
  requireSek(params.currency);
  if (params.amount < MINIMUM_PAYOUT) {
    throw badParam('amount', 'Amount must be no less than kr20.00 sek', 'amount_too_small');
  }
  const bank = bankFor(world, book, params.destination);
  const { available } = fundsOf(book, 'sek');
  if (params.amount > available) {
    throw refused(
      'You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You can use the ' +
        'the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance).',
      'balance_insufficient',
    );
  }
  const id = world.ids.next('po');
  const arrival = bankingDaysAfter(world.now, 2);
  const txn = post(world, book, {
    type: 'payout',
    reportingCategory: 'payout',
    amount: -params.amount,
    currency: 'sek',
    source: id,
    availableOn: world.now,
    description: params.description ?? 'STRIPE PAYOUT',
  });
  const payout: Stripe.Payout = {
    id,
    object: 'payout',
    amount: params.amount,
    application_fee: null,
    application_fee_amount: null,
    arrival_date: arrival,
    automatic: false,
    balance_transaction: txn.id,
    created: world.now,
    currency: 'sek',
    description: params.description ?? 'STRIPE PAYOUT',
    destination: bank.id,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: mergeMetadata({}, params.metadata),
    method: 'standard',
    original_payout: null,
    payout_method: null,
    reconciliation_status: 'not_applicable',
    reversed_by: null,
    source_type: 'card',
    statement_descriptor: params.statement_descriptor ?? null,
    status: 'pending',
    trace_id: { status: 'pending', value: null },
    type: 'bank_account',
  };
  book.payouts.add(payout);
  emit(world, book, 'payout.created', payout);
  world.timers.add({
    at: Math.min(world.now + world.switches.payoutInTransitAfterSeconds, arrival),
    kind: 'payout_in_transit',
    account: book.account,
    id,
  });
  world.timers.add({ at: arrival, kind: 'payout_arrives', account: book.account, id });
  return payout;
}

function bankFor(world: World, book: Book, wanted: string | undefined): Stripe.BankAccount {
  const account = book === world.platform ? undefined : world.accounts.get(book.account);
  const known = account?.external_accounts?.data[0]?.id ?? (account ? undefined : PLATFORM_BANK);
  if (account && !account.payouts_enabled) {
    throw notAllowed('Cannot create payouts; the account is not yet enabled for payouts. See its requirements.');
  }
  if (known === undefined) {
    throw notAllowed("Sorry, you don't have any external accounts in that currency (sek).");
  }
  if (wanted !== undefined && wanted !== known) throw missing('external account', wanted, 'destination', 400);
  const bank = world.bankAccounts.get(known)!;
  if (bank.status === 'errored') {
    throw notAllowed('Cannot create payouts; the bank account has errored after a failed payout and must be replaced.');
  }
  return bank;
}

const notAllowed = (message: string) =>
  new StripeFailure(400, {
    type: 'invalid_request_error',
    code: 'payouts_not_allowed',
    doc_url: 'https://stripe.com/docs/error-codes/payouts-not-allowed',
    message,
  });

function payoutNamed(book: Book, id: string): Stripe.Payout {
  const payout = book.payouts.get(id);
  if (!payout) throw missing('payout', id, 'payout', 404);
  return payout;
}

export const retrievePayout = (_: World, book: Book, __: ExpandOnly, [id = '']: string[]) => payoutNamed(book, id);

export const listPayouts = (_: World, book: Book, params: Stripe.PayoutListParams) =>
  page(
    book.payouts,
    '/v1/payouts',
    params,
    (payout) =>
      inRange(payout.created, params.created) &&
      inRange(payout.arrival_date, params.arrival_date) &&
      (params.status === undefined || payout.status === params.status) &&
      (params.destination === undefined || payout.destination === params.destination),
  );

export function updatePayout(
  world: World,
  book: Book,
  params: Stripe.PayoutUpdateParams,
  [id = '']: string[],
): Stripe.Payout {
  const before = payoutNamed(book, id);
  const after = book.payouts.update(id, { metadata: mergeMetadata(before.metadata ?? {}, params.metadata) });
  emitChange(world, book, 'payout.updated', before, after);
  return after;
}

export function cancelPayout(world: World, book: Book, _: ExpandOnly, [id = '']: string[]): Stripe.Payout {
  const before = payoutNamed(book, id);
  if (before.status !== 'pending') {
    throw refused(`Payouts can only be canceled while they are pending. This payout has a status of ${before.status}.`);
  }
  const txn = giveBack(world, book, before, 'payout_cancel');
  const after = book.payouts.update(id, { status: 'canceled', failure_balance_transaction: txn.id });
  emit(world, book, 'payout.canceled', after);
  return after;
}

function giveBack(world: World, book: Book, payout: Stripe.Payout, type: 'payout_cancel' | 'payout_failure') {
  return post(world, book, {
    type,
    reportingCategory: 'payout_reversal',
    amount: payout.amount,
    currency: payout.currency,
    source: payout.id,
    availableOn: world.now,
    description: payout.description,
  });
}

export function payoutInTransit(world: World, book: Book, id: string): void {
  const before = book.payouts.get(id);
  if (before?.status !== 'pending') return;
  emitChange(world, book, 'payout.updated', before, book.payouts.update(id, { status: 'in_transit' }));
}

export function payoutArrives(world: World, book: Book, id: string): void {
  const before = book.payouts.get(id);
  if (before?.status !== 'in_transit') return;
  const after = book.payouts.update(id, { status: 'paid', trace_id: { status: 'unsupported', value: null } });
  emit(world, book, 'payout.paid', after);
  if (world.failingBanks.has(before.destination as string)) {
    world.timers.add({
      at: world.now + world.switches.payoutFailsAfterPaidSeconds,
      kind: 'payout_bounces',
      account: book.account,
      id,
    });
  }
}

/** The bank sends the money back after the payout was paid: it returns to the balance, and the bank account is errored. */
export function payoutBounces(world: World, book: Book, id: string): void {
  const before = book.payouts.get(id);
  const bankId = before?.destination as string;
  const code = world.failingBanks.get(bankId);
  if (before?.status !== 'paid' || code === undefined) return;
  const txn = giveBack(world, book, before, 'payout_failure');
  const after = book.payouts.update(id, {
    status: 'failed',
    failure_balance_transaction: txn.id,
    failure_code: code,
    failure_message: FAILURE_MESSAGES[code] ?? 'The payout failed.',
  });
  emit(world, book, 'payout.failed', after);
  bankErrored(world, book.account, bankId);
}
