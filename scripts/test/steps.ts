import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from '../build.ts';
import { local } from '../stack/paths.ts';
import { startStack } from '../stack/stack.ts';
import { run } from './run.ts';
import type { Outcome, RunOptions } from './run.ts';
import { countJest, nothing } from './summary.ts';
import type { Counts, JestReport } from './summary.ts';

export interface StepResult {
  readonly counts: Counts;
  /** Shown in full when something failed. */
  readonly output: string;
}

export interface StepContext {
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

export interface Step {
  readonly name: string;
  readonly about: string;
  readonly run: (context: StepContext) => Promise<StepResult>;
}

const folder = join(local, 'test');

/** In this order; a failing one does not keep the next from running. */
export const steps: readonly Step[] = [
  { name: 'types', about: 'TypeScript', run: tool('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']) },
  { name: 'lint', about: 'ESLint', run: tool('node_modules/eslint/bin/eslint.js', ['.', '--max-warnings', '0']) },
  {
    name: 'format',
    about: 'Prettier',
    run: tool('node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']),
  },
  {
    name: 'arrows',
    about: 'the rules between folders',
    run: tool('node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', [
      ...['--config', '.dependency-cruiser.cjs', 'functions/src', 'emulators', 'scripts'],
    ]),
  },
  { name: 'build', about: 'the bundle that is deployed', run: buildStep },
  { name: 'unit', about: 'tests that need nothing', run: (context) => jest('unit', {}, context) },
  { name: 'emulator', about: 'tests on the Firestore and Auth emulators', run: emulatorStep },
  { name: 'browser', about: 'the hosted pages, clicked through in Chromium', run: browserStep },
  { name: 'story', about: 'npm start -- --once --twice, on ports of its own', run: storyStep },
];

function single(ok: boolean, output: string): StepResult {
  return { counts: ok ? { ...nothing, passed: 1 } : { ...nothing, failed: 1 }, output };
}

function tool(script: string, args: readonly string[]): Step['run'] {
  return async ({ signal }) => {
    const { ok, output } = await run(script, args, { signal });
    return single(ok, output);
  };
}

async function buildStep(): Promise<StepResult> {
  try {
    const { bytes } = await build();
    return single(bytes > 0, 'The bundle is empty.');
  } catch (error) {
    return single(false, String(error));
  }
}

/** Tests on the emulators wait most of their time: for locks of the Firestore emulator, for a service that is tried again. */
const workers = { unit: 2, emulator: 4, browser: 2 } as const;

async function jest(
  project: keyof typeof workers,
  environment: Readonly<Record<string, string>>,
  { signal, log }: StepContext,
): Promise<StepResult> {
  mkdirSync(folder, { recursive: true });
  const report = join(folder, `${project}.json`);
  rmSync(report, { force: true });
  const options: RunOptions = {
    signal,
    environment: { ...environment, FORCE_COLOR: '0' },
    onLine: (line) => {
      if (/^(PASS|FAIL) /.test(line)) log(line);
    },
  };
  const args = ['--selectProjects', project, '--json', `--outputFile=${report}`, `--maxWorkers=${workers[project]}`];
  const outcome: Outcome = await run('node_modules/jest/bin/jest.js', args, options);
  // With --json jest prints the report itself too, on one line.
  const output = outcome.output
    .split('\n')
    .filter((line) => !line.startsWith('{"num'))
    .join('\n');
  if (!existsSync(report)) return single(false, output);
  const counts = countJest(JSON.parse(readFileSync(report, 'utf8')) as JestReport);
  // Jest says no for reasons that are no test, too: nothing found, a worker that died.
  if (!outcome.ok && counts.failed === 0) return { counts: { ...counts, failed: 1 }, output };
  return { counts, output };
}

async function emulatorStep(context: StepContext): Promise<StepResult> {
  const stack = await startStack({ log: context.log, ports: 'free', scope: 'databases', signal: context.signal });
  try {
    const host = (port: number) => `127.0.0.1:${port}`;
    return await jest(
      'emulator',
      {
        FIRESTORE_EMULATOR_HOST: host(stack.ports.firestore),
        FIREBASE_AUTH_EMULATOR_HOST: host(stack.ports.auth),
        GCLOUD_PROJECT: stack.projectId,
      },
      context,
    );
  } finally {
    await stack.stop();
  }
}

const browsers = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
];

async function browserStep(context: StepContext): Promise<StepResult> {
  const path = [process.env.CHROMIUM_PATH ?? '', ...browsers].find((candidate) => candidate && existsSync(candidate));
  if (path !== undefined) return jest('browser', { CHROMIUM_PATH: path }, context);
  context.log('Skipped: there is no Chromium. Install it (Debian: apt-get install chromium) or set CHROMIUM_PATH.');
  return { counts: { ...nothing, skipped: 1 }, output: '' };
}

async function storyStep({ signal, log }: StepContext): Promise<StepResult> {
  const file = join(folder, 'story.json');
  rmSync(file, { force: true });
  const { ok, output } = await run('scripts/start.ts', ['--once', '--twice', '--ports', 'free', '--story-file', file], {
    signal,
    onLine: log,
  });
  if (!existsSync(file)) return single(false, `${output}\nThe story wrote no ${file}.`);
  const story = JSON.parse(readFileSync(file, 'utf8')) as { ok?: unknown };
  if (ok && story.ok !== true)
    return single(false, `${output}\nIt ended well, but ${file} says ok: ${String(story.ok)}.`);
  return single(ok, output);
}
