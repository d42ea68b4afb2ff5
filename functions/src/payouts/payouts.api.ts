import { onSchedule } from 'firebase-functions/scheduler';
import { onTaskDispatched } from 'firebase-functions/tasks';
import { z } from 'zod';
import { taskInput } from '../admin/tasks.service.ts';
import { businessZone } from '../platform/clock.ts';
import { productionContext } from '../platform/context.ts';
import { guardedSchedule, guardedTask } from '../platform/entrance-guard.ts';
import { baseOptions, documentIdSchema, stripeSecrets } from '../platform/entrance.ts';
import { watchAge } from './age.service.ts';
import { payCoachTask, startRun } from './payouts.service.ts';
import { payCoachQueue, runTimeoutSeconds } from './queue.ts';

/** Every day at 08:00 in Stockholm. Its day is the schedule's, so a late or doubled delivery is for the same day. */
export const schedulePayouts = guardedSchedule(
  onSchedule(
    { ...baseOptions, schedule: '0 8 * * *', timeZone: businessZone, timeoutSeconds: runTimeoutSeconds, retryCount: 3 },
    async (event) => {
      const ctx = await productionContext();
      const scheduledAt = new Date(event.scheduleTime);
      await startRun(ctx, scheduledAt);
      await watchAge(ctx, scheduledAt);
    },
  ),
);

const taskSchema = z.strictObject({
  coachId: documentIdSchema,
  currency: z.string().regex(/^[A-Z]{3}$/),
  dueDate: z.iso.date(),
  runId: documentIdSchema,
  seen: z
    .strictObject({
      stripeAccountId: documentIdSchema.optional(),
      scheduledAt: z.iso.datetime(),
      notedAt: z.string().regex(/^\d+\.\d+$/),
    })
    .optional(),
});

export const payCoach = guardedTask(
  onTaskDispatched<unknown>(
    {
      ...baseOptions,
      ...payCoachQueue,
      secrets: stripeSecrets,
    },
    async (request) => {
      const ctx = await productionContext();
      const last = request.retryCount >= payCoachQueue.retryConfig.maxAttempts - 1;
      const input = await taskInput(ctx, taskSchema, { queue: 'payCoach', id: request.id, data: request.data, last });
      await payCoachTask(ctx, input, last);
    },
  ),
);
