export const callers = ['nobody', 'customer', 'coach', 'admin', 'scheduler'] as const;
export type CallerKind = (typeof callers)[number];

export interface Entrance {
  /** The exported function; a route of `api` follows it after a space. */
  name: string;
  kind: 'callable' | 'route' | 'webhook' | 'page' | 'scheduled' | 'task queue';
  allowed: readonly CallerKind[];
  /** What decides. */
  by: string;
  /** An input that would be taken, whose fields the hostile ones replace. */
  input: Record<string, unknown>;
  /** Fields that may be missing. */
  optional: readonly string[];
  /** Fields that hold what one person writes to another: almost any words are right. */
  words: readonly string[];
  /** Those of them that may have several lines. */
  lines: readonly string[];
  /** What its body may have at most, where a file comes in it. */
  bodyBytes?: number;
}

export const signedIn: readonly CallerKind[] = ['customer', 'coach', 'admin'];

export const idToken = 'Firebase ID token of a login that still stands';
export const withRole = 'the same, with the role';

export function entrance(name: string, kind: Entrance['kind'], spec: Partial<Entrance>): Entrance {
  return { name, kind, allowed: [], by: idToken, input: {}, optional: [], words: [], lines: [], ...spec };
}
