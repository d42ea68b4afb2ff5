/** Reading events, and the endpoints they are delivered to. */
import type Stripe from 'stripe';
import { badParam, missing } from '../core/errors.ts';
import { inRange, page } from '../core/list.ts';
import { mergeMetadata, textOrNull } from '../core/params.ts';
import type { ExpandOnly } from '../core/params.ts';
import type { Endpoint } from '../core/webhooks.ts';
import { API_VERSION } from '../core/world.ts';
import type { Book, World } from '../core/world.ts';

/** Stripe keeps events this long. */
const RETENTION = 30 * 86_400;

export const belongs = (world: World, book: Book, event: Stripe.EventBase) =>
  (event.account ?? world.platform.account) === book.account && world.now - event.created <= RETENTION;

export function retrieveEvent(world: World, book: Book, _: ExpandOnly, [id = '']: string[]): Stripe.EventBase {
  const event = world.events.get(id);
  if (!event || !belongs(world, book, event)) throw missing('event', id, 'id', 404);
  return event;
}

export function listEvents(world: World, book: Book, params: Stripe.EventListParams) {
  if (params.type !== undefined && params.types !== undefined) {
    throw badParam('type', 'You may pass either `type` or `types`, but not both.');
  }
  const wanted = params.types ?? (params.type === undefined ? undefined : [params.type]);
  const delivered = params.delivery_success === undefined ? undefined : undeliveredEvents(world);
  return page(
    world.events,
    '/v1/events',
    params,
    (event) =>
      belongs(world, book, event) &&
      inRange(event.created, params.created) &&
      (wanted === undefined || wanted.some((type) => matches(type, event.type))) &&
      (delivered === undefined || delivered.has(event.id) === (params.delivery_success === false)),
  );
}

const matches = (wanted: string, type: string) =>
  wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : wanted === type;

/** Events that some endpoint has not taken. */
function undeliveredEvents(world: World): Set<string> {
  const open = new Set<string>();
  for (const delivery of world.deliveries.values()) {
    if (delivery.status !== 'succeeded') open.add(delivery.eventId);
  }
  return open;
}

/** Registers an endpoint; with a fixed secret when the control API gives one. */
export function registerEndpoint(
  world: World,
  order: {
    url: string;
    enabledEvents: string[];
    connect: boolean;
    secret?: string;
    description?: string | null;
    metadata?: Record<string, string>;
  },
): Endpoint {
  if (!URL.canParse(order.url)) throw badParam('url', `Invalid URL: ${order.url}`, 'url_invalid');
  if (world.endpoints.size + world.connect.destinations.size >= 16)
    throw badParam('url', 'You have reached the maximum of 16 webhook endpoints.');
  const endpoint: Endpoint = {
    object: {
      id: world.ids.next('we'),
      object: 'webhook_endpoint',
      api_version: API_VERSION,
      application: null,
      created: world.now,
      description: order.description ?? null,
      enabled_events: order.enabledEvents,
      livemode: false,
      metadata: order.metadata ?? {},
      status: 'enabled',
      url: order.url,
    },
    secret: order.secret ?? world.ids.next('whsec', 32),
    connect: order.connect,
  };
  world.endpoints.set(endpoint.object.id, endpoint);
  return endpoint;
}

export function createEndpoint(
  world: World,
  _: Book,
  params: Stripe.WebhookEndpointCreateParams,
): Stripe.WebhookEndpoint {
  if (params.api_version !== undefined && params.api_version !== API_VERSION) {
    throw badParam(
      'api_version',
      `Invalid API version: ${params.api_version}. The emulator speaks ${API_VERSION} only.`,
    );
  }
  const endpoint = registerEndpoint(world, {
    url: params.url,
    enabledEvents: params.enabled_events,
    connect: params.connect ?? false,
    description: textOrNull(params.description),
    metadata: mergeMetadata({}, params.metadata),
  });
  return { ...endpoint.object, secret: endpoint.secret };
}

function endpointNamed(world: World, id: string): Endpoint {
  const endpoint = world.endpoints.get(id);
  if (!endpoint) throw missing('webhook endpoint', id, 'id', 404);
  return endpoint;
}

export const retrieveEndpoint = (world: World, _: Book, __: ExpandOnly, [id = '']: string[]) =>
  endpointNamed(world, id).object;

export const listEndpoints = (
  world: World,
  _: Book,
  params: Stripe.WebhookEndpointListParams,
): Stripe.ApiList<Stripe.WebhookEndpoint> => {
  // At most 16 exist: they are one page, and a cursor has nothing to point at.
  const all = [...world.endpoints.values()].map((endpoint) => endpoint.object).reverse();
  return {
    object: 'list',
    data: all.slice(0, params.limit ?? 16),
    has_more: all.length > (params.limit ?? 16),
    url: '/v1/webhook_endpoints',
  };
};

export function deleteEndpoint(
  world: World,
  _: Book,
  __: ExpandOnly,
  [id = '']: string[],
): Stripe.DeletedWebhookEndpoint {
  endpointNamed(world, id);
  world.endpoints.delete(id);
  return { id, object: 'webhook_endpoint', deleted: true };
}
