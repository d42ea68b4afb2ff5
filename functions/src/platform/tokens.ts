import type { Caller } from './auth.ts';
import { callerOf } from './auth.ts';
import type { Context } from './context.ts';
import { Refusal } from './errors.ts';

const badToken = () =>
  new Refusal('unauthenticated', 'token-refused', 'The token is missing, expired or not ours. Sign in and try again.');

function bearer(header: string | undefined): string {
  const match = /^Bearer ([^\s]+)$/.exec(header ?? '');
  if (!match?.[1]) throw badToken();
  return match[1];
}

/** The caller of a REST request: a Firebase ID token in the Authorization header. */
export async function callerOfHeader(header: string | undefined): Promise<Caller> {
  const { getAuth } = await import('firebase-admin/auth');
  const token = bearer(header);
  try {
    const decoded = await getAuth().verifyIdToken(token);
    return callerOf({ uid: decoded.uid, token: decoded });
  } catch {
    throw badToken();
  }
}

/**
 * Cloud Scheduler's OIDC token: signed by Google, for this address, from the one service account that is configured
 * (SCHEDULER_SERVICE_ACCOUNT). It acts as an administrator here and nowhere else.
 */
export async function isScheduler(ctx: Context, header: string | undefined, audience: string): Promise<boolean> {
  const account = ctx.config.schedulerServiceAccount;
  if (!account) return false;
  const { OAuth2Client } = await import('google-auth-library');
  try {
    const ticket = await new OAuth2Client().verifyIdToken({ idToken: bearer(header), audience });
    const payload = ticket.getPayload();
    return payload?.email === account && payload.email_verified === true;
  } catch {
    return false;
  }
}
