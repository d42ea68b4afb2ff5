import { onSchedule } from 'firebase-functions/scheduler';
import { onTaskDispatched } from 'firebase-functions/tasks';
import { z } from 'zod';
import { raiseFlag } from '../admin/flags.service.ts';
import { taskInput } from '../admin/tasks.service.ts';
import { region } from '../config.ts';
import { businessZone } from '../platform/clock.ts';
import { productionContext, type Context } from '../platform/context.ts';
import { guardedSchedule, guardedTask } from '../platform/entrance-guard.ts';
import {
  baseOptions,
  callable,
  documentIdSchema,
  fortnoxSecrets,
  requestIdSchema,
  stripeSecrets,
  wordsSchema,
} from '../platform/entrance.ts';
import { messageOf } from '../platform/errors.ts';
import { FortnoxError } from '../platform/fortnox/errors.ts';
import type { TaskPayloads } from '../platform/tasks.ts';
import { retriesSpentFlag, unauthorizedFlag } from './accounting-flags.ts';
import * as service from './accounting.service.ts';
import { longestReason } from './corrections.ts';
import * as corrections from './corrections.service.ts';
import { attachList } from './lists.service.ts';
import { postOne } from './posting.service.ts';
import { postVoucherQueue, syncTimeoutSeconds } from './queue.ts';
import { redrawVoucher } from './redraw.service.ts';
import { syncAfterStripe } from './stripe-own/sync.service.ts';
import { isDayVoucher } from './vouchers.ts';

/** Every night at 02:00: yesterday's documents become vouchers. */
export const syncAccounting = guardedSchedule(
  onSchedule(
    {
      schedule: '0 2 * * *',
      timeZone: businessZone,
      region,
      memory: '512MiB',
      timeoutSeconds: syncTimeoutSeconds,
      retryCount: 3,
      secrets: stripeSecrets,
    },
    async (event) => {
      const ctx = await productionContext();
      await syncAfterStripe(ctx, () => service.syncByNight(ctx, new Date(event.scheduleTime)));
    },
  ),
);

const { maxAttempts } = postVoucherQueue.retryConfig;
const taskSchema = z.strictObject({ voucherId: documentIdSchema });

/** One voucher to Fortnox. */
export const postVoucher = guardedTask(
  onTaskDispatched<unknown>({ ...baseOptions, ...postVoucherQueue, secrets: fortnoxSecrets }, async (request) => {
    const ctx = await productionContext();
    const { id, data, retryCount } = request;
    const last = retryCount >= maxAttempts - 1;
    await postTask(ctx, await taskInput(ctx, taskSchema, { queue: 'postVoucher', id, data, last }), retryCount);
  }),
);

/** The task itself; `retryCount` is how often the queue has tried it before. */
export async function postTask(ctx: Context, data: TaskPayloads['postVoucher'], retryCount: number): Promise<void> {
  try {
    if (isDayVoucher(data.voucherId)) await corrections.moveDocuments(ctx, data.voucherId);
    await postOne(ctx, data.voucherId);
    if (isDayVoucher(data.voucherId)) await attachList(ctx, data.voucherId);
  } catch (error) {
    // Waiting does not mend it: a person hears at the first attempt, not the last.
    if (error instanceof FortnoxError && error.kind === 'unauthorized') {
      await raiseFlag(ctx, unauthorizedFlag(error.message));
    }
    if (retryCount >= maxAttempts - 1) await raiseFlag(ctx, retriesSpentFlag(data.voucherId, messageOf(error)));
    throw error;
  }
}

/** The night's sync by hand: everything so far, today's documents too. Twice at once, each document is grouped once. */
export const runAccountingSync = callable({
  name: 'runAccountingSync',
  right: 'admin',
  // Ten thousand documents are grouped and queued in two minutes.
  timeoutSeconds: 300,
  limit: { perMinute: 6, perDay: 200 },
  input: z.strictObject({
    requestId: z
      .string()
      .regex(/^[A-Za-z0-9-]{8,64}$/)
      .optional(),
  }),
  handle: (ctx) => syncAfterStripe(ctx, () => service.syncBooks(ctx, ctx.clock.now())),
});

export const retryVoucher = callable({
  name: 'retryVoucher',
  right: 'admin',
  input: z.strictObject({ voucherId: documentIdSchema, redraw: z.boolean().optional() }),
  handle: (ctx, caller, { voucherId, redraw }) =>
    redraw ? redrawVoucher(ctx, caller, voucherId) : service.retryVoucher(ctx, voucherId, ctx.clock.now()),
});

const decision = { reason: wordsSchema(longestReason), requestId: requestIdSchema };

/** A posted voucher is taken back by another, and its documents are booked anew. */
export const correctVoucher = callable({
  name: 'correctVoucher',
  right: 'admin',
  limit: { perMinute: 60, perDay: 2_000 },
  input: z.strictObject({ voucherId: documentIdSchema, ...decision }),
  handle: corrections.correctVoucher,
});

/** The same for the vouchers of some days, a page a call. */
export const correctVouchers = callable({
  name: 'correctVouchers',
  right: 'admin',
  limit: { perMinute: 60, perDay: 2_000 },
  input: z
    .strictObject({ from: z.iso.date(), to: z.iso.date(), cursor: documentIdSchema.optional(), ...decision })
    .refine(({ from, to }) => from <= to, 'the period ends before it begins'),
  handle: corrections.correctVouchers,
});
