import { createHash } from 'node:crypto';
import { json } from './errors.ts';
import type { AccessToken, Answer, CoreRequest, Grant, State } from './types.ts';

const LIFETIME_SECONDS = 3600;
const DAY_MS = 86_400_000;
/** 45 days; 31 in Fortnox's older documentation. */
const REFRESH_LIFETIME_MS = 45 * DAY_MS;

/** Token errors are JSON sent as text/html; a client that trusts the content type cannot read them. */
function tokenError(error: string, description: string): Answer {
  return {
    status: 400,
    headers: { 'content-type': 'text/html; charset=UTF-8' },
    body: JSON.stringify({ error, error_description: description }),
  };
}

function invalidClient(): Answer {
  return {
    status: 401,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: JSON.stringify({ error: 'invalid_client', error_description: 'The client credentials are invalid' }),
  };
}

const invalidRefreshToken = () => tokenError('invalid_grant', 'Invalid refresh token');

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** Opaque and the same in every replay: nobody has to guess it, and nothing here is secret. */
export function opaque(state: State, what: string): string {
  state.tokensIssued += 1;
  return createHash('sha256').update(`${state.client.id} ${what} ${state.tokensIssued}`).digest('hex').slice(0, 40);
}

/** Looks like Fortnox's JWT, tenantId claim included. Its signature is a plain hash: nobody but this emulator reads it. */
function makeToken(state: State, scopes: readonly string[], nowSeconds: number): string {
  const head = base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT' }));
  const claims = base64url(
    JSON.stringify({
      jti: `fortnox-emulator-${state.tokensIssued}`,
      clientId: state.client.id,
      tenantId: state.company.tenantId,
      scope: scopes,
      iat: nowSeconds,
      exp: nowSeconds + LIFETIME_SECONDS,
    }),
  );
  const signature = createHash('sha256').update(`${head}.${claims}`).digest('base64url');
  return `${head}.${claims}.${signature}`;
}

function issueAccess(state: State, grant: string | null, scopes: readonly string[], nowMs: number): object {
  for (const [token, { expiresAtMs }] of Object.entries(state.tokens)) {
    if (expiresAtMs <= nowMs) Reflect.deleteProperty(state.tokens, token);
  }
  state.tokensIssued += 1;
  const token = makeToken(state, scopes, Math.floor(nowMs / 1000));
  state.tokens[token] = {
    clientId: state.client.id,
    tenantId: state.company.tenantId,
    expiresAtMs: nowMs + LIFETIME_SECONDS * 1000,
    scopes,
    grant,
  };
  return { access_token: token, scope: scopes.join(' '), expires_in: LIFETIME_SECONDS, token_type: 'bearer' };
}

/** An access token and the next refresh token of a grant. */
function issuePair(state: State, id: string, grant: Grant, nowMs: number): Answer {
  const refreshToken = opaque(state, 'refresh token');
  state.refreshTokens[refreshToken] = { grant: id, expiresAtMs: nowMs + REFRESH_LIFETIME_MS, used: false };
  return json(200, { ...issueAccess(state, id, grant.scopes, nowMs), refresh_token: refreshToken });
}

/** Ends a consent: its refresh tokens and its access tokens are worth nothing from now on. */
function killGrant(state: State, id: string): void {
  const grant = state.grants[id];
  if (grant !== undefined) grant.alive = false;
  for (const [token, access] of Object.entries(state.tokens)) {
    if (access.grant === id) Reflect.deleteProperty(state.tokens, token);
  }
}

function clientCredentials(state: State, request: CoreRequest, nowMs: number): Answer {
  if (request.headers.tenantid === undefined) return tokenError('invalid_request', 'TenantId header is missing');
  if (state.serviceConsent === null || request.headers.tenantid !== String(state.company.tenantId)) {
    return tokenError('invalid_grant', 'The tenant has not granted access to this client');
  }
  return json(200, issueAccess(state, null, state.serviceConsent.scopes, nowMs));
}

function authorizationCode(state: State, form: URLSearchParams, nowMs: number): Answer {
  const given = form.get('code') ?? '';
  const code = state.codes[given];
  if (code === undefined || nowMs >= code.expiresAtMs || code.redirectUri !== form.get('redirect_uri')) {
    return tokenError('invalid_grant', 'Authorization code does not exist or is invalid for the client');
  }
  Reflect.deleteProperty(state.codes, given);
  const grant = state.grants[code.grant];
  if (!grant?.alive) return tokenError('invalid_grant', 'The consent has been revoked');
  return issuePair(state, code.grant, grant, nowMs);
}

/** Single use: what has been used once is refused, and with the switch `replayKillsChain` takes its successors along. */
function refresh(state: State, form: URLSearchParams, nowMs: number): Answer {
  const known = state.refreshTokens[form.get('refresh_token') ?? ''];
  const grant = known === undefined ? undefined : state.grants[known.grant];
  if (known === undefined || grant === undefined || !grant.alive || nowMs >= known.expiresAtMs) {
    return invalidRefreshToken();
  }
  if (known.used) {
    if (state.switches.replayKillsChain) killGrant(state, known.grant);
    return invalidRefreshToken();
  }
  known.used = true;
  return issuePair(state, known.grant, grant, nowMs);
}

/** What is wrong with a form call to the token host before its grant is looked at; null when nothing is. */
function unacceptable(state: State, request: CoreRequest): Answer | null {
  const credentials = Buffer.from(`${state.client.id}:${state.client.secret}`, 'utf8').toString('base64');
  const [scheme, given] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'basic' || given !== credentials) return invalidClient();
  if ((request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) return null;
  return tokenError('invalid_request', 'The content type must be application/x-www-form-urlencoded');
}

/**
 * `POST /oauth-v1/token`. client_credentials names the tenant in the TenantId header and gets no refresh token;
 * authorization_code and refresh_token each give a pair whose refresh token works once.
 */
export function issueToken(state: State, request: CoreRequest, nowMs: number): Answer {
  const refused = unacceptable(state, request);
  if (refused !== null) return refused;
  const form = new URLSearchParams(request.body);
  const grant = form.get('grant_type');
  switch (grant) {
    case null:
      return tokenError('invalid_request', 'The grant type was not specified in the request');
    case 'client_credentials':
      return clientCredentials(state, request, nowMs);
    case 'authorization_code':
      return authorizationCode(state, form, nowMs);
    case 'refresh_token':
      return refresh(state, form, nowMs);
    default:
      return tokenError('unsupported_grant_type', `Grant type "${grant}" not supported`);
  }
}

/** `POST /oauth-v1/revoke`: the consent behind a refresh token ends. An unknown token is revoked already. */
export function revokeToken(state: State, request: CoreRequest): Answer {
  const refused = unacceptable(state, request);
  if (refused !== null) return refused;
  const form = new URLSearchParams(request.body);
  const hint = form.get('token_type_hint');
  if (hint !== null && hint !== 'refresh_token') {
    return tokenError('unsupported_token_type', 'Only refresh tokens can be revoked');
  }
  const token = form.get('token');
  if (token === null || token === '') return tokenError('invalid_request', 'Missing token parameter to revoke');
  const known = state.refreshTokens[token];
  if (known !== undefined) killGrant(state, known.grant);
  return json(200, { revoked: true });
}

/** The token behind a Bearer header, or null when it is missing, unknown or expired by the emulator's clock. */
export function authenticate(state: State, request: CoreRequest, nowMs: number): AccessToken | null {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined) return null;
  const known = state.tokens[token];
  return known !== undefined && nowMs < known.expiresAtMs ? known : null;
}
