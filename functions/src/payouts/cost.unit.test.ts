import type { TaskPayloads } from '../platform/tasks.ts';
import { onboardedCoach } from '../testing/coach.ts';
import { meter, newCost, total, type Cost, type Meter } from '../testing/meter.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { processPayment } from '../payments/payments.service.ts';
import { payCoachTask, startRun, type PayOutcome } from './payouts.service.ts';
import { payCoachQueue } from './queue.ts';

/** What a run costs for each coach. `npm run bench -- payouts` counts the same for thousands. */
const monday = new Date('2026-11-23T07:00:00Z');
const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const names = ['anna', 'bo', 'cia', 'dag', 'eva'];
/** dag has sold nothing, eva is on hold. */
const sales: Record<string, number> = { anna: 4, bo: 3, cia: 1, eva: 1 };

let world: TestWorld;
let gauge: Meter;

beforeEach(async () => {
  world = await createTestWorld();
  for (const coachId of names) {
    await onboardedCoach(world, coachId);
    const product = { kind: 'programme', currency: 'SEK', vatRate: 25, active: true, amountMinor: 49_900, coachId };
    await world.ctx.db.doc(`products/${coachId}`).set({ ...product, name: 'Programme' });
    for (let n = 0; n < (sales[coachId] ?? 0); n++) {
      const input = { productId: coachId, requestId: `${coachId}-${n}-sale`, paymentMethodId: 'pm_card_bypassPending' };
      await processPayment(world.ctx, lisa, input);
    }
  }
  await world.deliver();
  await world.ctx.db.doc('coaches/eva').update({ hold: { reason: 'Under review', since: null } });
  gauge = meter(world.ctx.db);
});

afterEach(() => world.close());

const requests = async () =>
  (await world.control<{ data: { method: string; path: string }[] }>('stripe', 'requests')).data
    .map(({ method, path }) => `${method} ${path}`)
    .filter((line) => !line.includes('_emulator'));

async function pay(payload: TaskPayloads['payCoach']): Promise<{ outcome: PayOutcome; cost: Cost }> {
  const before = (await requests()).length;
  const cost = newCost();
  const outcome = await gauge.measure(cost, () => payCoachTask(world.ctx, payload, false));
  return { outcome, cost: { ...cost, stripe: (await requests()).slice(before) } };
}

async function payAll(): Promise<Record<string, { outcome: PayOutcome; cost: Cost }>> {
  const paid: Record<string, { outcome: PayOutcome; cost: Cost }> = {};
  for (const { payload } of world.tasks) {
    if ('coachId' in payload) paid[payload.coachId] = await pay(payload);
  }
  return paid;
}

const itemsOf = ({ reads }: Cost) => reads.get('coaches/*/earnings') ?? 0;

it('a run reads each coach who is due once, in pages, writes one note and queues one task', async () => {
  const cost = newCost();
  await gauge.measure(cost, () => startRun(world.ctx, monday));
  expect(world.tasks).toHaveLength(names.length);
  expect(Object.fromEntries(cost.reads)).toEqual({ coaches: names.length, payoutRuns: 1 });
  expect(Object.fromEntries(cost.writes)).toEqual({ 'payoutRuns/*/coaches': names.length, payoutRuns: 2 });
});

it('a task asks Stripe at most twice, and reads three documents and one an item', async () => {
  await startRun(world.ctx, monday);
  const paid = await payAll();
  expect(Object.fromEntries(Object.entries(paid).map(([name, { outcome }]) => [name, outcome]))).toEqual({
    anna: 'settled',
    bo: 'settled',
    cia: 'settled',
    dag: 'nothing',
    eva: 'nothing',
  });
  for (const [name, { outcome, cost }] of Object.entries(paid)) {
    // An empty answer is billed as one read.
    const items = Math.max(sales[name] ?? 0, 1);
    expect(cost.stripe.length).toBeLessThanOrEqual(2);
    expect(total(cost.reads)).toBeLessThanOrEqual(3 + items);
    if (outcome !== 'settled') continue;
    expect(cost.stripe).toEqual(['GET /v1/balance', 'POST /v1/payouts']);
    expect(itemsOf(cost)).toBe(items);
    // Payout, lock, entry of the ledger, each written and put right once at most; two documents an item.
    expect(total(cost.writes)).toBe(6 + 2 * items);
  }
});

it('a task that is brought again finds the payout, and asks for none', async () => {
  await startRun(world.ctx, monday);
  const before = await payAll();
  const again = await payAll();
  for (const name of names) {
    expect(again[name]?.outcome).toBe(before[name]?.outcome === 'settled' ? 'done' : 'nothing');
    expect(again[name]?.cost.stripe.filter((line) => line.startsWith('POST'))).toEqual([]);
    const entry = (await world.ctx.db.doc(`payoutRuns/2026-11-23/coaches/${name}`).get()).data();
    expect(entry).toMatchObject({ state: before[name]?.outcome === 'settled' ? 'payout' : 'nothing' });
  }
});

it('a coach who changed after the run queued them is looked at anew', async () => {
  await startRun(world.ctx, monday);
  await world.ctx.db.doc('coaches/eva').update({ hold: null });
  await world.ctx.db.doc('coaches/anna').update({ hold: { reason: 'Under review', since: null } });
  const paid = await payAll();
  expect([paid.eva?.outcome, paid.anna?.outcome]).toEqual(['settled', 'nothing']);
});

it('the queue keeps to Stripe’s limits: 25 a second at one endpoint, 100 in all', () => {
  const { maxDispatchesPerSecond } = payCoachQueue.rateLimits;
  expect(maxDispatchesPerSecond).toBeLessThanOrEqual(25);
  expect(maxDispatchesPerSecond * 2).toBeLessThanOrEqual(100);
});
