import type { DocumentReference, Transaction } from 'firebase-admin/firestore';
import type { Write } from '../platform/write.ts';
import type { DispatchTable, EventHandler, Outcome } from './webhooks.ts';

/**
 * One table of the tables of several rooms, by the rooms' names. A type that several rooms hear is handled by all of them
 * in one commit; nobody's handler replaces another's.
 */
export function joinTables(tables: Readonly<Record<string, DispatchTable>>): DispatchTable {
  const rooms = new Map<string, Record<string, EventHandler>>();
  for (const [room, table] of Object.entries(tables)) {
    for (const [type, handler] of Object.entries(table)) rooms.set(type, { ...rooms.get(type), [room]: handler });
  }
  return Object.fromEntries([...rooms].map(([type, handlers]) => [type, all(handlers)]));
}

/**
 * Several rooms' handlers as one: each fetches and plans on its own, all effects are one commit, and while one of them
 * waits for a document, all wait. What was fetched is stored by room. All plan on the same reads, so two of them writing
 * one document would lose the first one's change: that is an Error, and the event stays failed until the code is mended.
 */
export function all(handlers: Readonly<Record<string, EventHandler>>): EventHandler {
  const rooms = Object.entries(handlers);
  const [only] = rooms;
  if (only && rooms.length === 1) return only[1];
  return {
    async fetch(ctx, event) {
      const fetched: Record<string, unknown> = {};
      for (const [room, handler] of rooms) fetched[room] = await handler.fetch(ctx, event);
      return fetched;
    },
    async plan(ctx, tx, event, fetched) {
      const outcomes: Record<string, Outcome> = {};
      for (const [room, handler] of rooms) {
        outcomes[room] = await handler.plan(ctx, tx, event, (fetched as Record<string, unknown>)[room]);
      }
      return joinOutcomes(outcomes);
    },
  };
}

function joinOutcomes(outcomes: Readonly<Record<string, Outcome>>): Outcome {
  const joined = { outcome: 'applied' as const, writes: [] as Write[], created: [] as string[], then: [] as Follow[] };
  const writers = new Map<string, string>();
  for (const [room, outcome] of Object.entries(outcomes)) {
    if (outcome.outcome === 'parked') return outcome;
    joined.writes.push(...outcome.writes.map((write) => watched(write, room, writers)));
    joined.created.push(...(outcome.created ?? []));
    joined.then.push(...(outcome.then ?? []));
  }
  return joined;
}

type Follow = NonNullable<Extract<Outcome, { outcome: 'applied' }>['then']>[number];

/** The write as it was, but refused where it meets another room's document. */
function watched(write: Write, room: string, writers: Map<string, string>): Write {
  const claim = ({ path }: DocumentReference) => {
    const other = writers.get(path);
    if (other !== undefined && other !== room)
      throw new Error(`${other} and ${room} both write ${path} for one event.`);
    writers.set(path, room);
  };
  return (tx) => write(watchedTransaction(tx, claim));
}

const writing = new Set<string | symbol>(['create', 'set', 'update', 'delete']);

function watchedTransaction(tx: Transaction, claim: (ref: DocumentReference) => void): Transaction {
  return new Proxy(tx, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function') return value;
      return (...args: [DocumentReference, ...unknown[]]) => {
        if (writing.has(property)) claim(args[0]);
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}
