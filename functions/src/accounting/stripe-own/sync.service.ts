import type { Context } from '../../platform/context.ts';
import { messageOf, Refusal } from '../../platform/errors.ts';
import type { SyncResult } from '../accounting.service.ts';
import { collectOwn } from './collect.service.ts';
import * as logs from './stripe-own.logs.ts';

/**
 * What Stripe moved for no sale is booked first, so that the books have it too. Where Stripe does not answer they are synced
 * without it, and the refusal at the end has the schedule run again. Throws Refusal.
 */
export async function syncAfterStripe(ctx: Context, sync: () => Promise<SyncResult>): Promise<SyncResult> {
  const failure = await collectOwn(ctx).then(() => undefined, messageOf);
  const result = await sync();
  if (failure === undefined) return result;
  logs.unread(ctx.log, failure);
  throw new Refusal(
    'unavailable',
    'stripe-unread',
    "The books are synced, but Stripe's own fees, reserves and top-ups could not be read. Sync again in a few minutes.",
  );
}
