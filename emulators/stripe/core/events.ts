/** Events: what happened to an object, with the object as it was at that moment. */
import type Stripe from 'stripe';
import { enqueue } from './webhooks.ts';
import { API_VERSION } from './world.ts';
import type { Book, World } from './world.ts';

/** Records an event of an account and puts its deliveries into the outbox. */
export function emit(world: World, book: Book, type: Stripe.Event['type'], object: object, previous?: object): void {
  const account = book === world.platform ? {} : { account: book.account };
  const head = { id: world.ids.next('evt'), type, ...account };
  const event = {
    ...head,
    object: 'event',
    api_version: API_VERSION,
    created: world.now,
    data: previous === undefined ? { object } : { object, previous_attributes: previous },
    livemode: false,
    pending_webhooks: 0,
    request: world.request ?? { id: null, idempotency_key: null },
  } satisfies Stripe.EventBase;
  world.events.add(event);
  const pending = enqueue(world, head);
  if (pending > 0) world.events.update(event.id, { pending_webhooks: pending });
}

/** As `emit`, with what changed in `previous_attributes`; nothing when nothing did. */
export function emitChange(world: World, book: Book, type: Stripe.Event['type'], before: object, after: object): void {
  const previous = changed(before as Record<string, unknown>, after as Record<string, unknown>);
  if (previous) emit(world, book, type, after, previous);
}

const plain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The earlier values of what differs, nested objects by their own differing fields. */
export function changed(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): Record<string, unknown> | undefined {
  const result: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const was = before[key];
    const is = after[key];
    if (was === is || JSON.stringify(was) === JSON.stringify(is)) continue;
    result[key] = plain(was) && plain(is) ? changed(was, is) : (was ?? null);
  }
  return Object.keys(result).length === 0 ? undefined : result;
}
