import { createHash } from 'node:crypto';
import { json } from './errors.ts';
import type { AccessToken, Answer, CoreRequest, State } from './types.ts';

const LIFETIME_SECONDS = 3600;
const SCOPE = 'bookkeeping companyinformation settings';

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

function base64url(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url');
}

/** Looks like Fortnox's JWT, tenantId claim included. Its signature is a plain hash: nobody but this emulator reads it. */
function makeToken(state: State, nowSeconds: number): string {
  const head = base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT' }));
  const claims = base64url(
    JSON.stringify({
      jti: `fortnox-emulator-${state.tokensIssued}`,
      clientId: state.client.id,
      tenantId: state.company.tenantId,
      scope: SCOPE.split(' '),
      iat: nowSeconds,
      exp: nowSeconds + LIFETIME_SECONDS,
    }),
  );
  const signature = createHash('sha256').update(`${head}.${claims}`).digest('base64url');
  return `${head}.${claims}.${signature}`;
}

/** `POST /oauth-v1/token`, grant client_credentials: the tenant is named by the TenantId header, no refresh token comes back. */
export function issueToken(state: State, request: CoreRequest, nowMs: number): Answer {
  const credentials = Buffer.from(`${state.client.id}:${state.client.secret}`, 'utf8').toString('base64');
  const [scheme, given] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'basic' || given !== credentials) return invalidClient();
  if (!(request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')) {
    return tokenError('invalid_request', 'The content type must be application/x-www-form-urlencoded');
  }
  const grant = new URLSearchParams(request.body).get('grant_type');
  if (grant === null) return tokenError('invalid_request', 'The grant type was not specified in the request');
  if (grant !== 'client_credentials') {
    return tokenError('unsupported_grant_type', `Grant type "${grant}" not supported`);
  }
  if (request.headers.tenantid === undefined) return tokenError('invalid_request', 'TenantId header is missing');
  if (request.headers.tenantid !== String(state.company.tenantId)) {
    return tokenError('invalid_grant', 'The tenant has not granted access to this client');
  }
  for (const [token, { expiresAtMs }] of Object.entries(state.tokens)) {
    if (expiresAtMs <= nowMs) Reflect.deleteProperty(state.tokens, token);
  }
  state.tokensIssued += 1;
  const token = makeToken(state, Math.floor(nowMs / 1000));
  state.tokens[token] = {
    clientId: state.client.id,
    tenantId: state.company.tenantId,
    expiresAtMs: nowMs + LIFETIME_SECONDS * 1000,
  };
  return json(200, { access_token: token, scope: SCOPE, expires_in: LIFETIME_SECONDS, token_type: 'bearer' });
}

/** The token behind a Bearer header, or null when it is missing, unknown or expired by the emulator's clock. */
export function authenticate(state: State, request: CoreRequest, nowMs: number): AccessToken | null {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined) return null;
  const known = state.tokens[token];
  return known !== undefined && nowMs < known.expiresAtMs ? known : null;
}
