import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { initializeTestEnvironment, type RulesTestEnvironment } from '@firebase/rules-unit-testing';
import {
  collection,
  collectionGroup,
  deleteDoc,
  doc,
  getDoc,
  getDocs,
  query,
  setDoc,
  setLogLevel,
  updateDoc,
  where,
  type Firestore,
} from 'firebase/firestore';
import {
  claims,
  expected,
  matrix,
  operations,
  roles,
  uids,
  type Guarded,
  type Operation,
  type Role,
} from './access-matrix.ts';
import { coverageOf, type CoverageReport } from './coverage.ts';

const rules = readFileSync(join(process.cwd(), 'firestore.rules'), 'utf8');

/** A project of its own: other emulator tests keep their data, and their rules. */
const projectId = 'demo-rules';

let environment: RulesTestEnvironment;
const databases = new Map<Role, Firestore>();
const as = (role: Role): Firestore => {
  const db = databases.get(role);
  if (!db) throw new Error(`There is no database for ${role}.`);
  return db;
};

beforeAll(async () => {
  setLogLevel('silent');
  environment = await initializeTestEnvironment({ projectId, firestore: { rules } });
  await environment.clearFirestore();
  await environment.withSecurityRulesDisabled(async (context) => {
    const db = context.firestore() as unknown as Firestore;
    for (const { path, id, data, other } of matrix) {
      await setDoc(doc(db, path, id), data);
      await setDoc(doc(db, path, other.id), other.data);
    }
  });
  for (const role of roles) {
    const uid = uids[role];
    const context = uid ? environment.authenticatedContext(uid, claims[role]) : environment.unauthenticatedContext();
    databases.set(role, context.firestore() as unknown as Firestore);
  }
});

afterAll(() => environment.cleanup());

/** Refused by the rules, or done; anything else that goes wrong is an error of the test. */
async function verdict(attempt: Promise<unknown>): Promise<'allowed' | 'refused'> {
  try {
    await attempt;
    return 'allowed';
  } catch (error) {
    if ((error as { code?: unknown }).code === 'permission-denied') return 'refused';
    throw error;
  }
}

function attempt(operation: Operation, at: Guarded, role: Role): Promise<unknown> {
  const db = as(role);
  const all = collection(db, at.path);
  const one = doc(db, at.path, at.id);
  const uid = uids[role] ?? 'customer-1';
  const another =
    role === 'other customer' || role === 'other coach' ? ['customer-1', 'coach-1'] : ['customer-2', 'coach-2'];
  switch (operation) {
    case 'get':
      return getDoc(one);
    case 'list all':
      return getDocs(all);
    case 'list own':
      return getDocs(at.own ? query(all, where(at.own.field, '==', at.own.value(uid))) : all);
    case 'list another’s':
      if (at.path === 'products' && at.own?.field === 'active')
        return getDocs(query(all, where('active', '==', false)));
      return getDocs(at.own ? query(all, where(at.own.field, 'in', another)) : all);
    case 'create':
      return setDoc(doc(db, at.path, `made by ${role}`), { ...at.data, userId: uid, coachId: uid });
    case 'update':
      return updateDoc(one, { touched: true });
    case 'delete':
      return deleteDoc(one);
  }
}

describe('firestore.rules', () => {
  const cells = matrix.flatMap((at) =>
    roles.map((role) => ({ at, role, name: `${at.path}/${at.id} by ${at.own?.field ?? 'path'}` })),
  );

  it.each(cells)('$name: $role', async ({ at, role }) => {
    const found = await Promise.all(
      operations.map(async (operation) => [operation, await verdict(attempt(operation, at, role))] as const),
    );
    expect(Object.fromEntries(found)).toEqual(expected(at, role));
  });

  it('gives the owner of a list nothing but their own', async () => {
    const own = async (role: Role, path: string, field: string) =>
      (await getDocs(query(collection(as(role), path), where(field, '==', uids[role])))).docs.map((found) => found.id);
    expect(await own('customer', 'payments', 'userId')).toEqual(['one']);
    expect(await own('other customer', 'payments', 'userId')).toEqual(['two']);
    expect(await own('coach', 'payments', 'userId')).toEqual([]);
    expect(await own('other coach', 'payouts', 'coachId')).toEqual(['two']);
  });

  it.each(['earnings', 'items', 'coaches'])('refuses %s of all parents at once, to everybody', async (group) => {
    for (const role of roles) {
      // The top-level collection of coaches alone is an administrator's; the group holds those of payout runs, too.
      expect([role, await verdict(getDocs(collectionGroup(as(role), group)))]).toEqual([role, 'refused']);
    }
  });

  it('says the same of a document that is not there as of one that is somebody else’s', async () => {
    for (const path of ['payments', 'payouts', 'orders', 'sessions', 'products']) {
      expect(await verdict(getDoc(doc(as('customer'), path, 'nowhere')))).toBe('refused');
    }
    expect(await verdict(getDocs(collection(as('coach'), 'payouts/nowhere/items')))).toBe('refused');
  });

  it('takes a role from the claim being true and nothing else', async () => {
    for (const admin of ['true', 1, {}, false, null]) {
      const db = environment
        .authenticatedContext('pretender', { admin, role: 'admin' })
        .firestore() as unknown as Firestore;
      expect(await verdict(getDoc(doc(db, 'ledger', 'one')))).toBe('refused');
    }
  });

  it('has no expression that the tests above left out', async () => {
    const host = process.env.FIRESTORE_EMULATOR_HOST ?? '';
    const answer = await fetch(`http://${host}/emulator/v1/projects/${projectId}:ruleCoverage`);
    const { expressions, never, oneSided } = coverageOf((await answer.json()) as CoverageReport);
    process.stdout.write(`firestore.rules: ${expressions - never.length} of ${expressions} expressions evaluated\n`);
    expect(expressions).toBeGreaterThan(50);
    expect(never).toEqual([]);
    expect(oneSided).toEqual([]);
  });

  it('names no collection that the matrix leaves out, and grants no write', () => {
    const named = [...rules.matchAll(/match \/(\w+)\/\{/g)]
      .map((found) => found[1])
      .filter((name) => name !== 'databases');
    const checked = new Set(matrix.map(({ path }) => path.split('/').at(-1)));
    expect(named.filter((name) => !checked.has(name))).toEqual([]);
    expect(rules).not.toMatch(/allow[^:;]*\b(write|create|update|delete)\b/);
  });
});
