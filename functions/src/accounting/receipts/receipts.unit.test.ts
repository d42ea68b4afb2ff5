import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { deltas, type LedgerDocument } from '../../ledger/ledger.ts';
import { minor, sum, zero, type Minor } from '../../platform/money.ts';
import { creditedMinor, creditOf, numberOf, receiptOf, sellingCoach, seriesOf } from './receipts.ts';
import type { Issued, Receipt, ReceiptContents, Seller, Sold } from './receipts.ts';

const at = Timestamp.fromDate(new Date('2026-11-20T10:00:00Z'));
const platform: Seller = { name: 'Inner Journey AB', address: 'Gatan 1', vatNumber: 'SE556677889901' };
const karin: Seller = { coachId: 'karin', name: 'Karins coachning', address: 'Gatan 2', vatNumber: 'SE800101123401' };
const date = '2026-11-20';

const booked = (
  kind: LedgerDocument['kind'],
  id: string,
  grossMinor: number,
  more: Partial<LedgerDocument['parts']> = {},
  owedMinor = 0,
): LedgerDocument => ({
  id,
  kind,
  occurredAt: at,
  currency: 'SEK',
  deltas: deltas({ customer_payable: owedMinor }),
  parts: { grossMinor: minor(grossMinor), coachMinor: zero, feeMinor: zero, vatRate: 25, ...more },
  paymentId: 'pi_1',
  stripeObjectId: id.split(':')[0] ?? '',
  balanceTransactionIds: [],
  voucherId: null,
  receiptId: null,
  createdAt: at,
});
const sold = (amountMinor: number, more: Partial<Sold> = {}): Sold => ({
  userId: 'lisa',
  customerName: 'Lisa Kund',
  description: 'Programme',
  items: [],
  paid: { amountMinor: minor(amountMinor), currency: 'SEK' },
  ...more,
});
const issued = (contents: ReceiptContents, sequence: number): Issued => ({
  id: contents.ledgerId.replaceAll(':', '_'),
  receipt: {
    ...contents,
    seriesId: 's',
    number: numberOf(date, sequence),
    issuedOn: date,
    createdAt: at,
  },
});
const ofRate = (receipts: readonly Receipt[], rate: number, field: 'grossMinor' | 'vatMinor'): Minor =>
  sum(receipts.flatMap(({ vat }) => vat.filter(({ vatRate }) => vatRate === rate).map((line) => line[field])));

const rates = fc.uniqueArray(fc.constantFrom(25, 12, 6, 0), { minLength: 1, maxLength: 4 });
const sale = fc.tuple(rates, fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 4, maxLength: 4 }));
const linesOf = (of: readonly number[], amounts: readonly number[]) =>
  of.map((vatRate, n) => ({ vatRate, grossMinor: minor(amounts[n] ?? 1) }));

describe('a receipt', () => {
  it('of 499 kr at 25 % has 99.80 of VAT in it; of several rates each its own', () => {
    expect(receiptOf(booked('own_sale', 'ch_1:sale', 49_900), sold(49_900), { seller: platform, date })).toMatchObject({
      kind: 'receipt',
      amount: 499,
      amountMinor: 49_900,
      netMinor: 39_920,
      vatMinor: 9_980,
      vat: [{ vatRate: 25, grossMinor: 49_900, vatMinor: 9_980 }],
      lines: [{ description: 'Programme', quantity: 1, amountMinor: 49_900, vatRate: 25 }],
      seller: platform,
    });
    const vatLines = [
      { vatRate: 25, grossMinor: minor(10_000) },
      { vatRate: 6, grossMinor: minor(10_600) },
    ];
    const items = [
      { name: 'Mat', quantity: 2, amountMinor: minor(10_000), vatRate: 25 },
      { name: 'Book', quantity: 1, amountMinor: minor(10_600), vatRate: 6 },
    ];
    const several = booked('own_sale', 'ch_2:sale', 20_600, { vatRate: 14.44, vatLines });
    expect(receiptOf(several, sold(20_600, { items }), { seller: platform, date })).toMatchObject({
      vat: [
        { vatRate: 25, grossMinor: 10_000, vatMinor: 2_000 },
        { vatRate: 6, grossMinor: 10_600, vatMinor: 600 },
      ],
      lines: [
        { description: 'Mat', quantity: 2 },
        { description: 'Book', quantity: 1 },
      ],
    });
  });

  it('is of the coach’s sale where the platform is an agent, without VAT when the coach is not registered', () => {
    const document = { ...booked('sale', 'ch_1:sale', 49_900), coachId: 'karin' };
    expect(sellingCoach('agent', document)).toBe('karin');
    for (const profile of ['principal', 'specification'] as const)
      expect(sellingCoach(profile, document)).toBeUndefined();
    expect(sellingCoach('agent', booked('own_sale', 'ch_2:sale', 9_900))).toBeUndefined();
    const parties = { seller: karin, mediator: platform, date };
    expect(receiptOf(document, sold(49_900), parties)).toMatchObject({ vatMinor: 9_980, mediator: platform });
    const small = { ...parties, seller: { ...karin, vatNumber: null } };
    expect(receiptOf(document, sold(49_900), small)).toMatchObject({
      vatMinor: 0,
      netMinor: 49_900,
      vat: [{ vatRate: 0, grossMinor: 49_900, vatMinor: 0 }],
      lines: [{ vatRate: 0 }],
    });
  });

  it('says what was paid where Stripe converted it', () => {
    const paid = { amountMinor: minor(4_500), currency: 'EUR' };
    const receipt = receiptOf(booked('own_sale', 'ch_1:sale', 49_900), sold(0, { paid }), { seller: platform, date });
    expect(receipt).toMatchObject({ currency: 'SEK', amount: 499, paid: { amount: 45, currency: 'EUR' } });
  });

  it('counts in its seller’s series, anew each year', () => {
    expect(seriesOf({}, '2026-12-31')).toBe('receipts_platform_2026');
    expect(seriesOf({ coachId: 'platform' }, '2027-01-01')).toBe('receipts_coach_platform_2027');
    expect(numberOf('2026-12-31', 7)).toBe('R-2026-00007');
    expect(numberOf('2026-12-31', 123_456)).toBe('R-2026-123456');
  });
});

describe('VAT', () => {
  it('and net are the gross, by rate and in all; parts of a credit take back exactly the receipt', () => {
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });
    fc.assert(
      fc.property(sale, cuts, ([of, amounts], at01) => {
        const vatLines = linesOf(of, amounts);
        const gross = sum(vatLines.map(({ grossMinor }) => grossMinor));
        const document = booked(
          'own_sale',
          'ch_1:sale',
          gross,
          vatLines.length > 1 ? { vatLines } : { vatRate: of[0] ?? 0 },
        );
        const first = issued(receiptOf(document, sold(gross), { seller: platform, date }), 1);
        const documents = [first];
        let left: number = gross;
        const credit = (amount: number) => {
          const contents = creditOf(booked('refund', `re_${documents.length}:refund`, amount), first, documents, date);
          documents.push(issued(contents, documents.length + 1));
          left -= amount;
        };
        for (const cut of at01) if (Math.floor(left * cut) > 0) credit(Math.floor(left * cut));
        if (left > 0) credit(left);
        const all = documents.map(({ receipt }) => receipt);
        for (const { vat, amountMinor, netMinor, vatMinor } of all) {
          expect(netMinor + vatMinor).toBe(amountMinor);
          expect(sum(vat.map(({ grossMinor }) => grossMinor))).toBe(amountMinor);
        }
        expect(sum(all.map(({ amountMinor }) => amountMinor))).toBe(0);
        for (const rate of of) {
          expect(ofRate(all, rate, 'grossMinor')).toBe(0);
          expect(ofRate(all, rate, 'vatMinor')).toBe(0);
        }
      }),
    );
  });
});

describe('a credit note', () => {
  const receipt = issued(
    receiptOf(booked('own_sale', 'ch_1:sale', 49_900), sold(49_900), { seller: platform, date }),
    1,
  );

  it('is of what a refund gives back, and not again of what a failed one gave back', () => {
    expect(creditedMinor(booked('refund', 're_1:refund', 20_000))).toBe(20_000);
    expect(creditedMinor(booked('refund', 're_2:refund', 20_000, {}, 20_000))).toBe(0);
    expect(creditOf(booked('refund', 're_1:refund', 20_000), receipt, [receipt], date)).toMatchObject({
      kind: 'credit_note',
      amount: -200,
      vatMinor: -4_000,
      netMinor: -16_000,
      refersTo: { receiptId: 'ch_1_sale', number: 'R-2026-00001' },
      lines: [{ description: 'Programme', amountMinor: -20_000 }],
    });
  });

  it('of a lost dispute is taken back when an appeal turns it round', () => {
    const lost = issued(creditOf(booked('dispute_lost', 'du_1:dispute_lost', 49_900), receipt, [receipt], date), 2);
    const back = creditOf(booked('dispute_lost', 'du_1:dispute_lost_2', -49_900), receipt, [receipt, lost], date);
    expect(back).toMatchObject({
      kind: 'credit_withdrawn',
      amountMinor: 49_900,
      vatMinor: 9_980,
      refersTo: { receiptId: 'du_1_dispute_lost', number: 'R-2026-00002' },
    });
  });
});
