import { badRequest, CODE, json, noSuchRoute, notFound } from './errors.ts';
import { oreToNumber } from './money.ts';
import { dateParameter, onlyParameters, paged, yearOf } from './query.ts';
import type { Reading } from './registers.ts';
import { bookOf } from './state.ts';
import type { Answer, State, Voucher, YearBook } from './types.ts';
import { parseVoucher } from './voucher-body.ts';
import type { VoucherDraft } from './voucher-body.ts';

function listItem(voucher: Voucher, origin: string): object {
  const { series, number, financialYear } = voucher;
  return {
    '@url': `${origin}/3/vouchers/${encodeURIComponent(series)}/${number}?financialyear=${financialYear}`,
    ApprovalState: 0,
    Comments: voucher.comments,
    Description: voucher.description,
    ReferenceNumber: '',
    ReferenceType: '',
    TransactionDate: voucher.date,
    VoucherNumber: number,
    VoucherSeries: series,
    Year: financialYear,
  };
}

function fullVoucher(voucher: Voucher, book: YearBook, origin: string): object {
  return {
    Voucher: {
      ...listItem(voucher, origin),
      CostCenter: '',
      Project: '',
      VoucherRows: voucher.rows.map((row) => ({
        Account: row.account,
        CostCenter: '',
        Credit: oreToNumber(row.creditOre),
        Description: book.accounts[String(row.account)]?.description ?? '',
        Debit: oreToNumber(row.debitOre),
        Project: '',
        Removed: false,
        TransactionInformation: row.text,
        Quantity: 0,
      })),
    },
  };
}

function refuseWhatTheBooksRefuse(state: State, draft: VoucherDraft, book: YearBook): void {
  const series = book.series[draft.series];
  if (series === undefined) throw badRequest(CODE.unpublished, 'Kan inte hitta verifikationsserien.');
  if (!series.manual) throw badRequest(CODE.unpublished, `Verifikationsserien är inte manuell (${draft.series})`);
  if (state.lockedPeriod !== null && draft.date <= state.lockedPeriod) {
    const message = `${state.company.name} har låst perioden t.o.m. ${state.lockedPeriod}. Lås upp perioden för att fortsätta.`;
    throw badRequest(CODE.lockedPeriod, message);
  }
  for (const row of draft.rows) {
    const account = book.accounts[String(row.account)];
    if (account === undefined) throw badRequest(CODE.accountMissing, 'Kan inte hitta kontot.');
    if (!account.active) throw badRequest(CODE.accountInactive, `Konto "${row.account}" är inte aktivt`);
  }
  const difference = draft.rows.reduce((sum, row) => sum + row.debitOre - row.creditOre, 0);
  if (difference !== 0) throw badRequest(CODE.unpublished, 'Verifikationen balanserar inte.');
}

/** `POST /3/vouchers`: posted at once, numbered per series and year, never changed again. */
export function createVoucher({ state, query, origin }: Reading, body: string, nowMs: number): Answer {
  onlyParameters(query, ['financialyear']);
  const draft = parseVoucher(body);
  const year = yearOf(state, query);
  const book = bookOf(state, year);
  if (draft.date < year.from || draft.date > year.to || (draft.year !== null && draft.year !== year.id)) {
    throw badRequest(CODE.unpublished, `Datumet ligger utanför räkenskapsåret ${year.from} - ${year.to}.`);
  }
  refuseWhatTheBooksRefuse(state, draft, book);
  const number = book.nextNumber[draft.series] ?? 1;
  book.nextNumber[draft.series] = number + 1;
  const { series, date, description, comments, rows } = draft;
  const voucher: Voucher = {
    series,
    number,
    financialYear: year.id,
    date,
    description,
    comments,
    rows,
    createdAtMs: nowMs,
  };
  state.vouchers.push(voucher);
  return json(201, fullVoucher(voucher, book, origin));
}

/** The three lists; `path[0]` is the series of /3/vouchers/sublist/{series}. Lists carry no rows. */
export function listVouchers({ state, query, origin, path }: Reading): Answer {
  onlyParameters(query, ['financialyear', 'fromdate', 'todate', 'limit', 'page']);
  const year = yearOf(state, query);
  const [series] = path;
  if (series !== undefined && bookOf(state, year).series[series] === undefined) {
    throw notFound(CODE.unpublished, 'Kan inte hitta verifikationsserien.');
  }
  const from = dateParameter(query, 'fromdate') ?? year.from;
  const to = dateParameter(query, 'todate') ?? year.to;
  const wanted = state.vouchers
    .filter((one) => one.financialYear === year.id && (series === undefined || one.series === series))
    .filter((one) => from <= one.date && one.date <= to)
    .sort((a, b) => (a.series === b.series ? a.number - b.number : a.series < b.series ? -1 : 1));
  const { items, meta } = paged(query, wanted);
  return json(200, { MetaInformation: meta, Vouchers: items.map((one) => listItem(one, origin)) });
}

export function getVoucher({ state, query, origin, path }: Reading): Answer {
  onlyParameters(query, ['financialyear']);
  const [series, number] = path;
  if (!/^\d+$/.test(number ?? '')) throw noSuchRoute();
  const year = yearOf(state, query);
  const voucher = state.vouchers.find(
    (one) => one.financialYear === year.id && one.series === series && one.number === Number(number),
  );
  if (voucher === undefined) throw notFound(CODE.unpublished, 'Kan inte hitta verifikationen.');
  return json(200, fullVoucher(voucher, bookOf(state, year), origin));
}
