import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../admin/flags.service.ts';
import { coachBalance } from '../ledger/ledger.service.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { formatMoney, minor } from '../platform/money.ts';
import { classifyStripeError } from '../platform/stripe.ts';
import { runWrites, type Write } from '../platform/write.ts';
import { StaleFetch } from '../webhooks/webhooks.ts';
import { accountFacts, connected, withAccount, withoutAccess, type AccountFacts } from './account.ts';
import type { Cadence, Coach } from './coaches.ts';
import * as logs from './coaches.logs.ts';
import { planFollowUps } from './notices.service.ts';
import * as store from './coaches.store.ts';

export async function readCoach(ctx: Context, coachId: string, tx?: Transaction): Promise<Coach | undefined> {
  return (await store.readVersioned(ctx.db, coachId, tx))?.coach;
}

export async function coachByAccount(
  ctx: Context,
  stripeAccountId: string,
  tx?: Transaction,
): Promise<{ coachId: string; coach: Coach } | undefined> {
  const found = await store.byAccount(ctx.db, stripeAccountId, tx);
  return found && { coachId: found.coachId, coach: found.coach };
}

/** Coaches by id, one page; `after` is the last id of the page before. With `cadences` only those paid so. */
export async function pageOfCoaches(
  ctx: Context,
  page: { after?: string; limit: number; cadences?: readonly Cadence[] },
): Promise<{ coachId: string; coach: Coach }[]> {
  return (await store.page(ctx.db, page)).map(({ coachId, coach }) => ({ coachId, coach }));
}

/** Coaches who have fallen out since then: their account was closed, or an administrator holds their payouts. */
export async function coachesOutSince(ctx: Context, since: Date, limit: number): Promise<Map<string, Coach>> {
  const found = await store.outSince(ctx.db, Timestamp.fromDate(since), limit);
  return new Map(found.map(({ coachId, coach }) => [coachId, coach]));
}

/** Events of an account nobody has wait for this path; whoever ties the account to a coach reports it as created. */
export const accountPath = (stripeAccountId: string): string => `coachAccounts/${stripeAccountId}`;

/** An account as Stripe has it, and the version of our coach from before Stripe was asked. Plain JSON. */
export interface FetchedAccount {
  stripeAccountId: string;
  /** Whose it is; null while no coach has it. */
  coachId: string | null;
  version: string;
  /** null: we may no longer look at it. */
  facts: AccountFacts | null;
}

/** Our document first, then Stripe: so that a document changed since then tells that somebody else may have looked later. */
export async function fetchAccount(ctx: Context, stripeAccountId: string): Promise<FetchedAccount> {
  const known = await store.byAccount(ctx.db, stripeAccountId);
  if (known) {
    const facts = await retrieveFacts(ctx, stripeAccountId);
    return { stripeAccountId, coachId: known.coachId, version: known.version, facts };
  }
  // Made by us, but we crashed before noting it: its metadata names the coach.
  const facts = await retrieveFacts(ctx, stripeAccountId);
  const owner = facts?.uid ? await store.readVersioned(ctx.db, facts.uid) : undefined;
  if (!facts || !owner) return { stripeAccountId, coachId: null, version: 'none', facts };
  // The version read now is newer than the facts, so what is saved is fetched again under it.
  const again = await retrieveFacts(ctx, stripeAccountId);
  return { stripeAccountId, coachId: owner.coachId, version: owner.version, facts: again };
}

async function retrieveFacts(ctx: Context, stripeAccountId: string): Promise<AccountFacts | null> {
  const stripe = await ctx.stripe();
  try {
    return accountFacts(await stripe.accounts.retrieve(stripeAccountId));
  } catch (error) {
    const { code } = classifyStripeError(error);
    if (code === 'account_invalid' || code === 'resource_missing') return null;
    throw error;
  }
}

export interface PlannedAccount {
  writes: Write[];
  /** The coach as it will be. */
  coach: Coach;
  /** Paths that came to be: the account now has a coach. */
  created: string[];
}

/**
 * Plans saving a fetched account. Undefined: no coach has this account (yet). Throws StaleFetch when the coach changed
 * after the fetch. It writes even when nothing differs, so that a slower reader of an older state notices.
 * `authorizedAt`: when the coach let us in, which ends a deauthorisation made before.
 */
export async function planAccount(
  ctx: Context,
  tx: Transaction,
  fetched: FetchedAccount,
  authorizedAt?: Timestamp,
): Promise<PlannedAccount | undefined> {
  if (fetched.coachId === null) {
    if (await store.byAccount(ctx.db, fetched.stripeAccountId, tx)) {
      throw new StaleFetch(`A coach got ${fetched.stripeAccountId} after it was fetched.`);
    }
    return undefined;
  }
  const { coachId } = fetched;
  const current = await store.readVersioned(ctx.db, coachId, tx);
  if (current?.version !== fetched.version) {
    throw new StaleFetch(`coaches/${coachId} changed after ${fetched.stripeAccountId} was fetched.`);
  }
  const { coach } = current;
  if (coach.stripeAccountId && coach.stripeAccountId !== fetched.stripeAccountId) {
    return { writes: await planSecondAccountFlag(ctx, tx, coachId, fetched.stripeAccountId), coach, created: [] };
  }
  if (!fetched.facts) return planLost(ctx, tx, coachId, coach, fetched.stripeAccountId);
  const before = authorizedAt ? connected(coach, authorizedAt) : coach;
  const told = withAccount(before, fetched.facts, Timestamp.fromDate(ctx.clock.now()));
  const { coach: next, writes } = await planFollowUps(ctx, tx, coachId, coach, told);
  return {
    writes: [(t) => store.writeCoach(ctx.db, t, coachId, next), ...writes],
    coach: next,
    created: coach.stripeAccountId ? [] : [accountPath(fetched.stripeAccountId)],
  };
}

/** Plans that an account was disconnected at that time; nothing if it was connected again later. Undefined: no coach has it. */
export async function planDeauthorized(
  ctx: Context,
  tx: Transaction,
  stripeAccountId: string,
  at: Timestamp,
): Promise<PlannedAccount | undefined> {
  const found = await store.byAccount(ctx.db, stripeAccountId, tx);
  if (!found) return undefined;
  const { coachId, coach } = found;
  const since = coach.authorizedAt;
  if (since && since.toMillis() > at.toMillis()) return { writes: [], coach, created: [] };
  return planLost(ctx, tx, coachId, coach, stripeAccountId, at);
}

async function planLost(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  coach: Coach,
  stripeAccountId: string,
  since?: Timestamp,
): Promise<PlannedAccount> {
  const at = Timestamp.fromDate(ctx.clock.now());
  const next = withoutAccess(coach, since ?? at, at);
  const { payable, receivable } = await coachBalance(ctx.db, tx, coachId, coach.currency);
  const owed = formatMoney(minor(-(payable + receivable)), coach.currency);
  const flag = await planFlag(ctx, tx, {
    id: `account-deauthorized_${stripeAccountId}`,
    kind: 'account-deauthorized',
    severity: 'critical',
    subject: `coaches/${coachId}`,
    message: `Stripe account ${stripeAccountId} is disconnected from the platform: its balance cannot be read or paid out. The ledger owes the coach ${owed}.`,
    action: 'Ask the coach why. What the ledger still owes them must be settled by hand or after they connect again.',
  });
  logs.accountDeauthorized(ctx.log, coachId, stripeAccountId);
  return { writes: [(t) => store.writeCoach(ctx.db, t, coachId, next), ...flag], coach: next, created: [] };
}

function planSecondAccountFlag(ctx: Context, tx: Transaction, coachId: string, other: string): Promise<Write[]> {
  return planFlag(ctx, tx, {
    id: `second-account_${other}`,
    kind: 'second-account',
    severity: 'critical',
    subject: `coaches/${coachId}`,
    message: `Stripe has a second account ${other} that says it is this coach's. It is not used.`,
    action: 'See in the Stripe dashboard that it holds no money, and reject it.',
  });
}

const maxRefreshes = 4;

/**
 * Fetches the coach's account and saves what it says. For the moments when waiting for an event would show a coach an
 * old state. Throws what Stripe throws.
 */
export async function refreshAccount(ctx: Context, stripeAccountId: string): Promise<Coach | undefined> {
  for (let tries = 1; ; tries++) {
    const fetched = await fetchAccount(ctx, stripeAccountId);
    try {
      return await ctx.db.runTransaction(async (tx) => {
        const planned = await planAccount(ctx, tx, fetched);
        if (planned) runWrites(tx, planned.writes);
        return planned?.coach;
      });
    } catch (error) {
      if (!(error instanceof StaleFetch) || tries >= maxRefreshes) throw error;
    }
  }
}

/** The same, where an old answer is better than none: what Stripe throws is logged and the stored coach returned. */
export async function refreshIfPossible(ctx: Context, coachId: string, coach: Coach): Promise<Coach> {
  if (!coach.stripeAccountId) return coach;
  try {
    return (await refreshAccount(ctx, coach.stripeAccountId)) ?? coach;
  } catch (error) {
    logs.accountNotReadable(ctx.log, coachId, coach.stripeAccountId, messageOf(error));
    return coach;
  }
}
