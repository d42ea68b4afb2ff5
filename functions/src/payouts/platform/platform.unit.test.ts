import fc from 'fast-check';
import { minor } from '../../platform/money.ts';
import {
  decidePlatform,
  othersMinor,
  ownMinor,
  platformNumbers,
  shortMinor,
  type PlatformNumbers,
} from './platform.ts';

const none = {
  stripe_platform: 0,
  stripe_connected: 0,
  coach_payable: 0,
  session_held: 0,
  customer_payable: 0,
  connected_reserve: 0,
};
const totals = (some: Partial<Record<keyof typeof none, number>>) => {
  const all = { ...none, ...some };
  return {
    stripe_platform: minor(all.stripe_platform),
    stripe_connected: minor(all.stripe_connected),
    coach_payable: minor(all.coach_payable),
    session_held: minor(all.session_held),
    customer_payable: minor(all.customer_payable),
    connected_reserve: minor(all.connected_reserve),
  };
};
const balance = (available: number, pending = 0) => ({
  availableMinor: minor(available),
  pendingMinor: minor(pending),
});

it('held sessions, shares not transferred, what customers are owed and the reserve stay behind', () => {
  const books = totals({
    stripe_platform: 300_000,
    stripe_connected: 40_000,
    coach_payable: -88_000,
    session_held: -60_000,
    customer_payable: -9_900,
  });
  const numbers = platformNumbers(books, balance(300_000), 50_000);
  expect(numbers).toMatchObject({ heldMinor: 60_000, untransferredMinor: 48_000, customersMinor: 9_900 });
  expect(ownMinor(numbers)).toBe(300_000 - 60_000 - 48_000 - 9_900 - 50_000);
  expect(decidePlatform(numbers)).toEqual({ pay: true, amountMinor: 132_100 });
  expect(decidePlatform(numbers, minor(132_101))).toEqual({ pay: false, reason: 'more-than-own', ownMinor: 132_100 });
  expect(shortMinor(numbers)).toBe(0);
});

it('what Stripe holds back on coaches’ accounts is theirs, and nothing the platform has to keep for them', () => {
  const books = { stripe_platform: 9_900, stripe_connected: 25_000, coach_payable: -40_000, connected_reserve: 15_000 };
  expect(platformNumbers(totals(books), balance(9_900), 0).untransferredMinor).toBe(0);
});

it('what the ledger does not explain is not the platform’s to take, nor what is not loose', () => {
  expect(decidePlatform(platformNumbers(totals({ stripe_platform: 5_000 }), balance(9_000), 0))).toMatchObject({
    amountMinor: 5_000,
  });
  expect(decidePlatform(platformNumbers(totals({ stripe_platform: 9_000 }), balance(1_999, 7_001), 0))).toEqual({
    pay: false,
    reason: 'nothing-own',
    ownMinor: 1_999,
  });
});

it('a balance below zero, or below what is others’, is short by as much', () => {
  const of = (available: number, pending: number, held: number, reserve = 0) =>
    shortMinor(
      platformNumbers(
        totals({ stripe_platform: available + pending, session_held: -held }),
        balance(available, pending),
        reserve,
      ),
    );
  expect(of(-500, 1_000, 0)).toBe(500);
  expect(of(100, 500, 600)).toBe(0);
  expect(of(100, 500, 700)).toBe(100);
  expect(of(100, 500, 600, 250)).toBe(250);
});

const anyNumbers: fc.Arbitrary<PlatformNumbers> = fc
  .tuple(
    fc.integer({ min: -100_000, max: 500_000 }),
    fc.integer({ min: -100_000, max: 500_000 }),
    fc.integer({ min: -100_000, max: 500_000 }),
    ...[0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 200_000 })),
  )
  .map(([a = 0, p = 0, b = 0, held = 0, untransferred = 0, customers = 0, reserve = 0]) => ({
    availableMinor: minor(a),
    pendingMinor: minor(p),
    bookedMinor: minor(b),
    heldMinor: minor(held),
    untransferredMinor: minor(untransferred),
    customersMinor: minor(customers),
    reserveMinor: minor(reserve),
  }));

it('whatever is paid, what is others’ and the reserve are still there and loose', () => {
  fc.assert(
    fc.property(
      anyNumbers,
      fc.option(fc.integer({ min: 2_000, max: 300_000 }), { nil: undefined }),
      (numbers, wanted) => {
        const decision = decidePlatform(numbers, wanted === undefined ? undefined : minor(wanted));
        if (!decision.pay) return;
        const keeps = othersMinor(numbers) + numbers.reserveMinor;
        expect(decision.amountMinor).toBeGreaterThanOrEqual(2_000);
        expect(numbers.availableMinor - decision.amountMinor).toBeGreaterThanOrEqual(keeps);
        expect(numbers.bookedMinor - decision.amountMinor).toBeGreaterThanOrEqual(keeps);
      },
    ),
  );
});
