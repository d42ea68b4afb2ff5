import { lisa } from '../../../../scripts/story/people.ts';
import { openRoad, type Road } from '../../testing/road.ts';
import type { EraseReply } from './erase.service.ts';
import type { ExportReply } from './export.service.ts';

/** Through the exported function, on a real database: its pages, cursors and queries. */
let road: Road;

beforeAll(async () => {
  road = await openRoad();
}, 60_000);

afterAll(() => road.harness.close());

it('erases a customer once nothing is open, and what events said of them a month later', async () => {
  const { harness, tokens } = road;
  const { db } = harness;
  await road.sell();
  await harness.settle();
  const erase = (requestId: string, token = tokens.admin) =>
    harness.call<EraseReply>('erasePerson', { uid: lisa.uid, note: 'Asked by letter.', requestId }, token);
  await expect(erase('erasure-0', tokens.customer)).rejects.toMatchObject({ status: 'PERMISSION_DENIED' });
  await expect(erase('erasure-1')).rejects.toMatchObject({ details: { reason: 'subscription-active' } });
  const [subscription] = (await db.collection('subscriptions').get()).docs;
  const cancel = { subscriptionId: subscription?.id, when: 'now', requestId: 'cancel-premium-1' };
  await harness.call('cancelSubscription', cancel, tokens.customer);
  await harness.settle();
  await road.sweep(5);

  expect(await erase('erasure-2')).toMatchObject({ state: 'kept', kept: { receipts: { count: 2 } } });
  await harness.settle();
  await road.sweep(29 * 24 * 60);
  const named: string[] = [];
  for (const collection of await db.listCollections()) {
    for (const doc of (await collection.get()).docs)
      if (/Lisa|lisa@/.test(JSON.stringify(doc.data()))) named.push(collection.id);
  }
  expect([...new Set(named)]).toEqual(['receipts']);
  const earnings = (await db.collectionGroup('earnings').get()).docs.map((doc) => String(doc.get('customerName')));
  expect(earnings).toEqual(['']);
}, 60_000);

it('shows a customer what is kept about them, in pages of a real database', async () => {
  const { harness, tokens } = road;
  const show = (data: object, token = tokens.customer) => harness.call<ExportReply>('exportPerson', data, token);
  await expect(show({ uid: 'somebody' })).rejects.toMatchObject({ details: { reason: 'not-yours' } });
  const { db } = harness;
  const batch = db.batch();
  for (let n = 0; n < 120; n++) batch.set(db.doc(`orders/old${n}`), { userId: lisa.uid });
  batch.set(db.doc('payoutRuns/2026-01-05/coaches/both'), { coachId: lisa.uid, state: 'nothing' });
  batch.set(db.doc('payouts/one'), { coachId: lisa.uid });
  for (let n = 0; n < 120; n++) batch.set(db.doc(`payouts/one/items/i${n}`), { amountMinor: n });
  await batch.commit();
  const paths: string[] = [];
  let page = await show({});
  expect(page.elsewhere).toHaveLength(6);
  for (;;) {
    paths.push(...page.items.map(({ path }) => path));
    if (page.nextCursor === null) break;
    page = await show({ cursor: page.nextCursor });
  }
  expect(new Set(paths).size).toBe(paths.length);
  const of = (prefix: string) => paths.filter((path) => path.startsWith(prefix)).length;
  expect([of('orders/old'), of('payouts/one/items/'), of('payoutRuns/')]).toEqual([120, 120, 1]);
  expect([of('payments/'), of('receipts/'), of('limits/')]).toEqual([2, 2, 1]);
  const { items } = await show({ uid: lisa.uid }, tokens.admin);
  expect(items.length).toBe(100);
  expect((await db.collection('auditLog').where('action', '==', 'exportPerson').get()).size).toBe(1);
}, 60_000);
