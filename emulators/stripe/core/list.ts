/** Lists: filters, cursors, `has_more`. */
import type Stripe from 'stripe';
import type { Collection } from './collection.ts';
import { badParam, missing } from './errors.ts';
import type { StripeObject } from './wire.ts';

export interface PageParams {
  limit?: number;
  starting_after?: string;
  ending_before?: string;
}

/** One page, newest first. `group` is the value of what the collection is grouped by. */
export function page<T extends StripeObject>(
  all: Collection<T>,
  url: string,
  params: PageParams,
  keep: (item: T) => boolean = () => true,
  group?: string,
): Stripe.ApiList<T> {
  const limit = limitOf(params.limit);
  if (params.starting_after !== undefined && params.ending_before !== undefined) {
    throw badParam('starting_after', 'You may only specify one of these parameters: starting_after, ending_before.');
  }
  const position = (param: 'starting_after' | 'ending_before', id: string): number => {
    const at = all.positionOf(id);
    if (at === undefined) throw missing('object', id, param, 400);
    return at;
  };
  const backwards = params.ending_before !== undefined;
  const walk =
    params.ending_before !== undefined
      ? all.walk({ above: position('ending_before', params.ending_before), group })
      : params.starting_after !== undefined
        ? all.walk({ below: position('starting_after', params.starting_after), group })
        : all.walk({ group });
  const data: T[] = [];
  let more = false;
  for (const item of walk) {
    if (!keep(item)) continue;
    if (data.length === limit) {
      more = true;
      break;
    }
    data.push(item);
  }
  if (backwards) data.reverse();
  return { object: 'list', data, has_more: more, url };
}

export function limitOf(limit: number | undefined): number {
  if (limit !== undefined && (limit < 1 || limit > 100)) {
    throw badParam(
      'limit',
      `This value must be between 1 and 100 (inclusive); you passed ${limit}.`,
      'parameter_invalid_integer',
    );
  }
  return limit ?? 10;
}

export type Range = number | { gt?: number; gte?: number; lt?: number; lte?: number } | undefined;

export function inRange(value: number, range: Range): boolean {
  if (range === undefined) return true;
  if (typeof range === 'number') return value === range;
  return (
    (range.gt === undefined || value > range.gt) &&
    (range.gte === undefined || value >= range.gte) &&
    (range.lt === undefined || value < range.lt) &&
    (range.lte === undefined || value <= range.lte)
  );
}

/** A whole list inside an object. */
export const embedded = <T>(url: string, data: T[]): Stripe.ApiList<T> => ({
  object: 'list',
  data,
  has_more: false,
  url,
});
