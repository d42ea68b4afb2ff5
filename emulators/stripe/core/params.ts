/**
 * The kinds of parameter a route may permit, and the check of a request against them. A route's table names each
 * parameter with its kind; whatever is not named is refused with `parameter_unknown`, as at Stripe.
 */
import { badParam } from './errors.ts';
import type { Tree } from './form.ts';

/** Checks one value and gives it its type, or throws the refusal. */
export interface Kind {
  readonly describe: string;
  readonly required?: boolean;
  check(value: string | Tree, path: string): unknown;
}

/** The table of a route: only names that the SDK's own parameter type has. */
export type ParamSpec<P> = { readonly [K in keyof P]?: Kind };

const scalar = (describe: string, read: (text: string, path: string) => unknown): Kind => ({
  describe,
  check(value, path) {
    if (typeof value !== 'string') throw badParam(path, `Invalid ${describe}: ${path} is not a single value`);
    if (value === '') {
      throw badParam(
        path,
        `You passed an empty string for '${path}'. We assume empty values are an attempt to unset a parameter; ` +
          `however '${path}' cannot be unset. You should remove '${path}' from your request or supply a non-empty value.`,
        'parameter_invalid_empty',
      );
    }
    return read(value, path);
  },
});

export const str = (max = 5000): Kind =>
  scalar('string', (text, path) => {
    if (text.length > max) {
      throw badParam(path, `Invalid string: ${path} must be at most ${max} characters`, 'parameter_invalid_string');
    }
    return text;
  });

export const int: Kind = scalar('integer', (text, path) => {
  if (!/^-?\d{1,15}$/.test(text)) throw badParam(path, `Invalid integer: ${text}`, 'parameter_invalid_integer');
  return Number(text);
});

export const bool: Kind = scalar('boolean', (text, path) => {
  if (text !== 'true' && text !== 'false') throw badParam(path, `Invalid boolean: ${text}`);
  return text === 'true';
});

export const oneOf = (...allowed: string[]): Kind =>
  scalar(`one of ${allowed.join(', ')}`, (text, path) => {
    if (!allowed.includes(text)) {
      const last = allowed.at(-1);
      const list = allowed.length > 1 ? `one of ${allowed.slice(0, -1).join(', ')}, or ${last}` : String(last);
      throw badParam(path, `Invalid ${path}: must be ${list} (what this emulator supports)`);
    }
    return text;
  });

/** An empty text unsets the parameter: it becomes null. */
export const clearable = (kind: Kind): Kind => ({
  describe: kind.describe,
  check: (value, path) => (value === '' ? null : kind.check(value, path)),
});

export const required = (kind: Kind): Kind => ({
  describe: kind.describe,
  required: true,
  check: (value, path) => kind.check(value, path),
});

export const arr = (of: Kind): Kind => ({
  describe: `array of ${of.describe}`,
  check(value, path) {
    if (typeof value === 'string') {
      if (value === '') return [];
      throw badParam(path, 'Invalid array');
    }
    return Object.entries(value)
      .map(([key, item]) => {
        if (!/^\d+$/.test(key)) throw badParam(path, 'Invalid array');
        return [Number(key), of.check(item, `${path}[${key}]`)] as const;
      })
      .sort((a, b) => a[0] - b[0])
      .map(([, item]) => item);
  },
});

/** A nested object; the type argument ties its names to the SDK's type. */
export const obj = <P>(spec: ParamSpec<P>): Kind => ({
  describe: 'object',
  check(value, path) {
    if (typeof value === 'string') throw badParam(path, 'Invalid object');
    return checkParams(spec, value, path);
  },
});

/** A single value of one kind, or an object of another. */
export const either = (single: Kind, nested: Kind): Kind => ({
  describe: `${single.describe} or ${nested.describe}`,
  check: (value, path) => (typeof value === 'string' ? single : nested).check(value, path),
});

/** A number, or a map of gt, gte, lt, lte. */
export const range: Kind = {
  describe: 'integer or range',
  check: (value, path) =>
    typeof value === 'string'
      ? int.check(value, path)
      : checkParams({ gt: int, gte: int, lt: int, lte: int }, value, path),
};

/** Up to 50 keys of 40 characters with values of 500; an empty value removes its key, an empty text all of them. */
export const metadata: Kind = {
  describe: 'metadata',
  check(value, path) {
    if (typeof value === 'string') {
      if (value === '') return null;
      throw badParam(path, 'Invalid object');
    }
    const entries = Object.entries(value);
    if (entries.length > 50) throw badParam(path, 'You can specify up to 50 metadata keys.');
    for (const [key, text] of entries) {
      if (typeof text !== 'string') throw badParam(`${path}[${key}]`, 'Metadata values must be strings.');
      if (key.length > 40) throw badParam(path, `Metadata keys must be at most 40 characters: ${key}`);
      if (text.length > 500) throw badParam(`${path}[${key}]`, 'Metadata values must be at most 500 characters.');
    }
    return Object.fromEntries(entries);
  },
};

export const expand: Kind = arr(str());

/** What every list takes. */
export const paging = { limit: int, starting_after: str(), ending_before: str(), expand } as const;

/** The request's parameters with their types, or the refusal of the first that is wrong. */
export function checkParams(
  spec: Readonly<Record<string, Kind | undefined>>,
  given: Tree,
  prefix = '',
): Record<string, unknown> {
  const name = (key: string) => (prefix === '' ? key : `${prefix}[${key}]`);
  const unknown = Object.keys(given).filter((key) => !Object.hasOwn(spec, key));
  if (unknown.length > 0) {
    const names = unknown.map(name);
    const text =
      names.length === 1
        ? `Received unknown parameter: ${names[0]}`
        : `Received unknown parameters: ${names.join(', ')}`;
    throw badParam(names[0] ?? '', text, 'parameter_unknown');
  }
  const result: Record<string, unknown> = {};
  for (const [key, kind] of Object.entries(spec)) {
    if (!kind) continue;
    const value = given[key];
    if (value !== undefined) result[key] = kind.check(value, name(key));
    else if (kind.required) throw badParam(name(key), `Missing required param: ${name(key)}.`, 'parameter_missing');
  }
  return result;
}

/** A text as it is stored: what is absent or was cleared is null. */
export const textOrNull = (given: string | null | undefined): string | null =>
  given === undefined || given === '' ? null : given;

/** Metadata after an update: given keys replace, empty ones are removed, null clears. */
export function mergeMetadata(
  before: Record<string, string>,
  change: Record<string, string | number | null> | '' | null | undefined,
): Record<string, string> {
  if (change === undefined) return before;
  if (change === null || change === '') return {};
  const next = { ...before };
  for (const [key, value] of Object.entries(change)) {
    if (value === '' || value === null) delete next[key];
    else next[key] = String(value);
  }
  return next;
}

/** The parameters of a request that takes none but `expand`, as the SDK's retrievals. */
export interface ExpandOnly {
  expand?: string[];
}
