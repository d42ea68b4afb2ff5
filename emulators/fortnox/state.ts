import { BAS_2026, PREDEFINED_ACCOUNTS, SERIES } from './chart.ts';
import { SCOPES } from './scopes.ts';
import type {
  AccessToken,
  Account,
  AuthorizationCode,
  FinancialYear,
  Grant,
  RefreshToken,
  Series,
  State,
  YearBook,
} from './types.ts';

export type SeedOptions = {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenantId: number;
};

/** What the emulator answers to when nothing else is asked for. None of it is secret. */
export const FORTNOX_EMULATOR_DEFAULTS: SeedOptions = {
  clientId: 'fortnox-emulator-client',
  clientSecret: 'fortnox-emulator-secret',
  tenantId: 100001,
};

/** Looked up by what callers send, so it must not know words like "constructor". */
function emptyRecord<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

function freshBook(): YearBook {
  const accounts = emptyRecord<Account>();
  for (const [number, description] of Object.entries(BAS_2026)) {
    accounts[number] = { number: Number(number), description, active: true };
  }
  const series = emptyRecord<Series>();
  for (const one of SERIES) series[one.code] = { ...one };
  return { accounts, series, nextNumber: emptyRecord<number>() };
}

/**
 * A company with four calendar years around `nowMs`: the previous one, this one (preselected) and the next two.
 * Their ids run from 1, because a Fortnox year id is not the calendar year.
 */
export function freshState(nowMs: number, seed: SeedOptions): State {
  const thisYear = new Date(nowMs).getUTCFullYear();
  const years: FinancialYear[] = [-1, 0, 1, 2].map((step, index) => ({
    id: index + 1,
    from: `${thisYear + step}-01-01`,
    to: `${thisYear + step}-12-31`,
  }));
  return {
    company: { name: 'Inner Journey AB', organizationNumber: '556000-0001', tenantId: seed.tenantId },
    client: { id: seed.clientId, secret: seed.clientSecret, scopes: SCOPES, redirectUris: [] },
    serviceConsent: { scopes: SCOPES },
    licences: { api: true, missing: [] },
    switches: { replayKillsChain: false, scopeErrorStatus: 403, fileConnectionId: 'Id' },
    clockOffsetMs: 0,
    years,
    preselectedYear: 2,
    books: Object.fromEntries(years.map((year) => [String(year.id), freshBook()])),
    vouchers: [],
    lockedPeriod: null,
    costCenters: emptyRecord<string>(),
    predefinedAccounts: Object.assign(emptyRecord<number>(), PREDEFINED_ACCOUNTS),
    files: [],
    fileConnections: [],
    grants: emptyRecord<Grant>(),
    codes: emptyRecord<AuthorizationCode>(),
    refreshTokens: emptyRecord<RefreshToken>(),
    tokens: emptyRecord<AccessToken>(),
    tokensIssued: 0,
    window: {},
    faults: [],
    faultsMade: 0,
    requests: [],
  };
}

/** The book of a year that exists; years and books are made together. */
export function bookOf(state: State, year: FinancialYear): YearBook {
  const book = state.books[String(year.id)];
  if (book === undefined) throw new Error(`The emulator has no book for financial year ${year.id}.`);
  return book;
}
