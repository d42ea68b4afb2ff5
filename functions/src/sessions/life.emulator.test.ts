import { karin, lisa } from '../../../scripts/story/people.ts';
import type { EarningsReply } from '../payouts/reports.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import type { BookReply } from './booking.service.ts';
import type { CancelReply, CompleteReply } from './life.service.ts';
import type { RescheduleReply } from './move.service.ts';
import type { NoteReply } from './notes.service.ts';
import type { Session } from './sessions.ts';

/** How sessions end, through the exported functions, with the locks and sums of the real Firestore. */
let harness: Harness;
let customer: string;
let coach: string;
let asked = 0;

const hour = 3_600_000;
const inHours = (n: number) => new Date(Math.ceil(Date.now() / hour + n) * hour).toISOString();
const everyDay = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, from: '00:00', to: '24:00' }));
const session = async (id: string) => (await harness.db.doc(`sessions/${id}`).get()).data() as Session;
const requestId = () => `request-${++asked}`;
const all = async (path: string) => (await harness.db.collection(path).get()).docs.map((doc) => doc.data());

beforeAll(async () => {
  harness = await startHarness();
  customer = await harness.login(lisa);
  coach = await harness.login(karin);
  await harness.onboard(karin, coach);
  await harness.call('setAvailability', { weekly: everyDay, noticeHours: 0, requestId: 'hours-of-karin' }, coach);
  const sold = { kind: 'session', amountMinor: 60_000, currency: 'SEK', vatRate: 25, active: true };
  await harness.db.doc('products/hour').set({ ...sold, name: 'An hour', coachId: karin.uid });
}, 60_000);

afterAll(() => harness.close());

const paid = async (ahead: number) => {
  const booking = { productId: 'hour', startsAt: inHours(ahead), requestId: requestId() };
  const { sessionId } = await harness.call<BookReply>('bookSession', booking, customer);
  const payment = { sessionId, paymentMethodId: 'pm_card_bypassPending', requestId: requestId() };
  await harness.call('processPayment', payment, customer);
  await harness.settle();
  return sessionId;
};

it('is completed once by three who say so at once, and the coach’s page counts it', async () => {
  const sessionId = await paid(48);
  const began = Date.now() - 2 * hour;
  const times = { startsAt: new Date(began), endsAt: new Date(began + hour) };
  await harness.db.doc(`sessions/${sessionId}`).update(times);
  const complete = () => harness.call<CompleteReply>('completeSession', { sessionId }, coach);
  const said = await Promise.all([complete(), complete(), complete()]);
  expect(new Set(said.map(({ completedAt }) => completedAt)).size).toBe(1);
  await harness.settle();
  expect(await all('transfers')).toMatchObject([{ status: 'done', amountMinor: 48_000, sessionId }]);
  const page = await harness.call<EarningsReply>('getCoachEarnings', {}, coach);
  expect(page).toMatchObject({ hours: 1, sessionsCompleted: 1, completionRate: 1, shareMinor: 48_000 });
}, 60_000);

it('is canceled once by both sides at once, and moved before that', async () => {
  const sessionId = await paid(72);
  const move = { sessionId, startsAt: inHours(80), requestId: requestId() };
  expect(await harness.call<RescheduleReply>('rescheduleSession', move, coach)).toMatchObject({ rescheduled: 1 });
  const cancel = (token: string) =>
    harness.call<CancelReply>('cancelSession', { sessionId, requestId: requestId() }, token);
  const [first, second] = await Promise.all([cancel(customer), cancel(coach)]);
  expect(first).toEqual(second);
  expect(first).toMatchObject({ late: false, refundMinor: 60_000 });
  await harness.settle();
  expect(await session(sessionId)).toMatchObject({ status: 'canceled', paymentStatus: 'refunded' });
  expect(await all('refunds')).toMatchObject([{ status: 'succeeded', amountMinor: 60_000 }]);
}, 60_000);

it('is noted by its coach alone', async () => {
  const sessionId = await paid(96);
  const note = { sessionId, text: 'Brave.\nNext: sleep.', requestId: requestId() };
  const { noteId } = await harness.call<NoteReply>('addSessionNote', note, coach);
  expect((await harness.db.doc(`sessions/${sessionId}/notes/${noteId}`).get()).data()).toMatchObject({
    text: 'Brave.\nNext: sleep.',
  });
  await expect(harness.call('addSessionNote', note, customer)).rejects.toMatchObject({
    details: { reason: 'coach-only' },
  });
}, 60_000);
