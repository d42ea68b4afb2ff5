import { addDays, type BusinessDate } from '../../platform/clock.ts';
import type { Voucher } from '../accounting.ts';
import { accountName } from './account-names.ts';
import { toCp437 } from './cp437.ts';

export interface SieFile {
  company: string;
  /** "SE556677889901"; empty: none. */
  vatNumber: string;
  year: { from: BusinessDate; to: BusinessDate };
  /** The day the file is made. */
  madeOn: BusinessDate;
  vouchers: readonly SieVoucher[];
}

export type SieVoucher = Pick<Voucher, 'series' | 'fortnoxNumber' | 'date' | 'description' | 'key' | 'rows'>;

/** Programs that read SIE show about so much of a text. */
const textMax = 60;

/**
 * A SIE 4I file (vouchers to be read in; sie.se, "SIE filformat"): code page 437, CRLF, a point in amounts, debit positive.
 * Every account is named, every voucher sums to zero as it does in the books. A voucher that is not in Fortnox yet has no
 * number: the program that reads the file gives it one.
 */
export function sieFile(file: SieFile): Uint8Array {
  const accounts = [...new Set(file.vouchers.flatMap(({ rows }) => rows.map(({ account }) => account)))];
  const number = organisationNumber(file.vatNumber);
  const lines = [
    '#FLAGGA 0',
    '#PROGRAM "Inner Journey Payments" 1.0',
    '#FORMAT PC8',
    `#GEN ${compact(file.madeOn)}`,
    '#SIETYP 4',
    ...(number ? [`#ORGNR ${number}`] : []),
    `#FNAMN ${quoted(file.company, 200)}`,
    `#RAR 0 ${compact(file.year.from)} ${compact(file.year.to)}`,
    ...accounts.sort((a, b) => a - b).map((account) => `#KONTO ${account} ${quoted(accountName(account))}`),
    ...file.vouchers.flatMap((voucher) => voucherLines(voucher, file.madeOn)),
  ];
  return toCp437(lines.map((line) => `${line}\r\n`).join(''));
}

function voucherLines(voucher: SieVoucher, madeOn: BusinessDate): string[] {
  const { series, fortnoxNumber, date, rows } = voucher;
  const number = fortnoxNumber === undefined ? '""' : String(fortnoxNumber);
  return [
    `#VER ${quoted(series)} ${number} ${compact(date)} ${quoted(wordsOf(voucher))} ${compact(madeOn)}`,
    '{',
    ...rows.map(
      ({ account, debitMinor, creditMinor, text }) =>
        `#TRANS ${account} {} ${amount(debitMinor - creditMinor)} ${compact(date)} ${quoted(text)}`,
    ),
    '}',
  ];
}

/** A description too long loses words, not the key at its end by which the voucher is found again. */
function wordsOf({ description, key }: SieVoucher): string {
  if (description.length <= textMax) return description;
  return `${description.slice(0, textMax - key.length - 1).trim()} ${key}`;
}

const compact = (date: BusinessDate): string => date.replaceAll('-', '');

/** In quotation marks, on one line; a mark inside it has a backslash before it. */
function quoted(text: string, longest = textMax): string {
  const line = [...text.replace(/[\p{Cc}\s]+/gu, ' ').replace(/[“”]/g, '"')].slice(0, longest).join('').trim();
  return `"${line.replaceAll('\\', '/').replaceAll('"', '\\"')}"`;
}

/** 49900 -> "499.00", -5 -> "-0.05". */
function amount(minor: number): string {
  const digits = String(Math.abs(minor)).padStart(3, '0');
  return `${minor < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

const organisationNumber = (vatNumber: string): string | undefined =>
  /^SE(\d{6})(\d{4})01$/.exec(vatNumber)?.slice(1).join('-');

/** The financial year a day is in, by the day ("MM-DD") on which years begin. */
export function financialYearOf(date: BusinessDate, start: string): { from: BusinessDate; to: BusinessDate } {
  const year = Number(date.slice(0, 4));
  const begins = date.slice(5) >= start ? year : year - 1;
  return { from: `${begins}-${start}`, to: addDays(`${begins + 1}-${start}`, -1) };
}
