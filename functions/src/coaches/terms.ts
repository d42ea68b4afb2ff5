import type { Config } from '../config.ts';
import { formatMoney, minor, minorPerMajor, type Currency, type Minor } from '../platform/money.ts';

/** How a payment is charged; set per coach. */
export type ChargeModel = 'destination' | 'separate' | 'direct';

/**
 * Which invoice goes with a payout: the platform writes the coach's own invoice for what it sold for them
 * (självfakturering), or its invoice to the coach for the fee.
 */
export type Invoicing = 'self_billing' | 'commission';

/** What the platform keeps of a coach's payments. */
export interface Terms {
  /** 0 to 100, at most two decimals. */
  feePercent: number;
  feeFixedMinor: Minor;
  /** `whole`: the percentage is rounded down to a whole major unit; `minor`: down to a minor unit. */
  feeRounding: 'whole' | 'minor';
  chargeModel: ChargeModel;
  /** The coach may give their own customers money back without an administrator. */
  mayRefund?: boolean;
  /** Absent: none. */
  invoicing?: Invoicing;
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

/** Stripe's fee on a Swedish card: 1.5 % and 1.80 SEK (Stripe, Swedish price list). Other currencies are not compared. */
const stripeCost = { percent: 1.5, fixedMinor: 180, currency: 'SEK' };

/** Prices that coaches ask, in major units. */
const samplePrices = [100, 500, 1000, 5000];

/** In words, when the fee of a usual sale is less than Stripe takes of it: the platform would pay to sell. */
export function feeWarning(terms: Terms, currency: Currency): string | undefined {
  if (currency !== stripeCost.currency) return undefined;
  for (const price of samplePrices) {
    const amount = minor(price * minorPerMajor(currency));
    const { feeMinor } = split(amount, terms, currency);
    const cost = minor(Math.round((amount * stripeCost.percent) / 100) + stripeCost.fixedMinor);
    if (feeMinor < cost) {
      return `Of ${formatMoney(amount, currency)} the fee is ${formatMoney(feeMinor, currency)}, and Stripe takes about ${formatMoney(cost, currency)}: the platform loses on such sales.`;
    }
  }
  return undefined;
}
