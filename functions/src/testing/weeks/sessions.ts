import { Timestamp } from 'firebase-admin/firestore';
import { processPayment } from '../../payments/payments.service.ts';
import { hours } from '../../platform/clock.ts';
import { bookSession } from '../../sessions/booking.service.ts';
import { cancelSession, completeSession } from '../../sessions/life.service.ts';
import type { Session } from '../../sessions/sessions.ts';
import { everyHour } from '../bookings.ts';
import type { Market } from './market.ts';
import type { Process } from './scheduler.ts';
import { offer, type Stage } from './stage.ts';

/** Sessions of the weeks: all cost the same, so that what their coaches are due is known. */
export const sessionPrice = 60_000;

const productOf = (coachId: string): string => `${coachId}-hour`;

export async function offerSessions(stage: Stage, coachId: string): Promise<void> {
  await offer(stage, { id: productOf(coachId), coachId, amountMinor: sessionPrice, kind: 'session' });
  const at = Timestamp.fromDate(stage.now());
  await stage.ctx.db.doc(`availability/${coachId}`).set({ ...everyHour, createdAt: at, updatedAt: at });
}

/** Booked and paid at once. */
export function booked(market: Market): Process {
  const { ctx } = market.stage;
  const customer = market.customer();
  const hour = Math.ceil(market.stage.now().getTime() / hours(1)) + 1 + market.below(48);
  const booking = {
    productId: productOf(market.pick(market.sellers).coachId),
    startsAt: new Date(hour * hours(1)).toISOString(),
    requestId: market.requestId(),
  };
  const payment = { requestId: market.requestId(), paymentMethodId: 'pm_card_bypassPending' };
  return {
    name: 'sale of a session',
    run: async () => {
      const { sessionId } = await bookSession(ctx, customer, booking);
      return processPayment(ctx, customer, { sessionId, ...payment });
    },
  };
}

async function bookedOnes(market: Market): Promise<{ id: string; session: Session }[]> {
  const found = await market.stage.ctx.db.collection('sessions').where('status', '==', 'booked').get();
  return found.docs.map((doc) => ({ id: doc.id, session: doc.data() as Session }));
}

export async function completed(market: Market): Promise<Process | undefined> {
  const { ctx } = market.stage;
  const nowMs = market.stage.now().getTime();
  const over = (await bookedOnes(market)).filter(({ session }) => session.endsAt.toMillis() <= nowMs);
  if (over.length === 0) return undefined;
  const { id: sessionId, session } = market.pick(over);
  const coach = { uid: session.coachId, coach: true, admin: false };
  const outcome = market.random() < 0.8 ? ('completed' as const) : ('no_show' as const);
  const input = { sessionId, outcome, requestId: market.requestId() };
  return { name: 'session', run: () => completeSession(ctx, coach, input) };
}

/** By its customer or its coach. */
export async function canceled(market: Market): Promise<Process | undefined> {
  const { ctx } = market.stage;
  const open = await bookedOnes(market);
  if (open.length === 0) return undefined;
  const { id: sessionId, session } = market.pick(open);
  const byCoach = market.random() < 0.3;
  const caller = { uid: byCoach ? session.coachId : session.userId, coach: byCoach, admin: false };
  const input = { sessionId, requestId: market.requestId() };
  return { name: 'session', run: () => cancelSession(ctx, caller, input) };
}
