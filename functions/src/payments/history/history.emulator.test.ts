import { anna, karin, lisa } from '../../../../scripts/story/people.ts';
import { startHarness, type Harness } from '../../testing/harness.ts';
import type { ListPaymentsReply } from './history.service.ts';

/** Histories through the exported functions on the real Firestore, whose queries and cursors the twin only copies. */
let harness: Harness;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  harness = await startHarness();
  for (const person of [lisa, karin, anna]) tokens[person.uid] = await harness.login(person);
  for (let made = 0; made < 7; made++) {
    const at = new Date(Date.parse('2026-11-14T12:00:00Z') - Math.floor(made / 2) * 1_000);
    await harness.db.doc(`payments/pi_${made}`).set({
      ...{ userId: lisa.uid, stripePaymentId: `pi_${made}`, date: at, createdAt: at, description: 'Programme' },
      ...{ status: made === 4 ? 'refunded' : 'succeeded', amount: 499, amountMinor: 49_900, currency: 'SEK' },
      ...{ vatRate: 25, refundedMinor: 0, coachAmountMinor: 0, platformFeeMinor: 0, productId: 'programme' },
    });
  }
}, 60_000);

afterAll(() => harness.close());

const get = async (path: string, uid?: string) => {
  const headers: Record<string, string> = uid ? { Authorization: `Bearer ${tokens[uid]}` } : {};
  const response = await fetch(harness.urlOf('api') + path, { headers });
  return {
    status: response.status,
    body: (await response.json()) as ListPaymentsReply & { error?: { reason: string } },
  };
};

it('pages through the callable', async () => {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const input: object = { limit: 3, ...(cursor ? { cursor } : {}) };
    const page: ListPaymentsReply = await harness.call('listPayments', input, tokens[lisa.uid]);
    seen.push(...page.payments.map(({ paymentId }) => paymentId));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toEqual(['pi_1', 'pi_0', 'pi_3', 'pi_2', 'pi_5', 'pi_4', 'pi_6']);
});

it('filters and pages through GET /payments', async () => {
  const asked = '/payments?limit=2&status=succeeded&productId=programme&from=2026-11-14&to=2026-11-14';
  const first = await get(asked, lisa.uid);
  expect(first.body.payments.map(({ paymentId }) => paymentId)).toEqual(['pi_1', 'pi_0']);
  const next = await get(`${asked}&cursor=${first.body.nextCursor}`, lisa.uid);
  expect(next.body.payments.map(({ paymentId }) => paymentId)).toEqual(['pi_3', 'pi_2']);
  expect((await get(`/payments?userId=${lisa.uid}`, anna.uid)).body.payments).toHaveLength(7);
});

it.each([
  ['/payments', 401, 'token-refused', undefined],
  [`/payments?userId=${lisa.uid}`, 403, 'not-your-payments', karin.uid],
  ['/payments?cursor=pi_1', 400, 'cursor-unknown', karin.uid],
  ['/payments?limit=lots', 400, 'invalid-input', lisa.uid],
  ['/payments?limit=1&limit=2', 400, 'invalid-input', lisa.uid],
  ['/payments?userId[$ne]=x', 400, 'invalid-input', lisa.uid],
  ['/payments?order=asc', 400, 'invalid-input', lisa.uid],
  ['/coach/status', 403, 'coach-only', lisa.uid],
])('GET %s is refused: %d %s', async (path, status, reason, uid) => {
  const answered = await get(path, uid);
  expect([answered.status, answered.body.error?.reason]).toEqual([status, reason]);
});

it('GET /coach/status says what getCoachStatus says', async () => {
  const { status, body } = await get('/coach/status', karin.uid);
  expect(status).toBe(200);
  expect(body).toEqual(await harness.call('getCoachStatus', {}, tokens[karin.uid]));
});
