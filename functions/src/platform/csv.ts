import { stringify } from 'csv-stringify/sync';
import { toMajor, type Currency, type Minor } from './money.ts';

/** Whose spreadsheet is to open it. */
type Language = 'sv' | 'en';

/**
 * A table for a spreadsheet, as that language's Excel opens it: UTF-8 with a byte order mark; in Swedish semicolons. A text
 * that a spreadsheet would run as a formula is made harmless.
 */
export const csvOf = (rows: readonly (readonly string[])[], language: Language): string =>
  stringify(rows as string[][], {
    bom: true,
    delimiter: language === 'sv' ? ';' : ',',
    record_delimiter: 'windows',
    cast: { string: harmless },
  });

/** In major units, with two decimals; in Swedish after a comma. */
export function csvAmount(amount: Minor, currency: Currency, language: Language): string {
  const text = toMajor(amount, currency).toFixed(2);
  return language === 'sv' ? text.replace('.', ',') : text;
}

/** Amounts are text too, and a minus sign begins some of them. */
const isNumber = /^-?\d+([.,]\d+)?$/;

const harmless = (text: string): string => (/^[=+\-@\t\r]/.test(text) && !isNumber.test(text) ? `'${text}` : text);
