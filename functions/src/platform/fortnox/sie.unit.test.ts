import fc from 'fast-check';
import { encodeCp437 } from '../../../../emulators/fortnox/cp437.ts';
import { sieVouchers, type SieVoucher } from './sie.ts';

const head = ['#FLAGGA 0', '#FORMAT PC8', '#SIETYP 4', '#KONTO 3001 "Försäljning"'];

async function read(text: string, pieces = 7): Promise<SieVoucher[]> {
  const bytes = encodeCp437(text);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += pieces) yield bytes.subarray(at, at + pieces);
  }
  const found: SieVoucher[] = [];
  for await (const voucher of sieVouchers(chunks())) found.push(voucher);
  return found;
}

const file = (...lines: string[]) => [...head, ...lines].join('\r\n');

it('reads vouchers with their rows, whatever the pieces the file comes in', async () => {
  const text = file(
    '#VER "S" 1 20261120 "Köp \\"på nätet\\" { } ABC" 20261121 "Anna"',
    '{',
    '\t#TRANS 1686 {} 499.00 20261120 "rad"',
    '   #TRANS 3001 {"1" "KS 1" "6" "P1"} -399.5',
    '#RTRANS 3001 {} -99.50',
    '#TRANS 3001 {} -99.50',
    '#BTRANS 3001 {} -1.00',
    '}',
    '#VER S 2 20261121 ""',
    '{',
    '#TRANS 1686 {} -0.05',
    '#TRANS 3740 {} 0.05',
    '}',
  );
  const expected = [
    {
      series: 'S',
      number: 1,
      date: '2026-11-20',
      description: 'Köp "på nätet" { } ABC',
      rows: [
        { account: 1686, amountMinor: 49_900 },
        { account: 3001, amountMinor: -39_950 },
        { account: 3001, amountMinor: -9_950 },
      ],
    },
    {
      series: 'S',
      number: 2,
      date: '2026-11-21',
      description: '',
      rows: [
        { account: 1686, amountMinor: -5 },
        { account: 3740, amountMinor: 5 },
      ],
    },
  ];
  for (const pieces of [1, 7, 10_000]) expect(await read(text, pieces)).toEqual(expected);
});

it.each([
  ['another character set', ['#FORMAT UTF8', '#SIETYP 4', '#VER S 1 20261120 ""', '{', '}'], 'PC8'],
  ['another type', ['#FORMAT PC8', '#SIETYP 1'], 'type 4'],
  ['a page of something else', ['<html><body>Vi uppdaterar</body></html>'], 'PC8'],
  ['nothing', [], 'PC8'],
  ['an end within a voucher', [...head, '#VER S 1 20261120 ""', '{', '#TRANS 1686 {} 1.00'], 'ends within'],
  ['a voucher in a voucher', [...head, '#VER S 1 20261120 ""', '{', '#VER S 2 20261120 ""'], 'within another'],
  ['a row of nothing', [...head, '#TRANS 1686 {} 1.00'], 'outside'],
  ['three decimals', [...head, '#VER S 1 20261120 ""', '{', '#TRANS 1686 {} 1.005', '}'], '1.005'],
  ['no object list', [...head, '#VER S 1 20261120 ""', '{', '#TRANS 1686 1.00', '}'], '1686'],
  ['no date', [...head, '#VER S 1 "" ""', '{', '}'], 'date'],
  ['no number', [...head, '#VER S "" 20261120 ""', '{', '}'], 'number'],
])('refuses %s', async (_what, lines, why) => {
  await expect(read(lines.join('\r\n'))).rejects.toThrow(why);
});

it('refuses a line without an end', async () => {
  await expect(read('x'.repeat(200_000), 10_000)).rejects.toThrow('without an end');
});

it('moves digits exactly', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: -99_999_999_999, max: 99_999_999_999 }), async (ore) => {
      const digits = String(Math.abs(ore)).padStart(3, '0');
      const amount = `${ore < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
      const [voucher] = await read(file('#VER S 1 20261120 "x"', '{', `#TRANS 1686 {} ${amount}`, '}'), 10_000);
      expect(voucher?.rows).toEqual([{ account: 1686, amountMinor: ore }]);
    }),
  );
});
