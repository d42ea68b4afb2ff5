import type { Timestamp } from 'firebase-admin/firestore';

/**
 * `fortnoxConnections/{SHA-256 of the state}`: one attempt of an administrator to connect Fortnox. The state itself is only
 * in the administrator's browser. Clients cannot read it.
 */
export interface Attempt {
  /** The administrator who began it. */
  by: string;
  createdAt: Timestamp;
  /** Set by the callback that used it: a state works once. */
  usedAt?: Timestamp;
  /** TTL. */
  expiresAt: Timestamp;
}

/** As long as Fortnox's own code. */
export const attemptMs = 10 * 60_000;

/** How the callback ended, told to the administrator in the browser. */
export type Ending =
  | { kind: 'connected'; company: string; organizationNumber: string }
  | { kind: 'refused'; reason: string; message: string };

const refused = (reason: string, message: string): Ending => ({ kind: 'refused', reason, message });

/** What is wrong with a state that came back; undefined when it is good. */
export function attemptProblem(attempt: Attempt | undefined, now: Date): Ending | undefined {
  if (!attempt) return refused('state-unknown', 'This page was not opened from here. Begin anew with connectFortnox.');
  if (attempt.usedAt) return refused('state-used', 'This consent was already taken up. Begin anew to connect again.');
  if (attempt.expiresAt.toMillis() > now.getTime()) return undefined;
  return refused('state-expired', 'More than ten minutes have passed. Begin anew with connectFortnox.');
}

/** Fortnox's own names for why there is no code. */
const fortnoxSays: Readonly<Record<string, string>> = {
  access_denied: 'The consent was declined in Fortnox. Nothing has changed.',
  error_missing_system_admin_right:
    'Only a system administrator of the company in Fortnox can consent. Log in there as one and begin anew.',
  error_missing_license:
    'The company lacks a licence in Fortnox (bookkeeping and an integration licence are needed). Order it there and begin anew.',
  invalid_scope: 'The app in Fortnox’s developer portal lacks a scope that is asked for. Add it there and begin anew.',
};

export const refusedByFortnox = (error: string): Ending =>
  refused(
    'fortnox-refused',
    fortnoxSays[error] ??
      'Fortnox gave no consent and a reason that is not known here. Look at its log and begin anew.',
  );

export const otherCompany = (known: string, { name, id }: { name: string; id: string }): Ending =>
  refused(
    'company-differs',
    `${name} (${id}) is another company than the one these books are kept in (${known}). Nothing was changed. If the books shall move, set FORTNOX_TENANT_ID to ${id} and deploy.`,
  );

export const notKept: Ending = refused(
  'not-kept',
  'Fortnox has the consent, but it could not be kept here: the log says why (fortnox.not-connected). Begin anew with connectFortnox.',
);

export const notTakenUp = (message: string): Ending => refused('not-taken-up', message);
