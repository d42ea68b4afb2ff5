import type Stripe from 'stripe';
import type { LedgerDocument } from '../../ledger/ledger.ts';
import { hours } from '../../platform/clock.ts';
import { badCard, goodCard, openSubscriber, type Subscriber } from '../../testing/subscriber.ts';
import { recoverEvents } from '../../webhooks/recovery.service.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import type { Entitlements } from '../entitlements/entitlements.ts';
import type { Payment } from '../payments.ts';
import { resumeCommands } from '../recovery.service.ts';
import { lookAtOverdue } from './overdue.service.ts';
import { resolveTransfers } from '../transfers/resolve.service.ts';

let world: Subscriber;

beforeEach(async () => {
  world = await openSubscriber();
});

afterEach(() => world.close());

const entitlements = async () => (await world.read<{ entitlements: Entitlements }>('customers/eva'))?.entitlements;
const paymentsOf = async (id: string) =>
  (await world.all<Payment>('payments')).filter(({ subscriptionId }) => subscriptionId === id);
const letters = async (occasion: string) => (await world.letters()).filter((letter) => letter === occasion).length;
const begin = async (productId: string) => {
  const { subscriptionId } = await world.subscribe(productId);
  await world.hear();
  return subscriptionId;
};
const month = async () => {
  await world.pass({ months: 1 });
  await world.pass({ days: 1 });
};
const kindsOf = async (payments: readonly Payment[]) => {
  const mine = new Set(payments.map(({ stripePaymentId }) => stripePaymentId));
  const all = await world.all<LedgerDocument>('ledger');
  return all.flatMap(({ kind, paymentId }) => (paymentId && mine.has(paymentId) ? [kind] : [])).sort();
};

describe('a card that fails to the end', () => {
  const fail = async (id: string) => {
    await world.useCard(id, badCard);
    await month();
    await world.hear();
    for (const days of [3, 5, 7]) {
      expect(await world.subscription(id)).toMatchObject({ status: 'past_due' });
      expect(await entitlements()).toMatchObject({ premium: true });
      await world.pass({ days });
      await world.hear();
    }
  };

  it('is told at each attempt, once; access ends with the last', async () => {
    const id = await begin('premium');
    await fail(id);
    expect(await world.subscription(id)).toMatchObject({ status: 'canceled' });
    expect(await entitlements()).toMatchObject({ premium: false, subscriptions: {} });
    expect([await letters('subscription-unpaid'), await letters('subscription-ended')]).toEqual([4, 1]);
    const [first, second] = (await paymentsOf(id)).sort((a, b) => a.createdAt.toMillis() - b.createdAt.toMillis());
    expect(first).toMatchObject({ status: 'succeeded' });
    expect(second).toMatchObject({ status: 'failed', failureCode: expect.any(String) as string, netMinor: null });
    expect(await kindsOf(second ? [second] : [])).toEqual([]);
    await world.expectBooksAsStripe();
  });

  it.each(['unpaid', 'past_due'])('leaves it %s where Stripe is told so', async (status) => {
    await world.control('stripe', 'switches', { subscriptionAfterRetries: status });
    const id = await begin('premium');
    await fail(id);
    expect((await world.subscription(id)).status).toBe(status);
    expect((await entitlements())?.premium).toBe(status === 'past_due');
  });

  it('is mended on Stripe’s page: one payment, and all is as before', async () => {
    const id = await begin('premium');
    await world.useCard(id, badCard);
    await month();
    await world.hear();
    const { latest_invoice } = await world.stripe.subscriptions.retrieve(id);
    const good = await world.stripe.paymentMethods.attach(goodCard, { customer: world.customer });
    await world.stripe.invoices.pay(latest_invoice as string, { payment_method: good.id });
    await world.hear(11);
    expect(await world.subscription(id)).toMatchObject({ status: 'active' });
    const payments = await paymentsOf(id);
    expect(payments.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    expect(await kindsOf(payments)).toEqual(['fee', 'fee', 'own_sale', 'own_sale']);
    await world.expectBooksAsStripe();
  });
});

describe('a renewal', () => {
  const repair = async () => {
    await recoverEvents(world.ctx, world.now());
    await resumeCommands(world.ctx, world.now());
    await resolveTransfers(world.ctx, world.now());
  };

  it('is one payment, one sale and one transfer wherever the process died', async () => {
    const id = await begin('coaching');
    let step = 1;
    for (; ; step += 5) {
      await month();
      world.dieAfter(step);
      await world.hear().catch(() => undefined);
      const died = world.revive();
      const { data } = await world.control<{ data: Stripe.Event[] }>('stripe', 'events');
      for (const event of data.slice(-40)) await receiveEvent(world.ctx, event);
      await world.advance(hours(1));
      await repair();
      await world.hear();
      const payments = await paymentsOf(id);
      expect(payments.map(({ status }) => status)).toEqual(payments.map(() => 'succeeded'));
      const each = ['fee', 'sale', 'transfer'].flatMap((kind) => payments.map(() => kind));
      expect(await kindsOf(payments)).toEqual(each);
      if (!died) break;
    }
    expect(step).toBeGreaterThan(20);
    await world.expectBooksAsStripe();
    expect(await world.openFlags()).toEqual([]);
  }, 120_000);

  it('begins once wherever the process died, and when its events come before our document', async () => {
    let step = 1;
    for (; ; step += 3) {
      const again = { requestId: `subscribe-${step}` };
      world.dieAfter(step);
      await world.subscribe('coaching', again).catch(() => undefined);
      const died = world.revive();
      await world.hear(step);
      const { subscriptionId: id } = await world.subscribe('coaching', again);
      await repair();
      await world.hear();
      const payments = await paymentsOf(id);
      expect(await kindsOf(payments)).toEqual(['fee', 'sale', 'transfer']);
      expect(await world.subscription(id)).toMatchObject({ status: 'active' });
      expect((await world.stripe.subscriptions.list({ customer: world.customer })).data).toHaveLength(1);
      await world.stripe.subscriptions.cancel(id);
      await world.hear();
      if (!died) break;
    }
    expect(step).toBeGreaterThan(20);
    await world.expectBooksAsStripe();
    expect(await world.openFlags()).toEqual([]);
  }, 120_000);

  it.each([1, 2, 3, 4, 5, 6])('ends the same in any order, each event twice (%i)', async (seed) => {
    const { subscriptionId: id } = await world.subscribe('sessions');
    await month();
    await world.hear(seed);
    const payments = await paymentsOf(id);
    expect(await kindsOf(payments)).toEqual(['fee', 'fee', 'sale', 'sale', 'transfer', 'transfer']);
    const now = await entitlements();
    expect(now).toMatchObject({ premium: false, subscriptions: { sessions: { coachId: 'karin' } } });
    const credits = Object.values(now?.credits ?? {});
    expect(credits.map(({ total, left }) => [total, left])).toEqual([
      [2, 2],
      [2, 2],
    ]);
    // Each month's sessions are for that month.
    expect(new Set(credits.map(({ until }) => until?.toMillis())).size).toBe(2);
    await world.expectBooksAsStripe();
  });

  it('of which nothing was ever heard is found by the sweep, and booked', async () => {
    const id = await begin('coaching');
    await month();
    expect(await lookAtOverdue(world.ctx, world.now())).toEqual({ looked: 1 });
    expect(await lookAtOverdue(world.ctx, world.now())).toEqual({ looked: 0 });
    await world.advance(hours(1));
    await repair();
    const payments = await paymentsOf(id);
    expect(await kindsOf(payments)).toEqual(['fee', 'fee', 'sale', 'sale', 'transfer', 'transfer']);
    await world.hear(1);
    expect(await kindsOf(payments)).toHaveLength(6);
    await world.expectBooksAsStripe();
  });

  it('of a subscription nobody knows stays parked, is flagged, and is nobody’s revenue', async () => {
    const price = await world.stripe.prices.create({
      currency: 'sek',
      unit_amount: 9_900,
      recurring: { interval: 'month' },
      product_data: { name: 'Made by hand' },
    });
    const method = await world.stripe.paymentMethods.attach(goodCard, { customer: world.customer });
    const { id } = await world.stripe.subscriptions.create({
      customer: world.customer,
      items: [{ price: price.id }],
      default_payment_method: method.id,
      metadata: { userId: 'eva', productId: 'premium' },
    });
    const before = (await world.all<LedgerDocument>('ledger')).length;
    await world.hear(9);
    expect(await world.read(`subscriptions/${id}`)).toBeUndefined();
    expect(await world.all<LedgerDocument>('ledger')).toHaveLength(before);
    await world.advance(hours(2));
    await recoverEvents(world.ctx, world.now());
    expect((await world.openFlags()).filter((flag) => flag.startsWith('event-parked_')).length).toBeGreaterThan(3);
    expect((await entitlements())?.premium ?? false).toBe(false);
  });

  it('at a price that is none of ours is flagged and booked as charged', async () => {
    const id = await begin('premium');
    const [item] = (await world.stripe.subscriptions.retrieve(id)).items.data;
    const price = await world.stripe.prices.create({
      currency: 'sek',
      unit_amount: 12_300,
      recurring: { interval: 'month' },
      product_data: { name: 'By hand' },
      metadata: { productId: 'coaching' },
    });
    await world.stripe.subscriptions.update(id, {
      items: [{ id: item?.id ?? '', price: price.id }],
      proration_behavior: 'none',
    });
    await month();
    await world.hear();
    expect(await world.subscription(id)).toMatchObject({
      productId: 'premium',
      amountMinor: 12_300,
      chargeModel: 'own',
    });
    expect((await paymentsOf(id)).map(({ amountMinor }) => amountMinor).sort()).toEqual([12_300, 9_900]);
    expect(await world.openFlags()).toEqual([`subscription-price_${id}`]);
    await world.expectBooksAsStripe();
  });

  it('whose money goes back whole ends access until the next is paid', async () => {
    const id = await begin('premium');
    const [first] = await paymentsOf(id);
    await world.stripe.refunds.create({ payment_intent: first?.stripePaymentId ?? '' });
    await world.hear(4);
    expect(await paymentsOf(id)).toMatchObject([{ status: 'refunded' }]);
    expect(await world.subscription(id)).toMatchObject({ status: 'active' });
    expect(await entitlements()).toMatchObject({ premium: false });
    await month();
    await world.hear(5);
    expect(await entitlements()).toMatchObject({ premium: true });
    await world.expectBooksAsStripe();
  });

  it('is split by the terms of its day', async () => {
    const id = await begin('coaching');
    await world.ctx.db.doc('coaches/karin').update({ 'terms.feePercent': 10 });
    await month();
    await world.hear();
    const fees = (await paymentsOf(id)).map(({ platformFeeMinor }) => platformFeeMinor).sort((a, b) => a - b);
    expect(fees).toEqual([4_900, 9_900]);
    await world.expectBooksAsStripe();
  });
});

it('an invoice that cannot be finalized is told to a person', async () => {
  const id = await begin('premium');
  await month();
  await world.hear();
  const { data } = await world.control<{ data: Stripe.Event[] }>('stripe', 'events');
  const finalized = data.filter(({ type }) => type === 'invoice.finalized').at(-1)!;
  await receiveEvent(world.ctx, {
    ...finalized,
    id: 'evt_failed',
    type: 'invoice.finalization_failed',
  } as Stripe.Event);
  const [flag] = await world.openFlags();
  expect(flag).toMatch(/^invoice-not-finalized_in_/);
  expect((await world.subscription(id)).status).toBe('active');
});
