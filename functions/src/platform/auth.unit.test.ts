import { callerOf, requireRight, type Caller } from './auth.ts';

const reasonOf = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as { reason?: string }).reason;
  }
};

it('knows nobody without a uid', () => {
  expect(reasonOf(() => callerOf(undefined))).toBe('sign-in-required');
  expect(reasonOf(() => callerOf({ uid: '', token: {} }))).toBe('sign-in-required');
});

it('takes roles from claims that are true and nothing else', () => {
  const caller = callerOf({ uid: 'a', token: { coach: 'true', admin: 1 } });
  expect(caller).toEqual({ uid: 'a', coach: false, admin: false });
  expect(callerOf({ uid: 'a', token: { coach: true, admin: true } })).toMatchObject({ coach: true, admin: true });
});

it.each(['a/b', '.', '..', '__a__', 'å', '', ' ', 'a'.repeat(129)])('refuses a uid like "%s"', (uid) => {
  expect(reasonOf(() => callerOf({ uid, token: {} }))).toMatch(/uid-not-usable|sign-in-required/);
});

it('makes one clean line of a name', () => {
  const nameOf = (name: string) => callerOf({ uid: 'a', token: { name } }).name;
  expect(nameOf('  Åsa Öst  ')).toBe('Åsa Öst');
  expect(nameOf('Lisa\u0000\nKund\u202e')).toBe('Lisa Kund');
  expect(nameOf('x'.repeat(500))).toHaveLength(100);
  // Cut in the middle of a pair, the half is not kept as it is.
  expect(nameOf(`${'x'.repeat(99)}👍`)?.isWellFormed()).toBe(true);
});

it('keeps no e-mail address that cannot be one', () => {
  expect(callerOf({ uid: 'a', token: { email: `${'x'.repeat(300)}@example.se` } }).email).toBeUndefined();
  expect(callerOf({ uid: 'a', token: { email: 7 as unknown as string } }).email).toBeUndefined();
});

it('an administrator is no coach, and a coach no administrator', () => {
  const admin: Caller = { uid: 'a', coach: false, admin: true };
  const coach: Caller = { uid: 'c', coach: true, admin: false };
  expect(reasonOf(() => requireRight(admin, 'coach'))).toBe('coach-only');
  expect(reasonOf(() => requireRight(coach, 'admin'))).toBe('admin-only');
  expect(reasonOf(() => requireRight(coach, 'anyone signed in'))).toBeUndefined();
});
