import { StripeFailure } from './errors.ts';
import { API_VERSION } from './world.ts';
import type { World } from './world.ts';

/** Who asks: the platform with its secret key, or a browser with the publishable one; and for which account. */
export interface Caller {
  kind: 'secret' | 'publishable';
  /** A connected account, of the `Stripe-Account` or the `Stripe-Context` header. */
  account: string | null;
}

const refuse = (status: number, message: string, code?: string) =>
  new StripeFailure(status, { type: 'invalid_request_error', message, ...(code ? { code } : {}) }, true);

/** Checks key, version and account of a request. */
export function identify(world: World, headers: Readonly<Record<string, string | undefined>>): Caller {
  const key = keyOf(headers.authorization);
  if (key === undefined) {
    throw refuse(
      401,
      'You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth ' +
        "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    );
  }
  const kind = key.startsWith('sk_test_') ? 'secret' : key.startsWith('pk_test_') ? 'publishable' : undefined;
  if (!kind || key.length <= 'sk_test_'.length) {
    throw refuse(
      401,
      `Invalid API Key provided: ${key.slice(0, 8)}***. The emulator takes sk_test_... and pk_test_... only.`,
      'api_key_invalid',
    );
  }
  const version = headers['stripe-version'];
  if (version !== undefined && version !== API_VERSION) {
    throw refuse(400, `Invalid Stripe API version: ${version}. The Stripe emulator speaks ${API_VERSION} only.`);
  }
  const account = accountIn(headers);
  if (account !== null && (!world.books.has(account) || world.revoked.has(account))) {
    throw refuse(
      403,
      `The provided key '${key.slice(0, 8)}***' does not have access to account '${account}' (or that account does not exist). ` +
        'Application access may have been revoked.',
      'account_invalid',
    );
  }
  return { kind, account };
}

/** The connected account of a request: of `Stripe-Account`, or of `Stripe-Context`, which names one as well. */
export function accountIn(headers: Readonly<Record<string, string | undefined>>): string | null {
  const account = headers['stripe-account'];
  const context = headers['stripe-context'];
  if (account !== undefined && context !== undefined)
    throw refuse(400, 'You cannot pass both Stripe-Account and Stripe-Context.');
  return account ?? context ?? null;
}

function keyOf(authorization: string | undefined): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const basic = /^Basic\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  return basic === undefined ? undefined : Buffer.from(basic, 'base64').toString('utf8').split(':')[0];
}
