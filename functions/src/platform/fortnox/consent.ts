import { setTimeout as wait } from 'node:timers/promises';
import { createFortnoxClient, FORTNOX_API_BASE, FORTNOX_TOKEN_BASE, type CompanyInformation } from './client.ts';
import { createSend } from './http.ts';
import { askForTokens, refusedToken, type Tokens } from './token-source.ts';

const TIMEOUT_MS = 20_000;

export interface ConsentConfig {
  apiBase: string;
  /** Where the consent page and `/oauth-v1/token` are; left out: as for the client. */
  tokenBase?: string;
  clientId: string;
  clientSecret: string;
  /** Where Fortnox sends the administrator back to; registered in its developer portal. */
  redirectUri: string;
  /** Whether a service account is asked for: then nothing rotates. */
  service: boolean;
  /** Asking for more than what is used costs the company more licences. */
  scopes: readonly string[];
  /** Stores a refresh token for those who renew by it; left out for a service account, which has none. */
  keep?: (tokens: Tokens) => Promise<void>;
  now: () => Date;
}

/** What a consent gave, and whose it is. */
export interface Consented {
  company: CompanyInformation;
  tokens: Tokens;
}

/** The authorization-code part of Fortnox's OAuth: a page where a system administrator consents, and what its code is worth. */
export interface FortnoxConsent {
  /** Where the administrator goes. `state` comes back with the code. */
  pageUrl(state: string): string;
  /** Turns a code (good once, for ten minutes) into tokens and asks which company they open. Throws FortnoxError. */
  exchange(code: string): Promise<Consented>;
  /** Keeps what must be kept of it, from then on used by every instance. */
  keep(consented: Consented): Promise<void>;
}

export function createFortnoxConsent(config: ConsentConfig): FortnoxConsent {
  const { apiBase, clientId, clientSecret, redirectUri, service, scopes, now } = config;
  const tokenBase = config.tokenBase ?? (apiBase === FORTNOX_API_BASE ? FORTNOX_TOKEN_BASE : apiBase);
  const send = createSend(TIMEOUT_MS);
  const sleep = (ms: number) => wait(ms);
  const http = { url: `${tokenBase}/oauth-v1/token`, clientId, clientSecret, now, sleep, send };
  return {
    pageUrl(state) {
      const url = new URL(`${tokenBase}/oauth-v1/auth`);
      const asked = {
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: scopes.join(' '),
        state,
        access_type: 'offline',
        response_type: 'code',
        ...(service ? { account_type: 'service' } : {}),
      };
      for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
      return url.href;
    },
    async exchange(code) {
      const what = 'Taking up the consent to Fortnox';
      const answer = await askForTokens(http, what, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
      });
      if (answer.kind === 'refused') throw refusedToken(what, answer, 'Begin anew with connectFortnox.');
      const { accessToken } = answer.tokens;
      const client = createFortnoxClient({
        apiBase,
        clientId,
        clientSecret,
        tenantId: '',
        tokens: () => ({ current: async () => accessToken, forget: () => undefined }),
        now,
      });
      return { company: await client.companyInformation(), tokens: answer.tokens };
    },
    async keep({ tokens }) {
      await config.keep?.(tokens);
    },
  };
}
