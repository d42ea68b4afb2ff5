import { Refusal } from './errors.ts';

const localHosts = new Set(['localhost', '127.0.0.1']);

/** Stripe sends people back to these addresses, so they must be the app's own: an open redirect would lend Stripe's page to anyone. */
export function requireAllowedAddress(field: string, address: string, allowedOrigins: readonly string[]): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && localHosts.has(url.hostname));
  if (url && secure && url.username === '' && url.password === '' && allowedOrigins.includes(url.origin))
    return url.href;
  throw new Refusal(
    'invalid-argument',
    'address-not-allowed',
    `${field} must be an address of this app (https, and its origin listed in ALLOWED_ORIGINS).`,
    { field },
  );
}
