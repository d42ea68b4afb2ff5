import { badRequest, CODE, json, noSuchRoute, notFound } from './errors.ts';
import { oreToNumber } from './money.ts';
import { dateParameter, isDate, onlyParameters, paged, PAGING, YEAR, yearOf } from './query.ts';
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
      CostCenter: voucher.costCenter,
      Project: '',
      VoucherRows: voucher.rows.map((row) => ({
        Account: row.account,
        CostCenter: row.costCenter,
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
  for (const { costCenter } of [draft, ...draft.rows]) {
    if (costCenter !== '' && state.costCenters[costCenter] === undefined) {
      throw badRequest(CODE.unpublished, `Kan inte hitta kostnadsstället. (${costCenter})`);
    }
  }
  const difference = draft.rows.reduce((sum, row) => sum + row.debitOre - row.creditOre, 0);
  if (difference !== 0) throw badRequest(CODE.unpublished, 'Verifikationen balanserar inte.');
}

/** `POST /3/vouchers`: posted at once, numbered per series and year, never changed again. */
export function createVoucher({ state, query, origin }: Reading, body: string, nowMs: number): Answer {
  onlyParameters(query, YEAR);
  const draft = parseVoucher(body);
  const year = yearOf(state, query);
  const book = bookOf(state, year);
  if (draft.date < year.from || draft.date > year.to || (draft.year !== null && draft.year !== year.id)) {
    throw badRequest(CODE.unpublished, `Datumet ligger utanför räkenskapsåret ${year.from} - ${year.to}.`);
  }
  refuseWhatTheBooksRefuse(state, draft, book);
  const number = book.nextNumber[draft.series] ?? 1;
  book.nextNumber[draft.series] = number + 1;
  const { series, date, description, comments, costCenter, rows } = draft;
  const voucher: Voucher = {
    series,
    number,
    financialYear: year.id,
    date,
    description,
    comments,
    costCenter,
    rows,
    createdAtMs: nowMs,
  };
  state.vouchers.push(voucher);
  return json(201, fullVoucher(voucher, book, origin));
}

/** Fortnox takes one filter of a resource's own at a time; the global ones combine with it and with each other. */
const OWN_FILTERS = ['voucherseries', 'costcenter'];

const SORT_KEYS: Readonly<Record<string, (voucher: Voucher) => string | number>> = {
  vouchernumber: (voucher) => voucher.number,
  voucherseries: (voucher) => voucher.series,
  transactiondate: (voucher) => voucher.date,
};

function sorted(query: URLSearchParams, vouchers: readonly Voucher[]): readonly Voucher[] {
  const inOrder = vouchers.toSorted((a, b) => compare(a.series, b.series) || a.number - b.number);
  const by = query.get('sortby');
  const order = query.get('sortorder') ?? 'ascending';
  const key = by === null ? undefined : SORT_KEYS[by];
  if (by !== null && (key === undefined || !Object.hasOwn(SORT_KEYS, by))) throw badParameter('sortby');
  if (order !== 'ascending' && order !== 'descending') throw badParameter('sortorder');
  const byKey = key === undefined ? inOrder : inOrder.toSorted((a, b) => compare(key(a), key(b)));
  return order === 'ascending' ? byKey : byKey.toReversed();
}

const badParameter = (name: string) => badRequest(CODE.badParameter, `Ogiltig parameter i anropet. (${name})`);

function compare(a: string | number, b: string | number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

const swedish = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Europe/Stockholm',
  dateStyle: 'short',
  timeStyle: 'short',
});

/** "2026-11-20 12:30" in Swedish time: what was made in that minute or later. */
function lastModified(query: URLSearchParams): string | null {
  const value = query.get('lastmodified');
  const match = value === null ? null : /^(\d{4}-\d{2}-\d{2})(?: ([01]\d|2[0-3]):[0-5]\d)?$/.exec(value);
  if (value !== null && (match === null || !isDate(match[1] ?? ''))) throw badParameter('lastmodified');
  return value;
}

function filters(state: State, query: URLSearchParams, series: string | undefined): (voucher: Voucher) => boolean {
  if (query.has('filter')) throw badRequest(CODE.badFilter, 'Ett ogiltigt filter har använts.');
  const own = OWN_FILTERS.filter((name) => query.has(name));
  if (own.length + (series === undefined ? 0 : 1) > 1)
    throw badRequest(CODE.badFilter, 'Ett ogiltigt filter har använts.');
  const wanted = series ?? query.get('voucherseries');
  const costCenter = query.get('costcenter');
  if (costCenter !== null && state.costCenters[costCenter] === undefined) {
    throw badRequest(CODE.badFilter, 'Ett ogiltigt filter har använts.');
  }
  const since = lastModified(query);
  return (voucher) =>
    (wanted === null || voucher.series === wanted) &&
    (costCenter === null || [voucher, ...voucher.rows].some((one) => one.costCenter === costCenter)) &&
    (since === null || swedish.format(voucher.createdAtMs) >= since);
}

/** The three lists; `path[0]` is the series of /3/vouchers/sublist/{series}. Lists carry no rows. */
export function listVouchers({ state, query, origin, path }: Reading): Answer {
  const own = [...OWN_FILTERS, 'lastmodified', 'filter', 'sortby', 'sortorder'];
  onlyParameters(query, [...YEAR, 'fromdate', 'todate', ...PAGING, ...own]);
  const year = yearOf(state, query);
  const series = path[0] ?? query.get('voucherseries') ?? undefined;
  if (series !== undefined && bookOf(state, year).series[series] === undefined) {
    throw notFound(CODE.unpublished, 'Kan inte hitta verifikationsserien.');
  }
  const from = dateParameter(query, 'fromdate') ?? year.from;
  const to = dateParameter(query, 'todate') ?? year.to;
  const fits = filters(state, query, path[0]);
  const found = state.vouchers.filter(
    (one) => one.financialYear === year.id && from <= one.date && one.date <= to && fits(one),
  );
  const { items, meta } = paged(query, sorted(query, found));
  return json(200, { MetaInformation: meta, Vouchers: items.map((one) => listItem(one, origin)) });
}

export function getVoucher({ state, query, origin, path }: Reading): Answer {
  onlyParameters(query, YEAR);
  const [series, number] = path;
  if (!/^\d+$/.test(number ?? '')) throw noSuchRoute();
  const year = yearOf(state, query);
  const voucher = state.vouchers.find(
    (one) => one.financialYear === year.id && one.series === series && one.number === Number(number),
  );
  if (voucher === undefined) throw notFound(CODE.unpublished, 'Kan inte hitta verifikationen.');
  return json(200, fullVoucher(voucher, bookOf(state, year), origin));
}
