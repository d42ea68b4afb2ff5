import { watchFortnox } from '../contract-coverage.ts';
import { createFortnoxCore, FORTNOX_EMULATOR_DEFAULTS } from './index.ts';
import type { CoreReply, FortnoxCore } from './index.ts';

/** Consent, both token flows, scopes and licences, in-process with a clock that is passed in. */

const { clientId, clientSecret, tenantId } = FORTNOX_EMULATOR_DEFAULTS;
const CALLBACK = 'http://127.0.0.1:5001/callback';
const FORM = 'application/x-www-form-urlencoded';
const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
const DAY = 86_400_000;

type Answered = Extract<CoreReply, { kind: 'answer' }>;
type Pair = { access_token: string; refresh_token?: string; scope: string; expires_in: number; error?: string };

let core: FortnoxCore;
let now: number;

beforeEach(() => {
  now = Date.parse('2026-11-20T08:00:00Z');
  core = watchFortnox(createFortnoxCore({ clock: () => now }));
});

function call(method: string, url: string, headers: Record<string, string> = {}, body = ''): Answered {
  const reply = core.handle({ method, url, headers, body, origin: 'http://fortnox' });
  if (reply.kind === 'drop') throw new Error('dropped');
  return reply;
}

function set(state: Record<string, unknown>): void {
  expect(call('POST', '/_emulator/state', {}, JSON.stringify(state)).status).toBe(200);
}

const consentUrl = (changes: Record<string, string> = {}, without: string[] = []) => {
  const parameters = new URLSearchParams({
    client_id: clientId,
    redirect_uri: CALLBACK,
    scope: 'bookkeeping companyinformation',
    state: 'a b&c',
    access_type: 'offline',
    response_type: 'code',
    account_type: 'service',
    ...changes,
  });
  for (const name of without) parameters.delete(name);
  return parameters;
};

/** What the browser is sent to after a click. */
function click(decision: 'approve' | 'deny', parameters = consentUrl(), user = 'administrator'): URL {
  const body = new URLSearchParams([...parameters, ['user', user], ['decision', decision]]).toString();
  const { status, headers } = call('POST', '/oauth-v1/auth', { 'content-type': FORM }, body);
  expect(status).toBe(302);
  return new URL(headers.location ?? '');
}

function token(body: Record<string, string>, headers: Record<string, string> = {}): Answered & { pair: Pair } {
  const given = { authorization: basic, 'content-type': FORM, ...headers };
  const answer = call('POST', '/oauth-v1/token', given, new URLSearchParams(body).toString());
  return { ...answer, pair: JSON.parse(answer.body) as Pair };
}

const code = () => click('approve').searchParams.get('code') ?? '';
const exchange = (given: string, redirectUri = CALLBACK) =>
  token({ grant_type: 'authorization_code', code: given, redirect_uri: redirectUri });
const refresh = (given = '') => token({ grant_type: 'refresh_token', refresh_token: given });
const read = (path: string, given: string) => call('GET', path, { authorization: `Bearer ${given}` });

describe('the consent page', () => {
  it('shows who asks for what, and keeps what was asked in its form', () => {
    const { status, headers, body } = call('GET', `/oauth-v1/auth?${consentUrl().toString()}`);
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch('text/html');
    expect(body).toContain('<li>bookkeeping</li><li>companyinformation</li>');
    expect(body).toContain('value="a b&#38;c"');
    expect(body).toMatch(/<button id="approve" name="decision" value="approve">/);
  });

  it('writes nothing of the address into the page unescaped', () => {
    const evil = consentUrl({ state: '"><script>alert(1)</script>' });
    expect(call('GET', `/oauth-v1/auth?${evil.toString()}`).body).not.toContain('<script>');
  });

  it('sends a code and the state back to where it was asked to', () => {
    const url = click('approve');
    expect(`${url.origin}${url.pathname}`).toBe(CALLBACK);
    expect(url.searchParams.get('state')).toBe('a b&c');
    expect(url.searchParams.get('code')).toMatch(/^[0-9a-f]{40}$/);
  });

  it.each<[string, Record<string, string>, string[], string]>([
    ['a scope the app has not', { scope: 'bookkeeping salary' }, [], 'invalid_scope'],
    ['no scope', {}, ['scope'], 'invalid_scope'],
    ['another response type', { response_type: 'token' }, [], 'unsupported_response_type'],
    ['no offline access', {}, ['access_type'], 'invalid_request'],
    ['another account type', { account_type: 'user' }, [], 'invalid_request'],
  ])('answers %s before anybody logs in', (_what, changes, without, error) => {
    const { status, headers } = call('GET', `/oauth-v1/auth?${consentUrl(changes, without).toString()}`);
    expect(status).toBe(302);
    const url = new URL(headers.location ?? '');
    expect(url.searchParams.get('error')).toBe(error);
    expect(url.searchParams.get('state')).toBe('a b&c');
  });

  it.each<[string, Record<string, string>]>([
    ['an unknown app', { client_id: 'x' }],
    ['an address that is none', { redirect_uri: 'nowhere' }],
    ['an address that runs', { redirect_uri: 'javascript:alert(1)' }],
    ['an address that is not registered', { redirect_uri: 'http://127.0.0.1:5001/other' }],
  ])('sends nobody back for %s', (_what, changes) => {
    set({ app: { redirectUris: [CALLBACK] } });
    const { status, headers } = call('GET', `/oauth-v1/auth?${consentUrl(changes).toString()}`);
    expect(status).toBe(400);
    expect(headers.location).toBeUndefined();
  });

  it('is refused by a person, by one who may not, and for a company without the licence', () => {
    expect(click('deny').searchParams.get('error')).toBe('access_denied');
    expect(click('approve', consentUrl(), 'user').searchParams.get('error')).toBe('error_missing_system_admin_right');
    expect(click('approve', consentUrl({}, ['account_type']), 'user').searchParams.get('code')).not.toBeNull();
    set({ licences: { missing: ['bookkeeping'] } });
    expect(click('approve').searchParams.get('error')).toBe('error_missing_license');
    set({ licences: { missing: [], api: false } });
    expect(click('approve').searchParams.get('error')).toBe('error_missing_license');
  });
});

describe('the authorization code', () => {
  it('gives a pair of tokens for an hour, with the scopes that were consented to', () => {
    const { status, pair } = exchange(code());
    expect(status).toBe(200);
    expect(pair).toMatchObject({ scope: 'bookkeeping companyinformation', expires_in: 3600, token_type: 'bearer' });
    expect(pair.refresh_token).toMatch(/^[0-9a-f]{40}$/);
    expect(read('/3/companyinformation', pair.access_token).status).toBe(200);
  });

  it('works once, for ten minutes, for the address it was given to', () => {
    const once = code();
    expect(exchange(once, 'http://127.0.0.1:5001/other').pair.error).toBe('invalid_grant');
    expect(exchange(once).status).toBe(200);
    expect(exchange(once).pair.error).toBe('invalid_grant');
    const late = code();
    now += 10 * 60_000;
    expect(exchange(late).pair.error).toBe('invalid_grant');
  });
});

describe('the refresh token', () => {
  it('gives the next pair and works once; used again it is invalid_grant, and its successors live', () => {
    const first = exchange(code()).pair.refresh_token;
    const second = refresh(first).pair;
    const replay = refresh(first);
    expect(replay).toMatchObject({ status: 400, headers: { 'content-type': 'text/html; charset=UTF-8' } });
    expect(replay.body).toBe('{"error":"invalid_grant","error_description":"Invalid refresh token"}');
    expect(refresh(second.refresh_token).status).toBe(200);
  });

  it('used again takes its whole consent along where the switch says so', () => {
    set({ switches: { replayKillsChain: true } });
    const first = exchange(code()).pair.refresh_token;
    const second = refresh(first).pair;
    expect(refresh(first).pair.error).toBe('invalid_grant');
    expect(refresh(second.refresh_token).pair.error).toBe('invalid_grant');
    expect(read('/3/companyinformation', second.access_token).status).toBe(401);
  });

  it('lives 45 days', () => {
    const { refresh_token: early } = exchange(code()).pair;
    const { refresh_token: late } = exchange(code()).pair;
    now += 45 * DAY - 1;
    expect(refresh(early).status).toBe(200);
    now += 1;
    expect(refresh(late).pair.error).toBe('invalid_grant');
  });

  it('is revoked with all that came of it; one that nobody knows is revoked already', () => {
    const { refresh_token: given = '', access_token: access } = exchange(code()).pair;
    const headers = { authorization: basic, 'content-type': FORM };
    const revoke = (body: string, more = {}) => call('POST', '/oauth-v1/revoke', { ...headers, ...more }, body);
    expect(revoke(`token_type_hint=refresh_token&token=${given}`)).toMatchObject({
      status: 200,
      body: '{"revoked":true}',
    });
    expect(refresh(given).pair.error).toBe('invalid_grant');
    expect(read('/3/companyinformation', access).status).toBe(401);
    expect(revoke('token=unknown').status).toBe(200);
    expect(revoke('').status).toBe(400);
    expect(revoke(`token_type_hint=access_token&token=${given}`).status).toBe(400);
    expect(revoke(`token=${given}`, { authorization: 'Basic eDp5' }).status).toBe(401);
  });
});

describe('client credentials', () => {
  const ask = () => token({ grant_type: 'client_credentials' }, { tenantid: String(tenantId) });

  it('need a consent for a service account, and have its scopes', () => {
    set({ serviceConsent: null });
    expect(ask().pair.error).toBe('invalid_grant');
    exchange(click('approve', consentUrl({}, ['account_type'])).searchParams.get('code') ?? '');
    expect(ask().pair.error).toBe('invalid_grant');
    click('approve');
    expect(ask().pair).toMatchObject({ scope: 'bookkeeping companyinformation' });
    expect(ask().pair.refresh_token).toBeUndefined();
  });
});

describe('scopes and licences', () => {
  const access = (scopes: string[]) => {
    set({ serviceConsent: scopes });
    return token({ grant_type: 'client_credentials' }, { tenantid: String(tenantId) }).pair.access_token;
  };

  it.each([
    ['/3/accounts', 'bookkeeping'],
    ['/3/vouchers', 'bookkeeping'],
    ['/3/voucherseries', 'bookkeeping'],
    ['/3/financialyears', 'bookkeeping'],
    ['/3/sie/4', 'bookkeeping'],
    ['/3/companyinformation', 'companyinformation'],
    ['/3/settings/company', 'settings'],
    ['/3/settings/lockedperiod', 'settings'],
    ['/3/predefinedaccounts', 'settings'],
    ['/3/costcenters', 'costcenter'],
    ['/3/voucherfileconnections', 'connectfile'],
  ])('%s needs %s', (path, scope) => {
    expect(read(path, access([scope])).status).toBe(200);
    const refused = read(path, access(['archive']));
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toEqual({
      ErrorInformation: { Error: 1, Message: 'Har inte behörighet för scope.', Code: 2000663 },
    });
    expect(read('/3/me', access(['archive'])).status).toBe(200);
  });

  it('a missing scope is a 400 where the switch says so', () => {
    set({ switches: { scopeErrorStatus: 400 } });
    const refused = read('/3/accounts', access(['archive']));
    expect(refused.status).toBe(400);
    expect(refused.body).toContain('"code":2000663');
  });

  it('a licence that ran out is named, and so is the one for integrations', () => {
    const given = access(['bookkeeping', 'settings']);
    set({ licences: { missing: ['bookkeeping'] } });
    expect(read('/3/accounts', given).body).toContain('2001101');
    expect(read('/3/settings/company', given).status).toBe(200);
    set({ licences: { api: false } });
    expect(read('/3/settings/company', given).body).toContain('2001103');
  });
});

describe('the control API', () => {
  it.each([
    [{ app: { name: 'x' } }],
    [{ app: { scopes: [1] } }],
    [{ licences: { api: 'no' } }],
    [{ switches: { scopeErrorStatus: 401 } }],
    [{ switches: { replay: true } }],
    [{ costCenters: [{ description: 'x' }] }],
    [{ serviceConsent: 'all' }],
  ])('refuses %j and changes nothing', (state) => {
    const before = JSON.stringify(core.state());
    expect(call('POST', '/_emulator/state', {}, JSON.stringify(state)).status).toBe(400);
    expect(JSON.stringify(core.state())).toBe(before);
  });
});
