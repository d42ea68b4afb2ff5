import { setImmediate } from 'node:timers/promises';
import type { Firestore } from 'firebase-admin/firestore';
import type { Entitlements } from '../payments/entitlements/entitlements.ts';
import { minutes } from '../platform/clock.ts';
import { everyHour, lisa, omar, openBookings, type Bookings } from '../testing/bookings.ts';
import { setAvailability } from './availability.service.ts';
import { bookSession } from './booking.service.ts';
import { listSessionTimes } from './times.service.ts';

let shop: Bookings;
beforeEach(async () => {
  shop = await openBookings();
});
afterEach(() => shop.close());

const creditsLeft = async () => {
  const customer = await shop.read<{ entitlements: Entitlements }>('customers/lisa');
  return Object.values(customer?.entitlements.credits ?? {}).map(({ left }) => left);
};
const outcomes = async (runs: Promise<unknown>[]) =>
  (await Promise.allSettled(runs)).map((each) =>
    each.status === 'fulfilled' ? 'booked' : (each.reason as { reason?: string }).reason,
  );

describe('booking a session', () => {
  it('takes the time, and says what is to be paid and by when', async () => {
    const reply = await shop.book({ student: { name: 'Maja' } });
    const startsAt = shop.inHours(48);
    expect(reply).toMatchObject({
      status: 'booked',
      paymentStatus: 'unpaid',
      startsAt: startsAt.toISOString(),
      endsAt: new Date(startsAt.getTime() + minutes(60)).toISOString(),
      amount: 600,
      amountMinor: 60_000,
      currency: 'SEK',
      paidBy: 'payment',
    });
    expect(Math.abs(Date.parse(reply.payBy ?? '') - shop.now().getTime() - minutes(30))).toBeLessThan(minutes(1));
    expect(await shop.session(reply.sessionId)).toMatchObject({
      userId: 'lisa',
      student: { name: 'Maja' },
      coachId: 'karin',
      productId: 'hour',
      paidBy: { with: 'payment' },
      customerName: 'Lisa Kund',
      rescheduled: 0,
    });
    expect(await shop.holders()).toEqual([reply.sessionId]);
  });

  it('is as long as its product says, and for the caller unless somebody is named', async () => {
    await shop.ctx.db.doc('products/hour').update({ durationMinutes: 25 });
    const { sessionId } = await shop.book();
    const { startsAt, endsAt, student } = await shop.session(sessionId);
    expect(endsAt.toMillis() - startsAt.toMillis()).toBe(minutes(25));
    expect(student).toEqual({ name: 'Lisa Kund', userId: 'lisa' });
  });

  it('is done once for a requestId, and refused for another input under it', async () => {
    const first = await shop.book({ requestId: 'the-request' });
    expect(await shop.book({ requestId: 'the-request' })).toEqual(first);
    await expect(shop.book({ requestId: 'the-request', hours: 60 })).rejects.toMatchObject({
      reason: 'request-id-reused',
    });
    expect(await shop.all('sessions')).toHaveLength(1);
  });

  it.each([
    ['product-not-found', { productId: 'nothing' }],
    ['not-a-session', { productId: 'programme' }],
    ['not-a-session', { productId: 'two' }],
    ['no-credits-left', { useCredit: true }],
    ['start-in-the-past', { hours: -2 }],
  ])('is refused: %s', async (reason, more) => {
    await expect(shop.book(more)).rejects.toMatchObject({ reason });
    expect(await shop.holders()).toEqual([]);
  });

  it('is refused with oneself, and with a coach who cannot be paid', async () => {
    const karin = { ...lisa, uid: 'karin', coach: true };
    await expect(shop.book({}, karin)).rejects.toMatchObject({ reason: 'own-session' });
    await shop.ctx.db.doc('coaches/karin').update({ acceptsPayments: false });
    await expect(shop.book()).rejects.toMatchObject({ reason: 'coach-not-accepting' });
  });

  it('is refused while too much is unpaid, and not when that is paid or over', async () => {
    for (let hour = 0; hour < 5; hour++) await shop.book({ hours: 40 + hour });
    await expect(shop.book()).rejects.toMatchObject({ reason: 'too-many-unpaid' });
    await shop.buy({ productId: 'two' });
    await expect(shop.book({ useCredit: true })).resolves.toMatchObject({ paidBy: 'credit' });
    await shop.advance(minutes(31));
    await expect(shop.book({ hours: 60 })).resolves.toMatchObject({ status: 'booked' });
  });

  it('survives a death at every step', async () => {
    await shop.buy({ productId: 'two' });
    let died = 0;
    for (let done = false; !done; died++) {
      shop.dieAfter(died);
      done = await shop.book({ requestId: 'the-request', useCredit: true }).then(
        () => true,
        () => false,
      );
      shop.revive();
    }
    expect(died).toBeGreaterThan(6);
    expect(await shop.all('sessions')).toHaveLength(1);
    expect(await shop.holders()).toHaveLength(1);
    expect(await creditsLeft()).toEqual([1]);
  });

  it('is done when it is accepted: a lost answer leaves nothing open', async () => {
    const { sessionId } = await shop.book({ requestId: 'the-request' });
    expect(await shop.read('requests/lisa_the-request')).toMatchObject({ state: 'done', result: { sessionId } });
  });
});

describe('the times that are shown', () => {
  it('can be booked, and are shown no more then', async () => {
    const shown = async () => (await listSessionTimes(shop.ctx, { productId: 'hour', days: 4 })).times;
    const before = await shown();
    const [time = { startsAt: '' }] = before.slice(30);
    await shop.book({ startsAt: time.startsAt });
    expect(await shown()).toEqual(before.filter(({ startsAt }) => startsAt !== time.startsAt));
    await shop.advance(minutes(31));
    expect((await shown()).map(({ startsAt }) => startsAt)).toContain(time.startsAt);
  });

  it('are none of a coach without hours, and none of what is no session', async () => {
    await shop.ctx.db.doc('availability/karin').delete();
    expect(await listSessionTimes(shop.ctx, { productId: 'hour' })).toEqual({
      coachId: 'karin',
      minutes: 60,
      times: [],
    });
    const other = listSessionTimes(shop.ctx, { productId: 'two' });
    await expect(other).rejects.toMatchObject({ reason: 'not-a-session' });
  });
});

describe('one time', () => {
  it('is one session’s: whoever comes second is told so, also where only a part is taken', async () => {
    await shop.book();
    await shop.ctx.db.doc('products/hour').update({ durationMinutes: 90 });
    await expect(shop.book({}, omar)).rejects.toMatchObject({ reason: 'time-taken' });
    await expect(shop.book({ hours: 47 }, omar)).rejects.toMatchObject({ reason: 'time-taken' });
    await expect(shop.book({ hours: 49 }, omar)).resolves.toMatchObject({ status: 'booked' });
  });

  it('goes to exactly one of many who book at once, whatever they interleave', async () => {
    const both = [shop.book({}, lisa), shop.book({}, omar), shop.book({ hours: 48 }, { ...omar, uid: 'eva' })];
    const said = await outcomes(both);
    expect(said.filter((each) => each === 'booked')).toHaveLength(1);
    expect(said.filter((each) => each === 'time-taken')).toHaveLength(2);
    expect(await shop.holders()).toHaveLength(1);
    expect(await shop.all('sessions')).toHaveLength(1);
  });

  it('is free again when it was not paid in time, before anybody has swept', async () => {
    const startsAt = shop.inHours(48).toISOString();
    await shop.book({ startsAt });
    await shop.advance(minutes(29));
    await expect(shop.book({ startsAt }, omar)).rejects.toMatchObject({ reason: 'time-taken' });
    await shop.advance(minutes(2));
    const { sessionId } = await shop.book({ startsAt }, omar);
    expect(await shop.holders()).toEqual([sessionId]);
  });
});

it('is asked for again where too many book a day at once', async () => {
  const contended = Object.assign(new Error('Too much contention on these documents.'), { code: 10 });
  const db = { doc: shop.ctx.db.doc.bind(shop.ctx.db), runTransaction: () => Promise.reject(contended) };
  const input = { productId: 'hour', startsAt: shop.inHours(48).toISOString(), requestId: 'contended' };
  const asked = bookSession({ ...shop.ctx, db: db as unknown as Firestore }, lisa, input);
  await expect(asked).rejects.toMatchObject({ code: 'aborted', reason: 'day-contended' });
});

describe('credits', () => {
  it('pay for a session each, at their part of the price', async () => {
    const paymentId = await shop.buy({ productId: 'two' });
    const { sessionId, ...reply } = await shop.book({ useCredit: true });
    expect(reply).toMatchObject({ paymentStatus: 'credit', paidBy: 'credit', amountMinor: 50_000, amount: 500 });
    expect(reply.payBy).toBeUndefined();
    expect((await shop.session(sessionId)).paidBy).toEqual({
      with: 'credit',
      paymentId,
      priceMinor: 50_000,
      held: true,
    });
    expect(await creditsLeft()).toEqual([1]);
  });

  it('are not spent where the time is taken', async () => {
    await shop.buy({ productId: 'two' });
    await shop.book({}, omar);
    await expect(shop.book({ useCredit: true })).rejects.toMatchObject({ reason: 'time-taken' });
    expect(await creditsLeft()).toEqual([2]);
  });

  it('run out for one of those who book with the last at once', async () => {
    await shop.buy({ productId: 'two' });
    const said = await outcomes([40, 41, 42].map((hours) => shop.book({ useCredit: true, hours })));
    expect(said.toSorted()).toEqual(['booked', 'booked', 'no-credits-left']);
    expect(await creditsLeft()).toEqual([0]);
    expect(await shop.holders()).toHaveLength(2);
  });
});

describe('a coach’s hours', () => {
  const coach = { ...lisa, uid: 'karin', coach: true };
  const set = (more: object, by = coach) =>
    setAvailability(shop.ctx, by, { ...everyHour, requestId: `hours-${Math.random().toString(36).slice(2)}`, ...more });

  it('are the coach’s own to say, and an administrator’s, which is written down', async () => {
    await expect(set({ coachId: 'nils' })).rejects.toMatchObject({ reason: 'not-yours' });
    await set({ weekly: [{ weekday: 1, from: '09:00', to: '17:00' }] });
    expect(await shop.read('availability/karin')).toMatchObject({
      weekly: [{ weekday: 1, from: '09:00', to: '17:00' }],
    });
    const before = (await shop.all('auditLog')).length;
    await set({ coachId: 'karin', noticeHours: 3 }, { ...lisa, uid: 'anna', admin: true });
    expect(await shop.read('availability/karin')).toMatchObject({ noticeHours: 3 });
    expect(await shop.all('auditLog')).toHaveLength(before + 1);
  });

  it('decide what can be booked from then on, and leave what is booked', async () => {
    const { sessionId } = await shop.book();
    await set({ weekly: [] });
    await expect(shop.book({ hours: 60 })).rejects.toMatchObject({ reason: 'outside-hours' });
    expect(await shop.session(sessionId)).toMatchObject({ status: 'booked' });
  });

  it('are said once for a requestId', async () => {
    const requestId = 'hours-once';
    await set({ requestId });
    await set({ requestId });
    await expect(set({ requestId, noticeHours: 5 })).rejects.toMatchObject({ reason: 'request-id-reused' });
  });
});

it('seeds of many who book overlapping times end with no minute given twice', async () => {
  const people = Array.from({ length: 6 }, (_, n) => ({ ...omar, uid: `person-${n}` }));
  const base = shop.inHours(72).getTime();
  await outcomes(
    people.map(async (by, n) => {
      for (let turns = n; turns > 0; turns--) await setImmediate();
      const startsAt = new Date(base + n * minutes(25)).toISOString();
      return bookSession(shop.ctx, by, { productId: 'hour', startsAt, requestId: `overlap-${n}` });
    }),
  );
  const booked = (await shop.all<{ startsAt: { toMillis(): number }; endsAt: { toMillis(): number } }>('sessions'))
    .map(({ startsAt, endsAt }) => [startsAt.toMillis(), endsAt.toMillis()] as const)
    .toSorted(([a], [b]) => a - b);
  expect(booked.length).toBeGreaterThan(0);
  for (const [index, [start]] of booked.entries()) expect(start).toBeGreaterThanOrEqual(booked[index - 1]?.[1] ?? 0);
});
