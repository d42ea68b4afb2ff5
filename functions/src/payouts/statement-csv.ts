import type { Language } from '../coaches/requirements.ts';
import { csvAmount, csvOf } from '../platform/csv.ts';
import type { Minor } from '../platform/money.ts';
import { words } from './statement-words.ts';
import type { Statement } from './statement.ts';

/** A payout's statement for a spreadsheet. */
export function statementCsv(statement: Statement, language: Language): string {
  const word = words[language];
  const { lines, remaining, currency } = statement;
  const amount = (value: Minor) => csvAmount(value, currency, language);
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
  return csvOf(rows, language);
}
