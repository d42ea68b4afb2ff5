import type { Content, TableCell } from 'pdfmake/interfaces.js';
import { businessTime } from '../platform/clock.ts';
import type { Language } from '../coaches/requirements.ts';
import { formatMoney, minor, sum, type Currency, type Minor } from '../platform/money.ts';
import type { PdfDocument } from '../platform/pdf.ts';
import { words, type StatementWords } from './statement-words.ts';
import type { Statement } from './statement.ts';

/** A payout's statement as a document to print. */
export function statementPdf(statement: Statement, language: Language): PdfDocument {
  const word = words[language];
  return {
    info: { title: `${word.title} ${statement.payoutId}` },
    pageMargins: [40, 45, 40, 50],
    defaultStyle: { fontSize: 9, lineHeight: 1.15 },
    footer: (current, count) => ({
      text: `${statement.payoutId} · ${businessTime(statement.madeAt)} · ${word.page(current, count)}`,
      alignment: 'center',
      color: '#666666',
      fontSize: 7,
      margin: [0, 15, 0, 0],
    }),
    content: [
      { text: word.title, fontSize: 20, bold: true },
      head(statement, word),
      title(word.contents),
      linesTable(statement, word),
      {
        stack: [title(`${word.remaining} ${businessTime(statement.madeAt)}`), remainingTable(statement, word)],
        unbreakable: true,
      },
    ],
  };
}

const title = (text: string): Content => ({ text, fontSize: 12, bold: true, margin: [0, 18, 0, 6] });

function head(statement: Statement, word: StatementWords): Content {
  const { payoutId, stripePayoutId, date, arrivalDate, status, amountMinor, currency } = statement;
  const rows: [string, string][] = [
    [word.payout, stripePayoutId ?? payoutId],
    [word.made, date],
    ...(arrivalDate ? [[word.arrives, arrivalDate] satisfies [string, string]] : []),
    [word.status, word.statuses[status]],
    [word.paid, formatMoney(amountMinor, currency)],
  ];
  const cells = rows.map(([name, value]): TableCell[] => [
    { text: name, color: '#666666' },
    { text: value, bold: name === word.paid },
  ]);
  return { table: { body: cells }, layout: 'noBorders', margin: [0, 10, 0, 0] };
}

function linesTable({ lines, currency }: Statement, word: StatementWords): Content {
  const total = (amounts: readonly Minor[]) => money(sum(amounts), currency, true);
  return table(['auto', '*', 80, 'auto', 'auto', 'auto', 'auto'], word.columns, 3, [
    ...lines.map((line): TableCell[] => [
      line.date,
      line.description,
      line.customerName,
      money(line.grossMinor, currency),
      money(line.feeMinor, currency),
      money(line.refundedMinor, currency),
      money(line.amountMinor, currency),
    ]),
    [
      { text: word.sum, bold: true, colSpan: 3 },
      '',
      '',
      total(lines.map((line) => line.grossMinor)),
      total(lines.map((line) => line.feeMinor)),
      total(lines.map((line) => line.refundedMinor)),
      total(lines.map((line) => line.amountMinor)),
    ],
  ]);
}

function remainingTable({ remaining, currency }: Statement, word: StatementWords): Content {
  if (remaining.length === 0) return { text: word.nothingRemains };
  const total = minor(sum(remaining.map(({ amountMinor }) => amountMinor)));
  return table(['*', 'auto', 'auto'], word.remainingColumns, 2, [
    ...remaining.map(({ why, until, amountMinor }): TableCell[] => [
      word.why[why],
      until ?? '',
      money(amountMinor, currency),
    ]),
    [{ text: word.sum, bold: true, colSpan: 2 }, '', money(total, currency, true)],
  ]);
}

/** A table with a head that is repeated on every page; columns from `firstNumber` on are numbers. */
function table(
  widths: ('auto' | '*' | number)[],
  columns: readonly string[],
  firstNumber: number,
  rows: TableCell[][],
): Content {
  const header = columns.map((text, n): TableCell => ({
    text,
    bold: true,
    alignment: n >= firstNumber ? 'right' : 'left',
  }));
  return {
    table: { headerRows: 1, dontBreakRows: true, widths, body: [header, ...rows] },
    layout: 'lightHorizontalLines',
  };
}

const money = (amount: Minor, currency: Currency, bold = false): TableCell => ({
  text: formatMoney(amount, currency),
  alignment: 'right',
  noWrap: true,
  bold,
});
