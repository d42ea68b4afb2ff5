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
import { Refusal } from '../platform/errors.ts';
import { isCleanText } from '../platform/fortnox/text.ts';
import { minor, sum } from '../platform/money.ts';
import { accountPlan, profiles, type Profile, type StripeFeeVat } from './account-plan.ts';
import type { Voucher } from './accounting.ts';
import { correctable, correctionIds, correctionOf, longestReason, type Corrected } from './corrections.ts';
import { draftDay, draftVoucher, isDayVoucher, voucherIdOf, voucherKey, type Books } from './vouchers.ts';

const at = Timestamp.fromDate(new Date('2026-11-20T10:00:00Z'));
const made = new Date('2026-11-21T01:00:00Z');
/** Past midnight in Stockholm, before it in London. */
const now = new Date('2026-12-31T23:30:00Z');
const anna = { by: 'anna', reason: 'Fel profil' };

const booksOf = (profile: Profile, stripeFeeVat: StripeFeeVat = 'exempt', clearing = 1686): Books => ({
  plan: accountPlan({ profile, clearing, stripeFeeVat: profile === 'specification' ? 'exempt' : stripeFeeVat }),
  series: 'S',
  currency: 'SEK',
});
const old = booksOf('specification');

function asDocument(entry: LedgerEntry | undefined): LedgerDocument {
  if (!entry) throw new Error('nothing to book');
  return { ...entry, voucherId: null, createdAt: at };
}
const common = { occurredAt: at, currency: 'SEK' };
const karin = { coachId: 'karin', stripeAccountId: 'acct_1' };
const sale = (gross = 49_900, fee = 9_900, coachVat = false, vatRate = 25): LedgerDocument => {
  const entry = destinationSale({
    ...common,
    ...karin,
    chargeId: 'ch_1',
    paymentId: 'pi_1',
    grossMinor: minor(gross),
    coachMinor: minor(gross - fee),
    feeMinor: minor(fee),
    vatRate,
    balanceTransactionIds: ['txn_1'],
  });
  return asDocument(coachVat ? { ...entry, parts: { ...entry.parts, coachVat: true } } : entry);
};
const own = (gross: number, vatRate: number) =>
  asDocument(
    ownSale({
      ...common,
      chargeId: 'ch_2',
      paymentId: 'pi_2',
      grossMinor: minor(gross),
      vatRate,
      balanceTransactionIds: ['txn_2'],
    }),
  );
const fee = (amount: number) =>
  asDocument(stripeFee({ ...common, balanceTransactionId: 'txn_3', feeMinor: minor(amount) }));
const payoutOf = (amount: number) => ({
  ...common,
  ...karin,
  stripePayoutId: 'po_1',
  payoutId: 'karin_po_1',
  amountMinor: minor(amount),
  balanceTransactionId: 'txn_4',
});

const amount = fc.integer({ min: 1, max: 99_999_999 });
const rate = fc.constantFrom(25, 12, 6, 0);
const documents = fc.oneof(
  fc
    .tuple(amount, fc.nat(), fc.boolean(), rate)
    .map(([gross, part, vat, at]) => sale(gross, part % (gross + 1), vat, at)),
  fc.tuple(amount, rate).map(([gross, at]) => own(gross, at)),
  amount.map(fee),
  amount.map((one) => asDocument(coachPayout(payoutOf(one)))),
  amount.map((one) => asDocument(payoutReturned(payoutOf(one)))),
);
const someBooks = fc
  .tuple(fc.constantFrom(...profiles), fc.constantFrom('exempt', 'reverse_charge'), fc.constantFrom(1686, 1580))
  .map(([profile, vat, clearing]) => booksOf(profile, vat, clearing));

const reference = { state: 'posted', fortnoxNumber: 12, financialYearId: 1, fortnoxReference: 'S 12 (2026)' } as const;

function drafted(document: LedgerDocument, books: Books): Voucher {
  const draft = draftVoucher(document, books, made);
  if (draft.outcome !== 'voucher') throw new Error(draft.outcome);
  return draft.voucher;
}

function postedDay(some: readonly LedgerDocument[], books: Books): Voucher {
  const draft = draftDay({ date: '2026-11-20', kind: 'sale', sequence: 2 }, some, books, made);
  if (draft.outcome !== 'voucher' || !draft.voucher.list) throw new Error(draft.outcome);
  return { ...draft.voucher, ...reference, list: { ...draft.voucher.list, state: 'attached' } };
}
const posted = (document: LedgerDocument, books = old): Voucher => ({ ...drafted(document, books), ...reference });

/** By account, debit positive. */
function booked(...vouchers: (Voucher | undefined)[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { account, debitMinor, creditMinor } of vouchers.flatMap((voucher) => voucher?.rows ?? []))
    found[account] = (found[account] ?? 0) + debitMinor - creditMinor;
  return Object.fromEntries(Object.entries(found).filter(([, moved]) => moved !== 0));
}

const reasonOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error.reason;
    throw error;
  }
  return 'none';
};

function rebookedOf({ rebooked }: Corrected): Voucher {
  if (!rebooked) throw new Error('nothing was booked anew');
  return rebooked;
}

describe('a correction', () => {
  it('takes a sale back and books it by another profile, today, and each names the one it is about', () => {
    const voucher = posted(sale());
    const { old: marked, reversing, rebooked } = correctionOf(voucher, [sale()], booksOf('agent'), anna, now);
    expect(marked).toEqual({ ...voucher, correctedBy: 'v_ch_1_sale_r1', updatedAt: Timestamp.fromDate(now) });
    expect(reversing).toMatchObject({
      id: 'v_ch_1_sale_r1',
      ledgerIds: [],
      series: 'S',
      date: '2027-01-01',
      eventDate: '2026-11-20',
      corrects: 'v_ch_1_sale',
      correction: anna,
      profile: 'specification',
      state: 'ready',
      clearingMinor: -49_900,
      description: `Rättar S 12 (2026) avser 2026-11-20: Fel profil ${voucherKey('v_ch_1_sale_r1')}`,
    });
    expect(reversing.rows.map(({ account, debitMinor, creditMinor }) => [account, debitMinor, creditMinor])).toEqual([
      [3001, 40_000, 0],
      [3921, 9_900, 0],
      [1686, 0, 49_900],
    ]);
    expect(rebooked).toMatchObject({
      id: 'v_ch_1_sale_n1',
      ledgerIds: ['ch_1:sale'],
      date: '2027-01-01',
      eventDate: '2026-11-20',
      rebooks: 'v_ch_1_sale',
      profile: 'agent',
      state: 'ready',
      description: `Försäljning ch_1 ersätter S 12 (2026) avser 2026-11-20 ${voucherKey('v_ch_1_sale_n1')}`,
    });
    expect(rebooked).not.toHaveProperty('fortnoxReference');
    expect(reversing).not.toHaveProperty('payoutIds');
  });

  it('of any document, from any books to any other, leaves what those say, and every voucher balances', () => {
    fc.assert(
      fc.property(documents, someBooks, someBooks, (document, before, after) => {
        const voucher = posted(document, before);
        const wanted = drafted(document, after);
        if (reasonOf(() => correctionOf(voucher, [document], after, anna, now)) === 'nothing-to-correct') {
          expect(booked(voucher)).toEqual(booked(wanted));
          return;
        }
        const { reversing, rebooked } = correctionOf(voucher, [document], after, anna, now);
        expect(booked(voucher, reversing)).toEqual({});
        expect(booked(voucher, reversing, rebooked)).toEqual(booked(wanted));
        for (const one of [reversing, rebooked])
          expect(sum((one?.rows ?? []).map(({ debitMinor, creditMinor }) => debitMinor - creditMinor))).toBe(0);
        const clearing = [voucher, reversing, rebooked].map((one) => one?.clearingMinor ?? 0);
        expect(sum(clearing)).toBe(document.deltas.stripe_platform + document.deltas.stripe_connected);
      }),
    );
  });

  it('of any day’s voucher, too', () => {
    const several = fc.array(documents, { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(several, someBooks, someBooks, (some, before, after) => {
        const voucher = postedDay(some, before);
        const wanted = booked(postedDay(some, after));
        if (reasonOf(() => correctionOf(voucher, some, after, anna, now)) === 'nothing-to-correct') {
          expect(booked(voucher)).toEqual(wanted);
          return;
        }
        const { reversing, rebooked } = correctionOf(voucher, some, after, anna, now);
        expect(booked(voucher, reversing)).toEqual({});
        expect(booked(voucher, reversing, rebooked)).toEqual(wanted);
      }),
    );
  });

  it('of a day’s voucher has its list again, and no more rows taken back than were booked', () => {
    const some = [sale(), { ...sale(12_345, 45), id: 'ch_9:sale' }];
    const voucher = postedDay(some, old);
    const correction = correctionOf(voucher, some, booksOf('principal'), anna, now);
    const rebooked = rebookedOf(correction);
    expect(rebooked).toMatchObject({
      id: 'v_2026-11-20_sale_2_n1',
      sequence: 2,
      kind: 'sale',
      ledgerIds: voucher.ledgerIds,
    });
    expect(rebooked.list).toEqual({ state: 'wanted', plan: booksOf('principal').plan });
    expect(correction.reversing).not.toHaveProperty('list');
    expect([isDayVoucher(rebooked.id), isDayVoucher(voucher.id)]).toEqual([true, true]);
    expect(rebooked.description).toMatch(
      /^Försäljning 2026-11-20 nr 2, 2 st enligt bifogad lista ersätter S 12 \(2026\) avser 2026-11-20 \w{12}$/,
    );
  });

  it('can be corrected in its turn', () => {
    const first = rebookedOf(correctionOf(posted(sale()), [sale()], booksOf('agent'), anna, now));
    const again = { ...first, ...reference, fortnoxReference: 'S 2 (2027)' };
    const later = new Date('2027-02-01T10:00:00Z');
    const second = correctionOf(again, [sale()], booksOf('principal'), anna, later);
    expect([second.reversing.id, rebookedOf(second).id]).toEqual(['v_ch_1_sale_r2', 'v_ch_1_sale_n2']);
    // What it is about stays the day of the sale.
    expect([second.reversing.eventDate, rebookedOf(second).eventDate]).toEqual(['2026-11-20', '2026-11-20']);
    expect(rebookedOf(second).description).toContain('ersätter S 2 (2027) avser 2026-11-20');
    expect(booked(again, second.reversing, second.rebooked)).toEqual(booked(drafted(sale(), booksOf('principal'))));
  });

  it('books nothing anew where the rules of now post nothing', () => {
    const feeRefund = { ...sale(), id: 'fr_1:fee_refund', kind: 'fee_refund' as const, stripeObjectId: 'fr_1' };
    const { stripe_platform: _p, stripe_connected: _c, ...rest } = sale().deltas;
    const deltas = { ...rest, stripe_platform: minor(0), stripe_connected: minor(0) };
    const document = {
      ...feeRefund,
      deltas: { ...deltas, coach_payable: minor(-5), coach_receivable: minor(5), fee_revenue: minor(0) },
    };
    const numbers = { receivables: 2899 };
    const plan = accountPlan({ profile: 'agent', clearing: 1686, numbers });
    const { rebooked, reversing } = correctionOf(
      posted(document, booksOf('agent')),
      [document],
      { ...old, plan },
      anna,
      now,
    );
    expect(rebooked).toBeUndefined();
    expect(booked(reversing)).toEqual({ 1689: -5, 2899: 5 });
  });

  it('has texts that Fortnox takes, whatever the reason; they end with the voucher’s own key and hold no other', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: longestReason, unit: 'grapheme' }), (reason) => {
        const { reversing } = correctionOf(posted(sale()), [sale()], booksOf('agent'), { by: 'anna', reason }, now);
        expect(isCleanText(reversing.description, 200)).toBe(true);
        expect(reversing.description.endsWith(` ${reversing.key}`)).toBe(true);
      }),
    );
    const other = voucherKey('v_ch_7_sale');
    const reason = `se ${other} och x${other}`;
    const { reversing } = correctionOf(posted(sale()), [sale()], booksOf('agent'), { by: 'anna', reason }, now);
    expect(reversing.description).not.toContain(other);
    expect(reversing.correction?.reason).toBe(reason);
  });

  it('has a reason that is never cut', () => {
    const reason = 'ö'.repeat(longestReason);
    const voucher = { ...posted(sale()), series: 'ABCDEFGHIJ', fortnoxReference: 'ABCDEFGHIJ 1234567 (2026)' };
    const { reversing } = correctionOf(voucher, [sale()], booksOf('agent'), { by: 'anna', reason }, now);
    expect(reversing.description).toContain(`: ${reason} `);
  });

  it('is refused by name', () => {
    const voucher = posted(sale());
    expect(reasonOf(() => correctionOf(voucher, [sale()], old, anna, now))).toBe('nothing-to-correct');
    const euro = [{ ...sale(), currency: 'EUR' }];
    expect(reasonOf(() => correctionOf(voucher, euro, booksOf('agent'), anna, now))).toBe('voucher-unsupported');
    const refusal = (change: Partial<Voucher>) => reasonOf(() => correctable(voucher.id, { ...voucher, ...change }));
    expect(reasonOf(() => correctable('v_x', undefined))).toBe('voucher-not-found');
    expect(refusal({})).toBe('none');
    for (const state of ['ready', 'sending', 'rejected', 'unknown'] as const)
      expect(refusal({ state })).toBe('voucher-not-posted');
    expect(refusal({ corrects: 'v_ch_0_sale' })).toBe('voucher-is-reversing');
    expect(refusal({ correctedBy: 'v_ch_1_sale_r1' })).toBe('voucher-already-corrected');
    for (const state of ['wanted', 'uploaded'] as const)
      expect(refusal({ list: { state, plan: old.plan } })).toBe('voucher-list-not-attached');
  });
});

it('ids of corrections never meet another voucher’s', () => {
  expect(correctionIds('v_2026-11-20_sale_1')).toEqual({
    reversing: 'v_2026-11-20_sale_1_r1',
    rebooked: 'v_2026-11-20_sale_1_n1',
  });
  expect(correctionIds('v_2026-11-20_sale_1_n9').rebooked).toBe('v_2026-11-20_sale_1_n10');
  const first = ['ch_1:sale', 'ch_1:sale_n', 'txn_1:fee'].map(voucherIdOf);
  const ids = first.flatMap((id) => {
    const { reversing, rebooked } = correctionIds(id);
    return [id, reversing, rebooked, ...Object.values(correctionIds(rebooked))];
  });
  expect(new Set(ids).size).toBe(15);
});
