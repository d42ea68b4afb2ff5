/**
 * Test clocks. Customers, subscriptions, invoices and invoice items of a clock live on its time; PaymentIntents,
 * charges, balances and events stay on the emulator's own clock, for money moves in its time.
 */
import type Stripe from 'stripe';
import { badParam, refused } from '../../core/errors.ts';
import { emit } from '../../core/events.ts';
import { inRange, page } from '../../core/list.ts';
import type { ExpandOnly } from '../../core/params.ts';
import type { Book, World } from '../../core/world.ts';
import { bookOf } from '../../core/world.ts';
import { clockNamed } from './clock-lookup.ts';
import { runBillingJob } from './jobs.ts';
import { rhythmOf } from './lines.ts';
import { ENDED, endSubscription } from './standing.ts';
import { addIntervals } from './time.ts';

type Clock = Stripe.TestHelpers.TestClock;
/** Stripe forgets a clock after 30 days. */
const LIFETIME = 30 * 86_400;

export function createClock(world: World, book: Book, params: Stripe.TestHelpers.TestClockCreateParams): Clock {
  const clock: Clock = {
    id: world.ids.next('clock'),
    object: 'test_helpers.test_clock',
    created: world.now,
    deletes_after: world.now + LIFETIME,
    frozen_time: params.frozen_time,
    livemode: false,
    name: params.name ?? null,
    status: 'ready',
    status_details: {},
  };
  world.testClocks.objects.add(clock);
  emit(world, book, 'test_helpers.test_clock.created', clock);
  return clock;
}

export const retrieveClock = (world: World, _: Book, __: ExpandOnly, [id = '']: string[]) => clockNamed(world, id);

export const listClocks = (
  world: World,
  _: Book,
  params: Stripe.TestHelpers.TestClockListParams & { created?: undefined },
) =>
  page(world.testClocks.objects, '/v1/test_helpers/test_clocks', params, (each) =>
    inRange(each.created, params.created),
  );

/** At most two intervals of the shortest subscription; without one, two years. */
function furthest(world: World, clock: Clock): number {
  const books = [world.platform, ...world.books.values()];
  const ends = books.flatMap((book) =>
    book.subscriptions
      .values()
      .filter((each) => each.test_clock === clock.id && !ENDED.includes(each.status))
      .flatMap((each) => each.items.data.map((item) => rhythmOf(item.price)))
      .map(({ interval, interval_count: count }) => addIntervals(clock.frozen_time, interval, 2 * count)),
  );
  return ends.length === 0 ? addIntervals(clock.frozen_time, 'year', 2) : Math.min(...ends);
}

/** Answers at once with `advancing`; the time passes before the next request, or within a quarter of a second. */
export function advanceClock(
  world: World,
  book: Book,
  params: Stripe.TestHelpers.TestClockAdvanceParams,
  [id = '']: string[],
): Clock {
  const before = clockNamed(world, id);
  const { frozen_time: target } = params;
  if (before.status !== 'ready') throw refused('The test clock is already advancing.', 'resource_invalid_state');
  if (target <= before.frozen_time)
    throw badParam('frozen_time', `frozen_time must be after the clock's current time (${before.frozen_time}).`);
  if (target > furthest(world, before))
    throw badParam(
      'frozen_time',
      'A test clock advances by at most two intervals of the shortest subscription of its customers (two years without one).',
    );
  const after = world.testClocks.objects.update(id, {
    status: 'advancing',
    status_details: { advancing: { target_frozen_time: target } },
  });
  world.timers.add({ at: world.now, kind: 'clock_advances', account: book.account, id });
  emit(world, book, 'test_helpers.test_clock.advancing', after);
  return after;
}

/** Lets the clock's time pass, in order, each thing at its own moment. */
export function clockAdvances(world: World, book: Book, id: string): void {
  const { objects, timers } = world.testClocks;
  const clock = objects.get(id);
  const target = clock?.status_details.advancing?.target_frozen_time;
  if (!clock || target === undefined) return;
  const due = timers.get(id);
  for (let timer = due?.takeDue(target); timer; timer = timers.get(id)?.takeDue(target)) {
    objects.update(id, { frozen_time: Math.max(objects.get(id)!.frozen_time, timer.at) });
    runBillingJob(world, bookOf(world, timer.account), timer);
  }
  const ready = objects.update(id, { frozen_time: target, status: 'ready', status_details: {} });
  emit(world, book, 'test_helpers.test_clock.ready', ready);
}

/** Deletes a clock with its customers; their subscriptions end. */
export function deleteClock(world: World, book: Book, _: object, [id = '']: string[]) {
  const clock = clockNamed(world, id);
  for (const each of [world.platform, ...world.books.values()]) {
    for (const subscription of each.subscriptions.values())
      if (subscription.test_clock === id && !ENDED.includes(subscription.status))
        endSubscription(world, each, subscription, 'cancellation_requested');
    for (const customer of each.customers.values()) {
      if (customer.test_clock !== id) continue;
      each.customers.delete(customer.id);
      emit(world, each, 'customer.deleted', customer);
    }
  }
  world.testClocks.objects.delete(id);
  world.testClocks.timers.delete(id);
  emit(world, book, 'test_helpers.test_clock.deleted', clock);
  return { id, object: 'test_helpers.test_clock', deleted: true } satisfies Stripe.TestHelpers.DeletedTestClock;
}
