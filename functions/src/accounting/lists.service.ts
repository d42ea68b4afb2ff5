import { Timestamp } from 'firebase-admin/firestore';
import { raiseFlag, resolveFlag } from '../admin/flags.service.ts';
import { entriesById } from '../ledger/ledger.service.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import type { UploadedFile } from '../platform/fortnox/client.ts';
import { FortnoxError } from '../platform/fortnox/errors.ts';
import { makePdf } from '../platform/pdf.ts';
import { holdMs, leaseMs, type AttachedList, type Voucher } from './accounting.ts';
import { listFlag, retriesSpentFlag } from './accounting-flags.ts';
import * as logs from './accounting.logs.ts';
import * as store from './accounting.store.ts';
import { listPdf } from './list-pdf.ts';
import { postings } from './posting-rules.ts';

/** How long a list waits for the sweep after an unclear answer. */
const againMs = 300_000;

interface Claimed {
  voucher: Voucher;
  list: AttachedList;
}

/**
 * Hangs the list of a day's voucher on it in Fortnox, once it is posted: uploaded, noted, connected. Fortnox has no
 * idempotency here either: an upload whose answer is lost leaves a file that hangs on nothing, a connection is looked for
 * before it is asked for again. Throws when it should be tried again soon; a refusal is told to a person and tried hourly.
 */
export async function attachList(ctx: Context, voucherId: string): Promise<'attached' | 'held' | 'left'> {
  const claimed = await claim(ctx, voucherId);
  if (!claimed) return 'left';
  try {
    await attach(ctx, claimed);
    return 'attached';
  } catch (error) {
    const refused = error instanceof FortnoxError && ['rejected', 'not_found', 'unauthorized'].includes(error.kind);
    await save(ctx, voucherId, {}, refused ? holdMs : againMs);
    if (!refused) throw error;
    await raiseFlag(ctx, listFlag(claimed.voucher, error.fortnoxMessage ?? messageOf(error)));
    return 'held';
  }
}

/** One worker at a time; one that died is taken over when its time has run out. */
function claim(ctx: Context, voucherId: string): Promise<Claimed | undefined> {
  return ctx.db.runTransaction(async (tx) => {
    const now = ctx.clock.now();
    const voucher = await store.readVoucher(ctx.db, tx, voucherId);
    const list = voucher?.list;
    if (voucher?.state !== 'posted' || !list || list.state === 'attached') return undefined;
    if (list.busyUntil && list.busyUntil.toMillis() > now.getTime()) return undefined;
    const until = leaseEnd(ctx);
    store.saveVoucher(ctx.db, tx, { ...voucher, list: { ...list, busyUntil: until }, nextTryAt: until });
    return { voucher, list };
  });
}

const leaseEnd = (ctx: Context): Timestamp => Timestamp.fromMillis(ctx.clock.now().getTime() + leaseMs);

async function attach(ctx: Context, { voucher, list }: Claimed): Promise<void> {
  const fortnox = await ctx.fortnox();
  const { series, fortnoxNumber: number, financialYearId } = voucher;
  if (number === undefined || financialYearId === undefined) {
    throw new Error(`Voucher ${voucher.id} is posted and does not say where.`);
  }
  const known = list.file;
  const file = known ?? (await upload(ctx, voucher, list));
  const there = known !== undefined && (await fortnox.isConnected(file));
  if (!there) await fortnox.connectFile(file, { series, number, financialYearId });
  await save(ctx, voucher.id, { state: 'attached' });
  await settleFlags(ctx, voucher);
  logs.listAttached(ctx.log, voucher);
}

/** A list does not count its attempts, so this is asked of each: there are few. */
async function settleFlags(ctx: Context, voucher: Voucher): Promise<void> {
  for (const { id } of [listFlag(voucher, ''), retriesSpentFlag(voucher.id, '')]) {
    await resolveFlag(ctx, id, 'The list hangs on the voucher.');
  }
}

async function upload(ctx: Context, voucher: Voucher, { plan }: AttachedList): Promise<UploadedFile> {
  const documents = await entriesById(ctx.db, voucher.ledgerIds);
  if (documents.length !== voucher.ledgerIds.length) {
    throw new Error(
      `Of the ${voucher.ledgerIds.length} ledger documents of ${voucher.id} only ${documents.length} are there.`,
    );
  }
  const lines = documents.map((document) => {
    const posted = postings(document, plan);
    if (!posted.ok) throw new Error(`ledger/${document.id}: ${posted.reason}`);
    return { document, moved: posted.moved };
  });
  const content = await makePdf(listPdf(voucher, lines, ctx.config.currency));
  const fortnox = await ctx.fortnox();
  const file = await fortnox.uploadVoucherFile(`${voucher.id}.pdf`, content);
  // Still in these hands: it is not connected yet.
  await save(ctx, voucher.id, { state: 'uploaded', file, busyUntil: leaseEnd(ctx) }, leaseMs);
  return file;
}

/** Notes how far the list is; without a wait nothing is left to do. */
async function save(ctx: Context, voucherId: string, change: Partial<AttachedList>, waitMs?: number): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    const current = await store.readVoucher(ctx.db, tx, voucherId);
    if (!current?.list || current.list.state === 'attached') return;
    const { nextTryAt: _next, ...rest } = current;
    const { busyUntil: _busy, ...list } = current.list;
    const now = ctx.clock.now().getTime();
    store.saveVoucher(ctx.db, tx, {
      ...rest,
      list: { ...list, ...change },
      ...(waitMs === undefined ? {} : { nextTryAt: Timestamp.fromMillis(now + waitMs) }),
      updatedAt: Timestamp.fromMillis(now),
    });
  });
}
