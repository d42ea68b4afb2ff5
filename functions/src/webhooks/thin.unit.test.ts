import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import Stripe from 'stripe';
import { startStripeEmulator } from '../../../emulators/stripe/index.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { recoverEvents } from './recovery.service.ts';
import { receiveDelivery } from './webhooks.api.ts';
import { dispatchTable } from './dispatch.ts';
import type { StoredEvent } from './webhooks.ts';

/** Thin notifications, signed here as Stripe signs them, through the delivery's own entrance. */

const secret = 'whsec_test_thin';
const previous = 'whsec_test_thin_old';
const kept = { ...process.env };

let world: TestWorld;

beforeAll(async () => {
  Object.assign(process.env, {
    STRIPE_SECRET_KEY: 'sk_test_inner_journey',
    STRIPE_WEBHOOK_SECRET: 'whsec_test_platform',
    STRIPE_WEBHOOK_SECRET_PREVIOUS: 'unset',
    STRIPE_CONNECT_WEBHOOK_SECRET: 'whsec_test_connect',
    STRIPE_CONNECT_WEBHOOK_SECRET_PREVIOUS: 'whsec_test_connect_old',
    STRIPE_THIN_WEBHOOK_SECRET: secret,
    STRIPE_THIN_WEBHOOK_SECRET_PREVIOUS: previous,
  });
  world = await createTestWorld();
});

afterAll(async () => {
  process.env = kept;
  await world.close();
});

const stored = async (id: string) =>
  (await world.ctx.db.collection('stripeEvents').doc(id).get()).data() as StoredEvent | undefined;

function thin(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: `evt_thin_${Math.random().toString(36).slice(2)}`,
    object: 'v2.core.event',
    type: 'v1.payment_intent.canceled',
    created: new Date().toISOString(),
    livemode: false,
    related_object: null,
    ...changes,
  };
}

function deliver(body: object, signedWith = secret) {
  const payload = JSON.stringify(body);
  const signature = world.stripe.webhooks.generateTestHeaderString({ payload, secret: signedWith });
  return receiveDelivery(world.ctx, Buffer.from(payload), signature);
}

/** A cancelled payment intent at the emulator and the event that tells of it. */
async function paymentIntent(): Promise<{ intent: Stripe.PaymentIntent; event: Stripe.Event }> {
  const { id } = await world.stripe.paymentIntents.create({ amount: 49_900, currency: 'sek' });
  const intent = await world.stripe.paymentIntents.cancel(id);
  const { data } = await world.control<{ data: Stripe.Event[] }>('stripe', 'events');
  const event = data.find((one) => one.type === 'payment_intent.canceled' && one.data.object.id === id);
  if (!event) throw new Error('The emulator made no event for a payment intent.');
  return { intent, event };
}

const related = (id: string) => ({ id, type: 'payment_intent', url: `/v1/payment_intents/${id}` });

describe('a thin notification', () => {
  it('applies the whole event that Stripe keeps beside it, under its id, once for both', async () => {
    const { intent, event } = await paymentIntent();
    const told = thin({ snapshot_event: event.id, related_object: related(intent.id) });
    expect((await deliver(told)).status).toBe(200);
    expect(await stored(event.id)).toMatchObject({ type: 'payment_intent.canceled' });
    expect(await stored(String(told.id))).toBeUndefined();
    const state = (await stored(event.id))?.state;
    const again = await deliver(told);
    expect(again).toEqual({ status: 200, body: { received: state === 'parked' ? 'parked' : 'repeated' } });
  });

  it('without one, applies what it is about as that is now', async () => {
    const { intent } = await paymentIntent();
    const told = thin({ related_object: related(intent.id) });
    expect((await deliver(told)).status).toBe(200);
    expect(await stored(String(told.id))).toMatchObject({
      type: 'payment_intent.canceled',
      payload: { data: { object: { id: intent.id, amount: 49_900 } } },
    });
  });

  it('verifies under the secret that was rolled away, and under no other endpoint’s', async () => {
    expect((await deliver(thin({ type: 'v2.core.account.closed' }), previous)).status).toBe(200);
    for (const other of ['whsec_test_platform', 'whsec_test_connect', 'unset']) {
      expect((await deliver(thin(), other)).status).toBe(400);
    }
  });

  it.each(['v2.core.account.closed', 'v1.balance.available'])(
    'of a type nobody handles is kept as ignored: %s',
    async (type) => {
      expect(dispatchTable[type.slice(3) as keyof typeof dispatchTable]).toBeUndefined();
      const told = thin({ type });
      expect(await deliver(told)).toEqual({ status: 200, body: { received: 'ignored' } });
      expect(await stored(String(told.id))).toMatchObject({ type, state: 'ignored' });
    },
  );

  it('of the other mode is answered and not applied', async () => {
    const told = thin({ livemode: true });
    expect(await deliver(told)).toEqual({ status: 200, body: { received: 'other-mode' } });
    expect(await stored(String(told.id))).toBeUndefined();
  });

  it('that cannot be fetched is stored failed, and applied by the sweep once it can', async () => {
    const { intent, event } = await paymentIntent();
    const told = thin({ snapshot_event: event.id, related_object: related(intent.id) });
    await world.stripeEmulator.close();
    expect((await deliver(told)).status).toBe(500);
    expect(await stored(String(told.id))).toMatchObject({ state: 'failed', attempts: 1 });
    expect(await stored(event.id)).toBeUndefined();

    const revived = await createTestWorld({ db: world.ctx.db });
    await world.fortnoxEmulator.close();
    world = revived;
    const fresh = await paymentIntent();
    const ref = world.ctx.db.collection('stripeEvents').doc(String(told.id));
    const mended = { ...told, snapshot_event: fresh.event.id, related_object: related(fresh.intent.id) };
    await ref.update({ notification: JSON.stringify(mended) });
    await recoverEvents(world.ctx, new Date(world.now().getTime() + 120_000));
    expect(await stored(fresh.event.id)).toMatchObject({ type: 'payment_intent.canceled' });
    expect(await stored(String(told.id))).toBeUndefined();
  });
});

describe('through the Stripe emulator', () => {
  it('a destination’s thin deliveries lead to the same events that snapshots tell of', async () => {
    const emulator = await startStripeEmulator();
    const { hostname, port } = new URL(emulator.url);
    const stripe = new Stripe('sk_test_inner_journey', { protocol: 'http', host: hostname, port, telemetry: false });
    const ctx = { ...world.ctx, stripe: async () => stripe };
    const answers: number[] = [];
    const endpoint = createServer((request, response) => {
      void buffer(request).then(async (body) => {
        const answer = await receiveDelivery(ctx, body, String(request.headers['stripe-signature']));
        answers.push(answer.status);
        response.writeHead(answer.status).end();
      });
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    try {
      const destination = await stripe.v2.core.eventDestinations.create({
        name: 'thin',
        type: 'webhook_endpoint',
        event_payload: 'thin',
        enabled_events: ['v1.payment_intent.created', 'v1.payment_intent.canceled'],
        webhook_endpoint: { url: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}` },
        include: ['webhook_endpoint.signing_secret'],
      });
      process.env.STRIPE_THIN_WEBHOOK_SECRET = destination.webhook_endpoint?.signing_secret ?? '';
      const { id } = await stripe.paymentIntents.create({ amount: 49_900, currency: 'sek' });
      await stripe.paymentIntents.cancel(id);
      await fetch(`${emulator.url}/_emulator/settle`, { method: 'POST' });
      expect(answers).toEqual([200, 200]);
      const { data } = await stripe.events.list({ type: 'payment_intent.canceled' });
      expect(await stored(data[0]?.id ?? '')).toMatchObject({
        type: 'payment_intent.canceled',
        payload: { data: { object: { id } } },
      });
      const thinOnes = await stripe.v2.core.events.list({ types: ['v1.payment_intent.canceled'] });
      expect(thinOnes.data).toHaveLength(1);
      expect(await stored(thinOnes.data[0]?.id ?? '')).toBeUndefined();
    } finally {
      process.env.STRIPE_THIN_WEBHOOK_SECRET = secret;
      endpoint.closeAllConnections();
      endpoint.close();
      await emulator.close();
    }
  });
});

describe('a whole event', () => {
  it('verifies under a Connect secret that was rolled away, and never under a placeholder', async () => {
    const { event } = await paymentIntent();
    expect((await deliver(event, 'whsec_test_connect_old')).status).toBe(200);
    expect((await deliver(event, 'unset')).status).toBe(400);
    expect((await deliver(event, secret)).status).toBe(400);
  });
});
