import type { TableCell } from 'pdfmake/interfaces.js';
import type { Language } from '../../coaches/requirements.ts';
import { formatMoney, minor, type Minor } from '../../platform/money.ts';
import { pdfFacts, pdfMoney, pdfPage, pdfParty, pdfRight, pdfTable, pdfTotal } from '../../platform/pdf-parts.ts';
import type { PdfDocument } from '../../platform/pdf.ts';
import type { Receipt, ReceiptKind, Seller } from './receipts.ts';

interface Words {
  titles: Record<ReceiptKind, string>;
  number: string;
  issued: string;
  date: Record<ReceiptKind, string>;
  refersTo: Record<ReceiptKind, string>;
  payment: string;
  seller: string;
  mediator: string;
  buyer: string;
  vatNumber: string;
  notRegistered: string;
  columns: readonly string[];
  vatColumns: readonly string[];
  total: string;
  paidIn: string;
  settled: Record<ReceiptKind, string>;
}

const words: Record<Language, Words> = {
  sv: {
    titles: { receipt: 'Kvitto', credit_note: 'Kreditnota', credit_withdrawn: 'Återtagen kreditnota' },
    number: 'Nummer',
    issued: 'Utfärdat',
    date: { receipt: 'Betalt', credit_note: 'Återbetalt', credit_withdrawn: 'Återtaget' },
    refersTo: { receipt: 'Avser', credit_note: 'Krediterar kvitto', credit_withdrawn: 'Återtar kreditnota' },
    payment: 'Betalning',
    seller: 'Säljare',
    mediator: 'Förmedlare',
    buyer: 'Köpare',
    vatNumber: 'Momsnummer',
    notRegistered: 'Inte registrerad för moms',
    columns: ['Avser', 'Antal', 'Moms', 'Belopp inkl. moms'],
    vatColumns: ['Momssats', 'Netto', 'Moms', 'Brutto'],
    total: 'Summa',
    paidIn: 'Betalt i annan valuta',
    settled: {
      receipt: 'Betalt.',
      credit_note: 'Beloppet har gått tillbaka till köparen.',
      credit_withdrawn: 'Betalningen gäller igen: köparens bank har återfört beloppet till säljaren.',
    },
  },
  en: {
    titles: { receipt: 'Receipt', credit_note: 'Credit note', credit_withdrawn: 'Credit note withdrawn' },
    number: 'Number',
    issued: 'Issued',
    date: { receipt: 'Paid', credit_note: 'Paid back', credit_withdrawn: 'Withdrawn' },
    refersTo: { receipt: 'About', credit_note: 'Credits receipt', credit_withdrawn: 'Withdraws credit note' },
    payment: 'Payment',
    seller: 'Seller',
    mediator: 'Mediated by',
    buyer: 'Buyer',
    vatNumber: 'VAT number',
    notRegistered: 'Not registered for VAT',
    columns: ['For', 'Quantity', 'VAT', 'Amount incl. VAT'],
    vatColumns: ['VAT rate', 'Net', 'VAT', 'Gross'],
    total: 'Total',
    paidIn: 'Paid in another currency',
    settled: {
      receipt: 'Paid.',
      credit_note: 'The amount has gone back to the buyer.',
      credit_withdrawn: 'The payment stands again: the buyer’s bank has given the amount back to the seller.',
    },
  },
};

/** A receipt or credit note as a document to print: seller, number, days, what was bought, VAT by rate (ML 2023:200, 17:24 and 17:26). */
export function receiptPdf(receipt: Receipt, language: Language): PdfDocument {
  const word = words[language];
  const { kind, number, currency, seller, mediator, customerName, paid } = receipt;
  const money = (amount: Minor, bold = false): TableCell => pdfMoney(amount, currency, bold);
  const lines = receipt.lines.map(({ description, quantity, vatRate, amountMinor }): TableCell[] => [
    description,
    pdfRight(String(quantity)),
    pdfRight(vatRate === null ? '' : `${vatRate} %`),
    money(amountMinor),
  ]);
  const vat = receipt.vat.map(({ vatRate, grossMinor, vatMinor }): TableCell[] => [
    `${vatRate} %`,
    money(minor(grossMinor - vatMinor)),
    money(vatMinor),
    money(grossMinor),
  ]);
  return pdfPage(word.titles[kind], number, [
    pdfFacts(factsOf(receipt, word)),
    {
      columns: [
        party(word.seller, seller, word),
        ...(mediator ? [party(word.mediator, mediator, word)] : []),
        pdfParty({ title: word.buyer, name: customerName, lines: [] }),
      ],
      columnGap: 20,
    },
    { text: ' ' },
    pdfTable(['*', 'auto', 'auto', 'auto'], word.columns, lines),
    {
      stack: [
        { text: ' ' },
        pdfTable(['*', 'auto', 'auto', 'auto'], word.vatColumns, vat),
        pdfTotal(word.total, money(receipt.amountMinor, true)),
        ...(paid ? [{ text: `${word.paidIn}: ${formatMoney(paid.amountMinor, paid.currency)}` }] : []),
        { text: word.settled[kind] },
      ],
      unbreakable: true,
    },
  ]);
}

function factsOf({ kind, number, issuedOn, date, paymentId, refersTo }: Receipt, word: Words) {
  return [
    [word.number, number] as const,
    [word.issued, issuedOn] as const,
    [word.date[kind], date] as const,
    [word.payment, paymentId] as const,
    ...(refersTo ? [[word.refersTo[kind], refersTo.number] as const] : []),
  ];
}

const party = (title: string, { name, address, vatNumber }: Seller, word: Words) =>
  pdfParty({ title, name, lines: [address, vatNumber ? `${word.vatNumber}: ${vatNumber}` : word.notRegistered] });
