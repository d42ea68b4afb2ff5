import { lisa } from '../../../../scripts/story/people.ts';
import { startHarness, type Harness } from '../../testing/harness.ts';
import type { SavedMethod } from '../methods/methods.ts';
import type { Payment } from '../payments.ts';
import type { Subscription } from '../subscriptions/subscriptions.ts';

/** A customer on Stripe's own pages, through the exported functions, with real webhooks and the real Firestore. */
let harness: Harness;
let token: string;

beforeAll(async () => {
  harness = await startHarness();
  token = await harness.login(lisa);
  const product = { currency: 'SEK', vatRate: 25, active: true };
  const course = { ...product, name: 'Course', kind: 'programme', amountMinor: 49_900 };
  const premium = { ...product, name: 'Premium', kind: 'subscription', amountMinor: 9_900, interval: 'month' };
  await harness.db.doc('products/course').set(course);
  await harness.db.doc('products/premium').set(premium);
}, 60_000);

afterAll(() => harness.close());

const ours = 'http://127.0.0.1:5000';
const click = (url: string, form: Record<string, string>) =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ action: 'pay', ...form }) });
const all = async <T>(collection: string) =>
  (await harness.db.collection(collection).get()).docs.map((doc) => doc.data() as T);

async function rest(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
  const answer = await fetch(`${harness.urlOf('api')}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

it('pays on a page opened over REST, subscribes on one opened by the callable, and once each', async () => {
  const buy = { mode: 'payment', productId: 'course', successUrl: `${ours}/done`, requestId: 'rest-checkout-1' };
  const { status, body } = await rest('/create-checkout-session', buy);
  expect(status).toBe(200);
  expect((await rest('/create-checkout-session', buy)).body).toEqual(body);
  expect((await click(String(body.url), { card: 'pm_card_bypassPending' })).headers.get('location')).toBe(
    `${ours}/done`,
  );
  const join = { mode: 'subscription', productId: 'premium', successUrl: `${ours}/done`, requestId: 'join-page-1' };
  const page = await harness.call<{ url: string }>('createCheckoutSession', join, token);
  await click(page.url, { card: 'pm_card_bypassPending' });
  await harness.settle();
  const payments = await all<Payment>('payments');
  expect(payments.map(({ status: paid, amountMinor }) => [paid, amountMinor]).sort()).toEqual([
    ['succeeded', 49_900],
    ['succeeded', 9_900],
  ]);
  expect(payments.every(({ stripeFeeMinor }) => stripeFeeMinor !== null)).toBe(true);
  expect(await all<Subscription>('subscriptions')).toEqual([expect.objectContaining({ status: 'active' })]);
  expect(new Set((await all<{ state: string }>('stripeEvents')).map(({ state }) => state))).not.toContain('parked');
  expect(await all('flags')).toEqual([]);
}, 60_000);

it('saves cards and changes the default in the app and in the portal', async () => {
  const ask = { requestId: 'save-card-0001' };
  const replies = await Promise.all(
    Array.from({ length: 5 }, () => harness.call<{ setupIntentId: string }>('createSetupIntent', ask, token)),
  );
  expect(new Set(replies.map(({ setupIntentId }) => setupIntentId)).size).toBe(1);
  const intent = await harness.stripe.setupIntents.confirm(replies[0]!.setupIntentId, {
    payment_method: 'pm_card_mastercard',
    return_url: ours,
  });
  const saved = { paymentMethodId: intent.payment_method as string };
  await harness.call('setDefaultPaymentMethod', saved, token);
  await harness.settle();
  const defaults = async () =>
    (await all<SavedMethod>('paymentMethods')).filter(({ isDefault }) => isDefault).map(({ brand }) => brand);
  expect(await defaults()).toEqual(['mastercard']);
  const { body } = await rest('/portal-link', { returnUrl: `${ours}/account` });
  await click(String(body.url), { action: 'card', card: 'pm_card_amex' });
  await harness.settle();
  expect(await defaults()).toEqual(['amex']);
  await harness.call('removePaymentMethod', saved, token);
  const { paymentMethods } = await harness.call<{ paymentMethods: SavedMethod[] }>('listPaymentMethods', {}, token);
  expect(paymentMethods.map(({ brand }) => brand)).not.toContain('mastercard');
  const foreign = await rest('/portal-link', { returnUrl: 'https://evil.example/' });
  expect(foreign).toMatchObject({ status: 400, body: { error: { reason: 'address-not-allowed' } } });
}, 60_000);
