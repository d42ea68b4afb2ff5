import { opaque } from './oauth.ts';
import { parseScopes } from './scopes.ts';
import type { Answer, CoreRequest, State } from './types.ts';

const CODE_LIFETIME_MS = 10 * 60_000;

/** What a consent asks for, checked; or what to show or where to send the browser instead. */
type Asked =
  | {
      readonly kind: 'ask';
      readonly redirectUri: string;
      readonly state: string | null;
      readonly scopes: readonly string[];
      readonly service: boolean;
    }
  | { readonly kind: 'stop'; readonly answer: Answer };

function page(status: number, title: string, content: string): Answer {
  const style =
    'body{font:16px/1.5 system-ui;max-width:32rem;margin:3rem auto;padding:0 1rem}button{font:inherit;margin:.5rem .5rem .5rem 0}';
  return {
    status,
    headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    body: `<!DOCTYPE html><html lang="sv"><head><meta charset="utf-8"><title>${title}</title><style>${style}</style></head><body><h1>${title}</h1>${content}</body></html>`,
  };
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Nowhere to send the browser: the address to return to is unknown, or not one the app has registered. */
function dead(message: string): Asked {
  return { kind: 'stop', answer: page(400, 'Fortnox: fel', `<p id="error">${escaped(message)}</p>`) };
}

function redirect(uri: string, parameters: Readonly<Record<string, string | null>>): Answer {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(parameters)) if (value !== null) url.searchParams.set(name, value);
  return { status: 302, headers: { location: url.href, 'cache-control': 'no-store' }, body: '' };
}

function asked(state: State, given: URLSearchParams): Asked {
  const redirectUri = given.get('redirect_uri') ?? '';
  if (given.get('client_id') !== state.client.id) return dead('invalid_client: The client id is unknown');
  if (!URL.canParse(redirectUri) || !/^https?:$/.test(new URL(redirectUri).protocol)) {
    return dead('redirect_uri_mismatch: redirect_uri is missing or no address');
  }
  const { redirectUris } = state.client;
  if (redirectUris.length > 0 && !redirectUris.includes(redirectUri)) {
    return dead('redirect_uri_mismatch: The redirect URI is not the one of the app');
  }
  const returned = given.get('state');
  const fail = (error: string, description: string): Asked => ({
    kind: 'stop',
    answer: redirect(redirectUri, { error, error_description: description, state: returned }),
  });
  if (given.get('response_type') !== 'code') return fail('unsupported_response_type', 'response_type must be code');
  if (given.get('access_type') !== 'offline') return fail('invalid_request', 'access_type must be offline');
  const accountType = given.get('account_type');
  if (accountType !== null && accountType !== 'service') return fail('invalid_request', 'account_type must be service');
  const wanted = parseScopes(state, given.get('scope') ?? '');
  // Before anybody logs in: an app that asks for what it may not have finds out at once.
  if ('unknown' in wanted) return fail('invalid_scope', `An unsupported scope was requested: ${wanted.unknown}`);
  if (wanted.scopes.length === 0) return fail('invalid_scope', 'No scope was requested');
  return { kind: 'ask', redirectUri, state: returned, scopes: wanted.scopes, service: accountType === 'service' };
}

/** `GET /oauth-v1/auth`: who logs in, and the two buttons. Everything asked travels in the form, so the page keeps nothing. */
export function consentPage(state: State, query: URLSearchParams): Answer {
  const ask = asked(state, query);
  if (ask.kind === 'stop') return ask.answer;
  const hidden = [...query]
    .map(([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`)
    .join('');
  const scopes = ask.scopes.map((scope) => `<li>${escaped(scope)}</li>`).join('');
  const as = ask.service ? ' som servicekonto' : '';
  return page(
    200,
    'Godkänn integrationen',
    `<p><b>${escaped(state.client.id)}</b> vill få åtkomst till <b>${escaped(state.company.name)}</b>${as}:</p><ul id="scopes">${scopes}</ul>
<form method="post" action="/oauth-v1/auth">${hidden}
<p><label>Inloggad som <select name="user"><option value="administrator">systemadministratör</option><option value="user">användare</option></select></label></p>
<button id="approve" name="decision" value="approve">Godkänn</button><button id="deny" name="decision" value="deny">Avbryt</button></form>`,
  );
}

function decide(state: State, ask: Extract<Asked, { kind: 'ask' }>, form: URLSearchParams, nowMs: number): Answer {
  const back = (parameters: Record<string, string>) => redirect(ask.redirectUri, { ...parameters, state: ask.state });
  if (form.get('decision') !== 'approve') {
    return back({ error: 'access_denied', error_description: 'The user denied access to your application' });
  }
  if (ask.service && form.get('user') !== 'administrator') {
    const description = 'Only a system administrator can grant access to a service account';
    return back({ error: 'error_missing_system_admin_right', error_description: description });
  }
  const unlicensed = ask.scopes.find((scope) => state.licences.missing.includes(scope));
  if (!state.licences.api || unlicensed !== undefined) {
    const description = `The company has no licence for ${unlicensed ?? 'integrations'}`;
    return back({ error: 'error_missing_license', error_description: description });
  }
  const grant = opaque(state, 'grant');
  state.grants[grant] = { scopes: ask.scopes, service: ask.service, alive: true };
  if (ask.service) state.serviceConsent = { scopes: ask.scopes };
  const code = opaque(state, 'code');
  state.codes[code] = { grant, redirectUri: ask.redirectUri, expiresAtMs: nowMs + CODE_LIFETIME_MS };
  return back({ code });
}

/** `POST /oauth-v1/auth`: what the page's form sends. Checked again, because a form can be sent by anything. */
export function answerConsent(state: State, request: CoreRequest, nowMs: number): Answer {
  const form = new URLSearchParams(request.body);
  const ask = asked(state, form);
  return ask.kind === 'stop' ? ask.answer : decide(state, ask, form, nowMs);
}
