import { karin, lisa } from '../../../scripts/story/people.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import type { CoachDay } from './availability.ts';
import type { BookReply } from './booking.service.ts';
import type { Session } from './sessions.ts';

/** Hours, booking and paying through the exported functions, with the locks of the real Firestore. */
let harness: Harness;
let token: string;

const startsAt = new Date(Math.ceil(Date.now() / 3_600_000 + 48) * 3_600_000).toISOString();
const everyDay = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, from: '00:00', to: '24:00' }));
const session = async (id: string) => (await harness.db.doc(`sessions/${id}`).get()).data() as Session;

beforeAll(async () => {
  harness = await startHarness();
  token = await harness.login(lisa);
  const coach = await harness.login(karin);
  await harness.onboard(karin, coach);
  await harness.call('setAvailability', { weekly: everyDay, requestId: 'hours-of-karin' }, coach);
  const sold = { kind: 'session', amountMinor: 60_000, currency: 'SEK', vatRate: 25, active: true };
  await harness.db.doc('products/hour').set({ ...sold, name: 'An hour', coachId: karin.uid });
}, 60_000);

afterAll(() => harness.close());

const reasonOf = (error: unknown): string =>
  (error as { details?: { reason?: string } }).details?.reason ?? String(error);

it('gives one time to one of five who ask at once, who then pays for it', async () => {
  const tokens = await Promise.all(
    Array.from({ length: 5 }, (_, n) => harness.login({ ...lisa, uid: `asker-${n}`, email: `asker-${n}@example.se` })),
  );
  const asked = await Promise.allSettled(
    tokens.map((each, n) =>
      harness.call<BookReply>('bookSession', { productId: 'hour', startsAt, requestId: `at-once-${n}` }, each),
    ),
  );
  const booked = asked.flatMap((each, n) => (each.status === 'fulfilled' ? [{ ...each.value, n }] : []));
  const refused = asked.flatMap((each) => (each.status === 'rejected' ? [reasonOf(each.reason)] : []));
  expect({ booked: booked.length, refused }).toEqual({ booked: 1, refused: Array(4).fill('time-taken') as string[] });
  const [{ sessionId, n } = { sessionId: '', n: 0 }] = booked;
  const [day] = (await harness.db.collection('coachDays').get()).docs.map((doc) => doc.data() as CoachDay);
  expect(Object.keys(day?.taken ?? {})).toEqual([sessionId]);
  const input = { sessionId, paymentMethodId: 'pm_card_bypassPending', requestId: 'payment-of-session' };
  await harness.call('processPayment', input, tokens[n]);
  await harness.settle();
  expect(await session(sessionId)).toMatchObject({ paymentStatus: 'paid', status: 'booked' });
  const [entry] = Object.values(((await harness.db.collection('coachDays').get()).docs[0]?.data() as CoachDay).taken);
  expect(entry?.until).toBeUndefined();
}, 60_000);

it('is swept away, and its time is free, when nobody pays', async () => {
  const other = new Date(Date.parse(startsAt) + 3 * 3_600_000).toISOString();
  const input = { productId: 'hour', startsAt: other, requestId: 'never-paid' };
  const { sessionId } = await harness.call<BookReply>('bookSession', input, token);
  await harness.db.doc(`sessions/${sessionId}`).update({ payBy: new Date(Date.now() - 1_000) });
  await harness.fire('sweep', new Date());
  expect(await session(sessionId)).toMatchObject({ status: 'canceled', canceledBy: 'system', paymentStatus: 'unpaid' });
  const days = (await harness.db.collection('coachDays').get()).docs.map((doc) => doc.data() as CoachDay);
  expect(days.flatMap(({ taken }) => Object.keys(taken))).not.toContain(sessionId);
}, 60_000);
