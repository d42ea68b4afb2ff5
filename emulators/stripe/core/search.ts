/**
 * Stripe's search query language, over one kind of object: `field:"text"`, `field~"part"`, `amount>1000`,
 * `metadata["key"]:"value"`, a minus before a clause, clauses joined by AND or by OR, never both.
 */
import type { Collection } from './collection.ts';
import { badParam } from './errors.ts';
import { limitOf } from './list.ts';
import type { StripeObject } from './wire.ts';
import type { World } from './world.ts';

/** What may be searched for: how a field of an object is read. Numbers also compare. */
export type SearchFields<T> = Readonly<Record<string, (item: T) => string | number | null>>;
type Clause<T> = (item: T) => boolean;
type Searchable = StripeObject & { created: number; metadata: Record<string, string> };

/** Text as clauses joined by AND or OR, apart from what stands in quotes. */
const PARTS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"']+|\s+/g;

function clausesOf(query: string): { clauses: string[]; any: boolean } {
  const clauses = [''];
  const joints = new Set<string>();
  for (const [part] of query.matchAll(PARTS)) {
    const joint = part.toUpperCase();
    if (joint === 'AND' || joint === 'OR') {
      joints.add(joint);
      clauses.push('');
    } else clauses[clauses.length - 1] += part;
  }
  if (joints.size > 1) throw badParam('query', 'A search query joins its clauses by AND or by OR, not by both.');
  return { clauses: clauses.map((clause) => clause.trim()), any: joints.has('OR') };
}

const CLAUSE =
  /^(-)?(?:metadata\[(["'])(.+?)\2\]|([a-z][a-z0-9_.]*))\s*(:|~|>=|<=|>|<)\s*(?:(["'])(.*)\6|(-?\d+)|null)$/;

function clauseOf<T extends Searchable>(text: string, fields: SearchFields<T>): Clause<T> {
  const match = CLAUSE.exec(text);
  const [, minus, , key, field = '', operator = ':', , quoted, number] = match ?? [];
  const read = key === undefined ? fields[field] : (item: T) => item.metadata[key] ?? null;
  if (!match || !read) {
    throw badParam(
      'query',
      `We were unable to parse your search query (${text}). The emulator searches by ${Object.keys(fields).join(', ')} ` +
        `and metadata["key"], with :, ~, >, <, >= and <=.`,
    );
  }
  const wanted = quoted ?? number ?? null;
  const holds: Clause<T> = (item) => {
    const value = read(item);
    if (value === null || wanted === null) return value === wanted;
    const text = String(value).toLowerCase();
    switch (operator) {
      case ':':
        return text === wanted.toLowerCase();
      case '~':
        return text.includes(wanted.toLowerCase());
      case '>':
        return Number(value) > Number(wanted);
      case '<':
        return Number(value) < Number(wanted);
      case '>=':
        return Number(value) >= Number(wanted);
      default:
        return Number(value) <= Number(wanted);
    }
  };
  return minus === undefined ? holds : (item) => !holds(item);
}

/** One page of what fits, newest first. Sees an object only when the switch's time since it was made has passed. */
export function search<T extends Searchable>(
  world: World,
  all: Collection<T>,
  url: string,
  params: { query: string; limit?: number; page?: string },
  fields: SearchFields<T>,
) {
  const { clauses, any } = clausesOf(params.query);
  const tests = clauses.map((clause) => clauseOf(clause, fields));
  const limit = limitOf(params.limit);
  const start = params.page === undefined ? 0 : Number(params.page);
  if (!Number.isInteger(start) || start < 0) throw badParam('page', `Invalid page: ${params.page}`);
  const seen = world.now - world.switches.searchDelaySeconds;
  const found = [...all.walk()].filter(
    (item) => item.created <= seen && (any ? tests.some((test) => test(item)) : tests.every((test) => test(item))),
  );
  const more = found.length > start + limit;
  return {
    object: 'search_result',
    url,
    has_more: more,
    data: found.slice(start, start + limit),
    next_page: more ? String(start + limit) : null,
  };
}
