import { repeatableRead, withRetries } from './retry.ts';
import { askForTokens, refusedToken } from './token-source.ts';
import type { TokenHttp, Tokens, TokenSource } from './token-source.ts';

/**
 * Access tokens by client credentials (the service account way: nothing rotates, so two instances may fetch at once).
 * Calls that need one at the same time share one fetch.
 */
export function clientCredentials(http: TokenHttp, tenantId: string): TokenSource {
  const what = 'Fetching a Fortnox token';
  let cached: Tokens | null = null;
  let fetching: Promise<string> | null = null;

  async function attempt(): Promise<string> {
    const answer = await askForTokens(http, what, { grant_type: 'client_credentials' }, { TenantId: tenantId });
    if (answer.kind === 'refused') {
      const mend =
        "Check FORTNOX_CLIENT_ID, FORTNOX_CLIENT_SECRET, FORTNOX_TENANT_ID and that the company's consent still stands.";
      throw refusedToken(what, answer, mend);
    }
    cached = answer.tokens;
    return cached.accessToken;
  }

  return {
    async current() {
      if (cached !== null && http.now().getTime() < cached.renewAtMs) return cached.accessToken;
      fetching ??= withRetries(attempt, repeatableRead, http.sleep).finally(() => {
        fetching = null;
      });
      return fetching;
    },
    forget(token) {
      if (cached?.accessToken === token) cached = null;
    },
  };
}
