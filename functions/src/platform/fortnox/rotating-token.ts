import { randomUUID } from 'node:crypto';
import { messageOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { SecretStore } from '../secrets/secret-store.ts';
import { FortnoxError } from './errors.ts';
import { goodTokens, readTokens, writeTokens, type StoredTokens } from './stored-tokens.ts';
import { LEASE_MS, type Lease, type TokenLock } from './token-lock.ts';
import * as logs from './token.logs.ts';
import { askForTokens, refusedToken, type TokenHttp, type Tokens, type TokenSource } from './token-source.ts';

export interface RotatingSettings {
  /** The secret `fortnox-refresh-token`. */
  store: SecretStore;
  lock: TokenLock;
  log: Log;
}

const what = 'Renewing the Fortnox token';
const WAITS_MS = [1000, 2000, 4000];
const POLL_MS = 500;
/** A function must answer in time: one that waits longer for another instance is tried again by its caller. */
const LONGEST_WAIT_MS = 20_000;
/** Rounds of "somebody was faster, look again"; more means that something else is wrong. */
const MAX_ROUNDS = 5;

const wayBack =
  'A Fortnox system administrator must consent again: connectFortnox gives the page. What waits for Fortnox goes on by itself then.';

/** A refresh token that Fortnox has given and Secret Manager has not yet taken. */
interface Unsaved {
  basedOn: number;
  tokens: Tokens & { refreshToken: string };
  /** Until then the lease was ours for sure, so nobody can have stored anything newer. */
  oursUntilMs: number;
}

/**
 * Access tokens by a refresh token that works once. It lives in Secret Manager, read at run time, with the access token that
 * came with it, so that other instances share both. One instance at a time may use it (`locks/fortnox-token`), and the new
 * one is stored before the old is given up. Where the code can stop in between, and what follows:
 *
 * - before Fortnox is asked: nothing has happened; the lease runs out and the next one asks.
 * - between asking and the stored version: Fortnox may have used the token up. The next one asks with it anyway. Either
 *   Fortnox never heard of it, and all is well, or it refuses, and a person must consent again: said loudly, with the way.
 * - after the version is stored: the next one finds it. At worst the old version stays enabled; its token is used up.
 *
 * Errors are FortnoxErrors: `unauthorized` needs a person; `rate_limited` and `unknown` can be tried again later.
 */
export function rotatingRefreshToken(http: TokenHttp, settings: RotatingSettings): TokenSource {
  const { store, lock, log } = settings;
  const me = randomUUID();
  let cached: Pick<Tokens, 'accessToken' | 'renewAtMs'> | null = null;
  let unsaved: Unsaved | null = null;
  let refused: string | null = null;
  let renewing: Promise<string> | null = null;

  const nowMs = () => http.now().getTime();
  const good = (stored: StoredTokens | null) => goodTokens(stored, nowMs(), refused);

  function keep(tokens: Pick<Tokens, 'accessToken' | 'renewAtMs'>): string {
    cached = tokens;
    return tokens.accessToken;
  }

  /** "latest" may lag behind what another instance has just stored; the lock knows that one's number. */
  async function newest(): Promise<StoredTokens | null> {
    const [{ version: known }, latest] = await Promise.all([lock.read(), store.latest()]);
    if (latest !== null && latest.number >= known) return readTokens(latest);
    const version = known > 0 ? await store.version(known) : null;
    return version !== null ? readTokens(version) : latest && readTokens(latest);
  }

  async function renew(): Promise<string> {
    let waitedMs = 0;
    for (let round = 0; round < MAX_ROUNDS;) {
      const found = unsaved === null ? good(await newest()) : null;
      if (found !== null) return keep(found);
      const lease = await lock.take(me);
      if (lease === null) {
        if (waitedMs >= LONGEST_WAIT_MS) throw busy();
        await http.sleep(POLL_MS);
        waitedMs += POLL_MS;
        continue;
      }
      const token = await refreshUnder(lease);
      if (token !== null) return token;
      round += 1;
    }
    throw busy();
  }

  /** null: somebody else has been at it; look again. */
  async function refreshUnder(lease: Lease): Promise<string | null> {
    try {
      if (unsaved !== null) return await save(unsaved);
      const stored = await newest();
      if (stored === null) throw consentError('no refresh token is stored, or its newest version is disabled');
      const found = good(stored);
      if (found !== null) return keep(found);
      const { consentNeeded } = lease.found;
      if (consentNeeded?.version === stored.version) throw consentError(consentNeeded.reason);
      const tokens = await ask(lease, stored);
      if (tokens === null) return null;
      unsaved = { basedOn: stored.version, tokens, oursUntilMs: nowMs() + LEASE_MS / 2 };
      return await save(unsaved);
    } finally {
      // While the new token is nowhere but here, others had better wait than ask with the old one.
      if (unsaved === null) await tidy('release', 0, () => lock.release(lease.fence));
    }
  }

  /** Asks until Fortnox decides. A token whose answer was lost is sent again: if it was used up, it is lost anyway. */
  async function ask(lease: Lease, stored: StoredTokens): Promise<(Tokens & { refreshToken: string }) | null> {
    let lost = lease.found.asked?.version === stored.version;
    for (let attempt = 0; ; attempt += 1) {
      if (!(await lock.asking(lease.fence, stored.version))) return null;
      try {
        const body = { grant_type: 'refresh_token', refresh_token: stored.refreshToken };
        const answer = await askForTokens(http, what, body);
        if (answer.kind === 'tokens') return withRefreshToken(answer.tokens);
        if (answer.error === 'invalid_grant') return await notTaken(stored, answer.reason, lost);
        await lock.notAsked(lease.fence);
        throw refusedToken(what, answer, 'Check FORTNOX_CLIENT_ID and FORTNOX_CLIENT_SECRET.');
      } catch (error) {
        const waitMs = WAITS_MS[attempt];
        if (!(error instanceof FortnoxError) || error.kind === 'unauthorized') throw error;
        if (error.kind === 'unknown') lost = true;
        else if (!lost) await lock.notAsked(lease.fence);
        if (waitMs === undefined) throw error;
        await http.sleep(waitMs);
      }
    }
  }

  /** invalid_grant: either another instance was faster, or the chain is broken. */
  async function notTaken(stored: StoredTokens, told: string, lost: boolean): Promise<null> {
    const later = await newest();
    if (later !== null && later.version > stored.version) return null;
    const why = lost
      ? `Fortnox's answer to an earlier renewal was lost, and with it the next token (${told})`
      : `the token was revoked, is older than 45 days, or was used elsewhere (${told})`;
    await lock.consentNeeded(stored.version, why);
    logs.consentNeeded(log, stored.version, why);
    throw consentError(why);
  }

  /** Stores what Fortnox gave before anything else happens; null when a newer version is there, which then counts. */
  async function save({ basedOn, tokens, oursUntilMs }: Unsaved): Promise<string | null> {
    if (nowMs() >= oursUntilMs) {
      const later = await newest();
      if (later !== null && later.version > basedOn) {
        logs.overtaken(log, basedOn, later.version);
        unsaved = null;
        return null;
      }
    }
    const version = await added(writeTokens(tokens));
    // It stays in memory and every call tries again; the access token works meanwhile.
    if (version === null) return keep(tokens);
    unsaved = null;
    logs.refreshed(log, version);
    await tidy('note', version, () => lock.stored(version));
    await tidy('disable', basedOn, () => store.disable(basedOn));
    return keep(tokens);
  }

  async function added(value: string): Promise<number | null> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await store.add(value);
      } catch (error) {
        logs.unsaved(log, messageOf(error));
        const waitMs = WAITS_MS[attempt];
        if (waitMs === undefined) return null;
        await http.sleep(waitMs);
      }
    }
  }

  /** A step whose failure loses nothing. */
  async function tidy(step: string, version: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      logs.untidy(log, step, version, messageOf(error));
    }
  }

  /** Everything that goes wrong in Secret Manager or Firestore leaves as what the client promises to throw. */
  async function current(): Promise<string> {
    if (cached !== null && unsaved === null && nowMs() < cached.renewAtMs) return cached.accessToken;
    renewing ??= renew()
      .catch((error: unknown) => {
        // The access token is as good as ever while its refresh token waits to be stored.
        if (unsaved !== null && cached !== null && nowMs() < cached.renewAtMs) return cached.accessToken;
        if (error instanceof FortnoxError) throw error;
        throw new FortnoxError(`${what}: ${messageOf(error)}`, { kind: 'unknown' });
      })
      .finally(() => {
        renewing = null;
      });
    return renewing;
  }

  return {
    current,
    forget(token) {
      refused = token;
      if (cached?.accessToken === token) cached = null;
    },
  };
}

/** Stores what a consent gave as the newest version, from which every instance goes on. */
export const keepRefreshToken =
  (store: SecretStore, lock: TokenLock) =>
  async (tokens: Tokens): Promise<void> => {
    await lock.stored(await store.add(writeTokens(withRefreshToken(tokens))));
  };

function withRefreshToken(tokens: Tokens): Tokens & { refreshToken: string } {
  const { refreshToken } = tokens;
  if (refreshToken !== undefined) return { ...tokens, refreshToken };
  throw new FortnoxError(`${what}: Fortnox gave an access token and no new refresh token.`, { kind: 'unknown' });
}

const consentError = (reason: string) =>
  new FortnoxError(`${what} is not possible: ${reason}. ${wayBack}`, { kind: 'unauthorized' });

const busy = () =>
  new FortnoxError(`${what}: another instance is at it. Try again in a minute.`, { kind: 'rate_limited' });
