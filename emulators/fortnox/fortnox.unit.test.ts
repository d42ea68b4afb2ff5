import { watchFortnox } from '../contract-coverage.ts';
import { FORTNOX_EMULATOR_DEFAULTS, startFortnoxEmulator } from './index.ts';
import type { FortnoxEmulator } from './index.ts';

/** The emulator over HTTP with nothing but fetch: one test for each behaviour that Fortnox is said to have. */

const { clientId, clientSecret, tenantId } = FORTNOX_EMULATOR_DEFAULTS;
const FORM = 'application/x-www-form-urlencoded';

/** The fields the tests reach into; whole bodies are compared by shape. */
type Body = {
  access_token?: string;
  Accounts?: object[];
  FinancialYears?: object[];
  Voucher?: { VoucherNumber: number };
  Vouchers?: { Description: string }[];
  VoucherSeriesCollection?: object[];
  requests?: object[];
};
type Reply = { status: number; type: string; text: string; body: Body };

let emulator: FortnoxEmulator;
let token: string;
let year: number;

async function send(method: string, path: string, headers: Record<string, string> = {}, body?: string): Promise<Reply> {
  const response = await fetch(`${emulator.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  let parsed: unknown = {};
  try {
    parsed = JSON.parse(text);
  } catch {
    // Some replies are no JSON on purpose; the test then looks at the text.
  }
  return { status: response.status, type, text, body: parsed as Body };
}

function basic(id: string, secret: string): string {
  return `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
}

async function askToken(headers: Record<string, string> = {}, body = 'grant_type=client_credentials'): Promise<Reply> {
  const given = { authorization: basic(clientId, clientSecret), tenantid: String(tenantId), 'content-type': FORM };
  return send('POST', '/oauth-v1/token', { ...given, ...headers }, body);
}

async function freshToken(): Promise<string> {
  return (await askToken()).body.access_token ?? '';
}

async function get(path: string): Promise<Reply> {
  return send('GET', path, { authorization: `Bearer ${token}` });
}

const JSON_HEADERS = { 'content-type': 'application/json' };

async function control(path: string, body: unknown, method = 'POST'): Promise<Reply> {
  return send(method, `/_emulator/${path}`, JSON_HEADERS, JSON.stringify(body));
}

function voucher(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    Description: 'Stripe ch_1 SALE key1',
    TransactionDate: `${year}-03-02`,
    VoucherSeries: 'S',
    VoucherRows: [
      { Account: 1686, Debit: 499, Credit: 0, TransactionInformation: 'ch_1' },
      { Account: 3001, Debit: 0, Credit: 499 },
    ],
    ...changes,
  };
}

async function post(changes: Record<string, unknown> = {}, query = '?financialyear=2'): Promise<Reply> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return send('POST', `/3/vouchers${query}`, headers, JSON.stringify({ Voucher: voucher(changes) }));
}

function rows(...given: [number, unknown, unknown][]): Record<string, unknown> {
  return { VoucherRows: given.map(([Account, Debit, Credit]) => ({ Account, Debit, Credit })) };
}

/** The lower-case envelope of a 400. */
function refusal(code: number, message?: RegExp): object {
  const text: unknown = message === undefined ? expect.any(String) : expect.stringMatching(message);
  return { status: 400, body: { ErrorInformation: { error: 1, code, message: text } } };
}

/** The Pascal-case envelope of a 404. */
function missing(code: number, message: string): object {
  return { status: 404, body: { ErrorInformation: { Error: 1, Code: code, Message: message } } };
}

beforeAll(async () => {
  emulator = await startFortnoxEmulator();
  watchFortnox(emulator.core);
});

afterAll(async () => emulator.close());

beforeEach(async () => {
  await control('reset', {});
  token = await freshToken();
  year = new Date().getUTCFullYear();
});

describe('tokens', () => {
  it('gives a bearer token for an hour, with the tenant in its claims and no refresh token', async () => {
    const reply = await askToken();
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({
      access_token: expect.any(String) as unknown,
      scope: expect.stringContaining('bookkeeping') as unknown,
      expires_in: 3600,
      token_type: 'bearer',
    });
    const claims = Buffer.from(reply.text.split('.')[1] ?? '', 'base64url').toString('utf8');
    expect(JSON.parse(claims)).toMatchObject({ tenantId });
  });

  it('refuses a wrong client with 401 as text/plain', async () => {
    const reply = await askToken({ authorization: basic(clientId, 'wrong') });
    expect(reply).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
    expect(reply.type).toMatch('text/plain');
  });

  it.each([
    ['another grant', {}, 'grant_type=password&username=x', 'unsupported_grant_type'],
    ['a code nobody gave', {}, 'grant_type=authorization_code&code=x&redirect_uri=y', 'invalid_grant'],
    ['a refresh token nobody gave', {}, 'grant_type=refresh_token&refresh_token=x', 'invalid_grant'],
    ['no grant', {}, '', 'invalid_request'],
    ['another tenant', { tenantid: '7' }, 'grant_type=client_credentials', 'invalid_grant'],
    ['JSON', { 'content-type': 'application/json' }, '{}', 'invalid_request'],
  ])('refuses %s with 400, JSON as text/html', async (_what, headers, body, error) => {
    const reply = await askToken(headers, body);
    expect(reply).toMatchObject({ status: 400, body: { error } });
    expect(reply.type).toMatch('text/html');
  });

  it('refuses a call without the TenantId header', async () => {
    const headers = { authorization: basic(clientId, clientSecret), 'content-type': FORM };
    const reply = await send('POST', '/oauth-v1/token', headers, 'grant_type=client_credentials');
    expect(reply).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('answers 401 without ErrorInformation to no token, a foreign one and one that expired by its clock', async () => {
    const unauthorized = { status: 401, text: '{"message":"unauthorized"}' };
    expect(await send('GET', '/3/companyinformation')).toMatchObject(unauthorized);
    expect(await send('GET', '/3/companyinformation', { authorization: 'Bearer constructor' })).toMatchObject(
      unauthorized,
    );
    await control('clock', { advanceSeconds: 3599 });
    expect(await get('/3/companyinformation')).toMatchObject({ status: 200 });
    await control('clock', { advanceSeconds: 1 });
    expect(await get('/3/companyinformation')).toMatchObject(unauthorized);
  });
});

describe('registers', () => {
  it('names the company and its database number', async () => {
    expect(await get('/3/companyinformation')).toMatchObject({
      status: 200,
      body: { CompanyInformation: { CompanyName: 'Inner Journey AB', DatabaseNumber: tenantId } },
    });
  });

  it('has the previous, the current and the next two years, under ids that are not calendar years', async () => {
    const all = await get('/3/financialyears');
    expect(all.body).toMatchObject({ MetaInformation: { '@TotalResources': 4, '@TotalPages': 1, '@CurrentPage': 1 } });
    const one = await get(`/3/financialyears?date=${year}-06-15`);
    expect(one.body.FinancialYears).toMatchObject([
      { Id: 2, FromDate: `${year}-01-01`, ToDate: `${year}-12-31`, AccountingMethod: 'ACCRUAL' },
    ]);
    expect((await get(`/3/financialyears?date=${year + 3}-01-01`)).body.FinancialYears).toEqual([]);
    expect((await get('/3/financialyears/3')).body).toMatchObject({
      FinancialYear: { Id: 3, FromDate: `${year + 1}-01-01` },
    });
    expect(await get('/3/financialyears/9')).toMatchObject({ status: 404 });
    expect(await get('/3/financialyears?date=2026-02-30')).toMatchObject(refusal(2000588));
  });

  it('pages accounts by 100, at most 500, and knows no page after the last', async () => {
    const first = await get('/3/accounts?financialyear=2&limit=30');
    expect(first.body.Accounts).toHaveLength(30);
    expect(first.body.Accounts?.[0]).toMatchObject({ Number: 1510, Active: true, Year: 2 });
    const second = await get('/3/accounts?financialyear=2&limit=30&page=2');
    expect(second.body).toMatchObject({ MetaInformation: { '@TotalPages': 2, '@CurrentPage': 2 } });
    expect(await get('/3/accounts?limit=30&page=3')).toMatchObject(missing(2000762, 'No such route'));
    expect(await get('/3/accounts?limit=501')).toMatchObject(refusal(2000588));
    expect(await get('/3/accounts?page=0')).toMatchObject(refusal(2000588));
  });

  it('has the chart of 2026: 1686, and no 1580', async () => {
    expect(await get('/3/accounts/1686?financialyear=2')).toMatchObject({
      body: { Account: { Number: 1686, Description: 'Fordringar för kontokort och kuponger', Active: true } },
    });
    expect(await get('/3/accounts/1580?financialyear=2')).toMatchObject(missing(2000423, 'Kan inte hitta kontot.'));
    expect(await get('/3/accounts/constructor')).toMatchObject({ status: 404 });
  });

  it('keeps accounts and series per year', async () => {
    await control('state', {
      accounts: [{ number: 1686, financialYear: 3, active: false }],
      series: [{ code: 'S', financialYear: 3, manual: false }],
    });
    expect(await get('/3/accounts/1686?financialyear=2')).toMatchObject({ body: { Account: { Active: true } } });
    expect(await get('/3/accounts/1686?financialyear=3')).toMatchObject({ body: { Account: { Active: false } } });
    expect(await get('/3/voucherseries/S?financialyear=2')).toMatchObject({
      body: { VoucherSeries: { Manual: true } },
    });
    expect(await get('/3/voucherseries/S?financialyear=3')).toMatchObject({
      body: { VoucherSeries: { Manual: false } },
    });
  });

  it('lists series A, F (not manual) and S', async () => {
    expect((await get('/3/voucherseries')).body.VoucherSeriesCollection).toMatchObject([
      { Code: 'A', Manual: true },
      { Code: 'F', Manual: false },
      { Code: 'S', Manual: true, Description: 'Stripe' },
    ]);
    expect(await get('/3/voucherseries/Q')).toMatchObject({ status: 404 });
  });
});

describe('posting a voucher', () => {
  it('answers 201 with the voucher, its number an integer and the account names on its rows', async () => {
    const reply = await post(rows([1686, 99.8, 0], [3001, 0, 79.84], [2611, 0, 19.96]));
    expect(reply.status).toBe(201);
    expect(reply.body.Voucher).toMatchObject({
      '@url': `${emulator.url}/3/vouchers/S/1?financialyear=2`,
      Comments: null,
      Description: 'Stripe ch_1 SALE key1',
      TransactionDate: `${year}-03-02`,
      VoucherNumber: 1,
      VoucherSeries: 'S',
      Year: 2,
      ApprovalState: 0,
      VoucherRows: [
        { Account: 1686, Debit: 99.8, Credit: 0, Description: 'Fordringar för kontokort och kuponger', Removed: false },
        { Account: 3001, Debit: 0, Credit: 79.84 },
        { Account: 2611, Debit: 0, Credit: 19.96 },
      ],
    });
    expect((await get('/_emulator/trial-balance')).body).toEqual({ 1686: 9980, 3001: -7984, 2611: -1996 });
    expect(await get('/3/accounts/3001?financialyear=2')).toMatchObject({
      body: { Account: { BalanceCarriedForward: -79.84 } },
    });
  });

  it('numbers per series and year', async () => {
    const next = { TransactionDate: `${year + 1}-01-05` };
    const numbers = [
      await post(),
      await post(),
      await post({ VoucherSeries: 'A' }),
      await post(next, '?financialyear=3'),
    ];
    expect(numbers.map(({ body }) => body.Voucher?.VoucherNumber)).toEqual([1, 2, 1, 1]);
    expect(await get('/3/voucherseries/S?financialyear=2')).toMatchObject({
      body: { VoucherSeries: { NextVoucherNumber: 3 } },
    });
    expect(await get('/3/voucherseries/S?financialyear=3')).toMatchObject({
      body: { VoucherSeries: { NextVoucherNumber: 2 } },
    });
  });

  it('uses the preselected year when none is named, wherever that is', async () => {
    expect((await post({}, '')).body).toMatchObject({ Voucher: { Year: 2 } });
    await control('state', { preselectedYear: 1 });
    expect(await post({}, '')).toMatchObject(refusal(0, /räkenskapsåret/));
  });

  it.each<[string, Record<string, unknown>, number, RegExp]>([
    ['an unbalanced voucher', rows([1686, 499, 0], [3001, 0, 498.99]), 0, /balanserar inte/],
    ['one row', rows([1686, 0, 0]), 0, /två rader/],
    ['an empty description', { Description: '' }, 0, /Description/],
    ['201 characters of description', { Description: 'x'.repeat(201) }, 2000107, /Description/],
    ['a bad character', { Description: 'a | b' }, 2000359, /Description/],
    ['an emoji', { Description: 'tack 🙏' }, 2000359, /Description/],
    ['a series that is not manual', { VoucherSeries: 'F' }, 0, /^Verifikationsserien är inte manuell \(F\)$/],
    ['an unknown series', { VoucherSeries: 'toString' }, 0, /verifikationsserien/],
    ['a missing account', rows([1580, 1, 0], [3001, 0, 1]), 2000423, /^Kan inte hitta kontot\.$/],
    ['an account that is no account', rows([99, 1, 0], [3001, 0, 1]), 2000108, /Account/],
    ['three decimals', rows([1686, 0.001, 0], [3001, 0, 0.001]), 2000108, /Debit/],
    ['a sum of doubles', rows([1686, 0.1 + 0.2, 0], [3001, 0, 0.3]), 2000108, /Debit/],
    ['a negative amount', rows([1686, -1, 0], [3001, 0, -1]), 2000108, /Debit/],
    ['an amount as text', rows([1686, '1', 0], [3001, 0, 1]), 2000108, /Debit/],
    ['an unknown field', { Salary: 1 }, 2001399, /Salary/],
    ['a read-only field', { VoucherNumber: 7 }, 2001399, /VoucherNumber/],
    ['an impossible date', { TransactionDate: '2026-02-30' }, 0, /TransactionDate/],
  ])('refuses %s', async (_what, changes, code, message) => {
    expect(await post(changes)).toMatchObject(refusal(code, message));
    expect(emulator.core.state().vouchers).toEqual([]);
  });

  it('refuses row information over 100 characters and takes 100', async () => {
    const long = (length: number) => ({
      VoucherRows: [
        { Account: 1686, Debit: 1, Credit: 0, TransactionInformation: 'x'.repeat(length) },
        { Account: 3001, Debit: 0, Credit: 1 },
      ],
    });
    expect(await post(long(101))).toMatchObject(refusal(2000107, /TransactionInformation/));
    expect(await post(long(100))).toMatchObject({ status: 201 });
  });

  it('refuses a date outside the year and a year that does not exist', async () => {
    expect(await post({ TransactionDate: `${year + 1}-01-01` })).toMatchObject(refusal(0, /räkenskapsåret/));
    expect(await post({}, '?financialyear=9')).toMatchObject({ status: 404 });
    expect(await post({}, `?financialyear=${year}`)).toMatchObject({ status: 404 });
  });

  it('refuses an account that is not active in that year', async () => {
    await control('state', { accounts: [{ number: 3001, financialYear: 2, active: false }] });
    expect(await post()).toMatchObject(refusal(2000550, /^Konto "3001" är inte aktivt$/));
  });

  it('refuses up to the last locked day, and names it in the settings', async () => {
    expect((await get('/3/settings/lockedperiod')).body).toEqual({ LockedPeriod: {} });
    await control('state', { lockedPeriod: `${year}-03-02` });
    expect((await get('/3/settings/lockedperiod')).body).toEqual({ LockedPeriod: { EndDate: `${year}-03-02` } });
    expect(await post()).toMatchObject(refusal(2000401, new RegExp(`har låst perioden t.o.m. ${year}-03-02`)));
    expect(await post({ TransactionDate: `${year}-03-03` })).toMatchObject({ status: 201 });
    await control('state', { lockedPeriod: null });
    expect(await post()).toMatchObject({ status: 201 });
  });

  it('refuses broken JSON, an empty body, a wrong content type and a wrong Accept', async () => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    expect(await send('POST', '/3/vouchers', headers, '{')).toMatchObject(refusal(2002115));
    expect(await send('POST', '/3/vouchers', headers, '')).toMatchObject(refusal(2001392));
    expect(await send('POST', '/3/vouchers', headers, '{}')).toMatchObject(refusal(2001392));
    const xml = { ...headers, 'content-type': 'application/xml' };
    expect(await send('POST', '/3/vouchers', xml, '<Voucher/>')).toMatchObject(refusal(1000031));
    expect(await send('GET', '/3/accounts', { ...headers, accept: 'application/xml' })).toMatchObject(refusal(1000030));
  });
});

describe('reading vouchers', () => {
  it('lists without rows, by series, by date and by page', async () => {
    await post({ Description: 'one' });
    await post({ Description: 'two', TransactionDate: `${year}-03-03` });
    await post({ Description: 'three', VoucherSeries: 'A' });
    const descriptions = async (path: string) => {
      const { body } = await get(path);
      return (body.Vouchers ?? []).map((one) => one.Description);
    };
    expect(await descriptions('/3/vouchers?financialyear=2')).toEqual(['three', 'one', 'two']);
    expect(await descriptions('/3/vouchers/sublist?financialyear=2')).toEqual(['three', 'one', 'two']);
    expect(await descriptions('/3/vouchers/sublist/S?financialyear=2')).toEqual(['one', 'two']);
    const day = `fromdate=${year}-03-03&todate=${year}-03-03`;
    expect(await descriptions(`/3/vouchers/sublist/S?financialyear=2&${day}`)).toEqual(['two']);
    expect(await descriptions(`/3/vouchers/sublist/S?financialyear=3`)).toEqual([]);
    const page = await get('/3/vouchers/sublist/S?financialyear=2&limit=1&page=2');
    expect(page.body).toMatchObject({
      MetaInformation: { '@TotalResources': 2, '@TotalPages': 2, '@CurrentPage': 2 },
      Vouchers: [{ Description: 'two', VoucherNumber: 2, VoucherSeries: 'S', Year: 2 }],
    });
    expect(page.text).not.toMatch('VoucherRows');
    expect(await get('/3/vouchers/sublist/S?financialyear=2&limit=1&page=3')).toMatchObject(
      missing(2000762, 'No such route'),
    );
  });

  it('gets one with its rows, by series, number and year', async () => {
    await post();
    expect((await get('/3/vouchers/S/1?financialyear=2')).body).toMatchObject({
      Voucher: { VoucherNumber: 1, VoucherRows: [{ Account: 1686 }, { Account: 3001 }] },
    });
    expect(await get('/3/vouchers/S/1?financialyear=3')).toMatchObject({ status: 404 });
    expect(await get('/3/vouchers/S/2?financialyear=2')).toMatchObject({ status: 404 });
  });
});

describe('what is not there', () => {
  it.each([
    ['GET', '/3/invoices'],
    ['GET', '/3/sie/5'],
    ['DELETE', '/3/voucherfileconnections/x'],
    ['PUT', '/3/vouchers/S/1'],
    ['DELETE', '/3/vouchers/S/1'],
    ['POST', '/3/accounts'],
    ['GET', '/nothing'],
    ['GET', '//'],
  ])('%s %s is no route', async (method, path) => {
    expect(await send(method, path, { authorization: `Bearer ${token}` })).toMatchObject(
      missing(2000762, 'No such route'),
    );
  });

  it.each([
    '/3/vouchers?lastmodified=x',
    '/3/vouchers?lastmodified=2026-02-30',
    '/3/vouchers?sortby=constructor',
    '/3/vouchers?sortorder=up',
    '/3/vouchers?offset=-1',
    '/3/sie/4?fromdate=2026-01-01',
    '/3/accounts?sru=1',
    '/3/companyinformation?x=1',
    '/3/voucherseries?sortby=x',
  ])('a parameter it does not know is refused: %s', async (path) => {
    expect(await get(path)).toMatchObject(refusal(2000588));
  });
});

describe('the limit', () => {
  it('is 25 requests in any 5 seconds, sliding', async () => {
    await control('clock', { now: 1_800_000_000 });
    token = await freshToken();
    for (let n = 0; n < 20; n += 1) expect((await get('/3/companyinformation')).status).toBe(200);
    await control('clock', { advanceSeconds: 4 });
    for (let n = 0; n < 5; n += 1) expect((await get('/3/companyinformation')).status).toBe(200);
    expect(await get('/3/companyinformation')).toMatchObject({ status: 429, text: 'Too Many Requests' });
    await control('clock', { advanceSeconds: 2 });
    for (let n = 0; n < 20; n += 1) expect((await get('/3/companyinformation')).status).toBe(200);
    expect((await get('/3/companyinformation')).status).toBe(429);
  });
});

describe('faults', () => {
  async function arm(fault: Record<string, unknown>): Promise<void> {
    expect(await control('faults', fault)).toMatchObject({ status: 200 });
  }

  it('commits, then drops the connection', async () => {
    await arm({ kind: 'commit_then_drop', method: 'POST', path: '/3/vouchers' });
    await expect(post()).rejects.toThrow();
    expect(emulator.core.state().vouchers).toHaveLength(1);
    expect(await post()).toMatchObject({ status: 201 });
  });

  it('hangs without doing anything, then drops', async () => {
    await arm({ kind: 'timeout_before', method: 'POST', delayMs: 20 });
    await expect(post()).rejects.toThrow();
    expect(emulator.core.state().vouchers).toHaveLength(0);
  });

  it.each([
    ['error_500_before', 500, 0],
    ['error_500_after', 500, 1],
    ['rate_limit', 429, 0],
    ['html_error', 200, 0],
    ['unauthorized', 401, 0],
  ])('%s answers %i with %i vouchers posted, as often as armed', async (kind, status, posted) => {
    await arm({ kind, method: 'POST', path: '/3/vouchers', times: 1 });
    const reply = await post();
    expect(reply.status).toBe(status);
    if (kind === 'html_error') expect(reply.text).toMatch('<html>');
    expect(emulator.core.state().vouchers).toHaveLength(posted);
    expect(await post()).toMatchObject({ status: 201 });
  });

  it('leaves the token call alone unless it is named', async () => {
    await arm({ kind: 'unauthorized' });
    expect(await askToken()).toMatchObject({ status: 200 });
    await arm({ kind: 'error_500_before', path: '/oauth-v1/token' });
    expect(await askToken()).toMatchObject({ status: 500 });
    expect(await get('/3/companyinformation')).toMatchObject({ status: 401 });
  });

  it('lists and disarms them', async () => {
    await arm({ kind: 'rate_limit', times: 3 });
    expect((await get('/_emulator/faults')).body).toMatchObject({ faults: [{ kind: 'rate_limit', times: 3 }] });
    await control('faults', {}, 'DELETE');
    expect((await get('/_emulator/faults')).body).toEqual({ faults: [] });
  });
});

describe('the control API', () => {
  it('lists its routes and says it is up', async () => {
    expect((await get('/_emulator')).body).toHaveProperty('GET /_emulator/health');
    expect((await get('/_emulator/health')).body).toMatchObject({ ok: true, emulator: 'fortnox' });
    expect(await get('/_emulator/nothing')).toMatchObject({ status: 404 });
  });

  it.each([
    ['faults', { kind: 'nothing' }],
    ['faults', { kind: 'rate_limit', times: 0 }],
    ['faults', { kind: 'rate_limit', path: 'vouchers' }],
    ['faults', { kind: 'rate_limit', when: 'now' }],
    ['clock', {}],
    ['clock', { advanceSeconds: 1, now: 1 }],
    ['clock', { advanceSeconds: -1 }],
    ['state', { lockedPeriod: 'yesterday' }],
    ['state', { preselectedYear: 9 }],
    ['state', { accounts: [{ number: 5 }] }],
    ['state', { series: [{ manual: true }] }],
    ['state', { vouchers: [] }],
  ])('refuses %s %j', async (path, body) => {
    const before = (await get('/_emulator/state')).body;
    expect(await control(path, body)).toMatchObject({ status: 400, body: { error: expect.any(String) as unknown } });
    expect((await get('/_emulator/state')).body).toEqual(before);
  });

  it('records what was asked and answered, without secrets', async () => {
    await post();
    const { text, body } = await get('/_emulator/requests');
    expect(body.requests).toMatchObject([
      { method: 'POST', url: '/oauth-v1/token', status: 200, fault: null, body: null },
      { method: 'POST', url: '/3/vouchers?financialyear=2', status: 201, fault: null },
    ]);
    expect(text).not.toMatch(token);
  });

  it('forgets everything on reset', async () => {
    await post();
    await control('clock', { now: 2_000_000_000 });
    await control('reset', {});
    expect(emulator.core.state()).toMatchObject({ vouchers: [], tokens: {}, clockOffsetMs: 0, requests: [] });
  });
});
