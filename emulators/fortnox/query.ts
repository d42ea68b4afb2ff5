import { badRequest, CODE, noSuchRoute, notFound } from './errors.ts';
import type { FinancialYear, State } from './types.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;

/** A real calendar day written YYYY-MM-DD. */
export function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const at = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text);
}

/** Refuses every parameter the route does not know: an ignored filter would answer another question than was asked. */
export function onlyParameters(query: URLSearchParams, known: readonly string[]): void {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw badRequest(CODE.badParameter, `Ogiltig parameter i anropet. (${name})`);
  }
}

export function dateParameter(query: URLSearchParams, name: string): string | null {
  const value = query.get(name);
  if (value !== null && !isDate(value)) throw badRequest(CODE.badParameter, `Ogiltig parameter i anropet. (${name})`);
  return value;
}

function positiveInteger(query: URLSearchParams, name: string, fallback: number): number {
  const value = query.get(name);
  if (value === null) return fallback;
  if (!/^[1-9]\d{0,8}$/.test(value)) throw badRequest(CODE.badParameter, `Ogiltig parameter i anropet. (${name})`);
  return Number(value);
}

/** The year a call is about: the one it names by id or by a day in it, or the preselected one. */
export function yearOf(state: State, query: URLSearchParams): FinancialYear {
  const day = dateParameter(query, 'financialyeardate');
  const id = positiveInteger(query, 'financialyear', state.preselectedYear);
  const year = state.years.find((one) => (day === null ? one.id === id : one.from <= day && day <= one.to));
  if (year === undefined) throw notFound(CODE.unpublished, 'Kan inte hitta räkenskapsåret.');
  return year;
}

/** How a call names its year. */
export const YEAR = ['financialyear', 'financialyeardate'];

/** Parameters that every list takes. */
export const PAGING = ['limit', 'page', 'offset'];

/**
 * One page and its MetaInformation; `offset` leaves out that many from the beginning. A page after the last is "No such
 * route", as Fortnox answered in 2018.
 */
export function paged<T>(query: URLSearchParams, all: readonly T[]): { items: readonly T[]; meta: object } {
  const limit = positiveInteger(query, 'limit', DEFAULT_LIMIT);
  if (limit > MAX_LIMIT) throw badRequest(CODE.badParameter, 'Ogiltig parameter i anropet. (limit)');
  const page = positiveInteger(query, 'page', 1);
  const offset = query.get('offset') === '0' ? 0 : positiveInteger(query, 'offset', 0);
  const rest = all.slice(offset);
  const pages = Math.max(1, Math.ceil(rest.length / limit));
  if (page > pages) throw noSuchRoute();
  return {
    items: rest.slice((page - 1) * limit, page * limit),
    meta: { '@TotalResources': all.length, '@TotalPages': pages, '@CurrentPage': page },
  };
}
