import type { Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../admin/audit.service.ts';
import type { LedgerDocument } from '../ledger/ledger.ts';
import { readMany, setVoucher } from '../ledger/ledger.store.ts';
import type { Caller } from '../platform/auth.ts';
import type { BusinessDate } from '../platform/clock.ts';
import { runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { runWrites } from '../platform/write.ts';
import { queue } from './accounting.service.ts';
import * as logs from './accounting.logs.ts';
import * as store from './accounting.store.ts';
import type { Decision, Voucher } from './accounting.ts';
import { correctable, correctionOf } from './corrections.ts';
import { booksOf, dayCommitSize } from './grouping.service.ts';

export interface CorrectVoucherInput {
  voucherId: string;
  /** Goes into the voucher's text in Fortnox. */
  reason: string;
  requestId: string;
}

export interface CorrectVoucherReply {
  voucherId: string;
  reversingVoucherId: string;
  /** null: by the rules of now its documents post nothing. */
  newVoucherId: string | null;
  /** Both are on their way to Fortnox. */
  state: 'ready';
}

/**
 * Takes a posted voucher back by another, and books its documents anew by the rules and the configuration of now. The two
 * vouchers, the documents' `voucherId`, the old one's mark and the audit entry are one commit; of two who ask, one is
 * refused. Then both are queued; the sweep does it where that fails. Throws Refusal.
 */
export async function correctVoucher(
  ctx: Context,
  caller: Pick<Caller, 'uid'>,
  { voucherId, reason, requestId }: CorrectVoucherInput,
): Promise<CorrectVoucherReply> {
  const reply = await runCommand<CorrectVoucherReply, CorrectVoucherReply>(ctx, {
    command: 'correctVoucher',
    uid: caller.uid,
    requestId,
    input: { voucherId, reason },
    plan: (tx) => correct(ctx, tx, voucherId, { by: caller.uid, reason }),
  });
  const { reversingVoucherId, newVoucherId } = reply;
  await moveDocuments(ctx, reversingVoucherId);
  const made = [reversingVoucherId, newVoucherId].flatMap((id) => (id === null ? [] : { id, attempts: 0 }));
  await queue(ctx, made, ctx.clock.now());
  logs.voucherCorrected(ctx.log, reply);
  return reply;
}

async function correct(
  ctx: Context,
  tx: Transaction,
  voucherId: string,
  decision: Decision,
): Promise<CorrectVoucherReply> {
  const voucher = correctable(voucherId, await store.readVoucher(ctx.db, tx, voucherId));
  const documents = await documentsOf(ctx, tx, voucher);
  const { old, reversing, rebooked } = correctionOf(voucher, documents, booksOf(ctx), decision, ctx.clock.now());
  const movesTo = rebooked?.id ?? 'none';
  const atOnce = documents.length <= dayCommitSize;
  store.createVoucher(ctx.db, tx, atOnce ? reversing : { ...reversing, movesTo });
  if (rebooked) store.createVoucher(ctx.db, tx, rebooked);
  store.saveVoucher(ctx.db, tx, old);
  if (atOnce) for (const { id } of documents) setVoucher(ctx.db, tx, id, movesTo);
  const made = { reversingVoucherId: reversing.id, newVoucherId: rebooked?.id ?? null };
  const { fortnoxReference, profile, ruleVersion } = voucher;
  const audit = {
    by: decision.by,
    action: 'correctVoucher',
    subject: store.voucherPath(voucherId),
    before: { fortnoxReference, profile, ruleVersion },
    after: made,
    note: decision.reason,
  };
  runWrites(tx, [planAudit(ctx, `correctVoucher_${voucherId}`, audit)]);
  return { voucherId, ...made, state: 'ready' };
}

/** In the voucher's order. */
export async function documentsOf(
  ctx: Context,
  tx: Transaction,
  { id, ledgerIds }: Voucher,
): Promise<LedgerDocument[]> {
  const found = await readMany(ctx.db, tx, ledgerIds);
  return ledgerIds.map((ledgerId) => {
    const document = found.get(ledgerId);
    if (document?.voucherId === id) return document;
    throw new Refusal(
      'failed-precondition',
      'voucher-documents-elsewhere',
      `ledger/${ledgerId} does not name ${id}. If that was made by a correction just now, its documents are on their way to it: try again in a quarter of an hour.`,
    );
  });
}

/**
 * More documents than one commit takes go to their new voucher in several, each of which may be repeated: by the call that
 * corrected, or, where that died, by the task that posts the reversing voucher.
 */
export async function moveDocuments(ctx: Context, reversingVoucherId: string): Promise<void> {
  const reversing = await readNow(ctx, reversingVoucherId);
  if (reversing?.movesTo === undefined || reversing.corrects === undefined) return;
  const { corrects: from, movesTo: to } = reversing;
  const ledgerIds = (await readNow(ctx, from))?.ledgerIds ?? [];
  for (let i = 0; i < ledgerIds.length; i += dayCommitSize) {
    await ctx.db.runTransaction(async (tx) => {
      const some = await readMany(ctx.db, tx, ledgerIds.slice(i, i + dayCommitSize));
      for (const { id, voucherId } of some.values()) if (voucherId === from) setVoucher(ctx.db, tx, id, to);
    });
  }
  await ctx.db.runTransaction(async (tx) => {
    const current = await store.readVoucher(ctx.db, tx, reversingVoucherId);
    if (current?.movesTo === undefined) return;
    const { movesTo: _moved, ...rest } = current;
    store.saveVoucher(ctx.db, tx, rest);
  });
}

const readNow = (ctx: Context, voucherId: string): Promise<Voucher | undefined> =>
  ctx.db.runTransaction((tx) => store.readVoucher(ctx.db, tx, voucherId), { readOnly: true });

/** Vouchers looked at in one call, and documents of more than one voucher: a call has a minute. */
const pageSize = 50;
const mostDocuments = 5_000;

export interface CorrectVouchersInput {
  /** The first and the last day in Fortnox of the vouchers to look at. */
  from: BusinessDate;
  to: BusinessDate;
  reason: string;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** The same for every page. */
  requestId: string;
}

export interface CorrectVouchersReply {
  corrected: CorrectVoucherReply[];
  /** Left as they are, and why: `nothing-to-correct`, say. */
  skipped: { voucherId: string; reason: string }[];
  /** null: that was all. */
  nextCursor: string | null;
}

/** A page of a period's vouchers, each corrected as by `correctVoucher`; asked again, it gives what it gave. Throws Refusal. */
export async function correctVouchers(
  ctx: Context,
  caller: Pick<Caller, 'uid'>,
  { from, to, reason, cursor, requestId }: CorrectVouchersInput,
): Promise<CorrectVouchersReply> {
  const page = await store.vouchersBetween(ctx.db, from, to, await placeOf(ctx, cursor), pageSize);
  const reply: CorrectVouchersReply = { corrected: [], skipped: [], nextCursor: null };
  let documents = 0;
  for (const { id: voucherId, ledgerIds } of page) {
    if (documents > 0 && documents + ledgerIds.length > mostDocuments) return reply;
    try {
      const input = { voucherId, reason, requestId: `${requestId}_${voucherId}` };
      reply.corrected.push(await correctVoucher(ctx, caller, input));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      reply.skipped.push({ voucherId, reason: error.reason });
    }
    documents += ledgerIds.length;
    reply.nextCursor = voucherId;
  }
  return page.length < pageSize ? { ...reply, nextCursor: null } : reply;
}

async function placeOf(ctx: Context, cursor: string | undefined): Promise<Voucher | undefined> {
  if (cursor === undefined) return undefined;
  const voucher = await readNow(ctx, cursor);
  if (voucher) return voucher;
  throw new Refusal(
    'invalid-argument',
    'cursor-unknown',
    'The cursor is not the nextCursor of a page. Start from the first.',
  );
}
