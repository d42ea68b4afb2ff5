/**
 * Writes emulators/README.md: runs the contract tests, notes what each exercised, and names for every route, event,
 * fault and switch the test that fits best. From the repository's root: node emulators/write-readme.ts
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { FileCoverage, Kind } from './contract-coverage.ts';
import { FORTNOX, STRIPE } from './inventory.ts';

const README = 'emulators/README.md';
const FOLDER = '.local/contract-coverage';
const TESTS = 'emulators/(stripe/contract|fortnox)/';

interface Proof {
  file: string;
  test: string;
  /** How much else the same test exercised: the fewer, the more it is about this. */
  breadth: number;
}

function coverage(): FileCoverage[] {
  rmSync(FOLDER, { recursive: true, force: true });
  const jest = ['node_modules/jest/bin/jest.js', '--selectProjects', 'unit', '--testPathPatterns', TESTS];
  const env = { ...process.env, CONTRACT_COVERAGE: resolve(FOLDER) };
  const { status } = spawnSync(process.execPath, jest, { env, stdio: 'inherit' });
  if (status !== 0)
    throw new Error(`The contract tests failed (exit ${status}), so nothing was written. Mend them first.`);
  return readdirSync(FOLDER)
    .sort()
    .map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as FileCoverage);
}

/** Singular words: `/v1/payment_intents` and payment-intents.unit.test.ts share two. */
const words = (text: string): Set<string> =>
  new Set(
    text
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .map((word) => word.replace(/s$/, ''))
      .filter((word) => word !== ''),
  );

const shared = (one: Set<string>, other: Set<string>): number => [...one].filter((word) => other.has(word)).length;

/** Which test proves a thing: one whose file and title speak of it, else one that does little else. */
function prover(files: readonly FileCoverage[]) {
  return (emulator: 'stripe' | 'fortnox', kind: Kind, name: string): Proof | undefined => {
    const about = words(name.replace(/^[A-Z]+ \/(v\d|3|oauth-v1)\//, ''));
    const proofs = files
      .filter(({ file }) => file.startsWith(`emulators/${emulator}/`))
      .flatMap(({ file, exercised }) =>
        exercised
          .filter((one) => one.kind === kind && one.name === name)
          .map(({ test }) => ({ file, test, breadth: exercised.filter((one) => one.test === test).length })),
      );
    const score = ({ file, test }: Proof) =>
      2 * shared(words(file.slice(file.lastIndexOf('/'))), about) + shared(words(test), about);
    const order = (a: Proof, b: Proof) =>
      score(b) - score(a) || a.breadth - b.breadth || `${a.file} ${a.test}`.localeCompare(`${b.file} ${b.test}`);
    return proofs.sort(order)[0];
  };
}

const proof = prover(coverage());
let unproved = 0;

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
function proofCells(emulator: 'stripe' | 'fortnox', kind: Kind, name: string): string {
  const found = proof(emulator, kind, name);
  if (found === undefined) unproved += 1;
  if (found === undefined) return 'none | ';
  const link = found.file.slice('emulators/'.length);
  return `[${link.slice(link.lastIndexOf('/') + 1, -'.unit.test.ts'.length)}](${link}) | ${cell(found.test)}`;
}

function table(heads: readonly string[], rows: readonly string[]): string {
  const columns = [...heads, 'contract test', 'its title'];
  return [`| ${columns.join(' | ')} |`, `|${' --- |'.repeat(columns.length)}`, ...rows.map((row) => `| ${row} |`)].join(
    '\n',
  );
}

const routeCells = (name: string) => name.replace(/^(\S+) (.*)$/, '$1 | `$2`');
const named = (emulator: 'stripe' | 'fortnox', kind: Kind, names: readonly string[]) =>
  names.map((name) => `\`${name}\` | ${proofCells(emulator, kind, name)}`);

const text = `# The emulators

Stripe ([what it does and how](stripe/README.md)) and Fortnox ([the same](fortnox/README.md)), each on a port of this machine. The tables below are generated: \`node emulators/write-readme.ts\` runs the contract tests, notes what they exercise, and writes this file. A test is named for a route when the route answered it with success, at Stripe to the real SDK (reversing a Swedish payout is always refused: there, when it was refused), for an event when the event came about in it, for a fault when the fault struck in it, and for a switch when it was set otherwise than usual. Of several, the one whose name fits best. \`none\`: no test does.

## Stripe: ${STRIPE.routes.length} routes

\`{}\` stands for an id. A route or a parameter that is not in the table is refused.

${table(
  ['method', 'path', 'parameters'],
  STRIPE.routes.map(
    ({ name, parameters }) => `${routeCells(name)} | ${parameters} | ${proofCells('stripe', 'route', name)}`,
  ),
)}

## Stripe: ${STRIPE.events.length} events

${table(['type'], named('stripe', 'event', STRIPE.events))}

Not emitted, of the types the SDK knows: ${STRIPE.eventsNotEmitted.map((type) => `\`${type}\``).join(', ')}.

## Stripe: ${STRIPE.faults.length} faults

${table(
  ['fault', 'strikes'],
  STRIPE.faults.map(({ name, strikes }) => `\`${name}\` | ${strikes} | ${proofCells('stripe', 'fault', name)}`),
)}

## Stripe: ${STRIPE.switches.length} switches

${table(['switch'], named('stripe', 'switch', STRIPE.switches))}

## Fortnox: ${FORTNOX.routes.length} routes

${table(
  ['method', 'path', 'scope'],
  FORTNOX.routes.map(
    ({ name, scope }) => `${routeCells(name)} | ${scope ?? 'any'} | ${proofCells('fortnox', 'route', name)}`,
  ),
)}

## Fortnox: ${FORTNOX.faults.length} faults

${table(['fault'], named('fortnox', 'fault', FORTNOX.faults))}

## Fortnox: ${FORTNOX.switches.length} switches

${table(['switch'], named('fortnox', 'switch', FORTNOX.switches))}
`;

writeFileSync(README, await format(text, { ...(await resolveConfig(README)), filepath: README }));
console.log(`${README} is written. Without a test: ${unproved}.`);
