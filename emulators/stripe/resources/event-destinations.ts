/** Event destinations (v2): where events are sent, thin or as snapshots, of the platform and of its accounts. */
import type Stripe from 'stripe';
import type { Destination, ThinEvent } from '../core/connect-world.ts';
import { badParam, missing, refused } from '../core/errors.ts';
import { mergeMetadata } from '../core/params.ts';
import { isoTime } from '../core/thin.ts';
import { isThinType } from '../core/thin-types.ts';
import { send } from '../core/webhooks.ts';
import { API_VERSION } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';
import { v2Page } from './v2-list.ts';
import type { V2Paging } from './v2-list.ts';

type Core = Stripe.V2.Core.EventDestination;
const PING = 'v2.core.event_destination.ping';
const SOURCES = ['@self', '@accounts'];

function requireEvents(payload: string, types: readonly string[]): void {
  if (types.length === 0) throw badParam('enabled_events', 'Name at least one event type.', 'invalid_fields');
  for (const type of types) {
    const known = payload === 'thin' ? isThinType(type) || type === PING : type === '*' || isThinType(`v1.${type}`);
    if (known) continue;
    throw badParam(
      'enabled_events',
      `There is no ${payload} event '${type}'. ` +
        (payload === 'thin'
          ? 'Thin events of v1 objects begin with v1., such as v1.payout.failed, and are named one by one.'
          : 'Snapshot events are those of v1, such as payout.failed, or * for all of them.'),
      'invalid_fields',
    );
  }
}

function requireUrl(url: string | undefined): string {
  if (url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  throw badParam('webhook_endpoint.url', `Invalid URL: ${url ?? '(none)'}`, 'invalid_fields');
}

/** What is shown of a destination: its address and its secret only when they are asked for. */
function shown(destination: Destination, include: readonly string[] = [], isNew = false): Core {
  const { webhook_endpoint: endpoint, ...rest } = destination.object;
  const parts = {
    ...(include.includes('webhook_endpoint.url') ? { url: endpoint!.url! } : {}),
    ...(isNew && include.includes('webhook_endpoint.signing_secret') ? { signing_secret: destination.secret } : {}),
  };
  return Object.keys(parts).length > 0 ? { ...rest, webhook_endpoint: parts } : rest;
}

export function createDestination(world: World, _: Book, params: Stripe.V2.Core.EventDestinationCreateParams): Core {
  const { event_payload: payload, events_from: from = ['@self'] } = params;
  requireEvents(payload, params.enabled_events);
  const strange = from.find((each) => !SOURCES.includes(each));
  if (strange !== undefined || from.length === 0) {
    throw badParam(
      'events_from',
      `events_from takes ${SOURCES.join(' and ')}, not '${strange ?? ''}'.`,
      'invalid_fields',
    );
  }
  if ((payload === 'snapshot') !== (params.snapshot_api_version !== undefined)) {
    throw badParam(
      'snapshot_api_version',
      'snapshot_api_version is required with an event_payload of snapshot, and only with that.',
      'invalid_fields',
    );
  }
  if (params.snapshot_api_version !== undefined && params.snapshot_api_version !== API_VERSION) {
    throw badParam('snapshot_api_version', `The emulator speaks ${API_VERSION} only.`, 'invalid_fields');
  }
  if (world.connect.destinations.size + world.endpoints.size >= 16) {
    throw refused('You have reached the maximum of 16 event destinations.');
  }
  const url = requireUrl(params.webhook_endpoint?.url);
  const now = isoTime(world.now);
  const destination: Destination = {
    object: {
      id: world.ids.next('ed_test', 24),
      object: 'v2.core.event_destination',
      created: now,
      description: params.description ?? '',
      enabled_events: params.enabled_events,
      event_payload: payload,
      events_from: from,
      livemode: false,
      metadata: mergeMetadata({}, params.metadata),
      name: params.name,
      ...(params.snapshot_api_version === undefined ? {} : { snapshot_api_version: params.snapshot_api_version }),
      status: 'enabled',
      type: 'webhook_endpoint',
      updated: now,
      webhook_endpoint: { url },
    },
    secret: world.ids.next('whsec', 32),
  };
  world.connect.destinations.set(destination.object.id, destination);
  return shown(destination, params.include, true);
}

/** A destination of thin events with a secret of one's own choice, for the control API. */
export function registerThin(
  world: World,
  order: { url: string; secret: string; connect: boolean; enabledEvents: string[] },
): string {
  const { id } = createDestination(world, world.platform, {
    name: 'control',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: order.enabledEvents,
    events_from: [order.connect ? '@accounts' : '@self'],
    webhook_endpoint: { url: order.url },
  });
  destinationNamed(world, id).secret = order.secret;
  return id;
}

function destinationNamed(world: World, id: string): Destination {
  const destination = world.connect.destinations.get(id);
  if (!destination) throw missing('event destination', id, 'id', 404);
  return destination;
}

function change(world: World, id: string, patch: (before: Core) => Partial<Core>): Destination {
  const before = destinationNamed(world, id);
  const { status_details: _, ...rest } = before.object;
  const object = { ...rest, ...patch(before.object), updated: isoTime(world.now) };
  const after: Destination = { ...before, object };
  world.connect.destinations.set(id, after);
  return after;
}

export const retrieveDestination = (
  world: World,
  _: Book,
  params: Stripe.V2.Core.EventDestinationRetrieveParams,
  [id = '']: string[],
) => shown(destinationNamed(world, id), params.include);

export function updateDestination(
  world: World,
  _: Book,
  params: Stripe.V2.Core.EventDestinationUpdateParams,
  [id = '']: string[],
): Core {
  const after = change(world, id, (before) => {
    if (params.enabled_events) requireEvents(before.event_payload, params.enabled_events);
    return {
      description: params.description ?? before.description,
      enabled_events: params.enabled_events ?? before.enabled_events,
      metadata: mergeMetadata(before.metadata ?? {}, params.metadata),
      name: params.name ?? before.name,
      ...(params.webhook_endpoint ? { webhook_endpoint: { url: requireUrl(params.webhook_endpoint.url) } } : {}),
      ...(before.status_details ? { status_details: before.status_details } : {}),
    };
  });
  return shown(after, params.include);
}

export const listDestinations = (
  world: World,
  _: Book,
  params: Stripe.V2.Core.EventDestinationListParams & V2Paging,
) => {
  const newest = [...world.connect.destinations.values()].reverse();
  const { data, ...rest } = v2Page(newest, '/v2/core/event_destinations', params, (each) => each.object.id);
  return { data: data.map((each) => shown(each, params.include)), ...rest };
};

export function deleteDestination(world: World, _: Book, __: object, [id = '']: string[]): Stripe.V2.DeletedObject {
  destinationNamed(world, id);
  world.connect.destinations.delete(id);
  return { id, object: 'v2.core.event_destination' };
}

export const enableDestination = (world: World, _: Book, __: object, [id = '']: string[]): Core =>
  shown(change(world, id, () => ({ status: 'enabled' })));

export const disableDestination = (world: World, _: Book, __: object, [id = '']: string[]): Core =>
  shown(change(world, id, () => ({ status: 'disabled', status_details: { disabled: { reason: 'user' } } })));

/** Sends a `ping`, whatever the destination's own events are. */
export function pingDestination(world: World, _: Book, __: object, [id = '']: string[]): ThinEvent {
  const destination = destinationNamed(world, id);
  if (destination.object.status !== 'enabled') throw refused('The event destination is disabled: enable it first.');
  const event: ThinEvent = {
    id: world.ids.next('evt_65', 24),
    object: 'v2.core.event',
    type: PING,
    created: isoTime(world.now),
    livemode: false,
    ...(world.request?.id
      ? {
          reason: {
            type: 'request',
            request: { id: world.request.id, idempotency_key: world.request.idempotency_key ?? '' },
          },
        }
      : {}),
    related_object: {
      id,
      type: 'v2.core.event_destination',
      url: `/v2/core/event_destinations/${id}`,
    },
  };
  world.connect.ownEvents.set(event.id, event);
  send(world, { id: event.id, type: PING }, [
    { id, url: destination.object.webhook_endpoint!.url!, secret: destination.secret, payload: 'thin' },
  ]);
  return event;
}
