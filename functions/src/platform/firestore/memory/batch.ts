import type { Database } from './database.ts';
import { type DocumentReferenceTwin, createOf, keyOf, setOf } from './references.ts';
import { WriteResultTwin } from './snapshots.ts';
import { type Write, deleteWrite, updateWrite } from './writes.ts';

/** WriteBatch: writes that are committed together or not at all. */
export class WriteBatchTwin {
  readonly #db: Database;
  readonly #writes: Write[] = [];
  #committed = false;

  constructor(db: Database) {
    this.#db = db;
  }

  create(ref: DocumentReferenceTwin, data: unknown): this {
    return this.#add(createOf(ref, data));
  }

  set(ref: DocumentReferenceTwin, data: unknown, options?: unknown): this {
    return this.#add(setOf(ref, data, options));
  }

  update(ref: DocumentReferenceTwin, ...args: unknown[]): this {
    return this.#add(updateWrite(keyOf(ref), args));
  }

  delete(ref: DocumentReferenceTwin, precondition?: unknown): this {
    return this.#add(deleteWrite(keyOf(ref), precondition));
  }

  commit(): Promise<WriteResultTwin[]> {
    this.#committed = true;
    return this.#db.request('batch.commit', this.#writes[0]?.key.path ?? '', () =>
      this.#db.engine.commit(this.#writes).writes.map((micros) => new WriteResultTwin(micros)),
    );
  }

  #add(write: Write): this {
    if (this.#committed) throw new Error('Cannot modify a WriteBatch that has been committed.');
    this.#writes.push(write);
    return this;
  }
}
