import { Timestamp } from 'firebase-admin/firestore';
import { planFlag, planResolve, resolveGone } from '../admin/flags.service.ts';
import { subjectId, type Flag, type FlagInput } from '../admin/flags.ts';
import { totalsBefore } from '../ledger/ledger.service.ts';
import type { BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { runWrites } from '../platform/write.ts';
import { closeSums, recountSums } from './closed.service.ts';
import { proveFortnox, proveFortnoxDays } from './fortnox-side.service.ts';
import {
  canBeDisproved,
  differenceFlag,
  differenceKind,
  lateFlagId,
  needsPerson,
  unverifiableAccount,
  unverifiableKind,
} from './reconciliation-flags.ts';
import * as logs from './reconciliation.logs.ts';
import { listLimit, platformAccount, type Difference, type NightResult, type RangeResult } from './reconciliation.ts';
import { isNight, type AccountPart, type Night, type Range, type Reconciliation, type Run } from './run.ts';
import * as store from './run.store.ts';
import { proveVouchers } from './vouchers.service.ts';

/** Ends a proof whose accounts are all proven. Two who do it at once find the same; the first one's word stays. */
export async function endIfComplete(ctx: Context, run: string): Promise<void> {
  if ((await store.queuedParts(ctx.db, run, 1)).length > 0) return;
  const document = await store.readRun(ctx.db, run);
  if (document?.state !== 'proving') return;
  if (isNight(document)) {
    const night: Reconciliation = { ...document, state: 'done', ...(await nightResult(ctx, run, document)) };
    const flag = needsPerson(night) ? differenceFlag(night) : undefined;
    if (!(await save(ctx, run, night, flag))) return;
    logs.nightProven(ctx.log, night);
    // Cut short here, the next night settles them.
    if (!flag) await settleEarlier(ctx, night);
    await settleSeen(ctx, run);
    await closeSums(ctx);
    if (flag || isMonthsFirst(night.date)) await recountSums(ctx);
  } else {
    await recountSums(ctx);
    // Whoever asked looks at it: no flag.
    await save(ctx, run, { ...document, state: 'done', ...(await rangeResult(ctx, run, document)) });
  }
}

const isMonthsFirst = (date: BusinessDate): boolean => date.endsWith('-01');

/** What is not mended shows every night: a night that finds nothing settles the flags of those before. */
async function settleEarlier(ctx: Context, night: Reconciliation): Promise<void> {
  const disproved = async (open: readonly Flag[]): Promise<Flag[]> => {
    const earlier = open.filter((flag) => subjectId(flag) < night.date);
    const nights = await Promise.all(earlier.map(({ subject }) => store.readRun(ctx.db, subject)));
    return earlier.filter((_, i) => nights[i]?.state === 'done' && canBeDisproved(nights[i]));
  };
  await resolveGone(ctx, differenceKind, disproved, `The night of ${night.date} found no difference.`);
}

/** Accounts that could not be looked at and were now. */
async function settleSeen(ctx: Context, run: string): Promise<void> {
  const seen = async (open: readonly Flag[]): Promise<Flag[]> => {
    const parts = await Promise.all(open.map((flag) => store.readPart(ctx.db, run, unverifiableAccount(flag))));
    return open.filter((_, i) => parts[i]?.state === 'ok' || parts[i]?.state === 'different');
  };
  await resolveGone(ctx, unverifiableKind, seen, `The account can be seen again (${run}).`);
}

function save(ctx: Context, run: string, ended: Run, flag?: FlagInput): Promise<boolean> {
  return ctx.db.runTransaction(async (tx) => {
    if ((await store.readRun(ctx.db, run, tx))?.state !== 'proving') return false;
    const flags = [
      ...(flag ? await planFlag(ctx, tx, flag) : []),
      ...(await planResolve(ctx, tx, lateFlagId(run), 'It came to its end.')),
    ];
    store.writeRun(ctx.db, tx, run, ended);
    runWrites(tx, flags);
    return true;
  });
}

async function nightResult(ctx: Context, run: string, night: Night): Promise<NightResult> {
  const accounts = await accountsResult(ctx, run, night);
  const { vouchers, difference } = await proveVouchers(ctx);
  const before = night.before === null ? undefined : await store.readRun(ctx.db, store.nightPath(night.before));
  const lastTime = before?.state === 'done' && isNight(before) ? before.fortnox : undefined;
  const { differences, ...fortnox } = await proveFortnox(ctx, lastTime);
  const found = [...accounts.differences, ...(difference ? [difference] : []), ...differences];
  return { ...together(ctx, accounts, found, fortnox.error), vouchers, fortnox };
}

async function rangeResult(ctx: Context, run: string, range: Range): Promise<RangeResult> {
  const accounts = await accountsResult(ctx, run, range);
  const { differences, ...fortnox } = await proveFortnoxDays(ctx, range.from, range.to);
  return { ...together(ctx, accounts, [...accounts.differences, ...differences], fortnox.error), fortnox };
}

type Accounts = Pick<RangeResult, 'counts' | 'accounts' | 'differences'>;

async function accountsResult(ctx: Context, run: string, { cut }: Run): Promise<Accounts> {
  const proofs = (await shownParts(ctx, run)).flatMap((part) => part.proofs);
  return {
    counts: await store.countParts(ctx.db, run),
    accounts: proofs.slice(0, listLimit).map((proof) => {
      const { account, currency, state, ledgerMinor, transactionsMinor, stripeMinor, opening, error } = proof;
      const sums = { ledgerMinor, transactionsMinor, stripeMinor, ...(opening ? { opening } : {}) };
      return { account, currency, state, ...sums, ...(error === undefined ? {} : { error }) };
    }),
    differences: [...proofs.flatMap((proof) => proof.differences), ...(await coachesDiffer(ctx, run, cut.toDate()))],
  };
}

function together(
  ctx: Context,
  { counts, accounts }: Accounts,
  differences: readonly Difference[],
  error: string | undefined,
): Omit<RangeResult, 'fortnox'> {
  return {
    ranAt: Timestamp.fromDate(ctx.clock.now()),
    ok: differences.length === 0 && counts.unchecked + counts.unverifiable === 0 && error === undefined,
    counts,
    accounts,
    differences: differences.slice(0, listLimit),
  };
}

/** The platform, those that are not ok, and as many of the others as there is room for. */
async function shownParts(ctx: Context, run: string): Promise<AccountPart[]> {
  const platform = await store.readPart(ctx.db, run, platformAccount);
  const shown = platform ? [platform] : [];
  for (const state of ['different', 'unchecked', 'unverifiable', 'ok'] as const) {
    const room = listLimit - shown.length;
    if (room <= 0) break;
    const some = await store.partsIn(ctx.db, run, state, room);
    shown.push(...some.filter(({ account }) => account !== platformAccount));
  }
  return shown;
}

/** Every document that moved a connected account must be some coach's. */
async function coachesDiffer(ctx: Context, run: string, cut: Date): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const currency of new Set([ctx.config.currency, ...ctx.config.acceptedCurrencies])) {
    const ledgerMinor = (await totalsBefore(ctx.db, cut, currency)).stripe_connected;
    const otherMinor = await store.connectedTotal(ctx.db, run, currency);
    if (ledgerMinor === otherMinor) continue;
    found.push({ kind: 'coaches-differ', account: 'coaches', currency, ids: [], ledgerMinor, otherMinor });
  }
  return found;
}
