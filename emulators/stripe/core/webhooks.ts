/** Who is told of an event, and what became of it. The core fills the outbox; whoever runs the core sends. */
import { createHmac } from 'node:crypto';
import type Stripe from 'stripe';
import { takeFault } from './faults.ts';
import type { World } from './world.ts';

export interface Endpoint {
  object: Stripe.WebhookEndpoint;
  secret: string;
  /** True: events of connected accounts, and only those. False: the platform's own, and only those. */
  connect: boolean;
}

export interface Delivery {
  id: string;
  eventId: string;
  eventType: string;
  account: string | null;
  endpointId: string;
  url: string;
  secret: string;
  /** `pending` until a 2xx (`succeeded`), the last retry (`failed`) or a fault that swallowed it (`dropped`). */
  status: 'pending' | 'succeeded' | 'failed' | 'dropped';
  attempts: number;
  /** The answer of the last attempt: a status code or what went wrong. */
  lastResult: number | string | null;
  /** The second of two copies: the event's `pending_webhooks` does not count it. */
  copy: boolean;
  /** Milliseconds of real time an injected fault holds it back. */
  delayMs: number;
}

const matches = (endpoint: Endpoint, type: string): boolean =>
  endpoint.object.enabled_events.includes('*') || endpoint.object.enabled_events.includes(type);

/** Puts an event's deliveries into the outbox and says how many endpoints wait for it. */
export function enqueue(world: World, event: { id: string; type: string; account?: string }): number {
  let waiting = 0;
  for (const endpoint of world.endpoints.values()) {
    const wanted = endpoint.connect === (event.account !== undefined);
    if (!wanted || endpoint.object.status !== 'enabled' || !matches(endpoint, event.type)) continue;
    waiting += 1;
    const about = { account: event.account ?? null, eventType: event.type };
    const dropped = takeFault(world, 'drop_delivery', about) !== undefined;
    const copies = takeFault(world, 'duplicate_delivery', about) ? 2 : 1;
    const delayed = takeFault(world, 'delay_delivery', about);
    const shuffled = takeFault(world, 'shuffle_deliveries', about);
    const delayMs = (delayed?.delayMs ?? 0) + (shuffled ? world.ids.random(Math.max(1, shuffled.delayMs)) : 0);
    for (let copy = 0; copy < copies; copy++) {
      const delivery: Delivery = {
        id: world.ids.next('del'),
        eventId: event.id,
        eventType: event.type,
        account: event.account ?? null,
        endpointId: endpoint.object.id,
        url: endpoint.object.url,
        secret: endpoint.secret,
        status: dropped ? 'dropped' : 'pending',
        attempts: 0,
        lastResult: dropped ? 'dropped by an injected fault' : null,
        copy: copy > 0,
        delayMs,
      };
      world.deliveries.set(delivery.id, delivery);
      if (!dropped && world.switches.deliveries === 'automatic') world.outbox.push(delivery);
    }
  }
  return waiting;
}

/** Records an attempt. `final` says that no other will follow. */
export function recordAttempt(world: World, id: string, result: number | string, final: boolean): void {
  const delivery = world.deliveries.get(id);
  if (!delivery) return;
  const ok = typeof result === 'number' && result >= 200 && result < 300;
  delivery.attempts += 1;
  delivery.lastResult = result;
  if (delivery.status === 'succeeded') return;
  if (ok) delivery.status = 'succeeded';
  else if (final) delivery.status = 'failed';
  const event = world.events.get(delivery.eventId);
  if (ok && event && !delivery.copy)
    world.events.update(event.id, { pending_webhooks: Math.max(0, event.pending_webhooks - 1) });
}

/**
 * The body and the `Stripe-Signature` of a delivery.
 * @param atSeconds Unix seconds of the real clock: the receiver's tolerance looks at it.
 */
export function signedPayload(
  world: World,
  delivery: Delivery,
  atSeconds: number,
): { body: string; signature: string } {
  const event = world.events.get(delivery.eventId);
  if (!event) throw new Error(`The event ${delivery.eventId} is gone.`);
  const body = JSON.stringify(event, null, 2);
  return { body, signature: sign(body, delivery.secret, atSeconds) };
}

export function sign(body: string, secret: string, atSeconds: number): string {
  const at = Math.floor(atSeconds);
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
}
