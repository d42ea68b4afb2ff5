import fc from 'fast-check';
import { Timestamp } from 'firebase-admin/firestore';
import { minor } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';
import {
  creditsGivenBack,
  creditsLeft,
  priceOfCredit,
  priceOfFirst,
  purchaseFor,
  returnCredit,
  spendCredit,
  type CreditsGrant,
} from './credits.ts';
import { viewOf, type Grant } from './entitlements.ts';
import { moneyIsHere, type MoneyOf } from './money.ts';

const day = (n: number) => Timestamp.fromMillis(Date.UTC(2026, 0, 1) + n * 86_400_000);

const bundle = (more: Partial<CreditsGrant> = {}): CreditsGrant => ({
  kind: 'credits',
  productId: 'five',
  coachId: 'karin',
  total: 5,
  amountMinor: minor(100_000),
  returnedMinor: minor(0),
  sessions: {},
  from: day(0),
  until: null,
  held: true,
  ...more,
});

describe('credits', () => {
  it('cost together exactly what was paid, whatever their number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 10_000_000 }), fc.integer({ min: 1, max: 60 }), (amount, total) => {
        const grant = { amountMinor: minor(amount), total };
        const prices = Array.from({ length: total }, (_, i) => priceOfCredit(i + 1, grant));
        expect(prices.reduce((sum, price) => sum + price, 0)).toBe(amount);
        expect(Math.max(...prices) - Math.min(...prices)).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('are given back by the price of whole ones only', () => {
    fc.assert(
      fc.property(fc.integer({ min: 300, max: 1_000_000 }), fc.integer({ min: 1, max: 30 }), (amount, total) => {
        const grant = { amountMinor: minor(amount), total };
        for (let n = 0; n <= total; n++) {
          const price = priceOfFirst(n, grant);
          expect(creditsGivenBack({ ...grant, returnedMinor: price })).toBe(n);
          if (n > 0) expect(creditsGivenBack({ ...grant, returnedMinor: minor(price - 1) })).toBe(n - 1);
        }
      }),
    );
  });

  it('are spent and given back once a session, and never below none', () => {
    const session = fc.record({ id: fc.integer({ min: 1, max: 8 }), spends: fc.boolean() });
    fc.assert(
      fc.property(fc.array(session, { maxLength: 40 }), (commands) => {
        let grant = bundle();
        for (const { id, spends } of commands) {
          try {
            grant = spends ? spendCredit(grant, `s${id}`) : returnCredit(grant, `s${id}`);
          } catch (error) {
            expect(['no-credits-left', 'credit-returned']).toContain((error as { reason: string }).reason);
          }
          const spent = Object.values(grant.sessions).filter(({ state }) => state === 'spent');
          expect(creditsLeft(grant)).toBe(5 - spent.length);
          expect(new Set(spent.map(({ number }) => number)).size).toBe(spent.length);
        }
      }),
    );
  });

  it('come from the purchase that ends first', () => {
    const grants = {
      pi_endless: bundle(),
      pi_late: bundle({ until: day(90) }),
      pi_soon: bundle({ until: day(30) }),
      pi_over: bundle({ until: day(5) }),
      pi_other: bundle({ until: day(20), coachId: 'olof' }),
    };
    expect(purchaseFor(grants, { coachId: 'karin', at: day(10) })).toBe('pi_soon');
    expect(purchaseFor(grants, { coachId: 'nobody', at: day(10) })).toBeUndefined();
  });
});

describe('the money of a payment', () => {
  const payment = (status: Payment['status'], refunded = 0, more: Partial<MoneyOf> = {}): MoneyOf => ({
    status,
    amountMinor: minor(49_900),
    refundedMinor: minor(refunded),
    ...more,
  });
  const lost = (...amounts: number[]) => ({
    aftermath: {
      disputes: Object.fromEntries(amounts.map((amount, i) => [`du_${i}`, { lostMinor: minor(amount) }])),
    },
  });
  const owed = { returned: { grossMinor: minor(49_900), coachMinor: minor(40_000), owedMinor: minor(49_900) } };
  const euros = { settlement: { amountMinor: minor(570_000), currency: 'SEK' } };

  it.each([
    ['pending', payment('pending'), false],
    ['failed', payment('failed'), false],
    ['succeeded', payment('succeeded'), true],
    ['refunded in part', payment('partially_refunded', 10_000), true],
    ['refunded whole', payment('refunded', 49_900), false],
    ['disputed', payment('disputed', 0, lost(0)), true],
    ['lost in part', payment('disputed', 0, lost(20_000)), true],
    ['refunded in part, the rest lost', payment('disputed', 10_000, lost(39_900)), false],
    ['lost in two', payment('disputed', 0, lost(20_000, 29_900)), false],
    ['owed since the refund failed', payment('succeeded', 0, owed), false],
    ['lost in the currency it was settled in', payment('disputed', 0, { ...lost(570_000), ...euros }), false],
    ['lost in part of that', payment('disputed', 0, { ...lost(569_999), ...euros }), true],
    ['other than what was owed', payment('succeeded', 0, { difference: 'amount' }), false],
  ])('%s', (_what, given, here) => expect(moneyIsHere(given)).toBe(here));
});

describe('the view', () => {
  const programme = (from: number, weeks: number | null, live = true): Grant => ({
    kind: 'programme',
    productId: 'calm',
    from: day(from),
    weeks,
    live,
  });
  const premium = (status: string, more: object = {}): Grant => ({
    kind: 'subscription',
    productId: 'premium',
    status,
    until: day(30),
    returned: [],
    ...more,
  });

  it('joins programmes bought again while open, and begins anew after a gap', () => {
    const two = viewOf({ b: programme(7, 4), a: programme(0, 4) });
    expect(two.programmes.calm).toEqual({ from: day(0), until: day(56) });
    expect(viewOf({ a: programme(0, 4), b: programme(40, 4) }).programmes.calm).toEqual({
      from: day(40),
      until: day(68),
    });
    expect(viewOf({ a: programme(0, null), b: programme(40, 4) }).programmes.calm?.until).toBeNull();
    expect(viewOf({ a: programme(0, 4, false) }).programmes).toEqual({});
  });

  it('is premium by an own subscription that is paid or tried again, and by no coach’s', () => {
    for (const status of ['trialing', 'active', 'past_due']) expect(viewOf({ s: premium(status) }).premium).toBe(true);
    for (const status of ['incomplete', 'incomplete_expired', 'unpaid', 'canceled', 'paused'])
      expect(viewOf({ s: premium(status) })).toMatchObject({ premium: false, subscriptions: {} });
    const coachs = viewOf({ s: premium('active', { coachId: 'karin' }) });
    expect(coachs).toMatchObject({ premium: false, subscriptions: { premium: { coachId: 'karin', until: day(30) } } });
  });

  it('gives nothing for a latest payment that went back, and again for the next', () => {
    const returned = { latestPaymentId: 'pi_1', returned: ['pi_1'] };
    expect(viewOf({ s: premium('active', returned) }).premium).toBe(false);
    expect(viewOf({ s: premium('active', { ...returned, latestPaymentId: 'pi_2' }) }).premium).toBe(true);
  });

  it('counts credits total, used, refunded and left', () => {
    const used = { number: 1, state: 'spent' as const };
    const grant = bundle({ sessions: { a: used, b: { number: 2, state: 'returned' } }, returnedMinor: minor(40_000) });
    expect(viewOf({ pi: grant }).credits.pi).toMatchObject({ total: 5, used: 1, refunded: 2, left: 2, until: null });
  });
});
