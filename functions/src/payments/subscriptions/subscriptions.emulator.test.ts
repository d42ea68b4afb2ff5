import type Stripe from 'stripe';
import { lisa } from '../../../../scripts/story/people.ts';
import { startHarness, type Harness } from '../../testing/harness.ts';
import type { Entitlements } from '../entitlements/entitlements.ts';
import type { Payment } from '../payments.ts';
import type { SubscriptionReply } from './changes.service.ts';
import type { CreateSubscriptionReply } from './subscriptions.service.ts';
import type { Subscription } from './subscriptions.ts';

let harness: Harness;
let token: string;

beforeAll(async () => {
  harness = await startHarness();
  token = await harness.login(lisa);
  const sold = { kind: 'subscription', interval: 'month', currency: 'SEK', vatRate: 25, active: true };
  await harness.db.doc('products/premium').set({ ...sold, name: 'Premium', amountMinor: 9_900 });
  await harness.db.doc('products/plus').set({ ...sold, name: 'Plus', amountMinor: 19_900 });
}, 60_000);

afterAll(() => harness.close());

const read = async <T>(path: string) => (await harness.db.doc(path).get()).data() as T | undefined;
const premium = async () => (await read<{ entitlements: Entitlements }>(`customers/${lisa.uid}`))?.entitlements.premium;

it('is begun, changed, renewed, cancelled, taken back and ended through the deployed functions', async () => {
  const wish = { productId: 'premium', requestId: 'begin-once', paymentMethodId: 'pm_card_bypassPending' };
  const begun = await harness.call<CreateSubscriptionReply>('createSubscription', wish, token);
  expect(begun).toMatchObject({ status: 'active', amountMinor: 9_900 });
  await harness.settle();
  expect(await premium()).toBe(true);
  const { subscriptionId } = begun;
  const command = (name: string, requestId: string, more: object = {}) =>
    harness.call<SubscriptionReply>(name, { subscriptionId, requestId, ...more }, token);
  const changed = await command('updateSubscription', 'change-once', { productId: 'plus' });
  expect(changed).toMatchObject({ productId: 'plus', amountMinor: 19_900 });
  await harness.settle();
  const day = 86_400;
  await harness.control('stripe', 'clock', { advanceSeconds: 32 * day });
  await harness.settle();
  const payments = (await harness.db.collection('payments').where('subscriptionId', '==', subscriptionId).get()).docs;
  const booked = payments.map((doc) => doc.data() as Payment);
  expect(booked.map(({ status, netMinor }) => [status, netMinor !== null])).toEqual(
    booked.map(() => ['succeeded', true]),
  );
  expect(new Set(booked.map(({ invoiceId }) => invoiceId)).size).toBe(booked.length);
  expect(booked.length).toBeGreaterThanOrEqual(2);
  expect(await command('cancelSubscription', 'cancel-later', { when: 'period_end' })).toMatchObject({
    nextChargeAt: null,
  });
  expect(await command('resumeSubscription', 'take-back')).toMatchObject({ cancelAt: null });
  expect(await command('cancelSubscription', 'cancel-now', { when: 'now' })).toMatchObject({ status: 'canceled' });
  await harness.settle();
  expect(await read<Subscription>(`subscriptions/${subscriptionId}`)).toMatchObject({ status: 'canceled' });
  expect(await premium()).toBe(false);
  const states = (await harness.db.collection('stripeEvents').get()).docs.map(
    (doc) => [doc.get('type') as Stripe.Event['type'], doc.get('state') as string] as const,
  );
  expect(states.filter(([, state]) => state === 'failed' || state === 'parked')).toEqual([]);
}, 60_000);

it('of somebody else is none', async () => {
  const other = await harness.login({ ...lisa, uid: 'customer-other', email: 'other@example.se' });
  const input = { subscriptionId: 'sub_1', requestId: 'cancel-other', when: 'now' };
  const details = { reason: 'subscription-not-found' };
  await expect(harness.call('cancelSubscription', input, other)).rejects.toMatchObject({ details });
});
