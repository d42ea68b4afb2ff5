import { readFileSync } from 'node:fs';
import { matrix } from '../../rules/access-matrix.ts';
import { places } from './places.ts';
import { roomOf, rooms, unseen } from './rooms.ts';

const classified = [...Object.keys(rooms), ...Object.keys(unseen)];

/** Collections that the rules' tests make up. */
const invented = ['somethingNew', 'payments/…/somethingNew'];

it('every collection that the access matrix knows is classified, once', () => {
  const known = new Set(matrix.map(({ path }) => roomOf(`${path}/one`)).filter((room) => !invented.includes(room)));
  expect([...known].filter((room) => !classified.includes(room))).toEqual([]);
  expect(new Set(classified).size).toBe(classified.length);
});

it('every collection that docs/database-structure.md describes is classified', () => {
  const headings = readFileSync('docs/database-structure.md', 'utf8').match(/^### .*`.*$/gm) ?? [];
  const described = headings
    .flatMap((heading) => [...heading.matchAll(/`([^`]+)`/g)].map(([, path]) => roomOf(path ?? '')))
    .filter((room) => !classified.includes(room));
  expect(headings.length).toBeGreaterThan(35);
  expect(described).toEqual([]);
});

it('everything that is shown is reached: as a place, below one or beside one', () => {
  const beside = ['refundOrders'];
  const of = ({ collection, group, below }: (typeof places)[number]) => {
    const room = group ? `payoutRuns/…/${collection}` : collection.replace('{uid}', '…');
    return below ? [room, `${room}/…/${below}`] : [room];
  };
  expect(new Set([...places.flatMap(of), ...beside])).toEqual(new Set(Object.keys(rooms)));
  expect(new Set(places.map(({ name }) => name)).size).toBe(places.length);
});
