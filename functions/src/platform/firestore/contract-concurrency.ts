import { AggregateField, type DocumentReference, type Transaction } from 'firebase-admin/firestore';
import { type ContractWorld, idsOf } from './contract-world.ts';

/** Opens once `parties` have come: brings transactions to a point where each has read and none has written. */
function meetingPoint(parties: number): () => Promise<void> {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  let come = 0;
  return async () => {
    if (++come >= parties) open();
    await opened;
  };
}

const numberAt = async (tx: Transaction, ref: DocumentReference): Promise<number> =>
  Number((await tx.get(ref)).get('n') ?? 0);

/** Transactions: what they refuse, and that whatever runs at once ends as if it had run one after the other. */
export function describeConcurrency({ db, fresh }: ContractWorld): void {
  describe('transactions', () => {
    it('read documents, queries and aggregations, then write all or nothing', async () => {
      const c = fresh();
      await c.doc('a').set({ n: 1 });
      await c.doc('b').set({ n: 2 });
      const result = await db().runTransaction(async (tx) => {
        const [a, missing] = await tx.getAll(c.doc('a'), c.doc('zz'));
        const found = await tx.get(c.where('n', '>=', 1).orderBy('n', 'desc').limit(1));
        const added = await tx.get(c.aggregate({ sum: AggregateField.sum('n') }));
        const counted = await tx.get(c.count());
        tx.create(c.doc('c'), { n: 3 }).set(c.doc('a'), { m: 1 }, { merge: true });
        tx.update(c.doc('a'), { 'deep.er': 1 }).delete(c.doc('b'));
        return [a?.data(), missing?.exists, found.docs.map((d) => d.id), added.data(), counted.data()];
      });
      expect(result).toEqual([{ n: 1 }, false, ['b'], { sum: 3 }, { count: 2 }]);
      expect(await idsOf(c)).toEqual(['a', 'c']);
      expect((await c.doc('a').get()).data()).toEqual({ n: 1, m: 1, deep: { er: 1 } });

      const failing = db().runTransaction(async (tx) => {
        await tx.get(c.doc('a'));
        tx.set(c.doc('d'), { n: 1 });
        tx.update(c.doc('missing'), { n: 1 });
      });
      await expect(failing).rejects.toMatchObject({ code: 5 });
      expect((await c.doc('d').get()).exists).toBe(false);
    });

    it('refuse reads after writes, writes when read-only, and functions that are not async', async () => {
      const ref = fresh().doc('a');
      const late = db().runTransaction(async (tx) => {
        tx.set(ref, { n: 1 });
        await tx.get(ref);
      });
      await expect(late).rejects.toThrow('require all reads to be executed before all writes');
      const readOnly = db().runTransaction(async (tx) => void tx.set(ref, { n: 1 }), { readOnly: true });
      await expect(readOnly).rejects.toThrow('read-only transactions cannot execute writes');
      const sync = db().runTransaction((() => 1) as unknown as () => Promise<number>);
      await expect(sync).rejects.toThrow('You must return a Promise');
      expect((await ref.get()).exists).toBe(false);
    });

    it('leave nothing behind when their function throws, and do not run it again', async () => {
      const ref = fresh().doc('a');
      let runs = 0;
      const throwing = db().runTransaction(async (tx) => {
        runs++;
        await tx.get(ref);
        tx.set(ref, { n: 1 });
        throw new Error('changed my mind');
      });
      await expect(throwing).rejects.toThrow('changed my mind');
      expect([runs, (await ref.get()).exists]).toEqual([1, false]);
    });

    it('fail at once with code 6 for a create of what is there, with 9 for a stale update', async () => {
      const ref = fresh().doc('a');
      await ref.set({ n: 1 });
      const lastUpdateTime = (await ref.get()).updateTime;
      await ref.set({ n: 2 });
      let runs = 0;
      const create = db().runTransaction(async (tx) => {
        runs++;
        tx.create(ref, {});
      });
      await expect(create).rejects.toMatchObject({ code: 6 });
      const stale = db().runTransaction(async (tx) => {
        runs++;
        tx.update(ref, { n: 3 }, { lastUpdateTime });
      });
      await expect(stale).rejects.toMatchObject({ code: 9 });
      expect(runs).toBe(2);
    });

    it('run again on a retryable code, at most maxAttempts times', async () => {
      let runs = 0;
      const aborting = db().runTransaction(
        async () => {
          runs++;
          throw Object.assign(new Error('try again'), { code: 10 });
        },
        { maxAttempts: 2 },
      );
      await expect(aborting).rejects.toMatchObject({ code: 10 });
      expect(runs).toBe(2);
    });

    it('a read-only transaction sees one moment', async () => {
      const c = fresh();
      await c.doc('a').set({ n: 1 });
      await c.doc('b').set({ n: 1 });
      const seen = await db().runTransaction(
        async (tx) => {
          const a = await numberAt(tx, c.doc('a'));
          const batch = db().batch().set(c.doc('a'), { n: 2 }).set(c.doc('b'), { n: 2 }).create(c.doc('c'), { n: 2 });
          await batch.commit();
          const found = await tx.get(c.orderBy('n'));
          return [a, await numberAt(tx, c.doc('b')), found.docs.map((d) => d.get('n') as number)];
        },
        { readOnly: true },
      );
      expect(seen).toEqual([1, 1, [1, 1]]);
    });
  });

  describe('at once', () => {
    it('of fifty creates of one id exactly one wins', async () => {
      const ref = fresh().doc('evt_1');
      const results = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => ref.create({ i })));
      const won = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
      const codes = results.flatMap((r) => (r.status === 'rejected' ? [(r.reason as { code: number }).code] : []));
      expect(won).toHaveLength(1);
      expect(new Set(codes)).toEqual(new Set([6]));
      expect((await ref.get()).data()).toEqual({ i: won[0] });
    });

    it('of transactions that look before they create, one creates and the others see it', async () => {
      const ref = fresh().doc('req_1');
      const meet = meetingPoint(3);
      let runs = 0;
      const results = await Promise.all(
        [1, 2, 3].map((i) =>
          db().runTransaction(async (tx) => {
            runs++;
            const there = await tx.get(ref);
            if (there.exists) return Number(there.get('i'));
            await meet();
            tx.create(ref, { i });
            return i;
          }),
        ),
      );
      expect(new Set(results).size).toBe(1);
      expect((await ref.get()).get('i')).toBe(results[0]);
      expect(runs).toBeGreaterThan(3);
    });

    it('no update is lost, and a second attempt sees fresh data', async () => {
      const ref = fresh().doc('counter');
      await ref.set({ n: 0 });
      const meet = meetingPoint(2);
      const seen: number[] = [];
      const increment = () =>
        db().runTransaction(async (tx) => {
          const n = await numberAt(tx, ref);
          seen.push(n);
          await meet();
          tx.update(ref, { n: n + 1 });
        });
      await Promise.all([increment(), increment()]);
      expect((await ref.get()).get('n')).toBe(2);
      // How often each is aborted is the server's affair; that one saw the other's write is not.
      expect(new Set(seen)).toEqual(new Set([0, 1]));
      expect(seen.length).toBeGreaterThan(2);
    });

    it('an increment beside a transaction is not lost', async () => {
      const ref = fresh().doc('counter');
      await ref.set({ n: 0 });
      let tell: () => void = () => undefined;
      const read = new Promise<void>((resolve) => (tell = resolve));
      const transaction = db().runTransaction(async (tx) => {
        const n = await numberAt(tx, ref);
        tell();
        tx.update(ref, { n: n + 10 });
      });
      await read;
      await Promise.all([transaction, ref.set({ m: 1 }, { merge: true })]);
      expect((await ref.get()).data()).toEqual({ n: 10, m: 1 });
    });

    it('no phantom: what a query counted is still so when the transaction writes', async () => {
      const c = fresh();
      await c.doc('first').set({ room: 1 });
      const meet = meetingPoint(2);
      const take = (id: string) =>
        db().runTransaction(async (tx) => {
          const taken = await tx.get(c.where('room', '==', 1));
          await meet();
          if (taken.size >= 2) return false;
          tx.create(c.doc(id), { room: 1 });
          return true;
        });
      const results = await Promise.all([take('x'), take('y')]);
      expect(results.filter(Boolean)).toHaveLength(1);
      expect((await c.count().get()).data()).toEqual({ count: 2 });
    });

    it('no phantom for a sum either', async () => {
      const c = fresh();
      await c.doc('in').set({ owner: 'a', n: 100 });
      const meet = meetingPoint(2);
      const withdraw = (id: string) =>
        db().runTransaction(async (tx) => {
          const balance = await tx.get(c.where('owner', '==', 'a').aggregate({ sum: AggregateField.sum('n') }));
          await meet();
          if (balance.data().sum < 70) return false;
          tx.create(c.doc(id), { owner: 'a', n: -70 });
          return true;
        });
      const results = await Promise.all([withdraw('x'), withdraw('y')]);
      expect(results.filter(Boolean)).toHaveLength(1);
      expect((await c.aggregate({ sum: AggregateField.sum('n') }).get()).data()).toEqual({ sum: 30 });
    });

    it('no write skew: two that read both and write one keep the rule between them', async () => {
      const c = fresh();
      await c.doc('a').set({ n: 50 });
      await c.doc('b').set({ n: 50 });
      const meet = meetingPoint(2);
      const take = (own: string) =>
        db().runTransaction(async (tx) => {
          const total = (await numberAt(tx, c.doc('a'))) + (await numberAt(tx, c.doc('b')));
          await meet();
          if (total < 100) return false;
          tx.update(c.doc(own), { n: -50 });
          return true;
        });
      const results = await Promise.all([take('a'), take('b')]);
      expect(results.filter(Boolean)).toHaveLength(1);
      const both = await db().getAll(c.doc('a'), c.doc('b'));
      expect(both.map((document) => document.get('n') as number).sort()).toEqual([-50, 50]);
    });
  });
}
