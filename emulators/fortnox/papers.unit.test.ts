import { watchFortnox } from '../contract-coverage.ts';
import { FORTNOX_EMULATOR_DEFAULTS, startFortnoxEmulator } from './index.ts';
import type { FortnoxEmulator } from './index.ts';

/** Files, SIE, filters and settings, over HTTP with fetch. */

const { clientId, clientSecret, tenantId } = FORTNOX_EMULATOR_DEFAULTS;

let emulator: FortnoxEmulator;
let token: string;
let year: number;

beforeAll(async () => {
  emulator = await startFortnoxEmulator();
  watchFortnox(emulator.core);
});

afterAll(async () => emulator.close());

beforeEach(async () => {
  await control('reset', {});
  const response = await fetch(`${emulator.url}/oauth-v1/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
      TenantId: String(tenantId),
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  token = ((await response.json()) as { access_token: string }).access_token;
  year = new Date().getUTCFullYear();
});

async function control(path: string, body: unknown): Promise<void> {
  const response = await fetch(`${emulator.url}/_emulator/${path}`, { method: 'POST', body: JSON.stringify(body) });
  expect({ status: response.status, text: await response.text() }).toMatchObject({ status: 200 });
}

async function send(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  // A pause long enough would leave the limit alone too, but costs a second a test.
  emulator.core.state().window = {};
  const response = await fetch(`${emulator.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

const get = (path: string) => send('GET', path);

function refusal(code: number): object {
  return { status: 400, body: { ErrorInformation: { code } } };
}

type Posted = { series?: string; date?: string; costCenter?: string; rowCenter?: string; text?: string };

async function post(description: string, more: Posted = {}, financialYear = 2): Promise<void> {
  const { series = 'S', date = `${year}-03-02`, costCenter, rowCenter, text = '' } = more;
  const Voucher = {
    Description: description,
    TransactionDate: date,
    VoucherSeries: series,
    ...(costCenter === undefined ? {} : { CostCenter: costCenter }),
    VoucherRows: [
      { Account: 1686, Debit: 499, Credit: 0, TransactionInformation: text, CostCenter: rowCenter ?? '' },
      { Account: 3001, Debit: 0, Credit: 400 },
      { Account: 3921, Debit: 0, Credit: 99 },
    ],
  };
  expect((await send('POST', `/3/vouchers?financialyear=${financialYear}`, { Voucher })).status).toBe(201);
}

async function listed(query: string): Promise<string[]> {
  const { body } = await get(`/3/vouchers${query}`);
  return ((body as { Vouchers?: { Description: string }[] }).Vouchers ?? []).map((one) => one.Description);
}

describe('lists of vouchers', () => {
  beforeEach(async () => {
    await control('state', { costCenters: [{ code: 'KS1', description: 'Göteborg' }] });
    await post('a1', { series: 'A', date: `${year}-03-05` });
    await post('s1', { date: `${year}-03-04`, costCenter: 'KS1' });
    await post('s2', { date: `${year}-03-03`, rowCenter: 'KS1' });
  });

  it.each([
    ['?financialyear=2&voucherseries=S', ['s1', 's2']],
    ['?financialyear=2&costcenter=KS1', ['s1', 's2']],
    ['/sublist/S?financialyear=2&sortby=transactiondate', ['s2', 's1']],
    ['?financialyear=2&sortby=vouchernumber&sortorder=descending', ['s2', 's1', 'a1']],
    ['?financialyear=2&sortorder=descending', ['s2', 's1', 'a1']],
    ['?financialyear=2&offset=1', ['s1', 's2']],
    ['?financialyear=2&offset=1&limit=1&page=2', ['s2']],
    ['?financialyear=3', []],
  ])('%s gives %j', async (query, expected) => {
    expect(await listed(query)).toEqual(expected);
  });

  it('take the dates with a filter, and the year by a day in it', async () => {
    expect(await listed(`?financialyeardate=${year}-12-31&voucherseries=S&fromdate=${year}-03-04`)).toEqual(['s1']);
    expect(await get('/3/vouchers?financialyeardate=1999-01-01')).toMatchObject({ status: 404 });
  });

  it('take one filter of their own at a time, and no other', async () => {
    expect(await get('/3/vouchers?voucherseries=S&costcenter=KS1')).toMatchObject(refusal(2000587));
    expect(await get('/3/vouchers/sublist/S?voucherseries=S')).toMatchObject(refusal(2000587));
    expect(await get('/3/vouchers?costcenter=KS2')).toMatchObject(refusal(2000587));
    expect(await get('/3/vouchers?filter=unpaid')).toMatchObject(refusal(2000587));
  });

  it('know what is new since a minute, in Swedish time', async () => {
    await control('clock', { now: Math.floor(Date.UTC(year - 1, 6, 1, 10, 30) / 1000) });
    await post('new');
    const since = async (minute: string) => listed(`?financialyear=2&lastmodified=${year - 1}-07-01%20${minute}`);
    expect(await since('12:30')).toEqual(['a1', 's1', 's2', 'new']);
    expect(await since('12:31')).toEqual(['a1', 's1', 's2']);
  });
});

describe('cost centres', () => {
  it('are refused in a voucher while the company has none of that code', async () => {
    const Voucher = {
      Description: 'x',
      TransactionDate: `${year}-03-02`,
      VoucherSeries: 'S',
      CostCenter: 'KS9',
      VoucherRows: [
        { Account: 1686, Debit: 1, Credit: 0 },
        { Account: 3001, Debit: 0, Credit: 1 },
      ],
    };
    expect((await send('POST', '/3/vouchers?financialyear=2', { Voucher })).status).toBe(400);
    await control('state', { costCenters: [{ code: 'KS9' }] });
    expect(await send('POST', '/3/vouchers?financialyear=2', { Voucher })).toMatchObject({
      status: 201,
      body: { Voucher: { CostCenter: 'KS9' } },
    });
    expect((await get('/3/costcenters')).body).toMatchObject({ CostCenters: [{ Code: 'KS9', Active: true }] });
    const odd = { Voucher: { ...Voucher, VoucherSeries: 'S-1' } };
    expect(await send('POST', '/3/vouchers?financialyear=2', odd)).toMatchObject(refusal(2000106));
  });
});

describe('settings', () => {
  it('name the company, its VAT number and who asks', async () => {
    expect((await get('/3/settings/company')).body).toMatchObject({
      CompanySettings: { Name: 'Inner Journey AB', VATNumber: 'SE556000000101', DatabaseNumber: '100001' },
    });
    expect((await get('/3/me')).body).toMatchObject({ MeInformation: { SysAdmin: true, Locale: 'sv-SE' } });
  });

  it('have predefined accounts, which are changed to accounts that exist and are active', async () => {
    expect((await get('/3/predefinedaccounts')).body).toMatchObject({ MetaInformation: { '@TotalResources': 6 } });
    const put = (Account: unknown) => send('PUT', '/3/predefinedaccounts/SALES', { PreDefinedAccount: { Account } });
    expect(await put(3002)).toMatchObject({
      status: 200,
      body: { PreDefinedAccount: { Name: 'SALES', Account: 3002 } },
    });
    expect(await put(1580)).toMatchObject(refusal(2001265));
    expect(await put(99)).toMatchObject(refusal(2002462));
    expect(await put(undefined)).toMatchObject(refusal(2001392));
    expect((await get('/3/predefinedaccounts/SALES')).body).toMatchObject({ PreDefinedAccount: { Account: 3002 } });
    expect(await get('/3/predefinedaccounts/constructor')).toMatchObject({ status: 404 });
  });
});

describe('files', () => {
  const paper = Buffer.from([0x25, 0x50, 0x44, 0x46, 0x00, 0xff, 0x0d, 0x0a, 0x2d, 0x2d]);

  async function upload(path = 'inbox_v', field = 'file'): Promise<{ status: number; body: unknown }> {
    const form = new FormData();
    form.set(field, new Blob([paper], { type: 'application/pdf' }), 'kvitto åäö.pdf');
    return send('POST', `/3/inbox?path=${path}`, form);
  }

  async function fileIds(): Promise<{ Id: string; ArchiveFileId: string }> {
    return ((await upload()).body as { File: { Id: string; ArchiveFileId: string } }).File;
  }

  const connect = (FileId: string, query = '', VoucherNumber: unknown = '1') =>
    send('POST', `/3/voucherfileconnections${query}`, {
      VoucherFileConnection: { FileId, VoucherSeries: 'S', VoucherNumber },
    });

  it('come up as multipart and down byte for byte', async () => {
    const uploaded = await upload();
    expect(uploaded).toMatchObject({
      status: 201,
      body: { File: { Name: 'kvitto åäö.pdf', Path: 'inbox_v', Size: paper.length } },
    });
    const { Id, ArchiveFileId } = (uploaded.body as { File: { Id: string; ArchiveFileId: string } }).File;
    expect(Id).not.toBe(ArchiveFileId);
    const response = await fetch(`${emulator.url}/3/inbox/${Id}`, { headers: { authorization: `Bearer ${token}` } });
    expect(Buffer.from(await response.arrayBuffer())).toEqual(paper);
  });

  it('are refused to another inbox, in another field, and as no file', async () => {
    expect(await upload('inbox_s')).toMatchObject(refusal(2000588));
    expect(await upload('inbox_v', 'paper')).toMatchObject(refusal(2001392));
    expect(await send('POST', '/3/inbox?path=inbox_v', {})).toMatchObject(refusal(1000031));
  });

  it('are connected to a voucher, whose number is a text here', async () => {
    await post('one');
    const { Id } = await fileIds();
    const connected = await connect(Id, '?financialyear=2');
    expect(connected).toMatchObject({
      status: 201,
      body: {
        VoucherFileConnection: {
          FileId: Id,
          VoucherNumber: '1',
          VoucherSeries: 'S',
          VoucherYear: 2,
          VoucherDescription: 'one',
        },
      },
    });
    expect((await get(`/3/voucherfileconnections/${Id}`)).body).toEqual(connected.body);
    expect((await get('/3/voucherfileconnections')).body).toMatchObject({ VoucherFileConnections: [{ FileId: Id }] });
    expect(await connect(Id, '?financialyear=2', 1)).toMatchObject(refusal(2001392));
    expect(await connect(Id, '?financialyear=2', '9')).toMatchObject({ status: 404 });
    expect(await connect('unknown', '?financialyear=2')).toMatchObject({ status: 404 });
  });

  it('without the year go to the voucher of that number in the preselected year', async () => {
    await post('this year');
    await post('next year', { date: `${year + 1}-01-05` }, 3);
    const { Id } = await fileIds();
    await control('state', { preselectedYear: 3 });
    expect((await connect(Id)).body).toMatchObject({ VoucherFileConnection: { VoucherYear: 3 } });
    expect((await connect(Id, '?financialyear=2')).body).toMatchObject({ VoucherFileConnection: { VoucherYear: 2 } });
  });

  it('go by their other id where the switch says so', async () => {
    await post('one');
    const { Id, ArchiveFileId } = await fileIds();
    await control('state', { switches: { fileConnectionId: 'ArchiveFileId' } });
    expect((await connect(Id, '?financialyear=2')).status).toBe(404);
    expect((await connect(ArchiveFileId, '?financialyear=2')).status).toBe(201);
  });
});

describe('SIE', () => {
  async function sie(type: number, query = '?financialyear=2'): Promise<Buffer> {
    emulator.core.state().window = {};
    const response = await fetch(`${emulator.url}/3/sie/${type}${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  }

  const linesOf = (bytes: Buffer) => bytes.toString('latin1').split('\r\n');

  beforeEach(async () => {
    await control('state', { costCenters: [{ code: 'KS1', description: 'Göteborg' }] });
    await post('Försäljning Åsa € –', { text: 'ch_1' });
    await post('two', { date: `${year}-04-02`, rowCenter: 'KS1' });
    await post('elsewhere', { date: `${year + 1}-01-05` }, 3);
  });

  it('4 is a 4E in CP437 with CRLF: balances, results and every voucher of the year, each summing to nothing', async () => {
    const bytes = await sie(4);
    // ö is 0x94 and Å 0x8F in code page 437; the euro sign and the long dash have no place there.
    expect(bytes.includes(Buffer.from([0x46, 0x94, 0x72, 0x73, 0x84, 0x6c, 0x6a]))).toBe(true);
    expect(bytes.includes(Buffer.from([0x8f, 0x73, 0x61, 0x20, 0x3f, 0x20, 0x3f]))).toBe(true);
    const lines = linesOf(bytes);
    expect(lines.slice(0, 3)).toEqual(['#FLAGGA 0', '#PROGRAM "Fortnox emulator" 1.0', '#FORMAT PC8']);
    expect(lines).toEqual(
      expect.arrayContaining([
        '#SIETYP 4',
        `#RAR 0 ${year}0101 ${year}1231`,
        `#RAR -1 ${year - 1}0101 ${year - 1}1231`,
        '#IB 0 1686 0.00',
        '#UB 0 1686 998.00',
        '#RES 0 3001 -800.00',
        `#TRANS 1686 {} 499.00 ${year}0302 "ch_1"`,
        '#TRANS 1686 {"1" "KS1"} 499.00',
      ]),
    );
    expect(lines.filter((line) => line.startsWith('#VER '))).toHaveLength(2);
    let sum = 0;
    for (const line of lines) {
      const amount = /^#TRANS \d{4} \{[^}]*\} (-?\d+)\.(\d\d)/.exec(line);
      if (amount !== null) sum += Number(`${amount[1] ?? ''}${amount[2] ?? ''}`);
      if (line === '}') expect(sum).toBe(0);
    }
    const accounts = new Set(lines.flatMap((line) => /^#KONTO (\d{4}) /.exec(line)?.[1] ?? []));
    for (const line of lines) {
      const used = /^#(?:IB 0|UB 0|RES 0|TRANS) (\d{4}) /.exec(line)?.[1];
      if (used !== undefined) expect(accounts).toContain(used);
    }
    expect(lines.at(-1)).toBe('');
  });

  it('1 has no vouchers, 2 adds months, 3 adds cost centres', async () => {
    const [one, two, three] = [linesOf(await sie(1)), linesOf(await sie(2)), linesOf(await sie(3))];
    for (const lines of [one, two, three]) expect(lines.some((line) => line.startsWith('#VER'))).toBe(false);
    expect(one.some((line) => line.startsWith('#PSALDO'))).toBe(false);
    expect(two).toContain(`#PSALDO 0 ${year}03 1686 {} 499.00`);
    expect(two.join()).not.toContain('KS1');
    expect(three).toContain(`#PSALDO 0 ${year}04 1686 {"1" "KS1"} 499.00`);
  });

  it('is about the preselected year when none is named, and takes either spelling of it', async () => {
    expect((await sie(4, '')).equals(await sie(4))).toBe(true);
    expect((await sie(4, '?financialYear=3')).toString('latin1')).toContain('"elsewhere"');
  });
});
