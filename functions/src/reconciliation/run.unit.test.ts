import { businessDate, days, hours, minutes } from '../platform/clock.ts';
import { proveQueued, reconcileDay } from '../testing/night.ts';
import { openShop, type Shop } from '../testing/shop.ts';
import { reconcileAccount } from './part.service.ts';
import { resumeReconciliations, startNight } from './run.service.ts';
import { partState, type AccountPart, type Night, type PartTask } from './run.ts';

/** What the shop starts with: a yoga mat less Stripe's fee. */
const own = 48_971;

let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
  await shop.deliver();
});

afterEach(() => shop.close());

const night = async (at: Date) => (await shop.ctx.db.doc(`reconciliations/${businessDate(at)}`).get()).data() as Night;
const parts = (at: Date) => shop.all<AccountPart>(`reconciliations/${businessDate(at)}/accounts`);
const moveTo = (at: string) => shop.advance(new Date(at).getTime() - shop.now().getTime());
const tomorrow = () => new Date(shop.now().getTime() + days(1));

async function sell(): Promise<void> {
  await shop.buy();
  await shop.deliver();
}

it('gives every account its task and its part, and is ended by the last of them', async () => {
  await sell();
  const at = tomorrow();
  await startNight(shop.ctx, at);
  const day = businessDate(at);
  expect(shop.tasks.map(({ name, id }) => `${name}/${id}`)).toEqual([
    `reconcileCoach/reconciliations-${day}-platform`,
    `reconcileCoach/reconciliations-${day}-${shop.account}`,
  ]);
  expect(await night(at)).toMatchObject({ state: 'proving', queued: 1, before: null });
  const [platform, coach] = shop.tasks.splice(0).map(({ payload }) => payload as PartTask);
  if (!platform || !coach) throw new Error('two tasks');
  await reconcileAccount(shop.ctx, coach, false);
  expect(await night(at)).toMatchObject({ state: 'proving' });
  await reconcileAccount(shop.ctx, platform, false);
  expect(await night(at)).toMatchObject({ state: 'done', ok: true, counts: { ok: 2 } });
});

it('comes to its end also where every task is done before the last is queued', async () => {
  await sell();
  const at = tomorrow();
  shop.ctx.tasks = { enqueue: async (_name, _id, payload) => reconcileAccount(shop.ctx, payload as PartTask, false) };
  await startNight(shop.ctx, at);
  expect(await night(at)).toMatchObject({ state: 'done', ok: true, counts: { ok: 2 } });
});

it('every task twice at once, and the schedule five times: one proof, the same', async () => {
  await sell();
  const at = tomorrow();
  await Promise.all(Array.from({ length: 5 }, () => startNight(shop.ctx, at)));
  const twice = shop.tasks.splice(0).flatMap(({ payload }) => [payload as PartTask, payload as PartTask]);
  await Promise.all(twice.map((task) => reconcileAccount(shop.ctx, task, false)));
  const proof = await night(at);
  expect(proof).toMatchObject({ state: 'done', ok: true, counts: { ok: 2 } });
  await sell();
  for (const task of twice) await reconcileAccount(shop.ctx, task, false);
  await startNight(shop.ctx, at);
  expect(shop.tasks).toEqual([]);
  expect(await night(at)).toEqual(proof);
});

it('dies at each of its operations in turn and comes to its end each time', async () => {
  await sell();
  let rounds = 0;
  for (let died = true; died; rounds += 1) {
    await shop.advance(days(1));
    const at = shop.now();
    shop.dieAfter(rounds);
    await startNight(shop.ctx, at).catch(() => undefined);
    // Cloud Tasks keeps what was not answered.
    const kept = shop.tasks.splice(0).map(({ payload }) => payload as PartTask);
    for (const task of kept) await reconcileAccount(shop.ctx, task, false).catch(() => undefined);
    died = shop.revive();
    await startNight(shop.ctx, at);
    for (const task of kept) await reconcileAccount(shop.ctx, task, false);
    await proveQueued(shop);
    expect(await night(at)).toMatchObject({ state: 'done', ok: true, counts: { ok: 2 } });
    expect((await parts(at)).map(({ state }) => state)).toEqual(['ok', 'ok']);
  }
  expect(rounds).toBeGreaterThan(30);
  expect(await shop.openFlags()).toEqual([]);
}, 120_000);

it('the sweep goes on with a listing that died and with tasks that were lost, and tells of what takes long', async () => {
  await sell();
  const at = shop.now();
  const run = `reconciliations/${businessDate(at)}`;
  await startNight(shop.ctx, at);
  await shop.ctx.db.doc(run).update({ state: 'queueing' });
  shop.tasks.splice(0);
  expect(await resumeReconciliations(shop.ctx, shop.now())).toEqual({ resumed: 0 });
  await shop.advance(minutes(11));
  expect(await resumeReconciliations(shop.ctx, shop.now())).toEqual({ resumed: 1 });
  expect(await night(at)).toMatchObject({ state: 'proving' });
  // Their ids are taken: nothing is queued twice within the hour.
  expect(shop.tasks).toEqual([]);
  await shop.advance(hours(3));
  await resumeReconciliations(shop.ctx, shop.now());
  await resumeReconciliations(shop.ctx, shop.now());
  expect(shop.tasks).toHaveLength(2);
  expect((await shop.openFlags()).join()).toContain('reconciliation-late');
  await proveQueued(shop);
  expect(await night(at)).toMatchObject({ state: 'done', ok: true });
  expect(await shop.openFlags()).toEqual([]);
  expect(await resumeReconciliations(shop.ctx, shop.now())).toEqual({ resumed: 0 });
});

it('the sweep ends a proof whose last task died between its part and the end', async () => {
  const at = shop.now();
  await startNight(shop.ctx, at);
  for (const { account } of await parts(at)) {
    await shop.ctx.db.doc(`reconciliations/${businessDate(at)}/accounts/${account}`).update({ state: 'ok' });
  }
  shop.tasks.splice(0);
  await shop.advance(minutes(61));
  await resumeReconciliations(shop.ctx, shop.now());
  expect(shop.tasks).toHaveLength(1);
  await proveQueued(shop);
  expect(await night(at)).toMatchObject({ state: 'done' });
});

it('an account that cannot be read is tried again, and said to be unread the last time', async () => {
  await sell();
  const at = tomorrow();
  await startNight(shop.ctx, at);
  await shop.fault('error_500_before', '/v1/balance', { method: 'GET', times: 200 });
  const [task] = shop.tasks.map(({ payload }) => payload as PartTask);
  if (!task) throw new Error('a task');
  await expect(reconcileAccount(shop.ctx, task, false)).rejects.toThrow();
  expect((await parts(at)).map(({ state }) => state)).toEqual(['queued', 'queued']);
  await reconcileAccount(shop.ctx, task, true);
  await shop.clearFaults();
  await proveQueued(shop);
  expect(await night(at)).toMatchObject({ ok: false, counts: { ok: 1, unchecked: 1 } });
  expect((await shop.openFlags()).join()).toContain('reconciliation-difference');
});

/** Sales just before the day, on its odd hour and late on it: each belongs to its side of the cut, skipped night or not. */
it.each([
  ['summer time begins', '2027-03-28', '2027-03-27T23:00:00Z', '2027-03-28T22:00:00Z', '2027-03-28T01:30:00Z'],
  ['summer time ends', '2027-10-31', '2027-10-30T22:00:00Z', '2027-10-31T23:00:00Z', '2027-10-31T01:30:00Z'],
  ['a leap day', '2028-02-29', '2028-02-28T23:00:00Z', '2028-02-29T23:00:00Z', '2028-02-29T02:30:00Z'],
])('%s: the day from its first to its last instant', async (_what, date, first, last, odd) => {
  const before = (moment: string) => new Date(new Date(moment).getTime() - minutes(1)).toISOString();
  await moveTo(before(first));
  await sell();
  await moveTo(odd);
  await sell();
  const started = new Date(new Date(first).getTime() + hours(5));
  const early = await reconcileDay(shop, started);
  const twice = await reconcileDay(shop, new Date(started.getTime() + hours(1)));
  expect(twice).toEqual(early);
  expect(early).toMatchObject({ date, ok: true });
  expect(early.cut.toDate()).toEqual(new Date(first));
  expect(early.accounts[0]).toMatchObject({ account: 'platform', ledgerMinor: own + 8971 });
  await moveTo(before(last));
  await sell();
  await moveTo(last);
  await sell();
  // The next night does not come; the one after it proves both days.
  const late = await reconcileDay(shop, new Date(new Date(last).getTime() + days(1) + hours(5)));
  expect(late).toMatchObject({ ok: true, before: date });
  expect(late.accounts[0]).toMatchObject({ ledgerMinor: own + 4 * 8971 });
  const between = await reconcileDay(shop, new Date(new Date(last).getTime() + hours(5)));
  expect(between.cut.toDate()).toEqual(new Date(last));
  expect(between).toMatchObject({ ok: true, before: date });
  expect(between.accounts[0]).toMatchObject({ ledgerMinor: own + 3 * 8971 });
});

it('an account stands as its worst currency does', () => {
  const of = (...states: AccountPart['proofs'][number]['state'][]) => partState(states.map((state) => ({ state })));
  expect([of('ok', 'ok'), of('ok', 'different'), of('different', 'unchecked'), of()]).toEqual([
    'ok',
    'different',
    'unchecked',
    'ok',
  ]);
});
