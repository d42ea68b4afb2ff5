import type { LedgerDocument } from '../../ledger/ledger.ts';
import { firstUngrouped, occurredBetween } from '../../ledger/spans.store.ts';
import { addDays, businessDate, startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import * as store from '../accounting.store.ts';
import type { Voucher } from '../accounting.ts';
import { financialYearOf, sieFile } from './sie.ts';
import { transactionSheets, transactionsCsv } from './transactions.ts';
import { workbook } from './workbook.ts';

/** A reply may be 10 MB; so many vouchers or rows fill about half of it. */
const mostRows = 20_000;
const pageSize = 1000;

export interface Period {
  /** The first and the last day, in Stockholm. */
  from: BusinessDate;
  to: BusinessDate;
}

export interface ExportReply {
  fileName: string;
  contentType: string;
  /** The file, base64. */
  base64: string;
  /** Vouchers or rows in it. */
  count: number;
}

export interface SieReply extends ExportReply {
  /** false: something of the period is in no voucher yet, and not in the file. Run the accounting sync, or see its flag. */
  complete: boolean;
}

/**
 * Every voucher of the period as SIE 4I, for an accountant's program or for books that are not in Fortnox. Throws Refusal:
 * a period in two financial years, or too large for one file.
 */
export async function exportSie(ctx: Context, period: Period): Promise<SieReply> {
  const { from, to } = checked(period);
  const { financialYearStart, platformName, platformVatNumber } = ctx.config;
  const year = financialYearOf(from, financialYearStart);
  if (to > year.to) {
    throw new Refusal(
      'invalid-argument',
      'two-financial-years',
      `The financial year of ${from} ends ${year.to}. Make one file to that day and another from the next.`,
      { lastDay: year.to },
    );
  }
  const waiting = await firstUngrouped(ctx.db, startOfBusinessDate(from));
  const complete = !waiting || waiting.occurredAt.toDate() >= startOfBusinessDate(addDays(to, 1));
  const vouchers = await all((after: Voucher | undefined) => store.vouchersBetween(ctx.db, from, to, after, pageSize));
  const madeOn = businessDate(ctx.clock.now());
  const company = platformName || 'Inner Journey';
  const file = sieFile({ company, vatNumber: platformVatNumber, year, madeOn, vouchers });
  return {
    fileName: `verifikationer-${from}-${to}.si`,
    contentType: 'application/octet-stream',
    base64: Buffer.from(file).toString('base64'),
    count: vouchers.length,
    complete,
  };
}

/** What happened in the period, a row for each ledger document: one table, or a workbook with a sheet a group. Throws Refusal. */
export async function exportTransactions(
  ctx: Context,
  input: Period & { format: 'csv' | 'xlsx' },
): Promise<ExportReply> {
  const { from, to } = checked(input);
  const span = { from: startOfBusinessDate(from), to: startOfBusinessDate(addDays(to, 1)) };
  const documents = await all((after: LedgerDocument | undefined) => occurredBetween(ctx.db, span, after, pageSize));
  const references = await store.referencesOf(
    ctx.db,
    documents.map(({ voucherId }) => voucherId ?? 'none'),
  );
  const csv = input.format === 'csv';
  const file = csv
    ? Buffer.from(transactionsCsv(documents, references))
    : await workbook(transactionSheets(documents, references));
  return {
    fileName: `transaktioner-${from}-${to}.${input.format}`,
    contentType: csv ? 'text/csv; charset=utf-8' : 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    base64: file.toString('base64'),
    count: documents.length,
  };
}

function checked({ from, to }: Period): Period {
  if (to >= from) return { from, to };
  throw new Refusal('invalid-argument', 'period-backwards', `The period ends (${to}) before it begins (${from}).`);
}

async function all<T>(page: (after: T | undefined) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const next = await page(found.at(-1));
    found.push(...next);
    if (found.length > mostRows) {
      throw new Refusal(
        'failed-precondition',
        'period-too-large',
        `The period has more than ${mostRows} rows. Choose a shorter one.`,
        { mostRows },
      );
    }
    if (next.length < pageSize) return found;
  }
}
