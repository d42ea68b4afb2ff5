import type { Transaction } from 'firebase-admin/firestore';
import { raiseFlag, resolveGone } from '../admin/flags.service.ts';
import { subjectId, type Flag } from '../admin/flags.ts';
import { ledgerKinds, type LedgerDocument, type LedgerKind } from '../ledger/ledger.ts';
import { readMany, setVoucher } from '../ledger/ledger.store.ts';
import { entriesById, ungroupedAfter } from '../ledger/pages.store.ts';
import { firstUngrouped, ungroupedOf } from '../ledger/spans.store.ts';
import { addDays, startOfBusinessDate, type BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { accountPlan } from './account-plan.ts';
import { unsupportedFlag, unsupportedKind } from './accounting-flags.ts';
import * as logs from './accounting.logs.ts';
import * as store from './accounting.store.ts';
import { dateOf, dayVoucherId, draftDay, draftVoucher, postedRows, type Books } from './vouchers.ts';

/** Documents read at a time and documents grouped in one commit, where each has a voucher of its own. */
const pageSize = 200;
const commitSize = 20;
/**
 * Documents of one voucher where a day's are grouped. Their ids fill a quarter of what a Firestore document may hold. Ten
 * thousand documents are some twenty vouchers, even when there is every kind among them: three calls each with its list,
 * one where it has a single document, as payouts of the platform do.
 */
const dayVoucherSize = 5000;
/**
 * Documents bound to a day's voucher in one commit. A commit may have 10 MiB, and the index entries it changes count: a
 * document is some 2 kB of them.
 */
export const dayCommitSize = 1000;

/** What vouchers are made with, from the configuration. Throws an Error naming the param that is wrong. */
export function booksOf({ config }: Pick<Context, 'config'>): Books {
  const { accountingProfile: profile, clearingAccount: clearing, stripeFeeVat, accountNumbers: numbers } = config;
  const plan = accountPlan({ profile, clearing, stripeFeeVat, numbers });
  return { plan, series: config.voucherSeries, currency: config.currency };
}

/**
 * Groups ledger documents into vouchers, by VOUCHER_GROUPING; `until`: only what occurred before. A document and its
 * voucher are bound in one commit, so that a run that stops anywhere, or runs twice at once, is finished by the next.
 * Returns how many vouchers were made.
 */
export async function groupLedger(ctx: Context, now: Date, until: Date): Promise<number> {
  const byDay = ctx.config.voucherGrouping === 'day';
  const made = byDay ? await groupDays(ctx, now, until) : await groupEach(ctx, now, until);
  await resolveGone(ctx, unsupportedKind, (open) => grouped(ctx, open), 'A rule covers it now.');
  return made;
}

async function grouped(ctx: Context, flags: readonly Flag[]): Promise<Flag[]> {
  const documents = await entriesById(ctx.db, flags.map(subjectId));
  const ids = new Set(documents.flatMap(({ id, voucherId }) => (voucherId === null ? [] : id)));
  return flags.filter((flag) => ids.has(subjectId(flag)));
}

async function groupEach(ctx: Context, now: Date, until: Date): Promise<number> {
  const books = booksOf(ctx);
  let made = 0;
  for (let after: LedgerDocument | undefined; ;) {
    const page = await ungroupedAfter(ctx.db, after, pageSize);
    const due = page.filter(({ occurredAt }) => occurredAt.toDate() < until);
    for (let i = 0; i < due.length; i += commitSize) {
      made += await groupSome(ctx, due.slice(i, i + commitSize), books, now);
    }
    after = page.at(-1);
    if (page.length < pageSize || due.length < page.length) return made;
  }
}

async function groupSome(ctx: Context, some: readonly LedgerDocument[], books: Books, now: Date): Promise<number> {
  const covered = await supported(ctx, some, books);
  return ctx.db.runTransaction(async (tx) => {
    let made = 0;
    for (const document of await stillUngrouped(ctx, tx, covered)) {
      const drafted = draftVoucher(document, books, now);
      if (drafted.outcome === 'voucher') {
        store.createVoucher(ctx.db, tx, drafted.voucher);
        made += 1;
      }
      setVoucher(ctx.db, tx, document.id, drafted.outcome === 'voucher' ? drafted.voucher.id : 'none');
    }
    return made;
  });
}

/** Day by day, and of each day kind by kind: what came late to a day goes into the next voucher of its kind. */
async function groupDays(ctx: Context, now: Date, until: Date): Promise<number> {
  const books = booksOf(ctx);
  let made = 0;
  for (let from = new Date(0); ;) {
    const first = await firstUngrouped(ctx.db, from);
    if (!first || first.occurredAt.toDate() >= until) return made;
    const date = dateOf(first);
    const end = startOfBusinessDate(addDays(date, 1));
    for (const kind of ledgerKinds) made += await groupKind(ctx, { date, kind, end, until }, books, now);
    from = end;
  }
}

interface DayPart {
  date: BusinessDate;
  kind: LedgerKind;
  end: Date;
  until: Date;
}

/** The voucher that a run is filling. */
interface Filling {
  sequence: number;
  documents: readonly LedgerDocument[];
}

async function groupKind(ctx: Context, part: DayPart, books: Books, now: Date): Promise<number> {
  const { date, kind, end, until } = part;
  const span = { kind, from: startOfBusinessDate(date), to: end < until ? end : until };
  let made = 0;
  let filling: Filling | undefined;
  for (let after: LedgerDocument | undefined; ;) {
    const page = await ungroupedOf(ctx.db, span, after, dayCommitSize);
    const covered = await supported(ctx, page, books);
    if (covered.length > 0) {
      const filled = await groupPage(ctx, { date, kind }, { covered, filling }, books, now);
      if (filled && filled.sequence !== filling?.sequence) made += 1;
      filling = filled;
    }
    after = page.at(-1);
    if (page.length < dayCommitSize) return made;
  }
}

/**
 * Binds a page to a voucher: to the one that is being filled while it has room and nobody has tried to send it, else to the
 * next of the day. Wherever a run stops, each commit leaves whole vouchers.
 */
async function groupPage(
  ctx: Context,
  of: Pick<DayPart, 'date' | 'kind'>,
  { covered, filling }: { covered: readonly LedgerDocument[]; filling: Filling | undefined },
  books: Books,
  now: Date,
): Promise<Filling | undefined> {
  return ctx.db.runTransaction(async (tx) => {
    const fresh = await stillUngrouped(ctx, tx, covered);
    if (fresh.length === 0) return filling;
    const goesOn = filling !== undefined && (await hasRoom(ctx, tx, of, filling, fresh.length));
    const documents = goesOn ? [...filling.documents, ...fresh] : fresh;
    const sequence = goesOn ? filling.sequence : await nextSequence(ctx, tx, of);
    const drafted = draftDay({ ...of, sequence }, documents, books, now);
    if (drafted.outcome === 'unsupported') throw new Error(`${of.date} ${of.kind}: ${drafted.reason}`);
    const voucher = drafted.outcome === 'voucher' ? drafted.voucher : undefined;
    if (voucher) (goesOn ? store.saveVoucher : store.createVoucher)(ctx.db, tx, voucher);
    for (const { id } of fresh) setVoucher(ctx.db, tx, id, voucher?.id ?? 'none');
    return voucher && { sequence, documents };
  });
}

async function hasRoom(
  ctx: Context,
  tx: Transaction,
  of: Pick<DayPart, 'date' | 'kind'>,
  { sequence, documents }: Filling,
  more: number,
): Promise<boolean> {
  if (documents.length + more > dayVoucherSize) return false;
  const voucher = await store.readVoucher(ctx.db, tx, dayVoucherId({ ...of, sequence }));
  return voucher?.state === 'ready' && voucher.attempts === 0 && voucher.ledgerIds.length === documents.length;
}

async function nextSequence(ctx: Context, tx: Transaction, of: Pick<DayPart, 'date' | 'kind'>): Promise<number> {
  let sequence = 1;
  while (await store.readVoucher(ctx.db, tx, dayVoucherId({ ...of, sequence }))) sequence += 1;
  return sequence;
}

/** Without what no rule covers: that stays ungrouped and a person is told. */
async function supported(ctx: Context, some: readonly LedgerDocument[], books: Books): Promise<LedgerDocument[]> {
  const covered: LedgerDocument[] = [];
  for (const document of some) {
    const rows = postedRows(document, books);
    if (rows.outcome !== 'unsupported') {
      covered.push(document);
      continue;
    }
    logs.documentUnsupported(ctx.log, document.id, rows.reason);
    await raiseFlag(ctx, unsupportedFlag(document, rows.reason));
  }
  return covered;
}

/** Another run may have grouped some since they were read. */
async function stillUngrouped(
  ctx: Context,
  tx: Transaction,
  some: readonly LedgerDocument[],
): Promise<LedgerDocument[]> {
  const current = await readMany(
    ctx.db,
    tx,
    some.map(({ id }) => id),
  );
  return some.filter(({ id }) => current.get(id)?.voucherId === null);
}
