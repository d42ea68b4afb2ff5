/** The only place where money moves: every movement is a balance transaction. */
import type Stripe from 'stripe';
import { emit } from './events.ts';
import type { Book, World } from './world.ts';

export interface Movement {
  type: Stripe.BalanceTransaction['type'];
  reportingCategory: string;
  /** Minor units, signed. */
  amount: number;
  fee?: number;
  feeDetails?: Stripe.BalanceTransaction.FeeDetail[];
  currency: string;
  source: string | null;
  /** Which of the account's balances; what is not `payments` is in neither `available` nor `pending`. */
  balanceType?: Stripe.BalanceTransaction['balance_type'];
  /** Unix seconds; not later than now means available at once. */
  availableOn: number;
  description: string | null;
}

/** Books a movement on an account's balance. */
export function post(world: World, book: Book, movement: Movement): Stripe.BalanceTransaction {
  const { amount, fee = 0, currency, availableOn, balanceType = 'payments' } = movement;
  const pending = availableOn > world.now;
  const txn: Stripe.BalanceTransaction = {
    id: world.ids.next('txn'),
    object: 'balance_transaction',
    amount,
    available_on: Math.max(availableOn, world.now),
    balance_type: balanceType,
    created: world.now,
    currency,
    description: movement.description,
    exchange_rate: null,
    fee,
    fee_details: movement.feeDetails ?? [],
    net: amount - fee,
    reporting_category: movement.reportingCategory,
    source: movement.source,
    status: pending ? 'pending' : 'available',
    type: movement.type,
  };
  book.balanceTransactions.add(txn);
  if (balanceType !== 'payments') return txn;
  const funds = fundsOf(book, currency);
  if (!pending) {
    funds.available += txn.net;
    return txn;
  }
  funds.pending += txn.net;
  const waiting = book.pendingUntil.get(availableOn);
  if (waiting) {
    waiting.push(txn.id);
  } else {
    book.pendingUntil.set(availableOn, [txn.id]);
    world.timers.add({ at: availableOn, kind: 'funds_available', account: book.account, id: String(availableOn) });
  }
  return txn;
}

export function fundsOf(book: Book, currency: string): { available: number; pending: number } {
  const funds = book.funds.get(currency) ?? { available: 0, pending: 0 };
  book.funds.set(currency, funds);
  return funds;
}

/** The moment has come: what was pending until then is available. */
export function release(world: World, book: Book, at: number): void {
  const ids = book.pendingUntil.get(at) ?? [];
  book.pendingUntil.delete(at);
  for (const id of ids) {
    const txn = book.balanceTransactions.update(id, { status: 'available' });
    const funds = fundsOf(book, txn.currency);
    funds.pending -= txn.net;
    funds.available += txn.net;
  }
  if (ids.length > 0) emit(world, book, 'balance.available', balanceOf(world, book));
}

/** What `GET /v1/balance` answers. An account that never had money has zeros in its currency. */
export function balanceOf(world: World, book: Book): Stripe.Balance {
  const currencies = book.funds.size > 0 ? [...book.funds.keys()].sort() : ['sek'];
  const part = (kind: 'available' | 'pending') =>
    currencies.map((currency) => {
      const amount = book.funds.get(currency)?.[kind] ?? 0;
      return { amount, currency, source_types: { card: amount } };
    });
  const reserved =
    book === world.platform ? { connect_reserved: currencies.map((currency) => ({ amount: 0, currency })) } : {};
  return {
    object: 'balance',
    available: part('available'),
    ...reserved,
    ...instantOf(world, book),
    livemode: false,
    pending: part('pending'),
  };
}

/** What may be paid out within minutes: of connected accounts whose default bank account takes such payouts. */
function instantOf(world: World, book: Book): Pick<Stripe.Balance, 'instant_available'> {
  const banks = (world.accounts.get(book.account)?.external_accounts?.data ?? []) as Stripe.BankAccount[];
  const bank = banks.find((each) => each.default_for_currency === true);
  if (bank?.available_payout_methods?.includes('instant') !== true) return {};
  const amount = Math.max(0, book.funds.get(bank.currency)?.available ?? 0);
  return { instant_available: [{ amount, currency: bank.currency, source_types: { card: amount } }] };
}

/**
 * Stripe's fee on a card payment in Sweden, in öre: 1.5 % of the amount rounded half up, and 1.80 SEK.
 * 929 on 49900, 329 on 9900.
 */
export const stripeFee = (amount: number): number => Math.floor((amount * 15 + 500) / 1000) + 180;
