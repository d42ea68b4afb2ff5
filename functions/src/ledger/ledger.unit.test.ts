import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { minor } from '../platform/money.ts';
import {
  accounts,
  assertBalanced,
  coachPayout,
  deltas,
  destinationSale,
  ownSale,
  payoutReturned,
  sameBooking,
  stripeFee,
  trialBalance,
  type LedgerEntry,
} from './ledger.ts';

const at = Timestamp.fromMillis(1_795_000_000_000);
const sale = {
  chargeId: 'ch_1',
  paymentId: 'pi_1',
  occurredAt: at,
  currency: 'SEK',
  vatRate: 25,
  balanceTransactionIds: ['txn_1'],
};
const coach = { coachId: 'karin', stripeAccountId: 'acct_1' };
const payout = {
  ...coach,
  stripePayoutId: 'po_1',
  payoutId: 'p1',
  occurredAt: at,
  currency: 'SEK',
  balanceTransactionId: 'txn_2',
};

const destination = (gross: number, share: number): LedgerEntry =>
  destinationSale({
    ...sale,
    ...coach,
    grossMinor: minor(gross),
    coachMinor: minor(share),
    feeMinor: minor(gross - share),
  });

const nonZero = (entry: LedgerEntry) =>
  Object.fromEntries(Object.entries(entry.deltas).filter(([, amount]) => amount !== 0));

describe('ledger', () => {
  it('books the worked table of the design', () => {
    expect(nonZero(destination(49_900, 40_000))).toEqual({
      stripe_platform: 9_900,
      stripe_connected: 40_000,
      coach_payable: -40_000,
      fee_revenue: -9_900,
    });
    expect(nonZero(ownSale({ ...sale, grossMinor: minor(9_900) }))).toEqual({
      stripe_platform: 9_900,
      own_revenue: -9_900,
    });
    expect(nonZero(coachPayout({ ...payout, amountMinor: minor(40_000) }))).toEqual({
      coach_payable: 40_000,
      stripe_connected: -40_000,
    });
    expect(nonZero(payoutReturned({ ...payout, amountMinor: minor(40_000) }))).toEqual({
      coach_payable: -40_000,
      stripe_connected: 40_000,
    });
    const fee = stripeFee({ balanceTransactionId: 'txn_1', occurredAt: at, currency: 'SEK', feeMinor: minor(929) });
    expect(fee && nonZero(fee)).toEqual({ stripe_fees: 929, stripe_platform: -929 });
  });

  it('every document names every account and balances, and a payout returned undoes the payout', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99_999_999 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (gross, part) => {
          const share = Math.floor(gross * part);
          const entries = [
            destination(gross, share),
            ownSale({ ...sale, grossMinor: minor(gross) }),
            coachPayout({ ...payout, amountMinor: minor(share) }),
            payoutReturned({ ...payout, amountMinor: minor(share) }),
          ];
          for (const entry of entries) {
            assertBalanced(entry);
            expect(Object.keys(entry.deltas).sort()).toEqual([...accounts].sort());
          }
          const undone = trialBalance(entries.slice(2));
          expect(undone).toEqual(deltas({}));
        },
      ),
    );
  });

  it('refuses a document that does not balance', () => {
    const entry = { ...destination(100, 80), deltas: deltas({ stripe_platform: 1 }) };
    expect(() => assertBalanced(entry)).toThrow('does not balance');
  });

  it('tells two bookings of one object apart by the money they moved', () => {
    expect(sameBooking(destination(100, 80), destination(100, 80))).toBe(true);
    expect(sameBooking(destination(100, 80), destination(100, 81))).toBe(false);
  });

  it('books no document for a fee of zero', () => {
    expect(
      stripeFee({ balanceTransactionId: 'txn_1', occurredAt: at, currency: 'SEK', feeMinor: minor(0) }),
    ).toBeUndefined();
  });
});
