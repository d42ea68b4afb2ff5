import { z } from 'zod';
import { FortnoxError } from './errors.ts';
import type { Send } from './http.ts';
import { errorOf, jsonIn, parsed } from './reply.ts';
import { repeatableRead, withRetries } from './retry.ts';
import type { Sleep } from './retry.ts';

/** Renewed this long before it expires, so that no call sets out with a token about to die. */
const MARGIN_MS = 60_000;

const tokenReply = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
const tokenErrorReply = z.object({ error: z.string(), error_description: z.string().optional() });

export type TokenSource = {
  /** A token that is good for at least a minute, from memory or fetched. */
  current(): Promise<string>;
  /** Forgets `token` if it is still the one in memory: a token another call has renewed meanwhile stays. */
  forget(token: string): void;
};

export type TokenSettings = {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenantId: string;
  readonly now: () => Date;
  readonly sleep: Sleep;
  readonly send: Send;
};

/**
 * Access tokens by client credentials (the service account way: nothing rotates, so two instances may fetch at once).
 * Calls that need one at the same time share one fetch.
 */
export function createTokenSource(settings: TokenSettings): TokenSource {
  const { url, clientId, clientSecret, tenantId, now, sleep, send } = settings;
  const what = 'Fetching a Fortnox token';
  let cached: { token: string; renewAtMs: number } | null = null;
  let fetching: Promise<string> | null = null;

  async function attempt(): Promise<string> {
    const askedAtMs = now().getTime();
    const reply = await send(what, {
      method: 'POST',
      url,
      headers: {
        authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`, 'utf8').toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        TenantId: tenantId,
      },
      body: 'grant_type=client_credentials',
    });
    if (reply.status === 400 || reply.status === 401 || reply.status === 403) {
      // JSON as text/html or text/plain; the error's name is what a person needs.
      const refusal = tokenErrorReply.safeParse(jsonIn(reply.text)).data;
      const reason = [refusal?.error, refusal?.error_description].filter(Boolean).join(': ');
      throw new FortnoxError(
        `${what} was refused (${reason || `status ${reply.status}`}). Check FORTNOX_CLIENT_ID, FORTNOX_CLIENT_SECRET, FORTNOX_TENANT_ID and that the company's consent still stands.`,
        { kind: 'unauthorized', status: reply.status, ...(reason === '' ? {} : { fortnoxMessage: reason }) },
      );
    }
    if (reply.status < 200 || reply.status > 299) throw errorOf(what, reply, now());
    const { access_token: token, expires_in: seconds } = parsed(what, tokenReply, reply);
    cached = { token, renewAtMs: askedAtMs + seconds * 1000 - MARGIN_MS };
    return token;
  }

  async function current(): Promise<string> {
    if (cached !== null && now().getTime() < cached.renewAtMs) return cached.token;
    fetching ??= withRetries(attempt, repeatableRead, sleep).finally(() => {
      fetching = null;
    });
    return fetching;
  }

  function forget(token: string): void {
    if (cached?.token === token) cached = null;
  }

  return { current, forget };
}
