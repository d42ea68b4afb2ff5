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
import { bankErrored, banksOf } from './banks.ts';
import { MINIMUM_PAYOUT, bankingDaysAfter, requireSek } from './money.ts';

/** Why a payout may come back, with what Stripe says of it. */
export const FAILURE_MESSAGES: Readonly<Record<string, string>> = {
  account_closed: 'The bank account has been closed.',
  account_frozen: 'The bank account has been frozen.',
  bank_account_restricted: 'The bank account has restrictions on either the type, or the number, of payouts allowed.',
  bank_ownership_changed: 'The destination bank account is no longer valid because its branch has changed ownership.',
  could_not_process: 'The bank could not process this payout.',
  debit_not_authorized: 'Debit transactions are not approved on your bank account.',
  declined: 'The bank has declined this payout.',
  incorrect_account_holder_name: 'Your bank notified us that the bank account holder name on file is incorrect.',
  insufficient_funds: 'Your Stripe account has insufficient funds to cover the payout.',
  invalid_account_number: 'The routing number seems correct, but the account number is invalid.',
  invalid_currency: 'The bank was unable to process this payout because of its currency.',
  no_account: 'The bank account could not be located.',
  unsupported_card: 'The bank no longer supports payouts to this card.',
};
/** An instant payout is there within this time. */
const INSTANT = 30 * 60;

export function createPayout(world: World, book: Book, params: Stripe.PayoutCreateParams): Stripe.Payout {
  requireSek(params.currency);
  if (params.amount < MINIMUM_PAYOUT) {
    throw badParam('amount', 'Amount must be no less than kr20.00 sek', 'amount_too_small');
  }
  const bank = bankFor(world, book, params.destination);
  const method = params.method === 'instant' ? 'instant' : 'standard';
  if (method === 'instant' && bank.available_payout_methods?.includes('instant') !== true) {
    throw refused(
      'Sorry, this external account is not eligible for instant payouts. Please try the payout with the standard method.',
      'instant_payouts_unsupported',
      'method',
    );
  }
  const { available } = fundsOf(book, 'sek');
  if (params.amount > available) {
    throw refused(
      'You have insufficient funds in your Stripe account for this transfer. Your card balance is too low. You can use the ' +
        'the /v1/balance endpoint to view your Stripe balance (for more details, see stripe.com/docs/api#balance).',
      'balance_insufficient',
    );
  }
  return makePayout(world, book, {
    amount: params.amount,
    bank,
    automatic: false,
    method,
    descriptor: params.statement_descriptor ?? null,
    description: params.description,
    metadata: params.metadata,
  });
}

/** Takes the money off the balance and sends it. Whether that may be has been seen to. */
export function makePayout(
  world: World,
  book: Book,
  order: {
    amount: number;
    bank: Stripe.BankAccount;
    automatic: boolean;
    method: 'standard' | 'instant';
    descriptor: string | null;
    description?: string | undefined;
    metadata?: Stripe.MetadataParam | undefined;
  },
): Stripe.Payout {
  const id = world.ids.next('po');
  const description = order.description ?? 'STRIPE PAYOUT';
  const arrival = order.method === 'instant' ? world.now + INSTANT : bankingDaysAfter(world.now, 2);
  const txn = post(world, book, {
    type: 'payout',
    reportingCategory: 'payout',
    amount: -order.amount,
    currency: 'sek',
    source: id,
    availableOn: world.now,
    description,
  });
  const payout: Stripe.Payout = {
    id,
    object: 'payout',
    amount: order.amount,
    application_fee: null,
    application_fee_amount: null,
    arrival_date: arrival,
    automatic: order.automatic,
    balance_transaction: txn.id,
    created: world.now,
    currency: 'sek',
    description,
    destination: order.bank.id,
    failure_balance_transaction: null,
    failure_code: null,
    failure_message: null,
    livemode: false,
    metadata: mergeMetadata({}, order.metadata),
    method: order.method,
    original_payout: null,
    payout_method: null,
    reconciliation_status: order.automatic ? 'in_progress' : 'not_applicable',
    reversed_by: null,
    source_type: 'card',
    statement_descriptor: order.descriptor,
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

/** Where an account's payouts go; undefined when it has no bank account or may not be paid out. */
export function defaultBank(world: World, book: Book): Stripe.BankAccount | undefined {
  if (book === world.platform) return world.bankAccounts.get(PLATFORM_BANK);
  if (world.accounts.get(book.account)?.payouts_enabled !== true) return undefined;
  return banksOf(world, book.account).find((each) => each.default_for_currency === true);
}

function bankFor(world: World, book: Book, wanted: string | undefined): Stripe.BankAccount {
  const account = book === world.platform ? undefined : world.accounts.get(book.account);
  if (account && !account.payouts_enabled) {
    throw notAllowed('Cannot create payouts; the account is not yet enabled for payouts. See its requirements.');
  }
  const bank =
    wanted === undefined
      ? defaultBank(world, book)
      : (account ? banksOf(world, account.id) : world.bankAccounts.values()).find(
          (each) => each.id === wanted && each.account === book.account,
        );
  if (!bank && wanted !== undefined) throw missing('external account', wanted, 'destination', 400);
  if (!bank) throw notAllowed("Sorry, you don't have any external accounts in that currency (sek).");
  if (bank.status === 'errored') {
    throw notAllowed(
      'Cannot create payouts; the bank account has errored after a failed payout and must be updated or replaced.',
    );
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

/** Stripe reverses payouts to bank accounts in the United States and Canada only, and the emulator has Swedish ones. */
export function reversePayout(
  _: World,
  book: Book,
  __: Stripe.PayoutReverseParams,
  [id = '']: string[],
): Stripe.Payout {
  payoutNamed(book, id);
  throw refused('Payouts to bank accounts in SE cannot be reversed: only those in US and CA can.');
}

/** The bank's own number of a payout: 15 digits, always the same for the same payout. */
const traceOf = (id: string): string =>
  [...id]
    .reduce((sum, letter) => (sum * 61n + BigInt(letter.charCodeAt(0))) % 10n ** 15n, 0n)
    .toString()
    .padStart(15, '0');

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
  const after = book.payouts.update(id, { status: 'paid', trace_id: { status: 'supported', value: traceOf(id) } });
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
