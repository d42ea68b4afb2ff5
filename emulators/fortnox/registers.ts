import { CODE, json, notFound } from './errors.ts';
import { oreToNumber } from './money.ts';
import { dateParameter, onlyParameters, paged, PAGING, YEAR, yearOf } from './query.ts';
import { bookOf } from './state.ts';
import type { Account, Answer, FinancialYear, Series, State } from './types.ts';

/** What a GET handler is given; the path's variable parts are in `path`. */
export type Reading = {
  readonly state: State;
  readonly query: URLSearchParams;
  readonly origin: string;
  readonly path: readonly string[];
};

export function companyInformation({ state, query }: Reading): Answer {
  onlyParameters(query, []);
  return json(200, {
    CompanyInformation: {
      Address: 'Storgatan 1',
      City: 'Stockholm',
      CompanyName: state.company.name,
      CountryCode: 'SE',
      DatabaseNumber: state.company.tenantId,
      OrganizationNumber: state.company.organizationNumber,
      VisitAddress: '',
      VisitCity: '',
      VisitCountryCode: '',
      VisitZipCode: '',
      ZipCode: '111 22',
    },
  });
}

/** Without a lock the end date is absent ("if no date is returned, no period is locked"). */
export function lockedPeriod({ state, query }: Reading): Answer {
  onlyParameters(query, []);
  return json(200, { LockedPeriod: state.lockedPeriod === null ? {} : { EndDate: state.lockedPeriod } });
}

function yearBody(year: FinancialYear, origin: string): object {
  return {
    '@url': `${origin}/3/financialyears/${year.id}`,
    Id: year.id,
    FromDate: year.from,
    ToDate: year.to,
    AccountingMethod: 'ACCRUAL',
    AccountChartType: 'BAS 2026',
  };
}

export function listYears({ state, query, origin }: Reading): Answer {
  onlyParameters(query, ['date', ...PAGING]);
  const date = dateParameter(query, 'date');
  const wanted = state.years.filter((year) => date === null || (year.from <= date && date <= year.to));
  const { items, meta } = paged(query, wanted);
  return json(200, { MetaInformation: meta, FinancialYears: items.map((year) => yearBody(year, origin)) });
}

export function getYear({ state, query, origin, path }: Reading): Answer {
  onlyParameters(query, []);
  const year = state.years.find((one) => String(one.id) === path[0]);
  if (year === undefined) throw notFound(CODE.unpublished, 'Kan inte hitta räkenskapsåret.');
  return json(200, { FinancialYear: yearBody(year, origin) });
}

function accountBody(account: Account, year: FinancialYear, origin: string): object {
  return {
    '@url': `${origin}/3/accounts/${account.number}?financialyear=${year.id}`,
    Active: account.active,
    BalanceBroughtForward: 0,
    CostCenter: null,
    CostCenterSettings: 'ALLOWED',
    Description: account.description,
    Number: account.number,
    Project: null,
    ProjectSettings: 'ALLOWED',
    SRU: 0,
    VATCode: null,
    Year: year.id,
  };
}

export function listAccounts({ state, query, origin }: Reading): Answer {
  onlyParameters(query, [...YEAR, ...PAGING]);
  const year = yearOf(state, query);
  const all = Object.values(bookOf(state, year).accounts).sort((a, b) => a.number - b.number);
  const { items, meta } = paged(query, all);
  return json(200, { MetaInformation: meta, Accounts: items.map((one) => accountBody(one, year, origin)) });
}

export function getAccount({ state, query, origin, path }: Reading): Answer {
  onlyParameters(query, YEAR);
  const year = yearOf(state, query);
  const account = bookOf(state, year).accounts[path[0] ?? ''];
  if (account === undefined) throw notFound(CODE.accountMissing, 'Kan inte hitta kontot.');
  const balance = state.vouchers
    .filter((voucher) => voucher.financialYear === year.id)
    .flatMap((voucher) => voucher.rows)
    .filter((row) => row.account === account.number)
    .reduce((sum, row) => sum + row.debitOre - row.creditOre, 0);
  return json(200, {
    Account: {
      ...accountBody(account, year, origin),
      BalanceCarriedForward: oreToNumber(balance),
      TransactionInformation: null,
      TransactionInformationSettings: 'ALLOWED',
      QuantitySettings: 'ALLOWED',
      QuantityUnit: null,
      OpeningQuantities: null,
    },
  });
}

function seriesBody(series: Series, year: FinancialYear, origin: string): object {
  return {
    '@url': `${origin}/3/voucherseries/${encodeURIComponent(series.code)}?financialyear=${year.id}`,
    Approver: null,
    Code: series.code,
    Description: series.description,
    Manual: series.manual,
    Year: year.id,
  };
}

export function listSeries({ state, query, origin }: Reading): Answer {
  onlyParameters(query, [...YEAR, ...PAGING]);
  const year = yearOf(state, query);
  const all = Object.values(bookOf(state, year).series).sort((a, b) => (a.code < b.code ? -1 : 1));
  const { items, meta } = paged(query, all);
  return json(200, {
    MetaInformation: meta,
    VoucherSeriesCollection: items.map((one) => seriesBody(one, year, origin)),
  });
}

export function getSeries({ state, query, origin, path }: Reading): Answer {
  onlyParameters(query, YEAR);
  const year = yearOf(state, query);
  const book = bookOf(state, year);
  const series = book.series[path[0] ?? ''];
  if (series === undefined) throw notFound(CODE.unpublished, 'Kan inte hitta verifikationsserien.');
  return json(200, {
    VoucherSeries: { ...seriesBody(series, year, origin), NextVoucherNumber: book.nextNumber[series.code] ?? 1 },
  });
}
