/** Reading thin events: each is the twin of an event of v1, or a ping. */
import type Stripe from 'stripe';
import type { ThinEvent } from '../core/connect-world.ts';
import { missing } from '../core/errors.ts';
import { inRange } from '../core/list.ts';
import { snapshotId, thinData, thinOf } from '../core/thin.ts';
import type { Book, World } from '../core/world.ts';
import { isPlatform } from '../core/world.ts';
import { belongs } from './events-api.ts';
import { v2Page } from './v2-list.ts';
import type { V2Paging } from './v2-list.ts';

export function retrieveThinEvent(world: World, book: Book, _: object, [id = '']: string[]): ThinEvent {
  const own = isPlatform(world, book) ? world.connect.ownEvents.get(id) : undefined;
  if (own) return own;
  const event = world.events.get(snapshotId(id) ?? '');
  const thin = event && belongs(world, book, event) ? thinOf(event) : undefined;
  if (!thin) throw missing('event', id, 'id', 404);
  return { ...thin, ...thinData(event!) };
}

export function listThinEvents(
  world: World,
  book: Book,
  params: Stripe.V2.Core.EventListParams & V2Paging,
): Stripe.V2List<ThinEvent> {
  const pings = isPlatform(world, book) ? [...world.connect.ownEvents.values()] : [];
  const twins = world.events
    .values()
    .filter((event) => belongs(world, book, event))
    .flatMap((event) => thinOf(event) ?? []);
  const wanted = [...twins, ...pings]
    .filter(
      (event) =>
        inRange(Date.parse(event.created) / 1000, params.created) &&
        (params.object_id === undefined || event.related_object?.id === params.object_id) &&
        (params.types === undefined || params.types.includes(event.type)),
    )
    // Of the same second the later one is the newer: sorting keeps their order, and the list is turned round.
    .sort((a, b) => Date.parse(a.created) - Date.parse(b.created))
    .reverse();
  return v2Page(wanted, '/v2/core/events', params, (event) => event.id);
}
