import { startSecretManager, type LocalSecretManager } from '../../testing/secret-manager.ts';
import type { SecretStore } from './secret-store.ts';

/** Through Google's own client against a local server that speaks its REST API. */

let manager: LocalSecretManager;
let store: SecretStore;

beforeEach(async () => {
  manager = await startSecretManager(['token']);
  store = await manager.store('token');
});

afterEach(() => manager.close());

it('adds versions and reads the newest, or one by its number', async () => {
  expect(await store.latest()).toBeNull();
  expect(await store.add('första ✓')).toBe(1);
  expect(await store.add('second')).toBe(2);
  expect(await store.latest()).toEqual({ number: 2, value: 'second' });
  expect(await store.version(1)).toEqual({ number: 1, value: 'första ✓' });
  expect(await store.version(3)).toBeNull();
});

it('reads a disabled version as none', async () => {
  await store.add('one');
  await store.add('two');
  await store.disable(1);
  expect(await store.version(1)).toBeNull();
  expect(await store.latest()).toEqual({ number: 2, value: 'two' });
  expect(manager.versions('token').map(({ enabled }) => enabled)).toEqual([false, true]);
});

it('says what to do when the secret or the right is missing', async () => {
  const other = await manager.store('unmade');
  await expect(other.add('x')).rejects.toThrow(/secrets\/unmade does not exist.*npm run secrets/);
  manager.fail(':access', 403, 1);
  await expect(store.latest()).rejects.toThrow(/may not be used by this service account.*npm run secrets/);
});

it('passes on what is nobody’s mistake', async () => {
  manager.fail(':addVersion', 500, 1);
  await expect(store.add('x')).rejects.toThrow(/INTERNAL/);
});
