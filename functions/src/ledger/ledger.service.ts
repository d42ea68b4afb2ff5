import type { Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../admin/flags.service.ts';
import type { Context } from '../platform/context.ts';
import type { Write } from '../platform/write.ts';
import { assertBalanced, sameBooking, type LedgerEntry } from './ledger.ts';
import * as store from './ledger.store.ts';

export {
  coachBalance,
  entryExists,
  explaining,
  explainingIn,
  readEntries,
  readMany,
  receivableOf,
  setReceipt,
  setVoucher,
} from './ledger.store.ts';
export type { PlatformTotals } from './pages.store.ts';
export {
  countWithoutReceipt,
  bankMovementsBetween,
  entriesById,
  lastBooked,
  ledgerSums,
  newestFirst,
  platformTotals,
  stripeTotals,
  totalsBefore,
  ungroupedAfter,
  withoutReceipt,
} from './pages.store.ts';
export { sharesBetween } from './sums.store.ts';

/**
 * Plans the booking of Stripe money objects. One booked before stays as it is; if what is to be booked now differs from
 * it, a person is told (Stripe does not change what it booked, so one of the two was read wrongly).
 */
export async function planEntries(
  ctx: Context,
  tx: Transaction,
  entries: readonly (LedgerEntry | undefined)[],
): Promise<Write[]> {
  const writes: Write[] = [];
  for (const entry of entries) {
    if (!entry) continue;
    assertBalanced(entry);
    const booked = await store.readEntry(ctx.db, tx, entry.id);
    if (!booked) {
      writes.push((t) => store.createEntry(ctx.db, t, entry, ctx.clock.now()));
    } else if (!sameBooking(booked, entry)) {
      writes.push(
        ...(await planFlag(ctx, tx, {
          id: `ledger-mismatch_${entry.id}`,
          kind: 'ledger-mismatch',
          severity: 'critical',
          subject: `ledger/${entry.id}`,
          message: `Stripe now reports other amounts for ${entry.stripeObjectId} than were booked.`,
          action:
            'Compare the object in the Stripe dashboard with the ledger document and its vouchers; book a correction.',
        })),
      );
    }
  }
  return writes;
}

/** Plans the booking of what is certainly not booked yet, without looking: if it is, the commit fails. */
export function planNewEntries(ctx: Context, entries: readonly LedgerEntry[]): Write[] {
  return entries.map((entry) => {
    assertBalanced(entry);
    return (t: Transaction) => store.createEntry(ctx.db, t, entry, ctx.clock.now());
  });
}
