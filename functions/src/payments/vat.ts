import { minor, sum, type Minor } from '../platform/money.ts';

/** What was bought at one VAT rate. */
export interface VatLine {
  /** Percent, inside the price: 25, 12, 6 or 0. */
  vatRate: number;
  grossMinor: Minor;
  vatMinor: Minor;
}

/** VAT inside a gross amount, rounded half up to a minor unit: 49900 at 25 % -> 9980. */
export function vatInside(gross: Minor, vatRate: number): Minor {
  const basisPoints = BigInt(Math.round(vatRate * 100));
  const numerator = BigInt(gross) * basisPoints * 2n;
  const denominator = (10_000n + basisPoints) * 2n;
  return minor(Number((numerator + denominator / 2n) / denominator));
}

/** One line a rate, the highest first; VAT is worked out and rounded once a rate, as on a Swedish receipt. */
export function vatLinesOf(items: readonly { vatRate: number; amountMinor: Minor }[]): VatLine[] {
  const rates = [...new Set(items.map(({ vatRate }) => vatRate))].sort((a, b) => b - a);
  return rates.map((vatRate) => {
    const grossMinor = sum(items.filter((item) => item.vatRate === vatRate).map(({ amountMinor }) => amountMinor));
    return { vatRate, grossMinor, vatMinor: vatInside(grossMinor, vatRate) };
  });
}

/** Percent of the net amount to two decimals: the rate itself where there is one. */
export function effectiveRate(lines: readonly VatLine[]): number {
  const [only, ...others] = lines;
  if (only && others.length === 0) return only.vatRate;
  const vat = sum(lines.map(({ vatMinor }) => vatMinor));
  const net = sum(lines.map(({ grossMinor }) => grossMinor)) - vat;
  return net === 0 ? 0 : Math.round((vat * 10_000) / net) / 100;
}
