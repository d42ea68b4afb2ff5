import type { TableCell } from 'pdfmake/interfaces.js';
import type { Language } from '../coaches/requirements.ts';
import type { Invoicing } from '../coaches/terms.ts';
import { minor, type Minor } from '../platform/money.ts';
import { pdfFacts, pdfMoney, pdfPage, pdfParty, pdfRight, pdfTable, pdfTotal } from '../platform/pdf-parts.ts';
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
  const { kind, number, issuedOn, payoutId, credits, currency } = invoice;
  const title = credits ? word.credit : word.titles[kind];
  const money = (amount: Minor, bold = false): TableCell => pdfMoney(amount, currency, bold);
  const lines = invoice.lines.map(({ date, description, vatRate, amountMinor }): TableCell[] => [
    date,
    description,
    pdfRight(percent(vatRate)),
    money(amountMinor),
  ]);
  const vat = invoice.vat.map(({ vatRate, grossMinor, vatMinor }): TableCell[] => [
    percent(vatRate),
    money(minor(grossMinor - vatMinor)),
    money(vatMinor),
    money(grossMinor),
  ]);
  return pdfPage(title, number, [
    pdfFacts([
      [word.number, number],
      [word.date, issuedOn],
      [word.payout, payoutId],
      ...(credits ? [[word.credits, credits] as const] : []),
    ]),
    { columns: [party(word.seller, invoice.seller, word), party(word.buyer, invoice.buyer, word)], columnGap: 20 },
    { text: word.about[kind], margin: [0, 14, 0, 8] },
    pdfTable(['auto', '*', 'auto', 'auto'], word.columns, lines),
    {
      stack: [
        { text: ' ' },
        pdfTable(['*', 'auto', 'auto', 'auto'], word.vatColumns, vat),
        pdfTotal(word.total, money(invoice.totalMinor, true)),
        { text: word.settled[kind] },
      ],
      unbreakable: true,
    },
  ]);
}

const percent = (vatRate: number): string => `${vatRate} %`;

const party = (title: string, { name, address, vatNumber }: Party, word: Words) =>
  pdfParty({ title, name, lines: [address, vatNumber ? `${word.vatNumber}: ${vatNumber}` : word.notRegistered] });
