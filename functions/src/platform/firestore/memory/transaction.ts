import { type Database, sourceName } from './database.ts';
import type { Snapshot } from './engine.ts';
import { AggregateQueryTwin, QueryTwin } from './query.ts';
import { type AggregateQuerySnapshotTwin, DocumentSnapshotTwin, type QuerySnapshotTwin } from './snapshots.ts';
import { DocumentReferenceTwin, createOf, keyOf, setOf } from './references.ts';
import { type Write, deleteWrite, timestampOf, updateWrite } from './writes.ts';

export type TransactionOptions = {
  readonly readOnly?: boolean;
  readonly maxAttempts?: number;
  readonly readTime?: unknown;
};
type Body<T> = (transaction: TransactionTwin) => Promise<T>;

/** One attempt of a transaction. */
export class TransactionTwin {
  readonly #db: Database;
  readonly #readOnly: boolean;
  readonly #writes: Write[] = [];
  #snapshot: Snapshot | undefined;
  #over = false;

  constructor(db: Database, readOnly: boolean) {
    this.#db = db;
    this.#readOnly = readOnly;
  }

  get(
    target: unknown,
  ): Promise<DocumentSnapshotTwin> | Promise<QuerySnapshotTwin> | Promise<AggregateQuerySnapshotTwin> {
    this.#checkReadable();
    if (target instanceof DocumentReferenceTwin) {
      return this.#db.request('transaction.get', target.path, () => this.#document(target));
    }
    if (target instanceof QueryTwin) {
      return this.#db.request('transaction.query', sourceName(target.plan.source), () => {
        const found = this.#db.engine.queryAt(this.#begun(), this.#db.compile(target.plan), this.#readOnly);
        return target.snapshotOf(found, this.#db.engine.readTime());
      });
    }
    if (target instanceof AggregateQueryTwin) {
      return this.#db.request('transaction.aggregate', sourceName(target.query.plan.source), () => {
        const found = this.#db.engine.queryAt(this.#begun(), target.compile(), this.#readOnly);
        return target.snapshotOf(found, this.#db.engine.readTime());
      });
    }
    throw new Error('Value for argument "refOrQuery" must be a DocumentReference, Query, or AggregateQuery.');
  }

  getAll(...refs: DocumentReferenceTwin[]): Promise<DocumentSnapshotTwin[]> {
    this.#checkReadable();
    checkReferences('Transaction.getAll', refs);
    return this.#db.request('transaction.getAll', refs[0]?.path ?? '', () => refs.map((ref) => this.#document(ref)));
  }

  create(ref: DocumentReferenceTwin, data: unknown): this {
    return this.#add(() => createOf(ref, data));
  }

  set(ref: DocumentReferenceTwin, data: unknown, options?: unknown): this {
    return this.#add(() => setOf(ref, data, options));
  }

  update(ref: DocumentReferenceTwin, ...args: unknown[]): this {
    return this.#add(() => updateWrite(keyOf(ref), args));
  }

  delete(ref: DocumentReferenceTwin, precondition?: unknown): this {
    return this.#add(() => deleteWrite(keyOf(ref), precondition));
  }

  async commit(): Promise<void> {
    // Nothing read and nothing written: nothing is sent.
    if (this.#readOnly || (this.#writes.length === 0 && !this.#snapshot)) return;
    await this.#db.request('transaction.commit', this.#writes[0]?.key.path ?? '', () => {
      this.#db.engine.commit(this.#writes, this.#snapshot);
      this.close();
    });
  }

  /** Ends the attempt, committed or not; what still runs of it can do nothing more. */
  close(): void {
    this.#over = true;
    if (this.#snapshot) this.#db.engine.end(this.#snapshot);
  }

  #document(ref: DocumentReferenceTwin): DocumentSnapshotTwin {
    const stored = this.#db.engine.documentAt(this.#begun(), ref.path, this.#readOnly);
    return new DocumentSnapshotTwin(ref, stored, timestampOf(this.#db.engine.readTime()));
  }

  #begun(): Snapshot {
    this.#checkOpen();
    this.#snapshot ??= this.#db.engine.begin();
    return this.#snapshot;
  }

  #add(write: () => Write): this {
    if (this.#readOnly) throw new Error('Firestore read-only transactions cannot execute writes.');
    this.#checkOpen();
    this.#writes.push(write());
    return this;
  }

  #checkReadable(): void {
    this.#checkOpen();
    if (this.#writes.length > 0) {
      throw new Error('Firestore transactions require all reads to be executed before all writes.');
    }
  }

  #checkOpen(): void {
    if (!this.#over) return;
    throw new Error('This attempt of the transaction is over. Await everything it does before its function returns.');
  }
}

export function checkReferences(method: string, refs: readonly unknown[]): void {
  if (refs.length === 0) throw new Error(`Function "${method}()" requires at least 1 argument.`);
  if (refs.every((ref) => ref instanceof DocumentReferenceTwin)) return;
  throw new Error(`${method}() takes DocumentReferences; read options are not in the in-memory twin's subset.`);
}

/** gRPC codes after which the SDK runs a transaction again, whoever threw them. */
const RETRYABLE: ReadonlySet<unknown> = new Set([1, 2, 4, 8, 10, 13, 14, 16]);

function isRetryable(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return RETRYABLE.has(error.code) || (error.code === 3 && error.message.includes('transaction has expired'));
}

export async function runTransactionTwin<T>(db: Database, body: Body<T>, options: TransactionOptions): Promise<T> {
  const { readOnly = false, maxAttempts = 5 } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptTransaction(db, body, readOnly);
    } catch (error) {
      if (readOnly || attempt >= maxAttempts || !isRetryable(error)) throw error;
      await db.backoff(attempt);
    }
  }
}

async function attemptTransaction<T>(db: Database, body: Body<T>, readOnly: boolean): Promise<T> {
  const transaction = new TransactionTwin(db, readOnly);
  try {
    const running: unknown = body(transaction);
    if (!(running instanceof Promise)) {
      throw new Error('You must return a Promise in your transaction()-callback.');
    }
    const result = (await running) as T;
    await transaction.commit();
    return result;
  } finally {
    transaction.close();
  }
}
