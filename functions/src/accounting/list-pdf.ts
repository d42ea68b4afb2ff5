import type { TableCell } from 'pdfmake/interfaces.js';
import type { LedgerDocument } from '../ledger/ledger.ts';
import { businessTime } from '../platform/clock.ts';
import { formatMoney, minor, type Currency } from '../platform/money.ts';
import type { PdfDocument } from '../platform/pdf.ts';
import type { Voucher } from './accounting.ts';
import { what } from './vouchers.ts';

/** One document of a day's voucher, with what it posts by itself. */
export interface ListLine {
  document: LedgerDocument;
  moved: ReadonlyMap<number, number>;
}

/**
 * The itemised list of a day's voucher, in the words of Bokföringslagen 5:7: when, what (Stripe's id), whom it concerns
 * (the payment or payout, and the coach, by their ids in the product), and what of it went to which account. Its sums are
 * the voucher's rows. PDF, because Fortnox takes no table on a voucher.
 */
export function listPdf(voucher: Voucher, lines: readonly ListLine[], currency: Currency): PdfDocument {
  const numbers = [...new Set(voucher.rows.map(({ account }) => account))].sort((a, b) => a - b);
  const amount = (value: number): TableCell =>
    value === 0 ? '' : { text: formatMoney(minor(value), currency).replace(/ kr$/, ''), alignment: 'right' };
  const line = ({ document, moved }: ListLine): TableCell[] => [
    businessTime(document.occurredAt.toDate()).slice(11),
    document.stripeObjectId,
    document.paymentId ?? document.payoutId ?? '',
    document.coachId ?? '',
    ...numbers.map((number) => amount(moved.get(number) ?? 0)),
  ];
  const total = (number: number): number =>
    voucher.rows
      .filter(({ account }) => account === number)
      .reduce((sum, { debitMinor, creditMinor }) => sum + debitMinor - creditMinor, 0);
  // The times of its lines are of the day on which it happened, whenever it was booked.
  const title = `${what[voucher.kind]} ${voucher.eventDate ?? voucher.date}`;
  const head = ['Kl.', 'Stripe', 'Betalning/utbetalning', 'Coach', ...numbers.map(String)];
  return {
    info: { title },
    // Sales at every rate move ten accounts: a column each.
    pageSize: numbers.length > 5 ? 'A3' : 'A4',
    pageOrientation: 'landscape',
    pageMargins: [25, 30, 25, 35],
    defaultStyle: { fontSize: 6.5 },
    footer: (current, count) => ({ text: `${voucher.id} · ${current}/${count}`, alignment: 'center', fontSize: 6 }),
    content: [
      { text: `${title}, verifikation ${voucher.id}`, fontSize: 12, bold: true },
      { text: `${lines.length} händelser. Debet positivt, kredit negativt.`, margin: [0, 4, 0, 8] },
      {
        table: {
          headerRows: 1,
          widths: [24, 115, 115, '*', ...numbers.map(() => 50)],
          body: [
            head.map((text): TableCell => ({ text, bold: true })),
            ...lines.map(line),
            [{ text: 'Summa', bold: true }, '', '', '', ...numbers.map((number) => amount(total(number)))],
          ],
        },
        layout: 'lightHorizontalLines',
      },
    ],
  };
}
