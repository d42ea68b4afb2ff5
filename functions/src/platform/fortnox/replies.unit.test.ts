import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFortnoxClient, FortnoxError } from './index.ts';
import type { FortnoxClient, FortnoxClientConfig } from './index.ts';

/** Replies the emulator does not give but Fortnox, or what stands before it, might. */

type Scripted = { status: number; headers?: Record<string, string>; body: string };

let server: Server;
let client: FortnoxClient;
let script: (Scripted | 'silence')[];
let calls: string[];
let slept: number[];

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    calls.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const token = { status: 200, body: '{"access_token":"t","expires_in":3600,"token_type":"bearer"}' };
    const next: Scripted | 'silence' | undefined = request.url === '/oauth-v1/token' ? token : script.shift();
    if (next === 'silence') return;
    const { status, headers, body } = next ?? { status: 599, body: 'the script is over' };
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});

afterAll(async () => {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
});

beforeEach(() => {
  script = [];
  calls = [];
  slept = [];
  client = clientWith({});
});

const clientWith = (changes: Partial<FortnoxClientConfig>): FortnoxClient =>
  createFortnoxClient({
    apiBase: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clientId: 'id',
    clientSecret: 'secret',
    tenantId: '1',
    now: () => new Date('2026-11-20T08:00:00Z'),
    sleep: async (ms) => {
      slept.push(ms);
    },
    ...changes,
  });

async function post(): Promise<unknown> {
  const rows = [
    { account: 1686, debitMinor: 100, creditMinor: 0 },
    { account: 3001, debitMinor: 0, creditMinor: 100 },
  ];
  return client
    .createVoucher({ financialYearId: 1, series: 'S', date: '2026-11-20', description: 'key', rows })
    .catch((error: unknown) => error);
}

function json(status: number, value: unknown, headers: Record<string, string> = {}): Scripted {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

describe('errors', () => {
  it.each<[string, Scripted, object]>([
    [
      'lower-case',
      json(400, { ErrorInformation: { error: 1, message: 'Nej', code: 2000401 } }),
      { kind: 'rejected', code: 2000401, fortnoxMessage: 'Nej', status: 400 },
    ],
    [
      'Pascal-case with a code as text, sent as text/html',
      {
        status: 403,
        headers: { 'content-type': 'text/html' },
        body: '{"errorInformation":{"Error":1,"Message":"Nej","Code":"2000663"}}',
      },
      { kind: 'rejected', code: 2000663, fortnoxMessage: 'Nej', status: 403 },
    ],
    [
      'without a code',
      json(400, { ErrorInformation: { message: 'Nej' } }),
      { kind: 'rejected', fortnoxMessage: 'Nej' },
    ],
    [
      'a 404',
      json(404, { ErrorInformation: { Message: 'Saknas', Code: 2000434 } }),
      { kind: 'not_found', code: 2000434 },
    ],
    ['a proxy 400', { status: 400, body: '<html>Bad Request</html>' }, { kind: 'unknown', status: 400 }],
    ['a proxy 404', { status: 404, body: '' }, { kind: 'unknown', status: 404 }],
    ['a redirect', { status: 307, headers: { location: '/elsewhere' }, body: '' }, { kind: 'unknown', status: 307 }],
    [
      'a 500 with ErrorInformation',
      json(500, { ErrorInformation: { Code: 1000003 } }),
      { kind: 'unknown', status: 500 },
    ],
    ['a 502', { status: 502, body: '<html>' }, { kind: 'unknown', status: 502 }],
    ['a 201 without JSON', { status: 201, body: '<html>' }, { kind: 'unknown', status: 201 }],
    ['a 201 without a number', json(201, { Voucher: { VoucherSeries: 'S' } }), { kind: 'unknown', status: 201 }],
    ['an empty 201', { status: 201, body: '' }, { kind: 'unknown', status: 201 }],
  ])('%s', async (_what, reply, expected) => {
    script = [reply];
    const error = await post();
    expect(error).toBeInstanceOf(FortnoxError);
    expect(error).toMatchObject(expected);
    expect(calls).toEqual(['POST /oauth-v1/token', 'POST /3/vouchers?financialyear=1']);
    expect(slept).toEqual([]);
  });

  it('carries no secret and no token', async () => {
    script = [{ status: 502, body: '' }];
    const error = (await post()) as FortnoxError;
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toMatch(/secret|Bearer|Basic/);
  });
});

describe('waiting', () => {
  const created = json(201, { Voucher: { VoucherSeries: 'S', VoucherNumber: 7, Year: 1 } });

  it.each<[string, number]>([
    ['3', 3000],
    ['Fri, 20 Nov 2026 08:00:05 GMT', 5000],
    ['soon', 1000],
  ])('takes Retry-After: %s', async (header, ms) => {
    script = [{ status: 429, headers: { 'retry-after': header }, body: 'Too Many Requests' }, created];
    expect(await post()).toEqual({ series: 'S', number: 7, financialYearId: 1 });
    expect(slept).toEqual([ms]);
  });

  it('leaves a long wait to the caller', async () => {
    script = [{ status: 429, headers: { 'retry-after': '60' }, body: '' }];
    expect(await post()).toMatchObject({ kind: 'rate_limited', status: 429, retryAfterMs: 60_000 });
    expect(slept).toEqual([]);
  });
});

describe("a year's books", () => {
  const read = async (fortnox: FortnoxClient) => {
    const found = [];
    for await (const voucher of fortnox.vouchersOfYear(1)) found.push(voucher);
    return found;
  };
  const books = '#FORMAT PC8\n#SIETYP 4\n#VER "S" 1 20261120 "key"\n{\n}\n';

  it('that are not answered in time are not waited for again; what fails at once is asked again', async () => {
    script = ['silence'];
    await expect(read(clientWith({ timeoutMs: 50 }))).rejects.toMatchObject({ kind: 'unknown', timedOut: true });
    expect(calls.filter((call) => call.includes('/3/sie/4'))).toHaveLength(1);
    script = [
      { status: 502, body: 'Bad gateway' },
      { status: 200, body: books },
    ];
    expect(await read(client)).toMatchObject([{ series: 'S', number: 1, description: 'key' }]);
  });
});

describe('odd answers', () => {
  it('takes an empty list of no pages', async () => {
    const meta = { '@TotalResources': 0, '@TotalPages': 0, '@CurrentPage': 1 };
    script = [json(200, { MetaInformation: meta, Vouchers: [] })];
    expect(await client.findVouchers({ series: 'S', date: '2026-11-20', financialYearId: 1 })).toEqual([]);
  });

  it('does not take a list without its count for a whole one', async () => {
    script = [json(200, { Vouchers: [] })];
    await expect(client.findVouchers({ series: 'S', date: '2026-11-20', financialYearId: 1 })).rejects.toMatchObject({
      kind: 'unknown',
    });
  });

  it('stops reading pages that never end', async () => {
    const meta = { '@TotalResources': 1e6, '@TotalPages': 1e6, '@CurrentPage': 1 };
    script = Array.from({ length: 101 }, () => json(200, { MetaInformation: meta, Vouchers: [] }));
    await expect(client.findVouchers({ series: 'S', date: '2026-11-20', financialYearId: 1 })).rejects.toMatchObject({
      kind: 'unknown',
    });
    expect(script).toHaveLength(1);
  });

  it.each([
    [{}],
    [{ LockedPeriod: {} }],
    [{ LockedPeriod: null }],
    [{ LockedPeriod: { EndDate: null } }],
    [{ LockedPeriod: { EndDate: '' } }],
  ])('reads %j as nothing locked', async (body) => {
    script = [json(200, body)];
    expect(await client.lockedPeriod()).toBeNull();
  });

  it('does not take "No such route" for a thing that does not exist', async () => {
    script = [json(404, { ErrorInformation: { Error: 1, Message: 'No such route', Code: 2000762 } })];
    await expect(client.account(1686, 1)).rejects.toMatchObject({ kind: 'not_found', code: 2000762 });
  });

  it('leaves out struck rows and refuses amounts finer than an öre', async () => {
    const row = (Debit: number, Removed: boolean) => ({
      Account: 1686,
      Debit,
      Credit: 0,
      TransactionInformation: null,
      Removed,
    });
    const body = (rows: object[]) =>
      json(200, {
        Voucher: {
          VoucherSeries: 'S',
          VoucherNumber: 1,
          Year: 1,
          Description: 'x',
          TransactionDate: '2026-11-20',
          VoucherRows: rows,
        },
      });
    script = [body([row(1.1, true), row(2.2, false)]), body([row(0.001, false)])];
    expect(await client.voucher('S', 1, 1)).toMatchObject({ rows: [{ debitMinor: 220, text: '' }] });
    await expect(client.voucher('S', 1, 1)).rejects.toMatchObject({ kind: 'unknown' });
  });
});
