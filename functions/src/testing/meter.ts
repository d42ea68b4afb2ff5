import { AsyncLocalStorage } from 'node:async_hooks';
import type { Firestore } from 'firebase-admin/firestore';
import type { Database, Operation } from '../platform/firestore/memory/database.ts';
import {
  AggregateQuerySnapshotTwin,
  DocumentSnapshotTwin,
  QuerySnapshotTwin,
} from '../platform/firestore/memory/snapshots.ts';

/** What one piece of work has asked of the world. */
export interface Cost {
  /** Document reads as Firestore bills them, by what was read: `coaches`, `payouts`, `ledger (sum)`. */
  reads: Map<string, number>;
  writes: Map<string, number>;
  /** `GET /v1/balance`, one line for each request. */
  stripe: string[];
  tasks: number;
}

export const newCost = (): Cost => ({ reads: new Map(), writes: new Map(), stripe: [], tasks: 0 });

export const total = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

/** Counts what work costs, however much of it runs at once: each piece has its own `Cost`. */
export interface Meter {
  measure<T>(cost: Cost, work: () => Promise<T>): Promise<T>;
  /** For what is counted outside Firestore. Undefined outside `measure`. */
  current(): Cost | undefined;
}

/** One read counts up to so many index entries of an aggregation: Firestore's price list. */
const entriesPerRead = 1_000;

/**
 * Counts on Firestore's in-memory twin. As on the bill: one read for each document, found or not; at least one for each
 * query; an aggregation one for each thousand entries. A transaction that is run again is counted again.
 * @param onRead told each document's data that goes to the product.
 */
export function meter(db: Firestore, onRead?: (data: object) => void): Meter {
  const running = new AsyncLocalStorage<Cost>();
  const database = db as unknown as Database;
  const { engine } = database;
  let found = 0;
  const noting = <T extends readonly unknown[]>(documents: T): T => {
    found = documents.length;
    return documents;
  };
  const [query, queryAt] = [engine.query.bind(engine), engine.queryAt.bind(engine)];
  engine.query = (plan) => noting(query(plan));
  engine.queryAt = (...question) => noting(queryAt(...question));
  const request = database.request.bind(database);
  database.request = async <T>(operation: Operation, path: string, effect: () => T): Promise<T> =>
    request(operation, path, () => {
      const answer = effect();
      const cost = running.getStore();
      if (cost) for (const [what, reads] of readsOf(path, answer, found)) add(cost.reads, what, reads);
      if (onRead) for (const snapshot of snapshotsOf(answer)) watch(snapshot, onRead);
      return answer;
    });
  const commit = engine.commit.bind(engine);
  engine.commit = (writes, snapshot) => {
    const result = commit(writes, snapshot);
    const cost = running.getStore();
    if (cost) for (const { key } of writes) add(cost.writes, kindOf(parentOf(key.path)), 1);
    return result;
  };
  return { measure: (cost, work) => running.run(cost, work), current: () => running.getStore() };
}

/** `found`: how many documents the engine last found for a query. */
function readsOf(path: string, answer: unknown, found: number): [what: string, reads: number][] {
  if (answer instanceof QuerySnapshotTwin) return [[kindOf(path), Math.max(1, answer.size)]];
  if (answer instanceof AggregateQuerySnapshotTwin) {
    return [[`${kindOf(path)} (sum)`, Math.max(1, Math.ceil(found / entriesPerRead))]];
  }
  return snapshotsOf(answer).map(({ ref }) => [kindOf(parentOf(ref.path)), 1]);
}

function snapshotsOf(answer: unknown): readonly DocumentSnapshotTwin[] {
  if (answer instanceof DocumentSnapshotTwin) return [answer];
  if (answer instanceof QuerySnapshotTwin) return answer.docs;
  return Array.isArray(answer) ? answer.filter((each) => each instanceof DocumentSnapshotTwin) : [];
}

function watch(snapshot: DocumentSnapshotTwin, onRead: (data: object) => void): void {
  const read = snapshot.data.bind(snapshot);
  snapshot.data = () => {
    const data = read();
    if (typeof data === 'object' && data !== null) onRead(data);
    return data;
  };
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** A collection without the ids in its path. */
const kindOf = (collection: string): string =>
  collection
    .split('/')
    .map((part, at) => (at % 2 === 0 ? part : '*'))
    .join('/');

function add(counts: Map<string, number>, what: string, by: number): void {
  counts.set(what, (counts.get(what) ?? 0) + by);
}
