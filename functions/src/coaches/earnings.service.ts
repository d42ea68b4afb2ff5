import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import type { Context } from '../platform/context.ts';
import { minor, negate, type Currency, type Minor } from '../platform/money.ts';
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
  type Settlement,
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

/**
 * Reads inside the transaction that freezes a payout, so that a refund in between aborts it. Past the limit the newest
 * are left out, never what rests: then debts of theirs wait for a later payout, which the ledger's bound has room for.
 */
export async function payableEarnings(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  { currency, availableBy, limit }: { currency: Currency; availableBy: Timestamp; limit: number },
): Promise<PayableEarnings> {
  const found = await store.counting(ctx.db, tx, coachId, { currency, by: availableBy, limit });
  const of = (settlement: Settlement) => found.filter((earning) => earning.settlement === settlement);
  return { debts: of('debt'), open: of('open'), held: of('held') };
}

/** Earnings of all coaches that were made by then and are not paid: owed and free, or disputed. At most `limit` of each. */
export async function unpaidEarnings(ctx: Context, by: Timestamp, limit: number): Promise<store.OldEarning[]> {
  const [open, held] = await Promise.all([
    store.unpaidSince(ctx.db, { settlement: 'open', by, limit }),
    store.unpaidSince(ctx.db, { settlement: 'held', by, limit }),
  ]);
  return [...open, ...held];
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

/**
 * Plans it, over all earnings of the payment (a bundle's sessions have one each), the newest first. The sale is booked
 * before. Throws when more share goes back than there are earnings for.
 */
export async function planReturn(
  ctx: Context,
  tx: Transaction,
  coachId: string,
  { paymentId, returnedMinor, held }: EarningReturn,
): Promise<Write[]> {
  const at = Timestamp.fromDate(ctx.clock.now());
  const earnings = await store.ofPayment(ctx.db, tx, coachId, paymentId);
  if (earnings.length === 0 && returnedMinor !== 0) {
    throw new Error(`coaches/${coachId} has no earning of ${paymentId}, and ${returnedMinor} öre of it go back.`);
  }
  let left: number = returnedMinor;
  return earnings.flatMap((earning, index) => {
    const last = index === earnings.length - 1;
    const part = minor(last ? left : returnablePart(earning, left));
    left -= part;
    const next = holdEarning(part === 0 ? earning : returnShare(earning, part, at), held, at);
    return next === earning ? [] : [(t: Transaction) => store.writeEarning(ctx.db, t, coachId, next)];
  });
}

/** Of an amount that goes back (or, negative, comes again) what this earning can bear. */
const returnablePart = ({ amountMinor, feeMinor, reversedMinor }: Earning, left: number): number =>
  left > 0 ? Math.min(left, amountMinor - feeMinor - reversedMinor) : Math.max(left, negate(reversedMinor));
