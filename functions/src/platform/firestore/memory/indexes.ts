/**
 * Which indexes a query needs (native mode, Standard edition). Sources: Firestore's documentation, "Index types"
 * (automatic indexes and exemptions, index modes, `__name__`, index properties, index merging), "Query with range and
 * inequality filters on multiple fields", "Summarize data with aggregation queries"; and the queries and indexes with
 * which Google tests its web SDK against production. Where they leave a doubt, the answer is that an index is missing.
 */

type Scope = 'COLLECTION' | 'COLLECTION_GROUP';
type Mode = 'ASCENDING' | 'DESCENDING' | 'CONTAINS';
type IndexMode = { readonly order?: 'ASCENDING' | 'DESCENDING'; readonly arrayConfig?: 'CONTAINS' };

/** `firestore.indexes.json`. */
export interface IndexFile {
  readonly indexes: readonly {
    readonly collectionGroup: string;
    readonly queryScope: Scope;
    readonly fields: readonly (IndexMode & { readonly fieldPath: string })[];
  }[];
  readonly fieldOverrides: readonly {
    readonly collectionGroup: string;
    readonly fieldPath: string;
    readonly ttl?: boolean;
    readonly indexes: readonly (IndexMode & { readonly queryScope?: Scope })[];
  }[];
}

/** What of a query decides about its indexes. Field paths with dots; the document's name is `__name__`. */
export interface QueryShape {
  readonly collection: string;
  readonly scope: Scope;
  /** Fields compared by `==`, `in` and `array-contains`. */
  readonly equal: readonly string[];
  readonly oneOf: readonly string[];
  readonly contains: readonly string[];
  /** The orders written, then what is implied: fields compared by inequality, then the name. */
  readonly orders: readonly { readonly field: string; readonly descending: boolean }[];
  /** Fields that are summed or averaged. */
  readonly sums: readonly string[];
}

type Field = { readonly path: string; readonly mode: Mode };

const name = '__name__';
const modeOf = ({ order, arrayConfig }: IndexMode): Mode => arrayConfig ?? order ?? 'ASCENDING';
const directionOf = (mode: Mode | undefined): Mode => (mode === 'DESCENDING' ? 'DESCENDING' : 'ASCENDING');

/** A shape taken apart as an index is put together: first what is compared for equality, then what is in order. */
interface Need {
  readonly equal: ReadonlySet<string>;
  readonly contains: ReadonlySet<string>;
  /** Orders and sums, in the index's own order. */
  readonly tail: readonly Field[];
  /** The direction of the document's name, which ends every index. */
  readonly last: Mode;
  /** Whether indexes may be merged: equality filters, all but the plainest of them only when nothing is in order. */
  readonly merges: boolean;
}

function needOf(shape: QueryShape): Need {
  const orders = shape.orders
    .filter(({ field }) => field !== name)
    .map(({ field, descending }): Field => ({ path: field, mode: descending ? 'DESCENDING' : 'ASCENDING' }));
  const ordered = new Set(orders.map(({ path }) => path));
  const equal = new Set([...shape.equal, ...shape.oneOf].filter((field) => field !== name && !ordered.has(field)));
  // Whatever the order in which sums are asked for, the indexes Firestore proposes have them sorted.
  const sums = [...new Set(shape.sums)].filter((field) => !ordered.has(field) && !equal.has(field)).sort();
  const plain = shape.oneOf.length === 0 && shape.contains.length === 0;
  return {
    equal,
    contains: new Set(shape.contains),
    tail: [...orders, ...sums.map((path): Field => ({ path, mode: 'ASCENDING' }))],
    last: shape.orders.find(({ field }) => field === name)?.descending ? 'DESCENDING' : 'ASCENDING',
    merges: sums.length === 0 && (plain || orders.length === 0),
  };
}

/** Whether Firestore answers a query of this shape with the indexes of this file, or refuses it for want of one. */
export function isServed(shape: QueryShape, file: IndexFile): boolean {
  const need = needOf(shape);
  const wanted = [...need.equal, ...need.contains];
  if (wanted.length === 0 && need.tail.length === 0) return true;
  const heads = [...automatic(shape, file, need), ...composites(shape, file)].flatMap((index) => {
    const head = headFor(need, index);
    return head ? [head] : [];
  });
  if (need.merges && wanted.length > 0) return wanted.every((field) => heads.some((head) => head.has(field)));
  return heads.some((head) => head.size === wanted.length);
}

/** The equality filters that an index answers, if it is fit for the query at all: it holds nothing else but the tail. */
function headFor(need: Need, index: readonly Field[]): ReadonlySet<string> | undefined {
  const named = index.at(-1)?.path === name;
  const fields = named ? index.slice(0, -1) : index;
  if (directionOf(index.at(-1)?.mode) !== need.last) return undefined;
  const length = fields.length - need.tail.length;
  if (length < 0) return undefined;
  const isTail = need.tail.every(({ path, mode }, i) => {
    const field = fields[length + i];
    return field?.path === path && field.mode === mode;
  });
  const head = fields.slice(0, length);
  const isHead = head.every(({ path, mode }) => (mode === 'CONTAINS' ? need.contains : need.equal).has(path));
  return isTail && isHead ? new Set(head.map(({ path }) => path)) : undefined;
}

const composites = (shape: QueryShape, file: IndexFile): readonly (readonly Field[])[] =>
  file.indexes
    .filter(({ collectionGroup, queryScope }) => collectionGroup === shape.collection && queryScope === shape.scope)
    .map(({ fields }) => fields.map((field) => ({ path: field.fieldPath, mode: modeOf(field) })));

/** The single-field indexes of the fields asked for. */
function automatic(shape: QueryShape, file: IndexFile, need: Need): readonly (readonly Field[])[] {
  const fields = new Set([...need.equal, ...need.contains, ...need.tail.map(({ path }) => path)]);
  return [...fields].flatMap((path) =>
    modesOf(shape.collection, path, file)
      .filter(({ queryScope }) => (queryScope ?? 'COLLECTION') === shape.scope)
      // By name downwards after an equality is not documented of them, and people meet it as a missing index.
      .filter((mode) => modeOf(mode) !== 'DESCENDING' || !need.equal.has(path))
      .map((mode) => [{ path, mode: modeOf(mode) }]),
  );
}

type FieldIndexes = IndexFile['fieldOverrides'][number]['indexes'];

const byDefault: FieldIndexes = [
  { order: 'ASCENDING', queryScope: 'COLLECTION' },
  { order: 'DESCENDING', queryScope: 'COLLECTION' },
  { arrayConfig: 'CONTAINS', queryScope: 'COLLECTION' },
];

/** A field goes by its own exemption, else by that of the nearest map it is in, else by its collection's (`*`). */
function modesOf(collection: string, path: string, file: IndexFile): FieldIndexes {
  const overrides = file.fieldOverrides.filter(({ collectionGroup }) => collectionGroup === collection);
  const segments = path.split('.');
  const candidates = [...segments.map((_, i) => segments.slice(0, segments.length - i).join('.')), '*'];
  for (const candidate of candidates) {
    const found = overrides.find(({ fieldPath }) => fieldPath === candidate);
    if (found) return found.indexes;
  }
  return byDefault;
}

/** What to add to the file so that it serves a shape, said to whoever wrote the query. */
export function adviceFor(shape: QueryShape, file: IndexFile): string {
  const need = needOf(shape);
  const fields: readonly Field[] = [
    ...[...need.contains].map((path): Field => ({ path, mode: 'CONTAINS' })),
    ...[...need.equal].map((path): Field => ({ path, mode: 'ASCENDING' })),
    ...need.tail,
  ];
  const nameTurns = directionOf(fields.at(-1)?.mode) !== need.last;
  const all = nameTurns ? [...fields, { path: name, mode: need.last }] : fields;
  const { collection: collectionGroup, scope: queryScope } = shape;
  const [only] = all;
  if (only && all.length === 1) {
    const { path: fieldPath, mode } = only;
    const indexes = [...modesOf(collectionGroup, fieldPath, file), { ...written(mode), queryScope }];
    return `Give "fieldOverrides" of firestore.indexes.json: ${JSON.stringify({ collectionGroup, fieldPath, indexes })}`;
  }
  const index = {
    collectionGroup,
    queryScope,
    fields: all.map(({ path, mode }) => ({ fieldPath: path, ...written(mode) })),
  };
  return `Add to "indexes" of firestore.indexes.json: ${JSON.stringify(index)}`;
}

const written = (mode: Mode): IndexMode => (mode === 'CONTAINS' ? { arrayConfig: mode } : { order: mode });
