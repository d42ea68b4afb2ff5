import type Stripe from 'stripe';
import { Engine } from '../platform/firestore/memory/engine.ts';
import { describedCallable } from '../platform/entrance.ts';
import { onboardedCoach } from '../testing/coach.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { dispatchTable } from '../webhooks/dispatch.ts';
import { receiveEvent } from '../webhooks/webhooks.service.ts';
import { createOrder } from './orders/orders.service.ts';
import { processPayment as exported } from './payments.api.ts';

/** What one successful payment costs, from the customer's click to the booked sale, by a customer who has paid before. */
const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };

let world: TestWorld;
let writes: string[];

beforeEach(async () => {
  world = await createTestWorld();
  await onboardedCoach(world, 'karin');
  const product = { kind: 'good', currency: 'SEK', vatRate: 25, active: true, amountMinor: 49_900 };
  await world.ctx.db.doc('products/book').set({ ...product, name: 'Book', coachId: 'karin' });
  await world.ctx.db.doc('products/mat').set({ ...product, name: 'Mat' });
  await buy('mat', 'before-1');
  const commit = Engine.prototype.commit;
  writes = [];
  jest.spyOn(Engine.prototype, 'commit').mockImplementation(function (this: Engine, planned, snapshot) {
    writes.push(...planned.map(({ key }) => key.path));
    return commit.call(this, planned, snapshot);
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await world.close();
});

const requests = async () =>
  (await world.control<{ data: { method: string; path: string }[] }>('stripe', 'requests')).data
    .map(({ method, path }) => `${method} ${path}`)
    .filter((line) => !line.includes('_emulator'));

/** As a client calls it: the user's limit is counted, too. */
function processPayment(input: { productId?: string; orderId?: string; requestId: string }) {
  const found = describedCallable(exported);
  if (!found) throw new Error('processPayment is no callable.');
  return found.answer(world.ctx, lisa, input) as Promise<{ paymentId: string }>;
}

/** As in a browser: the client confirms with its secret, and Stripe sends what the endpoint has asked for. */
async function pay(paymentId: string): Promise<void> {
  const how = { payment_method: 'pm_card_bypassPending', return_url: 'http://127.0.0.1/' };
  await world.stripe.paymentIntents.confirm(paymentId, how);
}

async function deliverHandled(): Promise<void> {
  const { data } = await world.control<{ data: Stripe.Event[] }>('stripe', 'events');
  for (const event of data.filter(({ type }) => dispatchTable[type])) await receiveEvent(world.ctx, event);
}

async function buy(productId: string, requestId: string): Promise<void> {
  const { paymentId } = await processPayment({ productId, requestId });
  await pay(paymentId);
  await deliverHandled();
}

async function costOf(start: () => Promise<{ paymentId: string }>) {
  const before = (await requests()).length;
  const { paymentId } = await start();
  const started = await requests();
  await pay(paymentId);
  const asked = (await requests()).length;
  await deliverHandled();
  return { start: started.slice(before), after: (await requests()).slice(asked), writes };
}

it.each(['book', 'mat'])('a product (%s): one call to start, one fetch, at most ten writes', async (productId) => {
  const cost = await costOf(() => processPayment({ productId, requestId: 'request-1' }));
  expect(cost.start).toEqual(['POST /v1/payment_intents']);
  expect(cost.after).toEqual([expect.stringMatching(/^GET \/v1\/charges\/ch_/)]);
  expect(cost.writes.length).toBeLessThanOrEqual(10);
});

it('an order: the same calls, and two writes of the order itself', async () => {
  const { orderId } = await createOrder(world.ctx, lisa, {
    items: [{ productId: 'book', quantity: 1 }],
    requestId: 'order-001',
  });
  writes.length = 0;
  const cost = await costOf(() => processPayment({ orderId, requestId: 'request-1' }));
  expect(cost.start).toEqual(['POST /v1/payment_intents']);
  expect(cost.after).toHaveLength(1);
  const ofOrder = cost.writes.filter((path) => path.startsWith('orders/'));
  expect(ofOrder).toHaveLength(2);
  expect(cost.writes.length - ofOrder.length).toBeLessThanOrEqual(10);
});

it('balance transactions that come late cost no second fetch', async () => {
  await world.control('stripe', 'switches', { chargeBalanceTransactionDelaySeconds: 60 });
  const { paymentId } = await processPayment({ productId: 'book', requestId: 'request-1' });
  await pay(paymentId);
  const before = (await requests()).length;
  await deliverHandled();
  expect(await requests()).toHaveLength(before);
  await world.advance(61_000);
  await deliverHandled();
  expect((await requests()).slice(before)).toEqual([expect.stringMatching(/^GET \/v1\/charges\/ch_/)]);
});
