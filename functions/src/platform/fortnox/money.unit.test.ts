import fc from 'fast-check';
import { formatMinor, parseMinor } from './money.ts';

const minor = fc.integer({ min: 0, max: 99_999_999_999_999 });

describe('formatMinor', () => {
  it.each([
    [0, '0.00'],
    [5, '0.05'],
    [49900, '499.00'],
    [9980, '99.80'],
    [99_999_999_999_999, '999999999999.99'],
  ])('%i öre is %s', (given, expected) => {
    expect(formatMinor(given)).toBe(expected);
  });

  it('always has two decimals, is JSON, and keeps every öre', () => {
    fc.assert(
      fc.property(minor, (given) => {
        const text = formatMinor(given);
        expect(text).toMatch(/^(0|[1-9]\d*)\.\d\d$/);
        expect(BigInt(text.replace('.', ''))).toBe(BigInt(given));
        expect(parseMinor(JSON.parse(text) as number)).toBe(given);
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, Infinity, 100_000_000_000_000, 2 ** 53])('refuses %p', (given) => {
    expect(() => formatMinor(given)).toThrow(RangeError);
  });
});

describe('parseMinor', () => {
  it('reads negative amounts, and never -0', () => {
    expect(parseMinor(-99.8)).toBe(-9980);
    expect(parseMinor(-0)).toBe(0);
  });

  it.each([0.1 + 0.2, 0.001, 1e21, 1e13, Number.NaN, Infinity])('refuses %p', (given) => {
    expect(parseMinor(given)).toBeNull();
  });
});
