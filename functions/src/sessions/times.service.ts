import { acceptedCurrencies } from '../payments/products.ts';
import { readProduct } from '../payments/reads.service.ts';
import { addDays, businessDate, minutes, type BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { freeTimes } from './availability.ts';
import { requireBookable } from './sessions.ts';
import * as store from './slots.store.ts';

export interface TimesInput {
  productId: string;
  /** The first day, Stockholm's; today unless told. */
  from?: BusinessDate | undefined;
  /** How many days; 7 unless told. */
  days?: number | undefined;
}

export interface TimesReply {
  coachId: string;
  /** How long a session is. */
  minutes: number;
  /** In order. Who books a time first has it. */
  times: { startsAt: string; endsAt: string }[];
}

/** When a session can be booked: what clients show to choose from. */
export async function listSessionTimes(ctx: Context, { productId, from, days = 7 }: TimesInput): Promise<TimesReply> {
  const product = await readProduct(ctx.db, productId);
  const { coachId, durationMinutes = ctx.config.sessionMinutes } = requireBookable(
    productId,
    product,
    acceptedCurrencies(ctx.config),
  );
  const now = ctx.clock.now();
  const first = from ?? businessDate(now);
  const availability = await store.readAvailability(ctx.db, coachId);
  const dates = availability ? Array.from({ length: days }, (_, day) => addDays(first, day)) : [];
  const taken = await store.readDays(ctx.db, coachId, dates);
  const times = taken.flatMap((day) =>
    availability ? freeTimes(day.date, availability, day.taken, minutes(durationMinutes), now) : [],
  );
  return {
    coachId,
    minutes: durationMinutes,
    times: times.map(({ startsAt, endsAt }) => ({ startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString() })),
  };
}
