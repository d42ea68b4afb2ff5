import type { Voucher } from '../accounting/accounting.ts';
import type { SieVoucher } from '../platform/fortnox/index.ts';
import { minor, sum, zero, type Currency } from '../platform/money.ts';
import type { Difference } from './reconciliation.ts';

/** One of our vouchers, as the proof needs it. */
export interface Ours {
  voucher: Pick<Voucher, 'id' | 'key' | 'series' | 'date' | 'rows' | 'clearingAccount' | 'clearingMinor'>;
  /** Posted before Fortnox was asked, so it must be in its answer. */
  mustBeThere: boolean;
}

/**
 * Holds vouchers of our series in Fortnox against ours, row by row. A voucher is known by its key, which ends its
 * description: each of ours is there once, of its day and with its rows, and nothing else is.
 */
export function fortnoxDiffers(currency: Currency, listed: readonly SieVoucher[], ours: readonly Ours[]): Difference[] {
  const base = { account: 'fortnox', currency };
  const { found, strays } = byKey(listed, ours);
  const differences: Difference[] = [];
  for (const { voucher, mustBeThere } of ours) {
    const { id, key, clearingMinor: ledgerMinor } = voucher;
    const there = found.get(key) ?? [];
    const [first] = there;
    if (!first) {
      if (!mustBeThere) continue;
      differences.push({ ...base, kind: 'voucher-not-in-fortnox', ids: [id], ledgerMinor, otherMinor: zero });
    } else if (there.length > 1) {
      const otherMinor = sum(there.map((one) => clearingOf(one, voucher.clearingAccount)));
      const ids = [id, ...there.map(nameOf)];
      differences.push({ ...base, kind: 'voucher-twice-in-fortnox', ids, ledgerMinor, otherMinor });
    } else {
      const detail = alterations(voucher, first);
      if (detail === '') continue;
      const otherMinor = clearingOf(first, voucher.clearingAccount);
      differences.push({ ...base, kind: 'voucher-altered', ids: [id, nameOf(first)], ledgerMinor, otherMinor, detail });
    }
  }
  for (const one of strays) {
    differences.push({ ...base, kind: 'voucher-not-ours', ids: [nameOf(one)], ledgerMinor: zero, otherMinor: zero });
  }
  return differences;
}

function byKey(listed: readonly SieVoucher[], ours: readonly Ours[]) {
  const found = new Map(ours.map(({ voucher }) => [voucher.key, [] as SieVoucher[]]));
  const strays = listed.filter((one) => {
    const words = one.description.split(' ');
    // Somebody may have written something behind it.
    const key = words.findLast((word) => found.has(word));
    found.get(key ?? '')?.push(one);
    return key === undefined;
  });
  return { found, strays };
}

const nameOf = ({ series, number, date }: SieVoucher): string => `${series} ${number} of ${date}`;

const clearingOf = ({ rows }: SieVoucher, account: number) =>
  sum(rows.filter((row) => row.account === account).map((row) => minor(row.amountMinor)));

/** What is not as we posted it, in words; empty when all is. */
function alterations({ date, rows }: Ours['voucher'], there: SieVoucher): string {
  const said: string[] = [];
  if (there.date !== date) said.push(`dated ${there.date} instead of ${date}`);
  const posted = rows.map((row) => ({ account: row.account, amountMinor: row.debitMinor - row.creditMinor }));
  const gone = without(rowWords(posted), rowWords(there.rows));
  const added = without(rowWords(there.rows), rowWords(posted));
  if (gone.length > 0) said.push(`without ${gone.join(', ')}`);
  if (added.length > 0) said.push(`with ${added.join(', ')}`);
  return said.join('; ');
}

const rowWords = (rows: SieVoucher['rows']): string[] =>
  rows.filter((row) => row.amountMinor !== 0).map((row) => `${row.account}: ${row.amountMinor}`);

/** The list less the other, each as often as it is there more often. */
function without(list: readonly string[], other: readonly string[]): string[] {
  const left = [...other];
  return list.filter((word) => {
    const at = left.indexOf(word);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
