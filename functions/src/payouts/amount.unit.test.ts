import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { holdEarning, movePaid, newEarning, openMinor, type Earning } from '../coaches/earnings.ts';
import { minor, sum } from '../platform/money.ts';
import { decideAmount } from './amount.ts';

const at = Timestamp.fromMillis(1_800_000_000_000);
const earning = (n: number, shareMinor: number, paidMinor = 0): Earning =>
  movePaid(
    newEarning(
      {
        paymentId: `pi_${n}`,
        amountMinor: minor(shareMinor),
        feeMinor: minor(0),
        currency: 'SEK',
        description: 'Programme',
        customerName: 'Anna',
        ledgerId: `ch_${n}:sale`,
        availableOn: at,
      },
      at,
    ),
    minor(paidMinor),
    at,
  );

const shares = fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 8 });
const anyFacts = fc
  .record({
    boundMinor: fc.integer({ min: -50_000, max: 400_000 }).map(minor),
    availableMinor: fc.integer({ min: -50_000, max: 400_000 }).map(minor),
    minimumMinor: fc.constantFrom(0, 2000, 50_000).map(minor),
    open: shares,
    debts: fc.array(fc.integer({ min: 1, max: 50_000 }), { maxLength: 3 }),
    held: fc.array(fc.integer({ min: 1, max: 50_000 }), { maxLength: 2 }),
  })
  .map(({ open, debts, held, ...rest }) => ({
    ...rest,
    held: held.map((share, n) => holdEarning(earning(200 + n, share), true, at)),
    open: open.map((share, n) => earning(n, share)),
    debts: debts.map((debt, n) => earning(100 + n, 1000, 1000 + debt)),
  }));

type Facts = Parameters<typeof decideAmount>[0];
const payable = ({ boundMinor, held }: Facts): number => boundMinor - sum(held.map(openMinor));

describe('how much a payout is', () => {
  it('never exceeds what is owed and does not rest, what Stripe has and what earnings explain, and reaches one of them', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const decision = decideAmount(facts);
        if (!decision.pay) return;
        const { amountMinor, explainedMinor } = decision;
        expect(amountMinor).toBe(Math.min(payable(facts), facts.availableMinor, explainedMinor));
        expect(amountMinor).toBeGreaterThanOrEqual(Math.max(1, facts.minimumMinor));
      }),
    );
  });

  it('is exactly the sum of its parts, with every debt in it and at most one earning in part', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const decision = decideAmount(facts);
        if (!decision.pay) {
          expect(decision.parts).toEqual([]);
          return;
        }
        expect(sum(decision.parts.map((part) => part.amountMinor))).toBe(decision.amountMinor);
        const paid = decision.parts.filter((part) => part.amountMinor > 0);
        expect(decision.parts.length - paid.length).toBe(facts.debts.length);
        const partial = paid.filter((part) => part.amountMinor < openMinor(part.earning));
        expect(partial.length).toBeLessThanOrEqual(1);
        expect(paid.map((part) => part.earning)).toEqual(facts.open.slice(0, paid.length));
      }),
    );
  });

  it('leaves nothing unpaid that could be paid', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const decision = decideAmount(facts);
        const ceiling = Math.min(payable(facts), facts.availableMinor, decision.explainedMinor);
        expect(decision.pay).toBe(ceiling > 0 && ceiling >= facts.minimumMinor);
      }),
    );
  });

  it('says why nothing is paid', () => {
    const facts = {
      boundMinor: minor(1999),
      availableMinor: minor(1999),
      minimumMinor: minor(2000),
      debts: [],
      held: [],
      open: [earning(1, 1999)],
    };
    expect(decideAmount(facts)).toMatchObject({ pay: false, reason: 'below-minimum', amountMinor: 1999 });
    expect(decideAmount({ ...facts, boundMinor: minor(0) })).toMatchObject({ reason: 'nothing-owed' });
    expect(decideAmount({ ...facts, availableMinor: minor(-5) })).toMatchObject({ reason: 'nothing-available' });
    expect(decideAmount({ ...facts, open: [] })).toMatchObject({ reason: 'nothing-available' });
    expect(decideAmount({ ...facts, minimumMinor: minor(1999) })).toMatchObject({ pay: true, amountMinor: 1999 });
  });
});
