import fc from 'fast-check';
import { minor } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';
import type { Product } from '../products.ts';
import { effectiveRate } from '../vat.ts';
import { describe as inWords, draftOrder, followed, type Order, type Wanted } from './orders.ts';

const product = (more: Partial<Product> = {}): Product => ({
  name: 'Book',
  kind: 'good',
  amountMinor: minor(10_600),
  currency: 'SEK',
  vatRate: 6,
  active: true,
  ...more,
});
const want = (productId: string, quantity: number, more: Partial<Product> = {}): Wanted => ({
  productId,
  quantity,
  product: product(more),
});

describe('an order is drafted', () => {
  it('with VAT by rate: the lines sum to what is paid, and each is what its rate says', () => {
    const line = fc.record({
      vatRate: fc.constantFrom(25, 12, 6, 0),
      amount: fc.integer({ min: 300, max: 90_000 }),
      quantity: fc.integer({ min: 1, max: 10 }),
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 20 }), (lines) => {
        const wanted = lines.map(({ vatRate, amount, quantity }, n) =>
          want(`p${n}`, quantity, { vatRate, amountMinor: minor(amount) }),
        );
        const { amountMinor, vatLines } = draftOrder(wanted);
        expect(vatLines.reduce((total, { grossMinor }) => total + grossMinor, 0)).toBe(amountMinor);
        for (const { vatRate, grossMinor, vatMinor } of vatLines)
          expect(Math.abs(vatMinor - (grossMinor * vatRate) / (100 + vatRate))).toBeLessThanOrEqual(0.5);
        const rates = vatLines.map(({ vatRate }) => vatRate);
        expect(effectiveRate(vatLines)).toBeGreaterThanOrEqual(Math.min(...rates) - 0.5);
        expect(effectiveRate(vatLines)).toBeLessThanOrEqual(Math.max(...rates) + 0.5);
      }),
    );
  });

  it.each([
    ['nothing', [], 'order-empty'],
    ['one thing twice', [want('a', 1), want('a', 2)], 'product-twice'],
    ['two currencies', [want('a', 1), want('b', 1, { currency: 'EUR' })], 'one-currency-per-order'],
    ['two coaches', [want('a', 1, { coachId: 'x' }), want('b', 1, { coachId: 'y' })], 'one-coach-per-order'],
    ['a session', [want('a', 1, { kind: 'session' })], 'not-orderable'],
    ['more than there is', [want('a', 3, { stock: 2 })], 'out-of-stock'],
    ['more than Stripe charges', [want('a', 100, { amountMinor: minor(1_000_000) })], 'amount-out-of-range'],
    ['less than Stripe charges', [want('a', 1, { amountMinor: minor(299) })], 'amount-out-of-range'],
  ])('but not %s', (_what, wanted, reason) => {
    expect(() => draftOrder(wanted)).toThrow(expect.objectContaining({ reason }) as Error);
  });

  it('in words that fit a receipt', () => {
    expect(
      inWords([
        { name: 'Course', quantity: 1 },
        { name: 'Mat', quantity: 2 },
      ]),
    ).toBe('Course, 2 × Mat');
    expect(inWords(Array.from({ length: 20 }, () => ({ name: 'x'.repeat(40), quantity: 1 })))).toHaveLength(200);
  });
});

describe('an order follows its payment', () => {
  type Seen = Parameters<typeof followed>[1];
  const seen: fc.Arbitrary<Seen> = fc.record({
    status: fc.constantFrom<Payment['status']>(
      'pending',
      'failed',
      'canceled',
      'succeeded',
      'partially_refunded',
      'refunded',
      'disputed',
    ),
    amountMinor: fc.constant(minor(10_600)),
    refundedMinor: fc.constantFrom(minor(0), minor(600), minor(10_600)),
  });
  const fresh: Pick<Order, 'items' | 'status' | 'paymentStatus' | 'stock'> = {
    ...draftOrder([want('a', 1, { stock: 3 })]),
    status: 'open',
    paymentStatus: 'unpaid',
  };

  it('told twice it changes nothing more; stock comes back once; canceled stays canceled', () => {
    fc.assert(
      fc.property(fc.array(seen, { maxLength: 12 }), (history) => {
        let order = fresh;
        let returns = 0;
        for (const payment of history) {
          const change = followed(order, payment);
          const next = { ...order, ...change?.patch };
          if (change?.returnsStock) returns++;
          if (order.status === 'canceled') expect(next.status).toBe('canceled');
          expect(followed(next, payment)).toBeUndefined();
          order = next;
        }
        expect(returns).toBe(order.status === 'canceled' ? 1 : 0);
      }),
    );
  });

  it('but not one that differs from what was owed', () => {
    const payment: Seen = { status: 'succeeded', amountMinor: minor(10_600), refundedMinor: minor(0), difference: 'x' };
    expect(followed(fresh, payment)?.patch).toMatchObject({ status: 'open', paymentStatus: 'pending' });
  });
});
