import { badRequest, CODE, json, Refusal } from './errors.ts';
import type { AccessToken, State } from './types.ts';

/** Every scope the emulated app can have. Fortnox has more; asking for one of those is `invalid_scope` here as there. */
export const SCOPES = [
  'bookkeeping',
  'companyinformation',
  'settings',
  'connectfile',
  'inbox',
  'archive',
  'costcenter',
] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * Refuses a call whose token lacks the scope (2000663) or whose company lacks the licence for it (2001101) or for any
 * integration (2001103). Documented as 403, seen as 400: the switch `scopeErrorStatus` decides.
 */
export function requireScope(state: State, token: AccessToken, scope: Scope | null): void {
  if (!state.licences.api) throw refused(state, CODE.noApiLicence, 'Api-licens saknas');
  if (scope === null) return;
  if (!token.scopes.includes(scope)) throw refused(state, CODE.noScope, 'Har inte behörighet för scope.');
  if (state.licences.missing.includes(scope)) {
    throw refused(state, CODE.noLicence, 'Det finns ingen aktiv licens för önskat scope');
  }
}

function refused(state: State, code: number, message: string): Refusal {
  if (state.switches.scopeErrorStatus === 400) return badRequest(code, message);
  return new Refusal(json(403, { ErrorInformation: { Error: 1, Message: message, Code: code } }), message);
}

/** The scopes in a space-separated list, or the first word of it that is none of the app's. */
export function parseScopes(state: State, list: string): { scopes: string[] } | { unknown: string } {
  const words = list.split(' ').filter(Boolean);
  const unknown = words.find((word) => !state.client.scopes.includes(word));
  return unknown === undefined ? { scopes: [...new Set(words)] } : { unknown };
}
