import { Refusal } from './errors.ts';

/** Who is asking, from a verified ID token. Roles are custom claims, set by an administrator's tool, never by a client. */
export interface Caller {
  uid: string;
  email?: string;
  name?: string;
  coach: boolean;
  admin: boolean;
}

export type Right = 'anyone signed in' | 'coach' | 'coach or admin' | 'admin';

export interface VerifiedToken {
  uid: string;
  token: { email?: string; name?: string; [claim: string]: unknown };
}

/** Uids become document ids, parts of keys and task names; an imported login with another kind of id is refused loudly. */
const usableUid = /^(?!__.*__$)[A-Za-z0-9_-]{1,128}$/;
const longestEmail = 254;
const longestName = 100;

/** Names are what people typed into their profile: one line, without control characters or marks that reverse text. */
const cleanName = (name: string): string =>
  name
    .toWellFormed()
    .replace(/[\p{Cc}\p{Bidi_Control}]+/gu, ' ')
    .trim()
    .slice(0, longestName)
    .toWellFormed();

export function callerOf(auth: VerifiedToken | undefined): Caller {
  if (!auth?.uid) throw new Refusal('unauthenticated', 'sign-in-required', 'Sign in and try again.');
  if (!usableUid.test(auth.uid)) {
    throw new Refusal(
      'permission-denied',
      'uid-not-usable',
      'This login’s id cannot be used for payments: ids have 1 to 128 letters, digits, _ or -. Contact support.',
    );
  }
  const { email, name } = auth.token;
  return {
    uid: auth.uid,
    ...(typeof email === 'string' && email.length <= longestEmail ? { email } : {}),
    ...(typeof name === 'string' ? { name: cleanName(name) } : {}),
    coach: auth.token.coach === true,
    admin: auth.token.admin === true,
  };
}

export function requireRight(caller: Caller, right: Right): void {
  const { coach, admin } = caller;
  const allowed = {
    'anyone signed in': true,
    coach,
    'coach or admin': coach || admin,
    admin,
  }[right];
  if (!allowed) {
    const [who, reason] =
      right === 'admin' ? (['administrators', 'admin-only'] as const) : (['coaches', 'coach-only'] as const);
    throw new Refusal('permission-denied', reason, `This is for ${who}.`);
  }
}

/** Whose page is asked for: a coach's own, or for an administrator any coach's. Throws Refusal. */
export function coachAsked(caller: Caller, coachId: string | undefined): string {
  if (coachId === undefined || coachId === caller.uid) return caller.uid;
  if (caller.admin) return coachId;
  throw new Refusal('permission-denied', 'not-yours', 'You can see only what is your own.');
}
