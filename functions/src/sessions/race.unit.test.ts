import { setImmediate, setTimeout } from 'node:timers/promises';
import { Timestamp } from 'firebase-admin/firestore';
import { createCheckoutSession } from '../payments/checkout/checkout.service.ts';
import { processPayment } from '../payments/payments.service.ts';
import { resumeCommands } from '../payments/recovery.service.ts';
import { resolveRefunds } from '../payments/refunds/refunds.service.ts';
import { minutes } from '../platform/clock.ts';
import { everyHour, lisa, omar } from '../testing/bookings.ts';
import { onboardedCoach } from '../testing/coach.ts';
import { seededRandom } from '../testing/random.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import type { CoachDay } from './availability.ts';
import { bookSession } from './booking.service.ts';
import { expireSessions } from './expiry.service.ts';
import type { Session } from './sessions.ts';

/**
 * Two who want one time, one of them paying from an app and a page at once, while the time to pay runs out and the sweep
 * runs: in many interleavings. Whoever has the time in the end has paid for it once, and nobody else has paid.
 */
const seeds = 40;
/** About as long as a payment takes here. */
const longestWaitMs = 12;
const card = 'pm_card_bypassPending';

let world: TestWorld;
let random: () => number;

beforeAll(async () => {
  const pause = async () => {
    for (let turns = Math.floor(random() * 12); turns > 0; turns--) await setImmediate();
  };
  random = seededRandom(0);
  world = await createTestWorld({ firestore: { now: () => world.now(), onAwait: pause, random: () => random() } });
  await onboardedCoach(world, 'karin');
  const { db } = world.ctx;
  const at = Timestamp.fromDate(world.now());
  const sold = { kind: 'session', amountMinor: 60_000, currency: 'SEK', vatRate: 25, active: true, coachId: 'karin' };
  await db.doc('products/hour').set({ ...sold, name: 'An hour' });
  await db.doc('availability/karin').set({ ...everyHour, createdAt: at, updatedAt: at });
});

afterAll(() => world.close());

async function payInTheApp(by: typeof lisa, sessionId: string, requestId: string): Promise<void> {
  const { paymentId } = await processPayment(world.ctx, by, { sessionId, requestId });
  await world.stripe.paymentIntents.confirm(paymentId, { payment_method: card, return_url: 'http://127.0.0.1/' });
}

async function payOnPage(by: typeof lisa, sessionId: string, requestId: string): Promise<void> {
  const input = { mode: 'payment' as const, sessionId, successUrl: 'http://127.0.0.1:5000/done', requestId };
  const { url } = await createCheckoutSession(world.ctx, by, input);
  await fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ action: 'pay', card }) });
}

async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await world.advance(minutes(40));
    await world.deliver();
    await resumeCommands(world.ctx, world.now());
    await expireSessions(world.ctx, world.now());
    await resolveRefunds(world.ctx, world.now());
  }
  await world.deliver();
}

const sessionsOf = async () =>
  (await world.ctx.db.collection('sessions').get()).docs.map((doc) => ({ id: doc.id, session: doc.data() as Session }));

/** What customers have paid for a session and not got back. */
async function keptFor(sessionId: string): Promise<number> {
  const { data } = await world.stripe.charges.list({ limit: 100 });
  return data
    .filter(({ metadata, paid }) => metadata.sessionId === sessionId && paid)
    .reduce((sum, { amount, amount_refunded }) => sum + amount - amount_refunded, 0);
}

it.each(Array.from({ length: seeds }, (_, seed) => seed + 1))('nobody pays for nothing (seed %i)', async (seed) => {
  random = seededRandom(seed);
  const startsAt = new Date(Math.ceil(world.now().getTime() / minutes(60) + 48) * minutes(60)).toISOString();
  const before = new Set((await sessionsOf()).map(({ id }) => id));
  const book = (by: typeof lisa, n: number) =>
    bookSession(world.ctx, by, { productId: 'hour', startsAt, requestId: `book-${seed}-${n}` });
  const { sessionId } = await book(lisa, 0);
  const rival = async () => {
    for (let n = 1; n < 8; n++) {
      await setTimeout(random() * longestWaitMs);
      const booked = await book(omar, n).catch(() => undefined);
      if (booked) return payInTheApp(omar, booked.sessionId, `pay-${seed}-omar`);
    }
  };
  const time = async () => {
    await setTimeout(random() * 3 * longestWaitMs);
    if (random() < 0.6) await world.advance(minutes(31));
    await expireSessions(world.ctx, world.now());
    await world.deliver();
  };
  const runs = [
    () => payInTheApp(lisa, sessionId, `pay-${seed}-1`),
    () => payOnPage(lisa, sessionId, `pay-${seed}-2`),
    () => payInTheApp(lisa, sessionId, `pay-${seed}-3`),
    rival,
    time,
    time,
  ];
  await Promise.allSettled(runs.map((run) => run()));
  await settle();
  const mine = (await sessionsOf()).filter(({ id }) => !before.has(id));
  for (const { id, session } of mine) {
    const booked = session.status === 'booked';
    expect({ id, status: session.status, kept: await keptFor(id) }).toEqual({
      id,
      status: session.status,
      kept: booked ? 60_000 : 0,
    });
    if (booked) expect(session.paymentStatus).toBe('paid');
  }
  const booked = mine.filter(({ session }) => session.status === 'booked').map(({ id }) => id);
  expect(booked.length).toBeLessThanOrEqual(1);
  // The day's document says the same: who holds a time is booked, and who is booked holds it.
  const held = (await world.ctx.db.collection('coachDays').get()).docs.flatMap((doc) =>
    Object.keys((doc.data() as CoachDay).taken),
  );
  expect(held.filter((id) => !before.has(id))).toEqual(booked);
  const flags = (await world.ctx.db.collection('flags').get()).docs.map(({ id }) => id);
  expect(flags.filter((id) => !id.startsWith('session-paid-late_'))).toEqual([]);
});
