/** Lists of v2: no cursors in the parameters, but the addresses of the next and the previous page. */
import type Stripe from 'stripe';
import { badParam } from '../core/errors.ts';

export interface V2Paging {
  limit?: number;
  /** The position a page begins at: only ever taken from an address the emulator gave. */
  page?: string;
}

/** One page of what is already in order. Other parameters go on into the addresses. */
export function v2Page<T>(
  all: readonly T[],
  url: string,
  params: V2Paging & object,
  idOf: (item: T) => string,
): Stripe.V2List<T> {
  const { limit = 20, page, ...rest } = params;
  if (limit < 1 || limit > 100) throw badParam('limit', 'limit must be between 1 and 100.', 'invalid_fields');
  const start = page === undefined ? 0 : all.findIndex((item) => idOf(item) === page);
  if (start < 0) throw badParam('page', `Invalid page: ${page ?? ''}`, 'invalid_fields');
  const address = (first: T): string => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(rest)) add(query, name, value);
    query.set('limit', String(limit));
    query.set('page', idOf(first));
    return `${url}?${query.toString()}`;
  };
  const next = all[start + limit];
  const previous = start > 0 ? all[Math.max(0, start - limit)] : undefined;
  return {
    data: all.slice(start, start + limit),
    next_page_url: next === undefined ? null : address(next),
    previous_page_url: previous === undefined ? null : address(previous),
  };
}

function add(query: URLSearchParams, name: string, value: unknown): void {
  if (Array.isArray(value)) value.forEach((item, i) => add(query, `${name}[${i}]`, item));
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) add(query, `${name}[${key}]`, item);
  else if (typeof value === 'string' || typeof value === 'number') query.set(name, String(value));
}
