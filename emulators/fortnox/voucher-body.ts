import { badRequest, CODE } from './errors.ts';
import { parseOre } from './money.ts';
import { isDate } from './query.ts';
import type { VoucherRow } from './types.ts';

/** A voucher as the caller wrote it, every field checked on its own; the company's books are not consulted here. */
export type VoucherDraft = {
  readonly series: string;
  readonly date: string;
  readonly description: string;
  readonly comments: string | null;
  readonly costCenter: string;
  /** Read-only in Fortnox; when sent it must be the year the voucher lands in. */
  readonly year: number | null;
  readonly rows: readonly VoucherRow[];
};

/** Fortnox's list of permitted characters: letters, digits, space, newline and these signs. */
const PERMITTED = /^[\p{L}\p{N} \n–:.`´’,;^¤#%§£$€¢¥©™°&/()=+\-*_!?²³®½@]*$/u;

const VOUCHER_FIELDS = [
  'Description',
  'TransactionDate',
  'VoucherSeries',
  'Comments',
  'VoucherRows',
  'CostCenter',
  'Project',
  'Year',
];
const ROW_FIELDS = ['Account', 'Debit', 'Credit', 'TransactionInformation', 'CostCenter', 'Project', 'Quantity'];

type Fields = Readonly<Record<string, unknown>>;

function asObject(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badRequest(CODE.emptyBody, `Felaktig eller tom body. (${what})`);
  }
  return value as Fields;
}

function onlyFields(fields: Fields, known: readonly string[]): void {
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) throw badRequest(CODE.badField, `Felaktigt fältnamn. (${name})`);
  }
}

function text(fields: Fields, name: string, max: number, required: boolean): string {
  const value = fields[name] ?? '';
  if (typeof value !== 'string')
    throw badRequest(CODE.badCharacters, `Värdet innehåller ej tillåtna tecken. (${name})`);
  if (required && value === '') throw badRequest(CODE.unpublished, `Fältet måste anges. (${name})`);
  if ([...value].length > max) throw badRequest(CODE.tooLong, `Värdet är för långt. (${name})`);
  if (!PERMITTED.test(value)) throw badRequest(CODE.badCharacters, `Värdet innehåller ej tillåtna tecken. (${name})`);
  return value;
}

/** The emulated company has no projects or quantities: naming one is refused, an empty one is not. */
function refuseDimensions(fields: Fields): void {
  for (const name of ['Project', 'Quantity']) {
    const value = fields[name];
    if (value !== undefined && value !== null && value !== '' && value !== 0) {
      throw badRequest(
        CODE.unpublished,
        `Kan inte hitta värdet, emulatorn har inga projekt eller kvantiteter. (${name})`,
      );
    }
  }
}

function amount(fields: Fields, name: string): number {
  const ore = parseOre(fields[name] ?? 0);
  if (ore === null) throw badRequest(CODE.notNumeric, `Värdet måste vara numeriskt, högst två decimaler. (${name})`);
  return ore;
}

function row(value: unknown): VoucherRow {
  const fields = asObject(value, 'VoucherRows');
  onlyFields(fields, ROW_FIELDS);
  refuseDimensions(fields);
  const account = fields.Account;
  if (typeof account !== 'number' || !Number.isInteger(account) || account < 1000 || account > 9999) {
    throw badRequest(CODE.notNumeric, 'Värdet måste vara numeriskt, 1000-9999. (Account)');
  }
  const debitOre = amount(fields, 'Debit');
  const creditOre = amount(fields, 'Credit');
  if (debitOre !== 0 && creditOre !== 0) {
    throw badRequest(CODE.unpublished, `En rad kan inte ha både debet och kredit. (${account})`);
  }
  return {
    account,
    debitOre,
    creditOre,
    text: text(fields, 'TransactionInformation', 100, false),
    costCenter: text(fields, 'CostCenter', 10, false),
  };
}

/** Reads the body of `POST /3/vouchers`; every fault in it is a 400 with Fortnox's code for it. */
export function parseVoucher(body: string): VoucherDraft {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw badRequest(body === '' ? CODE.emptyBody : CODE.badJson, 'Kunde inte tolka JSON.');
  }
  const wrap = asObject(parsed, 'body');
  onlyFields(wrap, ['Voucher']);
  const fields = asObject(wrap.Voucher, 'Voucher');
  onlyFields(fields, VOUCHER_FIELDS);
  refuseDimensions(fields);
  const date = fields.TransactionDate;
  if (typeof date !== 'string' || !isDate(date))
    throw badRequest(CODE.unpublished, 'Ogiltigt datum. (TransactionDate)');
  const year = fields.Year ?? null;
  if (year !== null && typeof year !== 'number')
    throw badRequest(CODE.notNumeric, 'Värdet måste vara numeriskt. (Year)');
  if (!Array.isArray(fields.VoucherRows) || fields.VoucherRows.length < 2) {
    throw badRequest(CODE.unpublished, 'Verifikationen måste ha minst två rader. (VoucherRows)');
  }
  const comments = text(fields, 'Comments', 1000, false);
  const series = text(fields, 'VoucherSeries', 10, true);
  if (!/^[\p{L}\p{N}]*$/u.test(series)) {
    throw badRequest(CODE.notAlphanumeric, 'Värdet måste vara alfanumeriskt. (VoucherSeries)');
  }
  return {
    series,
    date,
    description: text(fields, 'Description', 200, true),
    comments: comments === '' ? null : comments,
    costCenter: text(fields, 'CostCenter', 10, false),
    year,
    rows: fields.VoucherRows.map(row),
  };
}
