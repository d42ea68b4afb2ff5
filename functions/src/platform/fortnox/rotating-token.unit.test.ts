import { createFortnoxCore, startFortnoxEmulator } from '../../../../emulators/fortnox/index.ts';
import type { FortnoxCore } from '../../../../emulators/fortnox/index.ts';
import { createTestFirestore } from '../../testing/firestore.ts';
import { startSecretManager, type LocalSecretManager } from '../../testing/secret-manager.ts';
import { silentLog, type Log } from '../log.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import { createFortnoxClient } from './client.ts';
import { FortnoxError } from './errors.ts';
import type { Send } from './http.ts';
import { rotatingRefreshToken } from './rotating-token.ts';
import { createTokenLock, type TokenLock, type TokenLockDocument } from './token-lock.ts';
import type { TokenSource } from './token-source.ts';

/**
 * The rotating token against the Fortnox emulator's single-use tokens, Google's own Secret Manager client on a local server,
 * and Firestore's twin, under one clock. Instances are sources that share nothing but those three.
 */

const SECRET = 'fortnox-refresh-token';
const CLIENT = { clientId: 'fortnox-emulator-client', clientSecret: 'fortnox-emulator-secret' };
const REDIRECT = 'http://127.0.0.1:5001/callback';
const MINUTE = 60_000;

let manager: LocalSecretManager;
let core: FortnoxCore;
let db: ReturnType<typeof createTestFirestore>;
let nowMs: number;
let logged: string[];

beforeAll(async () => {
  manager = await startSecretManager([SECRET]);
});

afterAll(() => manager.close());

const now = () => new Date(nowMs);
const log: Log = {
  ...silentLog,
  error: (event) => logged.push(event),
  warn: (event) => logged.push(event),
};

beforeEach(async () => {
  nowMs = Date.parse('2026-11-20T08:00:00Z');
  logged = [];
  manager.versions(SECRET).length = 0;
  manager.staleLatest(null);
  core = createFortnoxCore({ clock: () => nowMs });
  // The hard way round: a token used twice ends the whole consent.
  core.state().switches.replayKillsChain = true;
  db = createTestFirestore({ now });
  await (await manager.store(SECRET)).add(consent());
});

function emulator(method: string, url: string, headers: Record<string, string>, body: string) {
  const reply = core.handle({ method, url, headers, body, origin: 'http://fortnox' });
  return reply.kind === 'drop' ? null : reply;
}

/** What a person does: consents, and takes the first refresh token. */
function consent(): string {
  const asked = {
    client_id: CLIENT.clientId,
    redirect_uri: REDIRECT,
    scope: 'bookkeeping companyinformation',
    access_type: 'offline',
    response_type: 'code',
    decision: 'approve',
    user: 'administrator',
  };
  const page = emulator('POST', '/oauth-v1/auth', {}, new URLSearchParams(asked).toString());
  const code = new URL(page?.headers.location ?? '').searchParams.get('code') ?? '';
  const reply = tokenCall({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT });
  return (JSON.parse(reply?.body ?? '') as { refresh_token: string }).refresh_token;
}

function tokenCall(body: Record<string, string>) {
  const authorization = `Basic ${Buffer.from(`${CLIENT.clientId}:${CLIENT.clientSecret}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  return emulator('POST', '/oauth-v1/token', headers, new URLSearchParams(body).toString());
}

const send: Send = async (what, { method, url, headers, body }) => {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const reply = emulator(method, new URL(url).pathname, lower, body ?? '');
  if (reply === null) throw new FortnoxError(`${what}: no answer`, { kind: 'unknown' });
  return { status: reply.status, retryAfter: undefined, text: reply.body };
};

type Stop = { at: string; reached: () => void; before?: boolean };

/** Stops the code for good at a step: before it happens or after, as a process that dies. */
function stopping<T extends object>(target: T, prefix: string, stop: Stop | undefined): T {
  if (stop === undefined) return target;
  const entries = Object.entries(target).map(([name, method]) => [
    name,
    async (...given: unknown[]) => {
      const here = stop.at === `${prefix}.${name}`;
      if (here && stop.before === true) return died(stop);
      const result: unknown = await (method as (...args: unknown[]) => Promise<unknown>)(...given);
      return here ? died(stop) : result;
    },
  ]);
  return Object.fromEntries(entries) as T;
}

function died(stop: Stop): Promise<never> {
  stop.reached();
  return new Promise(() => undefined);
}

async function instance(options: { stop?: Stop; send?: Send; log?: Log } = {}): Promise<TokenSource> {
  const store: SecretStore = stopping(await manager.store(SECRET), 'store', options.stop);
  const lock: TokenLock = stopping(createTokenLock(db, now), 'lock', options.stop);
  const { send: sending } = stopping({ send: options.send ?? send }, 'fortnox', options.stop);
  return rotatingRefreshToken(
    {
      url: 'http://fortnox/oauth-v1/token',
      ...CLIENT,
      now,
      send: sending,
      async sleep(ms) {
        nowMs += ms;
        // Real time passes too, so that the other instance gets on.
        await new Promise((resolve) => setTimeout(resolve, 5));
      },
    },
    { store, lock, log: options.log ?? log },
  );
}

async function works(token: string): Promise<boolean> {
  core.state().window = {};
  return emulator('GET', '/3/companyinformation', { authorization: `Bearer ${token}` }, '')?.status === 200;
}

const lockDocument = async () => (await db.doc('locks/fortnox-token').get()).data() as TokenLockDocument | undefined;
const enabled = () => manager.versions(SECRET).map((version) => version.enabled);
const refreshes = () =>
  core.state().requests.filter((one) => one.url === '/oauth-v1/token' && one.status !== null).length - 1;

describe('one instance', () => {
  it('renews, stores the new token before it disables the old one, and keeps the access token', async () => {
    const source = await instance();
    manager.calls.length = 0;
    const token = await source.current();
    expect(await works(token)).toBe(true);
    expect(await source.current()).toBe(token);
    expect(enabled()).toEqual([false, true]);
    const order = manager.calls.map((call) => call.split(':').at(-1)).filter((verb) => verb !== 'access');
    expect(order).toEqual(['addVersion', 'disable']);
    expect(await lockDocument()).toMatchObject({ holder: null, version: 2, asked: null, consentNeeded: null });
    expect(JSON.stringify(await lockDocument())).not.toContain(token);
    expect(logged).toEqual([]);
  });

  it('renews again before the hour is over, and on a token that Fortnox refuses', async () => {
    const source = await instance();
    const first = await source.current();
    nowMs += 58 * MINUTE;
    expect(await source.current()).toBe(first);
    nowMs += MINUTE + 1;
    const second = await source.current();
    expect(second).not.toBe(first);
    source.forget(second);
    const third = await source.current();
    expect(third).not.toBe(second);
    expect(await works(third)).toBe(true);
    expect(enabled()).toEqual([false, false, false, true]);
  });

  it('asks again when Fortnox turned it away unread, stumbled before the effect, or is too busy', async () => {
    for (const kind of ['error_500_before', 'rate_limit', 'timeout_before'] as const) {
      core.state().faults.push({ id: 1, kind, path: '/oauth-v1/token', times: 2, delayMs: 0 });
      nowMs += 60 * MINUTE;
      expect(await works(await (await instance()).current())).toBe(true);
    }
  });

  it('says how to mend wrong client credentials, and asks for no consent', async () => {
    const wrong: Send = async () => ({ status: 401, retryAfter: undefined, text: '{"error":"invalid_client"}' });
    const source = await instance({ send: wrong });
    await expect(source.current()).rejects.toMatchObject({
      kind: 'unauthorized',
      message: expect.stringContaining('FORTNOX_CLIENT_SECRET') as unknown,
    });
    expect(await lockDocument()).toMatchObject({ holder: null, asked: null, consentNeeded: null });
    expect(await works(await (await instance()).current())).toBe(true);
  });

  it('says how to begin where no token is stored', async () => {
    manager.versions(SECRET).length = 0;
    await expect((await instance()).current()).rejects.toMatchObject({
      kind: 'unauthorized',
      message: expect.stringMatching(/no refresh token is stored.*connectFortnox/) as unknown,
    });
  });

  it('gives Secret Manager’s own troubles as something to try again', async () => {
    manager.fail(':access', 500, 1);
    const source = await instance();
    await expect(source.current()).rejects.toMatchObject({ name: 'FortnoxError', kind: 'unknown' });
    expect(await works(await source.current())).toBe(true);
  });
});

it('through the client, over HTTP: a token that Fortnox ended early is renewed once, and the call goes through', async () => {
  const server = await startFortnoxEmulator();
  const over = server.core;
  core = over;
  nowMs = Date.now();
  manager.versions(SECRET).length = 0;
  const store = await manager.store(SECRET);
  await store.add(consent());
  const client = createFortnoxClient({
    apiBase: server.url,
    ...CLIENT,
    tenantId: '100001',
    now,
    tokens: (http) => rotatingRefreshToken(http, { store, lock: createTokenLock(db, now), log }),
  });
  try {
    expect(await client.companyInformation()).toMatchObject({ databaseNumber: 100001 });
    over.state().tokens = {};
    expect(await client.companyInformation()).toMatchObject({ databaseNumber: 100001 });
    expect(enabled()).toEqual([false, false, true]);
    const asked = over.state().requests.map(({ url, status }) => `${url} ${status ?? 'dropped'}`);
    expect(asked.slice(-3)).toEqual(['/3/companyinformation 401', '/oauth-v1/token 200', '/3/companyinformation 200']);
  } finally {
    await server.close();
  }
});

describe('two instances', () => {
  it('that renew at once ask Fortnox once, and share what comes of it', async () => {
    const sources = await Promise.all(Array.from({ length: 5 }, () => instance()));
    const tokens = await Promise.all(sources.map((source) => source.current()));
    expect(new Set(tokens).size).toBe(1);
    expect(await works(tokens[0] ?? '')).toBe(true);
    expect(refreshes()).toBe(1);
    expect(enabled()).toEqual([false, true]);
  });

  it('see each other’s token although "latest" lags behind', async () => {
    const token = await (await instance()).current();
    manager.versions(SECRET).forEach((version) => (version.enabled = true));
    manager.staleLatest(1);
    expect(await (await instance()).current()).toBe(token);
    expect(refreshes()).toBe(1);
  });

  it('never renew side by side, however often', async () => {
    const sources = await Promise.all(Array.from({ length: 4 }, () => instance()));
    for (let hour = 0; hour < 6; hour += 1) {
      const tokens = await Promise.all(sources.map((source) => source.current()));
      expect(new Set(tokens).size).toBe(1);
      expect(await works(tokens[0] ?? '')).toBe(true);
      nowMs += 60 * MINUTE;
    }
    expect(refreshes()).toBe(6);
    expect(logged).toEqual([]);
  });

  it('wait for each other, and one that waits too long is told to come again', async () => {
    const slow = createTokenLock(db, now);
    await slow.take('another process');
    const source = await instance();
    await expect(source.current()).rejects.toMatchObject({ kind: 'rate_limited' });
    nowMs += MINUTE;
    expect(await works(await source.current())).toBe(true);
  });
});

describe('an instance that sleeps past its lease', () => {
  it('with its question not yet sent finds the other’s token, and asks for no consent', async () => {
    core.state().switches.replayKillsChain = false;
    let wake: () => void = () => undefined;
    let asleep: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const sleeping = new Promise<void>((resolve) => (asleep = resolve));
    const sleeper = await instance({
      async send(what, request) {
        asleep();
        await woken;
        return send(what, request);
      },
    });
    const late = sleeper.current();
    await sleeping;
    nowMs += MINUTE;
    const token = await (await instance()).current();
    wake();
    expect(await late).toBe(token);
    expect(refreshes()).toBe(2);
    expect(logged).toEqual([]);
    expect(await lockDocument()).toMatchObject({ consentNeeded: null, holder: null });
  });
});

describe('an instance that dies', () => {
  /** Plays it until it dies there, and lets another come after its lease. */
  async function after(at: string, before: boolean): Promise<TokenSource> {
    let reached: () => void = () => undefined;
    const dead = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const doomed = await instance({ stop: { at, before, reached } });
    void doomed.current();
    await dead;
    nowMs += MINUTE;
    return instance();
  }

  it.each<[string, boolean]>([
    ['lock.take', true],
    ['lock.take', false],
    ['store.latest', false],
    ['lock.asking', true],
    ['lock.asking', false],
    ['fortnox.send', true],
    ['store.add', false],
    ['lock.stored', true],
    ['lock.stored', false],
    ['store.disable', true],
    ['store.disable', false],
    ['lock.release', true],
    ['lock.release', false],
  ])('at %s (before it: %s) costs nothing', async (at, before) => {
    const next = await after(at, before);
    expect(await works(await next.current())).toBe(true);
    nowMs += 60 * MINUTE;
    expect(await works(await next.current())).toBe(true);
    expect(logged).toEqual([]);
    expect(await lockDocument()).toMatchObject({ asked: null, consentNeeded: null });
  });

  it.each<[string, boolean]>([
    ['fortnox.send', false],
    ['store.add', true],
  ])(
    'at %s (before it: %s) has lost the token: said once and loudly, with the way back, which works',
    async (at, before) => {
      const next = await after(at, before);
      await expect(next.current()).rejects.toMatchObject({
        kind: 'unauthorized',
        message: expect.stringMatching(
          /answer to an earlier renewal was lost.*must consent again.*connectFortnox/,
        ) as unknown,
      });
      expect(logged).toEqual(['fortnox.consent-needed']);
      expect(await lockDocument()).toMatchObject({ holder: null, consentNeeded: { version: 1 } });
      const asked = refreshes();
      await expect((await instance()).current()).rejects.toMatchObject({ kind: 'unauthorized' });
      expect(refreshes()).toBe(asked);

      await (await manager.store(SECRET)).add(consent());
      expect(await works(await next.current())).toBe(true);
      expect(await lockDocument()).toMatchObject({ consentNeeded: null, version: 3 });
    },
  );

  it('with its answer lost on the way, but alive, finds out the same', async () => {
    core.state().faults.push({ id: 1, kind: 'commit_then_drop', path: '/oauth-v1/token', times: 1, delayMs: 0 });
    await expect((await instance()).current()).rejects.toMatchObject({ kind: 'unauthorized' });
    expect(logged).toEqual(['fortnox.consent-needed']);
  });
});

describe('a consent that ended', () => {
  it('is invalid_grant: a person hears of it, and nobody asks again with that token', async () => {
    const { state } = core;
    for (const grant of Object.values(state().grants)) grant.alive = false;
    const source = await instance();
    await expect(source.current()).rejects.toMatchObject({
      kind: 'unauthorized',
      message: expect.stringMatching(/revoked.*must consent again/) as unknown,
    });
    await expect(source.current()).rejects.toMatchObject({ kind: 'unauthorized' });
    expect(refreshes()).toBe(1);
  });

  it('after 45 days without a renewal', async () => {
    const source = await instance();
    await source.current();
    nowMs += 45 * 24 * 60 * MINUTE;
    await expect(source.current()).rejects.toMatchObject({ kind: 'unauthorized' });
    await (await manager.store(SECRET)).add(consent());
    expect(await works(await source.current())).toBe(true);
  });
});

describe('a token that Secret Manager does not take', () => {
  it('is kept in memory, works, and is stored by the next call', async () => {
    manager.fail(':addVersion', 500, 4);
    const source = await instance();
    const token = await source.current();
    expect(await works(token)).toBe(true);
    expect(enabled()).toEqual([true]);
    expect(logged).toEqual(Array.from({ length: 4 }, () => 'fortnox.token-unsaved'));
    expect(await source.current()).toBe(token);
    expect(enabled()).toEqual([false, true]);
    expect(refreshes()).toBe(1);
    expect(await (await instance()).current()).toBe(token);
  });

  it('keeps the others waiting for as long as its lease lasts: they do not ask with the old one', async () => {
    manager.fail(':addVersion', 500, 4);
    const source = await instance();
    const token = await source.current();
    const other = await instance();
    await expect(other.current()).rejects.toMatchObject({ kind: 'rate_limited' });
    expect(refreshes()).toBe(1);
    await source.current();
    expect(await other.current()).toBe(token);
    expect(logged).not.toContain('fortnox.consent-needed');
  });

  it('gives way to a newer consent that a person stored meanwhile', async () => {
    manager.fail(':addVersion', 500, 4);
    const source = await instance();
    await source.current();
    nowMs += 2 * MINUTE;
    await (await manager.store(SECRET)).add(consent());
    const token = await source.current();
    expect(await works(token)).toBe(true);
    expect(logged).toContain('fortnox.token-overtaken');
    expect(enabled()).toEqual([true, false, true]);
  });

  it('comes late, after another instance has given up on it, and mends everything', async () => {
    manager.fail(':addVersion', 500, 4);
    const source = await instance();
    await source.current();
    core.state().switches.replayKillsChain = false;
    nowMs += 2 * MINUTE;
    const other = await instance();
    await expect(other.current()).rejects.toMatchObject({ kind: 'unauthorized' });
    const token = await source.current();
    expect(await other.current()).toBe(token);
    expect(await lockDocument()).toMatchObject({ consentNeeded: null, version: 2 });
  });
});
