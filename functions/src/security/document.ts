import {
  expected,
  matrix,
  operations,
  roles,
  type Guarded,
  type Operation,
  type Role,
} from '../rules/access-matrix.ts';
import { callers, entrances, type CallerKind, type Entrance } from './entrances.ts';

/** The two matrices as the tables of docs/security.md, from the same tables that the tests hold against the code. */

export const documentPath = 'docs/security.md';
export const howToRegenerate = 'npx node functions/src/security/write-document.ts';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const entranceCell = ({ kind, allowed }: Entrance, caller: CallerKind): string => {
  if (kind === 'webhook') return 'by signature';
  if (kind === 'page') return 'by state';
  return allowed.includes(caller) ? '**yes**' : '–';
};

function entranceTable(): string {
  const rows = entrances.map((entrance) => [
    `\`${entrance.name}\``,
    entrance.kind,
    ...callers.map((caller) => entranceCell(entrance, caller)),
    entrance.by,
  ]);
  return table(['entrance', 'kind', ...callers, 'decided by'], rows);
}

const words: readonly [Operation, string][] = [
  ['get', 'get'],
  ['list own', 'list own'],
  ['list all', 'list all'],
];

function rulesCell(at: Guarded, role: Role): string {
  const allowed = expected(at, role);
  const may = words.filter(([operation]) => allowed[operation] === 'allowed').map(([, word]) => word);
  return may.length > 0 ? may.join(', ') : '–';
}

function rulesTable(): string {
  const rows = matrix.map((at) => [
    `\`${at.path}/${at.id}\``,
    at.own ? `\`${at.own.field}\`` : 'path',
    ...roles.map((role) => rulesCell(at, role)),
  ]);
  return table(['document', 'own by', ...roles], rows);
}

const parts: Readonly<Record<string, () => string>> = { entrances: entranceTable, rules: rulesTable };

/** The document with its tables made anew. Throws when a marker is missing. */
export function withTables(document: string): string {
  return Object.entries(parts).reduce((text, [name, make]) => {
    const begin = `<!-- generated: ${name} -->`;
    const end = `<!-- end of ${name} -->`;
    const [before, rest] = split(text, begin);
    const [, after] = split(rest, end);
    // Prettier would pad the columns to the longest cell.
    return `${before}${begin}\n\n<!-- prettier-ignore -->\n${make()}\n\n${end}${after}`;
  }, document);
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`${documentPath} has lost its line "${mark}". Put it back where the table is to stand.`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}

/** How many cells the two tables decide, for the text around them. */
export const counts = {
  entrances: entrances.length * callers.length,
  rules: matrix.length * roles.length * operations.length,
};
