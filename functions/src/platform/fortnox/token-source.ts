import { z } from 'zod';
import { FortnoxError } from './errors.ts';
import type { Send } from './http.ts';
import { errorOf, jsonIn, parsed } from './reply.ts';
import type { RawReply } from './reply.ts';
import type { Sleep } from './retry.ts';

/** Where access tokens come from: `clientCredentials` or `rotatingRefreshToken`. */
export type TokenSource = {
  /** A token that is good for at least a minute, from memory or fetched. */
  current(): Promise<string>;
  /** Forgets `token` if it is still the one in memory: a token another call has renewed meanwhile stays. */
  forget(token: string): void;
};

/** What every source needs of the client around it. */
export type TokenHttp = {
  /** Of `/oauth-v1/token`. */
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly now: () => Date;
  readonly sleep: Sleep;
  readonly send: Send;
};

/** Renewed this long before it expires, so that no call sets out with a token about to die. */
export const RENEW_BEFORE_MS = 60_000;

const tokenReply = z.object({
  access_token: z.string().min(1),
  expires_in: z.number().positive(),
  refresh_token: z.string().min(1).optional(),
});
const tokenErrorReply = z.object({ error: z.string(), error_description: z.string().optional() });

export type Tokens = {
  readonly accessToken: string;
  readonly renewAtMs: number;
  readonly refreshToken: string | undefined;
};

/** What a token call ended in: tokens, or Fortnox's own name for why not. */
export type TokenAnswer =
  | { readonly kind: 'tokens'; readonly tokens: Tokens }
  | { readonly kind: 'refused'; readonly status: number; readonly error: string; readonly reason: string };

/** One call to the token host. Rejects with a FortnoxError (`unknown`, `rate_limited`) when Fortnox did not decide. */
export async function askForTokens(
  http: TokenHttp,
  what: string,
  body: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<TokenAnswer> {
  const askedAtMs = http.now().getTime();
  const reply = await http.send(what, {
    method: 'POST',
    url: http.url,
    headers: {
      authorization: `Basic ${Buffer.from(`${http.clientId}:${http.clientSecret}`, 'utf8').toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...headers,
    },
    body: new URLSearchParams(body).toString(),
  });
  if (reply.status === 400 || reply.status === 401 || reply.status === 403) return refusal(reply);
  if (reply.status < 200 || reply.status > 299) throw errorOf(what, reply, http.now());
  const { access_token, expires_in, refresh_token } = parsed(what, tokenReply, reply);
  const renewAtMs = askedAtMs + expires_in * 1000 - RENEW_BEFORE_MS;
  return { kind: 'tokens', tokens: { accessToken: access_token, renewAtMs, refreshToken: refresh_token } };
}

/** JSON as text/html or text/plain; the error's name is what a person needs. */
function refusal({ status, text }: RawReply): TokenAnswer {
  const told = tokenErrorReply.safeParse(jsonIn(text)).data;
  const reason = [told?.error, told?.error_description].filter(Boolean).join(': ');
  return { kind: 'refused', status, error: told?.error ?? '', reason };
}

/** The error for a refusal that only a person can mend. */
export function refusedToken(what: string, { status, reason }: { status: number; reason: string }, mend: string) {
  return new FortnoxError(`${what} was refused (${reason || `status ${status}`}). ${mend}`, {
    kind: 'unauthorized',
    status,
    ...(reason === '' ? {} : { fortnoxMessage: reason }),
  });
}
