import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { raiseFlag } from '../admin/flags.service.ts';
import { days, hours, minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { runWrites } from '../platform/write.ts';
import { dispatchTable } from './dispatch.ts';
import * as logs from './webhooks.logs.ts';
import * as store from './webhooks.store.ts';
import { needsApplying, StaleFetch, type EventHandler, type StoredEvent } from './webhooks.ts';

/** Ignored envelopes are kept this long, for a person who looks for one. */
const ignoredLifetimeMs = days(30);
/** A document that changes between fetch and commit is fetched again at most so often within one delivery. */
const maxFetches = 4;
const releaseLimit = 100;

export type Receipt = 'applied' | 'repeated' | 'parked' | 'ignored' | 'failed';

/**
 * Applies one event: its effects and `applied` in one commit. What could not be applied is stored `failed`, for Stripe's
 * retry and the sweep. Safe to call any number of times, at once and in any order.
 */
export async function receiveEvent(ctx: Context, event: Stripe.Event): Promise<Receipt> {
  const handler = dispatchTable[event.type];
  if (!handler) return ignore(ctx, event);
  const known = await store.readEvent(ctx.db, event.id);
  if (!needsApplying(known)) {
    logs.eventRepeated(ctx.log, event);
    return 'repeated';
  }
  try {
    const { receipt, created } = await applyFresh(ctx, event, handler);
    for (const path of created) await releaseParked(ctx, path);
    return receipt;
  } catch (error) {
    logs.eventFailed(ctx.log, event, messageOf(error));
    await storeFailure(ctx, event, messageOf(error));
    return 'failed';
  }
}

interface Applied {
  receipt: Receipt;
  created: string[];
}

async function applyFresh(ctx: Context, event: Stripe.Event, handler: EventHandler): Promise<Applied> {
  for (let fetches = 1; ; fetches++) {
    const fetched = await handler.fetch(ctx, event);
    try {
      return await commit(ctx, event, handler, fetched);
    } catch (error) {
      if (!(error instanceof StaleFetch) || fetches >= maxFetches) throw error;
    }
  }
}

function commit(ctx: Context, event: Stripe.Event, handler: EventHandler, fetched: unknown): Promise<Applied> {
  return ctx.db.runTransaction(async (tx): Promise<Applied> => {
    const stored = await store.readEvent(ctx.db, event.id, tx);
    if (!needsApplying(stored)) {
      logs.eventRepeated(ctx.log, event);
      return { receipt: 'repeated', created: [] };
    }
    const outcome = await handler.plan(ctx, tx, event, fetched);
    const envelope = envelopeOf(ctx, event, stored);
    if (outcome.outcome === 'parked') {
      store.writeEvent(ctx.db, tx, event.id, {
        ...envelope,
        state: 'parked',
        payload: event,
        waitingFor: outcome.waitingFor,
      });
      logs.eventParked(ctx.log, event, outcome.waitingFor);
      return { receipt: 'parked', created: [] };
    }
    runWrites(tx, outcome.writes);
    const appliedAt = Timestamp.fromDate(ctx.clock.now());
    store.writeEvent(ctx.db, tx, event.id, {
      ...envelope,
      state: 'applied',
      payload: event,
      fetched: fetched ?? null,
      appliedAt,
    });
    logs.eventApplied(ctx.log, event, envelope.attempts);
    return { receipt: 'applied', created: outcome.created ?? [] };
  });
}

/** Applies the events that waited for the document at this path. Call it after the commit that made the document. */
export async function releaseParked(ctx: Context, path: string): Promise<void> {
  for (const { stored } of await store.parkedFor(ctx.db, path, releaseLimit)) {
    if (stored.payload) await receiveEvent(ctx, stored.payload);
  }
}

async function ignore(ctx: Context, event: Stripe.Event): Promise<Receipt> {
  const expiresAt = Timestamp.fromMillis(ctx.clock.now().getTime() + ignoredLifetimeMs);
  await store
    .eventRef(ctx.db, event.id)
    .set({ ...envelopeOf(ctx, event, undefined), state: 'ignored', expiresAt } satisfies StoredEvent);
  return 'ignored';
}

async function storeFailure(ctx: Context, event: Stripe.Event, error: string): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    const stored = await store.readEvent(ctx.db, event.id, tx);
    // Another delivery of the same event may have applied it meanwhile; that must stand.
    if (!needsApplying(stored)) return;
    const envelope = envelopeOf(ctx, event, stored);
    store.writeEvent(ctx.db, tx, event.id, {
      ...envelope,
      state: 'failed',
      payload: event,
      error: error.slice(0, 1000),
    });
  });
}

function envelopeOf(ctx: Context, event: Stripe.Event, stored: StoredEvent | undefined): Omit<StoredEvent, 'state'> {
  return {
    type: event.type,
    ...(event.account ? { account: event.account } : {}),
    livemode: event.livemode,
    apiVersion: event.api_version,
    created: Timestamp.fromMillis(event.created * 1000),
    attempts: (stored?.attempts ?? 0) + 1,
    receivedAt: stored?.receivedAt ?? Timestamp.fromDate(ctx.clock.now()),
  };
}

/** How long an event may stay failed or parked before a person hears of it. */
const patienceMs = hours(1);
const recoverLimit = 200;

/**
 * For the sweep: fetches the platform's events that Stripe could not deliver, and applies failed and parked ones again.
 * (Connected accounts' events are not in the platform's list; their payouts are polled instead.)
 */
export async function recoverEvents(ctx: Context, now: Date): Promise<{ undelivered: number; again: number }> {
  const undelivered = await recoverUndelivered(ctx, now);
  let again = 0;
  for (const state of ['failed', 'parked'] as const) {
    for (const { id, stored } of await store.inState(
      ctx.db,
      state,
      new Date(now.getTime() - minutes(1)),
      recoverLimit,
    )) {
      if (!stored.payload) continue;
      const receipt = await receiveEvent(ctx, stored.payload);
      again++;
      const stays = receipt === 'failed' || receipt === 'parked';
      if (stays && now.getTime() - stored.receivedAt.toMillis() > patienceMs) await flagStuck(ctx, id, stored, receipt);
    }
  }
  return { undelivered, again };
}

async function recoverUndelivered(ctx: Context, now: Date): Promise<number> {
  const stripe = await ctx.stripe();
  const since = Math.floor((now.getTime() - days(3)) / 1000);
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
      if (count >= recoverLimit) return count;
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
