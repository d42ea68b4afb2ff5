import fc from 'fast-check';
import { formatMoney, minor, minorPerMajor, sum, toMajor } from './money.ts';

const anyMinor = fc.integer({ min: -99_999_999_999, max: 99_999_999_999 }).map(minor);
const currency = fc.constantFrom('SEK', 'EUR', 'JPY', 'KWD');

describe('money', () => {
  it('refuses what is not a whole number of minor units', () => {
    for (const bad of [0.5, NaN, Infinity, 2 ** 53]) expect(() => minor(bad)).toThrow(RangeError);
    expect(Object.is(minor(-0), 0)).toBe(true);
  });

  it('major and minor always agree', () => {
    fc.assert(
      fc.property(anyMinor, currency, (amount, code) => {
        expect(Math.round(toMajor(amount, code) * minorPerMajor(code))).toBe(amount);
      }),
    );
  });

  it('sums without losing an öre', () => {
    fc.assert(
      fc.property(fc.array(anyMinor), (amounts) => {
        expect(BigInt(sum(amounts))).toBe(amounts.reduce((total, amount) => total + BigInt(amount), 0n));
      }),
    );
  });

  it.each([
    [49_900, 'SEK', '499,00 kr'],
    [-929, 'SEK', '−9,29 kr'],
    [123_456_789, 'SEK', '1\u00a0234\u00a0567,89 kr'],
    [500, 'JPY', '500 JPY'],
    [1234, 'KWD', '1,234 KWD'],
  ])('formats %i %s as %s', (amount, code, text) => expect(formatMoney(minor(amount), code)).toBe(text));
});
