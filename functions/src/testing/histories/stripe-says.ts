import type { Stage } from './stage.ts';

/** The emulator's own state, as its control API shows it: what the product must have come to. Nothing here is the product's. */
export type Book = Stage['core']['world']['platform'];
type Item<K extends 'paymentIntents' | 'charges' | 'refunds' | 'disputes'> = ReturnType<Book[K]['values']>[number];
export type Dispute = Item<'disputes'>;

export const idOf = (reference: string | { id: string } | null | undefined): string =>
  typeof reference === 'string' ? reference : (reference?.id ?? '');

export const sum = (amounts: readonly number[]): number => amounts.reduce((total, each) => total + each, 0);

/** The platform's book and those of its coaches. */
export function booksOf({ core }: Stage): Book[] {
  return [core.world.platform, ...core.world.books.values()];
}

/** What became of a customer's PaymentIntent at Stripe. */
export interface Money {
  book: Book;
  intent: Item<'paymentIntents'>;
  charge: Item<'charges'> | undefined;
  refunds: Item<'refunds'>[];
  disputes: Dispute[];
  /** Refunded or on the way. */
  refundedMinor: number;
  /** With the bank, or lost to it. */
  disputedMinor: number;
  lostMinor: number;
  /** Refunds that came back from the customer's bank and were not made again. */
  owedMinor: number;
}

export function moneyOf(stage: Stage): Money[] {
  return booksOf(stage).flatMap((book) => book.paymentIntents.values().map((intent) => moneyOfIntent(book, intent)));
}

function moneyOfIntent(book: Book, intent: Item<'paymentIntents'>): Money {
  const charge = book.charges
    .values()
    .find((each) => idOf(each.payment_intent) === intent.id && each.status === 'succeeded');
  const refunds = book.refunds.values().filter((each) => idOf(each.charge) === charge?.id);
  const disputes = book.disputes.values().filter((each) => idOf(each.charge) === charge?.id);
  const live = refunds.filter(({ status }) => status === 'succeeded' || status === 'pending');
  return {
    book,
    intent,
    charge,
    refunds,
    disputes,
    refundedMinor: sum(live.map(({ amount }) => amount)),
    disputedMinor: sum(disputes.map(awayMinor)),
    lostMinor: sum(disputes.map((each) => (each.status === 'lost' ? awayMinor(each) : 0))),
    owedMinor: owedOf(book, refunds),
  };
}

/** Of a dispute: taken and not given back. */
export const awayMinor = ({ balance_transactions: moved }: Dispute): number =>
  Math.max(0, -sum(moved.map(({ amount }) => amount)));

/** What of refunds is paid, in the order Stripe moved it: what came back is owed, and the next refund pays it first. */
function owedOf(book: Book, refunds: readonly Item<'refunds'>[]): number {
  const at = (id: unknown) => book.balanceTransactions.positionOf(idOf(id as string | null));
  const moves = refunds.flatMap(({ amount, balance_transaction: taken, failure_balance_transaction: failed }) => [
    { at: at(taken), by: -amount },
    { at: at(failed), by: amount },
  ]);
  const known = moves.filter((move): move is { at: number; by: number } => move.at !== undefined);
  known.sort((a, b) => a.at - b.at);
  return known.reduce((owed, { by }) => Math.max(0, owed + by), 0);
}

/** Of the amount: went back, is on its way, or is owed back. */
export const backMinor = ({ refundedMinor, lostMinor, owedMinor }: Money): number =>
  refundedMinor + lostMinor + owedMinor;

/** The payment's status in the words that customers read. */
export function statusOf({ intent, refundedMinor, disputedMinor }: Money): string {
  if (intent.status === 'succeeded') {
    if (disputedMinor > 0) return 'disputed';
    if (refundedMinor >= intent.amount) return 'refunded';
    return refundedMinor > 0 ? 'partially_refunded' : 'succeeded';
  }
  if (intent.status === 'canceled') return 'canceled';
  return intent.status === 'requires_payment_method' && intent.last_payment_error ? 'failed' : 'pending';
}
