import fc from 'fast-check';
import { minor } from '../platform/money.ts';
import { breakdown, mergeStatus, statusOfIntent, type BaseStatus, type PaymentStatus } from './payments.ts';
import { vatInside } from './vat.ts';

const base = fc.constantFrom<BaseStatus>('pending', 'failed', 'canceled', 'succeeded');
const fold = (events: readonly BaseStatus[]): PaymentStatus => events.reduce<PaymentStatus>(mergeStatus, 'pending');

describe('payment status', () => {
  it('ends the same whatever the order and the duplication of events', () => {
    fc.assert(
      fc.property(fc.array(base, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 8 }), (events, picks) => {
        const again = picks.flatMap((pick) => (events.length ? [events[pick % events.length] ?? 'pending'] : []));
        const shuffled = [...again, ...events].reverse();
        expect(fold(shuffled)).toBe(fold(events));
      }),
    );
  });

  it('keeps what refunds and disputes have moved on', () => {
    for (const status of ['partially_refunded', 'refunded', 'disputed'] as const)
      expect(mergeStatus(status, 'succeeded')).toBe(status);
  });

  it('an intent without an attempt is pending, with a failed one failed', () => {
    expect(statusOfIntent({ status: 'requires_payment_method', last_payment_error: null })).toBe('pending');
    expect(statusOfIntent({ status: 'requires_payment_method', last_payment_error: {} })).toBe('failed');
    expect(statusOfIntent({ status: 'requires_action' })).toBe('pending');
    expect(statusOfIntent({ status: 'a word Stripe has not invented yet' })).toBe('pending');
  });
});

describe('breakdown', () => {
  it('of 499 kr at 25 %', () => {
    const shares = { coachId: 'karin', coachAmountMinor: minor(40_000), platformFeeMinor: minor(9_900) };
    expect(breakdown({ amountMinor: minor(49_900), currency: 'SEK', vatRate: 25, ...shares })).toEqual({
      subtotal: 399.2,
      vat: 99.8,
      total: 499,
      coach: 400,
      platformFee: 99,
    });
  });

  it('VAT inside is the nearest öre to gross · rate / (100 + rate)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 99_999_999 }), fc.constantFrom(25, 12, 6, 0), (gross, rate) => {
        const exact = (gross * rate) / (100 + rate);
        expect(Math.abs(vatInside(minor(gross), rate) - exact)).toBeLessThanOrEqual(0.5);
      }),
    );
  });
});
