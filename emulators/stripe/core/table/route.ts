/** What a route of the table is, and how one is written down. */
import { expand, range } from '../params.ts';
import type { Kind, ParamSpec } from '../params.ts';
import type { Book, World } from '../world.ts';

type Method = 'GET' | 'POST' | 'DELETE';
/** `platform`: refused with a `Stripe-Account` header. `any`: the platform's own or that account's objects. */
type Scope = 'platform' | 'any';

export interface Route {
  readonly method: Method;
  /** Segments in braces match anything and are handed on in order. */
  readonly path: string;
  readonly scope: Scope;
  readonly params: Readonly<Record<string, Kind | undefined>>;
  /** Whether Stripe.js may call it with a publishable key and the client secret. */
  readonly publishable: boolean;
  readonly run: (world: World, book: Book, params: Record<string, unknown>, ids: string[]) => object;
}

/** Ties the names of the parameters to the SDK's type of them, which the handler takes. */
export function route<P extends object, S extends ParamSpec<NoInfer<P>>>(
  method: Method,
  path: string,
  scope: Scope,
  // A name that the SDK's type has not makes the second part demand `never` of it.
  params: S & Readonly<Record<Exclude<keyof S, keyof NoInfer<P>>, never>>,
  run: (world: World, book: Book, params: P, ids: string[]) => object,
  publishable = false,
): Route {
  return {
    method,
    path,
    scope,
    params: params,
    publishable,
    // checkParams has made the parameters what the table says, and the table's names are P's.
    run: (world, book, checked, ids) => run(world, book, checked as P, ids),
  };
}

export const one = { expand } as const;
export const created = range;
