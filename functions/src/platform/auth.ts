import { Refusal } from './errors.ts';

/** Who is asking, from a verified ID token. Roles are custom claims, set by an administrator's tool, never by a client. */
export interface Caller {
  uid: string;
  email?: string;
  name?: string;
  coach: boolean;
  admin: boolean;
}

export type Right = 'anyone signed in' | 'coach' | 'admin';

export interface VerifiedToken {
  uid: string;
  token: { email?: string; name?: string; [claim: string]: unknown };
}

export function callerOf(auth: VerifiedToken | undefined): Caller {
  if (!auth?.uid) throw new Refusal('unauthenticated', 'sign-in-required', 'Sign in and try again.');
  return {
    uid: auth.uid,
    ...(auth.token.email ? { email: auth.token.email } : {}),
    ...(typeof auth.token.name === 'string' ? { name: auth.token.name } : {}),
    coach: auth.token.coach === true,
    admin: auth.token.admin === true,
  };
}

export function requireRight(caller: Caller, right: Right): void {
  const allowed =
    right === 'anyone signed in' || (right === 'coach' && caller.coach) || (right === 'admin' && caller.admin);
  if (!allowed) {
    throw new Refusal(
      'permission-denied',
      `${right}-only`,
      `This is for ${right === 'admin' ? 'administrators' : 'coaches'}.`,
    );
  }
}
