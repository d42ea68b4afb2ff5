import { AggregateField, FieldPath } from 'firebase-admin/firestore';
import { type ContractWorld, at, idsOf } from './contract-world.ts';

/** One document of each kind of value, under `v`; `none` has no `v`. Named so that ids are in the order of values. */
const KINDS: Record<string, Record<string, unknown>> = {
  a_null: { v: null },
  b_false: { v: false },
  b_true: { v: true },
  c_nan: { v: Number.NaN },
  d_minus: { v: -1 },
  e_zero: { v: 0 },
  f_half: { v: 2.5 },
  g_three: { v: 3, w: 1 },
  h_time: { v: at(5) },
  i_later: { v: at(6) },
  j_a: { v: 'a' },
  k_e: { v: 'é' },
  l_bmp: { v: '\uFFFD' },
  m_emoji: { v: '😀' },
  n_list: { v: [1, 2] },
  o_longer: { v: [1, 2, 0] },
  p_map: { v: { a: 1 } },
  q_more: { v: { a: 1, b: 0 } },
  r_other: { v: { b: 0 } },
};
const IN_ORDER = Object.keys(KINDS);

/** Queries, cursors and aggregations. */
export function describeQueries({ db, fresh }: ContractWorld): void {
  describe('queries over every kind of value', () => {
    const made: { c?: ReturnType<typeof fresh> } = {};
    const c = (): ReturnType<typeof fresh> => made.c!;
    beforeAll(async () => {
      made.c = fresh();
      const batch = db().batch().set(c().doc('none'), { w: 2 });
      for (const [id, data] of Object.entries(KINDS)) batch.set(c().doc(id), data);
      await batch.commit();
    });

    it('are in the order of the name unless another is asked', async () => {
      expect(await idsOf(c())).toEqual([...IN_ORDER, 'none'].sort());
      expect(await idsOf(c().orderBy('__name__').limit(2))).toEqual(['a_null', 'b_false']);
    });

    it('order by type and value, without documents that lack the field', async () => {
      expect(await idsOf(c().orderBy('v'))).toEqual(IN_ORDER);
      expect(await idsOf(c().orderBy('v', 'desc'))).toEqual([...IN_ORDER].reverse());
      expect(await idsOf(c().orderBy('w', 'desc'))).toEqual(['none', 'g_three']);
    });

    it('compare only with the same type', async () => {
      expect(await idsOf(c().where('v', '<', 0))).toEqual(['d_minus']);
      expect(await idsOf(c().where('v', '<=', 0))).toEqual(['d_minus', 'e_zero']);
      expect(await idsOf(c().where('v', '>', 0))).toEqual(['f_half', 'g_three']);
      expect(await idsOf(c().where('v', '>=', 'é'))).toEqual(['k_e', 'l_bmp', 'm_emoji']);
      expect(await idsOf(c().where('v', '>=', false))).toEqual(['b_false', 'b_true']);
      expect(await idsOf(c().where('v', '<', at(6)))).toEqual(['h_time']);
      expect(await idsOf(c().where('v', '>', [1, 2]))).toEqual(['o_longer']);
      expect(await idsOf(c().where('v', '>', { a: 1 }))).toEqual(['q_more', 'r_other']);
      expect(() => c().where('v', '>', null)).toThrow("You can only perform '==' and '!=' comparisons on Null");
    });

    it('equality, inequality and membership', async () => {
      expect(await idsOf(c().where('v', '==', null))).toEqual(['a_null']);
      expect(await idsOf(c().where('v', '==', Number.NaN))).toEqual(['c_nan']);
      expect(await idsOf(c().where('v', '==', -0))).toEqual(['e_zero']);
      expect(await idsOf(c().where('v', '==', { a: 1 }))).toEqual(['p_map']);
      expect(await idsOf(c().where('v.a', '==', 1))).toEqual(['p_map', 'q_more']);
      expect(await idsOf(c().where('v', '==', at(5)))).toEqual(['h_time']);
      expect(await idsOf(c().where('v', '!=', 2.5))).toEqual(
        IN_ORDER.filter((id) => id !== 'a_null' && id !== 'f_half'),
      );
      expect(await idsOf(c().where('v', '!=', null))).toEqual(IN_ORDER.slice(1));
      expect(await idsOf(c().where('v', '!=', Number.NaN))).toEqual(
        IN_ORDER.filter((id) => id !== 'a_null' && id !== 'c_nan'),
      );
      expect(await idsOf(c().where('v', 'in', [3, null, Number.NaN, 'a']))).toEqual(['g_three', 'j_a']);
      expect(await idsOf(c().where('v', 'not-in', [3, 'a']).where('v', '<', 5))).toEqual([
        'd_minus',
        'e_zero',
        'f_half',
      ]);
      expect(await idsOf(c().where('v', 'not-in', [3, null]))).toEqual([]);
      expect(await idsOf(c().where('v', 'array-contains', 2))).toEqual(['n_list', 'o_longer']);
      expect(() => c().where('v', '==', undefined)).toThrow('"undefined" values are only ignored inside of objects');
    });

    it('by document name', async () => {
      expect(await idsOf(c().where(FieldPath.documentId(), '>=', 'q'))).toEqual(['q_more', 'r_other']);
      expect(await idsOf(c().where('__name__', 'in', ['p_map', 'nope', 'a_null']))).toEqual(['a_null', 'p_map']);
      expect(await idsOf(c().where('__name__', '==', c().doc('p_map')))).toEqual(['p_map']);
      expect(() => c().where('__name__', '==', 'a/b')).toThrow('must be a plain document ID');
    });

    it('cursors by values', async () => {
      expect(await idsOf(c().orderBy('v').startAt('é').endBefore([1, 2]))).toEqual(['k_e', 'l_bmp', 'm_emoji']);
      expect(await idsOf(c().orderBy('v').startAfter('é').endAt([1, 2]))).toEqual(['l_bmp', 'm_emoji', 'n_list']);
      expect(await idsOf(c().orderBy('v').startAfter(null).limit(2))).toEqual(['b_false', 'b_true']);
      expect(await idsOf(c().orderBy('v', 'desc').startAfter({ a: 1 }).limit(1))).toEqual(['o_longer']);
      expect(await idsOf(c().orderBy('__name__').startAfter('p_map').limit(1))).toEqual(['q_more']);
      expect(() => c().startAt(3)).toThrow('Too many cursor values specified');
      expect(() => c().orderBy('v').startAt(3).orderBy('w')).toThrow('Cannot specify an orderBy() constraint after');
      expect(() => c().orderBy('v').startAt(3).where('w', '==', 1)).toThrow('Cannot specify a where() filter after');
    });

    it('cursors by snapshot bring the implied order with them', async () => {
      const from = await c().doc('e_zero').get();
      expect(await idsOf(c().orderBy('v').startAfter(from).limit(1))).toEqual(['f_half']);
      expect(await idsOf(c().orderBy('v', 'desc').startAt(from).limit(2))).toEqual(['e_zero', 'd_minus']);
      expect(await idsOf(c().where('v', '>', -5).startAfter(from))).toEqual(['f_half', 'g_three']);
      expect(await idsOf(c().startAfter(await c().doc('q_more').get()))).toEqual(['r_other']);
      const none = await c().doc('none').get();
      expect(() => c().orderBy('v').startAfter(none)).toThrow('is missing in the provided DocumentSnapshot');
    });

    it('select leaves the other fields out', async () => {
      const [found] = (await c().where('v', '==', 3).select('w', 'nope').get()).docs;
      expect([found?.data(), found?.get('v')]).toEqual([{ w: 1 }, undefined]);
      const [nested] = (await c().where('v', '==', { a: 1, b: 0 }).select('v.b').get()).docs;
      expect(nested?.data()).toEqual({ v: { b: 0 } });
      expect((await c().limit(1).select().get()).docs[0]?.data()).toEqual({});
    });

    it('take a limit of 0 for none, and refuse what the server refuses', async () => {
      expect(await idsOf(c().where('v', '<', 3).limit(0))).toHaveLength(3);
      const many = Array.from({ length: 31 }, (_, i) => i);
      // At once: the SDK tries each again for some seconds before it gives up.
      const refused = await Promise.allSettled([
        c().orderBy(FieldPath.documentId(), 'desc').get(),
        Promise.resolve().then(() => c().limit(-1).get()),
        Promise.resolve().then(() => c().where('v', 'in', []).get()),
        Promise.resolve().then(() => c().where('v', 'in', many).get()),
        Promise.resolve().then(() => c().aggregate({}).get()),
      ]);
      expect(refused.map((r) => r.status === 'rejected' && (r.reason as { code: number }).code)).toEqual([
        9, 3, 3, 3, 3,
      ]);
    });
  });

  describe('queries of the stores', () => {
    it('page through equals newest first without losing or repeating any', async () => {
      const c = fresh();
      const batch = db().batch();
      for (let i = 0; i < 7; i++)
        batch.set(c.doc(`p${i}`), { user: i === 3 ? 'other' : 'u', date: at(Math.floor(i / 3)) });
      await batch.commit();
      const newest = c.where('user', '==', 'u').orderBy('date', 'desc').orderBy('__name__', 'desc');
      const seen: string[] = [];
      let page = await newest.limit(2).get();
      while (!page.empty) {
        expect(page.size).toBeLessThanOrEqual(2);
        page.forEach((document) => seen.push(document.id));
        const last = page.docs.at(-1);
        page = await newest.startAfter(last?.get('date'), last?.id).limit(2).get();
      }
      expect(seen).toEqual(['p6', 'p5', 'p4', 'p2', 'p1', 'p0']);
    });

    it('several inequalities imply their fields as orders', async () => {
      const c = fresh();
      await db()
        .batch()
        .set(c.doc('a'), { x: 2, y: 1 })
        .set(c.doc('b'), { x: 1, y: 2 })
        .set(c.doc('c'), { x: 1, y: 3 })
        .set(c.doc('d'), { x: 1 })
        .commit();
      expect(await idsOf(c.where('y', '>', 0).where('x', '>', 0))).toEqual(['b', 'c', 'a']);
      expect(await idsOf(c.where('x', '>', 0).orderBy('y', 'desc'))).toEqual(['c', 'b', 'a']);
      expect(await idsOf(c.where('x', '>', 0).orderBy('x', 'desc'))).toEqual(['a', 'd', 'c', 'b']);
    });

    it('a collection group finds every collection of the name, by whole path', async () => {
      const root = fresh();
      const group = `items${root.id}`;
      await db()
        .batch()
        .set(root.doc('1').collection(group).doc('b'), { n: 1 })
        .set(root.doc('2').collection(group).doc('a'), { n: 0 })
        .set(db().collection(group).doc('c'), { n: 2 })
        .set(root.doc('1').collection(`${group}x`).doc('d'), { n: 9 })
        .commit();
      const all = db().collectionGroup(group);
      expect((await all.get()).docs.map((document) => document.ref.path)).toEqual(
        [`${group}/c`, `${root.id}/1/${group}/b`, `${root.id}/2/${group}/a`].sort(),
      );
      expect(await idsOf(all.orderBy('n'))).toEqual(['a', 'b', 'c']);
      expect(await idsOf(all.where('n', '>=', 1).limit(1))).toEqual(['b']);
      expect(await idsOf(all.where('__name__', '>=', `${root.id}/2`.concat(`/${group}/a`)))).toEqual(['a']);
      expect((await all.count().get()).data()).toEqual({ count: 3 });
      expect((await all.get()).docs.map((document) => document.ref.parent.parent?.id ?? 'root').sort()).toEqual([
        '1',
        '2',
        'root',
      ]);
    });
  });

  describe('aggregations', () => {
    it('count only documents that have every field added up', async () => {
      const c = fresh();
      await db()
        .batch()
        .set(c.doc('1'), { x: 1, y: 10, m: { d: 4 } })
        .set(c.doc('2'), { x: 2 })
        .set(c.doc('3'), { x: 'text', y: 1 })
        .set(c.doc('4'), { x: null, y: 5 })
        .set(c.doc('5'), { x: 0.5, y: 0 })
        .set(c.doc('6'), { z: 1 })
        .commit();
      const sum = (field: string) => AggregateField.sum(field);
      const n = AggregateField.count();
      const of = async (query: { aggregate: typeof c.aggregate }, spec: Parameters<typeof c.aggregate>[0]) =>
        (await query.aggregate(spec).get()).data();
      expect(await of(c, { n })).toEqual({ n: 6 });
      expect(await of(c, { s: sum('x'), n })).toEqual({ s: 3.5, n: 5 });
      expect(await of(c, { s: sum('x'), t: sum('y'), n })).toEqual({ s: 1.5, t: 16, n: 4 });
      expect(await of(c, { s: sum('m.d'), v: AggregateField.average('m.d') })).toEqual({ s: 4, v: 4 });
      expect(await of(c.where('y', '>=', 5), { s: sum('y'), n })).toEqual({ s: 15, n: 2 });
      expect(await of(c.where('z', '==', 99), { s: sum('x'), n, v: AggregateField.average('x') })).toEqual({
        s: 0,
        n: 0,
        v: null,
      });
      expect((await c.limit(3).count().get()).data()).toEqual({ count: 3 });
      expect((await c.orderBy('y').startAfter(1).count().get()).data()).toEqual({ count: 2 });
    });
  });
}
