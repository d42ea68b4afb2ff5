import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { CallBudget } from '../platform/call-budget.ts';
import { days } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { runWrites } from '../platform/write.ts';
import { dispatchTable } from './dispatch.ts';
import { ignoredTypes } from './ignored.ts';
import { compareVersion } from './version.service.ts';
import * as logs from './webhooks.logs.ts';
import * as store from './webhooks.store.ts';
import { needsApplying, StaleFetch, type EventHandler, type StoredEvent } from './webhooks.ts';

/** Ignored envelopes are kept this long, for a person who looks for one. */
const ignoredLifetimeMs = days(30);
/** A document that changes between fetch and commit is fetched again at most so often within one delivery. */
const maxFetches = 4;
const releaseLimit = 100;
/**
 * What fetching for one delivery of an event may cost. Stripe waits 10 to 30 s for an answer; what takes longer or needs
 * more is stored `failed` and tried again by the sweep, which nobody waits for.
 */
const fetchLimits = { calls: 30, ms: 20_000 };

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
  await followUp(ctx, event, (c) => compareVersion(c, event));
  try {
    const { receipt, created, then } = await applyFresh(ctx, event, handler);
    for (const path of created) await releaseParked(ctx, path);
    for (const follow of then) await followUp(ctx, event, follow);
    return receipt;
  } catch (error) {
    logs.eventFailed(ctx.log, event, messageOf(error));
    await storeFailure(ctx, event, messageOf(error));
    return 'failed';
  }
}

/** What goes with an event and must not decide about it: what is applied stays applied, whatever becomes of this. */
async function followUp(ctx: Context, event: Stripe.Event, follow: (ctx: Context) => Promise<void>): Promise<void> {
  try {
    await follow(ctx);
  } catch (error) {
    logs.followUpFailed(ctx.log, event, messageOf(error));
  }
}

interface Applied {
  receipt: Receipt;
  created: string[];
  then: ((ctx: Context) => Promise<void>)[];
}

async function applyFresh(ctx: Context, event: Stripe.Event, handler: EventHandler): Promise<Applied> {
  const budget = new CallBudget(fetchLimits);
  for (let fetches = 1; ; fetches++) {
    const fetched = await budget.run(() => handler.fetch(ctx, event));
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
      return { receipt: 'repeated', created: [], then: [] };
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
      return { receipt: 'parked', created: [], then: [] };
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
    return { receipt: 'applied', created: outcome.created ?? [], then: outcome.then ?? [] };
  });
}

/** Applies the events that waited for the document at this path. Call it after the commit that made the document. */
export async function releaseParked(ctx: Context, path: string): Promise<void> {
  for (const { stored } of await store.parkedFor(ctx.db, path, releaseLimit)) {
    if (stored.payload) await receiveEvent(ctx, stored.payload);
  }
}

async function ignore(ctx: Context, event: Stripe.Event): Promise<Receipt> {
  if (!ignoredTypes[event.type]) logs.eventUnlisted(ctx.log, event);
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
