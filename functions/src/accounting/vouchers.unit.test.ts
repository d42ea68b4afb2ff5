import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import {
  coachPayout,
  destinationSale,
  ownSale,
  payoutReturned,
  stripeFee,
  type LedgerDocument,
  type LedgerEntry,
} from '../ledger/ledger.ts';
import { platformPayout } from '../ledger/shares.ts';
import { isCleanText } from '../platform/fortnox/text.ts';
import { minor, sum } from '../platform/money.ts';
import { accountPlan, accountsOf } from './account-plan.ts';
import { clearingNet, draftVoucher, voucherIdOf, voucherKey, type Books } from './vouchers.ts';

const plan = accountPlan({ profile: 'specification', clearing: 1686 });
const books: Books = { plan, series: 'S', currency: 'SEK' };
const now = new Date('2026-11-21T01:00:00Z');
const at = Timestamp.fromDate(new Date('2026-11-20T10:00:00Z'));

const asDocument = (entry: LedgerEntry, currency = 'SEK'): LedgerDocument => ({
  ...entry,
  currency,
  voucherId: null,
  createdAt: at,
});

const sale = (gross: number, fee: number, occurredAt = at): LedgerDocument =>
  asDocument(
    destinationSale({
      chargeId: 'ch_1',
      paymentId: 'pi_1',
      occurredAt,
      currency: 'SEK',
      grossMinor: minor(gross),
      coachMinor: minor(gross - fee),
      feeMinor: minor(fee),
      vatRate: 25,
      coachId: 'coach',
      stripeAccountId: 'acct_1',
      balanceTransactionIds: ['txn_1', 'txn_2', 'txn_3', 'txn_4'],
    }),
  );

const own = (gross: number): LedgerDocument =>
  asDocument(
    ownSale({
      chargeId: 'ch_2',
      paymentId: 'pi_2',
      occurredAt: at,
      currency: 'SEK',
      grossMinor: minor(gross),
      vatRate: 25,
      balanceTransactionIds: ['txn_5'],
    }),
  );

function fee(amount: number): LedgerDocument {
  const entry = stripeFee({ balanceTransactionId: 'txn_1', occurredAt: at, currency: 'SEK', feeMinor: minor(amount) });
  if (!entry) throw new Error('a fee of nothing is not booked');
  return asDocument(entry);
}

const booking = (amount: number) => ({
  stripePayoutId: 'po_1',
  payoutId: 'coach_SEK_2026-11-20_1',
  coachId: 'coach',
  stripeAccountId: 'acct_1',
  occurredAt: at,
  currency: 'SEK',
  amountMinor: minor(amount),
  balanceTransactionId: 'txn_6',
});
const payout = (amount: number) => asDocument(coachPayout(booking(amount)));
const returned = (amount: number) => asDocument(payoutReturned(booking(amount)));
const toBank = (returned: boolean) =>
  asDocument(
    platformPayout({
      payoutId: 'm_anna_request',
      stripeObjectId: 'po_2',
      occurredAt: at,
      currency: 'SEK',
      amountMinor: minor(10000),
      balanceTransactionIds: ['txn_7'],
      returned,
    }),
  );

const amount = fc.integer({ min: 1, max: 99_999_999 });
const documents = fc.oneof(
  fc.tuple(amount, fc.nat()).map(([gross, part]) => sale(gross, part % (gross + 1))),
  amount.map(own),
  amount.map(fee),
  amount.map(payout),
  amount.map(returned),
);

function rowsOf(document: LedgerDocument) {
  return drafted(document).rows;
}

function drafted(document: LedgerDocument) {
  const draft = draftVoucher(document, books, now);
  if (draft.outcome !== 'voucher') throw new Error(draft.outcome);
  return draft.voucher;
}

const table = (document: LedgerDocument) =>
  rowsOf(document).map(({ account, debitMinor, creditMinor }) => [account, debitMinor, creditMinor]);

describe('the posting table of the profile "specification"', () => {
  it('books a sale gross, split in the coach share and the fee', () => {
    expect(table(sale(49900, 9900))).toEqual([
      [1686, 49900, 0],
      [3001, 0, 40000],
      [3921, 0, 9900],
    ]);
  });

  it('books an own sale on 3001', () => {
    expect(table(own(9900))).toEqual([
      [1686, 9900, 0],
      [3001, 0, 9900],
    ]);
  });

  it("books Stripe's fee, a payout, and a payout that came back the other way round", () => {
    expect(table(fee(929))).toEqual([
      [6570, 929, 0],
      [1686, 0, 929],
    ]);
    expect(table(payout(40000))).toEqual([
      [5090, 40000, 0],
      [1686, 0, 40000],
    ]);
    expect(table(returned(40000))).toEqual([
      [1686, 40000, 0],
      [5090, 0, 40000],
    ]);
  });

  it('leaves out a row of nothing: a sale without fee, a sale without share', () => {
    expect(table(sale(49900, 0)).map(([account]) => account)).toEqual([1686, 3001]);
    expect(table(sale(49900, 49900)).map(([account]) => account)).toEqual([1686, 3921]);
  });

  it("ends at the design's trial balance", () => {
    const story = [sale(49900, 9900), own(9900), fee(929), fee(329), payout(40000)];
    const balance: Record<number, number> = {};
    for (const row of story.flatMap(rowsOf)) {
      balance[row.account] = (balance[row.account] ?? 0) + row.debitMinor - row.creditMinor;
    }
    expect(balance).toEqual({ 1686: 18542, 3001: -49900, 3921: -9900, 5090: 40000, 6570: 1258 });
  });

  it('balances, has only rows above zero, one per account, and clears what moved in Stripe', () => {
    fc.assert(
      fc.property(documents, (document) => {
        const rows = rowsOf(document);
        expect(sum(rows.map((row) => row.debitMinor - row.creditMinor))).toBe(0);
        expect(rows.every((row) => row.debitMinor > 0 !== row.creditMinor > 0)).toBe(true);
        expect(rows.every((row) => row.debitMinor >= 0 && row.creditMinor >= 0)).toBe(true);
        expect(new Set(rows.map((row) => row.account)).size).toBe(rows.length);
        expect(rows.length).toBeGreaterThanOrEqual(2);
        expect(clearingNet(rows, plan)).toBe(document.deltas.stripe_platform + document.deltas.stripe_connected);
      }),
    );
  });

  it('a payout and its return leave nothing', () => {
    fc.assert(
      fc.property(amount, (p) => {
        const net = new Map<number, number>();
        for (const row of [...rowsOf(payout(p)), ...rowsOf(returned(p))]) {
          net.set(row.account, (net.get(row.account) ?? 0) + row.debitMinor - row.creditMinor);
        }
        expect([...net.values()]).toEqual([0, 0]);
      }),
    );
  });

  it('refuses what it has no rule for, and another currency than the books', () => {
    const odd = sale(49900, 9900);
    const lossy = { ...odd, deltas: { ...odd.deltas, losses: minor(100), coach_payable: minor(-40100) } };
    expect(draftVoucher(lossy, books, now)).toMatchObject({ outcome: 'unsupported' });
    expect(draftVoucher(asDocument(own(9900), 'EUR'), books, now)).toMatchObject({ outcome: 'unsupported' });
  });

  it('makes no voucher of a document that moves nothing', () => {
    const nothing = own(9900);
    const zeroed = { ...nothing, deltas: { ...nothing.deltas, stripe_platform: minor(0), own_revenue: minor(0) } };
    expect(draftVoucher(zeroed, books, now)).toEqual({ outcome: 'none' });
  });
});

describe('a voucher', () => {
  it("is dated by Stockholm's day", () => {
    expect(drafted(sale(49900, 9900, Timestamp.fromDate(new Date('2026-11-20T22:59:59Z')))).date).toBe('2026-11-20');
    expect(drafted(sale(49900, 9900, Timestamp.fromDate(new Date('2026-11-20T23:00:00Z')))).date).toBe('2026-11-21');
    expect(drafted(sale(49900, 9900, Timestamp.fromDate(new Date('2026-07-20T22:00:00Z')))).date).toBe('2026-07-21');
  });

  it('has a description that Fortnox takes, with its key at the end', () => {
    fc.assert(
      fc.property(documents, fc.string({ minLength: 1, maxLength: 300, unit: 'binary' }), (document, id) => {
        const voucher = drafted({ ...document, stripeObjectId: id });
        expect(isCleanText(voucher.description, 200)).toBe(true);
        expect(voucher.description.endsWith(voucher.key)).toBe(true);
        expect(voucher.rows.every((row) => isCleanText(row.text, 100))).toBe(true);
      }),
    );
    expect(drafted(payout(40000)).description).toMatch(/^Utbetalning till coach po_1 [0-9a-hjkmnp-tv-z]{12}$/);
  });

  it('has an id and a key that follow from the ledger document alone', () => {
    expect(drafted(payout(40000)).id).toBe('v_po_1_payout');
    expect(drafted(payout(40000)).key).toBe(drafted(payout(1)).key);
    const ids = fc.uniqueArray(fc.stringMatching(/^(ch|txn|po)_[A-Za-z0-9]{8,24}:(sale|fee|payout)$/), {
      maxLength: 50,
    });
    fc.assert(
      fc.property(ids, (some) => {
        expect(new Set(some.map((id) => voucherKey(voucherIdOf(id)))).size).toBe(some.length);
      }),
    );
  });

  it('knows its payout, but not as the voucher of its return', () => {
    expect(drafted(payout(40000)).payoutIds).toEqual(['coach_SEK_2026-11-20_1']);
    expect(drafted(returned(40000)).payoutIds).toBeUndefined();
    expect(drafted(toBank(false)).payoutIds).toEqual(['m_anna_request']);
    expect(drafted(toBank(true)).payoutIds).toBeUndefined();
  });
});

describe('the account plan', () => {
  it('refuses a clearing account that is used for something else', () => {
    expect(() => accountPlan({ profile: 'specification', clearing: 3001 })).toThrow(/CLEARING_ACCOUNT 3001/);
    expect(accountsOf(accountPlan({ profile: 'specification', clearing: 1580 }))).toEqual([
      1580, 1689, 1930, 2420, 2899, 3001, 3921, 5090, 6380, 6570,
    ]);
  });
});
