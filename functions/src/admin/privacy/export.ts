import { Timestamp } from 'firebase-admin/firestore';
import { z } from 'zod';
import { Refusal } from '../../platform/errors.ts';
import { isIn } from './places.ts';
import type { RoomName } from './rooms.ts';
import type { Data, Hidden, Place } from './steps.ts';

/** One document as its person is shown it. */
export interface ExportItem {
  /** As in `collections` and the database's description: `sessions/…/notes`. */
  collection: string;
  id: string;
  /** Where it is: `sessions/abc/notes/one`. */
  path: string;
  /** As stored; times as ISO 8601 in UTC, money in minor units. */
  data: Record<string, unknown>;
  /** Fields that are left out of `data`, each with why. */
  hidden: Record<string, string>;
}

/** Fields that say who decided; that is a colleague's own matter, what was decided is shown. */
const deciders: ReadonlySet<string> = new Set([
  'by',
  'approvedBy',
  'rejectedBy',
  'askedBy',
  'resolvedBy',
  'completedBy',
]);
const nobody: ReadonlySet<unknown> = new Set(['system', 'stripe']);
const colleague = 'Says who of the staff decided; what was decided is shown.';

/** Collections whose ids are made of who decided. */
const namedByColleague: ReadonlySet<RoomName> = new Set(['auditLog']);

/** A document as its person is shown it, without what `hides` names. */
export function itemOf(
  collection: RoomName,
  { path, stored }: { path: string; stored: Data },
  { uid, hides }: { uid: string; hides: Hidden },
): ExportItem {
  const hidden: Record<string, string> = {};
  const plain = (value: unknown, at: string): unknown => {
    if (value instanceof Timestamp) return value.toDate().toISOString();
    if (Array.isArray(value)) return value.map((inner: unknown, index) => plain(inner, `${at}.${index}`));
    return typeof value === 'object' && value !== null ? fields(value, `${at}.`) : value;
  };
  const fields = (map: object, prefix: string): Record<string, unknown> => {
    const shown: Record<string, unknown> = {};
    for (const [field, value] of Object.entries(map)) {
      const at = prefix + field;
      const why = hides[at] ?? (deciders.has(field) && value !== uid && !nobody.has(value) ? colleague : undefined);
      if (why === undefined) shown[field] = plain(value, at);
      else hidden[at] = why;
    }
    return shown;
  };
  const data = fields(stored, '');
  if (namedByColleague.has(collection))
    return { collection, id: '…', path: `${collection}/…`, data, hidden: { ...hidden, id: colleague } };
  return { collection, id: path.slice(path.lastIndexOf('/') + 1), path, data, hidden };
}

/** Where a page ends. */
export interface Position {
  place: string;
  /** Path of the place's last document shown. */
  path: string;
  /** Path of the last one shown below it, when it came that far. */
  below?: string | undefined;
}

const path = z.string().min(3).max(1500);
const cursorSchema = z.strictObject({ uid: z.string(), place: z.string(), path, below: path.optional() });

export const cursorOf = (uid: string, position: Position): string =>
  Buffer.from(JSON.stringify({ uid, ...position })).toString('base64url');

/** What a cursor says; one of another person's export, or made up, is refused. Throws Refusal. */
export function positionOf(cursor: string, uid: string, places: readonly Place[]): Position {
  const read = cursorSchema.safeParse(parsed(cursor));
  const said = read.success && read.data.uid === uid ? read.data : undefined;
  const place = places.find(({ name }) => name === said?.place);
  if (
    said &&
    place &&
    isIn(place, said.path, uid) &&
    (said.below === undefined || isBelow(place, said.path, said.below))
  )
    return { place: place.name, path: said.path, below: said.below };
  throw new Refusal(
    'invalid-argument',
    'cursor-unknown',
    'This cursor is not of this export. Start from the first page.',
  );
}

const isBelow = (place: Place, above: string, below: string): boolean =>
  place.below !== undefined && isIn({ ...place, collection: `${above}/${place.below}` }, below, '');

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
