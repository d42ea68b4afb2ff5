import type { SecretManagerServiceClient } from '@google-cloud/secret-manager';

/**
 * A secret that is read and written at run time. Unlike what `defineSecret` gives, which a deploy pins to one version, this
 * sees the version that another instance added a moment ago.
 */
export interface SecretStore {
  /** The newest enabled version; null while there is none. Google promises it only in time: see `version`. */
  latest(): Promise<SecretVersion | null>;
  /** One version by its number, which is strongly consistent once it was added; null when it is not there or disabled. */
  version(number: number): Promise<SecretVersion | null>;
  /** Adds a version and gives its number. Resolves only once Secret Manager has it. */
  add(value: string): Promise<number>;
  /** Disables a version: it can be enabled again by a person, and is read by nobody. */
  disable(number: number): Promise<void>;
}

export interface SecretVersion {
  number: number;
  value: string;
}

export interface SecretStoreSettings {
  projectId: string;
  /** Must exist, and must be none of those that Firebase manages: `functions:secrets:prune` destroys their old versions. */
  secret: string;
  /** Where Secret Manager is, for tests. */
  client?: ConstructorParameters<typeof SecretManagerServiceClient>[0];
}

/** gRPC's codes, which the client gives over REST too. */
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const FAILED_PRECONDITION = 9;

/**
 * Secret Manager through Google's own client over REST. Rejects with the client's own errors; a right that is missing is
 * explained. The service account needs secretAccessor and secretVersionManager (adds and disables versions) on the secret.
 */
export async function createSecretStore({ projectId, secret, client }: SecretStoreSettings): Promise<SecretStore> {
  // Loaded here because most instances never need it.
  const { SecretManagerServiceClient } = await import('@google-cloud/secret-manager');
  const manager = new SecretManagerServiceClient({ projectId, fallback: true, ...client });
  const parent = `projects/${projectId}/secrets/${secret}`;

  async function access(which: string): Promise<SecretVersion | null> {
    try {
      const [reply] = await manager.accessSecretVersion({ name: `${parent}/versions/${which}` });
      const data = reply.payload?.data;
      if (data === undefined || data === null) return null;
      const value = typeof data === 'string' ? data : Buffer.from(data).toString('utf8');
      return { number: numberOf(reply.name), value };
    } catch (error) {
      // A disabled version answers FAILED_PRECONDITION: it is there and not to be read.
      if (codeOf(error) === NOT_FOUND || codeOf(error) === FAILED_PRECONDITION) return null;
      throw explained(error, parent);
    }
  }

  return {
    latest: () => access('latest'),
    version: (number) => access(String(number)),
    async add(value) {
      try {
        const [version] = await manager.addSecretVersion({ parent, payload: { data: Buffer.from(value, 'utf8') } });
        return numberOf(version.name);
      } catch (error) {
        throw explained(error, parent);
      }
    },
    async disable(number) {
      await manager.disableSecretVersion({ name: `${parent}/versions/${number}` });
    },
  };
}

function numberOf(name: string | null | undefined): number {
  const number = Number(name?.split('/').at(-1));
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`Secret Manager named a version in a way we do not know: ${name ?? 'not at all'}.`);
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

function explained(error: unknown, parent: string): unknown {
  const code = codeOf(error);
  if (code !== NOT_FOUND && code !== PERMISSION_DENIED) return error;
  const problem = code === NOT_FOUND ? 'does not exist' : 'may not be used by this service account';
  return new Error(
    `Secret Manager: ${parent} ${problem}. Run \`npm run secrets -- --project YOUR-PROJECT\`, which prints the commands that make it and give the rights.`,
    { cause: error },
  );
}
