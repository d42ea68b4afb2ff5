import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { isOpen, planFlag, raiseFlag, resolveOthers } from '../admin/flags.service.ts';
import { readCoach } from '../coaches/coaches.service.ts';
import { unpaidEarnings } from '../coaches/earnings.service.ts';
import { coachBalance } from '../ledger/ledger.service.ts';
import { debtsSince } from '../payments/transfers/resolve.service.ts';
import { businessDate, days, daysBetween, type BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { planLetter } from '../platform/mail.ts';
import { minor } from '../platform/money.ts';
import { runWrites } from '../platform/write.ts';
import * as words from './age-words.ts';
import { oldMoney, outlook, warnAfterDays, type OldMoney, type Outlook } from './age.ts';
import { isBankingDay } from './calendar.ts';
import { queueBeside } from './runs.service.ts';

/** More old earnings or debts than there ever are; what is beyond is seen once these are settled. */
const watchLimit = 1_000;
/** A debt is expected to be settled by later earnings within this time. */
const debtPatienceDays = 30;

/**
 * Every day, after the day's run: tells of money that nears Stripe's limit of 90 days, and queues it when its time has come;
 * tells of debts that stand. Flags say what is so today, and close when it is no more. Safe to run any number of times.
 */
export async function watchAge(
  ctx: Context,
  scheduledAt: Date,
): Promise<{ old: number; queued: number; debts: number }> {
  const today = businessDate(scheduledAt);
  const by = Timestamp.fromMillis(scheduledAt.getTime() - days(warnAfterDays));
  const earnings = await unpaidEarnings(ctx, by, watchLimit);
  const found = oldMoney(earnings);
  let queued = 0;
  for (const old of found) {
    const { pay } = await tell(ctx, old, scheduledAt);
    if (!pay || !isBankingDay(today)) continue;
    await queueBeside(ctx, today, { coachId: old.coachId, currency: old.currency });
    queued++;
  }
  // Where not all were seen, what is missing may stand.
  if (earnings.length < watchLimit) {
    await resolveOthers(ctx, words.ageFlagKind, new Set(found.map(words.ageFlagId)), 'It is paid, or no longer owed.');
  }
  return { old: found.length, queued, debts: await tellDebts(ctx, today, scheduledAt) };
}

/** The flag as it is today; the coach is written to when it opens. */
function tell(ctx: Context, old: OldMoney, now: Date): Promise<Outlook> {
  return ctx.db.runTransaction(async (tx) => {
    const seen = await look(ctx, tx, old, now);
    const id = words.ageFlagId(old);
    const told = await isOpen(ctx, tx, id);
    const flagged = await planFlag(ctx, tx, words.ageFlag(old, seen));
    runWrites(tx, flagged);
    if (!told) planLetter(ctx.db, `${id}_${seen.limit}`, words.ageLetter(old, seen))(tx);
    return seen;
  });
}

async function look(ctx: Context, tx: Transaction, old: OldMoney, now: Date): Promise<Outlook> {
  const coach = await readCoach(ctx, old.coachId, tx);
  const { payable, receivable } = await coachBalance(ctx.db, tx, old.coachId, old.currency);
  return outlook(coach, old, minor(-(payable + receivable)), now);
}

async function tellDebts(ctx: Context, today: BusinessDate, now: Date): Promise<number> {
  const debts = await debtsSince(ctx, new Date(now.getTime() - days(debtPatienceDays)), watchLimit);
  const byCoach = Map.groupBy(debts, ({ coachId, currency }) => words.debtFlagId(coachId, currency));
  for (const [first, ...others] of byCoach.values()) {
    if (!first) continue;
    const since = businessDate(first.createdAt.toDate());
    const amountMinor = others.reduce((total, debt) => total + debt.amountMinor, first.amountMinor as number);
    const debt = { amountMinor, count: others.length + 1, since, ageDays: daysBetween(since, today) };
    await raiseFlag(ctx, words.debtFlag(first.coachId, first.currency, debt));
  }
  if (debts.length < watchLimit) {
    await resolveOthers(ctx, words.debtFlagKind, new Set(byCoach.keys()), 'The debt is settled.');
  }
  return byCoach.size;
}
