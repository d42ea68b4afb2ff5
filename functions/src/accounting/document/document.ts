import { formatMoney, minor, type Minor } from '../../platform/money.ts';
import { accountPlan, profiles, type Profile } from '../account-plan.ts';
import { accountName } from '../exports/account-names.ts';
import { postings } from '../posting-rules.ts';
import { monthOfTrade } from './month.ts';

export const documentPath = 'docs/accounting.md';
export const howToRegenerate = 'npx node functions/src/accounting/document/write.ts';

export type Balance = ReadonlyMap<number, Minor>;

/** What the month leaves on each account under a profile, accounts at zero left out. */
export function trialBalanceOf(profile: Profile): Balance {
  const plan = accountPlan({ profile, clearing: 1686 });
  const total = new Map<number, number>();
  for (const entry of monthOfTrade()) {
    const posted = postings(entry, plan);
    if (!posted.ok) throw new Error(`${entry.id}: ${posted.reason}`);
    for (const [account, amount] of posted.moved) total.set(account, (total.get(account) ?? 0) + amount);
  }
  return new Map([...total].filter(([, amount]) => amount !== 0).map(([account, amount]) => [account, minor(amount)]));
}

const sumOf = (balance: Balance, belongs: (account: number) => boolean): Minor =>
  minor([...balance].filter(([account]) => belongs(account)).reduce((total, [, amount]) => total + amount, 0));

/** What an accountant looks at first; a credit is shown as what it is: a turnover, a profit, a debt. */
const figures: readonly [name: string, of: (balance: Balance) => Minor][] = [
  ['Turnover', (balance) => minor(0 - sumOf(balance, (account) => account >= 3000 && account < 4000))],
  ['Result', (balance) => minor(0 - sumOf(balance, (account) => account >= 3000))],
  ['VAT to pay', (balance) => minor(0 - sumOf(balance, (account) => account >= 2610 && account < 2650))],
];

const money = (amount: Minor | undefined): string =>
  amount === undefined ? '' : formatMoney(amount, 'SEK').replace(/ kr$/, '');

/** The three trial balances side by side, as a table of docs/accounting.md. */
export function sideBySide(): string {
  const balances = profiles.map((profile) => trialBalanceOf(profile));
  const accounts = [...new Set(balances.flatMap((balance) => [...balance.keys()]))].sort((a, b) => a - b);
  const rows = accounts.map((account) => [
    String(account),
    accountName(account),
    ...balances.map((balance) => money(balance.get(account))),
  ]);
  const summed = figures.map(([name, of]) => [
    '',
    `**${name}**`,
    ...balances.map((balance) => `**${money(of(balance))}**`),
  ]);
  const lines = [
    ['account', 'name', ...profiles.map((profile) => `\`${profile}\``)],
    ['---', '---', '--:', '--:', '--:'],
    ...rows,
    ...summed,
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const begin = '<!-- generated: trial balances -->';
const end = '<!-- end of trial balances -->';

/** The document with its table made anew. Throws when a marker is missing. */
export function withTable(document: string): string {
  const [before, rest, ...more] = document.split(begin);
  const [, after, ...others] = (rest ?? '').split(end);
  if (before === undefined || after === undefined || more.length + others.length > 0) {
    throw new Error(
      `${documentPath} must have the lines "${begin}" and "${end}" once each: the table stands between them.`,
    );
  }
  // Prettier would pad the columns to the longest cell.
  return `${before}${begin}\n\n<!-- prettier-ignore -->\n${sideBySide()}\n\n${end}${after}`;
}
