import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { minor } from '../platform/money.ts';
import { nextCheck } from './checks.ts';
import { isBooked, mergeStatus, payoutId, statusOf, withFacts, type Payout, type PayoutFacts } from './payouts.ts';

const at = Timestamp.fromMillis(1_800_000_000_000);
const statuses = ['pending', 'in_transit', 'paid', 'failed', 'canceled'] as const;
const anyStatus = fc.constantFrom(...statuses, null);

const frozen: Payout = {
  coachId: 'coach',
  amount: 400,
  amountMinor: minor(40_000),
  currency: 'SEK',
  date: at,
  status: 'pending',
  relatedPaymentIds: ['pi_1'],
  stripeAccountId: 'acct_1',
  stripeStatus: null,
  runId: '2026-11-23',
  dueDate: '2026-11-23',
  stripeKey: 'coach_SEK_2026-11-23_1',
  askedAt: at,
  itemsReserved: true,
  checkAt: at,
  checks: 0,
  createdAt: at,
  updatedAt: at,
};

const transaction = (id: string, netMinor: number) => ({ id, created: 1_800_000_000, netMinor, currency: 'SEK' });
/** What one Stripe payout can say of itself along its life: later snapshots know more. */
const anyFacts: fc.Arbitrary<PayoutFacts> = fc
  .record({ status: anyStatus, booked: fc.boolean(), returned: fc.boolean() })
  .map(({ status, booked, returned }) => {
    const back = status === 'failed' || status === 'canceled';
    return {
      id: 'po_1',
      status,
      amountMinor: 40_000,
      currency: 'SEK',
      payoutId: 'coach_SEK_2026-11-23_1',
      arrivalDate: 1_800_200_000,
      failureCode: status === 'failed' ? 'account_closed' : null,
      failureMessage: null,
      booked: booked ? transaction('txn_out', -40_000) : null,
      returned: back && returned ? transaction('txn_back', 40_000) : null,
    };
  });

const apply = (facts: readonly PayoutFacts[]): Payout =>
  facts.reduce((payout, each) => withFacts(payout, each, at), frozen);

describe('merging payout states', () => {
  it('is commutative, associative and idempotent', () => {
    fc.assert(
      fc.property(anyStatus, anyStatus, anyStatus, (a, b, c) => {
        expect(mergeStatus(a, b)).toBe(mergeStatus(b, a));
        expect(mergeStatus(a, mergeStatus(b, c))).toBe(mergeStatus(mergeStatus(a, b), c));
        expect(mergeStatus(a, a)).toBe(a);
      }),
    );
  });

  it.each([
    ['pending', 'in_transit', 'in_transit'],
    ['paid', 'in_transit', 'paid'],
    ['paid', 'failed', 'failed'],
    ['canceled', 'paid', 'canceled'],
    ['canceled', 'failed', 'failed'],
  ] as const)('%s and %s make %s', (a, b, merged) => {
    expect(mergeStatus(a, b)).toBe(merged);
  });

  it('ends alike in any order and with any repetition', () => {
    const shuffled = fc
      .array(anyFacts, { minLength: 1, maxLength: 6 })
      .chain((facts) =>
        fc.tuple(
          fc.constant(facts),
          fc.shuffledSubarray([...facts, ...facts], { minLength: facts.length * 2, maxLength: facts.length * 2 }),
        ),
      );
    fc.assert(
      fc.property(shuffled, ([inOrder, repeated]) => {
        expect(apply(repeated)).toEqual(apply(inOrder));
      }),
    );
  });

  it('holds its items exactly while the money is gone', () => {
    fc.assert(
      fc.property(fc.array(anyFacts, { minLength: 1 }), (facts) => {
        const payout = apply(facts);
        expect(payout.itemsReserved).toBe(payout.status !== 'failed' && payout.status !== 'canceled');
        if (payout.stripeStatus) expect(payout.status).toBe(statusOf(payout.stripeStatus));
      }),
    );
  });

  it('is booked once the ledger knows the way out, and the way back if there was one', () => {
    fc.assert(
      fc.property(fc.array(anyFacts, { minLength: 1 }), (facts) => {
        const back = facts.some(({ status }) => status === 'failed' || status === 'canceled');
        const out = facts.some(({ booked }) => booked !== null);
        const returned = facts.some((each) => each.returned !== null);
        expect(isBooked(apply(facts))).toBe(out && (!back || returned));
      }),
    );
  });
});

describe('looking again', () => {
  const now = at.toDate();
  const inMinutes = (payout: Payout) => {
    const check = nextCheck(payout, now);
    return check && (check.getTime() - now.getTime()) / 60_000;
  };

  it('asks for an unclear outcome after 5 minutes, an hour, a day, and every day', () => {
    const asked: Payout = { ...frozen, status: 'unknown' };
    expect([0, 1, 2, 3, 9].map((checks) => inMinutes({ ...asked, checks }))).toEqual([5, 60, 1440, 1440, 1440]);
  });

  it('never stops while something can still come, and stops when nothing can', () => {
    const done: Payout = { ...frozen, stripePayoutId: 'po_1', balanceTransactionId: 'txn_1', arrivalDate: at };
    expect(inMinutes({ ...done, stripeStatus: 'pending' })).toBe(360);
    expect(inMinutes({ ...done, stripeStatus: 'paid', status: 'completed' })).toBe(2880);
    const { balanceTransactionId: _none, ...unbooked } = done;
    expect(inMinutes({ ...unbooked, stripeStatus: 'paid', status: 'completed' })).toBe(5);
    expect(inMinutes({ ...done, status: 'failed', stripeStatus: 'failed' })).toBe(5);
    const longAgo = Timestamp.fromMillis(at.toMillis() - 11 * 86_400_000);
    expect(inMinutes({ ...done, status: 'completed', stripeStatus: 'paid', arrivalDate: longAgo })).toBeNull();
    expect(
      inMinutes({ ...done, status: 'failed', stripeStatus: 'failed', failureBalanceTransactionId: 'txn_2' }),
    ).toBeNull();
    expect(inMinutes({ ...frozen, status: 'failed' })).toBeNull();
  });
});

it('names a payout by coach, currency, due date and attempt', () => {
  expect(payoutId('uid', 'SEK', '2026-11-23', 2)).toBe('uid_SEK_2026-11-23_2');
});
