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

/** Prices that coaches ask, in major units. */
const samplePrices = [100, 500, 1000, 5000];

/** What Stripe takes of a card payment, in the platform's currency. */
export type StripeCost = Pick<Config, 'currency' | 'stripeFeePercent' | 'stripeFeeFixedMinor'>;

/**
 * In words, when the fee of a payment is less than Stripe takes of it: the platform would pay to sell. Without an amount the
 * usual prices are tried. Other currencies than the platform's are not compared.
 */
export function feeWarning(
  terms: Terms,
  currency: Currency,
  cost: StripeCost,
  amountMinor?: Minor,
): string | undefined {
  if (currency !== cost.currency) return undefined;
  const amounts =
    amountMinor === undefined ? samplePrices.map((price) => minor(price * minorPerMajor(currency))) : [amountMinor];
  for (const amount of amounts) {
    const { feeMinor } = split(amount, terms, currency);
    const stripeMinor = minor(Math.round((amount * cost.stripeFeePercent) / 100) + cost.stripeFeeFixedMinor);
    if (feeMinor < stripeMinor) {
      return `Of ${formatMoney(amount, currency)} the fee is ${formatMoney(feeMinor, currency)}, and Stripe takes about ${formatMoney(stripeMinor, currency)}: the platform loses on such sales.`;
    }
  }
  return undefined;
}
