import { accounts, type LedgerDocument } from '../../ledger/ledger.ts';
import type { Checked } from './checks.ts';
import { idOf, sum, type Book } from './stripe-says.ts';

const companions: readonly string[] = ['fee', 'fee_refund'];

/** Every ledger document balances and names every account. */
export function unbalanced({ ledger }: Checked): string[] {
  return ledger.flatMap(({ id, deltas }) => {
    const total = sum(accounts.map((account) => deltas[account]));
    return total === 0 ? [] : [`ledger/${id} is off by ${total}`];
  });
}

/** Each account's ledger balance is what Stripe has of it, available and pending together. */
export function balancesDiffer({ stage, ledger }: Checked): string[] {
  return sides(stage).flatMap(({ name, book, has }) => {
    const there = sum([...book.funds.values()].map(({ available, pending }) => available + pending));
    const here = sum(ledger.map(has));
    return there === here ? [] : [`${name}: Stripe has ${there}, the ledger ${here}`];
  });
}

interface Side {
  name: string;
  book: Book;
  /** What a document moved here. */
  has: (document: LedgerDocument) => number;
}

function sides({ core, accounts: connected }: Checked['stage']): Side[] {
  const platform: Side = {
    name: 'platform',
    book: core.world.platform,
    has: ({ deltas }) => deltas.stripe_platform,
  };
  const coaches = Object.entries(connected).flatMap(([name, account]): Side[] => {
    const book = core.world.books.get(account);
    return book ? [{ name, book, has: ({ coachId, deltas }) => (coachId === name ? deltas.stripe_connected : 0) }] : [];
  });
  return [platform, ...coaches];
}

/**
 * Every balance transaction is explained by one document (and what came with it: a fee, a fee given back), every document
 * that moved money by its balance transactions, and what belongs together moved the same.
 */
export function explanationsDiffer({ stage, ledger }: Checked): string[] {
  return sides(stage).flatMap((side) => explain(side, ledger));
}

function explain({ name, book, has }: Side, ledger: readonly LedgerDocument[]): string[] {
  const wrong: string[] = [];
  const groups = new Map<string, { documents: Set<string>; here: number; there: number }>();
  const explained = new Set<string>();
  for (const { id, source, net, type } of book.balanceTransactions.values()) {
    const names = [id, idOf(source)];
    const claimers = ledger.filter(({ balanceTransactionIds: ids }) => ids.some((each) => names.includes(each)));
    const owners = claimers.filter(({ kind }) => !companions.includes(kind));
    const beside = claimers.filter(({ kind }) => companions.includes(kind));
    if (claimers.length === 0) wrong.push(`${name}: nothing explains ${id} (${type} of ${idOf(source)}, ${net})`);
    if (owners.length > 1 || beside.length > 1)
      wrong.push(`${name}: ${id} (${type}) is explained by ${claimers.map((each) => each.id).join()}`);
    const key = (owners[0] ?? beside[0])?.id ?? id;
    const group = groups.get(key) ?? { documents: new Set(), here: 0, there: 0 };
    for (const document of claimers) {
      if (!explained.has(document.id)) group.here += has(document);
      explained.add(document.id);
      group.documents.add(document.id);
    }
    group.there += net;
    groups.set(key, group);
  }
  for (const { documents, here, there } of groups.values())
    if (here !== there) wrong.push(`${name}: Stripe moved ${there}, ${[...documents].join(' and ')} say ${here}`);
  for (const document of ledger)
    if (has(document) !== 0 && !explained.has(document.id))
      wrong.push(`${name}: Stripe knows nothing of ${document.id}`);
  return wrong;
}
