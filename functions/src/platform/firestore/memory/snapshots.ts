import type { Timestamp } from 'firebase-admin/firestore';
import type { QueryTwin, AggregateQueryTwin } from './query.ts';
import type { DocumentReferenceTwin } from './references.ts';
import {
  type Fields,
  type FieldSegments,
  type Value,
  decode,
  decodeFields,
  fieldSegments,
  getField,
  setField,
} from './values.ts';
import { type StoredDocument, timestampOf } from './writes.ts';

/** DocumentSnapshot and QueryDocumentSnapshot. Holds one stored version; each data() is a fresh copy. */
export class DocumentSnapshotTwin {
  readonly ref: DocumentReferenceTwin;
  readonly readTime: Timestamp;
  readonly #stored: StoredDocument | undefined;
  readonly #fields: Fields | undefined;

  constructor(
    ref: DocumentReferenceTwin,
    stored: StoredDocument | undefined,
    readTime: Timestamp,
    projection?: readonly FieldSegments[],
  ) {
    this.ref = ref;
    this.readTime = readTime;
    this.#stored = stored;
    this.#fields = stored && projection ? project(stored.fields, projection) : stored?.fields;
  }

  get id(): string {
    return this.ref.id;
  }

  get exists(): boolean {
    return this.#stored !== undefined;
  }

  get createTime(): Timestamp | undefined {
    return this.#stored && timestampOf(this.#stored.created);
  }

  get updateTime(): Timestamp | undefined {
    return this.#stored && timestampOf(this.#stored.updated);
  }

  data(): unknown {
    if (!this.#fields) return undefined;
    const { converter } = this.ref;
    return converter ? converter.fromFirestore(this.#plain()) : decodeFields(this.#fields);
  }

  get(field: unknown): unknown {
    const value = this.valueAt(fieldSegments(field));
    return value === undefined ? undefined : decode(value);
  }

  /** The stored value of a field, for a cursor. */
  valueAt(field: FieldSegments): Value | undefined {
    return this.#fields && getField(this.#fields, field);
  }

  /** The same snapshot as the converter sees it: without a converter. */
  #plain(): DocumentSnapshotTwin {
    const stored = this.#stored && this.#fields ? { ...this.#stored, fields: this.#fields } : undefined;
    return new DocumentSnapshotTwin(this.ref.withConverter(null), stored, this.readTime);
  }
}

function project(fields: Fields, projection: readonly FieldSegments[]): Fields {
  const out: Record<string, Value> = {};
  for (const field of projection) {
    const value = getField(fields, field);
    if (value !== undefined) setField(out, field, value);
  }
  return out;
}

export class QuerySnapshotTwin {
  readonly query: QueryTwin;
  readonly docs: readonly DocumentSnapshotTwin[];
  readonly readTime: Timestamp;

  constructor(query: QueryTwin, docs: readonly DocumentSnapshotTwin[], readTime: Timestamp) {
    this.query = query;
    this.docs = docs;
    this.readTime = readTime;
  }

  get size(): number {
    return this.docs.length;
  }

  get empty(): boolean {
    return this.docs.length === 0;
  }

  forEach(callback: (document: DocumentSnapshotTwin) => void, thisArg?: unknown): void {
    for (const document of this.docs) callback.call(thisArg, document);
  }
}

export class AggregateQuerySnapshotTwin {
  readonly query: AggregateQueryTwin;
  readonly readTime: Timestamp;
  readonly #result: Readonly<Record<string, number | null>>;

  constructor(query: AggregateQueryTwin, result: Readonly<Record<string, number | null>>, readTime: Timestamp) {
    this.query = query;
    this.readTime = readTime;
    this.#result = result;
  }

  data(): Record<string, number | null> {
    return { ...this.#result };
  }
}

export class WriteResultTwin {
  readonly writeTime: Timestamp;

  constructor(micros: number) {
    this.writeTime = timestampOf(micros);
  }

  isEqual(other: unknown): boolean {
    return other instanceof WriteResultTwin && this.writeTime.isEqual(other.writeTime);
  }
}
