import { anna } from '../../../../scripts/story/people.ts';
import type { LedgerDocument } from '../../ledger/ledger.ts';
import { startHarness, type Harness } from '../../testing/harness.ts';
import type { SyncResult } from '../accounting.service.ts';
import type { ExplainReply } from './explain.service.ts';

/** Stripe's own movements through the exported functions on a real database, many at once. */
let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
}, 60_000);

afterAll(() => harness.close());

const move = async (type: string, amount: number): Promise<string> =>
  (await harness.control<{ id: string }>('stripe', 'balance_transactions', { type, amount })).id;

const kinds = async () =>
  (await harness.db.collection('ledger').get()).docs.map((doc) => (doc.data() as LedgerDocument).kind).sort();

it('synced and explained many times at once, each movement is booked once', async () => {
  const admin = await harness.login(anna);
  await move('stripe_fee', -2_500);
  await move('reserved_funds', -1_000);
  await move('topup', 10_000);
  const sync = (n: number) => harness.call<SyncResult>('runAccountingSync', { requestId: `sync-number-${n}` }, admin);
  await Promise.all([1, 2, 3].map(sync));
  expect(await kinds()).toEqual(['fee', 'reserve', 'topup']);

  const balanceTransactionId = await move('adjustment', -700);
  const explain = (as: string, n: number) =>
    harness.call<ExplainReply>(
      'explainTransaction',
      { balanceTransactionId, as, reason: 'Told on the phone', requestId: `explanation-${n}` },
      admin,
    );
  const tries = await Promise.allSettled([
    explain('loss', 1),
    explain('loss', 1),
    explain('fee', 2),
    explain('reserve', 3),
  ]);
  const replies = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(new Set(replies.map(({ as }) => as)).size).toBe(1);
  for (const one of tries) {
    if (one.status === 'rejected') {
      const { details } = one.reason as { details?: { reason?: string } };
      // Firestore may give up on one that met three others; asked again it is refused.
      expect(['already-explained', undefined]).toContain(details?.reason);
    }
  }
  expect(await kinds()).toHaveLength(4);
  await expect(explain('topup', 4)).rejects.toMatchObject({ details: { reason: 'already-explained' } });
  const wrong = harness.call(
    'explainTransaction',
    { balanceTransactionId, as: 'gift', reason: 'x', requestId: 'wrong-1234' },
    admin,
  );
  await expect(wrong).rejects.toMatchObject({ details: { reason: 'invalid-input' } });
}, 60_000);
