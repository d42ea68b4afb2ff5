import type { DocumentSnapshot } from 'firebase-admin/firestore';
import type { Caller } from '../../platform/auth.ts';
import { businessDate } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { auditOnce } from '../audit.service.ts';
import { cursorOf, itemOf, positionOf, type ExportItem, type Position } from './export.ts';
import * as store from './export.store.ts';
import { belongs, hiddenBeside, places } from './places.ts';
import { auditsOf } from './privacy.store.ts';
import { roomOf, rooms, unseen, type Room, type RoomName } from './rooms.ts';
import type { Hidden, Place } from './steps.ts';

export interface ExportInput {
  /** Whose; the caller's own unless told. */
  uid?: string | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
}

/** What others keep, whom this product uses. */
export interface Elsewhere {
  where: string;
  what: string;
  /** The person's ids there. */
  ids: string[];
}

export interface ExportReply {
  uid: string;
  /** When this page was read. */
  readAt: string;
  items: ExportItem[];
  /** Why the collections of this page are kept, and until when. */
  collections: Record<string, Room>;
  /** With the first page: what is kept elsewhere. */
  elsewhere: Elsewhere[];
  /** With the first page: collections of which nothing is shown, and why. */
  leftOut: Record<string, string>;
  nextCursor: string | null;
}

const command = 'exportPerson';

/** A page ends with the first of these that is reached; a document has at most 1 MiB. */
const itemsPerPage = 100;
const bytesPerPage = 1_000_000;
/** Documents in memory at once. */
const documentsPerRead = 20;
const auditsPerDocument = 50;

/**
 * Everything that is kept about a person, customer, coach or both, page by page (GDPR art. 15 and 20). Whoever asks for
 * another's is in the audit log before anything is read. Throws Refusal.
 */
export async function exportPerson(ctx: Context, caller: Caller, input: ExportInput): Promise<ExportReply> {
  const uid = input.uid ?? caller.uid;
  if (uid !== caller.uid && !caller.admin)
    throw new Refusal('permission-denied', 'not-yours', 'You can see only what is your own.');
  const at = input.cursor === undefined ? undefined : positionOf(input.cursor, uid, places);
  if (uid !== caller.uid) await noteDown(ctx, caller, uid);
  const { items, nextCursor } = await pageFrom(ctx, uid, at);
  if (!at && items.every(isLook))
    throw new Refusal('not-found', 'person-unknown', `Nothing is kept about ${uid}, or nobody has that id.`);
  const onPage = new Set(items.map(({ collection }) => collection));
  return {
    uid,
    readAt: ctx.clock.now().toISOString(),
    items,
    collections: Object.fromEntries(Object.entries(rooms).filter(([room]) => onPage.has(room))),
    elsewhere: at ? [] : await elsewhereOf(ctx, uid),
    leftOut: at ? {} : unseen,
    nextCursor,
  };
}

/** That somebody looked is the person's to know too (CJEU C-579/21), and no sign that they exist. */
const isLook = ({ collection, data }: ExportItem): boolean => collection === 'auditLog' && data.action === command;

/** One entry an administrator, person and day, however many pages: a made-up cursor gets round none. */
function noteDown(ctx: Context, caller: Caller, uid: string): Promise<void> {
  const id = `${command}_${caller.uid}_${uid}_${businessDate(ctx.clock.now())}`;
  return auditOnce(ctx, id, { by: caller.uid, action: command, subject: `users/${uid}` });
}

interface Shown {
  items: ExportItem[];
  at: Position;
}

async function pageFrom(ctx: Context, uid: string, from: Position | undefined) {
  const items: ExportItem[] = [];
  let bytes = 0;
  let last: Position | undefined;
  for await (const shown of everything(ctx, uid, from)) {
    // There is more.
    if (last && (items.length >= itemsPerPage || bytes >= bytesPerPage)) {
      return { items, nextCursor: cursorOf(uid, last) };
    }
    items.push(...shown.items);
    bytes += Buffer.byteLength(JSON.stringify(shown.items));
    last = shown.at;
  }
  return { items, nextCursor: null };
}

/** A person's documents one by one, each with what stands beside it, from a position on. */
async function* everything(ctx: Context, uid: string, from: Position | undefined): AsyncGenerator<Shown> {
  const begin = from ? places.findIndex(({ name }) => name === from.place) : 0;
  for (const [index, place] of places.entries()) {
    if (index < begin) continue;
    let after: string | undefined;
    if (from?.place === place.name) {
      yield* rest(ctx, uid, place, from);
      after = from.path;
    }
    for (;;) {
      const found = await store.pageOf(ctx.db, place, { uid, after, limit: documentsPerRead });
      for (const doc of found) {
        if (isShownBefore(doc, index, uid)) continue;
        yield { items: await withBeside(ctx, uid, place, doc), at: { place: place.name, path: doc.ref.path } };
        yield* below(ctx, uid, place, doc.ref.path);
      }
      after = found.at(-1)?.ref.path;
      if (found.length < documentsPerRead) break;
    }
  }
}

/** What the page before has not shown of its last document: asked anew whether it is theirs, whatever the cursor says. */
async function* rest(ctx: Context, uid: string, place: Place, from: Position): AsyncGenerator<Shown> {
  const doc = await store.documentOf(ctx.db, from.path);
  if (belongs(place, from.path, doc.data() ?? {}, uid)) yield* below(ctx, uid, place, from.path, from.below);
}

/** Theirs for two reasons (who pays comes to the session, too), it is shown once. */
const isShownBefore = (doc: DocumentSnapshot, index: number, uid: string): boolean =>
  places.slice(0, index).some((place) => belongs(place, doc.ref.path, doc.data() ?? {}, uid));

async function withBeside(ctx: Context, uid: string, place: Place, doc: DocumentSnapshot): Promise<ExportItem[]> {
  const data = doc.data() ?? {};
  const { deleted = [], changed = [] } = place.beside?.(doc.id, data) ?? {};
  const audits = place.audited ? await auditsOf(ctx.db, doc.ref.path, auditsPerDocument) : [];
  const beside = [...(await store.existing(ctx.db, [...deleted, ...changed.map(({ path }) => path)])), ...audits];
  return [
    shown(doc, uid, place.hides?.(data, uid) ?? {}),
    ...beside
      .filter((one) => !places.some((own) => belongs(own, one.ref.path, one.data() ?? {}, uid)))
      .map((one) => shown(one, uid, hiddenBeside[roomName(one.ref.path)] ?? {})),
  ];
}

async function* below(
  ctx: Context,
  uid: string,
  place: Place,
  path: string,
  shownUpTo?: string,
): AsyncGenerator<Shown> {
  if (!place.below) return;
  let after = shownUpTo;
  for (;;) {
    const found = await store.pageBelow(ctx.db, `${path}/${place.below}`, { after, limit: documentsPerRead });
    for (const doc of found) {
      yield { items: [shown(doc, uid, place.hidesBelow ?? {})], at: { place: place.name, path, below: doc.ref.path } };
    }
    after = found.at(-1)?.ref.path;
    if (found.length < documentsPerRead) return;
  }
}

const shown = (doc: DocumentSnapshot, uid: string, hides: Hidden): ExportItem =>
  itemOf(roomName(doc.ref.path), { path: doc.ref.path, stored: doc.data() ?? {} }, { uid, hides });

function roomName(path: string): RoomName {
  const room = roomOf(path);
  if (room in rooms) return room as RoomName;
  throw new Error(`${path} is in a collection that admin/privacy/rooms.ts does not show.`);
}

async function elsewhereOf(ctx: Context, uid: string): Promise<Elsewhere[]> {
  const { customers, accounts } = await store.atStripeOf(ctx.db, uid);
  return [
    {
      where: 'Stripe, as a customer',
      what: 'Name, address, cards and payments. Deleted there by erasePerson; what the law asks of a payment institution Stripe keeps.',
      ids: customers,
    },
    {
      where: 'Stripe, as a coach',
      what: 'Identity, bank account and payouts, by the coach’s own agreement with Stripe: they ask Stripe.',
      ids: accounts,
    },
    {
      where: 'Fortnox',
      what: 'Vouchers: days, amounts and Stripe’s ids, and of a correction the reason that an administrator gave; no name.',
      ids: [],
    },
    { where: 'The mail service', what: 'Letters that it sent, as long as it keeps them.', ids: [] },
    {
      where: 'The application and Firebase Authentication',
      what: 'The login: address, name, roles; the application’s own users/{uid}.',
      ids: [uid],
    },
    { where: 'Cloud Logging', what: 'Ids of who called what, as long as the project keeps its logs.', ids: [uid] },
  ];
}
