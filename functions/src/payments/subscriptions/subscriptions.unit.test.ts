import type { LedgerDocument } from '../../ledger/ledger.ts';
import { balanceAt, onboardedCoach } from '../../testing/coach.ts';
import { badCard, goodCard, openSubscriber, type Subscriber } from '../../testing/subscriber.ts';
import type { Entitlements } from '../entitlements/entitlements.ts';
import type { Payment } from '../payments.ts';
import { resumeCommands } from '../recovery.service.ts';
import { cancelSubscription, resumeSubscription, updateSubscription } from './changes.service.ts';
import { settleSetups } from './setup.service.ts';
import type { Subscription } from './subscriptions.ts';

let world: Subscriber;

beforeEach(async () => {
  world = await openSubscriber();
});

afterEach(() => world.close());

const entitlements = async () => (await world.read<{ entitlements: Entitlements }>('customers/eva'))?.entitlements;
const paymentsOf = async (id: string) =>
  (await world.all<Payment>('payments')).filter(({ subscriptionId }) => subscriptionId === id);
const begin = async (productId: string, more?: Parameters<Subscriber['subscribe']>[1]) => {
  const reply = await world.subscribe(productId, more);
  await world.hear();
  return reply.subscriptionId;
};
let commands = 0;
const next = () => `command-${++commands}`;
const update = (subscriptionId: string, change: object, requestId = next()) =>
  updateSubscription(world.ctx, world.eva, { subscriptionId, requestId, ...change });
const cancel = (subscriptionId: string, when: 'now' | 'period_end', requestId = next()) =>
  cancelSubscription(world.ctx, world.eva, { subscriptionId, requestId, when });
const resume = (subscriptionId: string, requestId = next()) =>
  resumeSubscription(world.ctx, world.eva, { subscriptionId, requestId });

describe('a trial', () => {
  it('has no first payment but a card to save, is announced, and is then charged', async () => {
    const reply = await world.subscribe('trial', { card: null });
    expect(reply).toMatchObject({ paymentId: null, status: 'trialing', amountMinor: 9_900 });
    expect(reply.clientSecret).toMatch(/^seti_.+_secret_/);
    const id = reply.subscriptionId;
    await world.hear();
    expect(await entitlements()).toMatchObject({ premium: true });
    expect(await paymentsOf(id)).toEqual([]);
    await world.stripe.setupIntents.confirm(reply.setupIntentId ?? '', { payment_method: goodCard });
    await world.hear();
    expect((await world.stripe.subscriptions.retrieve(id)).default_payment_method).toMatch(/^pm_/);
    expect((await world.subscription(id)).setupIntentId).toBeUndefined();
    await world.pass({ days: 12 });
    await world.hear();
    expect(await world.letters()).toContain('trial-ends');
    await world.pass({ days: 3 });
    await world.hear();
    expect(await world.subscription(id)).toMatchObject({ status: 'active' });
    expect(await paymentsOf(id)).toMatchObject([{ status: 'succeeded', amountMinor: 9_900, netMinor: 9_571 }]);
  });

  it('saves the card that is named at once', async () => {
    const id = await begin('trial');
    expect((await world.stripe.subscriptions.retrieve(id)).default_payment_method).toMatch(/^pm_/);
  });

  it('whose card came while the call that follows was lost: the sweep makes up for it', async () => {
    const reply = await world.subscribe('trial', { card: null });
    await world.hear();
    await world.stripe.setupIntents.confirm(reply.setupIntentId ?? '', { payment_method: goodCard });
    await world.fault('timeout_before', `/v1/subscriptions/${reply.subscriptionId}`, { times: 9 });
    await world.hear();
    expect((await world.subscription(reply.subscriptionId)).setupMethodId).toMatch(/^pm_/);
    await world.clearFaults();
    expect(await settleSetups(world.ctx)).toEqual({ settled: 1 });
    expect((await world.stripe.subscriptions.retrieve(reply.subscriptionId)).default_payment_method).toMatch(/^pm_/);
    expect(await settleSetups(world.ctx)).toEqual({ settled: 0 });
  });

  it('without a card just ends; and is given once', async () => {
    const id = await begin('trial', { card: null });
    await world.pass({ days: 15 });
    await world.hear();
    expect(await world.subscription(id)).toMatchObject({ status: 'canceled' });
    expect(await entitlements()).toMatchObject({ premium: false, subscriptions: {} });
    const again = await world.subscribe('trial', { requestId: 'subscribe-again' });
    expect(again).toMatchObject({ status: 'active' });
    expect(again.paymentId).not.toBeNull();
  });
});

describe('a beginning', () => {
  it('from several tabs at once is one subscription, charged once', async () => {
    const tabs = await Promise.allSettled(
      [1, 2, 3, 4].map((tab) => world.subscribe('contract', { requestId: `subscribe-tab-${tab}` })),
    );
    const ids = tabs.flatMap((tab) => (tab.status === 'fulfilled' ? [tab.value.subscriptionId] : []));
    expect(new Set(ids).size).toBe(1);
    await world.hear();
    expect((await world.stripe.subscriptions.list({ customer: world.customer, status: 'all' })).data).toHaveLength(1);
    expect(await paymentsOf(ids[0] ?? '')).toMatchObject([{ status: 'succeeded' }]);
  });

  it('with a declined card is gone on with by another; another quantity is refused', async () => {
    const declined = world.subscribe('premium', { requestId: 'subscribe-bad', card: 'pm_card_visa_chargeDeclined' });
    await expect(declined).rejects.toMatchObject({ reason: 'card-declined' });
    const two = world.subscribe('premium', { requestId: 'subscribe-two', quantity: 2 });
    await expect(two).rejects.toMatchObject({ reason: 'begun-with-another-quantity' });
    const { subscriptionId, status } = await world.subscribe('premium', { requestId: 'subscribe-good' });
    expect(status).toBe('active');
    await world.hear();
    expect(await paymentsOf(subscriptionId)).toMatchObject([{ status: 'succeeded', netMinor: 9_571 }]);
    expect(await world.openFlags()).toEqual([]);
  });

  it('after an end is a new one, also of a product that an old one was changed away from', async () => {
    const first = await begin('premium');
    await update(first, { productId: 'plus' });
    const second = await begin('premium', { requestId: 'subscribe-second' });
    await cancel(second, 'now');
    const third = await begin('premium', { requestId: 'subscribe-third' });
    expect(new Set([first, second, third]).size).toBe(3);
  });
});

describe('a contract', () => {
  it('ends when it was agreed to: three payments, no fourth', async () => {
    const id = await begin('contract');
    expect(await world.subscription(id)).toMatchObject({ contractId: 'c-1' });
    for (let month = 1; month <= 3; month++) {
      await world.pass({ months: 1 });
      await world.pass({ days: 1 });
      await world.hear();
    }
    expect(await paymentsOf(id)).toHaveLength(3);
    const after = await world.subscription(id);
    expect([after.status, after.nextChargeAt]).toEqual(['canceled', undefined]);
    expect(await world.letters()).toContain('subscription-ended');
  });

  it('stands again when a cancellation is taken back', async () => {
    const id = await begin('contract');
    const { contractEnd } = await world.subscription(id);
    await cancel(id, 'period_end');
    expect((await world.subscription(id)).cancelAt).not.toEqual(contractEnd);
    await resume(id);
    expect((await world.subscription(id)).cancelAt).toEqual(contractEnd);
  });
});

describe('changes', () => {
  it('of plan and quantity are charged at once, and are told before', async () => {
    const id = await begin('premium');
    await world.pass({ days: 15 });
    const told = await update(id, { productId: 'plus', quantity: 2, preview: true });
    expect(await world.subscription(id)).toMatchObject({ productId: 'premium', quantity: 1 });
    const reply = await update(id, { productId: 'plus', quantity: 2 });
    expect(reply).toMatchObject({ productId: 'plus', quantity: 2, amountMinor: 39_800, status: 'active' });
    await world.hear(3);
    const [, proration] = (await paymentsOf(id)).sort((a, b) => a.amountMinor - b.amountMinor);
    expect(proration).toMatchObject({ status: 'succeeded', amountMinor: told.dueNowMinor, productId: 'plus' });
    expect(await entitlements()).toMatchObject({ premium: true, subscriptions: { plus: {} } });
    await world.expectBooksAsStripe();
  });

  it('to less are credited to the next invoice; the payment is what Stripe charged', async () => {
    const id = await begin('plus');
    await update(id, { productId: 'premium' });
    await world.hear();
    expect(await paymentsOf(id)).toHaveLength(1);
    await world.pass({ months: 1 });
    await world.pass({ days: 1 });
    await world.hear();
    // 99 kr were credited in whole: nothing was left to be charged.
    expect(await paymentsOf(id)).toHaveLength(1);
    await world.pass({ months: 1 });
    await world.hear();
    const [rest, first] = (await paymentsOf(id)).map(({ amountMinor }) => amountMinor).sort((a, b) => a - b);
    expect(first).toBe(19_900);
    expect(rest).toBeLessThan(9_900);
    await world.expectBooksAsStripe();
    expect(await world.openFlags()).toEqual([]);
  });

  it('that the card does not pay change nothing', async () => {
    const id = await begin('premium');
    await world.useCard(id, badCard);
    await expect(update(id, { productId: 'plus' })).rejects.toMatchObject({ reason: 'card-declined' });
    await world.hear();
    expect(await world.subscription(id)).toMatchObject({ productId: 'premium', status: 'active' });
  });

  it.each([
    ['nothing', { quantity: 1 }, 'nothing-to-change'],
    ['another seller’s plan', { productId: 'coaching' }, 'plan-of-another-seller'],
    ['something bought once', { productId: 'mat' }, 'not-a-subscription'],
    ['nothing under that name', { productId: 'nothing' }, 'product-not-found'],
  ])('to %s are refused', async (_what, change, reason) => {
    const id = await begin('premium');
    await expect(update(id, change)).rejects.toMatchObject({ reason });
  });

  it('from a year to months, to another currency, and of another’s are refused', async () => {
    const id = await begin('yearly');
    await expect(update(id, { productId: 'plus' })).rejects.toMatchObject({ reason: 'plan-with-shorter-interval' });
    await world.ctx.db.doc('products/plus').update({ currency: 'EUR', interval: 'year' });
    world.ctx.config.acceptedCurrencies = ['EUR'];
    await expect(update(id, { productId: 'plus' })).rejects.toMatchObject({ reason: 'plan-in-another-currency' });
    const other = { ...world.eva, uid: 'mallory' };
    const input = { subscriptionId: id, requestId: next() };
    for (const refused of [
      updateSubscription(world.ctx, other, { ...input, quantity: 2 }),
      cancelSubscription(world.ctx, other, { ...input, when: 'now' }),
      resumeSubscription(world.ctx, other, input),
    ])
      await expect(refused).rejects.toMatchObject({ reason: 'subscription-not-found' });
  });

  it('twice at once and again are one; another input under the same id is refused', async () => {
    const id = await begin('premium');
    const replies = await Promise.all([1, 2, 3].map(() => update(id, { quantity: 3 }, 'change-once')));
    expect(replies.map(({ quantity }) => quantity)).toEqual([3, 3, 3]);
    await expect(update(id, { quantity: 4 }, 'change-once')).rejects.toMatchObject({ reason: 'request-id-reused' });
    await world.hear();
    expect(await paymentsOf(id)).toHaveLength(2);
  });

  it('whose answer is lost are found out, by the customer or the sweep, and charged once', async () => {
    const id = await begin('premium');
    const lose = async () => {
      await world.fault('timeout_after_success', `/v1/subscriptions/${id}`, { times: 9 });
      await world.fault('timeout_before', `/v1/subscriptions/${id}`, { method: 'GET', times: 99 });
    };
    // The item is read before the change; only what comes after it is lost.
    await world.fault('timeout_after_success', `/v1/subscriptions/${id}`, { times: 2 });
    await update(id, { quantity: 2 }, 'change-lost');
    await lose();
    await expect(cancel(id, 'period_end', 'cancel-lost')).rejects.toMatchObject({ reason: 'outcome-unknown' });
    await world.clearFaults();
    await world.advance(600_000);
    expect(await resumeCommands(world.ctx, world.now())).toMatchObject({ resumed: 1 });
    expect(await world.subscription(id)).toMatchObject({ quantity: 2, cancelAtPeriodEnd: true });
    await world.hear();
    expect(await paymentsOf(id)).toHaveLength(2);
  });
});

it('a change is made and charged once wherever the process died', async () => {
  const id = await begin('premium');
  let charged = 1;
  let step = 1;
  for (let quantity = 2; ; quantity++, step++) {
    const requestId = `change-${quantity}`;
    world.dieAfter(step);
    await update(id, { quantity }, requestId).catch(() => undefined);
    const died = world.revive();
    expect(await update(id, { quantity }, requestId)).toMatchObject({ quantity, status: 'active' });
    await world.hear(step);
    expect(await paymentsOf(id)).toHaveLength(++charged);
    if (!died) break;
  }
  expect(step).toBeGreaterThan(5);
  await world.expectBooksAsStripe();
  expect(await world.openFlags()).toEqual([]);
}, 60_000);

describe('a cancellation', () => {
  it('at the period’s end keeps access until then; twice is the same, and it can be taken back', async () => {
    const id = await begin('premium');
    const reply = await cancel(id, 'period_end');
    expect(reply).toMatchObject({ status: 'active', nextChargeAt: null, cancelAt: reply.currentPeriodEnd });
    expect(await cancel(id, 'period_end')).toEqual(reply);
    const back = await resume(id);
    expect(back).toMatchObject({ cancelAt: null, nextChargeAt: reply.currentPeriodEnd });
    expect(await resume(id)).toEqual(back);
    await cancel(id, 'period_end');
    await world.pass({ months: 1 });
    await world.hear();
    expect(await world.subscription(id)).toMatchObject({ status: 'canceled' });
    expect(await entitlements()).toMatchObject({ premium: false });
    expect(await paymentsOf(id)).toHaveLength(1);
    await expect(resume(id)).rejects.toMatchObject({ reason: 'subscription-ended' });
  });

  it('now ends access now; twice is refused by name', async () => {
    const id = await begin('premium');
    expect(await cancel(id, 'now', 'cancel-now')).toMatchObject({ status: 'canceled' });
    expect(await entitlements()).toMatchObject({ premium: false });
    expect(await cancel(id, 'now', 'cancel-now')).toMatchObject({ status: 'canceled' });
    await expect(cancel(id, 'now')).rejects.toMatchObject({ reason: 'subscription-ended' });
    await expect(update(id, { quantity: 2 })).rejects.toMatchObject({ reason: 'subscription-ended' });
  });

  it('from two devices at once ends it once', async () => {
    const id = await begin('premium');
    const ends = await Promise.all([cancel(id, 'now'), cancel(id, 'now')]);
    expect(ends.map(({ status }) => status)).toEqual(['canceled', 'canceled']);
  });
});

describe('a tenant’s subscription', () => {
  it('is on the tenant’s account with a customer there; the platform has its percent of each renewal', async () => {
    const account = await onboardedCoach(world, 'shop', {
      chargeModel: 'direct',
      feePercent: 12.5,
      feeRounding: 'minor',
    });
    await world.ctx.db.doc('products/coaching').update({ coachId: 'shop' });
    const { subscriptionId: id, stripeAccountId } = await world.subscribe('coaching');
    expect(stripeAccountId).toBe(account);
    await world.hear();
    await world.advance(32 * 86_400_000);
    await world.hear(5);
    const payments = await paymentsOf(id);
    expect(payments).toMatchObject(
      [1, 2].map(() => ({ chargeModel: 'direct', status: 'succeeded', platformFeeMinor: 6_238, coachId: 'shop' })),
    );
    const sales = (await world.all<LedgerDocument>('ledger')).filter(({ kind }) => kind === 'direct_sale');
    expect(sales).toHaveLength(2);
    const there = sales.reduce((sum, { deltas }) => sum + deltas.stripe_connected, 0);
    expect(there).toBe(await balanceAt(world.stripe, account));
    expect(await entitlements()).toMatchObject({ premium: false, subscriptions: { coaching: { coachId: 'shop' } } });
    expect(await world.openFlags()).toEqual([]);
  });

  it('is refused where the terms have a fixed fee', async () => {
    await onboardedCoach(world, 'shop', { chargeModel: 'direct', feeFixedMinor: 500 as Subscription['amountMinor'] });
    await world.ctx.db.doc('products/coaching').update({ coachId: 'shop' });
    await expect(world.subscribe('coaching')).rejects.toMatchObject({ reason: 'fixed-fee-on-direct-subscription' });
  });
});
