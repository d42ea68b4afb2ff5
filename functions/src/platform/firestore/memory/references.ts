import type { Converter, Database, Operation } from './database.ts';
import { grpcError, notInSubset } from './errors.ts';
import { QueryTwin } from './query.ts';
import { DocumentReferenceMark } from './reference-mark.ts';
import { DocumentSnapshotTwin, WriteResultTwin } from './snapshots.ts';
import {
  type DocumentKey,
  type Write,
  deleteWrite,
  mergeWrite,
  replaceWrite,
  timestampOf,
  updateWrite,
} from './writes.ts';

export class DocumentReferenceTwin extends DocumentReferenceMark {
  readonly db: Database;
  readonly converter: Converter | null;

  constructor(db: Database, parentPath: string, id: string, converter: Converter | null) {
    super(parentPath, id);
    this.db = db;
    this.converter = converter;
  }

  get firestore(): Database {
    return this.db;
  }

  get parent(): CollectionReferenceTwin {
    return new CollectionReferenceTwin(this.db, this.parentPath, this.converter);
  }

  collection(path: string): CollectionReferenceTwin {
    return new CollectionReferenceTwin(this.db, `${this.path}/${path}`, null);
  }

  withConverter(converter: Converter | null): DocumentReferenceTwin {
    return new DocumentReferenceTwin(this.db, this.parentPath, this.id, converter);
  }

  isEqual(other: unknown): boolean {
    return (
      other instanceof DocumentReferenceTwin &&
      other.db === this.db &&
      other.path === this.path &&
      other.converter === this.converter
    );
  }

  get(): Promise<DocumentSnapshotTwin> {
    return this.db.request('get', this.path, () => {
      const { engine } = this.db;
      return new DocumentSnapshotTwin(this, engine.document(this.path), timestampOf(engine.readTime()));
    });
  }

  create(data: unknown): Promise<WriteResultTwin> {
    return this.#write('create', createOf(this, data));
  }

  set(data: unknown, options?: unknown): Promise<WriteResultTwin> {
    return this.#write('set', setOf(this, data, options));
  }

  update(...args: unknown[]): Promise<WriteResultTwin> {
    return this.#write('update', updateWrite(keyOf(this), args));
  }

  delete(precondition?: unknown): Promise<WriteResultTwin> {
    return this.#write('delete', deleteWrite(keyOf(this), precondition));
  }

  #write(operation: Operation, write: Write): Promise<WriteResultTwin> {
    return this.db.request(operation, this.path, () => {
      const { micros, writes } = this.db.engine.commit([write]);
      return new WriteResultTwin(writes[0] ?? micros);
    });
  }
}

export function keyOf(ref: DocumentReferenceTwin): DocumentKey {
  const reserved = ref.path.split('/').find((segment) => /^__.*__$/.test(segment));
  if (reserved !== undefined) throw grpcError(3, `Resource id "${reserved}" is invalid because it is reserved.`);
  return { path: ref.path, collection: ref.parentPath, id: ref.id };
}

export function createOf(ref: DocumentReferenceTwin, data: unknown): Write {
  return replaceWrite(keyOf(ref), ref.converter ? ref.converter.toFirestore(data) : data, { exists: false });
}

export function setOf(ref: DocumentReferenceTwin, data: unknown, options: unknown): Write {
  const { merge, ...others } = (options ?? {}) as { merge?: boolean };
  if (Object.keys(others).length > 0) throw notInSubset(`set() with ${Object.keys(others).join(', ')}`);
  if (!merge) return replaceWrite(keyOf(ref), ref.converter ? ref.converter.toFirestore(data) : data);
  return mergeWrite(keyOf(ref), ref.converter ? ref.converter.toFirestore(data, options) : data);
}

export class CollectionReferenceTwin extends QueryTwin {
  readonly id: string;
  readonly path: string;

  constructor(db: Database, path: string, converter: Converter | null) {
    const segments = pathSegments(path, 'collectionPath');
    if (segments.length % 2 === 0) {
      throw new Error(
        `Value for argument "collectionPath" must point to a collection, but was "${path}". ` +
          'Your path does not contain an odd number of components.',
      );
    }
    const clean = segments.join('/');
    super(db, { source: { kind: 'collection', path: clean }, filters: [], orders: [], required: [] }, converter);
    this.path = clean;
    this.id = segments.at(-1)!;
  }

  get parent(): DocumentReferenceTwin | null {
    const segments = this.path.split('/');
    if (segments.length === 1) return null;
    return new DocumentReferenceTwin(this.db, segments.slice(0, -2).join('/'), segments.at(-2)!, null);
  }

  /** Without an argument: a new document with an id of its own. An argument that is there must name a document. */
  doc(...args: readonly unknown[]): DocumentReferenceTwin {
    const path = args.length === 0 ? this.db.newId() : args[0];
    return documentReference(this.db, `${this.path}/`, path, this.converter);
  }

  async add(data: unknown): Promise<DocumentReferenceTwin> {
    const ref = this.doc();
    await ref.create(data);
    return ref;
  }

  override withConverter(converter: Converter | null): CollectionReferenceTwin {
    return new CollectionReferenceTwin(this.db, this.path, converter);
  }

  isEqual(other: unknown): boolean {
    return (
      other instanceof CollectionReferenceTwin &&
      other.db === this.db &&
      other.path === this.path &&
      other.converter === this.converter
    );
  }
}

/** The document at `path`, below `prefix` (empty, or a collection's path with a slash). */
export function documentReference(
  db: Database,
  prefix: string,
  path: unknown,
  converter: Converter | null,
): DocumentReferenceTwin {
  const segments = [...(prefix === '' ? [] : prefix.slice(0, -1).split('/')), ...pathSegments(path, 'documentPath')];
  if (segments.length % 2 === 1) {
    throw new Error(
      `Value for argument "documentPath" must point to a document, but was "${String(path)}". ` +
        'Your path does not contain an even number of components.',
    );
  }
  return new DocumentReferenceTwin(db, segments.slice(0, -1).join('/'), segments.at(-1)!, converter);
}

function pathSegments(path: unknown, argument: string): readonly string[] {
  if (typeof path !== 'string' || path === '') {
    throw new Error(`Value for argument "${argument}" is not a valid resource path. Path must be a non-empty string.`);
  }
  if (path.includes('//')) {
    throw new Error(`Value for argument "${argument}" is not a valid resource path. Paths must not contain //.`);
  }
  return path.split('/').filter((segment) => segment !== '');
}
