import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import { runWrites, type Write } from '../platform/write.ts';
import { mergeFlag, type Flag, type FlagInput } from './flags.ts';
import * as store from './flags.store.ts';

/** Plans a flag inside somebody's transaction, and logs it: alerts hang on this line. */
export async function planFlag(ctx: Context, tx: Transaction, input: FlagInput): Promise<Write[]> {
  const existing = await store.readFlag(ctx.db, tx, input.id);
  const flag = mergeFlag(existing, input, Timestamp.fromDate(ctx.clock.now()));
  return [
    (t) => {
      store.writeFlag(ctx.db, t, flag);
      ctx.log.error('flag.raised', { id: flag.id, kind: flag.kind, severity: flag.severity, subject: flag.subject });
    },
  ];
}

/** Raises a flag that was never raised before; resolved, it stays so. */
export async function raiseFlagOnce(ctx: Context, input: FlagInput): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    if (await store.readFlag(ctx.db, tx, input.id)) return;
    runWrites(tx, await planFlag(ctx, tx, input));
  });
}

/** Whether a flag is open now. */
export async function isOpen(ctx: Context, tx: Transaction, flagId: string): Promise<boolean> {
  return (await store.readFlag(ctx.db, tx, flagId))?.status === 'open';
}

const resolveLimit = 500;

/** For a daily watch: closes the open flags of its kind that it has not raised again today. Returns how many. */
export function resolveOthers(ctx: Context, kind: string, standing: ReadonlySet<string>, why: string): Promise<number> {
  return resolveGone(ctx, kind, (open) => open.filter(({ id }) => !standing.has(id)), why);
}

/** Closes those open flags of a kind whose cause is seen to be gone. Returns how many. */
export async function resolveGone(
  ctx: Context,
  kind: string,
  gone: (open: readonly Flag[]) => readonly Flag[] | Promise<readonly Flag[]>,
  why: string,
): Promise<number> {
  const settled = await gone(await store.openOfKind(ctx.db, kind, resolveLimit));
  for (const { id } of settled) await resolveFlag(ctx, id, why);
  return settled.length;
}

/** Closes a flag in a transaction of its own, if it is open. */
export async function resolveFlag(ctx: Context, flagId: string, why: string): Promise<void> {
  await ctx.db.runTransaction(async (tx) => runWrites(tx, await planResolve(ctx, tx, flagId, why)));
}

/** Raises a flag in a transaction of its own. */
export async function raiseFlag(ctx: Context, input: FlagInput): Promise<void> {
  await ctx.db.runTransaction(async (tx) => runWrites(tx, await planFlag(ctx, tx, input)));
}

/** Plans that an open flag closes by itself: what it was about is settled. One that a person has closed stays as they left it. */
export async function planResolve(ctx: Context, tx: Transaction, flagId: string, why: string): Promise<Write[]> {
  const flag = await store.readFlag(ctx.db, tx, flagId);
  if (flag?.status !== 'open') return [];
  const resolvedAt = Timestamp.fromDate(ctx.clock.now());
  return [
    (t) =>
      store.writeFlag(ctx.db, t, { ...flag, status: 'resolved', resolvedAt, resolvedBy: 'system', resolution: why }),
  ];
}
