import { FortnoxError } from './errors.ts';
import { formatMinor, MAX_MINOR } from './money.ts';
import { isCleanText } from './text.ts';

/** Lengths from Fortnox's API description. */
export const DESCRIPTION_MAX = 200;
export const ROW_TEXT_MAX = 100;

export type NewVoucherRow = {
  /** 1000 to 9999. */
  readonly account: number;
  /** Öre; one of the two is 0. */
  readonly debitMinor: number;
  readonly creditMinor: number;
  /** At most 100 characters that Fortnox takes: see `sanitizeText`. */
  readonly text?: string;
};

export type NewVoucher = {
  /** Fortnox's id of the year, from `financialYear(date)`; it is not the calendar year. */
  readonly financialYearId: number;
  readonly series: string;
  /** 'YYYY-MM-DD', inside that year. */
  readonly date: string;
  /** 1 to 200 characters that Fortnox takes: see `sanitizeText`. Carry a key in it to find the voucher by. */
  readonly description: string;
  readonly rows: readonly NewVoucherRow[];
};

/** How our own refusals begin: Fortnox has not been asked. */
export const notSent = 'The voucher was not sent: ';

function refuse(message: string): never {
  throw new FortnoxError(`${notSent}${message}`, { kind: 'rejected' });
}

function checkRow(row: NewVoucherRow): void {
  if (!Number.isInteger(row.account) || row.account < 1000 || row.account > 9999) {
    refuse(`account ${row.account} is not a number from 1000 to 9999.`);
  }
  for (const minor of [row.debitMinor, row.creditMinor]) {
    if (!Number.isSafeInteger(minor) || minor < 0 || minor > MAX_MINOR) {
      refuse(
        `account ${row.account} has an amount of ${minor}; amounts are whole öre, not negative and of at most 14 digits.`,
      );
    }
  }
  if (row.debitMinor !== 0 && row.creditMinor !== 0) {
    refuse(`account ${row.account} has debit and credit on one row; split it in two.`);
  }
  if (!isCleanText(row.text ?? '', ROW_TEXT_MAX)) {
    refuse(`the text on account ${row.account} is too long or has characters Fortnox refuses; use sanitizeText.`);
  }
}

/** Refuses, before anything is sent, what Fortnox would refuse without a code that can be told apart. */
function check(voucher: NewVoucher): void {
  if (!Number.isInteger(voucher.financialYearId) || voucher.financialYearId < 1) {
    refuse(`financial year ${voucher.financialYearId} is not one of Fortnox's ids.`);
  }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(voucher.date)) refuse(`"${voucher.date}" is not a date YYYY-MM-DD.`);
  if (voucher.series === '') refuse('it names no series.');
  if (voucher.description === '' || !isCleanText(voucher.description, DESCRIPTION_MAX)) {
    refuse('its description is empty, too long or has characters Fortnox refuses; use sanitizeText.');
  }
  if (voucher.rows.length < 2) refuse(`it has ${voucher.rows.length} rows; a voucher has at least two.`);
  voucher.rows.forEach(checkRow);
  const difference = voucher.rows.reduce((sum, row) => sum + row.debitMinor - row.creditMinor, 0);
  if (difference !== 0) refuse(`debit is ${difference} öre more than credit; they must be equal.`);
}

function rowJson(row: NewVoucherRow): string {
  const debit = formatMinor(row.debitMinor);
  const credit = formatMinor(row.creditMinor);
  const text = row.text === undefined ? '' : `,"TransactionInformation":${JSON.stringify(row.text)}`;
  return `{"Account":${row.account},"Debit":${debit},"Credit":${credit}${text}}`;
}

/**
 * The body of `POST /3/vouchers`. Written by hand where the amounts are, so that they carry two decimals exactly.
 * Throws a `rejected` FortnoxError for a voucher that is wrong in itself.
 */
export function voucherBody(voucher: NewVoucher): string {
  check(voucher);
  const head = [
    `"Description":${JSON.stringify(voucher.description)}`,
    `"TransactionDate":${JSON.stringify(voucher.date)}`,
    `"VoucherSeries":${JSON.stringify(voucher.series)}`,
  ].join(',');
  return `{"Voucher":{${head},"VoucherRows":[${voucher.rows.map(rowJson).join(',')}]}}`;
}
