import type { Content, TableCell } from 'pdfmake/interfaces.js';
import type { Language } from '../coaches/requirements.ts';
import type { Invoicing } from '../coaches/terms.ts';
import { formatMoney, minor, type Minor } from '../platform/money.ts';
import type { PdfDocument } from '../platform/pdf.ts';
import type { Party, PayoutInvoice } from './invoices.ts';

interface Words {
  titles: Record<Invoicing, string>;
  credit: string;
  credits: string;
  about: Record<Invoicing, string>;
  number: string;
  date: string;
  payout: string;
  seller: string;
  buyer: string;
  vatNumber: string;
  notRegistered: string;
  columns: readonly string[];
  vatColumns: readonly string[];
  total: string;
  settled: Record<Invoicing, string>;
}

const words: Record<Language, Words> = {
  sv: {
    titles: { self_billing: 'Självfaktura', commission: 'Faktura' },
    credit: 'Kreditfaktura',
    credits: 'Krediterar faktura',
    about: {
      self_billing: 'Självfakturering: fakturan är utfärdad av köparen för säljarens räkning.',
      commission: 'Förmedlingsavgift för försäljningarna nedan.',
    },
    number: 'Nummer',
    date: 'Datum',
    payout: 'Utbetalning',
    seller: 'Säljare',
    buyer: 'Köpare',
    vatNumber: 'Momsnummer',
    notRegistered: 'Inte registrerad för moms',
    columns: ['Datum', 'Avser', 'Moms', 'Belopp inkl. moms'],
    vatColumns: ['Momssats', 'Netto', 'Moms', 'Brutto'],
    total: 'Summa',
    settled: {
      self_billing: 'Betald genom utbetalningen ovan.',
      commission: 'Betald: avgiften är dragen innan utbetalningen gjordes.',
    },
  },
  en: {
    titles: { self_billing: 'Self-billing invoice', commission: 'Invoice' },
    credit: 'Credit note',
    credits: 'Credits invoice',
    about: {
      self_billing: 'Self-billing: the buyer has issued this invoice on behalf of the seller.',
      commission: 'Commission on the sales below.',
    },
    number: 'Number',
    date: 'Date',
    payout: 'Payout',
    seller: 'Seller',
    buyer: 'Buyer',
    vatNumber: 'VAT number',
    notRegistered: 'Not registered for VAT',
    columns: ['Date', 'For', 'VAT', 'Amount incl. VAT'],
    vatColumns: ['VAT rate', 'Net', 'VAT', 'Gross'],
    total: 'Total',
    settled: {
      self_billing: 'Paid by the payout above.',
      commission: 'Paid: the fee was taken before the payout was made.',
    },
  },
};

/** An invoice as a document to print: what ML 2023:200 17:24 asks for (date, number, both parties, VAT by rate). */
export function invoicePdf(invoice: PayoutInvoice, language: Language): PdfDocument {
  const word = words[language];
  const title = invoice.credits ? word.credit : word.titles[invoice.kind];
  const money = (amount: Minor, bold = false): TableCell => ({
    text: formatMoney(amount, invoice.currency),
    alignment: 'right',
    noWrap: true,
    bold,
  });
  const lines = invoice.lines.map(({ date, description, vatRate, amountMinor }): TableCell[] => [
    date,
    description,
    rate(vatRate),
    money(amountMinor),
  ]);
  const vat = invoice.vat.map(({ vatRate, grossMinor, vatMinor }): TableCell[] => [
    percent(vatRate),
    money(minor(grossMinor - vatMinor)),
    money(vatMinor),
    money(grossMinor),
  ]);
  return {
    info: { title: `${title} ${invoice.number}` },
    pageMargins: [40, 45, 40, 50],
    defaultStyle: { fontSize: 9, lineHeight: 1.15 },
    footer: (current, count) => ({
      text: `${title} ${invoice.number} · ${current}/${count}`,
      alignment: 'center',
      color: '#666666',
      fontSize: 7,
      margin: [0, 15, 0, 0],
    }),
    content: [
      { text: title, fontSize: 20, bold: true },
      facts(invoice, word),
      { columns: [party(word.seller, invoice.seller, word), party(word.buyer, invoice.buyer, word)], columnGap: 20 },
      { text: word.about[invoice.kind], margin: [0, 14, 0, 8] },
      table(['auto', '*', 'auto', 'auto'], word.columns, lines),
      {
        stack: [
          { text: ' ' },
          table(['*', 'auto', 'auto', 'auto'], word.vatColumns, vat),
          {
            table: {
              widths: ['*', 'auto'],
              body: [[{ text: word.total, bold: true }, money(invoice.totalMinor, true)]],
            },
            layout: 'noBorders',
            margin: [0, 6, 0, 6],
          },
          { text: word.settled[invoice.kind] },
        ],
        unbreakable: true,
      },
    ],
  };
}

const percent = (vatRate: number): string => `${vatRate} %`;

const rate = (vatRate: number): TableCell => ({ text: percent(vatRate), alignment: 'right' });

function facts(invoice: PayoutInvoice, word: Words): Content {
  const rows: [string, string][] = [
    [word.number, invoice.number],
    [word.date, invoice.issuedOn],
    [word.payout, invoice.payoutId],
    ...(invoice.credits ? [[word.credits, invoice.credits] satisfies [string, string]] : []),
  ];
  const body = rows.map(([name, value]): TableCell[] => [{ text: name, color: '#666666' }, value]);
  return { table: { body }, layout: 'noBorders', margin: [0, 10, 0, 14] };
}

const party = (title: string, { name, address, vatNumber }: Party, word: Words): Content => ({
  stack: [
    { text: title, color: '#666666' },
    { text: name, bold: true },
    address,
    vatNumber ? `${word.vatNumber}: ${vatNumber}` : word.notRegistered,
  ],
});

function table(widths: ('auto' | '*')[], columns: readonly string[], rows: TableCell[][]): Content {
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
