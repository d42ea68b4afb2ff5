import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { days } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { classifyStripeError } from '../platform/stripe.ts';
import { dispatchTable } from './dispatch.ts';
import * as logs from './webhooks.logs.ts';
import { receiveEvent, type Receipt } from './webhooks.service.ts';
import * as store from './webhooks.store.ts';
import { needsApplying, thinEnvelope, v1TypeOf, type StoredEvent } from './webhooks.ts';

type Notification = Stripe.V2.Core.EventNotification;

/** As long as the envelopes of whole events that nobody handles. */
const ignoredLifetimeMs = days(30);

/**
 * Applies a thin notification, which names what happened and carries nothing of it. Where Stripe keeps a whole event beside
 * it, that is fetched and applied under its own id, so that it counts once however it is delivered; else what it is about is
 * fetched and applied as it is now. What cannot be fetched is stored `failed` and tried again by Stripe and by the sweep.
 */
export async function receiveNotification(ctx: Context, notification: Notification): Promise<Receipt> {
  const type = v1TypeOf(notification.type);
  if (type === undefined || !dispatchTable[type]) return ignore(ctx, notification);
  if (!needsApplying(await store.readEvent(ctx.db, notification.id))) return 'repeated';
  try {
    const event = await wholeEvent(ctx, notification, type);
    const receipt = await receiveEvent(ctx, event);
    // One that failed before and now stands under the whole event's id is settled.
    if (event.id !== notification.id) await store.forgetNotification(ctx.db, notification.id);
    return receipt;
  } catch (error) {
    logs.notificationFailed(ctx.log, notification.id, notification.type, messageOf(error));
    await storeFailure(ctx, notification, messageOf(error));
    return 'failed';
  }
}

/** The same for a notification that was stored `failed`. */
export async function receiveStoredNotification(ctx: Context, raw: string): Promise<Receipt> {
  const stripe = await ctx.stripe();
  return receiveNotification(ctx, stripe.parseEventNotificationWithoutVerification(raw));
}

async function wholeEvent(ctx: Context, notification: Notification, type: Stripe.Event['type']): Promise<Stripe.Event> {
  const account = notification.context?.toString();
  const kept = notification.snapshot_event ?? (await snapshotOf(notification));
  if (kept !== undefined) {
    const stripe = await ctx.stripe();
    const event = await stripe.events.retrieve(kept, {}, account === undefined ? {} : { stripeAccount: account });
    return account === undefined ? event : { ...event, account };
  }
  if (!('fetchRelatedObject' in notification)) throw new Error(`${notification.type} names nothing to fetch.`);
  const object: unknown = await notification.fetchRelatedObject();
  if (typeof object !== 'object' || object === null) throw new Error(`${notification.type} is about nothing.`);
  return thinEnvelope(notification, type, account, object);
}

/** The notification may leave out what the event behind it has. An event that Stripe does not show has none. */
async function snapshotOf(notification: Notification): Promise<string | undefined> {
  try {
    return (await notification.fetchEvent()).snapshot_event;
  } catch (error) {
    if (classifyStripeError(error).kind === 'refused') return undefined;
    throw error;
  }
}

async function ignore(ctx: Context, notification: Notification): Promise<Receipt> {
  const expiresAt = Timestamp.fromMillis(ctx.clock.now().getTime() + ignoredLifetimeMs);
  await store.eventRef(ctx.db, notification.id).set({
    ...envelopeOf(ctx, notification, undefined),
    state: 'ignored',
    expiresAt,
  } satisfies StoredEvent);
  return 'ignored';
}

async function storeFailure(ctx: Context, notification: Notification, error: string): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    const stored = await store.readEvent(ctx.db, notification.id, tx);
    if (!needsApplying(stored)) return;
    store.writeEvent(ctx.db, tx, notification.id, {
      ...envelopeOf(ctx, notification, stored),
      state: 'failed',
      notification: JSON.stringify({ ...notification, context: notification.context?.toString() ?? null }),
      error: error.slice(0, 1000),
    });
  });
}

function envelopeOf(
  ctx: Context,
  notification: Notification,
  stored: StoredEvent | undefined,
): Omit<StoredEvent, 'state'> {
  const account = notification.context?.toString();
  return {
    type: notification.type,
    ...(account === undefined ? {} : { account }),
    livemode: notification.livemode,
    apiVersion: null,
    created: Timestamp.fromDate(new Date(notification.created)),
    attempts: (stored?.attempts ?? 0) + 1,
    receivedAt: stored?.receivedAt ?? Timestamp.fromDate(ctx.clock.now()),
  };
}
