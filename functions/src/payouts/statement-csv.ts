import { stringify } from 'csv-stringify/sync';
import type { Language } from '../coaches/requirements.ts';
import { toMajor, type Currency, type Minor } from '../platform/money.ts';
import { words } from './statement-words.ts';
import type { Statement } from './statement.ts';

/**
 * A payout's statement for a spreadsheet, as that language's Excel opens it: UTF-8 with a byte order mark; in Swedish
 * semicolons and decimal commas. A text that a spreadsheet would run as a formula is made harmless.
 */
export function statementCsv(statement: Statement, language: Language): string {
  const word = words[language];
  const { lines, remaining, currency } = statement;
  const amount = (value: Minor) => decimal(value, currency, language);
  const empty = ['', '', '', ''] as const;
  const rows = [
    [...word.columns, 'ID'],
    ...lines.map((line) => [
      line.date,
      line.description,
      line.customerName,
      amount(line.grossMinor),
      amount(line.feeMinor),
      amount(line.refundedMinor),
      amount(line.amountMinor),
      line.paymentId,
    ]),
    [statement.date, word.sum, ...empty, amount(statement.amountMinor), statement.stripePayoutId ?? statement.payoutId],
    ...remaining.map(({ why, until, amountMinor }) => [
      until ?? '',
      `${word.remaining}: ${word.why[why]}`,
      ...empty,
      amount(amountMinor),
      '',
    ]),
  ];
  return stringify(rows, {
    bom: true,
    delimiter: language === 'sv' ? ';' : ',',
    record_delimiter: 'windows',
    cast: { string: harmless },
  });
}

/** Amounts are text too, and a minus sign begins some of them. */
const isNumber = /^-?\d+([.,]\d+)?$/;

const harmless = (text: string): string => (/^[=+\-@\t\r]/.test(text) && !isNumber.test(text) ? `'${text}` : text);

function decimal(amount: Minor, currency: Currency, language: Language): string {
  const text = toMajor(amount, currency).toFixed(2);
  return language === 'sv' ? text.replace('.', ',') : text;
}
