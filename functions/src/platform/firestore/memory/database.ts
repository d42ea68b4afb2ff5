import type { Engine } from './engine.ts';
import type { Plan, Runnable, Source } from './query-plan.ts';
import type { DocumentReferenceTwin } from './references.ts';

/** FirestoreDataConverter, without its types: the twin only calls it. */
export interface Converter {
  toFirestore(model: unknown, options?: unknown): unknown;
  fromFirestore(snapshot: unknown): unknown;
}

/** What references, queries, batches and transactions need of the database they belong to. */
export interface Database {
  readonly engine: Engine;
  /** One call to the server: waits at the gate, takes effect in one step, and answers. */
  request<T>(operation: Operation, path: string, effect: () => T): Promise<T>;
  /** Makes a query ready to run, or refuses it as the server would. */
  compile(plan: Plan): Runnable;
  /** Between two attempts of a transaction. @param attempt how many have failed. */
  backoff(attempt: number): Promise<void>;
  documentAt(collection: string, id: string, converter: Converter | null): DocumentReferenceTwin;
  newId(): string;
}

/** The names `onAwait` and `onReply` are told. */
export type Operation =
  | 'get'
  | 'getAll'
  | 'query'
  | 'aggregate'
  | 'create'
  | 'set'
  | 'update'
  | 'delete'
  | 'batch.commit'
  | 'transaction.get'
  | 'transaction.getAll'
  | 'transaction.query'
  | 'transaction.aggregate'
  | 'transaction.commit'
  | 'transaction.backoff';

/** How a source is named to `onAwait`: a collection's path, or `**` and a collection group's id. */
export const sourceName = (source: Source): string => (source.kind === 'collection' ? source.path : `**/${source.id}`);
