import { hours } from '../../platform/clock.ts';
import { processPayment } from '../../payments/payments.service.ts';
import { answer } from '../../platform/entrance.ts';
import { setAvailabilitySpec } from '../../sessions/booking.api.ts';
import { bookSession } from '../../sessions/booking.service.ts';
import { card, people, type Stage } from './play.ts';

/** Karin's hours, a session of hers to book, and a time at which it can be. */
export async function bookableTime({ ctx }: Stage): Promise<string> {
  const sold = { kind: 'session', amountMinor: 60_000, currency: 'SEK', vatRate: 25, coachId: 'karin', active: true };
  await ctx.db.doc('products/hour').set({ ...sold, name: 'An hour' });
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, from: '00:00', to: '24:00' }));
  await answer(ctx, setAvailabilitySpec, people.coach, { weekly, requestId: 'hours-of-karin' });
  return new Date(Math.ceil(ctx.clock.now().getTime() / hours(1) + 48) * hours(1)).toISOString();
}

/** A session of Eva's with Karin that is paid. */
export async function paidSession(stage: Stage): Promise<string> {
  const booking = { productId: 'hour', startsAt: await bookableTime(stage), requestId: 'to-be-held' };
  const { sessionId } = await bookSession(stage.ctx, people.customer, booking);
  const payment = { sessionId, requestId: 'to-be-shared', paymentMethodId: card };
  await processPayment(stage.ctx, people.customer, payment);
  await stage.deliver();
  return sessionId;
}
