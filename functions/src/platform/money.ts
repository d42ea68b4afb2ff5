/**
 * Integer money. Inside the product an amount is always a whole number of minor units (öre) beside its currency;
 * major units (499) exist only in documents and replies that people read.
 */
declare const minorBrand: unique symbol;

/** A whole number of minor units, signed. 49900 is 499,00 kr. */
export type Minor = number & { readonly [minorBrand]: 'minor' };

/** ISO 4217, upper case ("SEK"), as stored in documents. Stripe's API uses the lower-case form. */
export type Currency = string;

/** Zero-decimal currencies as Stripe lists them (facts: Stripe, "Zero-decimal currencies"). */
const zeroDecimal = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '));
const threeDecimal = new Set('BHD JOD KWD OMR TND'.split(' '));

/** Brands a whole number; throws RangeError on anything that is not a safe integer, so that no fraction of an öre survives. */
export function minor(value: number): Minor {
  if (!Number.isSafeInteger(value)) throw new RangeError(`Not a whole number of minor units: ${value}`);
  return (value === 0 ? 0 : value) as Minor;
}

export const zero = minor(0);

export const negate = (amount: Minor): Minor => minor(0 - amount);

export function sum(amounts: Iterable<number>): Minor {
  let total = 0;
  for (const amount of amounts) total += amount;
  return minor(total);
}

/** How many minor units make one major unit of the currency: 100 for SEK, 1 for JPY, 1000 for KWD. */
export function minorPerMajor(currency: Currency): number {
  if (zeroDecimal.has(currency)) return 1;
  return threeDecimal.has(currency) ? 1000 : 100;
}

/** The amount people read: 49900 SEK -> 499. Exact to the currency's decimals. */
export function toMajor(amount: Minor, currency: Currency): number {
  const scale = minorPerMajor(currency);
  return Number((amount / scale).toFixed(String(scale).length - 1));
}

/** 49900 SEK -> "499,00 kr"; other currencies with their code. */
export function formatMoney(amount: Minor, currency: Currency): string {
  const scale = minorPerMajor(currency);
  const digits = String(scale).length - 1;
  const absolute = Math.abs(amount);
  const whole = String(Math.floor(absolute / scale)).replace(/\B(?=(\d{3})+$)/g, '\u00a0');
  const rest = digits === 0 ? '' : `,${String(absolute % scale).padStart(digits, '0')}`;
  return `${amount < 0 ? '−' : ''}${whole}${rest} ${currency === 'SEK' ? 'kr' : currency}`;
}

/** "sek" (Stripe) -> "SEK" (documents). */
export const fromStripeCurrency = (currency: string): Currency => currency.toUpperCase();
/** "SEK" (documents) -> "sek" (Stripe). */
export const toStripeCurrency = (currency: Currency): string => currency.toLowerCase();
