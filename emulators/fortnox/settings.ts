import { badRequest, CODE, json, notFound } from './errors.ts';
import { onlyParameters, paged, PAGING } from './query.ts';
import type { Reading } from './registers.ts';
import { bookOf } from './state.ts';
import type { Answer, State } from './types.ts';

/** The company's settings: who it is, its predefined accounts, its cost centres. */

export function companySettings({ state, query }: Reading): Answer {
  onlyParameters(query, []);
  const { name, organizationNumber, tenantId } = state.company;
  return json(200, {
    CompanySettings: {
      Address: 'Storgatan 1',
      City: 'Stockholm',
      Country: 'Sverige',
      CountryCode: 'SE',
      DatabaseNumber: String(tenantId),
      Domicile: 'Stockholm',
      Email: 'ekonomi@example.com',
      Name: name,
      OrganizationNumber: organizationNumber,
      TaxEnabled: true,
      VATNumber: `SE${organizationNumber.replace('-', '')}01`,
      ZipCode: '111 22',
    },
  });
}

/** Who the token acts as; any scope will do. */
export function me({ state, query }: Reading): Answer {
  onlyParameters(query, []);
  const { name, tenantId } = state.company;
  return json(200, {
    MeInformation: { Id: `${tenantId}-1`, Name: name, Email: 'ekonomi@example.com', SysAdmin: true, Locale: 'sv-SE' },
  });
}

function predefinedBody(state: State, name: string, origin: string): object {
  const url = `${origin}/3/predefinedaccounts/${encodeURIComponent(name)}`;
  return { '@url': url, Name: name, Account: state.predefinedAccounts[name] };
}

export function listPredefinedAccounts({ state, query, origin }: Reading): Answer {
  onlyParameters(query, PAGING);
  const { items, meta } = paged(query, Object.keys(state.predefinedAccounts).sort());
  return json(200, {
    MetaInformation: meta,
    PreDefinedAccounts: items.map((name) => predefinedBody(state, name, origin)),
  });
}

export function getPredefinedAccount({ state, query, origin, path }: Reading): Answer {
  onlyParameters(query, []);
  const [name = ''] = path;
  if (state.predefinedAccounts[name] === undefined) throw notFound(CODE.unpublished, 'Kan inte hitta kontot.');
  return json(200, { PreDefinedAccount: predefinedBody(state, name, origin) });
}

/** `PUT /3/predefinedaccounts/{name}`: the account must be in the preselected year's chart and active. */
export function putPredefinedAccount(reading: Reading, body: unknown): Answer {
  const { state, path } = reading;
  const current = getPredefinedAccount(reading);
  const account = accountIn(body);
  const year = state.years.find((one) => one.id === state.preselectedYear);
  const known = year === undefined ? undefined : bookOf(state, year).accounts[String(account)];
  if (known?.active !== true) throw badRequest(CODE.accountUnusable, 'Kontot finns inte eller är inte aktivt.');
  state.predefinedAccounts[path[0] ?? ''] = account;
  return { ...current, ...getPredefinedAccount(reading) };
}

function accountIn(body: unknown): number {
  const wrap = body as { PreDefinedAccount?: { Account?: unknown } } | null;
  const account = wrap?.PreDefinedAccount?.Account;
  if (account === undefined) throw badRequest(CODE.emptyBody, 'Felaktig eller tom body. (PreDefinedAccount)');
  if (typeof account !== 'number' || !Number.isInteger(account) || account < 1000 || account > 9999) {
    throw badRequest(CODE.notFourDigits, 'Kontonumret måste ha fyra siffror. (Account)');
  }
  return account;
}

export function listCostCenters({ state, query, origin }: Reading): Answer {
  onlyParameters(query, PAGING);
  const { items, meta } = paged(query, Object.keys(state.costCenters).sort());
  return json(200, {
    MetaInformation: meta,
    CostCenters: items.map((code) => ({
      '@url': `${origin}/3/costcenters/${encodeURIComponent(code)}`,
      Active: true,
      Code: code,
      Description: state.costCenters[code],
      Note: '',
    })),
  });
}
