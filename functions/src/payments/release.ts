import { minor, type Minor } from '../platform/money.ts';
import type { Held, Payment } from './payments.ts';

/**
 * The coach's part of what is released, by cumulative proportion: what was released so far is split and rounded once, less
 * what was split before, so that all sessions of a bundle together are split as the bundle was. Throws RangeError when less is held.
 */
export function releaseShare(
  payment: Pick<Payment, 'amountMinor' | 'coachAmountMinor'>,
  held: Held,
  grossMinor: Minor,
): { coachMinor: Minor; feeMinor: Minor; held: Held } {
  if (grossMinor <= 0 || grossMinor > held.leftMinor)
    throw new RangeError(`Cannot release ${grossMinor} of ${held.leftMinor} held.`);
  const releasedMinor = minor(held.releasedMinor + grossMinor);
  const exact = (BigInt(payment.coachAmountMinor) * BigInt(releasedMinor)) / BigInt(payment.amountMinor);
  // What was released otherwise (the part kept of a late cancellation) is made up for as far as this part goes.
  const coachMinor = minor(Math.min(Math.max(Number(exact) - held.releasedCoachMinor, 0), grossMinor));
  const releasedCoachMinor = minor(held.releasedCoachMinor + coachMinor);
  const leftMinor = minor(held.leftMinor - grossMinor);
  return {
    coachMinor,
    feeMinor: minor(grossMinor - coachMinor),
    held: { leftMinor, releasedMinor, releasedCoachMinor },
  };
}
