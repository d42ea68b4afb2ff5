import { setImmediate } from 'node:timers/promises';
import { seededRandom } from '../../testing/random.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { createCheckoutSession } from '../checkout/checkout.service.ts';
import { processPayment } from '../payments.service.ts';
import type { Order } from './orders.ts';
import { createOrder } from './orders.service.ts';

/**
 * One customer, several tabs, one order: two in the app and one on Stripe's page, all at once, in many interleavings of
 * what they read and write. Whatever each tab was given, the customer pays with all of it.
 */
const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const seeds = 40;

let world: TestWorld;
let random: () => number;

beforeAll(async () => {
  const onAwait = async () => {
    for (let turns = Math.floor(random() * 12); turns > 0; turns--) await setImmediate();
  };
  random = seededRandom(0);
  world = await createTestWorld({ firestore: { onAwait, random: () => random() } });
  const mat = { name: 'Mat', kind: 'good', amountMinor: 20_000, currency: 'SEK', vatRate: 25, active: true };
  await world.ctx.db.doc('products/mat').set(mat);
});

afterAll(() => world.close());

async function payInTheApp(orderId: string, requestId: string): Promise<void> {
  const { paymentId } = await processPayment(world.ctx, lisa, { orderId, requestId });
  const how = { payment_method: 'pm_card_bypassPending', return_url: 'http://127.0.0.1/' };
  await world.stripe.paymentIntents.confirm(paymentId, how);
}

async function payOnPage(orderId: string, requestId: string): Promise<void> {
  const input = { mode: 'payment' as const, orderId, successUrl: 'http://127.0.0.1:5000/done', requestId };
  const { url } = await createCheckoutSession(world.ctx, lisa, input);
  const form = new URLSearchParams({ action: 'pay', card: 'pm_card_bypassPending' });
  await fetch(url, { method: 'POST', redirect: 'manual', body: form });
}

it.each(Array.from({ length: seeds }, (_, seed) => seed + 1))('charges once (seed %i)', async (seed) => {
  random = seededRandom(seed);
  const { orderId } = await createOrder(world.ctx, lisa, {
    items: [{ productId: 'mat', quantity: 1 }],
    requestId: `order-${seed}-0`,
  });
  const before = (await world.stripe.charges.list({ limit: 100 })).data.length;
  await Promise.allSettled([
    payInTheApp(orderId, `request-${seed}-1`),
    payOnPage(orderId, `request-${seed}-2`),
    payInTheApp(orderId, `request-${seed}-3`),
  ]);
  await world.deliver();
  const charged = (await world.stripe.charges.list({ limit: 100 })).data.length - before;
  const order = (await world.ctx.db.doc(`orders/${orderId}`).get()).data() as Order;
  expect(charged).toBeLessThanOrEqual(1);
  expect(order.paymentStatus).toBe(charged === 1 ? 'paid' : order.paymentStatus);
});
