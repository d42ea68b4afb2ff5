import { z } from 'zod';
import { callable, documentIdSchema, requestIdSchema, wordsSchema, type CallableSpec } from '../platform/entrance.ts';
import { limits } from './availability.ts';
import { setAvailability as set, type AvailabilityInput, type AvailabilityReply } from './availability.service.ts';
import { bookSession as book, type BookInput, type BookReply } from './booking.service.ts';
import { listSessionTimes as times, type TimesInput, type TimesReply } from './times.service.ts';

const time = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'must be a time like 09:30, at most 24:00');
const hours = { from: time, to: time };
const date = z.iso.date();

export const setAvailabilitySpec: CallableSpec<AvailabilityInput, AvailabilityReply> = {
  name: 'setAvailability',
  right: 'coach or admin',
  input: z.strictObject({
    coachId: documentIdSchema.optional(),
    requestId: requestIdSchema,
    weekly: z
      .array(z.strictObject({ weekday: z.int().min(1).max(7), ...hours }))
      .min(1)
      .max(limits.weekly)
      .optional(),
    exceptions: z
      .array(
        z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('off'), date }),
          z.strictObject({ kind: z.literal('extra'), date, ...hours }),
        ]),
      )
      .min(1)
      .max(limits.exceptions)
      .optional(),
    noticeHours: z.int().min(0).max(limits.noticeHours).optional(),
    horizonDays: z.int().min(1).max(limits.horizonDays).optional(),
  }),
  handle: (ctx, caller, input) => set(ctx, caller, input),
};

export const bookSessionSpec: CallableSpec<BookInput, BookReply> = {
  name: 'bookSession',
  right: 'anyone signed in',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject({
    productId: documentIdSchema,
    startsAt: z.iso.datetime({ offset: true }),
    student: z.strictObject({ name: wordsSchema(100), userId: documentIdSchema.optional() }).optional(),
    useCredit: z.boolean().optional(),
    requestId: requestIdSchema,
  }),
  handle: (ctx, caller, input) => book(ctx, caller, input),
};

export const listSessionTimesSpec: CallableSpec<TimesInput, TimesReply> = {
  name: 'listSessionTimes',
  right: 'anyone signed in',
  input: z.strictObject({
    productId: documentIdSchema,
    from: date.optional(),
    days: z.int().min(1).max(limits.daysShown).optional(),
  }),
  handle: (ctx, _caller, input) => times(ctx, input),
};

export const listSessionTimes = callable(listSessionTimesSpec);
export const setAvailability = callable(setAvailabilitySpec);
export const bookSession = callable(bookSessionSpec);
