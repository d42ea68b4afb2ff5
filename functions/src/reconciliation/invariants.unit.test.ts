import { Timestamp } from 'firebase-admin/firestore';
import type { Voucher } from '../accounting/accounting.ts';
import { coachPayout, ownSale, stripeFee, type LedgerDocument, type LedgerEntry } from '../ledger/ledger.ts';
import type { Payment } from '../payments/payments.ts';
import type { PayoutWithItems } from '../payouts/payouts.ts';
import { minor } from '../platform/money.ts';
import {
  explainedTwice,
  numberedTwice,
  payoutItemsDiffer,
  postedWithoutReference,
  splitDiffers,
  unbalanced,
  vouchersDiffer,
} from './invariants.ts';

const at = Timestamp.fromMillis(1_800_000_000_000);
const document = (entry: LedgerEntry | undefined, voucherId: string | null = null): LedgerDocument => {
  if (!entry) throw new Error('nothing to book');
  return { ...entry, voucherId, createdAt: at };
};
const common = { occurredAt: at, currency: 'SEK' };
const sale = (chargeId = 'ch_1') =>
  ownSale({
    ...common,
    chargeId,
    paymentId: 'pi_1',
    grossMinor: minor(9900),
    vatRate: 25,
    balanceTransactionIds: ['txn_1'],
  });
const fee = () => stripeFee({ ...common, balanceTransactionId: 'txn_1', feeMinor: minor(329) });

const voucher: Voucher = {
  id: 'v_ch_1_sale',
  ledgerIds: ['ch_1:sale'],
  kind: 'sale',
  profile: 'specification',
  ruleVersion: 1,
  series: 'S',
  date: '2026-11-20',
  description: 'Egen försäljning ch_1 k',
  key: 'k',
  rows: [
    { account: 1686, debitMinor: minor(9900), creditMinor: minor(0), text: 'ch_1' },
    { account: 3001, debitMinor: minor(0), creditMinor: minor(9900), text: 'ch_1' },
  ],
  clearingMinor: minor(9900),
  clearingAccount: 1686,
  state: 'posted',
  fortnoxNumber: 1,
  fortnoxReference: 'S 1 (2026)',
  attempts: 1,
  createdAt: at,
  updatedAt: at,
};

describe('what must always hold', () => {
  it('every ledger document balances', () => {
    const good = document(sale());
    expect(unbalanced([good])).toEqual([]);
    const bad = { ...good, deltas: { ...good.deltas, losses: minor(1) } };
    expect(unbalanced([good, bad])).toEqual(['ledger/ch_1:sale is off by 1']);
  });

  it('a balance transaction is explained by one document and one fee', () => {
    expect(explainedTwice([document(sale()), document(fee()), document(sale())])).toEqual([]);
    expect(explainedTwice([document(sale()), document(sale('ch_2'))])).toEqual([
      'txn_1 is explained by ledger/ch_1:sale and ledger/ch_2:sale',
    ]);
  });

  it('a payout is its items, and relates to their payments', () => {
    const payout = (amountMinor: number, relatedPaymentIds: string[]) =>
      ({
        payoutId: 'p',
        payout: { amountMinor, relatedPaymentIds },
        items: [
          { paymentId: 'pi_1', kind: 'sale', amountMinor: 40000 },
          { paymentId: 'pi_2', kind: 'sale', amountMinor: 100 },
        ],
      }) as unknown as PayoutWithItems;
    expect(payoutItemsDiffer([payout(40100, ['pi_2', 'pi_1'])])).toEqual([]);
    expect(payoutItemsDiffer([payout(40000, ['pi_1', 'pi_2'])])).toEqual(['payouts/p is 40000, its items 40100']);
    expect(payoutItemsDiffer([payout(40100, ['pi_1'])])).toHaveLength(1);
  });

  it("a coach's payment is its fee and its share", () => {
    const payment = (platformFeeMinor: number) =>
      ({
        stripePaymentId: 'pi',
        coachId: 'karin',
        amountMinor: 49900,
        platformFeeMinor,
        coachAmountMinor: 40000,
      }) as Payment;
    expect(splitDiffers([payment(9900)])).toEqual([]);
    expect(splitDiffers([payment(9899)])).toEqual(['payments/pi is 49900, its parts 49899']);
  });

  it('a posted voucher has a number that is its own', () => {
    const { fortnoxReference: _, ...nameless } = voucher;
    expect(postedWithoutReference([voucher])).toEqual([]);
    expect(postedWithoutReference([nameless])).toHaveLength(1);
    expect(numberedTwice([voucher, { ...voucher, id: 'v_2', fortnoxNumber: 2 }])).toEqual([]);
    // A shortened year and the next begin in one calendar year.
    expect(numberedTwice([voucher, { ...voucher, id: 'v_2', financialYearId: 9 }])).toEqual([]);
    expect(numberedTwice([voucher, { ...voucher, id: 'v_2' }])).toEqual([
      'vouchers/v_2 and vouchers/v_ch_1_sale are both S 1 (2026)',
    ]);
  });

  it('a voucher clears what its ledger documents moved', () => {
    const covered = (entry: LedgerEntry, voucherId: string) =>
      new Map([['ch_1:sale', { ...document(entry, voucherId), id: 'ch_1:sale' }]]);
    expect(vouchersDiffer([voucher], covered(sale(), 'v_ch_1_sale'))).toEqual([]);
    expect(vouchersDiffer([voucher], covered(sale(), 'v_other'))).toHaveLength(1);
    expect(vouchersDiffer([voucher], new Map())).toHaveLength(1);
    const payout = coachPayout({
      ...common,
      stripePayoutId: 'po_1',
      payoutId: 'p',
      coachId: 'karin',
      stripeAccountId: 'acct_1',
      amountMinor: minor(5),
      balanceTransactionId: 'txn_9',
    });
    expect(vouchersDiffer([voucher], covered(payout, 'v_ch_1_sale'))).toEqual([
      'vouchers/v_ch_1_sale clears 9900, its ledger documents moved -5',
    ]);
  });

  it('a corrected voucher left its documents to another, and the one that took it back has none', () => {
    // Posted by rules that made too much of it.
    const rows = voucher.rows.map((row) => ({
      ...row,
      debitMinor: minor(row.debitMinor * 2),
      creditMinor: minor(row.creditMinor * 2),
    }));
    const corrected = { ...voucher, rows, clearingMinor: minor(19_800), correctedBy: 'v_ch_1_sale_r1' };
    const covered = (voucherId: string | null) => new Map([['ch_1:sale', document(sale(), voucherId)]]);
    expect(vouchersDiffer([corrected], covered('v_ch_1_sale_n1'))).toEqual([]);
    expect(vouchersDiffer([corrected], covered('none'))).toEqual([]);
    expect(vouchersDiffer([corrected], covered('v_ch_1_sale'))).toHaveLength(1);
    expect(vouchersDiffer([corrected], covered(null))).toHaveLength(1);
    const reversing = { ...voucher, id: 'v_ch_1_sale_r1', corrects: 'v_ch_1_sale', ledgerIds: [] };
    expect(vouchersDiffer([reversing], new Map())).toEqual([]);
    expect(vouchersDiffer([{ ...reversing, clearingMinor: minor(1) }], new Map())).toHaveLength(1);
  });
});
