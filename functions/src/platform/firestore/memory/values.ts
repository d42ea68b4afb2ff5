import { FieldPath, FieldValue, Timestamp } from 'firebase-admin/firestore';
import { grpcError, notInSubset } from './errors.ts';

/** What a stored field may hold. Stored values are never handed out or taken in without a copy. */
export type Value = null | boolean | number | string | Timestamp | readonly Value[] | Fields;
export interface Fields {
  readonly [key: string]: Value;
}

/** A field's place in a document, one segment a level. */
export type FieldSegments = readonly string[];

export const NAME_FIELD = '__name__';
export const isNameField = (field: FieldSegments): boolean => field.length === 1 && field[0] === NAME_FIELD;

/** Splits `a.b` (or takes a FieldPath) into its segments. */
export function fieldSegments(field: unknown): FieldSegments {
  // The SDK gives a FieldPath no public way back to its segments.
  if (field instanceof FieldPath) return (field as unknown as { readonly segments: readonly string[] }).segments;
  if (typeof field !== 'string' || !/^[^*~/[\]]+$/.test(field) || /^\.|\.\.|\.$/.test(field)) {
    throw new Error(
      `Value for argument "fieldPath" is not a valid field path: ${String(field)}. ` +
        'Paths can\'t be empty, must not contain "*~/[]", and must not begin, end or double a ".".',
    );
  }
  return field.split('.');
}

export function isPlainObject(input: unknown): input is Record<string, unknown> {
  if (Object.prototype.toString.call(input) !== '[object Object]') return false;
  const proto = Object.getPrototypeOf(input) as { constructor?: { name?: string } } | null;
  // By name as well: a test runner's sandbox has an Object of its own.
  return proto === null || proto === Object.prototype || proto.constructor?.name === 'Object';
}

/** Copies what a caller wrote into what is stored; `undefined` in maps and arrays is left out. */
export function encode(value: unknown, inArray = false): Value | undefined {
  if (value === undefined || value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return value;
  if (value instanceof Timestamp) return toMicroseconds(value);
  if (value instanceof Date) return toMicroseconds(Timestamp.fromDate(value));
  if (Array.isArray(value)) {
    if (inArray) throw grpcError(3, 'Cannot convert an array value in an array value.');
    return value.map((element) => encode(element, true)).filter((element) => element !== undefined);
  }
  if (value instanceof FieldValue) throw new Error('A FieldValue cannot be used inside of an array or a query.');
  if (isPlainObject(value)) return encodeMap(value);
  if (typeof value === 'object') {
    throw new Error(
      'Value for argument "data" is not a valid Firestore document. Input is not a plain JavaScript object, or its ' +
        "type is not in the in-memory twin's subset (which holds null, booleans, numbers, strings, Timestamps, Dates, arrays and maps).",
    );
  }
  throw notInSubset(`A value of type ${typeof value}`);
}

/** A map that held only `undefined` is itself left out; an empty one is kept. */
function encodeMap(value: Record<string, unknown>): Fields | undefined {
  const out: Record<string, Value> = {};
  const keys = Object.keys(value);
  for (const key of keys) {
    checkFieldName(key);
    const encoded = encode(value[key]);
    if (encoded !== undefined) out[key] = encoded;
  }
  return keys.length > 0 && Object.keys(out).length === 0 ? undefined : out;
}

/** Refuses the names the server reserves or cannot store. */
export function checkFieldName(name: string): void {
  if (name === '') throw new Error('A field name should not be an empty string.');
  if (/^__.*__$/.test(name)) throw grpcError(3, `field name ${name} is reserved`);
}

/** Firestore keeps microseconds and drops the rest. */
function toMicroseconds(time: Timestamp): Timestamp {
  const rest = time.nanoseconds % 1000;
  return rest === 0 ? time : new Timestamp(time.seconds, time.nanoseconds - rest);
}

/** A fresh copy of a stored value, the caller's to change. Timestamps are immutable and shared. */
export function decode(value: Value): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Timestamp) return value;
  return isList(value) ? value.map(decode) : decodeFields(value);
}

export function decodeFields(fields: Fields): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) out[key] = decode(fields[key] as Value);
  return out;
}

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

export function asMap(value: Value | undefined): Fields | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Timestamp || isList(value)) return undefined;
  return value;
}

export function getField(fields: Fields, field: FieldSegments): Value | undefined {
  let map: Fields | undefined = fields;
  for (let i = 0; i < field.length - 1; i++) {
    map = asMap(ownField(map, field[i]!));
    if (map === undefined) return undefined;
  }
  return ownField(map, field[field.length - 1]!);
}

const ownField = (map: Fields, key: string): Value | undefined => (Object.hasOwn(map, key) ? map[key] : undefined);

/**
 * Sets one place of `draft`, or removes it when `value` is undefined; maps on the way are made when needed.
 * Only `draft` itself changes: the maps below it are shared with older versions and are replaced, not touched.
 */
export function setField(draft: Record<string, Value>, field: FieldSegments, value: Value | undefined): void {
  const [key, ...rest] = field as [string, ...string[]];
  if (rest.length > 0) {
    const child = asMap(ownField(draft, key));
    if (value === undefined && child === undefined) return;
    const copy: Record<string, Value> = { ...child };
    setField(copy, rest, value);
    draft[key] = copy;
  } else if (value !== undefined) {
    draft[key] = value;
  } else {
    // The one place where a key goes: `draft` is ours alone until it is stored.
    Reflect.deleteProperty(draft, key);
  }
}

/** Whether two values are equal to the server: same type, same content; key order and the sign of zero don't matter. */
export function sameValue(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) {
    return Number.isNaN(left) && Number.isNaN(right);
  }
  if (left instanceof Timestamp || right instanceof Timestamp) {
    return left instanceof Timestamp && right instanceof Timestamp && left.isEqual(right);
  }
  if (isList(left) || isList(right)) {
    if (!isList(left) || !isList(right) || left.length !== right.length) return false;
    return left.every((element, i) => sameValue(element, right[i] as Value));
  }
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && sameValue(left[key] as Value, right[key] as Value));
}

/** The server's order of types: null, booleans, numbers (NaN first), timestamps, strings, arrays, maps. */
export function typeOrder(value: Value): number {
  if (value === null) return 0;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'number') return 2;
  if (value instanceof Timestamp) return 3;
  if (typeof value === 'string') return 4;
  return isList(value) ? 8 : 10;
}

/** The server's total order of values. */
export function compareValues(left: Value, right: Value): number {
  if (typeof left === 'string' && typeof right === 'string') return compareStrings(left, right);
  if (typeof left === 'number' && typeof right === 'number') return compareNumbers(left, right);
  const byType = typeOrder(left) - typeOrder(right);
  if (byType !== 0) return byType;
  if (left instanceof Timestamp && right instanceof Timestamp) {
    return left.seconds - right.seconds || left.nanoseconds - right.nanoseconds;
  }
  if (typeof left === 'boolean') return Number(left) - Number(right);
  if (left === null) return 0;
  if (isList(left)) return compareLists(left, right as readonly Value[]);
  return compareMaps(left as Fields, right as Fields);
}

function compareNumbers(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  if (left === right) return 0;
  return Number.isNaN(left) ? (Number.isNaN(right) ? 0 : -1) : 1;
}

/** By UTF-8 bytes, as the server does; JavaScript's own `<` goes by UTF-16 units and differs past U+FFFF. */
export function compareStrings(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a === b) continue;
    return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1;
  }
  return left.length - right.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff;

function compareLists(left: readonly Value[], right: readonly Value[]): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const order = compareValues(left[i] as Value, right[i] as Value);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareMaps(left: Fields, right: Fields): number {
  const leftKeys = Object.keys(left).sort(compareStrings);
  const rightKeys = Object.keys(right).sort(compareStrings);
  const length = Math.min(leftKeys.length, rightKeys.length);
  for (let i = 0; i < length; i++) {
    const key = leftKeys[i]!;
    const order = compareStrings(key, rightKeys[i]!);
    if (order !== 0) return order;
    const byValue = compareValues(left[key] as Value, right[key] as Value);
    if (byValue !== 0) return byValue;
  }
  return leftKeys.length - rightKeys.length;
}

/** By path segment, as document names are ordered. */
export function compareNames(left: string, right: string): number {
  if (left === right) return 0;
  const a = left.split('/');
  const b = right.split('/');
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareStrings(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
