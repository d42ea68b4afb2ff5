import fc from 'fast-check';
import { minor } from '../platform/money.ts';
import { nothingHeld } from './payments.ts';
import { releaseShare } from './release.ts';

const bundle = { amountMinor: minor(99_999), coachAmountMinor: minor(79_999) };
const held = (leftMinor: number) => ({ ...nothingHeld, leftMinor: minor(leftMinor) });

describe('a held price', () => {
  it('of one session is split as it was sold', () => {
    const { coachMinor, feeMinor, held: next } = releaseShare(bundle, held(99_999), minor(99_999));
    expect({ coachMinor, feeMinor, left: next.leftMinor }).toEqual({ coachMinor: 79_999, feeMinor: 20_000, left: 0 });
  });

  it('released in any parts is split as the whole, and never more than it', () => {
    const sold = fc.record({ amount: fc.integer({ min: 1, max: 9_999_999 }), percent: fc.nat(100) });
    fc.assert(
      fc.property(
        sold,
        fc.array(fc.integer({ min: 1, max: 999_999 }), { maxLength: 20 }),
        ({ amount, percent }, parts) => {
          const coachAmountMinor = minor(Math.floor((amount * percent) / 100));
          const payment = { amountMinor: minor(amount), coachAmountMinor };
          let state = held(amount);
          let coach = 0;
          for (const part of [...parts, amount]) {
            const gross = Math.min(part, state.leftMinor);
            if (gross === 0) break;
            const released = releaseShare(payment, state, minor(gross));
            expect(released.coachMinor).toBeGreaterThanOrEqual(0);
            expect(released.feeMinor).toBeGreaterThanOrEqual(0);
            expect(released.coachMinor + released.feeMinor).toBe(gross);
            coach += released.coachMinor;
            state = released.held;
          }
          expect(state.leftMinor).toBe(0);
          expect(coach).toBe(coachAmountMinor);
        },
      ),
    );
  });

  it('cannot be released beyond what is left', () => {
    expect(() => releaseShare(bundle, held(100), minor(101))).toThrow(RangeError);
    expect(() => releaseShare(bundle, held(100), minor(0))).toThrow(RangeError);
  });
});
