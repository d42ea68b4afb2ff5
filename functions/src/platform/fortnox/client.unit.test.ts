import { startFortnoxEmulator } from '../../../../emulators/fortnox/index.ts';
import type { FaultKind, FortnoxEmulator } from '../../../../emulators/fortnox/index.ts';
import { createFortnoxClient, FortnoxError } from './index.ts';
import type { FortnoxClient, FortnoxClientConfig, NewVoucher } from './index.ts';

/** The product's client against the emulator, over HTTP. */

let emulator: FortnoxEmulator;
let client: FortnoxClient;
let slept: number[];
let year: number;

const SECRETS = {
  clientId: 'fortnox-emulator-client',
  clientSecret: 'fortnox-emulator-secret',
  tenantId: '100001',
};

async function control(path: string, body: unknown): Promise<void> {
  const response = await fetch(`${emulator.url}/_emulator/${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
}

async function arm(kind: FaultKind, more: Record<string, unknown> = {}): Promise<void> {
  await control('faults', { kind, ...more });
}

function makeClient(changes: Partial<FortnoxClientConfig> = {}): FortnoxClient {
  return createFortnoxClient({
    apiBase: emulator.url,
    ...SECRETS,
    now: () => new Date(),
    sleep: async (ms) => {
      slept.push(ms);
    },
    ...changes,
  });
}

/** What was asked of the emulator, as "METHOD path -> status". */
function asked(): string[] {
  return emulator.core
    .state()
    .requests.map(({ method, url, status }) => `${method} ${url.split('?')[0] ?? ''} -> ${status ?? 'dropped'}`);
}

function posts(): string[] {
  return asked().filter((one) => one.startsWith('POST /3/vouchers'));
}

async function failure(promise: Promise<unknown>): Promise<FortnoxError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof FortnoxError)) throw new Error(`expected a FortnoxError, got ${String(error)}`);
  return error;
}

function voucher(changes: Partial<NewVoucher> = {}): NewVoucher {
  return {
    financialYearId: 2,
    series: 'S',
    date: `${year}-03-02`,
    description: 'Stripe ch_1 SALE key1',
    rows: [
      { account: 1686, debitMinor: 49900, creditMinor: 0, text: 'ch_1' },
      { account: 3001, debitMinor: 0, creditMinor: 40000 },
      { account: 3921, debitMinor: 0, creditMinor: 9900 },
    ],
    ...changes,
  };
}

beforeAll(async () => {
  emulator = await startFortnoxEmulator();
});

afterAll(async () => emulator.close());

beforeEach(async () => {
  await control('reset', {});
  slept = [];
  year = new Date().getUTCFullYear();
  client = makeClient();
});

describe('reading', () => {
  it('finds the financial year of a day by its id, and none that is not created', async () => {
    expect(await client.financialYear(`${year}-06-15`)).toEqual({ id: 2, from: `${year}-01-01`, to: `${year}-12-31` });
    expect(await client.financialYear(`${year + 1}-01-01`)).toMatchObject({ id: 3 });
    expect(await client.financialYear(`${year + 5}-01-01`)).toBeNull();
  });

  it('reads accounts and series per year, null when there is none', async () => {
    await control('state', { accounts: [{ number: 3001, financialYear: 3, active: false }] });
    expect(await client.account(3001, 2)).toMatchObject({ number: 3001, active: true });
    expect(await client.account(3001, 3)).toMatchObject({ number: 3001, active: false });
    expect(await client.account(1580, 2)).toBeNull();
    expect(await client.activeAccounts(2)).toEqual(expect.arrayContaining([1686, 3001, 5090]));
    expect(await client.activeAccounts(3)).not.toContain(3001);
    await control('state', {
      accounts: Array.from({ length: 1_200 }, (_, i) => ({ number: 7_000 + i, financialYear: 4 })),
    });
    expect(await client.activeAccounts(4)).toEqual(expect.arrayContaining([1686, 7_000, 8_199]));
    expect(await client.voucherSeries('S', 2)).toEqual({
      code: 'S',
      description: 'Stripe',
      manual: true,
      nextVoucherNumber: 1,
    });
    expect(await client.voucherSeries('F', 2)).toMatchObject({ manual: false });
    expect(await client.voucherSeries('Q', 2)).toBeNull();
  });

  it('reads the company and the locked period', async () => {
    expect(await client.companyInformation()).toEqual({
      name: 'Inner Journey AB',
      organizationNumber: '556000-0001',
      databaseNumber: 100001,
    });
    expect(await client.lockedPeriod()).toBeNull();
    await control('state', { lockedPeriod: `${year}-01-31` });
    expect(await client.lockedPeriod()).toBe(`${year}-01-31`);
  });

  it.each<[FaultKind, number]>([
    ['rate_limit', 3],
    ['error_500_before', 3],
    ['commit_then_drop', 3],
  ])('asks again after %s, with growing waits', async (kind, times) => {
    await arm(kind, { times });
    expect(await client.companyInformation()).toMatchObject({ name: 'Inner Journey AB' });
    expect(slept).toEqual([1000, 2000, 4000]);
  });

  it.each<[FaultKind, string]>([
    ['rate_limit', 'rate_limited'],
    ['error_500_before', 'unknown'],
    ['commit_then_drop', 'unknown'],
  ])('gives up on %s after four attempts: %s', async (kind, expected) => {
    await arm(kind, { times: 9 });
    expect(await failure(client.companyInformation())).toMatchObject({ kind: expected });
    expect(asked().filter((one) => one.startsWith('GET'))).toHaveLength(4);
  });

  it('does not take a page of HTML for an answer', async () => {
    await arm('html_error');
    expect(await failure(client.lockedPeriod())).toMatchObject({ kind: 'unknown', status: 200 });
  });
});

describe('tokens', () => {
  it('fetches one for many calls, also when they start together', async () => {
    await Promise.all([client.lockedPeriod(), client.lockedPeriod(), client.companyInformation()]);
    await client.lockedPeriod();
    expect(asked().filter((one) => one.includes('token'))).toEqual(['POST /oauth-v1/token -> 200']);
  });

  it('renews a minute before the hour is over, without a refused call', async () => {
    let nowMs = Date.now();
    client = makeClient({ now: () => new Date(nowMs) });
    await client.lockedPeriod();
    nowMs += 3539_000;
    await client.lockedPeriod();
    nowMs += 1_000;
    await client.lockedPeriod();
    const get = 'GET /3/settings/lockedperiod -> 200';
    const token = 'POST /oauth-v1/token -> 200';
    expect(asked()).toEqual([token, get, get, token, get]);
  });

  it('renews once on a 401 and makes the call again, a voucher too', async () => {
    await client.lockedPeriod();
    await control('clock', { advanceSeconds: 3600 });
    expect(await client.createVoucher(voucher())).toEqual({ series: 'S', number: 1, financialYearId: 2 });
    expect(posts()).toEqual(['POST /3/vouchers -> 401', 'POST /3/vouchers -> 201']);
  });

  it('does not go on after a second 401', async () => {
    await arm('unauthorized', { times: 2 });
    expect(await failure(client.createVoucher(voucher()))).toMatchObject({ kind: 'unauthorized', status: 401 });
    expect(posts()).toHaveLength(2);
  });

  it.each([
    ['a wrong secret', { clientSecret: 'wrong' }, 401, /invalid_client/],
    ['another tenant', { tenantId: '7' }, 400, /invalid_grant/],
  ])('says which setting to check for %s', async (_what, changes, status, message) => {
    const error = await failure(makeClient(changes).createVoucher(voucher()));
    expect(error).toMatchObject({ kind: 'unauthorized', status });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch('FORTNOX_TENANT_ID');
    expect(posts()).toEqual([]);
  });

  it('asks for the token again when the token host stumbles', async () => {
    await arm('error_500_before', { path: '/oauth-v1/token', times: 2 });
    expect(await client.lockedPeriod()).toBeNull();
    expect(slept).toEqual([1000, 2000]);
  });

  it('gives up on a token host that stays down after four attempts', async () => {
    await arm('error_500_before', { path: '/oauth-v1/token', times: 9 });
    expect(await failure(client.lockedPeriod())).toMatchObject({ kind: 'unknown', status: 500 });
    expect(asked()).toHaveLength(4);
  });

  it('takes tokens from another host when told', async () => {
    const nowhere = makeClient({ tokenBase: 'http://127.0.0.1:1' });
    expect(await failure(nowhere.lockedPeriod())).toMatchObject({ kind: 'unknown' });
    expect(asked()).toEqual([]);
  });
});

describe('posting', () => {
  it('posts exact amounts and reads them back', async () => {
    const rows = [
      { account: 1686, debitMinor: 7984 + 1996, creditMinor: 0, text: 'ch_1' },
      { account: 3001, debitMinor: 0, creditMinor: 7984 },
      { account: 2611, debitMinor: 0, creditMinor: 1996 },
    ];
    expect(await client.createVoucher(voucher({ rows }))).toEqual({ series: 'S', number: 1, financialYearId: 2 });
    expect(emulator.core.state().requests.at(-1)?.body).toMatch('"Debit":99.80,"Credit":0.00');
    expect(await client.voucher('S', 1, 2)).toEqual({
      series: 'S',
      number: 1,
      financialYearId: 2,
      description: 'Stripe ch_1 SALE key1',
      date: `${year}-03-02`,
      rows: rows.map((row) => ({ ...row, text: row.text ?? '' })),
    });
    expect(await client.voucher('S', 2, 2)).toBeNull();
  });

  it('carries what Fortnox refused: code, text, status', async () => {
    await control('state', { lockedPeriod: `${year}-12-31` });
    const locked = await failure(client.createVoucher(voucher()));
    expect(locked).toMatchObject({ kind: 'rejected', code: 2000401, status: 400 });
    expect(locked.fortnoxMessage).toMatch('har låst perioden');
    await control('state', { lockedPeriod: null });
    expect(await failure(client.createVoucher(voucher({ series: 'F' })))).toMatchObject({
      kind: 'rejected',
      fortnoxMessage: 'Verifikationsserien är inte manuell (F)',
    });
    const missing = [
      { account: 1580, debitMinor: 100, creditMinor: 0 },
      { account: 3001, debitMinor: 0, creditMinor: 100 },
    ];
    expect(await failure(client.createVoucher(voucher({ rows: missing })))).toMatchObject({
      kind: 'rejected',
      code: 2000423,
    });
    await control('state', { accounts: [{ number: 3001, active: false }] });
    expect(await failure(client.createVoucher(voucher()))).toMatchObject({ kind: 'rejected', code: 2000550 });
    expect(await failure(client.createVoucher(voucher({ financialYearId: 9 })))).toMatchObject({
      kind: 'not_found',
      status: 404,
    });
    expect(emulator.core.state().vouchers).toEqual([]);
  });

  it('is unknown when Fortnox commits and drops the connection; the voucher is found, and posted once', async () => {
    await arm('commit_then_drop', { method: 'POST', path: '/3/vouchers' });
    expect(await failure(client.createVoucher(voucher()))).toMatchObject({ kind: 'unknown' });
    expect(posts()).toEqual(['POST /3/vouchers -> dropped']);
    expect(await client.findVouchers({ series: 'S', date: `${year}-03-02`, financialYearId: 2 })).toEqual([
      { series: 'S', number: 1, description: 'Stripe ch_1 SALE key1', date: `${year}-03-02` },
    ]);
  });

  it.each<[FaultKind, Record<string, unknown>, number]>([
    ['error_500_after', {}, 1],
    ['error_500_before', {}, 0],
    ['html_error', {}, 0],
    ['timeout_before', { delayMs: 5000 }, 0],
  ])('is unknown after %s, and not sent again', async (kind, more, posted) => {
    client = makeClient({ timeoutMs: 300 });
    await client.lockedPeriod();
    await arm(kind, { method: 'POST', path: '/3/vouchers', times: 5, ...more });
    expect(await failure(client.createVoucher(voucher()))).toMatchObject({ kind: 'unknown' });
    expect(posts()).toHaveLength(1);
    expect(slept).toEqual([]);
    expect(emulator.core.state().vouchers).toHaveLength(posted);
    expect(await client.findVouchers({ series: 'S', date: `${year}-03-02`, financialYearId: 2 })).toHaveLength(posted);
  });

  it('waits out a 429, which Fortnox answers unread', async () => {
    await arm('rate_limit', { method: 'POST', path: '/3/vouchers', times: 2 });
    expect(await client.createVoucher(voucher())).toMatchObject({ number: 1 });
    expect(slept).toEqual([1000, 2000]);
    expect(emulator.core.state().vouchers).toHaveLength(1);
  });

  it('comes through the real limit: 60 vouchers, each posted once', async () => {
    // Waiting moves the emulator's clock instead of the test's.
    client = makeClient({ sleep: async (ms) => control('clock', { advanceSeconds: ms / 1000 }) });
    for (let n = 1; n <= 60; n += 1) {
      expect(await client.createVoucher(voucher({ description: `key${n}` }))).toMatchObject({ number: n });
    }
    expect(posts().filter((one) => one.endsWith('429')).length).toBeGreaterThan(0);
    expect(emulator.core.state().vouchers).toHaveLength(60);
  });

  it.each<[string, Partial<NewVoucher>, RegExp]>([
    ['one row', { rows: [] }, /at least two/],
    [
      'debit that is not credit',
      {
        rows: [
          { account: 1686, debitMinor: 1, creditMinor: 0 },
          { account: 3001, debitMinor: 0, creditMinor: 2 },
        ],
      },
      /equal/,
    ],
    [
      'half an öre',
      {
        rows: [
          { account: 1686, debitMinor: 0.5, creditMinor: 0 },
          { account: 3001, debitMinor: 0, creditMinor: 0.5 },
        ],
      },
      /whole öre/,
    ],
    [
      'a negative amount',
      {
        rows: [
          { account: 1686, debitMinor: -1, creditMinor: 0 },
          { account: 3001, debitMinor: 0, creditMinor: -1 },
        ],
      },
      /not negative/,
    ],
    [
      'more digits than Fortnox takes',
      {
        rows: [
          { account: 1686, debitMinor: 100_000_000_000_000, creditMinor: 0 },
          { account: 3001, debitMinor: 0, creditMinor: 100_000_000_000_000 },
        ],
      },
      /14 digits/,
    ],
    ['a bad character', { description: 'a | b' }, /sanitizeText/],
    ['no description', { description: '' }, /empty/],
    ['a long description', { description: 'x'.repeat(201) }, /too long/],
    ['no year', { financialYearId: 0 }, /financial year/],
    ['no date', { date: '2026-3-2' }, /date/],
    ['no series', { series: '' }, /series/],
  ])('refuses %s before anything is sent', async (_what, changes, message) => {
    const error = await failure(client.createVoucher(voucher(changes)));
    expect(error).toMatchObject({ kind: 'rejected' });
    expect(error.status).toBeUndefined();
    expect(error.message).toMatch(message);
    expect(asked()).toEqual([]);
  });
});

describe('finding vouchers', () => {
  it('reads every page of one series on one day', async () => {
    const state = emulator.core.state();
    for (let number = 1; number <= 1203; number += 1) {
      state.vouchers.push({
        series: 'S',
        number,
        financialYear: 2,
        date: number === 7 ? `${year}-03-03` : `${year}-03-02`,
        description: `key${number}`,
        comments: null,
        costCenter: '',
        rows: [],
        createdAtMs: 0,
      });
    }
    const found = await client.findVouchers({ series: 'S', date: `${year}-03-02`, financialYearId: 2 });
    expect(found).toHaveLength(1202);
    expect(found.at(-1)).toMatchObject({ number: 1203, description: 'key1203' });
    expect(found.some(({ number }) => number === 7)).toBe(false);
    expect(asked().filter((one) => one.startsWith('GET'))).toHaveLength(3);
    expect(await client.findVouchers({ series: 'S', date: `${year}-03-02`, financialYearId: 1 })).toEqual([]);
  });
});
