import type { Config } from '../config.ts';
import { minor, minorPerMajor, type Currency, type Minor } from '../platform/money.ts';

/** How a payment is charged; set per coach. */
export type ChargeModel = 'destination' | 'separate' | 'direct';

/** What the platform keeps of a coach's payments. */
export interface Terms {
  /** 0 to 100, at most two decimals. */
  feePercent: number;
  feeFixedMinor: Minor;
  /** `whole`: the percentage is rounded down to a whole major unit; `minor`: down to a minor unit. */
  feeRounding: 'whole' | 'minor';
  chargeModel: ChargeModel;
}

export function defaultTerms(config: Pick<Config, 'platformFeePercent' | 'feeRounding'>): Terms {
  return {
    feePercent: config.platformFeePercent,
    feeFixedMinor: minor(0),
    feeRounding: config.feeRounding,
    chargeModel: 'destination',
  };
}

export interface Split {
  feeMinor: Minor;
  coachMinor: Minor;
}

/**
 * Splits a payment once: the percentage is rounded down, the fixed part is added, the fee never exceeds the amount, and
 * the coach's share is the rest, so the two always sum to the amount. 49900 at 20 % whole -> 9900 and 40000.
 */
export function split(amount: Minor, terms: Terms, currency: Currency): Split {
  const basisPoints = minor(Math.round(terms.feePercent * 100));
  if (amount < 0 || basisPoints < 0 || basisPoints > 10_000)
    throw new RangeError(`Cannot split ${amount} at ${terms.feePercent} %.`);
  const exact = Number((BigInt(amount) * BigInt(basisPoints)) / 10_000n);
  const step = terms.feeRounding === 'whole' ? minorPerMajor(currency) : 1;
  const percentage = exact - (exact % step);
  const feeMinor = minor(Math.min(amount, percentage + terms.feeFixedMinor));
  return { feeMinor, coachMinor: minor(amount - feeMinor) };
}
