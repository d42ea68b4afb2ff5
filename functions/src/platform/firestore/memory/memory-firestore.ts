import * as admin from 'firebase-admin/firestore';
import { WriteBatchTwin } from './batch.ts';
import type { Converter, Database, Operation } from './database.ts';
import { Engine } from './engine.ts';
import { notInSubset, refuseTheRest } from './errors.ts';
import { indexCheck } from './index-check.ts';
import type { IndexFile } from './indexes.ts';
import { type Plan, type Runnable, compilePlan } from './query-plan.ts';
import { QueryTwin } from './query.ts';
import { CollectionReferenceTwin, DocumentReferenceTwin, documentReference } from './references.ts';
import { DocumentSnapshotTwin, QuerySnapshotTwin, WriteResultTwin } from './snapshots.ts';
import { type TransactionOptions, TransactionTwin, checkReferences, runTransactionTwin } from './transaction.ts';
import { timestampOf } from './writes.ts';

type Hook = (operation: Operation, path: string) => Promise<void> | void;

export interface MemoryFirestoreOptions {
  /** The server's clock: commit times and server timestamps. Default: the machine's. */
  readonly now?: () => Date;
  /** Ids made by `doc()` and `add()`, and the length of backoffs. In [0, 1). Default: Math.random. */
  readonly random?: () => number;
  /** Called and awaited before each operation takes effect; throw to make the operation fail without effect. */
  readonly onAwait?: Hook;
  /** Called and awaited after an operation took effect, before the caller learns; throw to lose the reply. */
  readonly onReply?: Hook;
  /** The indexes deployed: a query that none of them serves fails as in production. Default: every query is served. */
  readonly indexes?: IndexFile;
}

/**
 * An in-memory twin of the part of Firestore's Admin API that the stores use, for unit tests and simulation.
 * Same semantics as the real one (`contract.ts` runs on both), no timers, and a stop at every await. What it does not
 * support throws an error that says so. `undefined` properties are ignored, as the product configures the real one.
 */
export function createMemoryFirestore(options: MemoryFirestoreOptions = {}): admin.Firestore {
  return new FirestoreTwin(options) as unknown as admin.Firestore;
}

const ID_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 20;

class FirestoreTwin implements Database {
  readonly engine: Engine;
  readonly databaseId = '(default)';
  readonly #options: MemoryFirestoreOptions;
  readonly #random: () => number;
  readonly #requireIndex: ((plan: Plan) => void) | undefined;

  constructor(options: MemoryFirestoreOptions) {
    const { now, indexes } = options;
    this.#requireIndex = indexes && indexCheck(indexes);
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.engine = new Engine(() => (now ? now().getTime() : Date.now()) * 1000);
  }

  doc(path: string): DocumentReferenceTwin {
    return documentReference(this, '', path, null);
  }

  collection(path: string): CollectionReferenceTwin {
    return new CollectionReferenceTwin(this, path, null);
  }

  collectionGroup(id: string): QueryTwin {
    if (id === '' || id.includes('/')) {
      throw new Error(`Invalid collectionId '${id}'. Collection IDs must not contain '/'.`);
    }
    return new QueryTwin(this, { source: { kind: 'group', id }, filters: [], orders: [], required: [] }, null);
  }

  getAll(...refs: DocumentReferenceTwin[]): Promise<DocumentSnapshotTwin[]> {
    checkReferences('Firestore.getAll', refs);
    return this.request('getAll', refs[0]?.path ?? '', () => {
      const time = timestampOf(this.engine.readTime());
      return refs.map((ref) => new DocumentSnapshotTwin(ref, this.engine.document(ref.path), time));
    });
  }

  batch(): WriteBatchTwin {
    return new WriteBatchTwin(this);
  }

  runTransaction<T>(body: (transaction: TransactionTwin) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (options.readTime !== undefined) throw notInSubset('runTransaction() with a readTime');
    const { maxAttempts = 1 } = options;
    if (!Number.isSafeInteger(maxAttempts) || maxAttempts < 1) {
      throw new Error('Value for argument "transactionOptions.maxAttempts" must be within [1, Infinity] inclusive.');
    }
    return runTransactionTwin(this, body, options);
  }

  async request<T>(operation: Operation, path: string, effect: () => T): Promise<T> {
    // Even without a hook the effect comes a moment after the call, so that concurrent calls interleave.
    await this.#options.onAwait?.(operation, path);
    const result = effect();
    if (this.#options.onReply) await this.#options.onReply(operation, path);
    return result;
  }

  compile(plan: Plan): Runnable {
    const runnable = compilePlan(plan);
    this.#requireIndex?.(plan);
    return runnable;
  }

  /** Waits turns of the microtask queue, four times as many each time: contenders spread out without a timer. */
  async backoff(attempt: number): Promise<void> {
    await this.#options.onAwait?.('transaction.backoff', '');
    const turns = Math.floor(this.#random() * 16 * 4 ** Math.min(attempt, 5));
    for (let i = 0; i < turns; i++) await Promise.resolve();
  }

  documentAt(collection: string, id: string, converter: Converter | null): DocumentReferenceTwin {
    return new DocumentReferenceTwin(this, collection, id, converter);
  }

  newId(): string {
    let id = '';
    while (id.length < ID_LENGTH) id += ID_LETTERS.charAt(Math.floor(this.#random() * ID_LETTERS.length));
    return id;
  }
}

refuseTheRest(FirestoreTwin, admin.Firestore);
refuseTheRest(DocumentReferenceTwin, admin.DocumentReference);
refuseTheRest(QueryTwin, admin.Query);
refuseTheRest(CollectionReferenceTwin, admin.CollectionReference);
refuseTheRest(QueryTwin, admin.CollectionGroup);
refuseTheRest(DocumentSnapshotTwin, admin.DocumentSnapshot);
refuseTheRest(QuerySnapshotTwin, admin.QuerySnapshot);
refuseTheRest(WriteResultTwin, admin.WriteResult);
refuseTheRest(WriteBatchTwin, admin.WriteBatch);
refuseTheRest(TransactionTwin, admin.Transaction);
