import type { Timestamp } from 'firebase-admin/firestore';
import type { BusinessDate } from '../../platform/clock.ts';
import { bookedOn, eraseAfter } from './retention.ts';
import { bookkeeping, sellers } from './rooms.ts';

/** Where something of a person is. */
export interface Place {
  name: string;
  /** `{uid}` stands for the person. */
  collection: string;
  /** All collections of that name, wherever they are. */
  group?: true;
  /** The field that holds the uid; `id`: the document's own id; `all`: every document there. */
  owner: string;
  /** The owner's field is a list. */
  list?: true;
  /** What the owner's field holds instead of the uid: one of these. */
  values?: (uid: string) => readonly string[];
  /** What of a document is not theirs to see. */
  hides?(document: Data, uid: string): Hidden;
  /** What says something of them too, beside a document: paths to delete, and changes of documents that may be there. */
  beside?(id: string, document: Data): Beside;
  /** What the audit log says of such a document says something of them too: the fields that do. */
  audited?: readonly string[];
  /** The documents below each of these are theirs too. */
  below?: string;
  /** What of those is not theirs to see. */
  hidesBelow?: Hidden;
}

/** Fields, and why each is not shown. */
export type Hidden = Readonly<Record<string, string>>;

/**
 * What of a person is where, and what becomes of it: the one table that goes through every room, as the rules' access
 * matrix does. A uid is no name: it stays where money was booked, and says nothing once the application has deleted its
 * `users/{uid}`. What is below a document is deleted with it.
 */
export interface Step extends Place {
  /** Something is under way with it: the erasure goes on when that is over. */
  waits?(document: Data): boolean;
  fate(document: Data, person: Person): Fate;
}

export type Data = Readonly<Record<string, unknown>>;

export interface Person {
  uid: string;
  /** When it is done. */
  now: Timestamp;
  /** "01-01": the first day of financial years. */
  yearStart: string;
}

/** Fields to set and to remove; what is so already is not written. */
export interface Change {
  set?: Data;
  remove?: readonly string[];
}

export type Fate =
  | { do: 'delete' }
  | { do: 'change'; change: Change }
  /** The law wants it until then. */
  | { do: 'keep'; until: Timestamp; law: string };

export interface Beside {
  deleted?: readonly string[];
  changed?: readonly { path: string; change: Change }[];
}

const gone = (): Fate => ({ do: 'delete' });
const change = (set: Data, remove: readonly string[] = []): Fate => ({ do: 'change', change: { set, remove } });
const nameless: Change = { set: { customerName: '' } };

/** Kept as booked that day until the law lets it go, then `after`. */
function booked(on: BusinessDate, { now, yearStart }: Person, law: string, after: Fate): Fate {
  const until = eraseAfter(on, yearStart);
  return until.toMillis() > now.toMillis() ? { do: 'keep', until, law } : after;
}

/** Commands in which there is nothing but their giver's own. */
const ownCommands: ReadonlySet<string> = new Set([
  'processPayment',
  'createOrder',
  'createCheckoutSession',
  'createSetupIntent',
  'createSubscription',
  'updateSubscription',
  'cancelSubscription',
  'resumeSubscription',
  'bookSession',
  'setAvailability',
  'updatePayoutSettings',
  'requestPayout',
]);
const maybeOther = 'May be about somebody else; what came of it is shown where it is theirs.';

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const map = (value: unknown): Data => (typeof value === 'object' && value !== null ? (value as Data) : {});

/** Letters of a session go to its coach too and name the student. */
const sessionLetters = (id: string, session: Data): string[] => [
  `mail/session-booked_${id}`,
  `mail/session-canceled_${id}`,
  ...Array.from({ length: Number(session.rescheduled ?? 0) }, (_, moved) => `mail/session-moved_${id}_${moved + 1}`),
];

const loginOf = (student: unknown): unknown => map(student).userId;

/** Without their name, unless it is somebody else with a login of their own. */
function nobody(student: unknown, uid: string): Data {
  const userId = loginOf(student);
  if (userId === undefined) return { student: { name: '' } };
  return userId === uid ? { student: { name: '', userId } } : {};
}

const other = 'Is about somebody else.';
/** The law leaves memory notes out of the right of access, but not out of erasure. */
const memoryNotes: Hidden = {
  text: 'A coach’s own memory notes are left out of access (Dataskyddslagen, 2018:218, 5 kap. 2 §); only the coach reads them.',
};

/** A session's own earning, beside the one of its payment. */
const sessionEarning = (id: string, { coachId, paidBy }: Data): string =>
  `coaches/${text(coachId)}/earnings/${text(map(paidBy).paymentId)}_${id}`;

const customerSteps: readonly Step[] = [
  { name: 'paymentMethods', collection: 'paymentMethods', owner: 'userId', fate: gone },
  {
    name: 'payments',
    collection: 'payments',
    owner: 'userId',
    waits: ({ status }) => status === 'pending',
    // Stripe's own receipt has the name on it.
    fate: () => change({ customerName: '' }, ['receiptUrl', 'refundReason']),
    beside: (id, { coachId }) =>
      coachId ? { changed: [{ path: `coaches/${text(coachId)}/earnings/${id}`, change: nameless }] } : {},
  },
  { name: 'subscriptions', collection: 'subscriptions', owner: 'userId', fate: () => change({ customerName: '' }) },
  {
    name: 'invoices',
    collection: 'invoices',
    owner: 'userId',
    // Addresses of Stripe's pages that show the name to whoever has them.
    fate: () => change({ erased: true }, ['hostedUrl', 'pdfUrl', 'description']),
  },
  {
    name: 'checkouts',
    collection: 'checkouts',
    owner: 'userId',
    fate: ({ purchase }) => change({ purchase: withoutNames(purchase) }),
  },
  {
    name: 'sessions',
    collection: 'sessions',
    owner: 'userId',
    fate: ({ student }, { uid }) => change({ customerName: '', ...nobody(student, uid) }, ['reason']),
    hides: ({ student }, uid): Hidden =>
      loginOf(student) === undefined || loginOf(student) === uid ? {} : { student: other },
    beside: (id, session) => ({
      deleted: sessionLetters(id, session),
      changed: map(session.paidBy).paymentId ? [{ path: sessionEarning(id, session), change: nameless }] : [],
    }),
    below: 'notes',
    hidesBelow: memoryNotes,
  },
  {
    name: 'sessions as a student',
    collection: 'sessions',
    owner: 'student.userId',
    fate: ({ student }, { uid }) => change(nobody(student, uid), ['reason']),
    hides: () => ({ customerName: other }),
    beside: (id, session) => ({ deleted: sessionLetters(id, session) }),
    below: 'notes',
    hidesBelow: memoryNotes,
  },
  {
    name: 'refunds',
    collection: 'refunds',
    owner: 'userId',
    fate: () => change({}, ['reason']),
    beside: (id) => ({ changed: [{ path: `refundOrders/${id}`, change: { remove: ['reason'] } }] }),
    audited: ['note'],
  },
  // The evidence that was sent to the bank has the name, the address and what happened in it.
  { name: 'disputes', collection: 'disputes', owner: 'userId', fate: () => change({}), audited: ['after'] },
  {
    name: 'receipts',
    collection: 'receipts',
    owner: 'userId',
    fate: ({ date }, person) => booked(text(date), person, bookkeeping, change({ customerName: '' })),
  },
  { name: 'accounts', collection: 'customers/{uid}/accounts', owner: 'all', fate: gone },
  { name: 'customers', collection: 'customers', owner: 'id', fate: () => change({}, ['customerAsked']) },
];

const coachSteps: readonly Step[] = [
  {
    name: 'earnings',
    collection: 'coaches/{uid}/earnings',
    owner: 'all',
    fate: () => change({ customerName: '' }),
    hides: () => ({ customerName: other }),
  },
  {
    name: 'sessions as a coach',
    collection: 'sessions',
    owner: 'coachId',
    fate: () => change({}, ['reason']),
    hides: ({ canceledBy }) => ({
      customerName: other,
      student: other,
      ...(canceledBy === 'coach' ? {} : { reason: other }),
    }),
    below: 'notes',
    hidesBelow: memoryNotes,
  },
  { name: 'availability', collection: 'availability', owner: 'id', fate: gone },
  { name: 'coachDays', collection: 'coachDays', owner: 'coachId', fate: gone },
  {
    name: 'receipts as a seller',
    collection: 'receipts',
    owner: 'seller.coachId',
    fate: ({ date, seller }, person) => booked(text(date), person, bookkeeping, change({ seller: unnamed(seller) })),
    hides: () => ({ customerName: other }),
  },
  {
    name: 'payoutInvoices',
    collection: 'payoutInvoices',
    owner: 'coachId',
    fate: (invoice, person) => booked(text(invoice.issuedOn), person, bookkeeping, change(withoutCoach(invoice))),
  },
  {
    name: 'sellerIdentities',
    collection: 'sellerIdentities',
    owner: 'id',
    fate: ({ updatedAt }, person) => booked(bookedOn(updatedAt as Timestamp), person, sellers, gone()),
  },
  {
    name: 'coaches',
    collection: 'coaches',
    owner: 'id',
    fate: ({ accountAsked, hold }) =>
      change(
        {
          ...(accountAsked ? { accountAsked: { at: map(accountAsked).at, email: null } } : {}),
          ...(hold ? { hold: { ...map(hold), reason: '' } } : {}),
        },
        ['accountEmail', 'vatNumber', 'invoiceDetails', 'payoutDestination', 'knownDestination'],
      ),
  },
];

/** Last, so that what the others did is in none of them. */
const engineSteps: readonly Step[] = [
  {
    name: 'approvals',
    collection: 'approvals',
    owner: 'about',
    list: true,
    waits: ({ status }) => status === 'waiting',
    fate: ({ input }) => change({ reason: '', input: withoutWords(map(input)) }),
    hides: ({ about }, uid): Hidden =>
      Array.isArray(about) && about.some((one) => one !== uid) ? { about: other } : {},
    audited: ['note', 'after'],
  },
  {
    // What was decided about terms, payouts and debts explains what is booked.
    name: 'auditLog',
    collection: 'auditLog',
    owner: 'subject',
    values: (uid) => ['customers', 'coaches', 'availability', 'sellerIdentities'].map((room) => `${room}/${uid}`),
    fate: ({ at, note }, person) =>
      note === undefined ? change({}) : booked(bookedOn(at as Timestamp), person, bookkeeping, change({}, ['note'])),
  },
  {
    name: 'mail',
    collection: 'mail',
    owner: 'toUids',
    list: true,
    fate: gone,
    hides: ({ toUids }): Hidden => (Array.isArray(toUids) && toUids.length > 1 ? { toUids: other } : {}),
  },
  {
    name: 'requests',
    collection: 'requests',
    owner: 'uid',
    // What a crash left open the sweep finishes by it.
    waits: ({ state }) => state === 'started',
    fate: gone,
    hides: ({ command }): Hidden =>
      ownCommands.has(text(command)) ? {} : { plan: maybeOther, result: maybeOther, refusal: maybeOther },
  },
  { name: 'limits', collection: 'limits', owner: 'id', fate: gone },
];

export const steps: readonly Step[] = [...customerSteps, ...coachSteps, ...engineSteps];

const words: ReadonlySet<string> = new Set(['reason', 'note']);
const withoutWords = (input: Data): Data =>
  Object.fromEntries(Object.entries(input).map(([field, value]) => [field, words.has(field) ? '' : value]));

/** The command whose plan holds the same words as its entry in the audit log, which is named by it. */
export function requestOf(auditId: string, { action }: Data): string | undefined {
  return action === 'submitDisputeEvidence' ? `requests/${auditId.slice(action.length + 1)}` : undefined;
}

const unnamed = (party: unknown): Data => ({ ...map(party), name: '', address: '', vatNumber: null });

/** The coach sells with self-billing and buys the platform's commission. */
function withoutCoach({ kind, seller, buyer }: Data): Data {
  return kind === 'self_billing' ? { seller: unnamed(seller) } : { buyer: unnamed(buyer) };
}

/** A page's purchase holds what a command's plan holds. */
function withoutNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNames);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).filter(([field]) => field !== 'email');
  return Object.fromEntries(
    entries.map(([field, inner]) => [field, field === 'customerName' ? '' : withoutNames(inner)]),
  );
}
