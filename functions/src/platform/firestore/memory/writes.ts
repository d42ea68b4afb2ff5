import { FieldValue, Timestamp } from 'firebase-admin/firestore';
import { grpcError, notInSubset } from './errors.ts';
import {
  type Fields,
  type FieldSegments,
  type Value,
  checkFieldName,
  encode,
  fieldSegments,
  getField,
  isList,
  isPlainObject,
  sameValue,
  setField,
} from './values.ts';

/** One stored version of a document. Never changed once made: a write makes another. Times are microseconds since 1970. */
export interface StoredDocument {
  readonly path: string;
  readonly collection: string;
  readonly id: string;
  readonly fields: Fields;
  readonly created: number;
  readonly updated: number;
}

export interface DocumentKey {
  readonly path: string;
  readonly collection: string;
  readonly id: string;
}

/** A condition on the stored document; `updated` is the microsecond it must have been written at. */
export type Condition = { readonly exists: boolean } | { readonly updated: number };

type FieldChange =
  | { readonly kind: 'put'; readonly field: FieldSegments; readonly value: Value }
  | { readonly kind: 'remove'; readonly field: FieldSegments }
  | { readonly kind: 'transform'; readonly field: FieldSegments; readonly transform: Transform };

type Transform =
  | { readonly kind: 'serverTimestamp' }
  | { readonly kind: 'increment'; readonly by: number }
  | { readonly kind: 'arrayUnion'; readonly elements: readonly Value[] };

/** A write, with everything it holds already copied from the caller. */
export type Write = { readonly key: DocumentKey; readonly condition?: Condition } & (
  { readonly kind: 'replace' | 'patch'; readonly changes: readonly FieldChange[] } | { readonly kind: 'delete' }
);

/** `create` (fails when the document is there) and plain `set`. */
export function replaceWrite(key: DocumentKey, data: unknown, condition?: Condition): Write {
  const changes: FieldChange[] = [];
  collect(asDocument(data), [], changes, { leaves: false, deletes: false });
  return { kind: 'replace', key, changes, condition };
}

/** `set` with `{merge: true}`: only the leaves named are touched; an empty map replaces what was there. */
export function mergeWrite(key: DocumentKey, data: unknown): Write {
  const changes: FieldChange[] = [];
  collect(asDocument(data), [], changes, { leaves: true, deletes: true });
  return { kind: 'patch', key, changes };
}

/** `update`: each key is a dotted path, whose whole value is replaced; the document must exist. */
export function updateWrite(key: DocumentKey, args: readonly unknown[]): Write {
  const { pairs, precondition } = updateArguments(args);
  const changes: FieldChange[] = [];
  for (const [field, value] of pairs) {
    if (value === undefined) continue;
    field.forEach(checkFieldName);
    collectOne(value, field, changes, { leaves: false, deletes: true });
  }
  checkNoOverlap(pairs.map(([field]) => field));
  return { kind: 'patch', key, changes, condition: precondition ?? { exists: true } };
}

export function deleteWrite(key: DocumentKey, precondition: unknown): Write {
  return { kind: 'delete', key, condition: precondition === undefined ? undefined : asCondition(precondition) };
}

function asDocument(data: unknown): Record<string, unknown> {
  if (isPlainObject(data)) return data;
  throw new Error(
    'Value for argument "data" is not a valid Firestore document. Input is not a plain JavaScript object.',
  );
}

type CollectRules = {
  /** Descend into maps, so that each leaf is a change of its own (merge). */
  readonly leaves: boolean;
  /** Whether FieldValue.delete() may stand here. */
  readonly deletes: boolean;
};

function collect(map: Record<string, unknown>, at: FieldSegments, changes: FieldChange[], rules: CollectRules): void {
  for (const name of Object.keys(map)) {
    checkFieldName(name);
    collectOne(map[name], [...at, name], changes, rules);
  }
}

function collectOne(value: unknown, field: FieldSegments, changes: FieldChange[], rules: CollectRules): void {
  if (value === undefined) return;
  if (value instanceof FieldValue) {
    changes.push(sentinelChange(value, field, rules));
  } else if (isPlainObject(value)) {
    if (!rules.leaves && !holdsSentinel(value)) {
      const map = encode(value);
      // Nothing is left of the map: the field is named, and has no value.
      changes.push(map === undefined ? { kind: 'remove', field } : { kind: 'put', field, value: map });
      return;
    }
    // The empty map first and its content after it, so that a sentinel deep inside is a change of its own.
    if (!rules.leaves || Object.keys(value).length === 0) changes.push({ kind: 'put', field, value: {} });
    collect(value, field, changes, rules.leaves ? rules : { leaves: false, deletes: false });
  } else {
    const encoded = encode(value);
    if (encoded !== undefined) changes.push({ kind: 'put', field, value: encoded });
  }
}

function holdsSentinel(value: unknown): boolean {
  if (value instanceof FieldValue) return true;
  return isPlainObject(value) && Object.values(value).some(holdsSentinel);
}

/** The SDK's sentinels keep their kind and operands in members that its types leave out. */
type Sentinel = { readonly methodName: string; readonly operand?: number; readonly elements?: readonly unknown[] };

function sentinelChange(value: FieldValue, field: FieldSegments, rules: CollectRules): FieldChange {
  const sentinel = value as unknown as Sentinel;
  switch (sentinel.methodName) {
    case 'FieldValue.delete':
      if (rules.deletes) return { kind: 'remove', field };
      throw new Error(
        'Value for argument "data" is not a valid Firestore document. FieldValue.delete() must appear at the top-level ' +
          `and can only be used in update() or set() with {merge:true} (found in field "${field.join('.')}").`,
      );
    case 'FieldValue.serverTimestamp':
      return { kind: 'transform', field, transform: { kind: 'serverTimestamp' } };
    case 'FieldValue.increment':
      return { kind: 'transform', field, transform: { kind: 'increment', by: Number(sentinel.operand) } };
    case 'FieldValue.arrayUnion':
      return {
        kind: 'transform',
        field,
        transform: { kind: 'arrayUnion', elements: encode(sentinel.elements) as readonly Value[] },
      };
    default:
      throw notInSubset(`${sentinel.methodName}()`);
  }
}

const UPDATE_USAGE =
  'Update() requires either a single JavaScript object or an alternating list of field/value pairs ' +
  'that can be followed by an optional precondition.';

function updateArguments(args: readonly unknown[]): {
  pairs: readonly (readonly [FieldSegments, unknown])[];
  precondition?: Condition;
} {
  const [first, second] = args;
  if (isPlainObject(first)) {
    if (Object.keys(first).length === 0) throw new Error(`${UPDATE_USAGE} At least one field must be updated.`);
    const pairs = Object.entries(first).map(([name, value]) => [fieldSegments(name), value] as const);
    return { pairs, precondition: second === undefined ? undefined : asCondition(second) };
  }
  if (args.length < 2) throw new Error(UPDATE_USAGE);
  const pairs: (readonly [FieldSegments, unknown])[] = [];
  for (let i = 0; i + 1 < args.length; i += 2) pairs.push([fieldSegments(args[i]), args[i + 1]]);
  return { pairs, precondition: args.length % 2 === 1 ? asCondition(args[args.length - 1]) : undefined };
}

function checkNoOverlap(fields: readonly FieldSegments[]): void {
  for (const a of fields) {
    for (const b of fields) {
      if (a !== b && a.every((segment, i) => segment === b[i])) {
        throw new Error(
          `Value for argument "dataOrField" is not a valid update map. Field "${a.join('.')}" was specified multiple times.`,
        );
      }
    }
  }
}

function asCondition(precondition: unknown): Condition | undefined {
  const { exists, lastUpdateTime } = precondition as { exists?: unknown; lastUpdateTime?: unknown };
  if (exists !== undefined && lastUpdateTime !== undefined) {
    throw new Error('Value for argument "precondition" is not valid. Input specifies more than one precondition.');
  }
  if (typeof exists === 'boolean') return { exists };
  if (lastUpdateTime instanceof Timestamp) return { updated: microsOf(lastUpdateTime) };
  if (exists === undefined && lastUpdateTime === undefined) return undefined;
  throw new Error('Value for argument "precondition" is not valid: exists is a boolean, lastUpdateTime a Timestamp.');
}

export const microsOf = (time: Timestamp): number => time.seconds * 1_000_000 + Math.floor(time.nanoseconds / 1000);
export const timestampOf = (micros: number): Timestamp => {
  const seconds = Math.floor(micros / 1_000_000);
  return new Timestamp(seconds, (micros - seconds * 1_000_000) * 1000);
};

/** When a write happens: its commit time (unique and rising) and the server's clock, both in microseconds. */
export type WriteTime = { readonly commit: number; readonly server: number };

/**
 * The document after `write`; undefined when it is gone. A write that changes nothing gives the same object back,
 * because the server then keeps the document's updateTime.
 * @throws code 5, 6 or 9 when the write's condition does not hold.
 */
export function applyWrite(
  current: StoredDocument | undefined,
  write: Write,
  time: WriteTime,
): StoredDocument | undefined {
  if (write.condition) checkCondition(current, write.key, write.condition);
  if (write.kind === 'delete') return undefined;
  const before = write.kind === 'replace' ? {} : (current?.fields ?? {});
  const fields = applyChanges(before, write.changes, time);
  if (current && sameValue(fields, current.fields)) return current;
  return { ...write.key, fields, created: current?.created ?? time.commit, updated: time.commit };
}

function checkCondition(current: StoredDocument | undefined, key: DocumentKey, condition: Condition): void {
  if ('updated' in condition) {
    if (current?.updated === condition.updated) return;
    const stored = current?.updated ?? 0;
    throw grpcError(
      9,
      `the stored version (${stored}) of ${key.path} does not match the required base version (${condition.updated})`,
    );
  }
  if (condition.exists && !current) throw grpcError(5, `No document to update: ${key.path}`);
  if (!condition.exists && current) throw grpcError(6, `Document already exists: ${key.path}`);
}

function applyChanges(before: Fields, changes: readonly FieldChange[], time: WriteTime): Fields {
  const draft: Record<string, Value> = { ...before };
  for (const change of changes) {
    if (change.kind === 'put') setField(draft, change.field, change.value);
    else if (change.kind === 'remove') setField(draft, change.field, undefined);
  }
  // Transforms come last, on what the plain fields left.
  for (const change of changes) {
    if (change.kind !== 'transform') continue;
    setField(draft, change.field, transformed(getField(draft, change.field), change.transform, time));
  }
  return draft;
}

function transformed(value: Value | undefined, transform: Transform, time: WriteTime): Value {
  switch (transform.kind) {
    case 'serverTimestamp':
      // Milliseconds, as the server gives.
      return timestampOf(Math.floor(time.server / 1000) * 1000);
    case 'increment':
      return (typeof value === 'number' ? value : 0) + transform.by;
    case 'arrayUnion': {
      const list = value !== undefined && isList(value) ? [...value] : [];
      for (const element of transform.elements) {
        if (!list.some((there) => sameValue(there, element))) list.push(element);
      }
      return list;
    }
  }
}
