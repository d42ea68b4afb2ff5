import { planFlag } from '../../admin/flags.service.ts';
import { explainingIn, planNewEntries } from '../../ledger/ledger.service.ts';
import type { LedgerEntry } from '../../ledger/ledger.ts';
import { ownEntries } from '../../ledger/own.ts';
import type { Context } from '../../platform/context.ts';
import { runWrites } from '../../platform/write.ts';
import { movementFlag } from './own-flags.ts';
import * as logs from './stripe-own.logs.ts';
import { bookingOf, namesOf, treatmentOf, type OwnerOfBalance, type StripeMovement } from './stripe-own.ts';

/**
 * Books a movement of Stripe's whose type says what it is, or tells a person of one that only a person can explain; both
 * only while no document explains it, which the same transaction looks at. Returns the documents it made.
 */
export async function bookMovement(
  ctx: Context,
  owner: OwnerOfBalance,
  movement: StripeMovement,
): Promise<LedgerEntry[]> {
  const treatment = treatmentOf(movement, owner !== undefined);
  if (treatment === 'events') return [];
  const made = await ctx.db.runTransaction(async (tx): Promise<LedgerEntry[]> => {
    const claimed = await explainingIn(ctx.db, tx, namesOf(movement));
    if (claimed.length > 0) return [];
    if (treatment === 'person') {
      runWrites(tx, await planFlag(ctx, tx, movementFlag(movement, owner)));
      return [];
    }
    const entries = ownEntries(treatment, bookingOf(movement, owner));
    runWrites(tx, planNewEntries(ctx, entries));
    return entries;
  });
  if (made.length > 0) {
    logs.booked(
      ctx.log,
      movement.id,
      movement.type,
      made.map(({ id }) => id),
    );
  }
  return made;
}
