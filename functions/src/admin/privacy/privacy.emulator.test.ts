import { lisa } from '../../../../scripts/story/people.ts';
import { openRoad, type Road } from '../../testing/road.ts';
import type { EraseReply } from './erase.service.ts';

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
