import { raiseFlag } from '../admin/flags.service.ts';
import type { LedgerDocument } from '../ledger/ledger.ts';
import { setVoucher } from '../ledger/ledger.service.ts';
import { readEntry } from '../ledger/ledger.store.ts';
import { ungroupedAfter } from '../ledger/ledger.service.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { accountPlan } from './account-plan.ts';
import { lateMs, retried, type Voucher } from './accounting.ts';
import * as logs from './accounting.logs.ts';
import * as store from './accounting.store.ts';
import { lateVouchersFlag, unsupportedFlag } from './accounting-flags.ts';
import { draftVoucher, type Books } from './vouchers.ts';

export { lastPosted, postedFrom, totalsByState, vouchersOf } from './accounting.store.ts';

/** Documents read at a time, documents grouped in one commit, tasks queued side by side. */
const pageSize = 200;
const commitSize = 20;
const queueSize = 10;
/** Vouchers one sweep queues again. */
const resolveLimit = 200;

export interface SyncResult {
  /** Vouchers made by this run. */
  grouped: number;
  /** Vouchers in state ready that were queued, new ones and older ones. */
  queued: number;
}

/**
 * Groups every ledger document into a voucher and queues what is ready. A document and its voucher are bound in one
 * commit, so that a run that stops anywhere, or runs twice at once, is finished by the next.
 */
export async function syncBooks(ctx: Context, now: Date): Promise<SyncResult> {
  const books = booksOf(ctx);
  let grouped = 0;
  for (let after: LedgerDocument | undefined; ;) {
    const page = await ungroupedAfter(ctx.db, after, pageSize);
    for (let i = 0; i < page.length; i += commitSize) {
      grouped += await groupDocuments(ctx, page.slice(i, i + commitSize), books, now);
    }
    after = page.at(-1);
    if (page.length < pageSize) break;
  }
  const result = { grouped, queued: await queueReady(ctx, now) };
  logs.booksSynced(ctx.log, result);
  return result;
}

/** What vouchers are made with, from the configuration. */
function booksOf(ctx: Context): Books {
  const { accountingProfile: profile, clearingAccount: clearing, stripeFeeVat, accountNumbers: numbers } = ctx.config;
  const plan = accountPlan({ profile, clearing, stripeFeeVat, numbers });
  return { plan, series: ctx.config.voucherSeries, currency: ctx.config.currency };
}

async function groupDocuments(ctx: Context, some: LedgerDocument[], books: Books, now: Date): Promise<number> {
  const drafts = some.map((document) => ({ document, drafted: draftVoucher(document, books, now) }));
  for (const { document, drafted } of drafts) {
    if (drafted.outcome !== 'unsupported') continue;
    logs.documentUnsupported(ctx.log, document.id, drafted.reason);
    await raiseFlag(ctx, unsupportedFlag(document, drafted.reason));
  }
  return ctx.db.runTransaction(async (tx) => {
    // Another run may have grouped some since the page was read.
    const current = await Promise.all(some.map((document) => readEntry(ctx.db, tx, document.id)));
    let made = 0;
    drafts.forEach(({ document, drafted }, i) => {
      if (current[i]?.voucherId !== null || drafted.outcome === 'unsupported') return;
      if (drafted.outcome === 'none') {
        setVoucher(ctx.db, tx, document.id, 'none');
        return;
      }
      store.createVoucher(ctx.db, tx, drafted.voucher);
      setVoucher(ctx.db, tx, document.id, drafted.voucher.id);
      made += 1;
    });
    return made;
  });
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
async function queue(ctx: Context, vouchers: readonly Voucher[], now: Date): Promise<void> {
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
  const late = due.filter((voucher) => now.getTime() - voucher.createdAt.toMillis() > lateMs);
  if (late.length > 0) await raiseFlag(ctx, lateVouchersFlag(late));
  if (due.length > 0) logs.vouchersResolved(ctx.log, due.length, late.length);
  return { queued: due.length, late: late.length };
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
