import { raiseFlag } from '../admin/flags.service.ts';
import { days, hours, minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { dispatchTable } from './dispatch.ts';
import { receiveStoredNotification } from './thin.service.ts';
import { receiveEvent, type Receipt } from './webhooks.service.ts';
import * as store from './webhooks.store.ts';
import { needsApplying, type StoredEvent } from './webhooks.ts';

/** How long an event may stay failed or parked before a person hears of it. */
const patienceMs = hours(1);
const recoverLimit = 200;
/** Stripe tries to deliver for three days: what the sweep looks for. It remembers events for thirty. */
const lately = days(3);
const remembered = days(30);
/** Of one night, after an outage. */
const nightLimit = 5_000;

/**
 * For the sweep: fetches the platform's events that Stripe could not deliver, and applies failed and parked ones again.
 * (Connected accounts' events are not in the platform's list; their payouts are polled instead.)
 */
export async function recoverEvents(ctx: Context, now: Date): Promise<{ undelivered: number; again: number }> {
  const undelivered = await recoverUndelivered(ctx, now, { withinMs: lately, limit: recoverLimit });
  let again = 0;
  for (const state of ['failed', 'parked'] as const) {
    for (const { id, stored } of await store.inState(
      ctx.db,
      state,
      new Date(now.getTime() - minutes(1)),
      recoverLimit,
    )) {
      const receipt = await receiveAgain(ctx, stored);
      if (receipt === undefined) continue;
      again++;
      const stays = receipt === 'failed' || receipt === 'parked';
      if (stays && now.getTime() - stored.receivedAt.toMillis() > patienceMs) await flagStuck(ctx, id, stored, receipt);
    }
  }
  return { undelivered, again };
}

/** For the night: the same of all that Stripe remembers, in case the sweep stood still for longer than it looks back. */
export function recoverForgotten(ctx: Context, now: Date): Promise<number> {
  return recoverUndelivered(ctx, now, { withinMs: remembered, limit: nightLimit });
}

async function receiveAgain(ctx: Context, stored: StoredEvent): Promise<Receipt | undefined> {
  if (stored.payload) return receiveEvent(ctx, stored.payload);
  return stored.notification === undefined ? undefined : receiveStoredNotification(ctx, stored.notification);
}

async function recoverUndelivered(
  ctx: Context,
  now: Date,
  { withinMs, limit }: { withinMs: number; limit: number },
): Promise<number> {
  const stripe = await ctx.stripe();
  const since = Math.floor((now.getTime() - withinMs) / 1000);
  const types = Object.keys(dispatchTable);
  let count = 0;
  for (let at = 0; at < types.length; at += 20) {
    // Stripe takes at most 20 types a call.
    const list = stripe.events.list({
      delivery_success: false,
      types: types.slice(at, at + 20),
      created: { gte: since },
      limit: 100,
    });
    for await (const event of list) {
      if (needsApplying(await store.readEvent(ctx.db, event.id))) {
        await receiveEvent(ctx, event);
        count++;
      }
      if (count >= limit) return count;
    }
  }
  return count;
}

function flagStuck(ctx: Context, id: string, stored: StoredEvent, receipt: Receipt): Promise<void> {
  return raiseFlag(ctx, {
    id: `event-${receipt}_${id}`,
    kind: `event-${receipt}`,
    severity: 'critical',
    subject: `stripeEvents/${id}`,
    message:
      receipt === 'parked'
        ? `${stored.type} has waited over an hour for ${stored.waitingFor ?? 'an object'} that we do not know.`
        : `${stored.type} could not be applied for over an hour: ${stored.error ?? 'no error kept'}`,
    action:
      'Look the object up in the Stripe dashboard. The sweep keeps trying; it clears itself once the cause is mended.',
  });
}
