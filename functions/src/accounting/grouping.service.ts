import type { Transaction } from 'firebase-admin/firestore';
import { raiseFlag } from '../admin/flags.service.ts';
import { ledgerKinds, type LedgerDocument, type LedgerKind } from '../ledger/ledger.ts';
import { readMany, setVoucher } from '../ledger/ledger.store.ts';
import { ungroupedAfter } from '../ledger/pages.store.ts';
import { firstUngrouped, ungroupedOf } from '../ledger/spans.store.ts';
import { addDays, startOfBusinessDate, type BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { accountPlan } from './account-plan.ts';
import { unsupportedFlag } from './accounting-flags.ts';
import * as logs from './accounting.logs.ts';
import * as store from './accounting.store.ts';
import { dateOf, dayVoucherId, draftDay, draftVoucher, postedRows, type Books } from './vouchers.ts';

/** Documents read at a time and documents grouped in one commit, where each has a voucher of its own. */
const pageSize = 200;
const commitSize = 20;
/**
 * Documents of one voucher where a day's are grouped. Their ids fill a quarter of what a Firestore document may hold. Ten
 * thousand documents are at most eighteen vouchers, even when there are some of every kind: 54 calls with their lists.
 */
const dayVoucherSize = 5000;

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
export function groupLedger(ctx: Context, now: Date, until: Date): Promise<number> {
  return ctx.config.voucherGrouping === 'day' ? groupDays(ctx, now, until) : groupEach(ctx, now, until);
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

async function groupKind(ctx: Context, part: DayPart, books: Books, now: Date): Promise<number> {
  const { date, kind, end, until } = part;
  const span = { kind, from: startOfBusinessDate(date), to: end < until ? end : until };
  let made = 0;
  for (let after: LedgerDocument | undefined; ;) {
    const page = await ungroupedOf(ctx.db, span, after, dayVoucherSize);
    const covered = await supported(ctx, page, books);
    if (covered.length > 0) made += await groupPage(ctx, { date, kind }, covered, books, now);
    after = page.at(-1);
    if (page.length < dayVoucherSize) return made;
  }
}

async function groupPage(
  ctx: Context,
  { date, kind }: Pick<DayPart, 'date' | 'kind'>,
  page: readonly LedgerDocument[],
  books: Books,
  now: Date,
): Promise<number> {
  return ctx.db.runTransaction(async (tx) => {
    const documents = await stillUngrouped(ctx, tx, page);
    let sequence = 1;
    while (await store.readVoucher(ctx.db, tx, dayVoucherId({ date, kind, sequence }))) sequence += 1;
    const drafted = draftDay({ date, kind, sequence }, documents, books, now);
    if (drafted.outcome === 'unsupported') throw new Error(`${date} ${kind}: ${drafted.reason}`);
    const voucher = drafted.outcome === 'voucher' ? drafted.voucher : undefined;
    if (voucher) store.createVoucher(ctx.db, tx, voucher);
    for (const { id } of documents) setVoucher(ctx.db, tx, id, voucher?.id ?? 'none');
    return voucher ? 1 : 0;
  });
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
