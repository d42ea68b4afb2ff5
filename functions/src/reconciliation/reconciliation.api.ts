import { onSchedule } from 'firebase-functions/scheduler';
import { region } from '../config.ts';
import { businessZone } from '../platform/clock.ts';
import { productionContext } from '../platform/context.ts';
import { guardedSchedule } from '../platform/entrance-guard.ts';
import { fortnoxSecrets, stripeSecrets } from '../platform/entrance.ts';
import { watchPlatformBalance } from '../payouts/platform/platform.service.ts';
import { reconcileDay } from './reconciliation.service.ts';
import { sweepOnce } from './sweep.service.ts';

const options = { timeZone: businessZone, region, memory: '512MiB', timeoutSeconds: 540 } as const;

/** Every night at 05:00, after the books: Stripe, the ledger and Fortnox at midnight; and whether the balance is enough. */
export const reconcile = guardedSchedule(
  onSchedule(
    { ...options, schedule: '0 5 * * *', retryCount: 2, secrets: [...stripeSecrets, ...fortnoxSecrets] },
    async (event) => {
      const ctx = await productionContext();
      await reconcileDay(ctx, new Date(event.scheduleTime));
      await watchPlatformBalance(ctx);
    },
  ),
);

/** Every five minutes: repairs what was missed. A failed run is not repeated; the next one is near. */
export const sweep = guardedSchedule(
  onSchedule({ ...options, schedule: 'every 5 minutes', secrets: stripeSecrets }, async (event) => {
    await sweepOnce(await productionContext(), new Date(event.scheduleTime));
  }),
);
