import { answerConsent, consentPage } from './consent.ts';
import { badRequest, CODE, noSuchRoute, Refusal, tooManyRequests, unauthorized } from './errors.ts';
import { connectFile, downloadFile, getConnection, listConnections, uploadFile } from './files.ts';
import { admit } from './limit.ts';
import { authenticate, issueToken, revokeToken } from './oauth.ts';
import {
  companyInformation,
  getAccount,
  getSeries,
  getYear,
  listAccounts,
  listSeries,
  listYears,
  lockedPeriod,
} from './registers.ts';
import type { Reading } from './registers.ts';
import { requireScope } from './scopes.ts';
import type { Scope } from './scopes.ts';
import {
  companySettings,
  getPredefinedAccount,
  listCostCenters,
  listPredefinedAccounts,
  me,
  putPredefinedAccount,
} from './settings.ts';
import { exportSie } from './sie.ts';
import type { AccessToken, Answer, CoreRequest, State } from './types.ts';
import { createVoucher, getVoucher, listVouchers } from './vouchers.ts';

type Handler = (reading: Reading, request: CoreRequest, nowMs: number) => Answer;

type Route = {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: RegExp;
  /** null: any token will do. */
  readonly scope: Scope | null;
  /** What the body must be; JSON when left out. */
  readonly body?: 'multipart';
  /** What comes back is no JSON. */
  readonly bytes?: true;
  readonly handle: Handler;
};

const read = (path: RegExp, scope: Scope | null, handle: Handler): Route => ({ method: 'GET', path, scope, handle });

/** Every route there is, first match wins; a captured part is handed on decoded. */
const ROUTES: readonly Route[] = [
  read(/^\/3\/companyinformation$/, 'companyinformation', companyInformation),
  read(/^\/3\/me$/, null, me),
  read(/^\/3\/settings\/company$/, 'settings', companySettings),
  read(/^\/3\/settings\/lockedperiod$/, 'settings', lockedPeriod),
  read(/^\/3\/predefinedaccounts$/, 'settings', listPredefinedAccounts),
  read(/^\/3\/predefinedaccounts\/([^/]+)$/, 'settings', getPredefinedAccount),
  {
    method: 'PUT',
    path: /^\/3\/predefinedaccounts\/([^/]+)$/,
    scope: 'settings',
    handle: (reading, { body }) => putPredefinedAccount(reading, jsonBody(body)),
  },
  read(/^\/3\/costcenters$/, 'costcenter', listCostCenters),
  read(/^\/3\/financialyears$/, 'bookkeeping', listYears),
  read(/^\/3\/financialyears\/([^/]+)$/, 'bookkeeping', getYear),
  read(/^\/3\/accounts$/, 'bookkeeping', listAccounts),
  read(/^\/3\/accounts\/([^/]+)$/, 'bookkeeping', getAccount),
  read(/^\/3\/voucherseries$/, 'bookkeeping', listSeries),
  read(/^\/3\/voucherseries\/([^/]+)$/, 'bookkeeping', getSeries),
  {
    method: 'POST',
    path: /^\/3\/vouchers$/,
    scope: 'bookkeeping',
    handle: (reading, { body }, nowMs) => createVoucher(reading, body, nowMs),
  },
  read(/^\/3\/vouchers$/, 'bookkeeping', listVouchers),
  read(/^\/3\/vouchers\/sublist$/, 'bookkeeping', listVouchers),
  read(/^\/3\/vouchers\/sublist\/([^/]+)$/, 'bookkeeping', listVouchers),
  read(/^\/3\/vouchers\/([^/]+)\/([^/]+)$/, 'bookkeeping', getVoucher),
  {
    ...read(/^\/3\/sie\/([^/]+)$/, 'bookkeeping', (reading, _request, nowMs) => exportSie(reading, nowMs)),
    bytes: true,
  },
  { method: 'POST', path: /^\/3\/inbox$/, scope: 'inbox', body: 'multipart', handle: uploadFile },
  { ...read(/^\/3\/inbox\/([^/]+)$/, 'inbox', downloadFile), bytes: true },
  {
    method: 'POST',
    path: /^\/3\/voucherfileconnections$/,
    scope: 'connectfile',
    handle: (reading, { body }) => connectFile(reading, jsonBody(body)),
  },
  read(/^\/3\/voucherfileconnections$/, 'connectfile', listConnections),
  read(/^\/3\/voucherfileconnections\/([^/]+)$/, 'connectfile', getConnection),
];

function jsonBody(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw badRequest(body === '' ? CODE.emptyBody : CODE.badJson, 'Kunde inte tolka JSON.');
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw noSuchRoute();
  }
}

function checkHeaders(request: CoreRequest, wanted: Route): void {
  const accept = request.headers.accept ?? '*/*';
  if (wanted.bytes !== true && !/application\/json|application\/\*|\*\/\*/.test(accept)) {
    throw badRequest(CODE.badAccept, 'Ogiltig responstyp.');
  }
  if (wanted.method === 'GET') return;
  const type = wanted.body === 'multipart' ? 'multipart/form-data' : 'application/json';
  if (!(request.headers['content-type'] ?? '').startsWith(type)) {
    throw badRequest(CODE.badContentType, 'Ogiltig content-type.');
  }
}

function route(state: State, token: AccessToken, request: CoreRequest, url: URL, nowMs: number): Answer {
  for (const one of ROUTES) {
    const match = one.method === request.method ? one.path.exec(url.pathname) : null;
    if (match === null) continue;
    requireScope(state, token, one.scope);
    checkHeaders(request, one);
    const path = match.slice(1).map(decoded);
    return one.handle({ state, query: url.searchParams, origin: request.origin, path }, request, nowMs);
  }
  throw noSuchRoute();
}

/** The token host's routes. */
const OAUTH_ROUTES: Readonly<Record<string, (state: State, request: CoreRequest, url: URL, nowMs: number) => Answer>> =
  {
    'POST /oauth-v1/token': (state, request, _url, nowMs) => issueToken(state, request, nowMs),
    'POST /oauth-v1/revoke': (state, request) => revokeToken(state, request),
    'GET /oauth-v1/auth': (state, _request, url) => consentPage(state, url.searchParams),
    'POST /oauth-v1/auth': (state, request, _url, nowMs) => answerConsent(state, request, nowMs),
  };

/** Undefined when the request is none of the token host's. */
function oauth(state: State, request: CoreRequest, url: URL, nowMs: number): Answer | undefined {
  const name = `${request.method} ${url.pathname}`;
  return Object.hasOwn(OAUTH_ROUTES, name) ? OAUTH_ROUTES[name]!(state, request, url, nowMs) : undefined;
}

/** A route as people write it: `GET /3/vouchers/{}/{}`. */
const nameOf = ({ method, path }: Route): string =>
  `${method} ${path.source.slice(1, -1).replaceAll('\\/', '/').replaceAll('([^/]+)', '{}')}`;

/** Every route with the scope its token needs; null where any token will do, or none. */
export const FORTNOX_ROUTES: readonly { readonly name: string; readonly scope: Scope | null }[] = [
  ...Object.keys(OAUTH_ROUTES).map((name) => ({ name, scope: null })),
  ...ROUTES.map((one) => ({ name: nameOf(one), scope: one.scope })),
];

/** Which of them a request takes. */
export function fortnoxRoute(method: string, pathname: string): string | undefined {
  const name = `${method} ${pathname}`;
  if (Object.hasOwn(OAUTH_ROUTES, name)) return name;
  const found = ROUTES.find((one) => one.method === method && one.path.test(pathname));
  return found && nameOf(found);
}

/** What Fortnox itself would answer, faults aside. A refusal leaves the books as they were. */
export function answerAsFortnox(state: State, request: CoreRequest, url: URL, nowMs: number): Answer {
  try {
    const answer = oauth(state, request, url, nowMs);
    if (answer !== undefined) return answer;
    if (!url.pathname.startsWith('/3/')) throw noSuchRoute();
    const token = authenticate(state, request, nowMs);
    if (token === null) return unauthorized();
    if (!admit(state, token, nowMs)) return tooManyRequests();
    return route(state, token, request, url, nowMs);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}
