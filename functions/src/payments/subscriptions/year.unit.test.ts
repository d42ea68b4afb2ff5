import type { LedgerDocument } from '../../ledger/ledger.ts';
import { badCard, goodCard, openSubscriber, type Subscriber } from '../../testing/subscriber.ts';
import type { Entitlements } from '../entitlements/entitlements.ts';
import type { Payment } from '../payments.ts';

let world: Subscriber;

beforeEach(async () => {
  world = await openSubscriber();
});

afterEach(() => world.close());

const access = async () => (await world.read<{ entitlements: Entitlements }>('customers/eva'))?.entitlements;
const paymentsOf = async (subscriptionId: string) =>
  (await world.all<Payment>('payments')).filter((payment) => payment.subscriptionId === subscriptionId);

it.each([
  ['one by one, in order', undefined],
  ['each twice, in any order', 7],
])(
  'a year of one subscription, its card failing in month five; events %s',
  async (_how, seed) => {
    const { subscriptionId: id } = await world.subscribe('coaching');
    const hear = (step: number) => world.hear(seed === undefined ? undefined : seed + step);
    await hear(1);
    expect(await world.subscription(id)).toMatchObject({ status: 'active', coachId: 'karin', chargeModel: 'separate' });
    for (let month = 2; month <= 12; month++) {
      if (month === 5) await world.useCard(id, badCard);
      await world.pass({ months: 1 });
      // A draft for an hour, then it is charged.
      await world.pass({ days: 1 });
      await hear(month);
      if (month === 5) {
        const late = await world.subscription(id);
        expect(late.status).toBe('past_due');
        expect(late.nextChargeAt?.toMillis()).toBeLessThan(late.currentPeriodEnd?.toMillis() ?? 0);
        expect((await access())?.subscriptions.coaching).toBeDefined();
        await world.pass({ days: 4 });
        await hear(20);
        expect((await world.letters()).filter((letter) => letter === 'subscription-unpaid')).toHaveLength(2);
        await world.useCard(id, goodCard);
        await world.pass({ days: 5 });
        await hear(21);
      }
      const after = await world.subscription(id);
      expect(after).toMatchObject({ status: 'active', nextChargeAt: after.currentPeriodEnd });
    }
    const payments = await paymentsOf(id);
    expect(
      payments.map(({ status, platformFeeMinor, coachAmountMinor }) => [status, platformFeeMinor, coachAmountMinor]),
    ).toEqual(Array.from({ length: 12 }, () => ['succeeded', 9_900, 40_000]));
    expect(new Set(payments.map(({ invoiceId }) => invoiceId)).size).toBe(12);
    const mine = new Set(payments.map(({ stripePaymentId }) => stripePaymentId));
    const booked = (await world.all<LedgerDocument>('ledger')).filter(
      ({ paymentId }) => paymentId && mine.has(paymentId),
    );
    const kinds = (kind: string) => booked.filter((entry) => entry.kind === kind);
    expect([kinds('sale').length, kinds('fee').length, kinds('transfer').length]).toEqual([12, 12, 12]);
    expect((await world.stripe.transfers.list({ destination: world.account, limit: 100 })).data).toHaveLength(12);
    await world.expectBooksAsStripe();
    expect((await world.letters()).filter((letter) => letter === 'subscription-renews').length).toBeGreaterThanOrEqual(
      11,
    );
    expect(await world.openFlags()).toEqual([]);
  },
  60_000,
);
