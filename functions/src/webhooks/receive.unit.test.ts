import { setTimeout as sleep } from 'node:timers/promises';
import type Stripe from 'stripe';
import type { Flag } from '../admin/flags.ts';
import { silentLog } from '../platform/log.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { dispatchTable } from './dispatch.ts';
import { receiveEvent } from './webhooks.service.ts';
import { handler, nothingToFetch, type StoredEvent } from './webhooks.ts';

describe('an event', () => {
  let world: TestWorld;
  const warned: string[] = [];

  beforeAll(async () => {
    world = await createTestWorld();
    world.ctx.log = { ...silentLog, warn: (message) => void warned.push(message) };
  });

  afterAll(() => world.close());
  afterEach(() => jest.restoreAllMocks());

  const event = (id: string, type: string, changes: object = {}) =>
    ({
      ...{ id, object: 'event', type, created: 1_795_000_000, livemode: false, data: { object: {} } },
      ...{ api_version: '2026-10-28.endive', ...changes },
    }) as unknown as Stripe.Event;
  const stored = async (id: string) =>
    (await world.ctx.db.collection('stripeEvents').doc(id).get()).data() as StoredEvent | undefined;
  const flags = async () => (await world.ctx.db.collection('flags').get()).docs.map((doc) => doc.data() as Flag);

  it('of another API version is applied; a person hears of each version once', async () => {
    jest.replaceProperty(dispatchTable, 'payout.updated', applying);
    const old = { api_version: '2024-06-20' };
    expect(await receiveEvent(world.ctx, event('evt_old', 'payout.updated', old))).toBe('applied');
    const [flag] = await flags();
    expect(flag).toMatchObject({ id: 'webhook-api-version_2024-06-20', severity: 'warning', status: 'open' });
    await world.ctx.db.doc('flags/webhook-api-version_2024-06-20').update({ status: 'resolved' });
    await receiveEvent(world.ctx, event('evt_old2', 'payout.updated', old));
    await receiveEvent(world.ctx, event('evt_new', 'payout.updated'));
    await receiveEvent(world.ctx, event('evt_thin', 'payout.updated', { api_version: null }));
    expect((await flags()).map(({ status }) => status)).toEqual(['resolved']);
    expect(warned.filter((message) => message === 'webhook.other-version')).toHaveLength(2);
  });

  it('of a type nobody has thought of is kept, and logged', async () => {
    warned.length = 0;
    expect(await receiveEvent(world.ctx, event('evt_unknown', 'climate.order.created'))).toBe('ignored');
    expect(await receiveEvent(world.ctx, event('evt_listed', 'balance.available'))).toBe('ignored');
    expect(await stored('evt_unknown')).toMatchObject({ state: 'ignored', type: 'climate.order.created' });
    expect(warned).toEqual(['webhook.unlisted']);
  });

  it('whose fetch asks too much of Stripe fails for the sweep, and nothing of it is applied', async () => {
    const greedy = handler({
      ...applying,
      async fetch(ctx) {
        const stripe = await ctx.stripe();
        for (let call = 0; call < 40; call++) await stripe.balance.retrieve();
      },
    });
    jest.replaceProperty(dispatchTable, 'payout.updated', greedy);
    const before = (await world.control<{ data: unknown[] }>('stripe', 'requests')).data.length;
    expect(await receiveEvent(world.ctx, event('evt_greedy', 'payout.updated'))).toBe('failed');
    expect((await world.control<{ data: unknown[] }>('stripe', 'requests')).data.length - before).toBe(30);
    const { state, error } = (await stored('evt_greedy')) ?? {};
    expect([state, error]).toEqual(['failed', 'More than 30 calls to Stripe were to be made.']);
  });

  it('whose fetch takes too long fails for the sweep', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    const slow = handler({ ...applying, fetch: () => sleep(3_600_000, null, { ref: false }) });
    jest.replaceProperty(dispatchTable, 'payout.updated', slow);
    const receipt = receiveEvent(world.ctx, event('evt_slow', 'payout.updated'));
    await jest.advanceTimersByTimeAsync(20_001);
    expect(await receipt).toBe('failed');
    jest.useRealTimers();
    expect((await stored('evt_slow'))?.error).toContain('20000 ms');
  });
});

const applying = handler({ fetch: nothingToFetch, plan: async () => ({ outcome: 'applied', writes: [] }) });
