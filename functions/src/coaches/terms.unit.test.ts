import fc from 'fast-check';
import { minor } from '../platform/money.ts';
import { split, type Terms } from './terms.ts';

const terms = (feePercent: number, feeRounding: 'whole' | 'minor', feeFixedMinor = 0): Terms => ({
  feePercent,
  feeFixedMinor: minor(feeFixedMinor),
  feeRounding,
  chargeModel: 'destination',
});

const anyTerms = fc
  .record({
    basisPoints: fc.integer({ min: 0, max: 10_000 }),
    feeRounding: fc.constantFrom('whole' as const, 'minor' as const),
    fixed: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ basisPoints, feeRounding, fixed }) => terms(basisPoints / 100, feeRounding, fixed));
const anyAmount = fc.integer({ min: 0, max: 99_999_999 }).map(minor);

describe('splitting a payment', () => {
  it.each([
    [49_900, 20, 'whole', 9_900, 40_000],
    [49_900, 20, 'minor', 9_980, 39_920],
    [10_000, 2.5, 'minor', 250, 9_750],
    [10_000, 2.5, 'whole', 200, 9_800],
    [99, 20, 'whole', 0, 99],
    [49_900, 0, 'whole', 0, 49_900],
    [49_900, 100, 'whole', 49_900, 0],
  ] as const)('%i at %f %% %s', (amount, percent, rounding, feeMinor, coachMinor) => {
    expect(split(minor(amount), terms(percent, rounding), 'SEK')).toEqual({ feeMinor, coachMinor });
  });

  it('adds the fixed part after rounding, never more than the amount', () => {
    expect(split(minor(49_900), terms(20, 'whole', 550), 'SEK').feeMinor).toBe(10_450);
    expect(split(minor(300), terms(20, 'whole', 550), 'SEK')).toEqual({ feeMinor: 300, coachMinor: 0 });
  });

  it('rounds to the currency, not to hundredths', () => {
    expect(split(minor(499), terms(20, 'whole'), 'JPY').feeMinor).toBe(99);
    expect(split(minor(499_990), terms(20, 'whole'), 'KWD').feeMinor).toBe(99_000);
  });

  it('gives shares that sum to the amount, both at least zero', () => {
    fc.assert(
      fc.property(anyAmount, anyTerms, (amount, given) => {
        const { feeMinor, coachMinor } = split(amount, given, 'SEK');
        expect(feeMinor + coachMinor).toBe(amount);
        expect(feeMinor).toBeGreaterThanOrEqual(0);
        expect(coachMinor).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('takes at most the percentage and the fixed part, and less than one unit below it', () => {
    fc.assert(
      fc.property(anyAmount, anyTerms, (amount, given) => {
        const { feeMinor } = split(amount, given, 'SEK');
        const exact = (amount * Math.round(given.feePercent * 100)) / 10_000 + given.feeFixedMinor;
        expect(feeMinor).toBeLessThanOrEqual(exact + 1e-6);
        if (feeMinor < amount) expect(exact - feeMinor).toBeLessThan(given.feeRounding === 'whole' ? 100 : 1);
      }),
    );
  });

  it('never takes less of more, and never gives the coach less when the fee is not rounded', () => {
    fc.assert(
      fc.property(anyAmount, anyAmount, anyTerms, (a, b, given) => {
        const [less, more] = a <= b ? [a, b] : [b, a];
        expect(split(less, given, 'SEK').feeMinor).toBeLessThanOrEqual(split(more, given, 'SEK').feeMinor);
        const exact: Terms = { ...given, feeRounding: 'minor' };
        expect(split(less, exact, 'SEK').coachMinor).toBeLessThanOrEqual(split(more, exact, 'SEK').coachMinor);
      }),
    );
  });

  it('refuses what is no amount and no percentage', () => {
    expect(() => split(minor(-1), terms(20, 'whole'), 'SEK')).toThrow(RangeError);
    expect(() => split(minor(100), terms(101, 'whole'), 'SEK')).toThrow(RangeError);
    expect(() => split(minor(100), terms(-1, 'whole'), 'SEK')).toThrow(RangeError);
  });
});
