import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FORTNOX_EMULATOR_DEFAULTS } from '../../emulators/fortnox/index.ts';
import { build } from '../build.ts';
import { prepareFolder, startFirebase, waitForFirebase } from './firebase.ts';
import type { FirebaseSettings } from './firebase.ts';
import { portOwner } from './owner.ts';
import { local, root } from './paths.ts';
import { freePorts, isFree, planPorts, portVariable } from './ports.ts';
import type { PortName, Ports } from './ports.ts';
import { openHousehold, tail } from './processes.ts';
import type { Household, Part } from './processes.ts';
import { localSecrets, stripeTestMode } from './secrets.ts';
import { registerWebhook, startService } from './services.ts';
import { allFirebaseParts, projectId, region } from './settings.ts';
import type { FirebasePart } from './settings.ts';
import type { Log, Stack, StackUrls, StripeMode } from './types.ts';
import { answers, ask, until } from './wait.ts';

export interface StackOptions {
  readonly log: Log;
  /** `free` takes any free ports; single ports win over the environment, that over the defaults. */
  readonly ports?: Partial<Ports> | 'free';
  /** `databases` is Firestore and Auth alone, for tests that call the code themselves. Default: everything. */
  readonly scope?: 'everything' | 'databases';
  /** Stops the start half-way when it is aborted. */
  readonly signal?: AbortSignal;
}

/**
 * Starts the local stack and resolves when every part of it answers. Rejects with an Error that says what is missing or
 * taken and what to do; nothing is left running then.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const household = await openHousehold();
  try {
    return await Promise.race([start(household, options), aborted(options.signal)]);
  } catch (error) {
    await household.end();
    throw error;
  }
}

async function start(household: Household, options: StackOptions): Promise<Stack> {
  const steps = stepLog(options.log);
  const everything = options.scope !== 'databases';
  const testMode = everything ? stripeTestMode(process.env) : undefined;
  const stripeMode: StripeMode = testMode === undefined ? 'emulator' : 'test-mode';
  const parts: readonly FirebasePart[] = everything ? allFirebaseParts : ['firestore', 'auth'];
  const ports = options.ports === 'free' ? await freePorts() : planPorts(process.env, options.ports ?? {});
  await refuseTakenPorts(usedPorts(parts, everything, stripeMode), ports);

  const logs = join(local, 'logs');
  await mkdir(logs, { recursive: true });
  await forgetOld(logs);
  const logFile = (name: string) => join(logs, `${name}-${ports.firestore}.log`);
  const folder = join(local, 'stacks', String(ports.firestore));
  const urls = urlsOf(ports, stripeMode);
  const running: Part[] = [];
  const state = { stopping: false };

  const secrets = everything ? await secretsOf(testMode) : {};
  const firebase: FirebaseSettings = {
    folder,
    logFile: logFile('firebase'),
    parts,
    ports,
    secrets,
    params: paramsOf(urls, ports),
  };

  const service = async (name: 'stripe' | 'fortnox') => {
    running.push(await startService(household, name, ports[name], logFile(name)));
    steps(`${name} emulator answers on ${ports[name]}`);
  };
  const firebaseTools = async () => {
    if (everything) {
      const { bytes, seconds } = await build();
      steps(`functions built: ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s`);
    }
    await prepareFolder(firebase, household.mark);
    const part = await startFirebase(household, firebase);
    running.push(part);
    const early = part.ended.then((how) => {
      throw new Error(`firebase-tools ${how} while starting:\n${tail(part.logFile)}`);
    });
    const names = await Promise.race([
      waitForFirebase(household, part, firebase, (name) => steps(`${name} emulator answers on ${ports[name]}`)),
      early,
    ]);
    if (everything) steps(`${names.length} functions loaded`);
    return names;
  };
  const [functions] = await Promise.all([
    firebaseTools(),
    ...(everything ? [service('fortnox'), ...(stripeMode === 'emulator' ? [service('stripe')] : [])] : []),
  ]);

  if (everything) {
    await firstRequest(urls, firebase.logFile);
    steps('the first request went through Hosting and a function');
    await connectStripe(stripeMode, urls, secrets, options.log);
    if (stripeMode === 'emulator') steps('both webhook endpoints are registered with the Stripe emulator');
  }
  const watched = usedPorts(parts, everything, stripeMode);
  return {
    projectId,
    region,
    ports,
    urls,
    stripeMode,
    functions,
    secrets,
    crashed: watch(running, watched, ports, state),
    stop: async () => {
      state.stopping = true;
      await household.end();
      if (options.ports === 'free') await rm(folder, { recursive: true, force: true });
    },
  };
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = () => reject(new Error('The start was interrupted.'));
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** One line per step with the seconds since the start. */
function stepLog(log: Log): Log {
  const began = performance.now();
  return (line) => log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

function usedPorts(parts: readonly FirebasePart[], everything: boolean, stripeMode: StripeMode): PortName[] {
  return [
    ...parts,
    'hub',
    'firestoreWebsocket',
    ...(everything ? (['eventarc', 'fortnox'] as const) : []),
    ...(everything && stripeMode === 'emulator' ? (['stripe'] as const) : []),
  ];
}

async function refuseTakenPorts(names: readonly PortName[], ports: Ports): Promise<void> {
  const lines: string[] = [];
  for (const name of names) {
    if (await isFree(ports[name])) continue;
    const owner = await portOwner(ports[name]);
    const by =
      owner === undefined ? 'a process that cannot be seen from here' : `process ${owner.pid} (${owner.command})`;
    lines.push(`  port ${ports[name]} for ${name} is used by ${by}; end it, or set ${portVariable(name)}`);
  }
  if (lines.length > 0) {
    throw new Error(
      `The local stack cannot start:\n${lines.join('\n')}\nTo use any free ports: npm start -- --ports free`,
    );
  }
}

function urlsOf(ports: Ports, stripeMode: StripeMode): StackUrls {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return {
    functions: `${at(ports.functions)}/${projectId}/${region}`,
    hosting: at(ports.hosting),
    firestore: at(ports.firestore),
    auth: at(ports.auth),
    tasks: at(ports.tasks),
    stripe: stripeMode === 'emulator' ? at(ports.stripe) : 'https://api.stripe.com',
    fortnox: at(ports.fortnox),
    api: `${at(ports.hosting)}/api`,
  };
}

function paramsOf(urls: StackUrls, ports: Ports): Record<string, string> {
  return {
    STRIPE_API_BASE: urls.stripe,
    STRIPE_PUBLISHABLE_KEY: process.env.STRIPE_PUBLISHABLE_KEY ?? 'pk_test_local',
    FORTNOX_API_BASE: urls.fortnox,
    FORTNOX_TOKEN_BASE: urls.fortnox,
    FORTNOX_REDIRECT_URI: `${urls.functions}/fortnoxCallback`,
    FORTNOX_TENANT_ID: String(FORTNOX_EMULATOR_DEFAULTS.tenantId),
    ALLOWED_ORIGINS: `${urls.hosting},http://localhost:${ports.hosting}`,
    PLATFORM_NAME: 'Inner Journey AB',
    PLATFORM_ADDRESS: 'Resegatan 1, 111 22 Stockholm',
    PLATFORM_VAT_NUMBER: 'SE556677889901',
    PLATFORM_ORGANISATION_NUMBER: '5566778899',
  };
}

/** Secrets made up once per checkout, Stripe's own in test mode, and the client the Fortnox emulator knows. */
async function secretsOf(testMode: Record<string, string> | undefined): Promise<Record<string, string>> {
  const { clientId, clientSecret } = FORTNOX_EMULATOR_DEFAULTS;
  const kept = await localSecrets(join(root, 'functions/.secret.local'));
  return { ...kept, ...testMode, FORTNOX_CLIENT_ID: clientId, FORTNOX_CLIENT_SECRET: clientSecret };
}

/** Functions that are listed may still fail when they run; a request through Hosting proves the way in. */
async function firstRequest(urls: StackUrls, logFile: string): Promise<void> {
  const url = `${urls.api}/health`;
  const answer = await ask(url, 30_000);
  if (answer?.status !== 200) {
    const got = answer === undefined ? 'no answer' : `${answer.status} ${answer.body.slice(0, 500)}`;
    throw new Error(`GET ${url} should answer 200 and gave: ${got}\nThe end of ${logFile}:\n${tail(logFile)}`);
  }
}

async function connectStripe(
  mode: StripeMode,
  urls: StackUrls,
  secrets: Readonly<Record<string, string>>,
  log: Log,
): Promise<void> {
  const webhook = `${urls.functions}/stripeWebhook`;
  if (mode === 'test-mode') {
    log('STRIPE_SECRET_KEY is set: this stack talks to Stripe’s test mode, not to the emulator.');
    log('Events arrive only while the Stripe CLI forwards them:');
    log(`  stripe listen --forward-to ${webhook} --forward-connect-to ${webhook}`);
    log('Start the stack with STRIPE_WEBHOOK_SECRET and STRIPE_CONNECT_WEBHOOK_SECRET set to the secret it prints.');
    return;
  }
  const endpoints = [
    { connect: false, secret: secrets.STRIPE_WEBHOOK_SECRET ?? '' },
    { connect: true, secret: secrets.STRIPE_CONNECT_WEBHOOK_SECRET ?? '' },
  ];
  // Only now: the product's own packages are installed by then.
  const { handledTypes } = await import('../../functions/src/webhooks/dispatch.ts');
  for (const endpoint of endpoints) {
    await registerWebhook(urls.stripe, { ...endpoint, url: webhook, enabledEvents: handledTypes });
  }
}

/** Resolves when a part ends, or stops answering, without having been asked to. */
async function watch(
  running: readonly Part[],
  names: readonly PortName[],
  ports: Ports,
  state: { stopping: boolean },
): Promise<Error> {
  const ended = running.map(async (part) => {
    const how = await part.ended;
    return new Error(`${part.name} ${how}. The end of ${part.logFile}:\n${tail(part.logFile)}`);
  });
  const silent = async (): Promise<Error> => {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 5000).unref());
      if (state.stopping) continue;
      for (const name of names) {
        const alive = await until(async () => ((await answers(ports[name])) ? true : undefined), {
          limitMs: 4000,
          everyMs: 500,
          late: () => new Error('silent'),
        }).catch(() => false);
        if (!alive && !state.stopping)
          return new Error(`The ${name} emulator no longer answers on port ${ports[name]}.`);
      }
    }
  };
  const first = await Promise.race([...ended, silent()]);
  // Asked to stop: nothing crashed, so nothing is told.
  return state.stopping ? await new Promise<Error>(() => undefined) : first;
}

/** Logs and stack folders of days ago help nobody. */
async function forgetOld(logs: string): Promise<void> {
  for (const folder of [logs, join(local, 'stacks')]) {
    if (!existsSync(folder)) continue;
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
      if (age > 3 * 86_400_000) await rm(path, { recursive: true, force: true });
    }
  }
}
