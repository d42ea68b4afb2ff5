import { grpcError } from './errors.ts';
import type { Runnable, Source } from './query-plan.ts';
import { type StoredDocument, type Write, applyWrite } from './writes.ts';

/** The longest a transaction may last, as on the server. */
const TRANSACTION_LIFETIME_MICROS = 270 * 1_000_000;

export const CONTENTION =
  'Aborted due to cross-transaction contention. This occurs when multiple transactions attempt to access the same ' +
  'data, requiring Firestore to abort at least one in order to enforce serializability.';

type Change = {
  readonly version: number;
  readonly path: string;
  readonly before: StoredDocument | undefined;
  readonly after: StoredDocument | undefined;
};

type Read =
  | { readonly kind: 'document'; readonly path: string; readonly seen: StoredDocument | undefined }
  | { readonly kind: 'query'; readonly query: Runnable; readonly seen: readonly StoredDocument[] };

/** What one attempt of a transaction has seen, and the version of the database it saw it at. */
export interface Snapshot {
  version: number;
  readonly began: number;
  readonly reads: Read[];
}

export type CommitResult = { readonly micros: number; readonly writes: readonly number[] };

/**
 * The database itself: documents, commits, snapshots. Everything here is synchronous, so each read and each commit
 * is one indivisible step; all waiting happens outside.
 *
 * Transactions are optimistic. A transaction reads at one version of the database (moved up to the newest whenever
 * all it has read so far still stands). Its commit checks again that every document and every query result it read
 * is what it would read now, and applies its writes in the same step; so all that commits is serialisable in the
 * order of commits. Old versions are kept as a log of changes, only for as long as a transaction may need them.
 */
export class Engine {
  readonly #collections = new Map<string, Map<string, StoredDocument>>();
  readonly #groups = new Map<string, Set<string>>();
  readonly #snapshots = new Set<Snapshot>();
  readonly #now: () => number;
  #log: Change[] = [];
  #version = 0;
  #lastCommit = 0;

  /** @param now the server's clock, microseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** When a read made now is true: never before the last commit. */
  readTime(): number {
    return Math.max(this.#now(), this.#lastCommit);
  }

  document(path: string): StoredDocument | undefined {
    const [collection, id] = splitPath(path);
    return this.#collections.get(collection)?.get(id);
  }

  query(query: Runnable): readonly StoredDocument[] {
    return query.run(this.#documents(query.source));
  }

  *#documents(source: Source): Iterable<StoredDocument> {
    if (source.kind === 'collection') {
      yield* this.#collections.get(source.path)?.values() ?? [];
      return;
    }
    for (const path of this.#groups.get(source.id) ?? []) yield* this.#collections.get(path)?.values() ?? [];
  }

  begin(): Snapshot {
    const now = this.readTime();
    // What was stopped in the middle and never came back must not hold the log for ever.
    for (const old of this.#snapshots) if (isExpired(old, now)) this.#snapshots.delete(old);
    const snapshot: Snapshot = { version: this.#version, began: now, reads: [] };
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  end(snapshot: Snapshot): void {
    this.#snapshots.delete(snapshot);
    let oldest = this.#version;
    for (const { version } of this.#snapshots) oldest = Math.min(oldest, version);
    const keep = this.#log.findIndex((change) => change.version > oldest);
    if (keep !== 0) this.#log = keep < 0 ? [] : this.#log.slice(keep);
  }

  /** @param frozen true keeps the version the snapshot began with (a read-only transaction). */
  documentAt(snapshot: Snapshot, path: string, frozen: boolean): StoredDocument | undefined {
    this.#prepare(snapshot, frozen);
    const past = this.#since(snapshot.version).find((change) => change.path === path);
    const seen = past ? past.before : this.document(path);
    snapshot.reads.push({ kind: 'document', path, seen });
    return seen;
  }

  queryAt(snapshot: Snapshot, query: Runnable, frozen: boolean): readonly StoredDocument[] {
    this.#prepare(snapshot, frozen);
    const past = new Map<string, StoredDocument | undefined>();
    for (const { path, before } of this.#since(snapshot.version)) if (!past.has(path)) past.set(path, before);
    const seen = past.size === 0 ? this.query(query) : query.run(this.#documentsBefore(query.source, past));
    snapshot.reads.push({ kind: 'query', query, seen });
    return seen;
  }

  /** Applies all writes or none. @throws code 10 when what `snapshot` read has changed; 3, 5, 6, 9 from the writes. */
  commit(writes: readonly Write[], snapshot?: Snapshot): CommitResult {
    if (snapshot) {
      this.#checkAlive(snapshot);
      if (writes.length > 0 && !this.#stillStands(snapshot)) throw grpcError(10, CONTENTION);
    }
    const server = this.#now();
    const micros = Math.max(server, this.#lastCommit + 1);
    const staged = new Map<string, StoredDocument | undefined>();
    const times = writes.map((write) => {
      const { path } = write.key;
      const current = staged.has(path) ? staged.get(path) : this.document(path);
      const next = applyWrite(current, write, { commit: micros, server });
      staged.set(path, next);
      return next?.updated ?? micros;
    });
    this.#lastCommit = micros;
    this.#version++;
    for (const [path, after] of staged) this.#store(path, after);
    return { micros, writes: times };
  }

  #store(path: string, after: StoredDocument | undefined): void {
    const [collection, id] = splitPath(path);
    let documents = this.#collections.get(collection);
    const before = documents?.get(id);
    if (before === after) return;
    if (!documents) {
      documents = new Map();
      this.#collections.set(collection, documents);
      this.#groupOf(collection).add(collection);
    }
    if (after) documents.set(id, after);
    else documents.delete(id);
    if (this.#snapshots.size > 0) this.#log.push({ version: this.#version, path, before, after });
  }

  #groupOf(collection: string): Set<string> {
    const id = collection.slice(collection.lastIndexOf('/') + 1);
    const group = this.#groups.get(id) ?? new Set();
    this.#groups.set(id, group);
    return group;
  }

  #prepare(snapshot: Snapshot, frozen: boolean): void {
    this.#checkAlive(snapshot);
    if (!frozen && snapshot.version < this.#version && this.#stillStands(snapshot)) snapshot.version = this.#version;
  }

  #checkAlive(snapshot: Snapshot): void {
    if (this.#snapshots.has(snapshot) && !isExpired(snapshot, this.readTime())) return;
    throw grpcError(3, 'The referenced transaction has expired or is no longer valid.');
  }

  /** Whether everything the snapshot read would read the same now. */
  #stillStands(snapshot: Snapshot): boolean {
    const changes = this.#since(snapshot.version);
    if (changes.length === 0) return true;
    return snapshot.reads.every((read) => {
      if (read.kind === 'document') return this.document(read.path) === read.seen;
      // A phantom shows as a change whose document is in the query's range before or after.
      const touched = changes.some(
        ({ path, before, after }) =>
          isIn(path, read.query.source) &&
          [before, after].some((document) => document !== undefined && read.query.matches(document)),
      );
      if (!touched) return true;
      const now = this.query(read.query);
      return now.length === read.seen.length && now.every((document, i) => document === read.seen[i]);
    });
  }

  #since(version: number): readonly Change[] {
    // Versions rise along the log, which may be long while a stopped transaction holds it: search by halves.
    let low = 0;
    let high = this.#log.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#log[middle]!.version > version) high = middle;
      else low = middle + 1;
    }
    return this.#log.slice(low);
  }

  *#documentsBefore(source: Source, past: ReadonlyMap<string, StoredDocument | undefined>): Iterable<StoredDocument> {
    for (const document of this.#documents(source)) if (!past.has(document.path)) yield document;
    for (const [path, before] of past) if (before && isIn(path, source)) yield before;
  }
}

const isExpired = (snapshot: Snapshot, now: number): boolean => now - snapshot.began > TRANSACTION_LIFETIME_MICROS;

function splitPath(path: string): readonly [collection: string, id: string] {
  const slash = path.lastIndexOf('/');
  return [path.slice(0, slash), path.slice(slash + 1)];
}

function isIn(path: string, source: Source): boolean {
  const [collection] = splitPath(path);
  if (source.kind === 'collection') return collection === source.path;
  return collection.slice(collection.lastIndexOf('/') + 1) === source.id;
}
