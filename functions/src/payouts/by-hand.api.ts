import { z } from 'zod';
import { minimumPayout } from '../coaches/coaches.ts';
import { callable, documentIdSchema, requestIdSchema, type CallableSpec } from '../platform/entrance.ts';
import type { PayoutReply } from './by-hand.ts';
import * as byHand from './by-hand.service.ts';
import { payoutIdSchema } from './reports.api.ts';

/** Stripe pays out no less. */
const amountSchema = z.number().int().min(minimumPayout).max(99_999_999).optional();

export const runPayoutsSpec: CallableSpec<byHand.RunInput, byHand.RunPayoutsReply> = {
  name: 'runPayouts',
  right: 'admin',
  input: z.strictObject({
    coachId: documentIdSchema.optional(),
    amountMinor: amountSchema,
    date: z.iso.date().optional(),
    requestId: requestIdSchema,
  }),
  handle: byHand.runPayouts,
};

export const requestPayoutSpec: CallableSpec<{ amountMinor?: number | undefined; requestId: string }, PayoutReply> = {
  name: 'requestPayout',
  right: 'coach',
  limit: { perMinute: 5, perDay: 20 },
  input: z.strictObject({ amountMinor: amountSchema, requestId: requestIdSchema }),
  handle: byHand.requestPayout,
};

export const retryPayoutSpec: CallableSpec<{ payoutId: string; requestId: string }, PayoutReply> = {
  name: 'retryPayout',
  right: 'coach or admin',
  limit: { perMinute: 10, perDay: 100 },
  input: z.strictObject({ payoutId: payoutIdSchema, requestId: requestIdSchema }),
  handle: byHand.retryPayout,
};

export const runPayouts = callable(runPayoutsSpec);
export const requestPayout = callable(requestPayoutSpec);
export const retryPayout = callable(retryPayoutSpec);
