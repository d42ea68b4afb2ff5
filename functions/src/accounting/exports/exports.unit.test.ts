import { inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { ownSale, stripeFee, type LedgerEntry } from '../../ledger/ledger.ts';
import { createEntry } from '../../ledger/ledger.store.ts';
import { minor } from '../../platform/money.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { syncBooks } from '../accounting.service.ts';
import type { VoucherRow } from '../accounting.ts';
import { postOne } from '../posting.service.ts';
import { toCp437 } from './cp437.ts';
import { exportSie, exportTransactions } from './exports.service.ts';
import { financialYearOf, sieFile, type SieVoucher } from './sie.ts';

const year = new Date().getUTCFullYear() - 1;
const row = (account: number, amount: number, text = 'ch_1'): VoucherRow => ({
  account,
  debitMinor: minor(Math.max(amount, 0)),
  creditMinor: minor(Math.max(0 - amount, 0)),
  text,
});

/** The standard's own table, as far as letters of names go. */
const swedish: [string, number][] = [
  ['å', 0x86],
  ['ä', 0x84],
  ['ö', 0x94],
  ['Å', 0x8f],
  ['Ä', 0x8e],
  ['Ö', 0x99],
  ['é', 0x82],
  ['ü', 0x81],
];

/** SIE as its grammar has it, read by a reader of its own: a tag, then fields bare or in quotation marks, or in braces. */
function parse(bytes: Uint8Array): { tag: string; fields: string[] }[] {
  const letters = new Map(swedish.map(([letter, code]) => [code, letter]));
  const text = [...bytes].map((byte) => (byte < 128 ? String.fromCharCode(byte) : (letters.get(byte) ?? '?'))).join('');
  const lines = text.split('\r\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => {
    expect(line).not.toMatch(/[\r\n]/);
    const fields = [...line.matchAll(/"((?:\\"|[^"])*)"|\{([^}]*)\}|([^\s]+)/g)].map(
      ([, quoted, braced, bare]) => quoted?.replaceAll('\\"', '"') ?? braced ?? bare ?? '',
    );
    return { tag: fields[0] ?? '', fields: fields.slice(1) };
  });
}

describe('SIE 4I', () => {
  const file = (vouchers: SieVoucher[]) =>
    sieFile({
      company: 'Inre Resan “Å Ä Ö” AB',
      vatNumber: 'SE556000000101',
      year: { from: '2026-01-01', to: '2026-12-31' },
      madeOn: '2026-11-20',
      vouchers,
    });

  it('is what the standard shows', () => {
    const sale = {
      series: 'S',
      fortnoxNumber: 1,
      date: '2026-11-20',
      description: 'Försäljning ch_1 – 99 €',
      key: '87xhc65emaxj',
      rows: [row(1686, 9_900), row(3001, -7_920), row(2611, -1_980)],
    };
    expect(
      Buffer.from(file([sale]))
        .toString('latin1')
        .split('\r\n')
        .slice(0, 20),
    ).toEqual([
      '#FLAGGA 0',
      '#PROGRAM "Inner Journey Payments" 1.0',
      '#FORMAT PC8',
      '#GEN 20261120',
      '#SIETYP 4',
      '#ORGNR 556000-0001',
      '#FNAMN "Inre Resan \\"\u008f \u008e \u0099\\" AB"',
      '#RAR 0 20260101 20261231',
      '#KONTO 1686 "Fordringar f\u0094r kontokort och kuponger"',
      '#KONTO 2611 "Utg\u0086ende moms p\u0086 f\u0094rs\u0084ljning inom Sverige, 25 %"',
      '#KONTO 3001 "F\u0094rs\u0084ljning inom Sverige, 25 % moms"',
      '#VER "S" 1 20261120 "F\u0094rs\u0084ljning ch_1 - 99 EUR" 20261120',
      '{',
      '#TRANS 1686 {} 99.00 20261120 "ch_1"',
      '#TRANS 3001 {} -79.20 20261120 "ch_1"',
      '#TRANS 2611 {} -19.80 20261120 "ch_1"',
      '}',
      '',
    ]);
  });

  it('shortens the words of a description, and never its key', () => {
    const key = '87xhc65emaxj';
    const description = `Försäljning hos ansluten butik ch_3QxMzkLkdIwHu7ix0snV8Kqk ${key}`;
    const [sale] = parse(
      file([{ series: 'S', date: '2026-11-20', description, key, rows: [row(1686, 1), row(3001, -1)] }]),
    ).filter(({ tag }) => tag === '#VER');
    expect(sale?.fields[3]).toBe('Försäljning hos ansluten butik ch_3QxMzkLkdIwHu 87xhc65emaxj');
    expect(sale?.fields[3]).toHaveLength(60);
  });

  it('can be read whatever the texts and amounts are: every voucher whole and in balance, every account named', () => {
    const amounts = fc.array(fc.integer({ min: -99_999_999, max: 99_999_999 }), { minLength: 1, maxLength: 6 });
    const voucher = fc
      .record({ amounts, text: fc.string({ unit: 'binary', maxLength: 90 }) })
      .map(({ amounts: some, text }) => ({
        series: 'S',
        date: '2026-11-20',
        description: text,
        key: '87xhc65emaxj',
        rows: [...some, 0 - some.reduce((a, b) => a + b)].map((each, i) => row(1000 + i, each, text)),
      }));
    fc.assert(
      fc.property(fc.array(voucher, { maxLength: 5 }), (vouchers) => {
        const lines = parse(file(vouchers));
        const named = new Set(lines.filter(({ tag }) => tag === '#KONTO').map(({ fields }) => fields[0]));
        let [open, sum, seen] = [false, 0, 0];
        for (const { tag, fields } of lines) {
          if (tag === '#VER') seen += 1;
          if (tag === '#TRANS') {
            expect(named).toContain(fields[0]);
            expect(fields[2]).toMatch(/^-?\d+\.\d\d$/);
            sum += Math.round(Number(fields[2]) * 100);
          }
          open = tag === '{' ? true : open;
        }
        expect(seen).toBe(vouchers.length);
        expect(open).toBe(vouchers.length > 0);
        expect(sum).toBe(0);
      }),
    );
  });

  it.each(swedish)('writes %s as the standard does', (letter, code) => {
    expect([...toCp437(letter)]).toEqual([code]);
    expect([...toCp437(letter.normalize('NFD'))]).toEqual([code]);
  });

  it('writes what the code page lacks by what is nearest', () => {
    expect(Buffer.from(toCp437('Šárka Ĺ – 5 € 🙂')).toString('latin1')).toBe('S\u00a0rka L - 5 EUR ?');
  });

  it('knows broken financial years and leap days', () => {
    expect(financialYearOf('2028-02-29', '01-01')).toEqual({ from: '2028-01-01', to: '2028-12-31' });
    expect(financialYearOf('2028-02-29', '03-01')).toEqual({ from: '2027-03-01', to: '2028-02-29' });
    expect(financialYearOf('2026-05-01', '05-01')).toEqual({ from: '2026-05-01', to: '2027-04-30' });
  });
});

describe('the exports', () => {
  let world: TestWorld;
  beforeEach(async () => (world = await createTestWorld()));
  afterEach(() => world.close());

  const at = (day: string) => Timestamp.fromDate(new Date(`${year}-${day}T10:00:00Z`));
  const own = (id: string, day: string): LedgerEntry =>
    ownSale({
      chargeId: id,
      paymentId: `pi_${id}`,
      occurredAt: at(day),
      currency: 'SEK',
      grossMinor: minor(9_950),
      vatRate: 25,
      balanceTransactionIds: [id],
    });

  async function book(...entries: (LedgerEntry | undefined)[]): Promise<void> {
    await world.ctx.db.runTransaction(async (tx) => {
      for (const entry of entries) if (entry) createEntry(world.ctx.db, tx, entry, world.now());
    });
  }

  it('SIE has the vouchers of the period, with the numbers of those that are in Fortnox', async () => {
    const { ctx } = world;
    await book(own('a', '03-02'), own('b', '03-31'), own('c', '04-01'));
    expect(await exportSie(ctx, { from: `${year}-03-01`, to: `${year}-03-31` })).toMatchObject({
      count: 0,
      complete: false,
    });
    await syncBooks(ctx, world.now());
    await postOne(ctx, 'v_a_sale');
    const reply = await exportSie(ctx, { from: `${year}-03-01`, to: `${year}-03-31` });
    expect(reply).toMatchObject({
      count: 2,
      complete: true,
      fileName: `verifikationer-${year}-03-01-${year}-03-31.si`,
    });
    const read = parse(Buffer.from(reply.base64, 'base64')).filter(({ tag }) => tag === '#VER');
    expect(read.map(({ fields }) => fields.slice(0, 3))).toEqual([
      ['S', '1', `${year}0302`],
      ['S', '', `${year}0331`],
    ]);
  });

  it('SIE refuses a period in two financial years, and one that ends before it begins', async () => {
    const { ctx } = world;
    await expect(exportSie(ctx, { from: '2026-12-31', to: '2027-01-01' })).rejects.toMatchObject({
      reason: 'two-financial-years',
    });
    await expect(exportSie(ctx, { from: '2026-12-31', to: '2026-12-30' })).rejects.toMatchObject({
      reason: 'period-backwards',
    });
  });

  it('transactions as a table: decimal commas, no formulas, where each is in Fortnox', async () => {
    const { ctx } = world;
    await book(
      { ...own('a', '03-02'), coachId: '=cmd' },
      stripeFee({ balanceTransactionId: 'txn', occurredAt: at('03-02'), currency: 'SEK', feeMinor: minor(329) }),
      own('z', '05-01'),
    );
    await syncBooks(ctx, world.now());
    await postOne(ctx, 'v_a_sale');
    const reply = await exportTransactions(ctx, { from: `${year}-03-02`, to: `${year}-03-02`, format: 'csv' });
    expect(Buffer.from(reply.base64, 'base64').toString().split('\r\n').slice(1)).toEqual([
      `${year}-03-02 11:00;Transaktioner;Egen försäljning;a;pi_a;;'=cmd;99,5;0;0;25;SEK;99,5;a:sale;S 1 (${year})`,
      `${year}-03-02 11:00;Avgifter;Stripes avgift;txn;;;;3,29;0;0;0;SEK;-3,29;txn:fee;v_txn_fee`,
      '',
    ]);
    expect(reply.count).toBe(2);
  });

  it('transactions as a workbook with a sheet a group', async () => {
    await book(own('a', '03-02'));
    const reply = await exportTransactions(world.ctx, { from: `${year}-03-02`, to: `${year}-03-02`, format: 'xlsx' });
    const files = unzipped(Buffer.from(reply.base64, 'base64'));
    const names = [...(files.get('xl/workbook.xml') ?? '').matchAll(/<sheet [^>]*name="([^"]+)"/g)].map(
      ([, name]) => name,
    );
    expect(names).toEqual(['Transaktioner', 'Avgifter', 'Återbetalningar', 'Tvister', 'Utbetalningar']);
    expect(files.get('xl/worksheets/sheet1.xml')).toContain('<v>99.5</v>');
    expect(files.get('xl/sharedStrings.xml')).toContain('Egen försäljning');
  });
});

/** The files of a ZIP archive, by its central directory. */
function unzipped(zip: Buffer): Map<string, string> {
  const files = new Map<string, string>();
  let at = zip.readUInt32LE(zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6])) + 16);
  while (zip.readUInt32LE(at) === 0x02014b50) {
    const [method, size, nameSize] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28)];
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(start, start + size);
    const name = zip.subarray(at + 46, at + 46 + nameSize).toString();
    files.set(name, (method === 8 ? inflateRawSync(packed) : packed).toString());
    at += 46 + nameSize + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  return files;
}
