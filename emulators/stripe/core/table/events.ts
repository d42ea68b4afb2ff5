/** Events and webhook endpoints. */
import * as events from '../../resources/events-api.ts';
import { arr, bool, clearable, expand, int, metadata, required, str, paging } from '../params.ts';
import { created, one, route } from './route.ts';
import type { Route } from './route.ts';

export const EVENTS_ROUTES: readonly Route[] = [
  route('GET', '/v1/events/{}', 'any', one, events.retrieveEvent),
  route(
    'GET',
    '/v1/events',
    'any',
    {
      ...paging,
      created,
      type: str(),
      types: arr(str()),
      delivery_success: bool,
    },
    events.listEvents,
  ),
  route(
    'POST',
    '/v1/webhook_endpoints',
    'platform',
    {
      url: required(str()),
      enabled_events: required(arr(str())),
      api_version: str(),
      connect: bool,
      description: clearable(str()),
      metadata,
      expand,
    },
    events.createEndpoint,
  ),
  route('GET', '/v1/webhook_endpoints/{}', 'platform', one, events.retrieveEndpoint),
  route('GET', '/v1/webhook_endpoints', 'platform', { limit: int, expand }, events.listEndpoints),
  route('DELETE', '/v1/webhook_endpoints/{}', 'platform', {}, events.deleteEndpoint),
];
