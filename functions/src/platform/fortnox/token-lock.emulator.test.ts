import { deleteApp, initializeApp } from 'firebase-admin/app';
import { getFirestore } from 'firebase-admin/firestore';
import { createTokenLock, LEASE_MS } from './token-lock.ts';

/** On the real Firestore emulator: that only one of many takes the lease is Firestore's promise, not the twin's. */

const app = initializeApp({ projectId: `demo-lock-${process.pid}` }, 'token-lock');
const db = getFirestore(app);
let nowMs = Date.parse('2026-11-20T08:00:00Z');
const now = () => new Date(nowMs);

afterAll(() => deleteApp(app));

it('is taken by one of three at once, again when it runs out, and tells the sleeper', async () => {
  let instances = 0;
  const race = () =>
    Promise.all(Array.from({ length: 3 }, () => createTokenLock(db, now).take(`instance ${(instances += 1)}`)));
  const [first, ...others] = (await race()).filter((lease) => lease !== null);
  expect(others).toEqual([]);
  expect(await race()).toEqual(Array.from({ length: 3 }, () => null));

  nowMs += LEASE_MS;
  const [second, ...none] = (await race()).filter((lease) => lease !== null);
  expect(none).toEqual([]);
  expect(second?.fence).toBe((first?.fence ?? 0) + 1);

  const lock = createTokenLock(db, now);
  expect(await lock.asking(first?.fence ?? 0, 1)).toBe(false);
  expect(await lock.asking(second?.fence ?? 0, 1)).toBe(true);
  await lock.consentNeeded(1, 'revoked');
  await lock.stored(2);
  expect(await lock.read()).toMatchObject({ version: 2, asked: null, consentNeeded: null });
  await lock.stored(1);
  await lock.release(first?.fence ?? 0);
  expect(await lock.read()).toMatchObject({ version: 2, fence: second?.fence, holder: expect.any(String) as unknown });
  await lock.release(second?.fence ?? 0);
  expect((await lock.read()).holder).toBeNull();
}, 30_000);
