import { seededRandom } from '../../../testing/random.ts';
import { AggregateField, FieldValue, Filter, type Firestore, GeoPoint, Timestamp } from 'firebase-admin/firestore';
import { typedCollection } from '../converters.ts';
import { createMemoryFirestore } from './memory-firestore.ts';

const NOW = new Date('2026-03-29T01:30:00.000Z');

describe('what the twin cannot do it refuses by name', () => {
  const db = createMemoryFirestore();
  const c = db.collection('c');
  const refused: Record<string, () => unknown> = {
    'Query.offset': () => c.offset(1),
    'Query.limitToLast': () => c.limitToLast(1),
    'Query.onSnapshot': () => c.onSnapshot(() => undefined),
    'Query.stream': () => c.stream(),
    'Query.findNearest': () => c.findNearest('v', [1], { limit: 1, distanceMeasure: 'COSINE' }),
    'CollectionReference.listDocuments': () => c.listDocuments(),
    'DocumentReference.listCollections': () => c.doc('a').listCollections(),
    'DocumentReference.onSnapshot': () => c.doc('a').onSnapshot(() => undefined),
    'Firestore.bulkWriter': () => db.bulkWriter(),
    'Firestore.recursiveDelete': () => db.recursiveDelete(c),
    'Firestore.listCollections': () => db.listCollections(),
    'FieldValue.arrayRemove': () => c.doc('a').update({ x: FieldValue.arrayRemove(1) }),
    'where() with a Filter': () => c.where(Filter.where('a', '==', 1)),
    'array-contains-any': () => c.where('a', 'array-contains-any', [1]),
    'set() with mergeFields': () => c.doc('a').set({ a: 1 }, { mergeFields: ['a'] }),
    'runTransaction() with a readTime': () =>
      db.runTransaction(async () => 1, { readOnly: true, readTime: Timestamp.fromMillis(1) }),
    'A sum or average of a query with a limit': () =>
      c
        .limit(1)
        .aggregate({ s: AggregateField.sum('a') })
        .get(),
    'A value of type bigint': () => c.doc('a').set({ a: 1n }),
  };

  it.each(Object.entries(refused))('%s', async (what, call) => {
    await expect(async () => call()).rejects.toThrow(what);
    await expect(async () => call()).rejects.toThrow("not in the in-memory twin's subset");
  });

  it('values it does not hold', async () => {
    await expect(async () => c.doc('a').set({ p: new GeoPoint(1, 2) })).rejects.toThrow("the in-memory twin's subset");
    await expect(async () => c.doc('a').set({ r: c.doc('b') })).rejects.toThrow("the in-memory twin's subset");
    await expect(async () => c.doc('a').set({ b: Buffer.from('x') })).rejects.toThrow("the in-memory twin's subset");
    await expect(async () => db.getAll(c.doc('a'), { fieldMask: ['a'] })).rejects.toThrow(
      "the in-memory twin's subset",
    );
  });
});

describe('time', () => {
  it('is the clock given, and each commit is later than the last even when the clock stands', async () => {
    const db = createMemoryFirestore({ now: () => NOW });
    const ref = db.doc('c/a');
    const times: number[] = [];
    for (let n = 0; n < 3; n++) {
      const { writeTime } = await ref.set({ n, at: FieldValue.serverTimestamp() });
      times.push(writeTime.toMillis() * 1000 + ((writeTime.nanoseconds / 1000) % 1000));
    }
    expect(times).toEqual([0, 1, 2].map((i) => NOW.getTime() * 1000 + i));
    expect((await ref.get()).get('at')).toEqual(Timestamp.fromDate(NOW));
  });

  it('goes on when the clock goes back', async () => {
    let now = NOW;
    const db = createMemoryFirestore({ now: () => now });
    const first = await db.doc('c/a').set({ n: 1 });
    now = new Date(NOW.getTime() - 3_600_000);
    const second = await db.doc('c/a').set({ n: 2 });
    expect(second.writeTime.valueOf() > first.writeTime.valueOf()).toBe(true);
  });

  it('ends a transaction that takes longer than the server allows, and runs it again', async () => {
    let now = NOW.getTime();
    const db = createMemoryFirestore({ now: () => new Date(now) });
    let runs = 0;
    await db.runTransaction(async (tx) => {
      runs++;
      await tx.get(db.doc('c/a'));
      if (runs === 1) now += 271_000;
      tx.set(db.doc('c/a'), { runs });
    });
    expect((await db.doc('c/a').get()).data()).toEqual({ runs: 2 });
  });
});

describe('the stops', () => {
  it('are named, come before the effect, and replies after it', async () => {
    const steps: string[] = [];
    const seen = (): string => JSON.stringify(steps);
    const db: Firestore = createMemoryFirestore({
      onAwait: (operation, path) => void steps.push(`${operation} ${path}`),
      onReply: (operation) => void steps.push(`/${operation}`),
    });
    await db.doc('c/a').create({ n: 1 });
    await db.doc('c/a').get();
    await db.collection('c').where('n', '==', 1).get();
    await db.collectionGroup('c').count().get();
    await db.batch().set(db.doc('c/b'), {}).commit();
    await db.runTransaction(async (tx) => {
      await tx.get(db.doc('c/a'));
      await tx.get(db.collection('c').count());
      tx.delete(db.doc('c/a'));
    });
    expect(seen()).toBe(
      JSON.stringify(
        ['create c/a', 'get c/a', 'query c', 'aggregate **/c', 'batch.commit c/b', 'transaction.get c/a']
          .concat('transaction.aggregate c', 'transaction.commit c/a')
          .flatMap((step) => [step, `/${step.split(' ')[0]}`]),
      ),
    );
  });

  it('code stopped before a commit has done nothing, and others go on', async () => {
    let stop = true;
    const db = createMemoryFirestore({
      onAwait: (operation) => (operation === 'transaction.commit' && stop ? new Promise(() => undefined) : undefined),
    });
    const ref = db.doc('c/a');
    await ref.set({ n: 0 });
    const increment = () =>
      db.runTransaction(async (tx) => {
        const n = Number((await tx.get(ref)).get('n'));
        tx.update(ref, { n: n + 1 });
      });
    void increment();
    await new Promise((resolve) => setImmediate(resolve));
    stop = false;
    await Promise.all([increment(), increment()]);
    expect((await ref.get()).get('n')).toBe(2);
  });

  it('an operation failed at its stop has no effect; one whose reply is lost has', async () => {
    const failing = new Set(['set']);
    const fail = (operation: string) => {
      if (failing.delete(operation)) throw Object.assign(new Error('14 UNAVAILABLE'), { code: 14 });
    };
    const before = createMemoryFirestore({ onAwait: fail });
    await expect(before.doc('c/a').set({ n: 1 })).rejects.toMatchObject({ code: 14 });
    expect((await before.doc('c/a').get()).exists).toBe(false);

    // What the real SDK does too: a lost reply to a commit runs the function again, on top of what was committed.
    failing.add('transaction.commit');
    const after = createMemoryFirestore({ onReply: fail });
    await after.runTransaction(async (tx) => {
      const n = Number((await tx.get(after.doc('c/a'))).get('n') ?? 0);
      tx.set(after.doc('c/a'), { n: n + 1 });
    });
    expect((await after.doc('c/a').get()).get('n')).toBe(2);
  });

  it('ids come from the random numbers given', () => {
    const ids = [0, 0].map(() => {
      let n = 0;
      return createMemoryFirestore({ random: () => (n = (n + 0.37) % 1) })
        .collection('c')
        .doc().id;
    });
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).toMatch(/^[A-Za-z0-9]{20}$/);
  });
});

describe('contention', () => {
  it('gives up with code 10 after maxAttempts', async () => {
    const db = createMemoryFirestore();
    const ref = db.doc('c/a');
    let runs = 0;
    const losing = db.runTransaction(
      async (tx) => {
        await tx.get(ref);
        await ref.set({ runs: ++runs });
        tx.set(ref, { won: true });
      },
      { maxAttempts: 3 },
    );
    await expect(losing).rejects.toMatchObject({ code: 10 });
    expect((await ref.get()).data()).toEqual({ runs: 3 });
  });

  it('a change outside what a query found, or one that changes nothing, does not abort', async () => {
    const db = createMemoryFirestore();
    const c = db.collection('c');
    await c.doc('in').set({ room: 1, n: 1 });
    let runs = 0;
    await db.runTransaction(async (tx) => {
      runs++;
      await tx.get(c.where('room', '==', 1).orderBy('n').limit(1));
      await c.doc('out').set({ room: 2, n: 0 });
      await c.doc('after').set({ room: 1, n: 2 });
      await c.doc('in').set({ room: 1, n: 1 });
      tx.set(c.doc('mine'), {});
    });
    expect(runs).toBe(1);
  });

  it('fifty at once on one document all get through', async () => {
    // How long each waits is chance, and so is that five attempts are enough: the same chance each time.
    const db = createMemoryFirestore({ random: seededRandom(1) });
    const ref = db.doc('c/a');
    const increment = () =>
      db.runTransaction(async (tx) => {
        const n = Number((await tx.get(ref)).get('n') ?? 0);
        tx.set(ref, { n: n + 1 });
      });
    await Promise.all(Array.from({ length: 50 }, increment));
    expect((await ref.get()).get('n')).toBe(50);
  });

  it('an attempt that is over can do no more', async () => {
    const db = createMemoryFirestore();
    const kept = await db.runTransaction(async (tx) => ({ tx }));
    expect(() => kept.tx.set(db.doc('c/a'), {})).toThrow('This attempt of the transaction is over');
    await expect(async () => kept.tx.get(db.doc('c/a'))).rejects.toThrow('This attempt of the transaction is over');
  });
});

it('typedCollection casts and nothing more', async () => {
  type Coach = { readonly name: string; readonly since: Timestamp };
  const coaches = typedCollection<Coach>(createMemoryFirestore(), 'coaches');
  await coaches.doc('c1').create({ name: 'Åsa', since: Timestamp.fromDate(NOW) });
  const coach: Coach | undefined = (await coaches.doc('c1').get()).data();
  expect(coach).toEqual({ name: 'Åsa', since: Timestamp.fromDate(NOW) });
});
