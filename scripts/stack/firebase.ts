import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { cloudSdkEmulators } from './cloud-sdk.ts';
import { findJava } from './java.ts';
import { root } from './paths.ts';
import type { Ports } from './ports.ts';
import { readLog, tail } from './processes.ts';
import type { Household, Part } from './processes.ts';
import { dotenv, parseDotenv, projectId, stackConfig } from './settings.ts';
import type { FirebasePart, ProjectConfig } from './settings.ts';
import { answers, ask, until } from './wait.ts';
import type { Patience } from './wait.ts';

export interface FirebaseSettings {
  /** This stack's own folder; firebase-tools runs in it and leaves its debug logs there. */
  readonly folder: string;
  readonly logFile: string;
  readonly parts: readonly FirebasePart[];
  readonly ports: Ports;
  /** Params and secrets of the functions. */
  readonly params: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

/** Writes the folder firebase-tools runs in: its firebase.json, the rules, and a copy of the built functions. */
export async function prepareFolder(settings: FirebaseSettings, mark: string): Promise<void> {
  const { folder, parts, ports } = settings;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const project = JSON.parse(await readFile(join(root, 'firebase.json'), 'utf8')) as ProjectConfig;
  await writeFile(join(folder, 'firebase.json'), JSON.stringify(stackConfig(project, parts, ports), null, 2));
  for (const file of ['firestore.rules', 'firestore.indexes.json']) await symlink(join(root, file), join(folder, file));
  if (parts.includes('hosting')) await symlink(join(root, project.hosting.public), join(folder, 'public'));
  if (!parts.includes('functions')) return;
  // A copy, because env and secret files lie beside the code, and because a build must not restart another stack's workers.
  const source = join(root, 'functions');
  const copy = join(folder, 'functions');
  await mkdir(copy);
  await cp(join(source, 'package.json'), join(copy, 'package.json'));
  await cp(join(source, 'lib'), join(copy, 'lib'), { recursive: true });
  await symlink(join(source, 'node_modules'), join(copy, 'node_modules'));
  const own: Record<string, string> = {};
  for (const file of ['.env', `.env.${projectId}`, '.env.local']) {
    Object.assign(own, parseDotenv(await readFile(join(source, file), 'utf8').catch(() => '')));
  }
  // The mark goes along because firebase-tools starts the process that lists the functions with nothing but these.
  await writeFile(join(copy, '.env.local'), dotenv({ ...own, ...settings.params, IJ_STACK: mark }));
  await writeFile(join(copy, '.secret.local'), dotenv(settings.secrets), { mode: 0o600 });
}

/** Starts firebase-tools; `waitForFirebase` says when it is ready. */
export async function startFirebase(household: Household, settings: FirebaseSettings): Promise<Part> {
  const java = await findJava(process.env);
  const binaries = await cloudSdkEmulators(process.env, join(settings.folder, 'bin'));
  const script = join(root, 'node_modules/firebase-tools/lib/bin/firebase.js');
  const args = ['emulators:start', '--project', projectId, '--only', settings.parts.join(','), '--non-interactive'];
  return household.start('firebase-tools', script, args, {
    cwd: settings.folder,
    logFile: settings.logFile,
    environment: {
      ...withoutCredentials(process.env),
      ...binaries,
      PATH: [java.bin, join(root, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter),
      JAVA_HOME: undefined,
      // Nothing is asked, nothing is sent: no prompts, no message of the day, no update check, no look at npm's registry.
      CI: 'true',
      // Or the Admin SDK in a function looks for a metadata server, for seconds, before every enqueue.
      METADATA_SERVER_DETECTION: 'none',
      NO_UPDATE_NOTIFIER: '1',
      npm_config_offline: 'true',
      // A configuration of its own: no login is found or changed, and usage statistics stay off.
      XDG_CONFIG_HOME: join(settings.folder, 'config'),
      // The list of functions through a file: the default port for it (8000-9000, by chance) may be taken.
      FIREBASE_FUNCTIONS_DISCOVERY_OUTPUT_PATH: 'true',
      NO_COLOR: '1',
    },
  });
}

/** The environment without what would make an emulator reach for a real project. */
function withoutCredentials(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const removed =
    /^(GOOGLE_APPLICATION_CREDENTIALS|GOOGLE_CLOUD_PROJECT|GCLOUD_PROJECT|FIREBASE_TOKEN|FIREBASE_CONFIG|STRIPE_.*|FORTNOX_.*|DEBUG|IJ_PORT_.*|.*_EMULATOR_HOST|NODE_OPTIONS)$/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !removed.test(name)));
}

/** Resolves with the names of the loaded functions once everything asked for answers; rejects with the lines that say why not. */
export async function waitForFirebase(
  household: Household,
  part: Part,
  settings: FirebaseSettings,
  answered: (name: FirebasePart) => void,
): Promise<readonly string[]> {
  // Long, because without a Cloud SDK firebase-tools first downloads its emulators.
  const limitMs = 300_000;
  const patience = (what: string): Patience => ({
    limitMs,
    everyMs: 150,
    signal: household.signal,
    late: () => new Error(`${what} after ${limitMs / 1000} s. The end of ${part.logFile}:\n${tail(part.logFile)}`),
  });
  await Promise.all(
    settings.parts.map(async (name) => {
      await until(
        async () => ((await answers(settings.ports[name])) ? true : undefined),
        patience(`The ${name} emulator does not answer`),
      );
      answered(name);
    }),
  );
  await until(async () => {
    const text = readLog(part.logFile);
    const problem = loadProblem(text);
    if (problem !== undefined)
      throw new Error(`The functions do not load:\n${problem}\nThe whole output is in ${part.logFile}.`);
    return text.includes('All emulators ready') ? true : undefined;
  }, patience('The Firebase emulators are not ready'));
  return settings.parts.includes('functions') ? await loadedFunctions(part, settings) : [];
}

/** The lines of firebase-tools' output that say why functions did not load, if they did not. */
export function loadProblem(output: string): string | undefined {
  const lines = output.split('\n');
  const at = lines.findIndex((line) => line.includes('Failed to load function definition from source'));
  if (at < 0) return undefined;
  // What the functions printed while they were loaded comes before the verdict.
  return lines
    .slice(Math.max(0, at - 25), at + 10)
    .filter((line) => line.trim() !== '' && !/^\S*\s+(hub|emulators|firestore|auth|pubsub|hosting):/.test(line))
    .join('\n');
}

async function loadedFunctions(part: Part, settings: FirebaseSettings): Promise<readonly string[]> {
  const answer = await ask(`http://127.0.0.1:${settings.ports.functions}/backends`);
  const backends = answer?.status === 200 ? (JSON.parse(answer.body) as Backends) : { backends: [] };
  const names = backends.backends.flatMap((backend) => backend.functionTriggers.map((trigger) => trigger.entryPoint));
  const ignored = readLog(part.logFile)
    .split('\n')
    .filter((line) => /functions(\[[^\]]*\])?: function ignored/.test(line));
  if (names.length === 0 || ignored.length > 0) {
    throw new Error(`Some functions were not loaded:\n${ignored.join('\n') || tail(part.logFile)}`);
  }
  return names;
}

interface Backends {
  readonly backends: readonly { readonly functionTriggers: readonly { readonly entryPoint: string }[] }[];
}
