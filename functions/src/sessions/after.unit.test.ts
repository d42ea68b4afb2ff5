import { Timestamp } from 'firebase-admin/firestore';
import { coachEarnings } from '../payouts/reports.service.ts';
import { trialBalance, type LedgerDocument } from '../ledger/ledger.ts';
import { processPayment } from '../payments/payments.service.ts';
import { refundPayment } from '../payments/refunds/refunds.service.ts';
import type { Transfer } from '../payments/transfers/transfers.ts';
import { days, hours } from '../platform/clock.ts';
import { lisa, omar, openBookings, type Bookings } from '../testing/bookings.ts';
import { countSessions } from './figures.service.ts';
import { cancelSession, completeSession } from './life.service.ts';
import { completeEnded, flagDropped } from './life-sweep.service.ts';
import { rescheduleSession } from './move.service.ts';
import { addSessionNote } from './notes.service.ts';

const karin = { uid: 'karin', coach: true, admin: false };
const anna = { uid: 'anna', coach: false, admin: true };

let shop: Bookings;
let asked: number;
beforeEach(async () => {
  shop = await openBookings();
  asked = 0;
});
afterEach(() => shop.close());

const requestId = () => `request-${++asked}`;
const paid = async (ahead = 48, paymentMethodId = 'pm_card_bypassPending') => {
  const { sessionId } = await shop.book({ hours: ahead });
  const { paymentId } = await processPayment(shop.ctx, lisa, { sessionId, requestId: requestId(), paymentMethodId });
  await shop.deliver();
  return { sessionId, paymentId };
};
const move = (sessionId: string, ahead: number, by: typeof karin = lisa) =>
  rescheduleSession(shop.ctx, by, { sessionId, startsAt: shop.inHours(ahead).toISOString(), requestId: requestId() });
const cancel = (sessionId: string, by: typeof karin = lisa) =>
  cancelSession(shop.ctx, by, { sessionId, requestId: requestId() });
const complete = (sessionId: string, outcome: 'completed' | 'no_show' = 'completed') =>
  completeSession(shop.ctx, karin, { sessionId, outcome });
const setCoach = (patch: object) => shop.ctx.db.doc('coaches/karin').update(patch);
const nothingSent = async () => expect(await shop.all<Transfer>('transfers')).toEqual([]);

describe('moving', () => {
  it('frees the old time and takes the new, and tells the other side', async () => {
    const { sessionId } = await paid(48);
    const old = (await shop.session(sessionId)).startsAt;
    const reply = await move(sessionId, 72);
    expect(reply).toMatchObject({ startsAt: shop.inHours(72).toISOString(), rescheduled: 1 });
    expect(await shop.session(sessionId)).toMatchObject({ rescheduled: 1, movedBy: 'customer' });
    expect(await shop.holders()).toEqual([sessionId]);
    const again = await shop.book({ startsAt: old.toDate().toISOString() }, omar);
    expect((await shop.holders()).sort()).toEqual([again.sessionId, sessionId].sort());
    expect(await shop.read(`mail/session-moved_${sessionId}_1`)).toMatchObject({ toUids: ['karin'] });
  });

  it('to where somebody else is, outside the coach’s hours or into the past is refused, and nothing moves', async () => {
    const { sessionId } = await paid(48);
    await shop.book({ hours: 72 }, omar);
    await expect(move(sessionId, 72)).rejects.toMatchObject({ reason: 'time-taken' });
    await expect(move(sessionId, -2)).rejects.toMatchObject({ reason: 'start-in-the-past' });
    await expect(move(sessionId, 24 * 400)).rejects.toMatchObject({ reason: 'too-far-ahead' });
    expect(await shop.session(sessionId)).toMatchObject({ rescheduled: 0 });
    expect(await shop.holders()).toHaveLength(2);
  });

  it('within its own hour, by half an hour, and to where it is', async () => {
    const { sessionId } = await paid(48);
    const { startsAt } = await shop.session(sessionId);
    const half = new Date(startsAt.toMillis() + hours(0.5)).toISOString();
    await rescheduleSession(shop.ctx, lisa, { sessionId, startsAt: half, requestId: requestId() });
    const same = { sessionId, startsAt: half, requestId: requestId() };
    expect(await rescheduleSession(shop.ctx, lisa, same)).toMatchObject({ rescheduled: 1 });
    expect(await shop.holders()).toEqual([sessionId]);
  });

  it('two who want one time at once: one has it', async () => {
    const one = await paid(48);
    const other = await paid(50);
    const ends = await Promise.allSettled([
      move(one.sessionId, 72),
      move(other.sessionId, 72),
      shop.book({ hours: 72 }, omar),
    ]);
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const starts = await Promise.all(
      [one, other].map(async ({ sessionId }) => (await shop.session(sessionId)).startsAt),
    );
    expect(new Set(starts.map((at) => at.toMillis())).size).toBe(2);
  });

  it('is limited, and for the customer in time; after the coach moved it, the customer may leave for nothing', async () => {
    const { sessionId } = await paid(48);
    for (const ahead of [72, 74]) await move(sessionId, ahead);
    await move(sessionId, 3, karin);
    await expect(move(sessionId, 90, karin)).rejects.toMatchObject({ reason: 'moved-too-often' });
    await expect(move(sessionId, 90, { ...karin, uid: 'olof' })).rejects.toMatchObject({ reason: 'not-your-session' });
    expect(await cancel(sessionId)).toMatchObject({ late: false, refundMinor: 60_000 });
    await expect(move(sessionId, 90, anna)).rejects.toMatchObject({ reason: 'session-canceled' });
    const late = await paid(20);
    await expect(move(late.sessionId, 90)).rejects.toMatchObject({ reason: 'too-late-to-move' });
  });

  it('and canceling at once end in one state', async () => {
    const { sessionId } = await paid(48);
    await Promise.allSettled([move(sessionId, 72), cancel(sessionId, karin), move(sessionId, 80, anna)]);
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled' });
    expect(await shop.holders()).toEqual([]);
  });

  it('with a credit is refused beyond the credit’s end', async () => {
    await shop.ctx.db.doc('products/two').update({ accessWeeks: 1 });
    await shop.buy({ productId: 'two' });
    const { sessionId } = await shop.book({ useCredit: true });
    await expect(move(sessionId, 24 * 8)).rejects.toMatchObject({ reason: 'credit-ends-before' });
    expect(await move(sessionId, 24 * 6)).toMatchObject({ rescheduled: 1 });
  });

  it('of one not paid is refused', async () => {
    const { sessionId } = await shop.book();
    await expect(move(sessionId, 72)).rejects.toMatchObject({ reason: 'session-not-paid' });
  });
});

describe('a session nobody speaks of', () => {
  it('is completed two days after its end, once, with its time told', async () => {
    const { sessionId } = await paid(1);
    await shop.advance(hours(47));
    expect(await completeEnded(shop.ctx, shop.now())).toEqual({ completed: 0, left: 0 });
    await shop.advance(hours(4));
    expect(await completeEnded(shop.ctx, shop.now())).toEqual({ completed: 1, left: 0 });
    expect(await completeEnded(shop.ctx, shop.now())).toEqual({ completed: 0, left: 0 });
    expect(await shop.session(sessionId)).toMatchObject({ status: 'completed', completedBy: 'system' });
    expect(await shop.all<Transfer>('transfers')).toMatchObject([{ status: 'done' }]);
    await shop.deliver();
    await shop.expectBooksAsStripe();
  });

  it('in pages, past those that must wait', async () => {
    const { sessionId } = await paid(1);
    const session = await shop.session(sessionId);
    const waiting = {
      ...session,
      paymentStatus: 'pending',
      endsAt: Timestamp.fromMillis(session.endsAt.toMillis() - 1),
    };
    await Promise.all(Array.from({ length: 120 }, (_, n) => shop.ctx.db.doc(`sessions/waiting-${n}`).set(waiting)));
    await shop.advance(hours(51));
    expect(await completeEnded(shop.ctx, shop.now())).toEqual({ completed: 1, left: 120 });
    expect(await shop.openFlags()).toHaveLength(120);
  });

  it.each([
    ['deauthorized', { accountStatus: 'deauthorized' }],
    ['rejected', { accountStatus: 'rejected' }],
    ['held', { hold: { reason: 'Asked to.', since: Timestamp.fromMillis(0) } }],
  ])('of a coach who is %s waits for a person, who completes or cancels it', async (_what, patch) => {
    const { sessionId } = await paid(1);
    const other = await paid(3);
    await shop.advance(hours(60));
    await setCoach(patch);
    expect(await completeEnded(shop.ctx, shop.now())).toEqual({ completed: 0, left: 2 });
    expect((await shop.openFlags()).sort()).toEqual(
      [sessionId, other.sessionId].map((id) => `session-dropped_${id}`).sort(),
    );
    await nothingSent();
    await cancel(sessionId, anna);
    await completeSession(shop.ctx, anna, { sessionId: other.sessionId });
    await shop.deliver();
    expect(await shop.openFlags()).toEqual([]);
    expect(trialBalance(await shop.all<LedgerDocument>('ledger'))).toMatchObject({ session_held: 0 });
    await shop.expectBooksAsStripe();
  });

  it('to come, of a coach who falls out, is told of at once, once', async () => {
    const { sessionId } = await paid(48);
    expect(await flagDropped(shop.ctx, shop.now())).toEqual({ flagged: 0 });
    await setCoach({ accountStatus: 'deauthorized', updatedAt: Timestamp.fromDate(shop.now()) });
    await flagDropped(shop.ctx, shop.now());
    expect(await shop.openFlags()).toEqual([`session-dropped_${sessionId}`]);
    await shop.ctx.db.doc(`flags/session-dropped_${sessionId}`).update({ status: 'resolved' });
    await flagDropped(shop.ctx, shop.now());
    expect(await shop.openFlags()).toEqual([]);
  });

  it('disputed waits for the bank', async () => {
    await paid(1, 'pm_card_createDispute');
    await shop.advance(hours(51));
    await shop.deliver();
    expect(await completeEnded(shop.ctx, shop.now())).toEqual({ completed: 0, left: 1 });
    await nothingSent();
  });

  it('given back meanwhile is canceled', async () => {
    const { sessionId, paymentId } = await paid(1);
    await refundPayment(shop.ctx, anna, { paymentId, requestId: requestId() });
    await shop.deliver();
    await shop.advance(hours(51));
    expect(await completeEnded(shop.ctx, shop.now())).toEqual({ completed: 0, left: 0 });
    expect(await shop.session(sessionId)).toMatchObject({ status: 'canceled', canceledBy: 'system' });
  });
});

describe('a coach’s figures', () => {
  it('are the hours held and how many of the sessions that count took place', async () => {
    const early = await paid(90);
    await cancel(early.sessionId);
    const late = await paid(2);
    await cancel(late.sessionId);
    const theirs = await paid(3);
    await cancel(theirs.sessionId, karin);
    const held = [await paid(4), await paid(5)];
    const missed = await paid(6);
    await shop.advance(days(1));
    for (const { sessionId } of held) await complete(sessionId);
    await complete(missed.sessionId, 'no_show');
    expect(await countSessions(shop.ctx, 'karin')).toEqual({ hours: 2, completed: 2, ended: 5 });
    expect(await countSessions(shop.ctx, 'olof')).toEqual({ hours: 0, completed: 0, ended: 0 });
    expect(await coachEarnings(shop.ctx, karin, {}, countSessions)).toMatchObject({
      hours: 2,
      sessionsCompleted: 2,
      completionRate: 0.4,
    });
  });
});

describe('notes', () => {
  const note = (sessionId: string, by = karin, text = 'Brave today.\nNext: sleep.', id = requestId()) =>
    addSessionNote(shop.ctx, by, { sessionId, text, requestId: id });

  it('are the coach’s own, once a command, and so many', async () => {
    const { sessionId } = await shop.book();
    const first = await note(sessionId, karin, 'Brave.', 'note-1000');
    expect(await note(sessionId, karin, 'Brave.', 'note-1000')).toEqual(first);
    expect(await shop.read(`sessions/${sessionId}/notes/${first.noteId}`)).toMatchObject({ text: 'Brave.' });
    for (const by of [{ ...karin, uid: 'olof' }, anna]) {
      await expect(note(sessionId, by)).rejects.toMatchObject({ reason: 'not-your-session' });
    }
    await expect(note(sessionId, { ...lisa, coach: true })).rejects.toMatchObject({ reason: 'coach-of-session-only' });
    for (let n = 1; n < 50; n++) await note(sessionId);
    await expect(note(sessionId)).rejects.toMatchObject({ reason: 'too-many-notes' });
  });

  it('are in no request that is kept', async () => {
    const { sessionId } = await shop.book();
    await note(sessionId, karin, 'Secret words.');
    expect(JSON.stringify(await shop.all('requests'))).not.toContain('Secret');
  });
});
