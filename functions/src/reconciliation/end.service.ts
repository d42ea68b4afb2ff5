import { Timestamp } from 'firebase-admin/firestore';
import { planFlag } from '../admin/flags.service.ts';
import { totalsBefore } from '../ledger/ledger.service.ts';
import type { Context } from '../platform/context.ts';
import { runWrites } from '../platform/write.ts';
import { proveFortnox } from './fortnox-side.service.ts';
import { differenceFlag, needsPerson } from './reconciliation-flags.ts';
import * as logs from './reconciliation.logs.ts';
import { listLimit, platformAccount, type Difference, type NightResult } from './reconciliation.ts';
import type { AccountPart, Night, Reconciliation } from './run.ts';
import * as store from './run.store.ts';
import { proveVouchers } from './vouchers.service.ts';

/** Ends a proof whose accounts are all proven. Two who do it at once find the same; the first one's word stays. */
export async function endIfComplete(ctx: Context, run: string): Promise<void> {
  if ((await store.queuedParts(ctx.db, run, 1)).length > 0) return;
  const document = await store.readRun(ctx.db, run);
  if (document?.state !== 'proving') return;
  const night: Reconciliation = { ...document, state: 'done', ...(await nightResult(ctx, run, document)) };
  const ended = await ctx.db.runTransaction(async (tx) => {
    if ((await store.readRun(ctx.db, run, tx))?.state !== 'proving') return false;
    const flags = needsPerson(night) ? await planFlag(ctx, tx, differenceFlag(night)) : [];
    store.writeRun(ctx.db, tx, run, night);
    runWrites(tx, flags);
    return true;
  });
  if (ended) logs.nightProven(ctx.log, night);
}

async function nightResult(ctx: Context, run: string, night: Night): Promise<NightResult> {
  const shown = await shownParts(ctx, run);
  const counts = await store.countParts(ctx.db, run);
  const { vouchers, difference } = await proveVouchers(ctx);
  const before = night.before === null ? undefined : await store.readRun(ctx.db, store.nightPath(night.before));
  const lastTime = before?.state === 'done' ? before.fortnox : undefined;
  const { differences: inFortnox, ...fortnox } = await proveFortnox(ctx, lastTime);
  const proofs = shown.flatMap((part) => part.proofs);
  const differences = [
    ...proofs.flatMap((proof) => proof.differences),
    ...(difference ? [difference] : []),
    ...(await coachesDiffer(ctx, run, night.cut.toDate())),
    ...inFortnox,
  ];
  const unseen = counts.unchecked + counts.unverifiable;
  return {
    ranAt: Timestamp.fromDate(ctx.clock.now()),
    ok: differences.length === 0 && unseen === 0 && fortnox.error === undefined,
    counts,
    accounts: proofs.slice(0, listLimit).map((proof) => {
      const { account, currency, state, ledgerMinor, transactionsMinor, stripeMinor } = proof;
      return { account, currency, state, ledgerMinor, transactionsMinor, stripeMinor };
    }),
    vouchers,
    fortnox,
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
