import type { Query } from 'firebase-admin/firestore';
import { createTestFirestore } from './firestore.ts';
import { createTestWorld } from './world.ts';

const db = createTestFirestore();
const own = (collection: string, reader: string): Query => db.collection(collection).where(reader, '==', 'lisa');

/** What the app lists by itself, under the rules: no code here asks for it, so only this test keeps the indexes. */
const clients: Record<string, Query> = {
  'own payments': own('payments', 'userId').orderBy('createdAt', 'desc'),
  'own refunds': own('refunds', 'userId').orderBy('createdAt', 'desc'),
  'own invoices': own('invoices', 'userId').orderBy('createdAt', 'desc'),
  'own receipts': own('receipts', 'userId').orderBy('createdAt', 'desc'),
  'own payouts': own('payouts', 'coachId').orderBy('createdAt', 'desc'),
  flags: db.collection('flags').where('status', '==', 'open').orderBy('openedAt', 'desc'),
  ...Object.fromEntries(
    ['userId', 'coachId', 'student.userId'].flatMap((reader) =>
      (['asc', 'desc'] as const).map((direction) => [
        `own sessions by ${reader}, ${direction}`,
        own('sessions', reader).orderBy('startsAt', direction),
      ]),
    ),
  ),
};

it.each(Object.entries(clients))('the deployed indexes serve %s', async (_, query) => {
  expect((await query.get()).empty).toBe(true);
});

it('a test world refuses what they do not serve', async () => {
  const world = await createTestWorld();
  try {
    const query = world.ctx.db.collection('payments').where('userId', '==', 'lisa').where('amountMinor', '>', 5);
    await expect(query.get()).rejects.toThrow('The query requires an index: payments, userId ==, amountMinor >.');
  } finally {
    await world.close();
  }
});
