/** The routes of v2 that the emulator has: event destinations and thin events. Accounts of v2 are not built. */
import type Stripe from 'stripe';
import * as destinations from '../../resources/event-destinations.ts';
import * as events from '../../resources/v2-events.ts';
import { arr, int, metadata, obj, oneOf, range, required, str } from '../params.ts';
import { route } from './route.ts';
import type { Route } from './route.ts';

const at = '/v2/core/event_destinations';
const includeUrl = arr(oneOf('webhook_endpoint.url'));
const endpoint = obj<Stripe.V2.Core.EventDestinationCreateParams.WebhookEndpoint>({ url: required(str()) });

export const V2_ROUTES: readonly Route[] = [
  route(
    'POST',
    at,
    'platform',
    {
      description: str(),
      enabled_events: required(arr(str())),
      event_payload: required(oneOf('snapshot', 'thin')),
      events_from: arr(str()),
      include: arr(oneOf('webhook_endpoint.signing_secret', 'webhook_endpoint.url')),
      metadata,
      name: required(str()),
      snapshot_api_version: str(),
      type: required(oneOf('webhook_endpoint')),
      webhook_endpoint: required(endpoint),
    },
    destinations.createDestination,
  ),
  route('GET', `${at}/{}`, 'platform', { include: includeUrl }, destinations.retrieveDestination),
  route('GET', at, 'platform', { include: includeUrl, limit: int, page: str() }, destinations.listDestinations),
  route(
    'POST',
    `${at}/{}`,
    'platform',
    {
      description: str(),
      enabled_events: arr(str()),
      include: includeUrl,
      metadata,
      name: str(),
      webhook_endpoint: endpoint,
    },
    destinations.updateDestination,
  ),
  route('DELETE', `${at}/{}`, 'platform', {}, destinations.deleteDestination),
  route('POST', `${at}/{}/enable`, 'platform', {}, destinations.enableDestination),
  route('POST', `${at}/{}/disable`, 'platform', {}, destinations.disableDestination),
  route('POST', `${at}/{}/ping`, 'platform', {}, destinations.pingDestination),
  route('GET', '/v2/core/events/{}', 'any', {}, events.retrieveThinEvent),
  route(
    'GET',
    '/v2/core/events',
    'any',
    { created: range, limit: int, object_id: str(), page: str(), types: arr(str()) },
    events.listThinEvents,
  ),
];
