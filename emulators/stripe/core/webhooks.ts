/** Who is told of an event, and what became of it. The core fills the outbox; whoever runs the core sends. */
import { createHmac } from 'node:crypto';
import type Stripe from 'stripe';
import { takeFault } from './faults.ts';
import { thinOf } from './thin.ts';
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
  /** The whole event, or its thin twin. */
  payload: 'snapshot' | 'thin';
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

/** Who an event is sent to, and in which of its two forms. */
export interface Target {
  id: string;
  url: string;
  secret: string;
  payload: 'snapshot' | 'thin';
}

const wants = (types: readonly string[], type: string): boolean => types.includes('*') || types.includes(type);

/** Everyone who asked for an event: webhook endpoints by their side of Connect, destinations by what they name. */
function targetsOf(world: World, event: { type: string; account?: string }): Target[] {
  const targets: Target[] = [];
  // Nobody hears of an account that is gone.
  if (event.account !== undefined && world.revoked.has(event.account)) return targets;
  const ofAccount = event.account !== undefined;
  for (const { object, secret, connect } of world.endpoints.values()) {
    if (connect !== ofAccount || object.status !== 'enabled' || !wants(object.enabled_events, event.type)) continue;
    targets.push({ id: object.id, url: object.url, secret, payload: 'snapshot' });
  }
  for (const { object, secret } of world.connect.destinations.values()) {
    const type = object.event_payload === 'thin' ? `v1.${event.type}` : event.type;
    const from = ofAccount ? '@accounts' : '@self';
    if (object.status !== 'enabled' || !object.events_from!.includes(from)) continue;
    if (!wants(object.enabled_events, type)) continue;
    targets.push({ id: object.id, url: object.webhook_endpoint!.url!, secret, payload: object.event_payload });
  }
  return targets;
}

/** Puts an event's deliveries into the outbox and says how many endpoints wait for it. */
export function enqueue(world: World, event: { id: string; type: string; account?: string }): number {
  const targets = targetsOf(world, event);
  send(world, event, targets);
  return targets.filter((target) => target.payload === 'snapshot').length;
}

/** Puts one delivery for each target into the outbox, as the injected faults have it. */
export function send(
  world: World,
  event: { id: string; type: string; account?: string },
  targets: readonly Target[],
): void {
  for (const target of targets) {
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
        endpointId: target.id,
        url: target.url,
        secret: target.secret,
        payload: target.payload,
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
  if (ok && event && !delivery.copy && delivery.payload === 'snapshot')
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
  const sent =
    delivery.payload === 'snapshot' ? event : event ? thinOf(event) : world.connect.ownEvents.get(delivery.eventId);
  if (!sent) throw new Error(`The event ${delivery.eventId} is gone.`);
  const body = JSON.stringify(sent, null, 2);
  return { body, signature: sign(body, delivery.secret, atSeconds) };
}

export function sign(body: string, secret: string, atSeconds: number): string {
  const at = Math.floor(atSeconds);
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
}
