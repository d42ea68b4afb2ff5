import assert from 'node:assert/strict';
import type { ContractCase } from './case.ts';

/** A company at Fortnox, or at the emulator, and the app that it has consented to with a service account. */
export interface FortnoxTarget {
  apiBase: string;
  tokenBase: string;
  clientId: string;
  clientSecret: string;
  tenantId: string;
  /** A series with "Manuell kontering" in a test database. Without it nothing is posted. */
  series?: string;
  now: Date;
}

interface Reply {
  status: number;
  bytes: Buffer;
  json: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

async function call(url: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(20_000) });
  const bytes = Buffer.from(await response.arrayBuffer());
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch {
    json = undefined;
  }
  return { status: response.status, bytes, json };
}

async function askToken(target: FortnoxTarget, body: Record<string, string>, secret = target.clientSecret) {
  return call(`${target.tokenBase}/oauth-v1/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${target.clientId}:${secret}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      TenantId: target.tenantId,
    },
    body: new URLSearchParams(body).toString(),
  });
}

const tokens = new WeakMap<FortnoxTarget, Promise<string>>();

/** One token for all cases: they last an hour. */
async function bearer(target: FortnoxTarget): Promise<Record<string, string>> {
  const asked = tokens.get(target) ?? askToken(target, { grant_type: 'client_credentials' }).then(accessToken);
  tokens.set(target, asked);
  return { authorization: `Bearer ${await asked}` };
}

function accessToken({ status, json }: Reply): string {
  assert.equal(status, 200, 'the token call');
  return text(object(json, 'the token reply').access_token, 'access_token');
}

/** At four calls a second Fortnox's limit is never met. */
async function api(target: FortnoxTarget, path: string, body?: unknown): Promise<Reply> {
  await new Promise((resolve) => setTimeout(resolve, new URL(target.apiBase).hostname === '127.0.0.1' ? 0 : 250));
  const headers = await bearer(target);
  if (body === undefined) return call(`${target.apiBase}${path}`, { headers });
  return call(`${target.apiBase}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

function object(value: unknown, what: string): Fields {
  assert.ok(typeof value === 'object' && value !== null, `${what} is an object`);
  return value as Fields;
}

function list(value: unknown, what: string): Fields[] {
  assert.ok(Array.isArray(value), `${what} is a list`);
  return value.map((one) => object(one, what));
}

function text(value: unknown, what: string): string {
  assert.ok(typeof value === 'string' && value !== '', `${what} is a text`);
  return value;
}

/** Fortnox's error in either casing. */
function errorIn({ json }: Reply): { code: unknown; message: string } {
  const inner = object(object(json, 'the error').ErrorInformation, 'ErrorInformation');
  const lower = Object.fromEntries(Object.entries(inner).map(([name, value]) => [name.toLowerCase(), value]));
  return { code: lower.code, message: text(lower.message, 'the error’s message') };
}

const today = ({ now }: FortnoxTarget) => now.toISOString().slice(0, 10);

async function yearOf(target: FortnoxTarget): Promise<number> {
  const { status, json } = await api(target, `/3/financialyears?date=${today(target)}`);
  assert.equal(status, 200);
  const [year] = list(object(json, 'the reply').FinancialYears, 'FinancialYears');
  assert.ok(year !== undefined, `there is a financial year for ${today(target)}`);
  assert.ok(Number.isInteger(year.Id) && text(year.FromDate, 'FromDate') <= today(target));
  return Number(year.Id);
}

function voucher(target: FortnoxTarget, description: string, debit: number, credit: number): unknown {
  return {
    Voucher: {
      Description: description,
      TransactionDate: today(target),
      VoucherSeries: target.series,
      VoucherRows: [
        { Account: 1930, Debit: debit, Credit: 0 },
        { Account: 3001, Debit: 0, Credit: credit },
      ],
    },
  };
}

async function descriptions(target: FortnoxTarget, year: number): Promise<string[]> {
  const day = `fromdate=${today(target)}&todate=${today(target)}`;
  const { json } = await api(
    target,
    `/3/vouchers/sublist/${target.series ?? ''}?financialyear=${year}&${day}&limit=500`,
  );
  return list(object(json, 'the reply').Vouchers, 'Vouchers').map((one) => String(one.Description));
}

export const toPost = ({ series }: FortnoxTarget) =>
  series === undefined ? 'it posts vouchers: set FORTNOX_TEST_SERIES to a series of a test database' : undefined;

export const fortnoxCases: readonly ContractCase<FortnoxTarget>[] = [
  {
    name: 'client credentials give a bearer token for an hour, no refresh token, the tenant in its claims',
    async run(target) {
      const reply = await askToken(target, { grant_type: 'client_credentials' });
      const token = accessToken(reply);
      const fields = object(reply.json, 'the token reply');
      assert.equal(fields.expires_in, 3600);
      assert.equal(String(fields.token_type).toLowerCase(), 'bearer');
      assert.equal(fields.refresh_token, undefined);
      const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
      assert.equal(String(object(claims, 'the claims').tenantId), target.tenantId);
    },
  },
  {
    name: 'a wrong client secret is 401 invalid_client, JSON whatever its content type',
    async run(target) {
      const { status, json } = await askToken(target, { grant_type: 'client_credentials' }, 'wrong');
      assert.equal(status, 401);
      assert.equal(object(json, 'the error').error, 'invalid_client');
    },
  },
  {
    name: 'a refresh token that nobody gave is 400 invalid_grant',
    async run(target) {
      const { status, json } = await askToken(target, { grant_type: 'refresh_token', refresh_token: 'nonsense' });
      assert.equal(status, 400);
      assert.equal(object(json, 'the error').error, 'invalid_grant');
    },
  },
  {
    name: 'a call without a token is 401 {"message":"unauthorized"}',
    async run(target) {
      const { status, json } = await call(`${target.apiBase}/3/companyinformation`);
      assert.equal(status, 401);
      assert.equal(object(json, 'the error').message, 'unauthorized');
    },
  },
  {
    name: 'the company’s DatabaseNumber is the TenantId',
    async run(target) {
      const { json } = await api(target, '/3/companyinformation');
      const company = object(object(json, 'the reply').CompanyInformation, 'CompanyInformation');
      assert.equal(String(company.DatabaseNumber), target.tenantId);
    },
  },
  {
    name: 'accounts and series are read per financial year, whose id comes from a day',
    async run(target) {
      const year = await yearOf(target);
      const accounts = object((await api(target, `/3/accounts?financialyear=${year}&limit=2`)).json, 'the reply');
      assert.equal(list(accounts.Accounts, 'Accounts').length, 2);
      const meta = object(accounts.MetaInformation, 'MetaInformation');
      assert.equal(meta['@CurrentPage'], 1);
      assert.equal(meta['@TotalPages'], Math.ceil(Number(meta['@TotalResources']) / 2));
      const series = object((await api(target, `/3/voucherseries?financialyear=${year}`)).json, 'the reply');
      for (const one of list(series.VoucherSeriesCollection, 'VoucherSeriesCollection')) text(one.Code, 'Code');
    },
  },
  {
    name: 'an account that the chart has not is 404 with ErrorInformation',
    async run(target) {
      const reply = await api(target, `/3/accounts/1999?financialyear=${await yearOf(target)}`);
      assert.equal(reply.status, 404);
      assert.equal(errorIn(reply).code, 2000423);
    },
  },
  {
    name: 'the last locked day is a date or absent',
    async run(target) {
      const { status, json } = await api(target, '/3/settings/lockedperiod');
      assert.equal(status, 200);
      const locked = object(json, 'the reply').LockedPeriod as { EndDate?: string | null } | null | undefined;
      assert.match(locked?.EndDate ?? '2000-01-01', /^(\d{4}-\d{2}-\d{2})?$/);
    },
  },
  {
    name: 'SIE 4 is CP437 with every voucher summing to nothing',
    async run(target) {
      const { status, bytes } = await api(target, `/3/sie/4?financialyear=${await yearOf(target)}`);
      assert.equal(status, 200);
      const lines = bytes.toString('latin1').split(/\r?\n/);
      assert.ok(lines[0]?.startsWith('#FLAGGA'), 'it begins with #FLAGGA');
      assert.ok(lines.includes('#FORMAT PC8') && lines.includes('#SIETYP 4'));
      let ore = 0n;
      for (const line of lines) {
        const amount = /^\s*#TRANS \d{4} \{[^}]*\} (-?)(\d+)(?:\.(\d{1,2}))?/.exec(line);
        if (amount) ore += BigInt(`${amount[1] ?? ''}${amount[2] ?? ''}${(amount[3] ?? '').padEnd(2, '0')}`);
        if (line.trim() === '}') assert.equal(ore, 0n, `a voucher before "${line}" does not balance`);
      }
    },
  },
  {
    name: 'a voucher is posted with a number, found by its text on its day, and taken back by another',
    needs: toPost,
    async run(target) {
      const year = await yearOf(target);
      const key = `contract ${target.now.getTime()}`;
      const posted = await api(target, `/3/vouchers?financialyear=${year}`, voucher(target, key, 1.5, 1.5));
      assert.equal(posted.status, 201);
      const made = object(object(posted.json, 'the reply').Voucher, 'Voucher');
      assert.ok(Number.isInteger(made.VoucherNumber) && made.Year === year);
      const back = await api(target, `/3/vouchers?financialyear=${year}`, {
        Voucher: {
          Description: `${key} back`,
          TransactionDate: today(target),
          VoucherSeries: target.series,
          VoucherRows: [
            { Account: 3001, Debit: 1.5, Credit: 0 },
            { Account: 1930, Debit: 0, Credit: 1.5 },
          ],
        },
      });
      assert.equal(back.status, 201);
      const found = (await descriptions(target, year)).filter((one) => one.startsWith(key));
      assert.deepEqual(found.sort(), [key, `${key} back`]);
    },
  },
  {
    name: 'a voucher that does not balance is refused with ErrorInformation and takes no number',
    needs: toPost,
    async run(target) {
      const year = await yearOf(target);
      const before = (await descriptions(target, year)).length;
      const reply = await api(target, `/3/vouchers?financialyear=${year}`, voucher(target, 'unbalanced', 2, 1));
      assert.equal(reply.status, 400);
      errorIn(reply);
      assert.equal((await descriptions(target, year)).length, before);
    },
  },
];
