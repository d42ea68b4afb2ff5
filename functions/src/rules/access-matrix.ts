/** Who may do what to every collection, written down apart from firestore.rules, so that the two can be held against each other. */

export const roles = ['nobody', 'customer', 'other customer', 'coach', 'other coach', 'admin'] as const;
export type Role = (typeof roles)[number];

/** Each role's uid; the two of a kind prove that one does not see the other's. */
export const uids: Record<Role, string | null> = {
  nobody: null,
  customer: 'customer-1',
  'other customer': 'customer-2',
  coach: 'coach-1',
  'other coach': 'coach-2',
  admin: 'admin-1',
};

export const claims: Record<Role, Record<string, unknown>> = {
  nobody: {},
  customer: {},
  'other customer': {},
  coach: { coach: true },
  'other coach': { coach: true },
  admin: { admin: true },
};

export interface Guarded {
  /** Path of the collection. */
  path: string;
  /** The document asked for; it belongs to `customer` and `coach`. Another one, of their others, lies beside it. */
  id: string;
  data: Record<string, unknown>;
  other: { id: string; data: Record<string, unknown> };
  /** Who may read that document. */
  readers: readonly Role[];
  /** The filter that makes a list the caller's own, where there is one. */
  own?: { field: string; value: (uid: string) => unknown };
  /** Who may list with that filter. */
  ownListers: readonly Role[];
  /** Who may list without it. */
  listers: readonly Role[];
}

const signedIn = roles.filter((role) => role !== 'nobody');
const admins: readonly Role[] = ['admin'];
const noone: readonly Role[] = [];

/** `userId` and `coachId` stand in every document, so that a rule which looks at them where it must not is found out. */
const mine = { userId: 'customer-1', coachId: 'coach-1' };
const theirs = { userId: 'customer-2', coachId: 'coach-2' };

function guarded(path: string, spec: Partial<Guarded>): Guarded {
  return {
    path,
    id: 'one',
    data: mine,
    other: { id: 'two', data: theirs },
    readers: noone,
    ownListers: noone,
    listers: noone,
    ...spec,
  };
}

const ofField = (field: string) => ({ field, value: (uid: string) => uid });

const customersOwn = (path: string, alsoReads: readonly Role[] = admins) =>
  guarded(path, {
    readers: ['customer', ...alsoReads],
    own: ofField('userId'),
    ownListers: signedIn,
    listers: alsoReads,
  });

const adminsOnly = (path: string) =>
  guarded(path, { readers: admins, own: ofField('coachId'), ownListers: admins, listers: admins });

const closed = (path: string) => guarded(path, { own: ofField('userId') });

export const matrix: readonly Guarded[] = [
  guarded('products', {
    data: { active: true },
    other: { id: 'two', data: { active: false } },
    readers: roles,
    own: { field: 'active', value: () => true },
    ownListers: roles,
    listers: admins,
  }),
  guarded('products', {
    id: 'withdrawn',
    data: { active: false, coachId: 'coach-1' },
    readers: admins,
    own: ofField('coachId'),
    ownListers: admins,
    listers: admins,
  }),
  guarded('customers', {
    id: 'customer-1',
    other: { id: 'customer-2', data: {} },
    readers: ['customer', 'admin'],
    listers: admins,
  }),
  customersOwn('payments'),
  customersOwn('subscriptions'),
  customersOwn('orders'),
  customersOwn('invoices'),
  customersOwn('receipts'),
  customersOwn('refunds'),
  customersOwn('disputes'),
  customersOwn('paymentMethods', noone),
  guarded('sessions', {
    readers: ['customer', 'coach', 'admin'],
    own: ofField('coachId'),
    ownListers: signedIn,
    listers: admins,
  }),
  guarded('sessions', {
    readers: ['customer', 'coach', 'admin'],
    own: ofField('userId'),
    ownListers: signedIn,
    listers: admins,
  }),
  // A student with a login of their own, who neither pays nor coaches.
  guarded('sessions', {
    id: 'named',
    data: { userId: 'customer-2', coachId: 'coach-2', student: { name: 'Maja', userId: 'customer-1' } },
    readers: ['customer', 'other customer', 'other coach', 'admin'],
    own: ofField('student.userId'),
    ownListers: signedIn,
    listers: admins,
  }),
  // A note names nobody; `sessions/one` is coach-1's.
  guarded('sessions/one/notes', { data: {}, readers: ['coach'], listers: ['coach'] }),
  guarded('availability', { readers: signedIn, own: ofField('coachId'), ownListers: signedIn, listers: signedIn }),
  guarded('coachDays', { readers: signedIn, own: ofField('coachId'), ownListers: signedIn, listers: signedIn }),
  guarded('coaches', {
    id: 'coach-1',
    other: { id: 'coach-2', data: {} },
    readers: ['coach', 'admin'],
    listers: admins,
  }),
  // A sub-collection's list is one coach's by its path.
  guarded('coaches/coach-1/earnings', { readers: ['coach', 'admin'], listers: ['coach', 'admin'] }),
  guarded('payouts', {
    readers: ['coach', 'admin'],
    own: ofField('coachId'),
    ownListers: signedIn,
    listers: admins,
  }),
  // The items name nobody; `payouts/one` is coach-1's.
  guarded('payouts/one/items', { data: {}, readers: ['coach', 'admin'], listers: ['coach', 'admin'] }),
  guarded('sellerIdentities', {
    id: 'coach-1',
    other: { id: 'coach-2', data: {} },
    readers: ['coach', 'admin'],
    listers: admins,
  }),
  guarded('payoutInvoices', {
    readers: ['coach', 'admin'],
    own: ofField('coachId'),
    ownListers: signedIn,
    listers: admins,
  }),
  adminsOnly('ledger'),
  adminsOnly('vouchers'),
  adminsOnly('transfers'),
  adminsOnly('refundOrders'),
  adminsOnly('payoutRuns'),
  adminsOnly('payoutRuns/one/coaches'),
  adminsOnly('platformPayouts'),
  adminsOnly('stripeOwn'),
  adminsOnly('reconciliations'),
  adminsOnly('reconciliations/one/accounts'),
  adminsOnly('reconciliationRanges'),
  adminsOnly('reconciliationRanges/one/accounts'),
  adminsOnly('flags'),
  adminsOnly('auditLog'),
  adminsOnly('approvals'),
  adminsOnly('erasures'),
  closed('requests'),
  closed('checkouts'),
  closed('stripeEvents'),
  closed('limits'),
  closed('fortnoxConnections'),
  closed('settings'),
  closed('payoutLocks'),
  closed('invoiceSeries'),
  closed('closedSums'),
  closed('mail'),
  // No rule names these.
  closed('locks'),
  closed('customers/customer-1/accounts'),
  closed('somethingNew'),
  closed('payments/one/somethingNew'),
];

export const operations = ['get', 'list own', 'list another’s', 'list all', 'create', 'update', 'delete'] as const;
export type Operation = (typeof operations)[number];

/** Clients write nothing, whoever they are. */
export function expected(where: Guarded, role: Role): Record<Operation, 'allowed' | 'refused'> {
  const say = (allowed: boolean) => (allowed ? 'allowed' : 'refused');
  return {
    get: say(where.readers.includes(role)),
    'list own': say((where.own ? where.ownListers : where.listers).includes(role)),
    'list another’s': say(where.listers.includes(role)),
    'list all': say(where.listers.includes(role)),
    create: 'refused',
    update: 'refused',
    delete: 'refused',
  };
}
