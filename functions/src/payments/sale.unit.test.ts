import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { trialBalance } from '../ledger/ledger.ts';
import { minor } from '../platform/money.ts';
import type { Payment } from './payments.ts';
import { bookSale, type SaleFacts } from './sale.ts';

const at = Timestamp.fromMillis(1_795_000_000_000);

const payment = (gross: number, share: number | null): Payment => ({
  userId: 'lisa',
  amount: gross / 100,
  amountMinor: minor(gross),
  currency: 'SEK',
  date: at,
  status: 'succeeded',
  stripePaymentId: 'pi_1',
  description: 'Programme',
  ...(share === null ? {} : { coachId: 'karin', stripeAccountId: 'acct_1' }),
  platformFeeMinor: minor(share === null ? 0 : gross - share),
  coachAmountMinor: minor(share ?? 0),
  stripeFeeMinor: null,
  netMinor: null,
  vatRate: 25,
  chargeModel: share === null ? 'own' : 'destination',
  refundedMinor: minor(0),
  customerName: 'Lisa',
  metadata: {},
  createdAt: at,
  updatedAt: at,
});

const facts = (gross: number, share: number | null, fee: number): SaleFacts => ({
  chargeId: 'ch_1',
  amountMinor: gross,
  currency: 'SEK',
  balanceTransaction: {
    id: 'txn_1',
    created: 1_795_000_000,
    amountMinor: gross,
    feeMinor: fee,
    currency: 'SEK',
    availableOn: 1_795_000_000,
  },
  ...(share === null
    ? {}
    : {
        share: {
          transferId: 'tr_1',
          transferTransactionId: 'txn_2',
          stripeAccountId: 'acct_1',
          applicationFeeTransactionId: 'txn_3',
          destinationPaymentId: 'py_4',
          netMinor: share,
          availableOn: 1_795_000_500,
        },
      }),
});

describe('a sale as Stripe booked it', () => {
  it('499 kr: 99 to the platform, 400 to the coach, 9,29 to Stripe', () => {
    const sale = bookSale(payment(49_900, 40_000), facts(49_900, 40_000, 929), 'evt_1');
    expect(sale.entries.map((entry) => entry?.id)).toEqual(['ch_1:sale', 'txn_1:fee']);
    expect(sale.patch).toMatchObject({
      stripeFeeMinor: 929,
      netMinor: 8_971,
      stripeChargeId: 'ch_1',
      stripeTransferId: 'tr_1',
    });
    expect(sale.entries[0]?.balanceTransactionIds).toEqual(['txn_1', 'txn_2', 'txn_3', 'py_4']);
    expect(sale.availableOn.seconds).toBe(1_795_000_500);
    expect(sale.difference).toBeUndefined();
  });

  it('moves in the ledger exactly what moved at Stripe, whatever was asked for', () => {
    const amounts = fc.record({
      asked: fc.integer({ min: 300, max: 9_999_999 }),
      gross: fc.integer({ min: 300, max: 9_999_999 }),
      part: fc.nat(100),
      fee: fc.nat(500),
    });
    fc.assert(
      fc.property(amounts, ({ asked, gross, part, fee }) => {
        const share = Math.floor((gross * part) / 100);
        const sale = bookSale(payment(asked, Math.floor((asked * part) / 100)), facts(gross, share, fee), undefined);
        const moved = trialBalance(sale.entries.filter((entry) => entry !== undefined));
        expect(moved.stripe_platform).toBe(gross - share - fee);
        expect(moved.stripe_connected).toBe(share);
        expect(Boolean(sale.difference)).toBe(asked !== gross);
      }),
    );
  });

  it('never becomes own revenue when a coach should have had a share', () => {
    expect(() => bookSale(payment(49_900, 40_000), facts(49_900, null, 929), undefined)).toThrow('has coach');
    expect(() => bookSale(payment(49_900, null), facts(49_900, 40_000, 929), undefined)).toThrow('has no coach');
  });
});

describe('a sale that Stripe settles in another currency', () => {
  const inEuro = (share: number): Payment => ({ ...payment(10_000, share), currency: 'EUR' });
  const settledInKronor = (gross: number, share: number): SaleFacts => ({
    ...facts(gross, share, 200),
    amountMinor: 10_000,
    currency: 'EUR',
  });

  it('is booked in that one, and the payment keeps both', () => {
    const sale = bookSale(inEuro(8_000), settledInKronor(114_983, 91_987), undefined);
    expect(sale.difference).toBeUndefined();
    expect(sale.entries[0]).toMatchObject({ currency: 'SEK', parts: { grossMinor: 114_983, coachMinor: 91_987 } });
    expect(sale.patch.settlement).toEqual({ amountMinor: 114_983, currency: 'SEK' });
  });

  it('is compared in the currency it was owed in: a share off by more than rounding is told', () => {
    expect(bookSale(inEuro(8_000), settledInKronor(114_983, 91_900), undefined).difference).toContain('coach share');
    const less = { ...settledInKronor(114_983, 91_987), amountMinor: 9_999 };
    expect(bookSale(inEuro(8_000), less, undefined).difference).toContain('amount: asked 10000, Stripe booked 9999');
  });
});

it('a sale at two VAT rates says which part is at which', () => {
  const vatLines = [
    { vatRate: 25, grossMinor: minor(25_000), vatMinor: minor(5_000) },
    { vatRate: 6, grossMinor: minor(10_600), vatMinor: minor(600) },
  ];
  const sale = bookSale({ ...payment(35_600, null), vatRate: 18.67, vatLines }, facts(35_600, null, 700), undefined);
  expect(sale.parts.vatLines).toEqual([
    { vatRate: 25, grossMinor: 25_000 },
    { vatRate: 6, grossMinor: 10_600 },
  ]);
});
