import { onSchedule } from 'firebase-functions/scheduler';
import { onTaskDispatched } from 'firebase-functions/tasks';
import { z } from 'zod';
import { taskInput } from '../admin/tasks.service.ts';
import { region } from '../config.ts';
import { businessZone } from '../platform/clock.ts';
import { productionContext } from '../platform/context.ts';
import { guardedSchedule, guardedTask } from '../platform/entrance-guard.ts';
import { baseOptions, fortnoxSecrets, stripeSecrets } from '../platform/entrance.ts';
import { watchPlatformBalance } from '../payouts/platform/platform.service.ts';
import { reconcileAccount } from './part.service.ts';
import { reconcileCoachQueue } from './queue.ts';
import { startNight } from './run.service.ts';
import { sweepOnce } from './sweep.service.ts';

const options = { timeZone: businessZone, region, memory: '512MiB', timeoutSeconds: 540 } as const;

/** Every night at 05:00, after the books: Stripe, the ledger and Fortnox at midnight; and whether the balance is enough. */
export const reconcile = guardedSchedule(
  onSchedule({ ...options, schedule: '0 5 * * *', retryCount: 2, secrets: stripeSecrets }, async (event) => {
    const ctx = await productionContext();
    await startNight(ctx, new Date(event.scheduleTime));
    await watchPlatformBalance(ctx);
  }),
);

const taskSchema = z.strictObject({
  run: z.string().regex(/^(reconciliations\/\d{4}-\d{2}-\d{2}|reconciliationRanges\/[^/]{1,300})$/),
  account: z.string().regex(/^(platform|acct_[A-Za-z0-9]{1,100})$/),
});

/** One account's part of a proof; the last one ends it, which asks Fortnox too. */
export const reconcileCoach = guardedTask(
  onTaskDispatched<unknown>(
    { ...baseOptions, ...reconcileCoachQueue, secrets: [...stripeSecrets, ...fortnoxSecrets] },
    async (request) => {
      const ctx = await productionContext();
      const last = request.retryCount >= reconcileCoachQueue.retryConfig.maxAttempts - 1;
      const delivery = { queue: 'reconcileCoach', id: request.id, data: request.data, last };
      await reconcileAccount(ctx, await taskInput(ctx, taskSchema, delivery), last);
    },
  ),
);

/** Every five minutes: repairs what was missed. A failed run is not repeated; the next one is near. */
export const sweep = guardedSchedule(
  onSchedule({ ...options, schedule: 'every 5 minutes', secrets: stripeSecrets }, async (event) => {
    await sweepOnce(await productionContext(), new Date(event.scheduleTime));
  }),
);
