/** README.md names every route, event and fault of both emulators once, each with a test that exists. */
import { existsSync, readFileSync } from 'node:fs';
import { FORTNOX, STRIPE } from './inventory.ts';

const AGAIN = 'emulators/README.md is out of date. Regenerate it: node emulators/write-readme.ts';

/** The tables by their heading: each row's first two cells, and what it links. */
function tables(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const section of readFileSync('emulators/README.md', 'utf8').split('\n## ').slice(1)) {
    const [heading = '', ...lines] = section.split('\n');
    found.set(heading.replace(/ \d+ /, ' '), lines.filter((line) => line.startsWith('| ')).slice(2));
  }
  return found;
}

const cells = (row: string): string[] => row.split(' | ').map((cell) => cell.replace(/^\| |`/g, '').trim());
const routeOf = (row: string): string => cells(row).slice(0, 2).join(' ');
const firstOf = (row: string): string => cells(row)[0]!;
const linkOf = (row: string): string => /\]\(([^)]+\.unit\.test\.ts)\)/.exec(row)?.[1] ?? 'none';

const wanted: [string, (row: string) => string, readonly string[]][] = [
  ['Stripe: routes', routeOf, STRIPE.routes.map(({ name }) => name)],
  ['Stripe: events', firstOf, STRIPE.events],
  ['Stripe: faults', firstOf, STRIPE.faults.map(({ name }) => name)],
  ['Fortnox: routes', routeOf, FORTNOX.routes.map(({ name }) => name)],
  ['Fortnox: faults', firstOf, FORTNOX.faults],
  ['Fortnox: switches', firstOf, FORTNOX.switches],
];

/** What is wrong with a table, and how it is mended; empty when nothing is. */
function wrong(rows: readonly string[], nameOf: (row: string) => string, names: readonly string[]): string[] {
  const told = rows.map(nameOf);
  return [
    ...names
      .filter((name) => told.filter((one) => one === name).length !== 1)
      .map((name) => `${name} is not there exactly once. ${AGAIN}`),
    ...told.filter((name) => !names.includes(name)).map((name) => `${name} is not in the emulator. ${AGAIN}`),
    ...rows
      .filter((row) => linkOf(row) === 'none')
      .map((row) => `${nameOf(row)} has no contract test: write one. Then: node emulators/write-readme.ts`),
    ...rows
      .filter((row) => linkOf(row) !== 'none' && !existsSync(`emulators/${linkOf(row)}`))
      .map((row) => `${nameOf(row)} names ${linkOf(row)}, which does not exist. ${AGAIN}`),
  ];
}

describe('the tables of README.md', () => {
  it.each(wanted)('%s: each once, with its contract test', (heading, nameOf, names) => {
    expect(names.length).toBeGreaterThan(2);
    expect(wrong(tables().get(heading) ?? [], nameOf, names)).toEqual([]);
  });
});
