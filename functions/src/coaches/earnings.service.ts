import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import type { Currency, Minor } from '../platform/money.ts';
import type { Write } from '../platform/write.ts';
import {
  fillEarning,
  holdEarning,
  markPaid,
  movePaid,
  newEarning,
  returnShare,
  ripen,
  type Earning,
  type NewEarning,
} from './earnings.ts';
import * as store from './earnings.store.ts';

/**
 * Plans what a coach may see of a payment to them. Told a second time it changes nothing but fills an `availableOn`
 * that was not known the first time.
 */
export async function planEarning(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  earning: NewEarning,
): Promise<Write[]> {
  const at = Timestamp.fromDate(ctx.clock.now());
  const existing = await store.readEarning(ctx.db, tx, coachId, earning.paymentId);
  if (!existing) return [(t) => store.createEarning(ctx.db, t, coachId, newEarning(earning, at))];
  const filled = fillEarning(existing, earning, at);
  return filled ? [(t) => store.writeEarning(ctx.db, t, coachId, filled)] : [];
}

/** What a payout can be made of: debts to take off, and what is owed and loose at Stripe, the oldest first; and what rests. */
export interface PayableEarnings {
  debts: Earning[];
  open: Earning[];
  /** Disputed, loose or not: owed, and in no payout until it is decided. */
  held: Earning[];
}

/** Reads inside the transaction that freezes a payout, so that a refund in between aborts it. `limit` is for each of the three. */
export async function payableEarnings(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  wanted: { currency: Currency; availableBy: Timestamp; limit: number },
): Promise<PayableEarnings> {
  const [debts, open, held] = await Promise.all([
    store.bySettlement(ctx.db, tx, coachId, { ...wanted, settlement: 'debt' }),
    store.bySettlement(ctx.db, tx, coachId, { ...wanted, settlement: 'open' }),
    store.resting(ctx.db, tx, coachId, wanted),
  ]);
  return { debts, open, held };
}

/** Reserves parts of earnings that the same transaction has read. */
export function planReserve(
  ctx: Context,
  coachId: string,
  parts: readonly { earning: Earning; amountMinor: Minor }[],
): Write[] {
  const at = Timestamp.fromDate(ctx.clock.now());
  return parts.map(({ earning, amountMinor }) => {
    const moved = movePaid(ripen(earning, at), amountMinor, at);
    return (t: Transaction) => store.writeEarning(ctx.db, t, coachId, moved);
  });
}

/** One payout item's effect on its earning: `byMinor` goes into the payout (negative: comes back), `paid` says that it arrived. */
export interface EarningMove {
  paymentId: string;
  byMinor: Minor;
  paid: boolean;
}

/** Plans moves of earnings that were reserved before. An earning that is gone is a broken book, so it throws. */
export async function planMoves(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  moves: readonly EarningMove[],
): Promise<Write[]> {
  const at = Timestamp.fromDate(ctx.clock.now());
  return Promise.all(
    moves.map(async ({ paymentId, byMinor, paid }) => {
      const earning = await store.readEarning(ctx.db, tx, coachId, paymentId);
      if (!earning) {
        throw new Error(
          `coaches/${coachId}/earnings/${paymentId} is in a payout but does not exist. Restore it from the ledger.`,
        );
      }
      const moved = byMinor === 0 ? earning : movePaid(earning, byMinor, at);
      const next = paid ? markPaid(moved, at) : moved;
      return (t: Transaction) => store.writeEarning(ctx.db, t, coachId, next);
    }),
  );
}

/** What a refund or a dispute changes in an earning: `returnedMinor` of the share goes back, `held` says that it rests. */
export interface EarningReturn {
  paymentId: string;
  returnedMinor: Minor;
  held: boolean;
}

/** Plans it. The sale is booked in the same transaction or before; an earning that is not there is left to the caller's sale. */
export async function planReturn(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  { paymentId, returnedMinor, held }: EarningReturn,
): Promise<Write[]> {
  const at = Timestamp.fromDate(ctx.clock.now());
  const earning = await store.readEarning(ctx.db, tx, coachId, paymentId);
  if (!earning) throw new Error(`coaches/${coachId}/earnings/${paymentId} does not exist: book the sale first.`);
  const returned = returnedMinor === 0 ? earning : returnShare(earning, returnedMinor, at);
  const next = holdEarning(returned, held, at);
  return next === earning ? [] : [(t) => store.writeEarning(ctx.db, t, coachId, next)];
}
