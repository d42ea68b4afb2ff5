import type { Stack } from './types.ts';

export interface Login {
  readonly email: string;
  readonly password: string;
  readonly roles: string;
}

/** Rows under a head, columns as wide as they must be. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

export function addressTable(stack: Stack): string {
  const { urls, ports } = stack;
  return table(
    ['what', 'address'],
    [
      ['web page and REST API', `${urls.hosting}  (${urls.api}/health)`],
      ['functions', `${urls.functions}/NAME`],
      ['scheduled functions', `curl -X POST ${urls.functions}/schedulePayouts-0`],
      ['Firestore', `FIRESTORE_EMULATOR_HOST=127.0.0.1:${ports.firestore}`],
      ['Auth', `FIREBASE_AUTH_EMULATOR_HOST=127.0.0.1:${ports.auth}`],
      ['tasks, Pub/Sub', `127.0.0.1:${ports.tasks}, 127.0.0.1:${ports.pubsub}`],
      [stack.stripeMode === 'emulator' ? 'Stripe emulator' : 'Stripe test mode', urls.stripe],
      ['Fortnox emulator', urls.fortnox],
    ],
  );
}

export function loginTable(logins: readonly Login[]): string {
  if (logins.length === 0) return 'No test logins yet: the Auth emulator is empty.';
  return table(
    ['test login', 'password', 'roles'],
    logins.map((login) => [login.email, login.password, login.roles]),
  );
}

interface Account {
  readonly email?: string;
  readonly passwordHash?: string;
  readonly customAttributes?: string;
}

/** Who can sign in on this stack. The Auth emulator's "hash" holds the password itself. */
export function loginsOf(accounts: readonly Account[]): Login[] {
  return accounts
    .flatMap(({ email, passwordHash, customAttributes }) => {
      if (email === undefined) return [];
      const claims = Object.entries(JSON.parse(customAttributes ?? '{}') as Record<string, unknown>);
      const roles = claims.filter(([, value]) => value === true).map(([name]) => name);
      return [
        {
          email,
          password: /:password=(.*)$/.exec(passwordHash ?? '')?.[1] ?? '-',
          roles: roles.join(', ') || 'customer',
        },
      ];
    })
    .sort((one, other) => one.email.localeCompare(other.email));
}

/** Reads the accounts of the Auth emulator. */
export async function readLogins(stack: Stack): Promise<Login[]> {
  const response = await fetch(
    `${stack.urls.auth}/identitytoolkit.googleapis.com/v1/projects/${stack.projectId}/accounts:query`,
    {
      method: 'POST',
      headers: { authorization: 'Bearer owner', 'content-type': 'application/json' },
      body: '{}',
    },
  );
  const { userInfo = [] } = (await response.json()) as { userInfo?: Account[] };
  return loginsOf(userInfo);
}
