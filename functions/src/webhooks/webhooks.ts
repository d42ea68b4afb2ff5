import type { Timestamp, Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Context } from '../platform/context.ts';
import type { Write } from '../platform/write.ts';

/** What came of an event. Each is committed together with its effects, before Stripe gets its 2xx. */
export type Outcome =
  | {
      outcome: 'applied';
      writes: Write[];
      /** Paths of documents that came to be: events parked for them are applied next. */
      created?: string[];
      /**
       * What follows from the commit and may wait: asking Stripe for a transfer, say. It runs after Stripe's 2xx is sure;
       * its failure is logged and left to the sweep, so it must be written down in `writes` that it is to be done.
       */
      then?: ((ctx: Context) => Promise<void>)[];
    }
  | {
      outcome: 'parked';
      /** Path of the document the event waits for. */
      waitingFor: string;
    };

/**
 * How one type of event is handled. `fetch` runs before the transaction (Stripe calls cannot run inside one); its result
 * is stored with the event, so it is plain JSON. `plan` reads, decides and returns writes; it must give the same end in any
 * order and any number of times.
 */
export interface EventHandler<F = unknown> {
  fetch(ctx: Context, event: Stripe.Event): Promise<F>;
  plan(ctx: Context, tx: Transaction, event: Stripe.Event, fetched: F): Promise<Outcome>;
}

/** Erases what a handler fetches, so that handlers of different events share one table. */
export function handler<F>(spec: EventHandler<F>): EventHandler {
  return {
    fetch: (ctx, event) => spec.fetch(ctx, event),
    plan: (ctx, tx, event, fetched) => spec.plan(ctx, tx, event, fetched as F),
  };
}

/** For handlers that need nothing beyond the event itself. */
export const nothingToFetch = async (): Promise<null> => null;

export type DispatchTable = Partial<Record<Stripe.Event['type'], EventHandler>>;

/** Thrown by a plan whose document changed after its object was fetched: fetch again and plan anew. */
export class StaleFetch extends Error {}

export type EventState = 'applied' | 'failed' | 'parked' | 'ignored';

/** `stripeEvents/{eventId}`. */
export interface StoredEvent {
  type: string;
  account?: string;
  livemode: boolean;
  apiVersion: string | null;
  /** When Stripe made it. */
  created: Timestamp;
  state: EventState;
  /** The whole envelope; left out of `ignored` ones. */
  payload?: Stripe.Event;
  /** A thin notification whose event could not be fetched yet, as JSON. */
  notification?: string;
  fetched?: unknown;
  attempts: number;
  error?: string;
  waitingFor?: string;
  receivedAt: Timestamp;
  appliedAt?: Timestamp;
  /** TTL of ignored envelopes. */
  expiresAt?: Timestamp;
}

/** An event once applied is never applied again; everything else may still be. */
export function needsApplying(stored: Pick<StoredEvent, 'state'> | undefined): boolean {
  return stored?.state !== 'applied' && stored?.state !== 'ignored';
}

/** The type of the whole event that a thin notification is about: "v1.payout.failed" is "payout.failed"; v2's own have none. */
export function v1TypeOf(thinType: string): Stripe.Event['type'] | undefined {
  return thinType.startsWith('v1.') ? (thinType.slice(3) as Stripe.Event['type']) : undefined;
}

/**
 * A whole event made of a thin notification and of what it is about, as that is now. Handlers merge states, so news that
 * is fresher than its event does no harm.
 */
export function thinEnvelope(
  notification: Pick<Stripe.V2.Core.EventNotification, 'id' | 'created' | 'livemode'>,
  type: Stripe.Event['type'],
  account: string | undefined,
  object: object,
): Stripe.Event {
  const envelope = {
    id: notification.id,
    object: 'event',
    type,
    created: Math.floor(Date.parse(notification.created) / 1000),
    livemode: notification.livemode,
    api_version: null,
    pending_webhooks: 0,
    request: null,
    ...(account === undefined ? {} : { account }),
    data: { object },
  };
  return envelope as unknown as Stripe.Event;
}
