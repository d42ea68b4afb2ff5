import type { OAuth2Client } from 'google-auth-library';
import type { Caller } from './auth.ts';
import { callerOf } from './auth.ts';
import { once, type Context } from './context.ts';
import { Refusal } from './errors.ts';

const badToken = () =>
  new Refusal('unauthenticated', 'token-refused', 'The token is missing, expired or not ours. Sign in and try again.');

/** The token of an `Authorization: Bearer …` header. Throws Refusal when there is none. */
export function bearer(header: string | undefined): string {
  const match = /^Bearer ([^\s]+)$/.exec(header ?? '');
  if (!match?.[1]) throw badToken();
  return match[1];
}

/** The caller of a REST request: a Firebase ID token in the Authorization header. */
export async function callerOfHeader(header: string | undefined): Promise<Caller> {
  const { getAuth } = await import('firebase-admin/auth');
  const token = bearer(header);
  const decoded = await getAuth()
    .verifyIdToken(token)
    .catch(() => {
      throw badToken();
    });
  return callerOf({ uid: decoded.uid, token: decoded });
}

/** What the Admin SDK says of a token that was good when it was given and is not any more. */
const withdrawn = new Set(['auth/id-token-revoked', 'auth/user-disabled', 'auth/user-not-found']);
const refusedCodes = new Set(['auth/argument-error', 'auth/id-token-expired', 'auth/invalid-id-token']);

/**
 * Asks Firebase Auth whether the login still stands: not disabled, not deleted, not signed out everywhere since the token
 * was given. Throws Refusal; `unavailable` when Auth cannot be asked.
 */
export async function requireStanding(idToken: string): Promise<void> {
  const { getAuth } = await import('firebase-admin/auth');
  try {
    await getAuth().verifyIdToken(idToken, true);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (withdrawn.has(code)) {
      throw new Refusal('unauthenticated', 'login-withdrawn', 'This login was disabled or signed out. Sign in again.');
    }
    if (refusedCodes.has(code)) throw badToken();
    throw new Refusal(
      'unavailable',
      'login-not-checked',
      'Your login could not be checked just now. Try again shortly.',
    );
  }
}

/** True when the header `X-Firebase-AppCheck` holds a valid token of one of the project's apps. */
export async function isOurApp(header: string | undefined): Promise<boolean> {
  if (!header) return false;
  const { getAppCheck } = await import('firebase-admin/app-check');
  return getAppCheck()
    .verifyToken(header)
    .then(
      () => true,
      () => false,
    );
}

/** One for the process: it keeps Google's certificates as long as they say. */
const googleVerifier = once(async (): Promise<OAuth2Client> => {
  const { OAuth2Client } = await import('google-auth-library');
  return new OAuth2Client({ transporterOptions: { timeout: 5_000, retry: false } });
});

/**
 * Cloud Scheduler's OIDC token: signed by Google, for one of our own addresses, from the one service account that is
 * configured (SCHEDULER_SERVICE_ACCOUNT). It acts as an administrator on its two routes and nowhere else.
 */
export async function isScheduler(ctx: Context, header: string | undefined, audience: string[]): Promise<boolean> {
  const account = ctx.config.schedulerServiceAccount;
  if (!account || header === undefined) return false;
  try {
    const verifier = await googleVerifier();
    const ticket = await verifier.verifyIdToken({ idToken: bearer(header), audience });
    const payload = ticket.getPayload();
    return payload?.email === account && payload.email_verified === true;
  } catch {
    return false;
  }
}
