import type { RoomName } from './rooms.ts';
import { steps, type Data, type Hidden, type Place } from './steps.ts';

/** Documents whose path says that they are about the person. */
const about = (uid: string): readonly string[] =>
  ['users', 'customers', 'coaches', 'availability', 'sellerIdentities', 'erasures'].map((room) => `${room}/${uid}`);

/** Where ids and amounts of a person stay when they are erased. */
const numbers: readonly Place[] = [
  { name: 'orders', collection: 'orders', owner: 'userId' },
  { name: 'products', collection: 'products', owner: 'coachId' },
  { name: 'payouts', collection: 'payouts', owner: 'coachId', below: 'items' },
  { name: 'payoutRuns', collection: 'coaches', group: true, owner: 'coachId' },
  { name: 'transfers', collection: 'transfers', owner: 'coachId' },
  { name: 'ledger', collection: 'ledger', owner: 'coachId' },
  { name: 'flags', collection: 'flags', owner: 'subject', values: about },
  { name: 'auditLog of their data', collection: 'auditLog', owner: 'subject', values: about },
  { name: 'erasures', collection: 'erasures', owner: 'id' },
];

/** Everywhere, in the order in which an export shows it: what erasing goes through, and what it leaves as it is. */
export const places: readonly Place[] = [...steps, ...numbers];

const coachs = 'Is the coach’s own.';

/** What of a document that stands beside theirs is not theirs to see. */
export const hiddenBeside: Readonly<Partial<Record<RoomName, Hidden>>> = {
  'coaches/…/earnings': Object.fromEntries(
    ['status', 'settlement', 'availableOn', 'countsFrom', 'paidMinor', 'reversedMinor'].map((field) => [field, coachs]),
  ),
  mail: { toUids: 'Is about somebody else.' },
};

/** Whether a document, by its path alone, can be this place's. */
export function isIn({ collection, group }: Place, path: string, uid: string): boolean {
  const segments = path.split('/');
  if (segments.length % 2 === 1 || !segments.every((segment) => /^(?!\.{1,2}$)(?!__.*__$).+$/.test(segment)))
    return false;
  const parent = segments.slice(0, -1).join('/');
  return group ? parent.endsWith(`/${collection}`) : parent === collection.replace('{uid}', uid);
}

/** Whether a document is a person's by this place. */
export function belongs(place: Place, path: string, document: Data, uid: string): boolean {
  if (!isIn(place, path, uid)) return false;
  const { owner, list, values } = place;
  if (owner === 'all') return true;
  if (owner === 'id') return path.endsWith(`/${uid}`);
  const value = owner.split('.').reduce<unknown>((inner, field) => (inner as Data | undefined)?.[field], document);
  if (list) return Array.isArray(value) && value.includes(uid);
  return values ? values(uid).includes(String(value)) : value === uid;
}
