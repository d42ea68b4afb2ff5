import fc from 'fast-check';
import { collectOwn } from '../../accounting/stripe-own/collect.service.ts';
import { addDays } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { minor } from '../../platform/money.ts';
import { openShop } from '../../testing/shop.ts';
import { matchBankStatement } from './bank.service.ts';
import { matchBank, windowDays, type BankEntry, type BankRow } from './matching.ts';
import { readCamt, readCsv, type Statement } from './statement.ts';

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

  it('finds top-ups before Stripe had them, and names none that may lie outside the statement', () => {
    const topup = (ledgerId: string, date: string, amount: number): BankEntry => ({
      ...entry(ledgerId, date, -amount),
      toStripe: true,
    });
    const result = matchBank(
      [
        topup('matched', '2026-11-05', 1_000),
        topup('booked later', '2026-12-04', 2_000),
        topup('missing', '2026-11-20', 3_000),
        topup('left before', '2026-11-04', 4_000),
        topup('leaves after', '2026-12-05', 5_000),
      ],
      [row('2026-11-03', -1_000), row('2026-11-28', -2_000), row('2026-11-21', -3_000)],
      november,
    );
    expect(result.matched.map(({ ledgerId }) => ledgerId)).toEqual(['matched', 'booked later']);
    expect(result.missingAtBank.map(({ ledgerId }) => ledgerId)).toEqual(['missing']);
    expect(result.underWay).toEqual([]);
    expect(result.unknownAtBank).toEqual([row('2026-11-21', -3_000)]);
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
    ['an entity', `<!DOCTYPE x [<!ENTITY a "b">]>${camt('')}`, undefined, '"<!DOCTYPE x'],
    ['a comment', camt('<!-- one -->'), undefined, '"<!-- one'],
    ['another instruction', camt('<?php ?>'), undefined, '"<?php'],
    ['an open quotation mark', camt('<Ntry a="1>'), undefined, '"<Ntry a="1>'],
    ['an element that is not closed', camt('<Ntry>'), undefined, 'cannot be read'],
    ['no end to its depth', camt('<a>'.repeat(40) + '</a>'.repeat(40)), undefined, 'deep'],
  ])('is refused with %s', (_what, content, account, why) => {
    expect(() => readCamt(content, account)).toThrow(why);
  });
});

describe('a large statement', () => {
  const seconds = (run: () => unknown) => {
    const begun = performance.now();
    run();
    return (performance.now() - begun) / 1000;
  };
  const text = 'Betalning &amp; avgift &lt;åäö&gt; '.repeat(12);
  const party = `<NtryDtls><TxDtls><RltdPties><Dbtr><Nm>STRIPE</Nm></Dbtr></RltdPties><RmtInf><Ustrd>${text}</Ustrd></RmtInf></TxDtls></NtryDtls>`;
  const many = 10_000;
  /** Squared, it would take minutes. */
  const size = 1_000_000;
  const day = (n: number) => `2026-11-${String((n % 30) + 1).padStart(2, '0')}`;

  it('of ten thousand rows is read and matched in seconds', async () => {
    const xml = camt(Array.from({ length: many }, (_, n) => ntry(`${n + 1}.50`, 'CRDT', day(n), party)).join(''));
    const csv = `Datum;Text;Belopp\n${Array.from({ length: many }, (_, n) => `${day(n)};"STRIPE ${text}";${n + 1},50`).join('\n')}`;
    expect(xml.length).toBeGreaterThan(5_500_000);
    for (const content of [xml, csv]) {
      let statement: Statement | undefined;
      expect(seconds(() => (statement = content === xml ? readCamt(xml, undefined) : readCsv(csv)))).toBeLessThan(10);
      const rows = statement?.rows ?? [];
      expect(rows).toHaveLength(many);
      expect(rows[0]?.text).toContain(content === xml ? 'avgift <åäö>' : 'avgift');
      const entries = rows.map(({ date, amountMinor }, n) => entry(String(n), date, amountMinor));
      expect(seconds(() => matchBank(entries, rows, november))).toBeLessThan(10);
      expect(matchBank(entries, rows, november).matched).toHaveLength(many);
    }
  }, 60_000);

  it.each([
    ['tags that never end', '<'.repeat(size)],
    ['one tag without an end', `<a ${'x'.repeat(size)}`],
    ['attributes without marks', `<a ${'b= '.repeat(size / 3)}>`],
    ['one attribute', `<a b="${'c'.repeat(size)}"/>`],
    ['spaces before a sign', `<a b=${' '.repeat(990)}=/>`.repeat(size / 1_000)],
    ['depth', '<a>'.repeat(size / 3)],
    ['elements of no meaning', camt('<a/>'.repeat(size / 4))],
    ['elements all of other names', camt(Array.from({ length: size / 10 }, (_, n) => `<a${n}/>`).join(''))],
    ['attributes all of other names', `<a ${Array.from({ length: size / 10 }, (_, n) => `b${n}=""`).join(' ')}/>`],
    ['declarations', '<?xml '.repeat(size / 6)],
  ])('of %s costs as much as it is long', (_what, content) => {
    const took = seconds(() => {
      try {
        readCamt(content, undefined);
      } catch (error) {
        expect(error).toMatchObject({ reason: 'statement-unreadable' });
      }
    });
    expect(took).toBeLessThan(10);
  });

  it.each([
    ['one field', 'a'.repeat(size)],
    ['quotation marks', 'Datum;Belopp\n' + '"'.repeat(size)],
    ['separators', 'Datum;Belopp\n' + ';'.repeat(size)],
    ['lines', 'Datum;Belopp\n' + '\n'.repeat(size)],
    ['minus signs', `Datum;Belopp\n2026-11-05;${'-'.repeat(size)}`],
    ['digits', `Datum;Belopp\n2026-11-05;${'1'.repeat(size)}x`],
    ['spaces', `Datum;Belopp\n2026-11-05;1${' '.repeat(size)}1`],
  ])('CSV of %s costs as much as it is long', (_what, content) => {
    const took = seconds(() => {
      try {
        readCsv(content);
      } catch (error) {
        expect(error).toMatchObject({ reason: 'statement-unreadable' });
      }
    });
    expect(took).toBeLessThan(10);
  });

  it('beyond what is read at once is refused by name', async () => {
    const content = ' '.repeat(8_000_001);
    await expect(matchBankStatement({} as Context, { format: 'csv', content })).rejects.toMatchObject({
      reason: 'statement-too-large',
    });
  });
});

it('holds the ledger against the statement and changes nothing', async () => {
  const shop = await openShop();
  try {
    const { id } = await shop.stripe.payouts.create({ amount: 10_000, currency: 'sek' });
    await shop.deliver();
    const order = { type: 'topup', amount: 7_000 };
    const topup = await shop.control<{ id: string }>('stripe', 'balance_transactions', order);
    await collectOwn(shop.ctx);
    const [booked] = (await shop.ctx.db.collection('ledger').where('kind', '==', 'platform_payout').get()).docs;
    const today = shop.now().toISOString().slice(0, 10);
    const content = `Datum;Text;Belopp\n${addDays(today, -2)};Stripe topup;-70,00\n${addDays(today, 1)};STRIPE;100,00\n${addDays(today, 20)};STRIPE;5,00\n`;
    const before = (await shop.all('ledger')).length;
    const result = await matchBankStatement(shop.ctx, { format: 'csv', content });
    expect(id).toMatch(/^po_/);
    expect(result).toMatchObject({
      matched: [
        { ledgerId: booked?.id, amountMinor: 10_000 },
        { ledgerId: `${topup.id}:topup`, amountMinor: -7_000 },
      ],
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
