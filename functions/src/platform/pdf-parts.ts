import type { Content, TableCell } from 'pdfmake/interfaces.js';
import { formatMoney, type Currency, type Minor } from './money.ts';
import type { PdfDocument } from './pdf.ts';

/** What invoices and receipts are laid out with. */

/** A page with the document's name and number below it. */
export const pdfPage = (title: string, number: string, content: Content[]): PdfDocument => ({
  info: { title: `${title} ${number}` },
  pageMargins: [40, 45, 40, 50],
  defaultStyle: { fontSize: 9, lineHeight: 1.15 },
  footer: (current, count) => ({
    text: `${title} ${number} · ${current}/${count}`,
    alignment: 'center',
    color: '#666666',
    fontSize: 7,
    margin: [0, 15, 0, 0],
  }),
  content: [{ text: title, fontSize: 20, bold: true }, ...content],
});

/** Names on the left, what they are on the right. */
export function pdfFacts(rows: readonly (readonly [name: string, value: string])[]): Content {
  const body = rows.map(([name, value]): TableCell[] => [{ text: name, color: '#666666' }, value]);
  return { table: { body }, layout: 'noBorders', margin: [0, 10, 0, 14] };
}

/** `*` columns share the width; the others are as wide as what is in them and, but for the first, read from the right. */
export function pdfTable(widths: ('auto' | '*')[], columns: readonly string[], rows: TableCell[][]): Content {
  const header = columns.map((text, n): TableCell => ({
    text,
    bold: true,
    alignment: widths[n] === 'auto' && n > 0 ? 'right' : 'left',
  }));
  return {
    table: { headerRows: 1, dontBreakRows: true, widths, body: [header, ...rows] },
    layout: 'lightHorizontalLines',
  };
}

export const pdfTotal = (name: string, amount: TableCell): Content => ({
  table: { widths: ['*', 'auto'], body: [[{ text: name, bold: true }, amount]] },
  layout: 'noBorders',
  margin: [0, 6, 0, 6],
});

export const pdfMoney = (amount: Minor, currency: Currency, bold = false): TableCell => ({
  text: formatMoney(amount, currency),
  alignment: 'right',
  noWrap: true,
  bold,
});

/** A VAT rate, or any number that stands in a column of numbers. */
export const pdfRight = (text: string): TableCell => ({ text, alignment: 'right' });

export interface PdfParty {
  title: string;
  name: string;
  /** What else is known of it, a line each. */
  lines: readonly string[];
}

export const pdfParty = ({ title, name, lines }: PdfParty): Content => ({
  stack: [{ text: title, color: '#666666' }, { text: name, bold: true }, ...lines],
});
