import type Stripe from 'stripe';
import type { Database, Operation } from '../platform/firestore/memory/database.ts';
import type { TestWorld } from '../testing/world.ts';
import { dispatchTable } from '../webhooks/dispatch.ts';
import { receiveEvent } from '../webhooks/webhooks.service.ts';

/** What something cost: calls to Stripe by method and path, documents read (as Firestore bills them) and written. */
export interface Cost {
  stripe: string[];
  reads: number;
  writes: number;
}

export interface Meter {
  /** Does it and says what it cost. */
  of<T>(work: () => Promise<T>): Promise<Cost & { result: T }>;
  /** Gives the product the events of handled types that Stripe has made since the last call. */
  hear(): Promise<void>;
}

/** Counts at the twin's only door, and in the Stripe emulator's list of requests. */
export function meterOf(world: TestWorld): Meter {
  const db = world.ctx.db as unknown as Database;
  let [reads, writes] = [0, 0];
  const request = db.request.bind(db);
  db.request = <T>(operation: Operation, path: string, effect: () => T) =>
    request(operation, path, () => {
      const result = effect();
      reads += readsOf(operation, result);
      return result;
    });
  const { engine } = db;
  const commit = engine.commit.bind(engine);
  engine.commit = (planned, snapshot) => {
    const result = commit(planned, snapshot);
    writes += planned.length;
    return result;
  };
  const requests = async () =>
    (await world.control<{ data: { method: string; path: string }[] }>('stripe', 'requests')).data.map(
      ({ method, path }) => `${method} ${path}`,
    );
  const heard = new Set<string>();
  return {
    async of(work) {
      const [asked, read, written] = [(await requests()).length, reads, writes];
      const result = await work();
      const stripe = (await requests()).slice(asked).map(withoutIds);
      return { result, stripe, reads: reads - read, writes: writes - written };
    },
    async hear() {
      const { data } = await world.control<{ data: Stripe.Event[] }>('stripe', 'events');
      for (const event of data.filter(({ id }) => !heard.has(id))) {
        heard.add(event.id);
        if (dispatchTable[event.type]) await receiveEvent(world.ctx, event);
      }
    },
  };
}

/** A document is a read; a query at least one; a sum one for each thousand documents. */
function readsOf(operation: Operation, result: unknown): number {
  const kind = operation.replace('transaction.', '');
  if (kind === 'get' || kind === 'aggregate') return 1;
  if (kind === 'getAll') return (result as unknown[]).length;
  return kind === 'query' ? Math.max(1, (result as { docs: unknown[] }).docs.length) : 0;
}

/** `/v1/charges/ch_1` is every charge: a part with a number in it is an id. */
const withoutIds = (line: string): string => line.replace(/\/(?!v\d)[^/ ]*\d[^/ ]*/g, '/…').replace(/\?.*/, '');
