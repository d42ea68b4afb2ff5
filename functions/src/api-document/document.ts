import { apiRoutes } from '../rest.api.ts';
import { dispatchTable } from '../webhooks/dispatch.ts';
import { ignoredTypes } from '../webhooks/ignored.ts';
import type { DescribedCallable } from '../platform/entrance.ts';
import { fieldsOf, type Field } from './fields.ts';
import { inputFields } from './inputs.ts';
import { callables, measure, plays, type Measured } from './measure.ts';
import type { Cost } from './meter.ts';
import type { Play } from './plays/play.ts';
import { readProgram, type TypedCallable, type TypedProgram } from './program.ts';
import { commonRefusals, refusalsOf, type NamedRefusal } from './refusals.ts';

/** docs/api.md: what a client sends, gets and may be refused, read from the code, and what it costs, measured. */

export const documentPath = 'docs/api.md';
export const howToRegenerate = 'npx node functions/src/api-document/write.ts';

const partNames = ['callables', 'each callable', 'routes', 'refusals of every entrance', 'refusals', 'events'] as const;

interface Described {
  callable: DescribedCallable;
  play: Play;
  input: Field[];
  output: Field[];
  refusals: NamedRefusal[];
  cost: Measured;
}

/** The callables that have no play yet; none, in a repository that is whole. */
export const withoutPlay = (): string[] => [...callables.keys()].filter((name) => !plays[name]);

/** The document with its generated parts made anew. Throws where a callable has no play or a marker is missing. */
export async function withParts(document: string): Promise<string> {
  for (const name of partNames) between(document, name);
  const program = readProgram();
  const all: Described[] = [];
  for (const [name, callable] of callables) all.push(await described(program, name, callable));
  all.sort((a, b) => order(a) - order(b));
  const common = commonRefusals(program);
  const parts: Record<(typeof partNames)[number], string> = {
    callables: summary(all),
    'each callable': all.map(chapter).join('\n\n'),
    routes: routes(),
    'refusals of every entrance': refusals(common),
    refusals: refusals(all.flatMap((each) => each.refusals)),
    events: events(),
  };
  return partNames.reduce((text, name) => replaced(text, name, parts[name]), document);
}

/** As the plays stand: customers, coaches, administrators. */
const order = ({ callable }: Described): number => Object.keys(plays).indexOf(callable.name);

async function described(program: TypedProgram, name: string, callable: DescribedCallable): Promise<Described> {
  const play = plays[name];
  const typed: TypedCallable | undefined = program.callables.get(name);
  if (!play || !typed)
    throw new Error(`${name} has no play in functions/src/api-document/plays. Write how it is called.`);
  const { checker } = program;
  const { declaration } = typed;
  return {
    callable,
    play,
    input: inputFields(callable.input, fieldsOf(checker, typed.input, declaration)),
    output: fieldsOf(checker, typed.output, declaration),
    refusals: refusalsOf(program, typed),
    cost: await measure(callable, play),
  };
}

function replaced(text: string, name: string, part: string): string {
  const [begin, end] = between(text, name);
  // Prettier would pad the columns to the longest cell.
  const kept = `<!-- prettier-ignore-start -->\n\n${part}\n\n<!-- prettier-ignore-end -->`;
  return `${text.slice(0, begin)}\n${kept}\n${text.slice(end)}`;
}

/** Where a part begins and ends. */
function between(text: string, name: string): [number, number] {
  const [begin, end] = [`<!-- generated: ${name} -->`, `<!-- end of ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${documentPath} has lost its lines "${begin}" and "${end}".`);
  return [from + begin.length, to];
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');

const numbers = ({ stripe, reads, writes }: Cost): string[] => [`${stripe.length}`, `${reads}`, `${writes}`];

const summary = (all: readonly Described[]): string =>
  table(
    ['callable', 'for', 'Stripe calls', 'reads', 'writes', 'Stripe calls after', 'reads after', 'writes after'],
    all.map(({ callable: { name, right }, cost }) => [
      `[\`${name}\`](#${name.toLowerCase()})`,
      right,
      ...numbers(cost.call),
      ...numbers(cost.after),
    ]),
  );

function chapter({ callable, play, input, output, refusals: refused, cost }: Described): string {
  const { name, right, limit } = callable;
  const limited = limit ? ` At most ${limit.perMinute} a minute and ${limit.perDay} a day for one user.` : '';
  return [
    `### \`${name}\``,
    play.does,
    `For: ${right}.${limited}`,
    fieldTable('input', input),
    fieldTable('output', output),
    `Refusals: ${[...new Set(refused.map(({ reason }) => `\`${reason}\``))].join(', ') || 'none of its own'}.`,
    `Costs: ${costWords(cost.call)}. ${afterWords(cost.after)}`,
  ].join('\n\n');
}

const fieldTable = (title: string, fields: readonly Field[]): string =>
  fields.length === 0
    ? `No ${title}: \`{}\`.`
    : table(
        [title, 'type', 'meaning'],
        fields.map(({ path, type, meaning }) => [`\`${path}\``, type, meaning]),
      );

const costWords = ({ stripe, reads, writes }: Cost): string =>
  `${calls(stripe)}; ${counted(reads, 'document')} read, ${counted(writes, 'document')} written`;
const afterWords = (after: Cost): string =>
  after.writes === 0 ? 'No event follows that is handled.' : `Its events cost: ${costWords(after)}.`;
const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function calls(stripe: readonly string[]): string {
  if (stripe.length === 0) return 'no call to Stripe';
  const times = new Map<string, number>();
  for (const call of stripe) times.set(call, (times.get(call) ?? 0) + 1);
  const each = [...times].map(([call, count]) => `\`${call}\`${count > 1 ? ` × ${count}` : ''}`);
  return `${counted(stripe.length, 'call')} to Stripe (${each.join(', ')})`;
}

const routes = (): string =>
  table(
    ['route', 'for', 'the same as'],
    apiRoutes.map(({ method, path, right, twin }) => [
      `\`${method} ${path}\``,
      right,
      twin ? `[\`${twin}\`](#${twin.toLowerCase()})` : '',
    ]),
  );

/** One row a reason; one that is given in several words has them all. */
function refusals(all: readonly NamedRefusal[]): string {
  const byReason = new Map<string, { codes: Set<string>; messages: Set<string> }>();
  for (const { reason, code, message } of all) {
    const known = byReason.get(reason) ?? { codes: new Set(), messages: new Set() };
    known.codes.add(code);
    known.messages.add(message === '…' ? 'in the words of Stripe, or of the schema' : message);
    byReason.set(reason, known);
  }
  const rows = [...byReason].sort(([a], [b]) => (a < b ? -1 : 1));
  return table(
    ['reason', 'code', 'message'],
    rows.map(([reason, { codes, messages }]) => [
      `\`${reason}\``,
      [...codes].map((code) => `\`${code}\``).join(', '),
      [...messages].join(' / '),
    ]),
  );
}

function events(): string {
  const types = [...Object.keys(dispatchTable), ...Object.keys(ignoredTypes)].sort();
  const reasons: Readonly<Record<string, string>> = ignoredTypes;
  return table(
    ['event', 'what comes of it'],
    types.map((type) => [`\`${type}\``, reasons[type] ? `ignored: ${reasons[type]}` : 'handled']),
  );
}
