import { grpcError } from './errors.ts';
import {
  type FieldSegments,
  type Value,
  compareNames,
  compareValues,
  getField,
  isList,
  isNameField,
  sameValue,
  typeOrder,
} from './values.ts';
import type { StoredDocument } from './writes.ts';

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not-in' | 'array-contains';

/** On `__name__`, the value is a document's path (a list of them for `in`). */
export type Filter = { readonly field: FieldSegments; readonly operator: Operator; readonly value: Value };
export type Order = { readonly field: FieldSegments; readonly descending: boolean };

/** Values for the first orders of the plan; `before`: the position just before what equals them, otherwise just after. */
export type Cursor = { readonly values: readonly Value[]; readonly before: boolean };

export type Source =
  { readonly kind: 'collection'; readonly path: string } | { readonly kind: 'group'; readonly id: string };

/** A query as data. */
export interface Plan {
  readonly source: Source;
  readonly filters: readonly Filter[];
  readonly orders: readonly Order[];
  readonly limit?: number;
  readonly start?: Cursor;
  readonly end?: Cursor;
  readonly projection?: readonly FieldSegments[];
  /** Fields a document must have: what an aggregation adds up. */
  readonly required: readonly FieldSegments[];
}

/** A plan made ready to run; pure, so a transaction can run it again to see whether its result still stands. */
export interface Runnable {
  readonly source: Source;
  readonly matches: (document: StoredDocument) => boolean;
  readonly run: (documents: Iterable<StoredDocument>) => readonly StoredDocument[];
}

const INEQUALITIES: ReadonlySet<Operator> = new Set(['<', '<=', '>', '>=', '!=', 'not-in']);
const sameField = (a: FieldSegments, b: FieldSegments): boolean =>
  a.length === b.length && a.every((s, i) => s === b[i]);

/**
 * The orders a query really has: its own, then each field compared by inequality, then the name; what is
 * implied takes the direction of the last order written.
 */
export function impliedOrders(orders: readonly Order[], filters: readonly Filter[]): readonly Order[] {
  const descending = orders.at(-1)?.descending ?? false;
  const all = [...orders];
  const inequalities = filters
    .filter((filter) => INEQUALITIES.has(filter.operator))
    .map((filter) => filter.field)
    .sort((a, b) => compareValues(a, b));
  for (const field of inequalities) {
    if (!isNameField(field) && !all.some((order) => sameField(order.field, field))) all.push({ field, descending });
  }
  if (!all.some((order) => isNameField(order.field))) all.push({ field: ['__name__'], descending });
  return all;
}

export function compilePlan(plan: Plan): Runnable {
  const orders = impliedOrders(plan.orders, plan.filters);
  if (orders[0] && isNameField(orders[0].field) && orders[0].descending) {
    throw grpcError(9, 'Firestore does not support descending key scans');
  }
  if (plan.limit !== undefined && plan.limit < 0) throw grpcError(3, 'limit is negative');
  const tests = plan.filters.map(compileFilter);
  const present = [...orders.map((order) => order.field), ...plan.required].filter((field) => !isNameField(field));
  for (const field of present) tests.push((document) => getField(document.fields, field) !== undefined);
  const { start, end } = plan;
  if (start) tests.push((document) => beyond(document, start, orders));
  if (end) tests.push((document) => !beyond(document, end, orders));
  const matches = (document: StoredDocument): boolean => tests.every((test) => test(document));
  const compare = compileOrders(orders);
  const run = (documents: Iterable<StoredDocument>): readonly StoredDocument[] => {
    const found: StoredDocument[] = [];
    for (const document of documents) if (matches(document)) found.push(document);
    found.sort(compare);
    // A limit of 0 is no limit: the SDK does not send it.
    return plan.limit ? found.slice(0, plan.limit) : found;
  };
  return { source: plan.source, matches, run };
}

type Test = (document: StoredDocument) => boolean;

function compileFilter(filter: Filter): Test {
  const { field, value } = filter;
  if (isNameField(field)) return compileNameFilter(filter);
  const test = valueTest(filter.operator, value);
  const [only] = field;
  if (field.length === 1 && only !== undefined) {
    return ({ fields }) => Object.hasOwn(fields, only) && test(fields[only] as Value);
  }
  return ({ fields }) => {
    const stored = getField(fields, field);
    return stored !== undefined && test(stored);
  };
}

function valueTest(operator: Operator, value: Value): (stored: Value) => boolean {
  // An inequality finds only values of the type it compares with, and NaN never.
  const ordered = (holds: (order: number) => boolean) => {
    const type = typeOrder(value);
    return (stored: Value) =>
      typeOrder(stored) === type && !Number.isNaN(stored) && holds(compareValues(stored, value));
  };
  switch (operator) {
    case '==':
      // Most queries ask for a word, and simulations run very many of them.
      return typeof value === 'string' ? (stored) => stored === value : (stored) => sameValue(stored, value);
    case '!=':
      // A null field differs from nothing.
      return (stored) => stored !== null && !sameValue(stored, value);
    case '<':
      return ordered((order) => order < 0);
    case '<=':
      return ordered((order) => order <= 0);
    case '>':
      return ordered((order) => order > 0);
    case '>=':
      return ordered((order) => order >= 0);
    case 'in': {
      // Neither null nor NaN is ever found by a list.
      const wanted = listOf(value, operator).filter((element) => element !== null && !Number.isNaN(element));
      return (stored) => wanted.some((element) => sameValue(stored, element));
    }
    case 'not-in': {
      const unwanted = listOf(value, operator);
      if (unwanted.includes(null)) return () => false;
      return (stored) => stored !== null && !unwanted.some((element) => sameValue(stored, element));
    }
    case 'array-contains':
      return typeof value === 'string'
        ? (stored) => isList(stored) && stored.includes(value)
        : (stored) => isList(stored) && stored.some((element) => sameValue(element, value));
  }
}

function listOf(value: Value, operator: string): readonly Value[] {
  const most = operator === 'in' ? 30 : 10;
  if (!isList(value) || value.length === 0) throw grpcError(3, `'${operator}' requires a non-empty array.`);
  if (value.length > most) throw grpcError(3, `'${operator}' supports up to ${most} comparison values.`);
  return value;
}

function compileNameFilter({ operator, value }: Filter): Test {
  if (operator === 'in' || operator === 'not-in') {
    const paths = new Set(listOf(value, operator));
    return ({ path }) => paths.has(path) === (operator === 'in');
  }
  const order = ({ path }: StoredDocument): number => compareNames(path, value as string);
  switch (operator) {
    case '==':
      return (document) => document.path === value;
    case '!=':
      return (document) => document.path !== value;
    case '<':
      return (document) => order(document) < 0;
    case '<=':
      return (document) => order(document) <= 0;
    case '>':
      return (document) => order(document) > 0;
    case '>=':
      return (document) => order(document) >= 0;
    case 'array-contains':
      throw new Error("Invalid Query. You can't perform 'array-contains' queries on FieldPath.documentId().");
  }
}

/** Whether the document lies past the cursor's position. */
function beyond(document: StoredDocument, cursor: Cursor, orders: readonly Order[]): boolean {
  for (const [i, value] of cursor.values.entries()) {
    const { field, descending } = orders[i]!;
    const order = isNameField(field)
      ? compareNames(document.path, value as string)
      : compareValues(getField(document.fields, field) as Value, value);
    if (order !== 0) return descending ? order < 0 : order > 0;
  }
  return cursor.before;
}

function compileOrders(orders: readonly Order[]): (a: StoredDocument, b: StoredDocument) => number {
  return (a, b) => {
    for (const { field, descending } of orders) {
      const order = isNameField(field)
        ? compareNames(a.path, b.path)
        : compareValues(getField(a.fields, field) as Value, getField(b.fields, field) as Value);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  };
}

export type Aggregation = { readonly alias: string } & (
  { readonly kind: 'count' } | { readonly kind: 'sum' | 'avg'; readonly field: FieldSegments }
);

/** Adds up what a query found. What is not a number counts as nothing in a sum and not at all in an average. */
export function aggregate(
  aggregations: readonly Aggregation[],
  documents: readonly StoredDocument[],
): Record<string, number | null> {
  const out: Record<string, number | null> = {};
  for (const aggregation of aggregations) {
    if (aggregation.kind === 'count') {
      out[aggregation.alias] = documents.length;
      continue;
    }
    let sum = 0;
    let count = 0;
    for (const document of documents) {
      const value = getField(document.fields, aggregation.field);
      if (typeof value !== 'number') continue;
      sum += value;
      count++;
    }
    out[aggregation.alias] = aggregation.kind === 'sum' ? sum : count === 0 ? null : sum / count;
  }
  return out;
}
