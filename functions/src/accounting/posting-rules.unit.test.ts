import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import {
  coachPayout,
  deltas,
  destinationSale,
  ledgerKinds,
  ownSale,
  payoutReturned,
  stripeFee,
  type LedgerEntry,
} from '../ledger/ledger.ts';
import {
  disputeLost,
  disputeReinstated,
  disputeWithdrawn,
  feeRefund,
  refund,
  refundFailed,
  transferReversal,
  writeOff,
  type KeptShare,
} from '../ledger/returns.ts';
import { directSale, platformPayout, separateSale, sessionCompleted, sessionPaid, transfer } from '../ledger/shares.ts';
import { bear, incomeSoFar, oweAgain, standingOf, type Standing } from '../payments/aftermath/bearing.ts';
import { minor, negate, zero, type Minor } from '../platform/money.ts';
import { accountPlan, profiles, type AccountPlan, type PlanSettings } from './account-plan.ts';
import { postings, type Posted } from './posting-rules.ts';

const plan = (profile: PlanSettings['profile'], more: Partial<PlanSettings> = {}): AccountPlan =>
  accountPlan({ profile, clearing: 1686, ...more });

function posted(entry: Posted, by: AccountPlan): Map<number, Minor> {
  const result = postings(entry, by);
  if (!result.ok) throw new Error(result.reason);
  return result.moved;
}

/** `{1686: 49900, …}` of one document, or of several together, without accounts that end at zero. */
function balances(entries: readonly Posted[], by: AccountPlan): Record<number, number> {
  const total: Record<number, number> = {};
  for (const entry of entries) {
    for (const [account, amount] of posted(entry, by)) total[account] = (total[account] ?? 0) + amount;
  }
  return Object.fromEntries(Object.entries(total).filter(([, amount]) => amount !== 0));
}

const base = {
  chargeId: 'ch_1',
  stripeObjectId: 'ch_1',
  paymentId: 'pi_1',
  occurredAt: Timestamp.fromMillis(1_795_000_000_000),
  currency: 'SEK',
  balanceTransactionIds: ['txn_1'],
};
const karin = { coachId: 'karin', stripeAccountId: 'acct_1' };
const booking = (amountMinor: number) => ({ ...base, ...karin, amountMinor: minor(amountMinor), vatRate: 25 });

interface Terms {
  vatRate: number;
  vatLines?: { vatRate: number; grossMinor: Minor }[];
  coachVat?: true;
}

function withVat<E extends LedgerEntry>(entry: E, { vatRate, vatLines, coachVat }: Terms): E {
  const lines = vatLines ? { vatLines } : {};
  return { ...entry, parts: { ...entry.parts, vatRate, ...lines, ...(coachVat ? { coachVat } : {}) } };
}

const shares = (gross: number, fee: number) => ({
  grossMinor: minor(gross),
  coachMinor: minor(gross - fee),
  feeMinor: minor(fee),
});
const sale = (gross: number, fee: number, terms: Terms = { vatRate: 25 }) =>
  withVat(destinationSale({ ...base, ...karin, ...shares(gross, fee), vatRate: 25 }), terms);
const own = (gross: number, terms: Terms = { vatRate: 25 }) =>
  withVat(ownSale({ ...base, grossMinor: minor(gross), vatRate: 25 }), terms);
const fee = (amount: number): LedgerEntry => {
  const entry = stripeFee({ ...base, balanceTransactionId: 'txn_1', feeMinor: minor(amount) });
  if (!entry) throw new Error('no fee');
  return entry;
};

/** A step after a sale: an amount goes back (negative: comes again), or a refund of so much failed. */
type Step = { back: number; as: 'refund' | 'dispute_lost' } | { failed: number };

/** Books steps as payments/aftermath does: who bears what, and where the payment stood before. */
function aftermath(first: LedgerEntry, steps: readonly Step[], start?: Standing): LedgerEntry[] {
  let standing = start ?? standingOf({}, first);
  const { vatLines, coachVat } = first.parts;
  const sold = { ...(vatLines ? { vatLines } : {}), ...(coachVat ? { coachVat } : {}) };
  return steps.map((step) => {
    if ('failed' in step) {
      standing = oweAgain(standing, minor(step.failed));
      return refundFailed(booking(step.failed));
    }
    const amount = minor(step.back);
    const vat = { ...sold, before: incomeSoFar(standing) };
    const bears = bear(standing, amount);
    standing = bears.standing;
    const of = { ...booking(amount), vatRate: first.parts.vatRate, vat };
    return step.as === 'refund' ? refund(of, bears.bearing) : disputeLost(of, bears.bearing, 1);
  });
}

/** Cuts that sum to the whole. */
const partsOf = (whole: number, cuts: readonly number[]): number[] => {
  const points = [...new Set([0, ...cuts.map((cut) => cut % (whole + 1)), whole])].sort((a, b) => a - b);
  return points.slice(1).map((point, i) => point - (points[i] ?? 0));
};

const amounts = fc.integer({ min: 1, max: 99_999_999 });
const rates = fc.constantFrom(25, 12, 6, 0);
const coachVats = fc.constantFrom<{ coachVat?: true }>({}, { coachVat: true });
const terms: fc.Arbitrary<Terms> = fc
  .record({ vatRate: rates, vat: coachVats })
  .map(({ vatRate, vat }) => ({ vatRate, ...vat }));
const plans = fc
  .record({
    profile: fc.constantFrom(...profiles),
    clearing: fc.constantFrom(1686, 1580),
    stripeFeeVat: fc.constantFrom('exempt' as const, 'reverse_charge' as const),
  })
  .map(accountPlan);

/** A sale at one rate, or at several with lines that sum to it. */
const sales = fc
  .tuple(amounts, fc.nat(), terms, fc.array(fc.nat(), { maxLength: 2 }))
  .map(([gross, part, of, cuts]) => {
    const lines = partsOf(gross, cuts).map((grossMinor, i) => ({
      vatRate: [25, 12, 6][i] ?? 0,
      grossMinor: minor(grossMinor),
    }));
    const several = lines.length > 1 ? { ...of, vatRate: 17.3, vatLines: lines } : of;
    return part % 3 === 0 ? own(gross, several) : sale(gross, part % (gross + 1), several);
  });

/** Documents as they can be, and as they cannot: any kind, any accounts that its rules have, balanced. */
const anything = fc
  .record({
    kind: fc.constantFrom(...ledgerKinds),
    amounts: fc.array(fc.integer({ min: -9_999_999, max: 9_999_999 }), { minLength: 10, maxLength: 10 }),
    terms,
    before: fc.record({ grossMinor: amounts, part: fc.nat() }),
    tenant: fc.boolean(),
  })
  .map(({ kind, amounts: some, terms: of, before, tenant }) => {
    const accountsOfKind = {
      sale: ['coach_payable', 'fee_revenue', 'stripe_connected'],
      own_sale: ['own_revenue'],
      direct_sale: ['fee_revenue', 'stripe_connected'],
      session_paid: ['session_held'],
      session_completed: ['coach_payable', 'fee_revenue'],
      fee: ['stripe_fees'],
      transfer: ['stripe_connected'],
      transfer_reversal: ['coach_payable', 'coach_receivable', 'stripe_connected'],
      refund: ['coach_receivable', 'coach_payable', 'fee_revenue', 'own_revenue', 'session_held', 'customer_payable'],
      refund_failed: ['customer_payable'],
      fee_refund: ['coach_payable', 'coach_receivable', 'fee_revenue', 'stripe_connected'],
      dispute_withdrawn: ['dispute_held'],
      dispute_reinstated: ['dispute_held'],
      dispute_lost: ['coach_receivable', 'fee_revenue', 'own_revenue', 'session_held', 'customer_payable'],
      payout: ['coach_payable'],
      payout_returned: ['coach_payable'],
      platform_payout: ['bank_platform'],
      write_off: ['losses'],
      reserve: ['dispute_held', 'stripe_connected'],
      topup: ['bank_platform'],
      adjustment: ['losses', 'coach_payable', 'stripe_connected'],
    } as const satisfies Record<typeof kind, readonly string[]>;
    const moved: Record<string, number> = {};
    accountsOfKind[kind].forEach((account, i) => (moved[account] = some[i] ?? 0));
    const rest = 0 - Object.values(moved).reduce((total, each) => total + each, 0);
    const balancing = {
      session_completed: 'session_held',
      payout: 'stripe_connected',
      payout_returned: 'stripe_connected',
      dispute_lost: 'dispute_held',
      write_off: 'coach_receivable',
    } as Partial<Record<typeof kind, string>>;
    moved[balancing[kind] ?? 'stripe_platform'] = rest;
    return {
      kind,
      deltas: deltas(moved),
      parts: {
        ...shares(1, 0),
        ...of,
        before: { grossMinor: minor(before.grossMinor), coachMinor: minor(before.part % (before.grossMinor + 1)) },
      },
      ...(tenant ? { tenant: true as const } : {}),
    };
  });

const total = (moved: Map<number, Minor>): number => [...moved.values()].reduce((sum, amount) => sum + amount, 0);

describe('what a document posts', () => {
  it('balances, and clears what the document moved in Stripe, whatever the document and the plan', () => {
    fc.assert(
      fc.property(fc.oneof(anything, sales), plans, (document, by) => {
        const moved = posted(document, by);
        expect(total(moved)).toBe(0);
        expect(moved.get(by.clearing) ?? 0).toBe(document.deltas.stripe_platform + document.deltas.stripe_connected);
        expect([...moved.values()]).not.toContain(0);
      }),
      { numRuns: 1000 },
    );
  });

  it('is the mirror when the document is reversed', () => {
    fc.assert(
      fc.property(sales, plans, (document, by) => {
        const back = aftermath(document, [{ back: document.parts.grossMinor, as: 'refund' }]);
        const taken = back.map((entry) => transferReversal(booking(entry.deltas.coach_receivable)));
        const left = balances([document, ...back, ...taken], by);
        expect(left).toEqual({});
      }),
    );
  });
});

describe('a sale that goes back', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 6 });

  it('in any parts, by refunds and lost disputes mixed, ends at zero in every account', () => {
    fc.assert(
      fc.property(sales, plans, cuts, fc.infiniteStream(fc.boolean()), (document, by, where, coin) => {
        const parts = partsOf(document.parts.grossMinor, where);
        const steps = parts.map((back): Step => ({ back, as: coin.next().value ? 'refund' : 'dispute_lost' }));
        const back = aftermath(document, steps);
        const held = back
          .filter(({ kind }) => kind === 'dispute_lost')
          .map(({ deltas: d }) => disputeWithdrawn(booking(negate(d.dispute_held)), 'txn_d'));
        const owed = back.reduce((sum, { deltas: d }) => sum + d.coach_receivable, 0);
        const taken = transferReversal(booking(owed));
        expect(balances([document, ...held, ...back, taken], by)).toEqual({});
      }),
      { numRuns: 300 },
    );
  });

  it('and comes again by an appeal, or failed and was made again, ends at zero all the same', () => {
    fc.assert(
      fc.property(sales, plans, fc.nat(), (document, by, part) => {
        const whole = document.parts.grossMinor;
        const some = (part % whole) + 1;
        const lost = aftermath(document, [
          { back: some, as: 'dispute_lost' },
          { back: -some, as: 'dispute_lost' },
          { back: some, as: 'refund' },
          { failed: some },
          { back: whole, as: 'refund' },
        ]);
        const owed = lost.reduce((sum, { deltas: d }) => sum + d.coach_receivable, 0);
        expect(balances([document, ...lost, transferReversal(booking(owed))], by)).toEqual({});
      }),
      { numRuns: 300 },
    );
  });

  it('leaves on every account what a sale of the rest alone would have left', () => {
    fc.assert(
      fc.property(amounts, fc.nat(), terms, plans, (gross, part, of, by) => {
        const rest = part % (gross + 1);
        const back = aftermath(own(gross, of), [{ back: gross - rest, as: 'refund' }]);
        const kept = rest === 0 ? [] : [own(rest, of)];
        expect(balances([own(gross, of), ...(rest === gross ? [] : back)], by)).toEqual(balances(kept, by));
      }),
    );
  });
});

describe('a price that is held', () => {
  const paid = (gross: number, of: Terms) =>
    withVat(sessionPaid({ ...base, coachId: 'karin', grossMinor: minor(gross), vatRate: 25 }), of);

  it('and released in parts posts as one sale would, and to zero when all of it goes back', () => {
    fc.assert(
      fc.property(
        amounts,
        fc.nat(),
        terms,
        plans,
        fc.array(fc.nat(), { maxLength: 5 }),
        (gross, feePart, of, by, where) => {
          const feeMinor = feePart % (gross + 1);
          const held = paid(gross, of);
          let released = { grossMinor: zero, coachMinor: zero };
          const completed = partsOf(gross, where).map((part) => {
            const until = released.grossMinor + part;
            const coachUntil = Math.floor(((gross - feeMinor) * until) / gross);
            const coachMinor = minor(coachUntil - released.coachMinor);
            const vat = { ...(of.coachVat ? { coachVat: of.coachVat } : {}), before: released };
            released = { grossMinor: minor(until), coachMinor: minor(coachUntil) };
            const one = {
              ...base,
              coachId: 'karin',
              grossMinor: minor(part),
              coachMinor,
              feeMinor: minor(part - coachMinor),
            };
            return sessionCompleted({ ...one, vatRate: of.vatRate, vat }, `s${until}`);
          });
          const at = released.coachMinor;
          const atOnce = separateSale({ ...base, coachId: 'karin', ...shares(gross, gross - at), vatRate: of.vatRate });
          expect(balances([held, ...completed], by)).toEqual(balances([withVat(atOnce, of)], by));
          const standing = standingOf(
            { held: { leftMinor: zero, releasedMinor: minor(gross), releasedCoachMinor: at } },
            held,
          );
          const back = aftermath(
            held,
            partsOf(gross, where).map((each): Step => ({ back: each, as: 'refund' })),
            standing,
          );
          expect(balances([held, ...completed, ...back, transferReversal(booking(at))], by)).toEqual({});
        },
      ),
    );
  });

  it('and cancelled late shares what is kept, and refunds the rest out of the advance', () => {
    const kept: KeptShare = { coachMinor: minor(24_000), feeMinor: minor(6_000) };
    const held = paid(60_000, { vatRate: 25 });
    const start = standingOf(
      { held: { leftMinor: minor(60_000), releasedMinor: zero, releasedCoachMinor: zero } },
      held,
    );
    const { bearing } = bear(start, minor(30_000), kept);
    const canceled = refund({ ...booking(30_000), vat: { coachVat: true, before: incomeSoFar(start) } }, bearing, kept);
    expect(balances([held], plan('agent'))).toEqual({ 1686: 60_000, 2420: -60_000 });
    expect(balances([held, canceled], plan('specification'))).toEqual({ 1686: 30_000, 3001: -24_000, 3921: -6_000 });
    expect(balances([held, canceled], plan('agent'))).toEqual({
      1686: 30_000,
      2899: -24_000,
      3001: -4_800,
      2611: -1_200,
    });
    expect(balances([held, canceled], plan('principal'))).toEqual({
      1686: 30_000,
      2899: -24_000,
      3001: -24_000,
      2611: -6_000,
      4610: 19_200,
      2641: 4_800,
    });
  });
});

describe('worked numbers', () => {
  it('a fee with 25 % VAT in it: 99.80 = 79.84 + 19.96, 99.00 = 79.20 + 19.80', () => {
    expect(balances([sale(49_900, 9_980)], plan('agent'))).toEqual({
      1686: 49_900,
      2899: -39_920,
      3001: -7_984,
      2611: -1_996,
    });
    expect(balances([sale(49_900, 9_900)], plan('agent'))).toEqual({
      1686: 49_900,
      2899: -40_000,
      3001: -7_920,
      2611: -1_980,
    });
  });

  it('a principal buys from a coach with VAT (399.20 = 319.36 + 79.84) and from one without (a margin of 0.00)', () => {
    const principal = plan('principal');
    expect(balances([sale(49_900, 9_980, { vatRate: 25, coachVat: true })], principal)).toEqual({
      1686: 49_900,
      3001: -39_920,
      2611: -9_980,
      4610: 31_936,
      2641: 7_984,
      2899: -39_920,
    });
    const without = balances([sale(49_900, 9_980)], principal);
    expect(without).toEqual({ 1686: 49_900, 3001: -39_920, 2611: -9_980, 4610: 39_920, 2899: -39_920 });
    expect((without[3001] ?? 0) + (without[4610] ?? 0)).toBe(0);
  });

  it('where the fee is not by chance the VAT: 1,000.00 at 12 %, fee 150', () => {
    const sold = sale(100_000, 15_000, { vatRate: 12, coachVat: true });
    expect(balances([sold], plan('specification'))).toEqual({ 1686: 100_000, 3001: -85_000, 3921: -15_000 });
    // Mediation is at 25 % whatever is mediated.
    expect(balances([sold], plan('agent'))).toEqual({ 1686: 100_000, 2899: -85_000, 3001: -12_000, 2611: -3_000 });
    expect(balances([sold], plan('principal'))).toEqual({
      1686: 100_000,
      3002: -89_286,
      2621: -10_714,
      4610: 75_893,
      2641: 9_107,
      2899: -85_000,
    });
  });

  it('own sales at 25, 12, 6 and 0 %, and an order at two rates', () => {
    const agent = plan('agent');
    expect(balances([own(9_900)], plan('specification'))).toEqual({ 1686: 9_900, 3001: -9_900 });
    expect(balances([own(9_900)], agent)).toEqual({ 1686: 9_900, 3001: -7_920, 2611: -1_980 });
    expect(balances([own(9_900, { vatRate: 12 })], agent)).toEqual({ 1686: 9_900, 3002: -8_839, 2621: -1_061 });
    expect(balances([own(9_900, { vatRate: 6 })], agent)).toEqual({ 1686: 9_900, 3003: -9_340, 2631: -560 });
    expect(balances([own(9_900, { vatRate: 0 })], agent)).toEqual({ 1686: 9_900, 3004: -9_900 });
    const vatLines = [
      { vatRate: 25, grossMinor: minor(10_000) },
      { vatRate: 6, grossMinor: minor(5_300) },
    ];
    expect(balances([own(15_300, { vatRate: 17.7, vatLines })], agent)).toEqual({
      1686: 15_300,
      3001: -8_000,
      2611: -2_000,
      3003: -5_000,
      2631: -300,
    });
  });

  it("Stripe's fee: 6570, or 4535 with the VAT pair of 2.32 when it is reverse charged", () => {
    expect(balances([fee(929)], plan('specification'))).toEqual({ 6570: 929, 1686: -929 });
    expect(balances([fee(929)], plan('agent'))).toEqual({ 4535: 929, 1686: -929 });
    const reverse = plan('principal', { stripeFeeVat: 'reverse_charge' });
    expect(balances([fee(929)], reverse)).toEqual({ 4535: 929, 1686: -929, 2645: 232, 2614: -232 });
    expect(balances([fee(929), fee(-929)], reverse)).toEqual({});
    expect(balances([fee(929)], plan('specification', { stripeFeeVat: 'reverse_charge' }))).toEqual({
      6570: 929,
      1686: -929,
    });
  });

  it('a refund, the reversal of its transfer and its fee refund', () => {
    const [back] = aftermath(sale(49_900, 9_900, { vatRate: 25, coachVat: true }), [{ back: 49_900, as: 'refund' }]);
    if (!back) throw new Error('no refund');
    expect(balances([back], plan('specification'))).toEqual({
      3001: 40_000,
      3921: 9_900,
      1689: 40_000,
      1686: -49_900,
      5090: -40_000,
    });
    expect(balances([back], plan('agent'))).toEqual({ 1689: 40_000, 3001: 7_920, 2611: 1_980, 1686: -49_900 });
    expect(balances([back], plan('principal'))).toEqual({
      3001: 39_920,
      2611: 9_980,
      1689: 40_000,
      1686: -49_900,
      4610: -32_000,
      2641: -8_000,
    });
    expect(balances([transferReversal(booking(49_900))], plan('specification'))).toEqual({
      5090: 49_900,
      1689: -49_900,
    });
    expect(balances([transferReversal(booking(49_900))], plan('agent'))).toEqual({ 2899: 49_900, 1689: -49_900 });
    expect(balances([feeRefund(booking(9_900))], plan('specification'))).toEqual({ 1689: 9_900, 5090: -9_900 });
    expect(balances([feeRefund(booking(9_900))], plan('principal'))).toEqual({ 1689: 9_900, 2899: -9_900 });
  });

  it.each(profiles)('%s: what is the same everywhere but for the coach’s debt', (profile) => {
    const by = plan(profile);
    const owed = profile === 'specification' ? 5090 : 2899;
    const payout = {
      ...base,
      ...karin,
      stripePayoutId: 'po_1',
      payoutId: 'p',
      amountMinor: minor(40_000),
      balanceTransactionId: 't',
    };
    expect(balances([coachPayout(payout)], by)).toEqual({ [owed]: 40_000, 1686: -40_000 });
    expect(balances([payoutReturned(payout)], by)).toEqual({ [owed]: -40_000, 1686: 40_000 });
    expect(balances([transfer(booking(40_000))], by)).toEqual({});
    expect(balances([disputeWithdrawn(booking(49_900), 'txn')], by)).toEqual({ 1689: 49_900, 1686: -49_900 });
    expect(balances([disputeReinstated(booking(49_900), 'txn')], by)).toEqual({ 1689: -49_900, 1686: 49_900 });
    expect(balances([refundFailed(booking(49_900))], by)).toEqual({ 1686: 49_900, 2899: -49_900 });
    expect(balances([writeOff(booking(40_000), 'w')], by)).toEqual({ 6380: 40_000, 1689: -40_000 });
    const out = platformPayout({ ...base, payoutId: 'p', amountMinor: minor(18_542), returned: false });
    expect(balances([out], by)).toEqual({ 1930: 18_542, 1686: -18_542 });
  });

  it("of a tenant's sale only the fee is ours, also as principal, and given back in parts it is gone to the öre", () => {
    const { coachMinor: _, ...sold } = shares(100_000, 20_001);
    const direct = directSale({ ...base, ...karin, ...sold, receivedMinor: minor(79_999), vatRate: 12 });
    expect(balances([direct], plan('specification'))).toEqual({ 1686: 100_000, 2899: -79_999, 3921: -20_001 });
    for (const profile of ['agent', 'principal'] as const) {
      const by = plan(profile);
      expect(balances([direct], by)).toEqual({ 1686: 100_000, 2899: -79_999, 3001: -16_001, 2611: -4_000 });
      const back = [7_777, 7_777, 4_447].reduce<{ left: number; entries: LedgerEntry[] }>(
        ({ left, entries }, part) => {
          const vat = { before: { grossMinor: minor(left), coachMinor: zero } };
          return { left: left - part, entries: [...entries, feeRefund({ ...booking(part), tenant: true, vat })] };
        },
        { left: 20_001, entries: [] },
      );
      expect(back.left).toBe(0);
      expect(balances([direct, ...back.entries], by)).toEqual({ 1686: 100_000, 2899: -100_000 });
    }
  });

  it('the story of one programme, one subscription and one payout', () => {
    const payout = {
      ...base,
      ...karin,
      stripePayoutId: 'po_1',
      payoutId: 'p',
      amountMinor: minor(40_000),
      balanceTransactionId: 't',
    };
    const story = [sale(49_900, 9_900), own(9_900), fee(929), fee(329), coachPayout(payout)];
    expect(balances(story, plan('specification'))).toEqual({
      1686: 18_542,
      3001: -49_900,
      3921: -9_900,
      5090: 40_000,
      6570: 1_258,
    });
    expect(balances(story, plan('agent'))).toEqual({ 1686: 18_542, 3001: -15_840, 2611: -3_960, 4535: 1_258 });
    expect(balances(story, plan('principal'))).toEqual({
      1686: 18_542,
      3001: -47_840,
      2611: -11_960,
      4610: 40_000,
      4535: 1_258,
    });
  });
});

describe('what has no account', () => {
  it('a rate that Sweden does not have is refused by name where VAT is booked', () => {
    const odd = own(9_900, { vatRate: 19 });
    expect(postings(odd, plan('agent'))).toEqual({ ok: false, reason: 'no account is for VAT at 19 %' });
    expect(postings(odd, plan('specification'))).toMatchObject({ ok: true });
  });

  it('an account that a kind never moves', () => {
    const lossy = own(9_900);
    const result = postings({ ...lossy, deltas: deltas({ losses: 9_900, own_revenue: -9_900 }) }, plan('agent'));
    expect(result).toEqual({ ok: false, reason: 'a own_sale that moves losses has no rule in the profile "agent"' });
  });

  it('numbers can be the company’s own, but not unknown ones, nor the clearing account’s', () => {
    const by = plan('agent', { numbers: { stripeFees: 6570, receivables: 1684 } });
    expect(balances([fee(929)], by)).toEqual({ 6570: 929, 1686: -929 });
    expect(() => plan('agent', { numbers: { feeRevenue: 3921 } })).toThrow(/ACCOUNT_NUMBERS names "feeRevenue"/);
    expect(() => plan('agent', { numbers: { bank: 1686 } })).toThrow(/CLEARING_ACCOUNT 1686/);
  });
});

describe('a tenant’s payout', () => {
  const money = {
    currency: 'SEK' as const,
    occurredAt: Timestamp.fromMillis(0),
    coachId: 'store',
    stripeAccountId: 'acct_1',
  };
  const sale = directSale({
    ...money,
    stripeObjectId: 'ch_1',
    paymentId: 'pi_1',
    grossMinor: minor(100_000),
    receivedMinor: minor(80_000),
    feeMinor: minor(20_000),
    vatRate: 25,
    balanceTransactionIds: ['txn_1'],
  });
  const booking = {
    ...money,
    stripePayoutId: 'po_1',
    payoutId: 'store_1',
    amountMinor: minor(90_000),
    tenantMinor: minor(80_000),
    balanceTransactionId: 'txn_2',
  };

  it.each(profiles)('%s: what is owed of its sales is settled, and only the rest is a cost', (profile) => {
    const paid = balances([sale, coachPayout(booking)], plan(profile));
    expect(paid).toMatchObject(profile === 'specification' ? { 5090: 10_000 } : { 2899: 10_000 });
    expect(paid[profile === 'specification' ? 2899 : 5090]).toBeUndefined();
    const back = balances([coachPayout(booking), payoutReturned(booking)], plan(profile));
    expect(back).toEqual({});
  });
});
