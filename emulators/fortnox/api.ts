import { badRequest, CODE, noSuchRoute, Refusal, tooManyRequests, unauthorized } from './errors.ts';
import { admit } from './limit.ts';
import { authenticate, issueToken } from './oauth.ts';
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
import type { Answer, CoreRequest, State } from './types.ts';
import { createVoucher, getVoucher, listVouchers } from './vouchers.ts';

/** Every route there is, first match wins; a captured part is handed on decoded. */
const READS: readonly { path: RegExp; read: (reading: Reading) => Answer }[] = [
  { path: /^\/3\/companyinformation$/, read: companyInformation },
  { path: /^\/3\/settings\/lockedperiod$/, read: lockedPeriod },
  { path: /^\/3\/financialyears$/, read: listYears },
  { path: /^\/3\/financialyears\/([^/]+)$/, read: getYear },
  { path: /^\/3\/accounts$/, read: listAccounts },
  { path: /^\/3\/accounts\/([^/]+)$/, read: getAccount },
  { path: /^\/3\/voucherseries$/, read: listSeries },
  { path: /^\/3\/voucherseries\/([^/]+)$/, read: getSeries },
  { path: /^\/3\/vouchers$/, read: listVouchers },
  { path: /^\/3\/vouchers\/sublist$/, read: listVouchers },
  { path: /^\/3\/vouchers\/sublist\/([^/]+)$/, read: listVouchers },
  { path: /^\/3\/vouchers\/([^/]+)\/([^/]+)$/, read: getVoucher },
];

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw noSuchRoute();
  }
}

function checkHeaders(request: CoreRequest): void {
  const accept = request.headers.accept ?? '*/*';
  if (!/application\/json|application\/\*|\*\/\*/.test(accept)) throw badRequest(CODE.badAccept, 'Ogiltig responstyp.');
  if (request.method === 'POST' && !(request.headers['content-type'] ?? '').startsWith('application/json')) {
    throw badRequest(CODE.badContentType, 'Ogiltig content-type.');
  }
}

function route(state: State, request: CoreRequest, url: URL, nowMs: number): Answer {
  const { origin } = request;
  const query = url.searchParams;
  if (request.method === 'POST' && url.pathname === '/3/vouchers') {
    checkHeaders(request);
    return createVoucher({ state, query, origin, path: [] }, request.body, nowMs);
  }
  if (request.method !== 'GET') throw noSuchRoute();
  for (const { path, read } of READS) {
    const match = path.exec(url.pathname);
    if (match === null) continue;
    checkHeaders(request);
    return read({ state, query, origin, path: match.slice(1).map(decoded) });
  }
  throw noSuchRoute();
}

/** What Fortnox itself would answer, faults aside. A refusal leaves the books as they were. */
export function answerAsFortnox(state: State, request: CoreRequest, url: URL, nowMs: number): Answer {
  try {
    if (url.pathname === '/oauth-v1/token' && request.method === 'POST') return issueToken(state, request, nowMs);
    if (!url.pathname.startsWith('/3/')) throw noSuchRoute();
    const token = authenticate(state, request, nowMs);
    if (token === null) return unauthorized();
    if (!admit(state, token, nowMs)) return tooManyRequests();
    return route(state, request, url, nowMs);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}
