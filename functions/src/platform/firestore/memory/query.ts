import { AggregateField, Filter as FilterArgument } from 'firebase-admin/firestore';
import { type Converter, type Database, sourceName } from './database.ts';
import { grpcError, notInSubset } from './errors.ts';
import {
  type Aggregation,
  type Cursor,
  type Operator,
  type Order,
  type Plan,
  type Runnable,
  aggregate,
  impliedOrders,
} from './query-plan.ts';
import { DocumentReferenceMark } from './reference-mark.ts';
import { AggregateQuerySnapshotTwin, DocumentSnapshotTwin, QuerySnapshotTwin } from './snapshots.ts';
import { type Value, encode, fieldSegments, isNameField } from './values.ts';
import { type StoredDocument, timestampOf } from './writes.ts';

const OPERATORS: readonly string[] = ['==', '!=', '<', '<=', '>', '>=', 'in', 'not-in', 'array-contains'];

/** Query and CollectionGroup: immutable, each call gives a new one. */
export class QueryTwin {
  readonly db: Database;
  readonly plan: Plan;
  readonly converter: Converter | null;

  constructor(db: Database, plan: Plan, converter: Converter | null) {
    this.db = db;
    this.plan = plan;
    this.converter = converter;
  }

  get firestore(): Database {
    return this.db;
  }

  #with(change: Partial<Plan>): QueryTwin {
    return new QueryTwin(this.db, { ...this.plan, ...change }, this.converter);
  }

  withConverter(converter: Converter | null): QueryTwin {
    return new QueryTwin(this.db, this.plan, converter);
  }

  where(field: unknown, operator?: unknown, value?: unknown): QueryTwin {
    if (field instanceof FilterArgument) throw notInSubset('where() with a Filter');
    this.#refuseAfterCursor('a where() filter');
    if (operator === 'array-contains-any') throw notInSubset("where() with 'array-contains-any'");
    if (typeof operator !== 'string' || !OPERATORS.includes(operator)) {
      throw new Error(`Value for argument "opStr" is invalid. Acceptable values are: ${OPERATORS.join(', ')}`);
    }
    if ((value === null || Number.isNaN(value)) && ['<', '<=', '>', '>=', 'array-contains'].includes(operator)) {
      const what = value === null ? 'Null' : 'NaN';
      throw new Error(`Invalid query. You can only perform '==' and '!=' comparisons on ${what}.`);
    }
    const segments = fieldSegments(field);
    const encoded = isNameField(segments) ? this.#pathsOf(value) : encodeQueryValue(value);
    const filter = { field: segments, operator: operator as Operator, value: encoded };
    return this.#with({ filters: [...this.plan.filters, filter] });
  }

  orderBy(field: unknown, direction: unknown = 'asc'): QueryTwin {
    this.#refuseAfterCursor('an orderBy() constraint');
    if (direction !== 'asc' && direction !== 'desc') {
      throw new Error('Value for argument "directionStr" is invalid. Acceptable values are: asc, desc');
    }
    const order = { field: fieldSegments(field), descending: direction === 'desc' };
    return this.#with({ orders: [...this.plan.orders, order] });
  }

  limit(limit: number): QueryTwin {
    if (!Number.isSafeInteger(limit)) throw new Error('Value for argument "limit" is not a valid integer.');
    return this.#with({ limit });
  }

  select(...fields: unknown[]): QueryTwin {
    return this.#with({ projection: fields.map(fieldSegments) });
  }

  startAt(...at: unknown[]): QueryTwin {
    const { orders, cursor } = this.#cursor(at, true);
    return this.#with({ orders, start: cursor });
  }

  startAfter(...at: unknown[]): QueryTwin {
    const { orders, cursor } = this.#cursor(at, false);
    return this.#with({ orders, start: cursor });
  }

  endAt(...at: unknown[]): QueryTwin {
    const { orders, cursor } = this.#cursor(at, false);
    return this.#with({ orders, end: cursor });
  }

  endBefore(...at: unknown[]): QueryTwin {
    const { orders, cursor } = this.#cursor(at, true);
    return this.#with({ orders, end: cursor });
  }

  get(): Promise<QuerySnapshotTwin> {
    return this.db.request('query', sourceName(this.plan.source), () => {
      const { engine } = this.db;
      return this.snapshotOf(engine.query(this.db.compile(this.plan)), engine.readTime());
    });
  }

  /** @param readTime microseconds. */
  snapshotOf(found: readonly StoredDocument[], readTime: number): QuerySnapshotTwin {
    const time = timestampOf(readTime);
    const documents = found.map((stored) => {
      const ref = this.db.documentAt(stored.collection, stored.id, this.converter);
      return new DocumentSnapshotTwin(ref, stored, time, this.plan.projection);
    });
    return new QuerySnapshotTwin(this, documents, time);
  }

  count(): AggregateQueryTwin {
    return this.aggregate({ count: AggregateField.count() });
  }

  aggregate(spec: Record<string, unknown>): AggregateQueryTwin {
    return new AggregateQueryTwin(this, Object.entries(spec).map(aggregationOf));
  }

  #refuseAfterCursor(what: string): void {
    if (!this.plan.start && !this.plan.end) return;
    throw new Error(`Cannot specify ${what} after calling startAt(), startAfter(), endBefore() or endAt().`);
  }

  /** A document as a cursor brings the implied orders with it; plain values go by the orders written. */
  #cursor(at: readonly unknown[], before: boolean): { orders: readonly Order[]; cursor: Cursor } {
    const [first] = at;
    if (at.length === 1 && first instanceof DocumentSnapshotTwin) {
      const orders = impliedOrders(this.plan.orders, this.plan.filters);
      const values = orders.map(({ field }): Value => {
        const value = isNameField(field) ? first.ref.path : first.valueAt(field);
        if (value !== undefined) return value;
        throw new Error(
          `Field "${field.join('.')}" is missing in the provided DocumentSnapshot. Please provide a document that ` +
            'contains values for all specified orderBy() and where() constraints.',
        );
      });
      return { orders, cursor: { values, before } };
    }
    const { orders } = this.plan;
    if (at.length === 0) throw new Error('A cursor requires at least 1 argument.');
    if (at.length > orders.length) {
      throw new Error(
        'Too many cursor values specified. The specified values must match the orderBy() constraints of the query.',
      );
    }
    const values = at.map((value, i) =>
      isNameField(orders[i]!.field) ? this.#pathsOf(value) : encodeQueryValue(value),
    );
    return { orders, cursor: { values, before } };
  }

  /** What is compared with a document's name: an id within the collection, or a whole path within a group. */
  #pathsOf(value: unknown): Value {
    if (Array.isArray(value)) return value.map((element) => this.#pathsOf(element));
    const { source } = this.plan;
    if (value instanceof DocumentReferenceMark) {
      if (source.kind === 'group' || value.parentPath === source.path) return value.path;
      throw new Error(`"${value.path}" is not part of the query result set and cannot be used as a query boundary.`);
    }
    if (typeof value !== 'string' || value === '') {
      throw new Error(
        'The corresponding value for FieldPath.documentId() must be a string or a DocumentReference, ' +
          `but was "${String(value)}".`,
      );
    }
    const slashes = value.split('/').length - 1;
    if (source.kind === 'group' ? slashes % 2 === 1 : slashes === 0) {
      return source.kind === 'group' ? value : `${source.path}/${value}`;
    }
    throw new Error(
      `When querying by FieldPath.documentId(), the corresponding value must be a plain document ID in a collection ` +
        `or a whole document path in a collection group, but was '${value}'.`,
    );
  }
}

function encodeQueryValue(value: unknown): Value {
  const encoded = encode(value);
  if (encoded !== undefined) return encoded;
  throw new Error(
    'Value for argument "value" is not a valid query constraint. "undefined" values are only ignored inside of objects.',
  );
}

/** The SDK keeps the field an aggregation adds up in a member that its types leave out. */
type AggregateFieldInside = { readonly aggregateType: string; readonly _field?: unknown };

function aggregationOf([alias, field]: [string, unknown]): Aggregation {
  if (!(field instanceof AggregateField)) throw new Error(`"${alias}" is not an AggregateField.`);
  const { aggregateType: kind, _field } = field as unknown as AggregateFieldInside;
  if (kind === 'count') return { alias, kind };
  if (kind === 'sum' || kind === 'avg') return { alias, kind, field: fieldSegments(_field) };
  throw notInSubset(`The aggregation ${kind}`);
}

/** AggregateQuery. Counts and adds up only documents that have every field it names. */
export class AggregateQueryTwin {
  readonly query: QueryTwin;
  readonly aggregations: readonly Aggregation[];

  constructor(query: QueryTwin, aggregations: readonly Aggregation[]) {
    this.query = query;
    this.aggregations = aggregations;
  }

  compile(): Runnable {
    if (this.aggregations.length === 0) throw grpcError(3, 'Aggregations can not be empty.');
    const required = this.aggregations.flatMap((aggregation) => ('field' in aggregation ? [aggregation.field] : []));
    if (this.query.plan.limit && required.length > 0) {
      // The server then takes the first documents by the order of the fields added up, which it does not promise.
      throw notInSubset('A sum or average of a query with a limit');
    }
    return this.query.db.compile({ ...this.query.plan, required });
  }

  get(): Promise<AggregateQuerySnapshotTwin> {
    const { db, plan } = this.query;
    return db.request('aggregate', sourceName(plan.source), () =>
      this.snapshotOf(db.engine.query(this.compile()), db.engine.readTime()),
    );
  }

  snapshotOf(found: readonly StoredDocument[], readTime: number): AggregateQuerySnapshotTwin {
    return new AggregateQuerySnapshotTwin(this, aggregate(this.aggregations, found), timestampOf(readTime));
  }
}
