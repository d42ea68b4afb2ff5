import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { minutes } from '../../platform/clock.ts';
import { minor } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';
import { decideAsk, newOrder, takenAhead, wayOf, withoutReversal, type RefundOrder } from './orders.ts';
import {
  leftMinor,
  newRefund,
  refundableAmount,
  refundAtStripe,
  refundIdOf,
  refundMeant,
  withFacts,
  type Refund,
  type RefundFacts,
  type RefundStatus,
} from './refunds.ts';

const at = Timestamp.fromMillis(1_800_000_000_000);
const later = Timestamp.fromMillis(at.toMillis() + minutes(5));

const payment: Payment = {
  userId: 'lisa',
  amount: 499,
  amountMinor: minor(49_900),
  currency: 'SEK',
  date: at,
  status: 'succeeded',
  stripePaymentId: 'pi_1',
  description: 'Programme',
  coachId: 'karin',
  platformFeeMinor: minor(9_900),
  coachAmountMinor: minor(40_000),
  stripeFeeMinor: minor(929),
  netMinor: minor(8_971),
  vatRate: 25,
  chargeModel: 'destination',
  refundedMinor: minor(0),
  customerName: 'Lisa',
  metadata: {},
  createdAt: at,
  updatedAt: at,
};

const refund = (more: Partial<Refund> = {}): Refund => ({
  ...newRefund(payment, { refundId: 'rf_1', amountMinor: minor(10_000), origin: 'product' }, at),
  ...more,
});
const facts = (more: Partial<RefundFacts> = {}): RefundFacts => ({
  id: 're_1',
  status: 'succeeded',
  amountMinor: 10_000,
  currency: 'sek',
  reason: null,
  createdMs: at.toMillis(),
  metadata: { refundId: 'rf_1' },
  ...more,
});
const order = (more: Partial<RefundOrder> = {}, of: Payment = payment): RefundOrder => ({
  ...newOrder(of, { refunds: [], orders: [] }, { refundId: 'rf_1', amountMinor: minor(10_000), by: 'anna' }, at),
  ...more,
});

const stripeStatus = fc.constantFrom<RefundFacts['status']>('pending', 'succeeded', 'failed', 'canceled');

describe('what Stripe says of a refund', () => {
  it('ends the same in any order and any number of times', () => {
    const news = fc.array(stripeStatus, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(news, fc.func(fc.integer()), (statuses, shuffle) => {
        const told = (list: readonly RefundFacts['status'][]) =>
          list.reduce((known, status) => withFacts(known, facts({ status }), at), refund());
        const other = [...statuses, ...statuses].sort((a, b) => shuffle(a) - shuffle(b));
        expect(told(other)).toEqual(told(statuses));
      }),
    );
  });

  it.each<[RefundStatus, RefundFacts['status'], RefundStatus]>([
    ['unknown', 'pending', 'pending'],
    ['refused', 'succeeded', 'succeeded'],
    ['pending', 'pending', 'pending'],
  ])('counts above what we thought before: %s, then %s', (status, told, becomes) => {
    expect(withFacts(refund({ status }), facts({ status: told }), later)).toMatchObject({
      status: becomes,
      stripeRefundId: 're_1',
      updatedAt: later,
    });
  });

  it('said again changes nothing', () => {
    const known = withFacts(refund(), facts(), at);
    expect(withFacts(known, facts({ status: 'pending' }), later)).toBe(known);
  });

  it('is of the refund it names, unless that is another one already or of another amount', () => {
    const ours = refund();
    const made = refund({ refundId: 'rf_2', stripeRefundId: 're_2' });
    expect(refundMeant([ours, made], facts())).toBe(ours);
    expect(refundMeant([ours, made], facts({ id: 're_2', metadata: {} }))).toBe(made);
    expect(refundMeant([ours, made], facts({ id: 're_3', metadata: { refundId: 'rf_2' } }))).toBeUndefined();
    expect(refundMeant([ours, made], facts({ amountMinor: 9_999 }))).toBeUndefined();
    expect(refundMeant([ours, made], facts({ metadata: {} }))).toBeUndefined();
  });

  it('of one made in the dashboard makes a document under Stripe’s id', () => {
    expect(refundAtStripe(payment, facts({ reason: 'duplicate', metadata: {} }), later)).toMatchObject({
      refundId: 're_1',
      stripeRefundId: 're_1',
      origin: 'stripe',
      userId: 'lisa',
      amount: 100,
      currency: 'SEK',
      reason: 'duplicate',
      createdAt: at,
    });
  });
});

describe('what can go back', () => {
  it('is what nothing live has taken, by our count or Stripe’s', () => {
    const refunds = (['pending', 'unknown', 'succeeded', 'failed', 'canceled', 'refused'] as const).map((status) =>
      refund({ status }),
    );
    expect(leftMinor(payment, refunds)).toBe(19_900);
    expect(leftMinor({ ...payment, refundedMinor: minor(45_000) }, refunds)).toBe(4_900);
  });

  it('any sequence of parts ends as one full refund', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30_000 })), (parts) => {
        const refunds: Refund[] = [];
        for (const part of [...parts, undefined]) {
          try {
            const amountMinor = refundableAmount(payment, refunds, part);
            refunds.push(refund({ refundId: `rf_${refunds.length}`, amountMinor }));
          } catch (error) {
            expect(error).toHaveProperty('reason', expect.stringMatching(/refund-exceeds-payment|already-refunded/));
          }
        }
        expect(refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(49_900);
      }),
    );
  });

  it('is named by its command', () => {
    const ids = [refundIdOf({ uid: 'a', requestId: 'b' }), refundIdOf({ uid: 'a', requestId: 'c' })];
    expect(new Set(ids).size).toBe(2);
    expect(refundIdOf({ uid: 'a', requestId: 'b' })).toBe(ids[0]);
  });
});

describe('the way a refund goes', () => {
  const none = { refunds: [], orders: [] };

  it.each<[Payment['chargeModel'], RefundOrder['way'], RefundOrder['recovery']]>([
    ['destination', 'reversing', 'none'],
    ['separate', 'plain', 'due'],
    ['direct', 'tenant', 'none'],
  ])('of a %s charge is %s', (chargeModel, way, recovery) => {
    expect(order({}, { ...payment, chargeModel, stripeAccountId: 'acct_1' })).toMatchObject({ way, recovery });
  });

  it('of the platform’s own sale takes nothing back from anybody', () => {
    const { coachId: _, ...own } = payment;
    expect(order({}, { ...own, chargeModel: 'own' })).toMatchObject({
      way: 'plain',
      recovery: 'none',
      refundFee: false,
    });
  });

  it('takes no share a second time for a refund that came to nothing', () => {
    expect(wayOf(payment, { refunds: [refund({ status: 'failed' })], orders: [] })).toBe('plain');
    expect(wayOf(payment, { refunds: [refund({ status: 'refused' })], orders: [order()] })).toBe('reversing');
    const canceled = { refunds: [refund({ status: 'canceled' })], orders: [order()] };
    expect(wayOf(payment, canceled)).toBe('plain');
    expect(takenAhead(canceled, minor(4_000))).toBe(4_000);
    expect(takenAhead(canceled, minor(40_000))).toBe(10_000);
    const used = order({ refundId: 'rf_2', way: 'plain', aheadMinor: minor(7_000) });
    expect(takenAhead({ ...canceled, orders: [order(), used] }, minor(40_000))).toBe(3_000);
    expect(takenAhead(none, minor(1))).toBe(0);
  });

  it('without the share is gone only when no other ask of the first can come through', () => {
    const first = decideAsk(order(), refund(), at);
    const second = first && decideAsk(first.order, refund(), at);
    expect([first?.mode, second?.mode]).toEqual(['first', 'again']);
    if (!first || !second) throw new Error('not asked');
    expect(withoutReversal(second.order, 2, 'balance_insufficient', at)).toBeUndefined();
    expect(withoutReversal(second.order, 2, 'balance_insufficient', later)).toMatchObject({
      way: 'plain',
      recovery: 'due',
    });
    expect(withoutReversal(first.order, 1, 'balance_insufficient', at)).toMatchObject({
      stripeKey: 'refund:rf_1:plain',
      refundFee: false,
      asking: {},
    });
    expect(withoutReversal(order({ way: 'plain' }), 1, 'balance_insufficient', at)).toBeUndefined();
  });

  it('is asked for no more when Stripe has it, or has refused', () => {
    expect(decideAsk(order(), refund({ stripeRefundId: 're_1' }), at)).toBeUndefined();
    expect(decideAsk(order(), refund({ status: 'refused' }), at)).toBeUndefined();
    const dayOld = Timestamp.fromMillis(at.toMillis() + minutes(60 * 24));
    expect(decideAsk(order({ askedAt: at }), refund(), dayOld)?.mode).toBe('look');
  });
});
