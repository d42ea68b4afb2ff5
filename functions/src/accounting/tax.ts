import { vatInside } from '../payments/vat.ts';
import { minor, negate, type Minor } from '../platform/money.ts';

/** What is at which VAT rate (percent); several lines share an amount by their gross. */
export interface TaxLine {
  vatRate: number;
  grossMinor: number;
}

export interface Taxed extends TaxLine {
  grossMinor: Minor;
  /** Inside the gross. */
  vatMinor: Minor;
}

/**
 * The VAT in a part of a whole: what is in everything up to the end of the part, rounded once a rate, less what is in
 * everything before it. So the parts of a sale, and what goes back of it, sum to the öre, in whatever parts and order.
 */
export function taxOfPart(beforeMinor: number, partMinor: number, lines: readonly TaxLine[]): Taxed[] {
  const [before, after] = [shared(beforeMinor, lines), shared(beforeMinor + partMinor, lines)];
  return lines.flatMap(({ vatRate }, i) => {
    const [from, to] = [before[i] ?? 0, after[i] ?? 0];
    const vatMinor = minor(vatOf(to, vatRate) - vatOf(from, vatRate));
    return from === to && vatMinor === 0 ? [] : [{ vatRate, grossMinor: minor(to - from), vatMinor }];
  });
}

/** An amount shared among the lines by cumulative proportion: all of them together are the amount. */
function shared(amount: number, lines: readonly TaxLine[]): number[] {
  const whole = lines.reduce((total, { grossMinor }) => total + grossMinor, 0);
  let [until, given] = [0, 0];
  return lines.map(({ grossMinor }, i) => {
    until += grossMinor;
    const last = i === lines.length - 1 || whole === 0;
    const end = last ? amount : Number((BigInt(amount) * BigInt(until)) / BigInt(whole));
    const part = end - given;
    given = end;
    return part;
  });
}

/** Rounded half away from zero, so that what is taken back is the mirror of what was given. */
const vatOf = (amount: number, vatRate: number): number => {
  const vat = vatInside(minor(Math.abs(amount)), vatRate);
  return amount < 0 ? negate(vat) : vat;
};

/** VAT on top of an amount that came without (reverse charge); rounded half away from zero. */
export function vatOnTop(amount: Minor, vatRate: number): Minor {
  const vat = Math.round((Math.abs(amount) * vatRate) / 100);
  return minor(amount < 0 ? -vat : vat);
}
