import { FieldValue, Timestamp } from 'firebase-admin/firestore';
import { type ContractWorld, at } from './contract-world.ts';

const micros = (time: Timestamp | undefined): number =>
  time ? time.seconds * 1_000_000 + time.nanoseconds / 1000 : Number.NaN;

/** Documents, writes, batches and what they refuse. */
export function describeWrites({ db, fresh }: ContractWorld): void {
  describe('references', () => {
    it('know their id, path and parents', () => {
      const ref = db().doc('coaches/c1/earnings/p1');
      expect([ref.id, ref.path, ref.parent.path, ref.parent.id]).toEqual([
        'p1',
        'coaches/c1/earnings/p1',
        'coaches/c1/earnings',
        'earnings',
      ]);
      expect(ref.parent.parent?.path).toBe('coaches/c1');
      expect(db().collection('coaches').parent).toBeNull();
      expect(db().collection('coaches').doc('c1').collection('earnings').doc('p1').isEqual(ref)).toBe(true);
      expect(db().doc('coaches/c1').isEqual(db().doc('coaches/c2'))).toBe(false);
      expect(db().collection('a').doc().id).toMatch(/^[A-Za-z0-9]{20}$/);
    });

    it('refuse paths that lead nowhere', () => {
      expect(() => db().doc('a')).toThrow('even number of components');
      expect(() => db().collection('a/b')).toThrow('odd number of components');
      expect(() => db().collection('a').doc('')).toThrow('non-empty string');
      expect(() => db().doc('a//b')).toThrow('must not contain //');
    });
  });

  describe('documents', () => {
    it('come back as they were written, and as nothing when missing', async () => {
      const ref = fresh().doc('a');
      const data = {
        s: 'å',
        n: 1.5,
        b: false,
        z: null,
        t: at(5),
        list: [1, 'x', { y: null }],
        map: { deep: { er: 1 } },
      };
      await ref.set(data);
      const snapshot = await ref.get();
      expect(snapshot.exists).toBe(true);
      expect(snapshot.data()).toEqual(data);
      expect(snapshot.get('map.deep.er')).toBe(1);
      expect(snapshot.get('map.no.way')).toBeUndefined();
      const missing = await fresh().doc('b').get();
      expect([missing.exists, missing.data(), missing.get('x'), missing.createTime]).toEqual([
        false,
        undefined,
        undefined,
        undefined,
      ]);
      expect(missing.readTime).toBeInstanceOf(Timestamp);
    });

    it('share nothing with what was written or read', async () => {
      const ref = fresh().doc('a');
      const data = { list: [1], map: { n: 1 } };
      const writing = ref.set(data);
      await writing;
      data.list.push(2);
      const snapshot = await ref.get();
      const first = snapshot.data() as typeof data;
      first.map.n = 99;
      first.list.push(3);
      expect(snapshot.data()).toEqual({ list: [1], map: { n: 1 } });
      expect((await ref.get()).data()).toEqual({ list: [1], map: { n: 1 } });
    });

    it('leave out undefined, turn dates into timestamps and keep microseconds', async () => {
      const ref = fresh().doc('a');
      await ref.set({
        u: undefined,
        map: { u: undefined },
        empty: {},
        list: [1, undefined],
        d: new Date(1234),
        t: new Timestamp(5, 123_456_789),
      });
      expect((await ref.get()).data()).toEqual({ empty: {}, list: [1], d: at(1234), t: new Timestamp(5, 123_456_000) });
      await ref.update({ empty: { u: undefined }, list: [{ u: undefined }, { v: 1, u: undefined }], d: undefined });
      expect((await ref.get()).data()).toEqual({ list: [{ v: 1 }], d: at(1234), t: new Timestamp(5, 123_456_000) });
    });

    it('refuse what cannot be stored', async () => {
      const ref = fresh().doc('a');
      await expect(async () => ref.set({ nested: [[1]] })).rejects.toMatchObject({ code: 3 });
      await expect(async () => ref.set({ __x__: 1 })).rejects.toMatchObject({ code: 3 });
      await expect(async () => fresh().doc('__x__').set({})).rejects.toMatchObject({ code: 3 });
      await expect(async () => ref.set({ m: new Map() })).rejects.toThrow('not a plain JavaScript object');
      await expect(async () => ref.set({ f: FieldValue.delete() })).rejects.toThrow('set() with {merge:true}');
      expect((await ref.get()).exists).toBe(false);
    });

    it('are read many at once, in the order asked', async () => {
      const c = fresh();
      await c.doc('a').set({ n: 1 });
      const found = await db().getAll(c.doc('b'), c.doc('a'), c.doc('b'));
      expect(found.map((snapshot) => [snapshot.id, snapshot.exists])).toEqual([
        ['b', false],
        ['a', true],
        ['b', false],
      ]);
    });

    it('pass through a converter', async () => {
      const c = fresh().withConverter({
        toFirestore: (model: { celsius: number }) => ({ kelvin: model.celsius + 273 }),
        fromFirestore: (snapshot) => ({ celsius: Number(snapshot.get('kelvin')) - 273 }),
      });
      await c.doc('a').create({ celsius: 20 });
      await db().runTransaction(async (tx) => {
        await tx.get(c.doc('a'));
        tx.set(c.doc('b'), { celsius: 21 });
      });
      expect((await c.doc('a').get()).data()).toEqual({ celsius: 20 });
      expect((await c.orderBy('kelvin').get()).docs.map((document) => document.data().celsius)).toEqual([20, 21]);
      expect((await c.doc('a').withConverter(null).get()).data()).toEqual({ kelvin: 293 });
      expect((await c.doc('x').parent.doc('a').get()).data()).toEqual({ celsius: 20 });
    });
  });

  describe('create, set, update and delete', () => {
    it('create refuses what is there with code 6, update what is missing with code 5', async () => {
      const ref = fresh().doc('a');
      await expect(ref.update({ n: 1 })).rejects.toMatchObject({ code: 5 });
      await ref.create({ n: 1 });
      await expect(ref.create({ n: 2 })).rejects.toMatchObject({ code: 6 });
      await expect(ref.create({ n: 2 })).rejects.toThrow('6 ALREADY_EXISTS: ');
      expect((await ref.get()).data()).toEqual({ n: 1 });
    });

    it('add makes an id', async () => {
      const c = fresh();
      const ref = await c.add({ n: 1 });
      expect((await c.doc(ref.id).get()).data()).toEqual({ n: 1 });
    });

    it('set replaces the whole document, set with merge only the leaves named', async () => {
      const ref = fresh().doc('a');
      await ref.set({ a: { b: 1, c: 2, e: { f: 1 } }, k: [1], gone: 1 });
      await ref.set(
        { a: { b: 5, c: FieldValue.delete(), e: {} }, 'x.y': 1, k: [2], gone: FieldValue.delete() },
        { merge: true },
      );
      expect((await ref.get()).data()).toEqual({ a: { b: 5, e: {} }, 'x.y': 1, k: [2] });
      await ref.set({ b: 1 });
      expect((await ref.get()).data()).toEqual({ b: 1 });
      const made = fresh().doc('made');
      await made.set({ a: { b: 1 } }, { merge: true });
      expect((await made.get()).data()).toEqual({ a: { b: 1 } });
    });

    it('update goes by dotted paths and replaces the value there', async () => {
      const ref = fresh().doc('a');
      await ref.set({ a: { b: 1, c: 1 }, m: { x: 1, y: 1 }, s: 1, 'a-b': 1 });
      await ref.update({
        'a.b': 2,
        m: { z: 1 },
        's.t': 3,
        'new.deep': 1,
        'no.such': FieldValue.delete(),
        u: undefined,
        'a-b': 2,
      });
      expect((await ref.get()).data()).toEqual({
        a: { b: 2, c: 1 },
        m: { z: 1 },
        s: { t: 3 },
        new: { deep: 1 },
        'a-b': 2,
      });
      await ref.update('a.b', 7, 's', FieldValue.delete());
      expect((await ref.get()).data()).toEqual({ a: { b: 7, c: 1 }, m: { z: 1 }, new: { deep: 1 }, 'a-b': 2 });
      await expect(async () => ref.update({ a: 1, 'a.b': 2 })).rejects.toThrow('specified multiple times');
      await expect(async () => ref.update({})).rejects.toThrow('At least one field must be updated');
      await expect(async () => ref.update({ a: { b: FieldValue.delete() } })).rejects.toThrow(
        'must appear at the top-level',
      );
    });

    it('sentinels: server time, increment, array union', async () => {
      const ref = fresh().doc('a');
      await ref.set({ at: FieldValue.serverTimestamp(), n: { k: FieldValue.increment(2) }, text: 'x' });
      await ref.update({
        'n.k': FieldValue.increment(3),
        text: FieldValue.increment(1),
        list: FieldValue.arrayUnion(1, { a: 1 }, 1, { a: 1 }),
      });
      await ref.set({ n: { z: FieldValue.increment(-1) }, list: FieldValue.arrayUnion(2, 1) }, { merge: true });
      const data = (await ref.get()).data() as { at: Timestamp };
      expect(data).toEqual({ at: data.at, n: { k: 5, z: -1 }, text: 1, list: [1, { a: 1 }, 2] });
      expect(data.at.nanoseconds % 1_000_000).toBe(0);
    });

    it('delete is idempotent, and keeps its precondition', async () => {
      const ref = fresh().doc('a');
      await ref.delete();
      await expect(ref.delete({ exists: true })).rejects.toMatchObject({ code: 5 });
      await ref.set({ n: 1 });
      const { updateTime } = await ref.get();
      await ref.set({ n: 2 });
      await expect(ref.delete({ lastUpdateTime: updateTime! })).rejects.toMatchObject({ code: 9 });
      await ref.delete({ exists: true });
      expect((await ref.get()).exists).toBe(false);
    });

    it('update with lastUpdateTime happens only on the version that was read', async () => {
      const ref = fresh().doc('a');
      await ref.set({ n: 1 });
      const lastUpdateTime = (await ref.get()).updateTime!;
      const { writeTime } = await ref.update({ n: 2 }, { lastUpdateTime });
      await expect(ref.update({ n: 3 }, { lastUpdateTime })).rejects.toMatchObject({ code: 9 });
      await expect(ref.update('n', 3, { lastUpdateTime })).rejects.toMatchObject({ code: 9 });
      await expect(fresh().doc('b').update({ n: 3 }, { lastUpdateTime })).rejects.toMatchObject({ code: 9 });
      await ref.update({ n: 4 }, { lastUpdateTime: writeTime });
      expect((await ref.get()).data()).toEqual({ n: 4 });
    });

    it('updateTime rises with each change and stays when nothing changed', async () => {
      const ref = fresh().doc('a');
      const written = micros((await ref.create({ n: 1 })).writeTime);
      const first = await ref.get();
      expect([micros(first.createTime), micros(first.updateTime)]).toEqual([written, written]);
      await ref.set({ n: 1 });
      await ref.update({ n: 1 });
      expect((await ref.get()).updateTime).toEqual(first.updateTime);
      await ref.set({ n: 2 });
      const second = await ref.get();
      expect(micros(second.updateTime)).toBeGreaterThan(written);
      expect(second.createTime).toEqual(first.createTime);
      expect(micros(second.readTime)).toBeGreaterThanOrEqual(micros(second.updateTime));
    });
  });

  describe('batches', () => {
    it('happen whole, at one time, or not at all', async () => {
      const c = fresh();
      const batch = db().batch();
      batch.create(c.doc('a'), { n: 1 }).update(c.doc('a'), { m: 2 }).set(c.doc('b'), { n: 1 }).delete(c.doc('c'));
      const results = await batch.commit();
      expect(results).toHaveLength(4);
      const [a, b] = await db().getAll(c.doc('a'), c.doc('b'));
      expect(a?.data()).toEqual({ n: 1, m: 2 });
      expect(a?.updateTime).toEqual(b?.updateTime);

      const bad = db().batch().set(c.doc('d'), { n: 1 }).create(c.doc('a'), {});
      await expect(bad.commit()).rejects.toMatchObject({ code: 6 });
      expect((await c.doc('d').get()).exists).toBe(false);
      expect(() => batch.set(c.doc('a'), {})).toThrow('Cannot modify a WriteBatch that has been committed');
      expect(await db().batch().commit()).toEqual([]);
    });

    it('a delete and a create in one batch make a new document', async () => {
      const ref = fresh().doc('a');
      await ref.set({ old: 1 });
      const before = await ref.get();
      await db().batch().delete(ref).create(ref, { n: 1 }).commit();
      const after = await ref.get();
      expect(after.data()).toEqual({ n: 1 });
      expect(micros(after.createTime)).toBeGreaterThan(micros(before.createTime));
    });
  });
}
