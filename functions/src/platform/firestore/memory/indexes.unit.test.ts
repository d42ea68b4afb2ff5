import { AggregateField, type Query } from 'firebase-admin/firestore';
import { shapeOf } from './index-check.ts';
import { type IndexFile, type QueryShape, adviceFor, isServed } from './indexes.ts';
import { createMemoryFirestore } from './memory-firestore.ts';
import type { Plan } from './query-plan.ts';

type Composite = IndexFile['indexes'][number];

/** `cities: country, population desc, regions contains` — a line for an index; `group` before it for its scope. */
function index(line: string): Composite {
  const [head, fields] = line.split(': ') as [string, string];
  return {
    collectionGroup: head.replace('group ', ''),
    queryScope: head.startsWith('group ') ? 'COLLECTION_GROUP' : 'COLLECTION',
    fields: fields.split(', ').map((field) => {
      const [fieldPath, mode] = field.split(' ') as [string, string?];
      if (mode === 'contains') return { fieldPath, arrayConfig: 'CONTAINS' };
      return { fieldPath, order: mode === 'desc' ? 'DESCENDING' : 'ASCENDING' };
    }),
  };
}

const file = (lines: readonly string[], fieldOverrides: IndexFile['fieldOverrides'] = []): IndexFile => ({
  indexes: lines.map(index),
  fieldOverrides,
});

const db = createMemoryFirestore();
const cities = db.collection('cities');
const restaurants = db.collection('restaurants');
const landmarks = db.collection('cities/SF/landmarks');
const group = db.collectionGroup('landmarks');
const employees = db.collection('employees');

const shape = (query: Query, sums: readonly string[] = []): QueryShape =>
  shapeOf({ ...(query as unknown as { plan: Plan }).plan, required: sums.map((field) => field.split('.')) });

type Case = readonly [what: string, query: Query, indexes: readonly string[], sums?: readonly string[]];

/** From "Index types" unless another page is named. */
const served: readonly Case[] = [
  ['a whole collection', cities, []],
  ['an equality', cities.where('state', '==', 'CA'), []],
  ['a range', cities.where('population', '<', 100_000), []],
  ['a range and its own order', cities.where('population', '>', 1).orderBy('population', 'desc'), []],
  ['in', cities.where('country', 'in', ['USA', 'Japan']), []],
  ['two equalities', cities.where('state', '==', 'CO').where('name', '==', 'Denver'), []],
  ['in and an equality', cities.where('country', 'in', ['USA', 'Japan']).where('capital', '==', true), []],
  ['array-contains', cities.where('regions', 'array-contains', 'west_coast'), []],
  [
    'array-contains and an equality: merged, slow',
    cities.where('regions', 'array-contains', 'a').where('capital', '==', true),
    [],
  ],
  ['an order', cities.orderBy('name', 'desc'), []],
  ['a part of a map', cities.where('temperatures.summer', '>', 30), []],
  ['equalities by name', cities.where('state', '==', 'CA').orderBy('__name__'), []],
  ['equality and order', cities.where('country', '==', 'USA').orderBy('population'), ['cities: country, population']],
  [
    'equality and range',
    cities.where('country', '==', 'USA').where('population', '<', 1),
    ['cities: country desc, population'],
  ],
  [
    'in and range',
    cities.where('country', 'in', ['USA', 'Japan']).where('population', '>', 1),
    ['cities: country, population'],
  ],
  [
    'in and range, descending',
    cities.where('country', 'in', ['USA']).where('population', '>', 1).orderBy('population', 'desc'),
    ['cities: country, population', 'cities: country, population desc'],
  ],
  [
    'array-contains and an order',
    cities.where('regions', 'array-contains', 'a').orderBy('population'),
    ['cities: regions contains, population'],
  ],
  ['a subcollection', landmarks.where('category', '==', 'park'), []],
  ['a whole collection group', group, []],
  [
    'merged indexes that end alike',
    restaurants
      .where('category', '==', 'b')
      .where('city', '==', 'SF')
      .where('editors_pick', '==', true)
      .orderBy('stars'),
    ['restaurants: category, stars', 'restaurants: city, stars', 'restaurants: editors_pick, stars'],
  ],
  [
    'merged with one that has two of them',
    restaurants
      .where('category', '==', 'b')
      .where('city', '==', 'SF')
      .where('editors_pick', '==', true)
      .orderBy('stars'),
    ['restaurants: category, city, stars', 'restaurants: editors_pick, city, stars'],
  ],
  [
    'merged, and a range on what both end with',
    restaurants.where('category', '==', 'b').where('city', '==', 'SF').where('stars', '>', 3),
    ['restaurants: category, stars', 'restaurants: city, stars'],
  ],
  [
    'ranges over two fields, in the order written (multiple range fields)',
    employees.where('salary', '>', 1).where('experience', '>', 0).orderBy('salary').orderBy('experience'),
    ['employees: salary, experience'],
  ],
  [
    'ranges over two fields, by themselves in the order of their names (web SDK tests)',
    employees.where('salary', '>', 1).where('experience', '>', 0),
    ['employees: experience, salary'],
  ],
  [
    'what is implied goes the way of the last order written (web SDK tests)',
    employees.where('key', '>', 'a').where('sort', '>=', 1).orderBy('v', 'desc'),
    ['employees: v desc, key desc, sort desc'],
  ],
  [
    'a name turned against the last order',
    cities.orderBy('population').orderBy('__name__', 'desc'),
    ['cities: population, __name__ desc'],
  ],
  ['a sum of everything (aggregation queries)', cities, [], ['population']],
  ['a sum of what is compared', cities.where('population', '>', 1), [], ['population']],
  ['a sum with an equality', cities.where('capital', '==', true), ['cities: capital, population'], ['population']],
  [
    'several sums: sorted, however they are asked for (web SDK tests)',
    cities.where('id', '==', 1),
    ['cities: id, pages, rating, year'],
    ['rating', 'pages', 'year'],
  ],
  [
    'sums of what an array contains (web SDK tests)',
    cities.where('id', '==', 1).where('rating', 'array-contains', 5),
    ['cities: rating contains, id, pages, rating'],
    ['rating', 'pages'],
  ],
];

const refused: readonly Case[] = [
  ['equality and order', cities.where('country', '==', 'USA').orderBy('population'), []],
  ['equality and range', cities.where('country', '==', 'USA').where('population', '<', 1), []],
  [
    'the other direction',
    cities.where('country', '==', 'USA').orderBy('population', 'desc'),
    ['cities: country, population'],
  ],
  ['an order first', cities.where('country', '==', 'USA').orderBy('population'), ['cities: population, country']],
  [
    'an index with a field too many: it lacks documents',
    cities.where('country', '==', 'USA').orderBy('population'),
    ['cities: country, population, name', 'cities: country, state, population'],
  ],
  ['another collection', landmarks.where('a', '==', 1).orderBy('b'), ['cities: a, b']],
  ['another scope', group.where('a', '==', 1).orderBy('b'), ['landmarks: a, b']],
  ['an equality in a collection group', group.where('category', '==', 'park'), []],
  ['two orders', cities.orderBy('country').orderBy('population'), []],
  [
    'indexes that end differently',
    restaurants.where('category', '==', 'b').where('city', '==', 'SF').orderBy('stars'),
    ['restaurants: category, stars', 'restaurants: city, stars desc'],
  ],
  [
    'one of three without an index',
    restaurants
      .where('category', '==', 'b')
      .where('city', '==', 'SF')
      .where('editors_pick', '==', true)
      .orderBy('stars'),
    ['restaurants: category, stars', 'restaurants: city, stars'],
  ],
  [
    'merging for in: not documented',
    restaurants.where('category', 'in', ['b']).where('city', '==', 'SF').orderBy('stars'),
    ['restaurants: category, stars', 'restaurants: city, stars'],
  ],
  [
    'ranges over two fields in another order',
    employees.where('salary', '>', 1).where('experience', '>', 0),
    ['employees: salary, experience'],
  ],
  ['equality, by name downwards', cities.where('state', '==', 'CA').orderBy('__name__', 'desc'), []],
  ['two sums', cities, [], ['population', 'area']],
  ['a sum with an equality', cities.where('capital', '==', true), [], ['population']],
  ['sums that the index has unsorted', cities.where('id', '==', 1), ['cities: id, rating, pages'], ['rating', 'pages']],
  [
    'merging for sums: not documented',
    cities.where('id', '==', 1).where('state', '==', 'CA'),
    ['cities: id, pages', 'cities: state, pages'],
    ['pages'],
  ],
];

/** Jest gives a row that is too short a callback. */
const rows = (cases: readonly Case[]) =>
  cases.map(([what, query, indexes, sums = []]) => [what, query, indexes, sums] as const);

describe('Firestore serves', () => {
  it.each(rows(served))('%s', (_, query, indexes, sums) => {
    expect(isServed(shape(query, sums), file(indexes))).toBe(true);
  });
});

describe('Firestore wants an index for', () => {
  it.each(rows(refused))('%s', (_, query, indexes, sums) => {
    expect(isServed(shape(query, sums), file(indexes))).toBe(false);
  });

  it.each(rows(refused))('%s: what it advises is enough', (_, query, indexes, sums) => {
    const before = file(indexes);
    const advice = adviceFor(shape(query, sums), before);
    const added = JSON.parse(advice.slice(advice.indexOf('{'))) as Composite & IndexFile['fieldOverrides'][number];
    const after = advice.includes('"fieldOverrides"')
      ? { ...before, fieldOverrides: [added] }
      : { ...before, indexes: [...before.indexes, added] };
    expect(isServed(shape(query, sums), after)).toBe(true);
  });
});

describe('exemptions', () => {
  const none = { collectionGroup: 'cities', fieldPath: 'notes', indexes: [] };
  const upwards = { order: 'ASCENDING', queryScope: 'COLLECTION' } as const;
  const one = { collectionGroup: 'cities', fieldPath: 'notes.kept', indexes: [upwards] };

  it('take a field from its queries, and what is in it, but not from composite indexes', () => {
    const exempt = file(['cities: notes, name'], [none]);
    expect(isServed(shape(cities.where('notes', '==', 'x')), exempt)).toBe(false);
    expect(isServed(shape(cities.where('notes.text', '==', 'x')), exempt)).toBe(false);
    expect(isServed(shape(cities.orderBy('notes')), exempt)).toBe(false);
    expect(isServed(shape(cities, ['notes']), exempt)).toBe(false);
    expect(isServed(shape(cities.where('notes', '==', 'x').orderBy('name')), exempt)).toBe(true);
    expect(isServed(shape(cities.where('notes', '==', 'x').where('name', '==', 'y')), exempt)).toBe(true);
    expect(isServed(shape(cities.where('notes', '==', 'x').where('state', '==', 'y')), exempt)).toBe(false);
    expect(isServed(shape(cities.where('notesOfAll', '==', 'x')), exempt)).toBe(true);
    expect(isServed(shape(landmarks.where('notes', '==', 'x')), exempt)).toBe(true);
  });

  it('give way to one of a part, which allows only what it lists', () => {
    const exempt = file([], [none, one]);
    expect(isServed(shape(cities.where('notes.kept', '==', 'x')), exempt)).toBe(true);
    expect(isServed(shape(cities.orderBy('notes.kept', 'desc')), exempt)).toBe(false);
    expect(isServed(shape(cities.where('notes.kept', 'array-contains', 'x')), exempt)).toBe(false);
    expect(isServed(shape(cities.where('notes.other', '==', 'x')), exempt)).toBe(false);
  });

  it('of all fields of a collection', () => {
    const exempt = file([], [{ collectionGroup: 'cities', fieldPath: '*', indexes: [] }, one]);
    expect(isServed(shape(cities.where('name', '==', 'x')), exempt)).toBe(false);
    expect(isServed(shape(cities.where('notes.kept', '==', 'x')), exempt)).toBe(true);
  });

  it('open a field to its collection group', () => {
    const wide = { order: 'ASCENDING', queryScope: 'COLLECTION_GROUP' } as const;
    const open = file([], [{ collectionGroup: 'landmarks', fieldPath: 'category', indexes: [wide] }]);
    expect(isServed(shape(group.where('category', '==', 'park')), open)).toBe(true);
    expect(isServed(shape(landmarks.where('category', '==', 'park')), open)).toBe(false);
  });
});

describe('the twin that is given the indexes', () => {
  const strict = createMemoryFirestore({ indexes: file(['payments: userId, createdAt desc']) });
  const payments = strict.collection('payments');
  const unserved = payments.where('userId', '==', 'lisa').where('amountMinor', '>', 5);

  it('answers what they serve, again and again', async () => {
    for (let n = 0; n < 2; n++) {
      const found = await payments.where('userId', '==', 'lisa').orderBy('createdAt', 'desc').get();
      expect(found.size).toBe(0);
    }
  });

  it('refuses the rest as Firestore does, and says what to add', async () => {
    const refusal = {
      code: 9,
      message:
        '9 FAILED_PRECONDITION: The query requires an index: payments, userId ==, amountMinor >. Add to "indexes" of ' +
        'firestore.indexes.json: {"collectionGroup":"payments","queryScope":"COLLECTION","fields":[' +
        '{"fieldPath":"userId","order":"ASCENDING"},{"fieldPath":"amountMinor","order":"ASCENDING"}]}',
    };
    for (let n = 0; n < 2; n++) await expect(unserved.get()).rejects.toMatchObject(refusal);
    await expect(unserved.count().get()).rejects.toMatchObject(refusal);
    await expect(strict.runTransaction((tx) => tx.get(unserved))).rejects.toMatchObject(refusal);
    await expect(strict.runTransaction((tx) => tx.get(unserved.count()))).rejects.toMatchObject(refusal);
  });

  it('sums too, and fields of a collection group', async () => {
    const sum = payments.where('userId', '==', 'lisa').aggregate({ all: AggregateField.sum('amountMinor') });
    await expect(sum.get()).rejects.toThrow('index: payments, userId ==, sum of amountMinor. Add to "indexes"');
    await expect(strict.collectionGroup('payments').where('userId', '==', 'lisa').get()).rejects.toThrow(
      'index: collection group payments, userId ==. Give "fieldOverrides"',
    );
  });

  it('without them answers everything', async () => {
    expect((await db.collection('payments').where('a', '==', 1).where('b', '>', 1).get()).size).toBe(0);
  });
});
