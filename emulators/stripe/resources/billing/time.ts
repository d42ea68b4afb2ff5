/** The time billing lives on: the emulator's clock, or a test clock's for what belongs to a customer of one. */
import type Stripe from 'stripe';
import { Timers } from '../../core/timers.ts';
import type { Timer } from '../../core/timers.ts';
import type { World } from '../../core/world.ts';

/** A customer, subscription, invoice or invoice item. */
export interface OnClock {
  test_clock?: string | Stripe.TestHelpers.TestClock | null;
}

const clockOf = (world: World, object: OnClock) =>
  typeof object.test_clock === 'string' ? world.testClocks.objects.get(object.test_clock) : undefined;

/** Unix seconds of the clock an object lives on. */
export const nowOf = (world: World, object: OnClock): number => clockOf(world, object)?.frozen_time ?? world.now;

/** Sets a timer on the clock an object lives on. */
export function schedule(world: World, object: OnClock, timer: Timer): void {
  const clock = clockOf(world, object);
  if (!clock) return world.timers.add(timer);
  const timers = world.testClocks.timers.get(clock.id) ?? new Timers();
  world.testClocks.timers.set(clock.id, timers);
  timers.add(timer);
}

const DAY = 86_400;

/** `count` intervals after a moment: the same day of the month, or the last one of a shorter month. */
export function addIntervals(from: number, interval: Stripe.Price.Recurring.Interval, count: number): number {
  if (interval === 'day' || interval === 'week') return from + count * (interval === 'day' ? DAY : 7 * DAY);
  const start = new Date(from * 1000);
  const months = start.getUTCMonth() + count * (interval === 'year' ? 12 : 1);
  const lastDay = new Date(Date.UTC(start.getUTCFullYear(), months + 1, 0)).getUTCDate();
  const to = new Date(start);
  to.setUTCMonth(months, Math.min(start.getUTCDate(), lastDay));
  return Math.floor(to.getTime() / 1000);
}

export interface Rhythm {
  interval: Stripe.Price.Recurring.Interval;
  interval_count: number;
}

/** The end of the period that a moment lies in, counted from the anchor: one of the 31st comes back to the 31st. */
export function periodEndAfter(anchor: number, moment: number, { interval, interval_count: count }: Rhythm): number {
  if (moment < anchor) return anchor;
  for (let n = 1; ; n++) {
    const end = addIntervals(anchor, interval, n * count);
    if (end > moment) return end;
  }
}

export interface Period {
  start: number;
  end: number;
}

/**
 * The part of an amount that falls on the rest of a period, exact to the second and rounded half up, on the absolute
 * value: of 99.00 SEK for 30 days, 10 days before the end, 33.00.
 */
export function restOf(amount: number, { start, end }: Period, at: number): number {
  if (at <= start) return amount;
  if (at >= end) return 0;
  const size = BigInt(Math.abs(amount));
  const whole = BigInt(end - start);
  const share = Number((2n * size * BigInt(end - at) + whole) / (2n * whole));
  return amount < 0 && share > 0 ? -share : share;
}
