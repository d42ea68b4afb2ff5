import type Stripe from 'stripe';
import type { Flag } from '../admin/flags.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { receiveEvent } from '../webhooks/webhooks.service.ts';

let world: TestWorld;

beforeAll(async () => {
  world = await createTestWorld();
});

afterAll(() => world.close());

const flags = async () =>
  (await world.ctx.db.collection('flags').get()).docs
    .map((doc) => doc.data() as Flag)
    .map(({ id, status }) => ({ id, status }));

async function account(interval: 'manual' | 'weekly'): Promise<string> {
  const { id } = await world.stripe.accounts.create({
    country: 'SE',
    controller: {
      fees: { payer: 'application' },
      losses: { payments: 'application' },
      stripe_dashboard: { type: 'express' },
    },
    capabilities: { transfers: { requested: true } },
  });
  const schedule = interval === 'weekly' ? { interval, weekly_payout_days: ['monday' as const] } : { interval };
  await world.stripe.balanceSettings.update({ payments: { payouts: { schedule } } }, { stripeAccount: id });
  return id;
}

const told = (id: string, type: string, object: object, of?: string) =>
  receiveEvent(world.ctx, {
    ...{ id, object: 'event', type, created: 1_795_000_000, livemode: false, api_version: null },
    ...(of ? { account: of } : {}),
    data: { object },
  } as unknown as Stripe.Event);

it('an account that Stripe pays out by itself is flagged, a manual one is not', async () => {
  const [manual, weekly] = [await account('manual'), await account('weekly')];
  for (const id of [manual, weekly])
    await told(`evt_${id}`, 'balance_settings.updated', { object: 'balance_settings' }, id);
  await told('evt_platform', 'balance_settings.updated', { object: 'balance_settings' });
  expect(await flags()).toEqual([{ id: `payout-schedule_${weekly}`, status: 'open' }]);
});

it('the platform’s own balance is flagged too while Stripe pays it out, with others’ money in it', async () => {
  const set = (interval: 'daily' | 'manual') =>
    world.stripe.balanceSettings.update({ payments: { payouts: { schedule: { interval } } } });
  const platform = async () => (await flags()).filter(({ id }) => id === 'payout-schedule_platform');
  await set('daily');
  await told('evt_daily', 'balance_settings.updated', { object: 'balance_settings' });
  expect(await platform()).toEqual([{ id: 'payout-schedule_platform', status: 'open' }]);
  await set('manual');
  await told('evt_manual', 'balance_settings.updated', { object: 'balance_settings' });
  expect(await platform()).toEqual([{ id: 'payout-schedule_platform', status: 'resolved' }]);
});

it('money held in reserve is flagged once, however often it changes', async () => {
  const hold = { object: 'reserve.hold', id: 'rsv_1', amount: 12_345, currency: 'sek', reason: 'charge' };
  await told('evt_h1', 'reserve.hold.created', hold, 'acct_1');
  await told('evt_h2', 'reserve.hold.updated', hold, 'acct_1');
  expect((await flags()).filter(({ id }) => id.startsWith('reserve'))).toEqual([
    { id: 'reserve-hold_rsv_1', status: 'open' },
  ]);
});
