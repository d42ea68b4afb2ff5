/** The items a subscription is asked to have: checked before anything is made. */
import type Stripe from 'stripe';
import { badParam, missing, refused, unsupported } from '../../core/errors.ts';
import { mergeMetadata } from '../../core/params.ts';
import type { Price, Subscription, SubscriptionItem } from '../../core/wire.ts';
import type { Book, World } from '../../core/world.ts';
import { makePrice, priceNamed } from '../catalogue.ts';
import { planOf, subscriptionItemOf } from './subscription-shapes.ts';
import type { Line } from './subscription-shapes.ts';
import { rhythmOf } from './lines.ts';
import type { Period } from './time.ts';

type Asked = Pick<
  Stripe.SubscriptionUpdateParams.Item,
  'price' | 'price_data' | 'quantity' | 'metadata' | 'id' | 'deleted'
>;

/** The price an item names, or none when it is made of `price_data` or not named. */
function recurringPrice(book: Book, item: Asked, at: string): Price | undefined {
  if (item.price !== undefined && item.price_data !== undefined)
    throw badParam(`${at}[price]`, 'You may only specify one of these parameters: price, price_data.');
  if (item.price === undefined) return undefined;
  const price = priceNamed(book, item.price, `${at}[price]`, 400);
  if (!price.active)
    throw refused('The price specified is inactive. This field only accepts active prices.', undefined, `${at}[price]`);
  if (price.type !== 'recurring')
    throw refused(
      'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
      undefined,
      `${at}[price]`,
    );
  return price;
}

function requireQuantity(quantity: number | undefined, at: string): void {
  if (quantity !== undefined && quantity < 1)
    throw badParam(`${at}[quantity]`, 'Invalid positive integer', 'parameter_invalid_integer');
}

const rhythm = (price: Price) => Object.values(rhythmOf(price)).join(' ');

function requireOneRhythm(prices: Price[]): void {
  if (new Set(prices.map(rhythm)).size > 1)
    throw unsupported('items', 'prices with different intervals in one subscription');
}

const ofData = (world: World, book: Book, item: Asked): Price =>
  makePrice(world, book, { ...item.price_data!, active: false });

export function linesOf(world: World, book: Book, items: Stripe.SubscriptionCreateParams.Item[]): Line[] {
  if (items.length === 0) throw badParam('items', 'Missing required param: items.', 'parameter_missing');
  if (items.length > 20) throw badParam('items', 'A subscription has at most 20 items.');
  // Everything is checked before a price is made of price_data, so that a refusal leaves nothing behind.
  const found = items.map((item, i) => {
    if (item.price === undefined && item.price_data === undefined)
      throw badParam(`items[${i}][price]`, 'You must specify either `price` or `price_data`.', 'parameter_missing');
    requireQuantity(item.quantity, `items[${i}]`);
    return { item, price: recurringPrice(book, item, `items[${i}]`) };
  });
  const lines = found.map(({ item, price }) => ({
    price: price ?? ofData(world, book, item),
    quantity: item.quantity ?? 1,
    metadata: mergeMetadata({}, item.metadata),
  }));
  requireOneRhythm(lines.map((line) => line.price));
  return lines;
}

export interface ItemChange {
  /** The items after the change, still in the old period. */
  items: SubscriptionItem[];
  /** Items as they were and are, where price or quantity differ. */
  changed: { before: SubscriptionItem | null; after: SubscriptionItem | null }[];
  newRhythm: boolean;
}

/** What an update asks of the items; those not named stay as they are. Makes prices, changes nothing else. */
export function changeItems(
  world: World,
  book: Book,
  subscription: Subscription,
  asked: Asked[],
  period: Period,
  now: number,
): ItemChange {
  const found = asked.map((item, i) => {
    const at = `items[${i}]`;
    const current = item.id === undefined ? undefined : subscription.items.data.find((each) => each.id === item.id);
    if (item.id !== undefined && !current) throw missing('subscription_item', item.id, `${at}[id]`, 400);
    if (!current && item.deleted === true) throw badParam(`${at}[id]`, 'You must pass the id of the item to delete.');
    if (!current && item.price === undefined && item.price_data === undefined)
      throw badParam(`${at}[price]`, 'You must specify either `price` or `price_data`.', 'parameter_missing');
    requireQuantity(item.quantity, at);
    return { item, current, price: recurringPrice(book, item, at) };
  });
  const changed: ItemChange['changed'] = [];
  const items = [...subscription.items.data];
  for (const { item, current, price: named } of found) {
    const price = named ?? (item.price_data === undefined ? undefined : ofData(world, book, item));
    if (!current) {
      const line = { price: price!, quantity: item.quantity ?? 1, metadata: mergeMetadata({}, item.metadata) };
      const made = subscriptionItemOf(world, subscription.id, line, period, now);
      items.push(made);
      changed.push({ before: null, after: made });
      continue;
    }
    const i = items.findIndex((each) => each.id === current.id);
    if (item.deleted === true) {
      items.splice(i, 1);
      changed.push({ before: current, after: null });
      continue;
    }
    const next = price ?? current.price;
    const after: SubscriptionItem = {
      ...current,
      price: next,
      plan: planOf(next),
      quantity: item.quantity ?? current.quantity ?? 1,
      metadata: mergeMetadata(current.metadata, item.metadata),
    };
    items[i] = after;
    if (next.id !== current.price.id || after.quantity !== current.quantity) changed.push({ before: current, after });
  }
  if (items.length === 0)
    throw refused(
      'A subscription must have at least one active plan. Cancel the subscription instead.',
      undefined,
      'items',
    );
  requireOneRhythm(items.map((each) => each.price));
  const newRhythm = rhythm(items[0]!.price) !== rhythm(subscription.items.data[0]!.price);
  return { items, changed, newRhythm };
}
