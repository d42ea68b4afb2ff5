import fc from 'fast-check';
import { oreToNumber, parseOre } from './money.ts';

describe('öre in the emulator', () => {
  it('come back exactly through JSON', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999_999_999_999 }), (ore) => {
        expect(parseOre(JSON.parse(JSON.stringify(oreToNumber(ore))))).toBe(ore);
      }),
    );
  });

  it.each([-1, 0.001, 0.1 + 0.2, 1e15, Number.NaN, Infinity, '1', null])('%p is no amount', (value) => {
    expect(parseOre(value)).toBeNull();
  });
});
