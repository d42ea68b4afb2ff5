import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThroughClient } from 'google-auth-library';
import { createSecretStore, type SecretStore, type SecretStoreSettings } from '../platform/secrets/secret-store.ts';

/** A Secret Manager on this machine that speaks as much of the REST API as Google's own client needs for one secret. */
export interface LocalSecretManager {
  /** A store on it, through Google's client. */
  store(secret: string): Promise<SecretStore>;
  /** Versions by secret, oldest first. */
  versions(secret: string): { value: string; enabled: boolean }[];
  /** Answers the next calls whose path ends so with this status instead. */
  fail(pathEnd: string, status: number, times: number): void;
  /** `latest` stays at this version, as Secret Manager's does for a while; null: it is up to date. */
  staleLatest(version: number | null): void;
  calls: string[];
  close(): Promise<void>;
}

const projectId = 'demo-secrets';
const statusNames: Readonly<Record<number, string>> = {
  400: 'FAILED_PRECONDITION',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  500: 'INTERNAL',
};

export async function startSecretManager(secrets: readonly string[]): Promise<LocalSecretManager> {
  const kept = new Map(secrets.map((secret) => [secret, [] as { value: string; enabled: boolean }[]]));
  const failures: { pathEnd: string; status: number; times: number }[] = [];
  const calls: string[] = [];
  let stale: number | null = null;

  function answer(method: string, path: string, body: string): { status: number; body: object } {
    const failure = failures.find((one) => one.times > 0 && path.endsWith(one.pathEnd));
    if (failure) {
      failure.times -= 1;
      return refusal(failure.status);
    }
    const match = /^\/v1\/projects\/([^/]+)\/secrets\/([^/:]+)(?:\/versions\/([^/:]+))?:(\w+)$/.exec(path);
    const [, project, secret = '', which = '', verb] = match ?? [];
    const versions = kept.get(secret);
    if (project !== projectId || versions === undefined) return refusal(404);
    const nameOf = (number: number) => `projects/${project}/secrets/${secret}/versions/${number}`;
    if (method === 'POST' && verb === 'addVersion') {
      const { payload } = JSON.parse(body) as { payload: { data: string } };
      versions.push({ value: Buffer.from(payload.data, 'base64').toString('utf8'), enabled: true });
      return { status: 200, body: { name: nameOf(versions.length), state: 'ENABLED' } };
    }
    const number = which === 'latest' ? (stale ?? versions.length) : Number(which);
    const version = versions[number - 1];
    if (version === undefined) return refusal(404);
    if (method === 'POST' && verb === 'disable') {
      version.enabled = false;
      return { status: 200, body: { name: nameOf(number), state: 'DISABLED' } };
    }
    if (method !== 'GET' || verb !== 'access') return refusal(404);
    if (!version.enabled) return refusal(400);
    const data = Buffer.from(version.value, 'utf8').toString('base64');
    return { status: 200, body: { name: nameOf(number), payload: { data } } };
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = decodeURIComponent((request.url ?? '').split('?')[0] ?? '');
      calls.push(`${request.method ?? ''} ${path}`);
      const { status, body } = answer(request.method ?? '', path, Buffer.concat(chunks).toString('utf8'));
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    calls,
    store: (secret) =>
      createSecretStore({
        projectId,
        secret,
        client: { protocol: 'http', apiEndpoint: '127.0.0.1', port, authClient: withoutLogin() },
      }),
    versions: (secret) => kept.get(secret) ?? [],
    fail: (pathEnd, status, times) => failures.push({ pathEnd, status, times }),
    staleLatest(version) {
      stale = version;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type ClientOptions = NonNullable<SecretStoreSettings['client']>;

/**
 * Sends calls as they are. Given Node's own fetch, because under jest the library cannot import another; and typed over,
 * because Secret Manager's client brings a later release of the same library along.
 */
function withoutLogin(): ClientOptions['authClient'] {
  const client: unknown = new PassThroughClient({ transporterOptions: { fetchImplementation: fetch } });
  return client as ClientOptions['authClient'];
}

function refusal(status: number): { status: number; body: object } {
  const name = statusNames[status] ?? 'UNKNOWN';
  return { status, body: { error: { code: status, message: `${name} by the local server`, status: name } } };
}
