import fc from 'fast-check';
import { addDays } from '../../platform/clock.ts';
import { minor } from '../../platform/money.ts';
import { openShop } from '../../testing/shop.ts';
import { matchBankStatement } from './bank.service.ts';
import { matchBank, windowDays, type BankEntry, type BankRow } from './matching.ts';
import { readCamt, readCsv } from './statement.ts';

const entry = (ledgerId: string, date: string, amount: number): BankEntry => ({
  ledgerId,
  date,
  amountMinor: minor(amount),
  currency: 'SEK',
});
const row = (date: string, amount: number, text = 'STRIPE'): BankRow => ({ date, amountMinor: minor(amount), text });
const november = { from: '2026-11-01', to: '2026-11-30' };

describe('matching', () => {
  it('tells matched, missing, under way, unknown and others apart', () => {
    const result = matchBank(
      [
        entry('a', '2026-11-02', 100),
        entry('b', '2026-11-03', 200),
        entry('c', '2026-11-25', 300),
        entry('d', '2026-10-25', 9),
      ],
      [row('2026-11-05', 100), row('2026-11-06', 55), row('2026-11-07', -700, 'Hyra')],
      november,
    );
    expect(result.matched.map(({ ledgerId }) => ledgerId)).toEqual(['a']);
    expect(result.missingAtBank.map(({ ledgerId }) => ledgerId)).toEqual(['b']);
    expect(result.underWay.map(({ ledgerId }) => ledgerId)).toEqual(['c']);
    expect(result.unknownAtBank).toEqual([row('2026-11-06', 55)]);
    expect(result.otherRows).toBe(1);
  });

  it('finds every payout that arrived within its days, also among equal amounts, whatever the order', () => {
    const payouts = fc.array(
      fc.record({
        day: fc.integer({ min: 0, max: 19 }),
        amount: fc.constantFrom(100, 200, -100),
        takes: fc.integer({ min: 0, max: windowDays }),
      }),
    );
    fc.assert(
      fc.property(payouts, (some) => {
        const entries = some.map(({ day, amount }, n) => entry(String(n), addDays('2026-11-01', day), amount));
        const rows = some.map(({ day, amount, takes }) => row(addDays('2026-11-01', day + takes), amount));
        const result = matchBank(entries, rows.toReversed(), november);
        expect(result.matched).toHaveLength(some.length);
        expect([...result.missingAtBank, ...result.underWay, ...result.unknownAtBank]).toEqual([]);
      }),
    );
  });
});

describe('CSV', () => {
  it('is read as Swedish banks write it', () => {
    const swedbank =
      '\uFEFF* Transaktioner Period 2026-11-01 - 2026-11-30\r\nRadnummer,Bokföringsdag,Referens,Belopp\r\n1,2026-11-05,STRIPE,1234.50\r\n';
    expect(readCsv(swedbank)).toMatchObject({ rows: [{ date: '2026-11-05', amountMinor: 123_450, text: '1 STRIPE' }] });
    const seb =
      'Bokföringsdatum;Text;Belopp;Saldo\n2026-11-05;"STRIPE; payout";"1 234,50";9,00\n2026-11-02;Hyra;-7000,00;1,00\n';
    expect(readCsv(seb)).toEqual({
      currency: null,
      from: '2026-11-02',
      to: '2026-11-05',
      rows: [
        { date: '2026-11-05', amountMinor: 123_450, text: 'STRIPE; payout 9,00' },
        { date: '2026-11-02', amountMinor: -700_000, text: 'Hyra 1,00' },
      ],
    });
  });

  it.each([
    ['no heading', '2026-11-05;STRIPE;100,00', 'heading'],
    ['a day of another kind', 'Datum;Belopp\n05/11/2026;100,00', 'no day'],
    ['a day that is none', 'Datum;Belopp\n2026-02-30;100,00', 'no day'],
    ['points and commas', 'Datum;Belopp\n2026-11-05;1.234,50', 'no amount'],
    ['three decimals', 'Datum;Belopp\n2026-11-05;1,234', 'no amount'],
    ['no rows', 'Datum;Belopp', 'no rows'],
    ['an open quote', 'Datum;Belopp\n"2026-11-05;1,00', 'cannot be read'],
  ])('is refused with %s', (_what, content, why) => {
    expect(() => readCsv(content)).toThrow(why);
  });
});

const camt = (entries: string, iban = 'SE3550000000054910000003') =>
  `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>
  <FrToDt><FrDtTm>2026-11-01T00:00:00</FrDtTm><ToDtTm>2026-11-30T23:59:59</ToDtTm></FrToDt>
  <Acct><Id><IBAN>${iban}</IBAN></Id></Acct>${entries}</Stmt></BkToCstmrStmt></Document>`;
const ntry = (amount: string, sign: string, day: string, more = '') =>
  `<Ntry><Amt Ccy="SEK">${amount}</Amt><CdtDbtInd>${sign}</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>${day}</Dt></BookgDt>${more}</Ntry>`;
const details =
  '<NtryDtls><TxDtls><RltdPties><Dbtr><Nm>Stripe</Nm></Dbtr></RltdPties><RmtInf><Ustrd>po_1</Ustrd></RmtInf></TxDtls></NtryDtls>';

describe('camt.053', () => {
  it('gives its booked rows, signed, with their words', () => {
    const pending = ntry('5.00', 'CRDT', '2026-11-09').replace('BOOK', 'PDNG');
    const content = camt(ntry('1234.50', 'CRDT', '2026-11-05', details) + ntry('7.5', 'DBIT', '2026-11-06') + pending);
    expect(readCamt(content, 'SE35 5000 0000 0549 1000 0003')).toEqual({
      currency: 'SEK',
      from: '2026-11-01',
      to: '2026-11-30',
      rows: [
        { date: '2026-11-05', amountMinor: 123_450, text: 'Stripe po_1' },
        { date: '2026-11-06', amountMinor: -750, text: '' },
      ],
    });
  });

  it.each([
    ['another account', camt(''), 'SE1', 'name one'],
    ['no XML', 'Datum;Belopp', undefined, 'cannot be read'],
    ['another document', '<Document><Other/></Document>', undefined, 'no camt.053'],
    ['an entity', `<!DOCTYPE x [<!ENTITY a "b">]>${camt('')}`, undefined, 'cannot be read'],
  ])('is refused with %s', (_what, content, account, why) => {
    expect(() => readCamt(content, account)).toThrow(why);
  });
});

it('holds the ledger against the statement and changes nothing', async () => {
  const shop = await openShop();
  try {
    const { id } = await shop.stripe.payouts.create({ amount: 10_000, currency: 'sek' });
    await shop.deliver();
    const [booked] = (await shop.ctx.db.collection('ledger').where('kind', '==', 'platform_payout').get()).docs;
    const today = shop.now().toISOString().slice(0, 10);
    const content = `Datum;Text;Belopp\n${addDays(today, 1)};STRIPE;100,00\n${addDays(today, 20)};STRIPE;5,00\n`;
    const before = (await shop.all('ledger')).length;
    const result = await matchBankStatement(shop.ctx, { format: 'csv', content });
    expect(id).toMatch(/^po_/);
    expect(result).toMatchObject({
      matched: [{ ledgerId: booked?.id, amountMinor: 10_000 }],
      missingAtBank: [],
      unknownAtBank: [{ amountMinor: 500 }],
      currency: 'SEK',
    });
    expect((await shop.all('ledger')).length).toBe(before);
    const refused = matchBankStatement(shop.ctx, { format: 'csv', content, account: 'SE1' });
    await expect(refused).rejects.toMatchObject({ reason: 'account-not-in-csv' });
  } finally {
    await shop.close();
  }
});
