import type Stripe from 'stripe';
import type { Context } from '../platform/context.ts';
import { runWrites } from '../platform/write.ts';
import { all, joinTables } from './join.ts';
import { handler, nothingToFetch, StaleFetch, type EventHandler, type Outcome } from './webhooks.ts';
import { createTestFirestore } from '../testing/firestore.ts';

const event = { id: 'evt_1', type: 'invoice.paid' } as Stripe.Event;
const ctx = (db = createTestFirestore()) => ({ db }) as Context;

const writing = (path: string, value: object): EventHandler =>
  handler({
    fetch: async () => [path],
    plan: async ({ db }, _tx, _event, fetched): Promise<Outcome> => ({
      outcome: 'applied',
      writes: [(t) => t.set(db.doc(path), { ...value, fetched })],
      created: [path],
      then: [async () => undefined],
    }),
  });

const parking = handler({
  fetch: nothingToFetch,
  plan: async (): Promise<Outcome> => ({ outcome: 'parked', waitingFor: 'payments/pi_1' }),
});

async function apply(at: Context, one: EventHandler): Promise<Outcome> {
  const fetched = await one.fetch(at, event);
  return at.db.runTransaction(async (tx) => {
    const outcome = await one.plan(at, tx, event, fetched);
    if (outcome.outcome === 'applied') runWrites(tx, outcome.writes);
    return outcome;
  });
}

it('all effects are one commit; what was fetched is stored by room', async () => {
  const at = ctx();
  const both = all({
    invoices: writing('invoices/in_1', { a: 1 }),
    subscriptions: writing('subscriptions/s', { b: 2 }),
  });
  expect(await both.fetch(at, event)).toEqual({ invoices: ['invoices/in_1'], subscriptions: ['subscriptions/s'] });
  const outcome = await apply(at, both);
  expect(outcome).toMatchObject({ outcome: 'applied', created: ['invoices/in_1', 'subscriptions/s'] });
  expect(outcome.outcome === 'applied' && outcome.then).toHaveLength(2);
  expect((await at.db.doc('invoices/in_1').get()).data()).toEqual({ a: 1, fetched: ['invoices/in_1'] });
  expect((await at.db.doc('subscriptions/s').get()).data()).toEqual({ b: 2, fetched: ['subscriptions/s'] });
});

it.each([
  ['first', { subscriptions: parking, invoices: writing('invoices/in_1', {}) }],
  ['last', { invoices: writing('invoices/in_1', {}), subscriptions: parking }],
])('while one waits, all wait and nothing is written: the one that waits is %s', async (_which, handlers) => {
  const at = ctx();
  expect(await apply(at, all(handlers))).toEqual({ outcome: 'parked', waitingFor: 'payments/pi_1' });
  expect((await at.db.doc('invoices/in_1').get()).exists).toBe(false);
});

it('two rooms writing one document are stopped before anything is written', async () => {
  const at = ctx();
  const clash = all({ one: writing('invoices/in_1', { a: 1 }), other: writing('invoices/in_1', { b: 2 }) });
  await expect(apply(at, clash)).rejects.toThrow('one and other both write invoices/in_1 for one event.');
  expect((await at.db.doc('invoices/in_1').get()).exists).toBe(false);
});

it('a room may write its own document twice', async () => {
  const at = ctx();
  const twice = handler({
    fetch: nothingToFetch,
    plan: async ({ db }): Promise<Outcome> => ({
      outcome: 'applied',
      writes: [(t) => t.create(db.doc('a/1'), { n: 1 }), (t) => t.update(db.doc('a/1'), { n: 2 })],
    }),
  });
  await apply(at, all({ one: twice, other: writing('b/1', {}) }));
  expect((await at.db.doc('a/1').get()).data()).toEqual({ n: 2 });
});

it('one stale fetch sends all to fetch again', async () => {
  const stale = handler({ fetch: nothingToFetch, plan: () => Promise.reject(new StaleFetch()) });
  await expect(apply(ctx(), all({ one: writing('a/1', {}), other: stale }))).rejects.toThrow(StaleFetch);
});

it('joins tables: nobody’s handler replaces another’s, and one alone stays as it is', () => {
  const paid = writing('a/1', {});
  const alone = writing('b/1', {});
  const table = joinTables({
    one: { 'invoice.paid': paid },
    other: { 'invoice.paid': writing('c/1', {}), 'payout.paid': alone },
  });
  expect(Object.keys(table).sort()).toEqual(['invoice.paid', 'payout.paid']);
  expect(table['payout.paid']).toBe(alone);
  expect(table['invoice.paid']).not.toBe(paid);
});
