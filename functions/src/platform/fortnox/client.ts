import { setTimeout as wait } from 'node:timers/promises';
import type { z } from 'zod';
import { FortnoxError } from './errors.ts';
import { createSend, createStream } from './http.ts';
import type { HttpRequest } from './http.ts';
import { multipart } from './multipart.ts';
import { errorOf, parsed } from './reply.ts';
import type { RawReply } from './reply.ts';
import { repeatableRead, repeatableWrite, withRetries } from './retry.ts';
import * as shapes from './shapes.ts';
import { sieVouchers, type SieVoucher } from './sie.ts';
import { clientCredentials } from './token.ts';
import type { TokenHttp, TokenSource } from './token-source.ts';
import { voucherBody } from './voucher.ts';
import type { NewVoucher } from './voucher.ts';

/** Fortnox itself: the API and the tokens live on two hosts. */
export const FORTNOX_API_BASE = 'https://api.fortnox.se';
export const FORTNOX_TOKEN_BASE = 'https://apps.fortnox.se';

const TIMEOUT_MS = 20_000;
/** Of a whole year's books, a gigabyte at most; twice that is less than a task lives. */
const YEAR_TIMEOUT_MS = 240_000;
const PAGE_SIZE = 500;
/** 50 000 vouchers of one series on one day: beyond it something else is wrong. */
const MAX_PAGES = 100;
/** Fortnox's "No such route": a wrong address on our side, not a thing that does not exist. */
const NO_SUCH_ROUTE = 2000762;

export type FortnoxClientConfig = {
  /** Without a trailing slash, e.g. https://api.fortnox.se */
  readonly apiBase: string;
  /** Where `/oauth-v1/token` is. Left out: Fortnox's own token host for Fortnox's own API, else `apiBase`. */
  readonly tokenBase?: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Fortnox's DatabaseNumber of the company. */
  readonly tenantId: string;
  /** Where access tokens come from; client credentials when left out. */
  readonly tokens?: (http: TokenHttp) => TokenSource;
  readonly now: () => Date;
  /** Waits between retries; real time when left out. */
  readonly sleep?: (ms: number) => Promise<void>;
  /** Of one HTTP call, 20 s when left out. */
  readonly timeoutMs?: number;
};

export type FinancialYear = { readonly id: number; readonly from: string; readonly to: string };
export type FortnoxAccount = { readonly number: number; readonly description: string; readonly active: boolean };
export type VoucherSeries = {
  readonly code: string;
  readonly description: string;
  /** Whether vouchers may be posted to it by hand or by an API, in the year asked about. */
  readonly manual: boolean;
  readonly nextVoucherNumber: number;
};
export type VoucherId = { readonly series: string; readonly number: number; readonly financialYearId: number };
export type VoucherSummary = {
  readonly series: string;
  readonly number: number;
  readonly description: string;
  readonly date: string;
};
export type FortnoxVoucher = VoucherId & {
  readonly description: string;
  readonly date: string;
  /** Amounts in öre; rows struck out in Fortnox are left out. */
  readonly rows: readonly { account: number; debitMinor: number; creditMinor: number; text: string }[];
};
/** Which of a file's two ids a connection wants is not published. */
export type UploadedFile = { readonly id: string; readonly archiveId: string };
export type CompanyInformation = {
  readonly name: string;
  readonly organizationNumber: string;
  /** What the token call names as TenantId. */
  readonly databaseNumber: number;
};

/** Fortnox, as much of it as the product uses. Every method throws `FortnoxError` and nothing else. */
export type FortnoxClient = {
  /** The financial year a day ('YYYY-MM-DD') is in; null when the company has not created it. */
  financialYear(date: string): Promise<FinancialYear | null>;
  /** The numbers of one year's active accounts, all pages. */
  activeAccounts(financialYearId: number): Promise<number[]>;
  /** An account in one year's chart; null when that year has no such account. */
  account(number: number, financialYearId: number): Promise<FortnoxAccount | null>;
  /** A series as it is set up for one year; null when there is none. */
  voucherSeries(code: string, financialYearId: number): Promise<VoucherSeries | null>;
  /**
   * Posts a voucher. Fortnox has no idempotency: on `unknown` look with `findVouchers` before posting again.
   * Sent again by itself only after a 401 (renewed token, once) or 429, which Fortnox answers without reading it.
   */
  createVoucher(voucher: NewVoucher): Promise<VoucherId>;
  /** Every voucher of a series on one day, all pages, by number. */
  findVouchers(query: { series: string; date: string; financialYearId: number }): Promise<VoucherSummary[]>;
  /**
   * Every voucher of a financial year with its rows, read as it comes from one call (SIE 4), by series and number.
   * Throws, in the midst of it too, when the file cannot be read to its end.
   */
  vouchersOfYear(financialYearId: number): AsyncGenerator<SieVoucher>;
  /** One voucher with its rows; null when there is none. */
  voucher(series: string, number: number, financialYearId: number): Promise<FortnoxVoucher | null>;
  /**
   * Puts a file (PDF, TIFF or JPEG, at most 2.5 MB) into the inbox for vouchers. Sent again after an unclear answer it may
   * be there twice; one that hangs on nothing does no harm.
   */
  uploadVoucherFile(name: string, content: Uint8Array): Promise<UploadedFile>;
  /** Hangs an uploaded file on a voucher. On `unknown` look with `isConnected` before it is asked for again. */
  connectFile(file: UploadedFile, voucher: VoucherId): Promise<void>;
  isConnected(file: UploadedFile): Promise<boolean>;
  companyInformation(): Promise<CompanyInformation>;
  /** The last locked day, or null when nothing is locked. */
  lockedPeriod(): Promise<string | null>;
};

function defaultTokenBase(apiBase: string): string {
  return apiBase === FORTNOX_API_BASE ? FORTNOX_TOKEN_BASE : apiBase;
}

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof FortnoxError && error.kind === 'not_found' && error.code !== NO_SUCH_ROUTE) return null;
    throw error;
  }
}

/** Makes a client. It keeps its token in memory: make one per process, not one per call. */
export function createFortnoxClient(config: FortnoxClientConfig): FortnoxClient {
  const { apiBase, tokenBase = defaultTokenBase(apiBase), clientId, clientSecret, tenantId, now } = config;
  const sleep = config.sleep ?? (async (ms: number) => wait(ms));
  const send = createSend(config.timeoutMs ?? TIMEOUT_MS);
  const stream = createStream(config.timeoutMs ?? YEAR_TIMEOUT_MS);
  const http: TokenHttp = { url: `${tokenBase}/oauth-v1/token`, clientId, clientSecret, now, sleep, send };
  const tokens = config.tokens?.(http) ?? clientCredentials(http, tenantId);

  /** One call, its token renewed once on a 401 (which Fortnox answers before it does anything). */
  async function call<R extends RawReply>(
    what: string,
    request: HttpRequest,
    by: (what: string, request: HttpRequest) => Promise<R>,
  ): Promise<R> {
    const withToken = (token: string) =>
      by(what, { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } });
    const token = await tokens.current();
    let reply = await withToken(token);
    if (reply.status === 401) {
      tokens.forget(token);
      reply = await withToken(await tokens.current());
    }
    if (reply.status < 200 || reply.status > 299) throw errorOf(what, reply, now());
    return reply;
  }

  /** Fetches the token first, so that its own retries are not multiplied by those of the call. */
  async function repeated(
    what: string,
    request: HttpRequest,
    again: (error: FortnoxError) => boolean,
  ): Promise<RawReply> {
    await tokens.current();
    return withRetries(async () => call(what, request, send), again, sleep);
  }

  async function get<T>(what: string, path: string, query: Record<string, string>, schema: z.ZodType<T>): Promise<T> {
    const search = new URLSearchParams(query).toString();
    const url = `${apiBase}${path}${search === '' ? '' : `?${search}`}`;
    const reply = await repeated(what, { method: 'GET', url, headers: { accept: 'application/json' } }, repeatableRead);
    return parsed(what, schema, reply);
  }

  async function financialYear(date: string): Promise<FinancialYear | null> {
    const what = `Reading the financial year of ${date}`;
    const reply = await get(what, '/3/financialyears', { date }, shapes.financialYearsReply);
    const year = reply.FinancialYears.find((one) => one.FromDate <= date && date <= one.ToDate);
    return year === undefined ? null : { id: year.Id, from: year.FromDate, to: year.ToDate };
  }

  async function activeAccounts(financialYearId: number): Promise<number[]> {
    const what = `Reading the chart of financial year ${financialYearId}`;
    const active: number[] = [];
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const query = { financialyear: String(financialYearId), limit: String(PAGE_SIZE), page: String(page) };
      const { Accounts, MetaInformation } = await get(what, '/3/accounts', query, shapes.chartReply);
      active.push(...Accounts.filter(({ Active }) => Active).map(({ Number: number }) => number));
      if (page >= MetaInformation['@TotalPages']) return active;
    }
    throw new FortnoxError(`${what}: more than ${MAX_PAGES} pages; it was not read to its end.`, { kind: 'unknown' });
  }

  async function account(number: number, financialYearId: number): Promise<FortnoxAccount | null> {
    const query = { financialyear: String(financialYearId) };
    const reply = await orNull(get(`Reading account ${number}`, `/3/accounts/${number}`, query, shapes.accountReply));
    if (reply === null) return null;
    const { Number: found, Description: description, Active: active } = reply.Account;
    return { number: found, description, active };
  }

  async function voucherSeries(code: string, financialYearId: number): Promise<VoucherSeries | null> {
    const path = `/3/voucherseries/${encodeURIComponent(code)}`;
    const query = { financialyear: String(financialYearId) };
    const reply = await orNull(get(`Reading voucher series ${code}`, path, query, shapes.seriesReply));
    if (reply === null) return null;
    const {
      Code,
      Description: description,
      Manual: manual,
      NextVoucherNumber: nextVoucherNumber,
    } = reply.VoucherSeries;
    return { code: Code, description, manual, nextVoucherNumber };
  }

  async function createVoucher(voucher: NewVoucher): Promise<VoucherId> {
    const what = `Posting a voucher to series ${voucher.series}`;
    const request: HttpRequest = {
      method: 'POST',
      url: `${apiBase}/3/vouchers?financialyear=${voucher.financialYearId}`,
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: voucherBody(voucher),
    };
    const reply = await repeated(what, request, repeatableWrite);
    const {
      VoucherSeries: series,
      VoucherNumber: number,
      Year,
    } = parsed(what, shapes.createdVoucherReply, reply).Voucher;
    return { series, number, financialYearId: Year };
  }

  async function findVouchers(wanted: {
    series: string;
    date: string;
    financialYearId: number;
  }): Promise<VoucherSummary[]> {
    const { series, date, financialYearId } = wanted;
    const what = `Listing vouchers of series ${series} on ${date}`;
    const path = `/3/vouchers/sublist/${encodeURIComponent(series)}`;
    const found: VoucherSummary[] = [];
    for (let page = 1; page <= MAX_PAGES; page += 1) {
      const query = {
        financialyear: String(financialYearId),
        fromdate: date,
        todate: date,
        limit: String(PAGE_SIZE),
        page: String(page),
      };
      const reply = await get(what, path, query, shapes.voucherListReply);
      for (const one of reply.Vouchers) {
        found.push({
          series: one.VoucherSeries,
          number: one.VoucherNumber,
          description: one.Description,
          date: one.TransactionDate,
        });
      }
      // A page after the last is an error in Fortnox, so the count decides, not an empty page.
      if (page >= reply.MetaInformation['@TotalPages']) return found.sort((a, b) => a.number - b.number);
    }
    throw new FortnoxError(`${what}: more than ${MAX_PAGES} pages; the list was not read to its end.`, {
      kind: 'unknown',
    });
  }

  async function* vouchersOfYear(financialYearId: number): AsyncGenerator<SieVoucher> {
    const what = `Reading the books of financial year ${financialYearId}`;
    const url = `${apiBase}/3/sie/4?financialyear=${financialYearId}`;
    const request: HttpRequest = { method: 'GET', url, headers: { accept: 'application/json, text/plain, */*' } };
    await tokens.current();
    // One that was waited for so long is not waited for again: the task that asks would not live to see it.
    const again = (error: FortnoxError) => repeatableRead(error) && error.timedOut !== true;
    const { body } = await withRetries(async () => call(what, request, stream), again, sleep);
    yield* sieVouchers(body);
  }

  async function voucher(series: string, number: number, financialYearId: number): Promise<FortnoxVoucher | null> {
    const path = `/3/vouchers/${encodeURIComponent(series)}/${number}`;
    const query = { financialyear: String(financialYearId) };
    const reply = await orNull(get(`Reading voucher ${series} ${number}`, path, query, shapes.voucherReply));
    if (reply === null) return null;
    const found = reply.Voucher;
    return {
      series: found.VoucherSeries,
      number: found.VoucherNumber,
      financialYearId: found.Year,
      description: found.Description,
      date: found.TransactionDate,
      rows: found.VoucherRows.filter((row) => row.Removed !== true).map((row) => ({
        account: row.Account,
        debitMinor: row.Debit,
        creditMinor: row.Credit,
        text: row.TransactionInformation,
      })),
    };
  }

  async function uploadVoucherFile(name: string, content: Uint8Array): Promise<UploadedFile> {
    const what = `Uploading ${name}`;
    const { contentType, bytes } = multipart(name, content);
    const headers = { accept: 'application/json', 'content-type': contentType };
    const url = `${apiBase}/3/inbox?path=inbox_v`;
    const reply = await repeated(what, { method: 'POST', url, headers, bytes }, repeatableWrite);
    const { Id: id, ArchiveFileId: archiveId } = parsed(what, shapes.fileReply, reply).File;
    return { id, archiveId: archiveId === '' ? id : archiveId };
  }

  async function connect(fileId: string, { series, number, financialYearId }: VoucherId): Promise<void> {
    const what = `Connecting a file to voucher ${series} ${number}`;
    const connection = { FileId: fileId, VoucherSeries: series, VoucherNumber: String(number) };
    const request: HttpRequest = {
      method: 'POST',
      // Without the year it lands on the voucher of that number in whatever year somebody last looked at.
      url: `${apiBase}/3/voucherfileconnections?financialyear=${financialYearId}`,
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ VoucherFileConnection: connection }),
    };
    parsed(what, shapes.fileConnectionReply, await repeated(what, request, repeatableWrite));
  }

  async function connectFile({ id, archiveId }: UploadedFile, to: VoucherId): Promise<void> {
    try {
      await connect(id, to);
    } catch (error) {
      const otherId = error instanceof FortnoxError && error.kind === 'not_found' && archiveId !== id;
      if (!otherId) throw error;
      await connect(archiveId, to);
    }
  }

  async function isConnected({ id, archiveId }: UploadedFile): Promise<boolean> {
    for (const fileId of new Set([id, archiveId])) {
      const path = `/3/voucherfileconnections/${encodeURIComponent(fileId)}`;
      if (await orNull(get(`Reading what hangs on file ${fileId}`, path, {}, shapes.fileConnectionReply))) return true;
    }
    return false;
  }

  async function companyInformation(): Promise<CompanyInformation> {
    const reply = await get('Reading the company', '/3/companyinformation', {}, shapes.companyReply);
    const {
      CompanyName: name,
      OrganizationNumber: organizationNumber,
      DatabaseNumber: databaseNumber,
    } = reply.CompanyInformation;
    return { name, organizationNumber, databaseNumber };
  }

  async function lockedPeriod(): Promise<string | null> {
    const reply = await get('Reading the locked period', '/3/settings/lockedperiod', {}, shapes.lockedPeriodReply);
    const end = reply.LockedPeriod?.EndDate ?? '';
    return end === '' ? null : end;
  }

  return {
    financialYear,
    activeAccounts,
    account,
    voucherSeries,
    createVoucher,
    findVouchers,
    vouchersOfYear,
    voucher,
    uploadVoucherFile,
    connectFile,
    isConnected,
    companyInformation,
    lockedPeriod,
  };
}
