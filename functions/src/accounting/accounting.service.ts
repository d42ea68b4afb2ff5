import { raiseFlag, resolveGone } from '../admin/flags.service.ts';
import { businessDate, startOfBusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { holdMs, lateMs, retried, type Voucher } from './accounting.ts';
import * as logs from './accounting.logs.ts';
import * as store from './accounting.store.ts';
import { lateVouchersFlag, lateVouchersKind } from './accounting-flags.ts';
import { groupLedger } from './grouping.service.ts';

export { countPosted, lastPosted, postedFrom, postedSums, totalsByState, vouchersOf } from './accounting.store.ts';

/** Vouchers read at a time, tasks queued side by side. */
const pageSize = 200;
const queueSize = 10;
/** Vouchers one sweep queues again. */
const resolveLimit = 200;

export interface SyncResult {
  /** Vouchers made by this run. */
  grouped: number;
  /** Vouchers in state ready that were queued, new ones and older ones. */
  queued: number;
}

/** The run of the night. Where a day has one voucher a kind, only days that are over are grouped, so that each is whole. */
export function syncByNight(ctx: Context, now: Date): Promise<SyncResult> {
  return ctx.config.voucherGrouping === 'day'
    ? syncBooks(ctx, now, startOfBusinessDate(businessDate(now)))
    : syncBooks(ctx, now);
}

/** JavaScript's last day. */
const never = new Date(8_640_000_000_000_000);

/** Groups ledger documents that occurred before `until` (all, when left out) into vouchers and queues what is ready. */
export async function syncBooks(ctx: Context, now: Date, until = never): Promise<SyncResult> {
  const grouped = await groupLedger(ctx, now, until);
  const result = { grouped, queued: await queueReady(ctx, now) };
  logs.booksSynced(ctx.log, result);
  return result;
}

async function queueReady(ctx: Context, now: Date): Promise<number> {
  let queued = 0;
  for (let after: string | undefined; ;) {
    const page = await store.readyVouchers(ctx.db, after, pageSize);
    await queue(ctx, page, now);
    queued += page.length;
    after = page.at(-1)?.id;
    if (page.length < pageSize) return queued;
  }
}

/**
 * Queues vouchers under ids that name the attempt and the hour: queued twice within it, the second is dropped; a task that
 * was lost is made again an hour later.
 */
export async function queue(
  ctx: Context,
  vouchers: readonly Pick<Voucher, 'id' | 'attempts'>[],
  now: Date,
): Promise<void> {
  const hour = now.toISOString().slice(0, 13);
  for (let i = 0; i < vouchers.length; i += queueSize) {
    await Promise.all(
      vouchers
        .slice(i, i + queueSize)
        .map(({ id, attempts }) => ctx.tasks.enqueue('postVoucher', `${id}_${attempts}_${hour}`, { voucherId: id })),
    );
  }
}

/**
 * For the sweep: queues unfinished vouchers whose time has come (lost tasks, dead workers, unclear posts, held ones), at
 * most 200 a call, longest waiting first; tells a person of those not posted after a day.
 */
export async function resolveVouchers(ctx: Context, now: Date): Promise<{ queued: number; late: number }> {
  const due = await store.dueVouchers(ctx.db, now, resolveLimit);
  await queue(ctx, due, now);
  const late = due.filter((voucher) => isLate(voucher, now));
  if (late.length > 0) await raiseFlag(ctx, lateVouchersFlag(late));
  else await resolveLate(ctx, now);
  if (due.length > 0) logs.vouchersResolved(ctx.log, due.length, late.length);
  return { queued: due.length, late: late.length };
}

const isLate = ({ state, createdAt }: Voucher, now: Date): boolean =>
  state !== 'posted' && now.getTime() - createdAt.toMillis() > lateMs;

/** None of those that wait is late any more, whenever their next try is: none waits longer than a held one. */
async function resolveLate(ctx: Context, now: Date): Promise<void> {
  await resolveGone(
    ctx,
    lateVouchersKind,
    async (open) => {
      if (open.length === 0) return [];
      const waiting = await store.dueVouchers(ctx.db, new Date(now.getTime() + holdMs), resolveLimit);
      return waiting.length < resolveLimit && !waiting.some((voucher) => isLate(voucher, now)) ? open : [];
    },
    'Every voucher older than a day is in Fortnox or refused.',
  );
}

/** An administrator mended what Fortnox refused: the voucher is looked up and posted again. Refuses any other state. */
export async function retryVoucher(
  ctx: Context,
  voucherId: string,
  now: Date,
): Promise<{ voucherId: string; state: 'ready' }> {
  const voucher = await ctx.db.runTransaction(async (tx) => {
    const current = await store.readVoucher(ctx.db, tx, voucherId);
    if (!current) throw new Refusal('not-found', 'voucher-not-found', `There is no voucher ${voucherId}.`);
    if (current.state === 'ready') return current;
    if (current.state !== 'rejected') {
      throw new Refusal(
        'failed-precondition',
        'voucher-not-rejected',
        `Voucher ${voucherId} is ${current.state}. Only a rejected one is sent again by hand; the others go on by themselves.`,
        { state: current.state },
      );
    }
    const next = retried(current, now);
    store.saveVoucher(ctx.db, tx, next);
    return next;
  });
  await queue(ctx, [voucher], now);
  return { voucherId, state: 'ready' };
}
