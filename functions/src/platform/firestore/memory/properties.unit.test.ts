import * as fc from 'fast-check';
import { AggregateField, type Firestore, type Timestamp } from 'firebase-admin/firestore';
import { createMemoryFirestore } from './memory-firestore.ts';

type Scalar = number | string | null;
type Model = Map<string, Record<string, Scalar>>;

const id = fc.constantFrom('a', 'b', 'c', 'd');
const field = fc.constantFrom('x', 'y');
const scalar: fc.Arbitrary<Scalar> = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom('p', 'q'),
  fc.constant(null),
);
const data = fc.dictionary(field, scalar, { maxKeys: 2, noNullPrototype: true });
const operator = fc.constantFrom('==' as const, '<' as const, '>=' as const, '!=' as const);

const step = fc.oneof(
  fc.record({ kind: fc.constantFrom('create' as const, 'set' as const, 'merge' as const), id, data }),
  fc.record({ kind: fc.constant('update' as const), id, field, value: scalar }),
  fc.record({ kind: fc.constant('delete' as const), id }),
  fc.record({
    kind: fc.constant('query' as const),
    field,
    operator,
    value: scalar,
    descending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 5 }),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Does the step on the model; the ids found, or the code of the refusal, or nothing. */
function onModel(model: Model, s: Step): unknown {
  if (s.kind === 'query') return modelQuery(model, s);
  const there = model.get(s.id);
  switch (s.kind) {
    case 'create':
      if (there) return 6;
      model.set(s.id, s.data);
      return undefined;
    case 'set':
      model.set(s.id, s.data);
      return undefined;
    case 'merge':
      model.set(s.id, { ...there, ...s.data });
      return undefined;
    case 'update':
      if (!there) return 5;
      model.set(s.id, { ...there, [s.field]: s.value });
      return undefined;
    case 'delete':
      model.delete(s.id);
      return undefined;
  }
}

const rank = (value: Scalar): number => (value === null ? 0 : typeof value === 'number' ? 1 : 2);
const order = (a: Scalar, b: Scalar): number => rank(a) - rank(b) || (a === b ? 0 : (a ?? 0) < (b ?? 0) ? -1 : 1);

function modelQuery(model: Model, q: Step & { kind: 'query' }): unknown {
  if (q.value === null && (q.operator === '<' || q.operator === '>=')) return 'refused';
  const found = [...model].flatMap(([key, fields]) => {
    const value = fields[q.field];
    if (value === undefined) return [];
    const same = rank(value) === rank(q.value);
    const holds = {
      '==': order(value, q.value) === 0,
      '!=': value !== null && order(value, q.value) !== 0,
      '<': same && order(value, q.value) < 0,
      '>=': same && order(value, q.value) >= 0,
    }[q.operator];
    return holds ? [{ key, value }] : [];
  });
  const sign = q.descending ? -1 : 1;
  found.sort((a, b) => sign * (order(a.value, b.value) || (a.key < b.key ? -1 : 1)));
  return found.slice(0, q.limit).map((f) => f.key);
}

async function onTwin(db: Firestore, s: Step): Promise<unknown> {
  const c = db.collection('c');
  try {
    switch (s.kind) {
      case 'create':
        await c.doc(s.id).create(s.data);
        return undefined;
      case 'set':
        await c.doc(s.id).set(s.data);
        return undefined;
      case 'merge':
        await c.doc(s.id).set(s.data, { merge: true });
        return undefined;
      case 'update':
        await c.doc(s.id).update({ [s.field]: s.value });
        return undefined;
      case 'delete':
        await c.doc(s.id).delete();
        return undefined;
      case 'query': {
        const query = c.where(s.field, s.operator, s.value).orderBy(s.field, s.descending ? 'desc' : 'asc');
        return (await query.limit(s.limit).get()).docs.map((document) => document.id);
      }
    }
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : 'refused';
  }
}

it('one after the other, operations do what a plain map would', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const db = createMemoryFirestore();
      const model: Model = new Map();
      for (const s of steps) expect(await onTwin(db, s)).toEqual(onModel(model, s));
      const all = await db.collection('c').get();
      expect(all.docs.map((document) => [document.id, document.data()])).toEqual([...model].sort());
    }),
    { numRuns: 300 },
  );
});

/** A transaction made of data: what it reads, and where it writes a number made from all it read. */
type Script = {
  readonly reads: readonly (
    { readonly doc: string } | { readonly group: number; readonly how: 'find' | 'sum' | 'first' }
  )[];
  readonly writes: readonly { readonly doc: string; readonly group: number; readonly remove: boolean }[];
};

const group = fc.integer({ min: 0, max: 1 });
const script: fc.Arbitrary<Script> = fc.record({
  reads: fc.array(
    fc.oneof(
      fc.record({ doc: id }),
      fc.record({ group, how: fc.constantFrom('find' as const, 'sum' as const, 'first' as const) }),
    ),
    { minLength: 1, maxLength: 3 },
  ),
  writes: fc.array(fc.record({ doc: id, group, remove: fc.boolean() }), { minLength: 1, maxLength: 2 }),
});

type Row = { group: number; n: number };
const byId = ([a]: [string, Row], [b]: [string, Row]): number => (a < b ? -1 : 1);

/** What a read of the script sees in a plain map. */
function modelRead(rows: ReadonlyMap<string, Row>, read: Script['reads'][number]): unknown {
  if ('doc' in read) return rows.get(read.doc)?.n ?? null;
  const found = [...rows].filter(([, row]) => row.group === read.group).sort(byId);
  if (read.how === 'sum') return found.reduce((sum, [, row]) => sum + row.n, 0);
  return found.slice(0, read.how === 'first' ? 1 : undefined).map(([key, row]) => [key, row.n]);
}

const digest = (seen: readonly unknown[]): number =>
  [...JSON.stringify(seen)].reduce((h, ch) => (h * 31 + ch.charCodeAt(0)) % 9973, 7);

async function runScript(db: Firestore, { reads, writes }: Script, marker: string): Promise<unknown[]> {
  const c = db.collection('rows');
  return db.runTransaction(
    async (tx) => {
      const seen: unknown[] = [];
      for (const read of reads) {
        if ('doc' in read) {
          seen.push((await tx.get(c.doc(read.doc))).get('n') ?? null);
        } else if (read.how === 'sum') {
          const query = c.where('group', '==', read.group).aggregate({ sum: AggregateField.sum('n') });
          seen.push((await tx.get(query)).data().sum);
        } else {
          const query = c.where('group', '==', read.group);
          const found = await tx.get(read.how === 'first' ? query.limit(1) : query);
          seen.push(found.docs.map((document) => [document.id, document.get('n') as number]));
        }
      }
      for (const { doc, group: to, remove } of writes) {
        if (remove) tx.delete(c.doc(doc));
        else tx.set(c.doc(doc), { group: to, n: digest(seen) });
      }
      tx.create(db.doc(`markers/${marker}`), {});
      return seen;
    },
    { maxAttempts: 50 },
  );
}

it('in any interleaving, transactions see and leave what they would one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 2, maxLength: 5 }), fc.scheduler(), async (scripts, scheduler) => {
      const db = createMemoryFirestore({
        random: () => 0,
        onAwait: (operation) => scheduler.schedule(Promise.resolve(), operation),
      });
      const running = Promise.all(scripts.map((s, i) => runScript(db, s, `t${i}`)));
      const seen = await scheduler.waitFor(running);

      // Each left a marker: their times are the order in which they committed.
      const [markers, rows] = await scheduler.waitFor(
        Promise.all([db.collection('markers').get(), db.collection('rows').get()]),
      );
      const micros = (time: Timestamp): number => time.seconds * 1e6 + time.nanoseconds / 1e3;
      const committed = [...markers.docs].sort((a, b) => micros(a.createTime) - micros(b.createTime));
      const model = new Map<string, Row>();
      for (const marker of committed) {
        const i = Number(marker.id.slice(1));
        const { reads, writes } = scripts[i]!;
        expect(seen[i]).toEqual(reads.map((read) => modelRead(model, read)));
        for (const { doc, group: to, remove } of writes) {
          if (remove) model.delete(doc);
          else model.set(doc, { group: to, n: digest(seen[i]!) });
        }
      }
      expect(committed).toHaveLength(scripts.length);
      expect(rows.docs.map((document) => [document.id, document.data()])).toEqual([...model].sort(byId));
    }),
    { numRuns: 400 },
  );
});
