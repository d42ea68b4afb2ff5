import { Timestamp } from 'firebase-admin/firestore';
import { payoutObstacle, type Coach } from '../coaches/coaches.ts';
import { payableEarnings } from '../coaches/earnings.service.ts';
import { coachBalance } from '../ledger/ledger.service.ts';
import { addDays, businessDate, hours, startOfBusinessDate, type BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { minor } from '../platform/money.ts';
import { decideAmount } from './amount.ts';
import { nextPayDate, type NextPayout } from './next.ts';
import * as runs from './runs.store.ts';

/** As the run reckons, with all that comes loose until then. The run itself asks Stripe too what it lets go. */
export async function nextPayout(ctx: Context, coachId: string, coach: Coach): Promise<NextPayout> {
  const date = await dayOf(ctx, coach);
  // By hand it could be paid now.
  const payAt = date === undefined ? ctx.clock.now() : runTime(date);
  const obstacle = payoutObstacle(coach, payAt);
  const { minimumMinor } = coach.payoutSettings;
  const { currency } = coach;
  const decision = await ctx.db.runTransaction(async (tx) => {
    const owed = await coachBalance(ctx.db, tx, coachId, currency);
    const wanted = { currency, availableBy: Timestamp.fromDate(payAt), limit: earningsLimit };
    const earnings = await payableEarnings(ctx, tx, coachId, wanted);
    const boundMinor = minor(-(owed.payable + owed.receivable));
    return decideAmount({ boundMinor, availableMinor: owed.connected, minimumMinor, ...earnings });
  });
  const nothing = date === undefined ? ('by-hand' as const) : decision.pay ? null : decision.reason;
  return { date: date ?? null, amountMinor: decision.amountMinor, reason: obstacle ?? nothing };
}

/** As many as one payout is made of. */
const earningsLimit = 400;

/** Runs start at 08:00 in Stockholm, and never on a night when the clocks change. */
const runTime = (date: BusinessDate): Date => new Date(startOfBusinessDate(date).getTime() + hours(8));

async function dayOf(ctx: Context, coach: Coach): Promise<BusinessDate | undefined> {
  const today = businessDate(ctx.clock.now());
  const ran = (await runs.readRun(ctx.db, today)) !== undefined;
  return nextPayDate(coach.payoutSettings.cadence, ran ? addDays(today, 1) : today);
}
