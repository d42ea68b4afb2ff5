import { bookMovement } from '../accounting/stripe-own/book.service.ts';
import type { StripeMovement } from '../accounting/stripe-own/stripe-own.ts';
import { isCompanion, type LedgerDocument, type LedgerEntry } from '../ledger/ledger.ts';
import { explaining, newestFirst, totalsBefore } from '../ledger/ledger.service.ts';
import type { Context } from '../platform/context.ts';
import { Timestamp } from 'firebase-admin/firestore';
import { minor, zero, type Currency } from '../platform/money.ts';
import { apartMs, Matcher, namesOf, type Entry, type Movement, type Side } from './matching.ts';
import { recountSums } from './closed.service.ts';
import { orAsBefore, patience } from './patience.ts';
import { concluded, platformAccount, totalsDiffer, type AccountProof, type Difference } from './reconciliation.ts';
import { movements, readBalance, type BalanceReading } from './stripe-side.service.ts';

/** Whose money is proven: the platform's, or a coach's account. */
export type Owner = { account: typeof platformAccount } | { account: string; coachId: string };

const pageSize = 300;
/** Groups are compared and let go every so many balance transactions. */
const settleEvery = 200;
/** From the beginning. */
const sinceEver = Number.NEGATIVE_INFINITY;

/**
 * Proves one account up to the cut, a proof per currency. A night that does not come out is looked at again: first once
 * more (something may have been booked in between), then, where the sums differ and no id tells why, with the ledger's sums
 * put right if they were kept wrong, else from the very beginning (something may have been booked into a time that was proven
 * before). Throws TooLong when even the first look is more than a task can.
 */
export async function proveAccount(
  ctx: Context,
  owner: Owner,
  cut: Date,
  before: readonly AccountProof[],
): Promise<AccountProof[]> {
  const since = closedUntil(before);
  const inTime = patience(ctx);
  const attempt = async (fromMs: number): Promise<AccountProof[]> =>
    conclude(ctx, owner, cut, { ...(await matched(ctx, owner, { fromMs, cut }, inTime)), before, fromMs });
  const first = await attempt(since);
  if (isProven(first)) return first;
  const second = await orAsBefore(first, () => attempt(since));
  const explained = second.some((proof) => proof.differences.some((one) => one.ids.length > 0));
  if (isProven(second) || explained || since === sinceEver) return second;
  const recounted = !('coachId' in owner) && (await recountSums(ctx));
  return orAsBefore(second, () => attempt(recounted ? since : sinceEver));
}

const isProven = (proofs: readonly AccountProof[]): boolean => proofs.every((proof) => proof.state === 'ok');

/** The account's balance transactions from then on against the ledger's documents. */
async function matched(
  ctx: Context,
  owner: Owner,
  { fromMs, cut }: { fromMs: number; cut: Date },
  inTime: () => void,
): Promise<{ matcher: Matcher; reading: BalanceReading }> {
  const stripe = await ctx.stripe();
  const account = 'coachId' in owner ? owner.account : undefined;
  const reading = await readBalance(stripe, account);
  const matcher = new Matcher(owner.account, { fromMs, cutMs: cut.getTime() });
  const ledger = ledgerFeed(ctx, owner, fromMs - apartMs, matcher, inTime);
  let seen = 0;
  for await (const movement of movements(stripe, account, reading.newest, fromMs - apartMs)) {
    inTime();
    await ledger.readDownTo(movement.createdMs - apartMs);
    await explainByHand(ctx, owner, matcher, movement, cut);
    if (movement.createdMs < cut.getTime() && !matcher.knows(movement)) {
      await bookOwn(ctx, owner, matcher, movement.stripe);
    }
    matcher.addMovement(movement);
    seen += 1;
    if (seen % settleEvery === 0) matcher.settleDownTo(movement.createdMs);
  }
  await ledger.readDownTo(sinceEver);
  matcher.finish();
  return { matcher, reading };
}

/**
 * Proves one account from one cut to another, a proof per currency: what the ledger and Stripe said when it began, every
 * balance transaction and document in between, and what both said at its end. One that does not come out is looked at once
 * more: something may have been booked meanwhile. Throws TooLong.
 */
export async function proveRange(ctx: Context, owner: Owner, from: Date, cut: Date): Promise<AccountProof[]> {
  const inTime = patience(ctx);
  const first = await attemptRange(ctx, owner, { from, cut }, inTime);
  return isProven(first) ? first : orAsBefore(first, () => attemptRange(ctx, owner, { from, cut }, inTime));
}

async function attemptRange(
  ctx: Context,
  owner: Owner,
  { from, cut }: { from: Date; cut: Date },
  inTime: () => void,
): Promise<AccountProof[]> {
  const { matcher, reading } = await matched(ctx, owner, { fromMs: from.getTime(), cut }, inTime);
  return Promise.all(
    currenciesOf(ctx, matcher, reading).map(async (currency): Promise<AccountProof> => {
      const { beforeMinor, afterMinor, movements: transactions } = matcher.tallies.get(currency) ?? noTally;
      const balanceMinor = minor(reading.totals.get(currency) ?? 0);
      const opening = {
        ledgerMinor: await ledgerTotal(ctx, owner, from, currency),
        stripeMinor: minor(balanceMinor - afterMinor - beforeMinor),
      };
      const draft: AccountProof = {
        account: owner.account,
        ...('coachId' in owner ? { coachId: owner.coachId } : {}),
        currency,
        state: 'unchecked',
        ledgerMinor: await ledgerTotal(ctx, owner, cut, currency),
        transactionsMinor: minor(opening.ledgerMinor + beforeMinor),
        stripeMinor: minor(balanceMinor - afterMinor),
        balanceMinor,
        afterCutMinor: minor(afterMinor),
        opening,
        transactions,
        closed: null,
        differences: [],
      };
      const differences = [...openingDiffers(draft, opening), ...differencesOf(draft, matcher.differences)];
      return { ...draft, differences, state: differences.length === 0 ? 'ok' : 'different' };
    }),
  );
}

const noTally = { beforeMinor: 0, afterMinor: 0, movements: 0 };

function openingDiffers(
  { account, currency }: AccountProof,
  { ledgerMinor, stripeMinor }: NonNullable<AccountProof['opening']>,
): Difference[] {
  if (ledgerMinor === stripeMinor) return [];
  return [{ kind: 'opening-differs', account, currency, ids: [], ledgerMinor, otherMinor: stripeMinor }];
}

/** Where the last proof ended; currencies of an account are closed together. */
function closedUntil(before: readonly AccountProof[]): number {
  const cuts = before.map((proof) => proof.closed?.cut.toMillis() ?? sinceEver);
  return cuts.length > 0 ? Math.min(...cuts) : sinceEver;
}

/** Feeds the matcher with ledger documents, newest first, just ahead of the balance transactions they explain. */
function ledgerFeed(ctx: Context, owner: Owner, fromMs: number, matcher: Matcher, inTime: () => void) {
  const coachId = 'coachId' in owner ? owner.coachId : undefined;
  const from = Number.isFinite(fromMs) ? new Date(fromMs) : undefined;
  let last: LedgerDocument | undefined;
  let ended = false;
  return {
    async readDownTo(ms: number): Promise<void> {
      while (!ended && (last === undefined || last.occurredAt.toMillis() >= ms)) {
        inTime();
        const page = await newestFirst(ctx.db, { from, below: last, coachId }, pageSize);
        for (const document of page) matcher.addEntry(entryOf(document, sideOf(owner)));
        ended = page.length < pageSize;
        last = page.at(-1) ?? last;
      }
    },
  };
}

/**
 * A document far away in time, or booked since its page was read, is asked for by the balance transaction's id; and so is
 * whatever else (Stripe's fee) explains the document's other balance transactions, before they are met.
 */
async function explainByHand(
  ctx: Context,
  owner: Owner,
  matcher: Matcher,
  movement: Movement,
  cut: Date,
): Promise<void> {
  if (matcher.knows(movement) || movement.createdMs >= cut.getTime() + apartMs) return;
  const names = namesOf(movement);
  const found = (await Promise.all(names.map((name) => explaining(ctx.db, name)))).flat();
  const others = new Set(found.flatMap((document) => document.balanceTransactionIds));
  for (const name of names) others.delete(name);
  const beside = await Promise.all([...others].map((id) => explaining(ctx.db, id)));
  for (const document of [...found, ...beside.flat()]) matcher.addEntry(entryOf(document, sideOf(owner)));
}

/** Of Stripe's own accord and missed: what its type tells is booked then and there, what it does not a person is asked. */
async function bookOwn(ctx: Context, owner: Owner, matcher: Matcher, movement: StripeMovement): Promise<void> {
  const connected = 'coachId' in owner ? { coachId: owner.coachId, stripeAccountId: owner.account } : undefined;
  for (const document of await bookMovement(ctx, connected, movement)) {
    matcher.addEntry(entryOf(document, sideOf(owner)));
  }
}

const sideOf = (owner: Owner): Side => ('coachId' in owner ? 'stripe_connected' : 'stripe_platform');

const entryOf = (document: LedgerEntry, side: Side): Entry => ({
  id: document.id,
  isCompanion: isCompanion(document.kind),
  occurredMs: document.occurredAt.toMillis(),
  currency: document.currency,
  amountMinor: document.deltas[side],
  transactionIds: document.balanceTransactionIds,
});

interface Seen {
  matcher: Matcher;
  reading: BalanceReading;
  /** Where this proof began, and what was proven before it. */
  fromMs: number;
  before: readonly AccountProof[];
}

async function conclude(ctx: Context, owner: Owner, cut: Date, seen: Seen): Promise<AccountProof[]> {
  const { matcher, reading, before, fromMs } = seen;
  const currencies = new Set([...currenciesOf(ctx, matcher, reading), ...before.map((one) => one.currency)]);
  const drafts = await Promise.all(
    [...currencies].map(async (currency) => {
      const tally = matcher.tallies.get(currency) ?? noTally;
      const closed = before.find((one) => one.currency === currency)?.closed ?? null;
      const closedMinor = fromMs === sinceEver ? zero : (closed?.transactionsMinor ?? zero);
      const balanceMinor = minor(reading.totals.get(currency) ?? 0);
      const draft: AccountProof = {
        account: owner.account,
        ...('coachId' in owner ? { coachId: owner.coachId } : {}),
        currency,
        state: 'unchecked',
        ledgerMinor: await ledgerTotal(ctx, owner, cut, currency),
        transactionsMinor: minor(closedMinor + tally.beforeMinor),
        stripeMinor: minor(balanceMinor - tally.afterMinor),
        balanceMinor,
        afterCutMinor: minor(tally.afterMinor),
        transactions: tally.movements,
        closed,
        differences: [],
      };
      return { ...draft, differences: differencesOf(draft, matcher.differences) };
    }),
  );
  return concluded(drafts, Timestamp.fromDate(cut));
}

/** Every currency in which the account has, or had, anything. */
function currenciesOf(ctx: Context, matcher: Matcher, reading: BalanceReading): Currency[] {
  const found = matcher.differences.map((one) => one.currency);
  return [...new Set([ctx.config.currency, ...reading.totals.keys(), ...matcher.tallies.keys(), ...found])];
}

function differencesOf(draft: AccountProof, found: readonly Difference[]): Difference[] {
  const total = totalsDiffer(draft);
  const mine = found.filter((one) => one.currency === draft.currency);
  return total ? [...mine, total] : mine;
}

/** What the ledger says an account held at the cut. */
export async function ledgerTotal(ctx: Context, owner: Owner, cut: Date, currency: Currency) {
  const coachId = 'coachId' in owner ? owner.coachId : undefined;
  return (await totalsBefore(ctx.db, cut, currency, coachId))[sideOf(owner)];
}
