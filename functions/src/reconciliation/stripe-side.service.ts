import type Stripe from 'stripe';
import { inWords, movementOf, movesBalance, type StripeMovement } from '../accounting/stripe-own/stripe-own.ts';
import { fromStripeCurrency, type Currency } from '../platform/money.ts';
import type { StripeClient } from '../platform/stripe.ts';
import type { Movement } from './matching.ts';

/** A connected account's id, or undefined for the platform's own. */
export type StripeAccount = string | undefined;

/** Stripe's options are a second argument: as the first they would be ignored and the platform read. */
const optionsFor = (account: StripeAccount): Stripe.RequestOptions | undefined =>
  account === undefined ? undefined : { stripeAccount: account };

/** How often a balance is read anew when money moves meanwhile. */
const maxReads = 5;

export interface BalanceReading {
  /** Available and pending. */
  totals: Map<Currency, number>;
  /** The newest balance transaction it contains; undefined when there never was one. */
  newest: { id: string; createdMs: number } | undefined;
}

/** The balance together with the last movement it contains: read again while something comes in between. */
export async function readBalance(stripe: StripeClient, account: StripeAccount): Promise<BalanceReading> {
  let newest = await newestMovement(stripe, account);
  for (let reads = 0; reads < maxReads; reads += 1) {
    const balance = await stripe.balance.retrieve({}, optionsFor(account));
    const then = await newestMovement(stripe, account);
    if (then?.id === newest?.id) return { totals: totalsOf(balance), newest };
    newest = then;
  }
  throw new Error(
    `The balance of ${account ?? 'the platform'} moved during each of ${maxReads} readings. It is read again next time.`,
  );
}

async function newestMovement(stripe: StripeClient, account: StripeAccount): Promise<BalanceReading['newest']> {
  const page = await stripe.balanceTransactions.list({ limit: 1 }, optionsFor(account));
  const [first] = page.data;
  return first && { id: first.id, createdMs: first.created * 1000 };
}

function totalsOf(balance: Stripe.Balance): Map<Currency, number> {
  const totals = new Map<Currency, number>();
  for (const { amount, currency } of [...balance.available, ...balance.pending]) {
    const code = fromStripeCurrency(currency);
    totals.set(code, (totals.get(code) ?? 0) + amount);
  }
  return totals;
}

/** Balance transactions from the newest that a balance reading contains down to `fromMs`, a page at a time. */
export async function* movements(
  stripe: StripeClient,
  account: StripeAccount,
  newest: BalanceReading['newest'],
  fromMs: number,
): AsyncGenerator<Movement & { stripe: StripeMovement }> {
  if (!newest) return;
  const since = Number.isFinite(fromMs) ? { created: { gte: Math.floor(fromMs / 1000) } } : {};
  let reached = false;
  for await (const transaction of stripe.balanceTransactions.list({ limit: 100, ...since }, optionsFor(account))) {
    // What came after the reading is not in the balance either.
    reached ||= transaction.id === newest.id;
    if (!reached || !movesBalance(transaction)) continue;
    const stripe = movementOf(transaction);
    const { id, sourceId, createdMs, currency } = stripe;
    const named = { id, ...(sourceId === undefined ? {} : { sourceId }) };
    yield { ...named, createdMs, netMinor: transaction.net, currency, detail: inWords(stripe), stripe };
  }
}
