import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag, raiseFlag } from '../admin/flags.service.ts';
import { payoutObstacle, type Coach } from '../coaches/coaches.ts';
import { readCoach } from '../coaches/coaches.service.ts';
import { payableEarnings, planReserve } from '../coaches/earnings.service.ts';
import { coachBalance } from '../ledger/ledger.service.ts';
import { minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { minor, toMajor, toStripeCurrency, type Minor } from '../platform/money.ts';
import { classifyStripeError } from '../platform/stripe.ts';
import type { TaskPayloads } from '../platform/tasks.ts';
import { runWrites, type Write } from '../platform/write.ts';
import { decideAmount, type AmountDecision, type Part } from './amount.ts';
import { ask, type AskOutcome } from './ask.service.ts';
import * as flags from './payout-flags.ts';
import * as logs from './payouts.logs.ts';
import * as store from './payouts.store.ts';
import { cameBack, payoutId, type Payout, type PayoutItem } from './payouts.ts';
import type { Numbers, RunCoach } from './runs.ts';
import * as runs from './runs.store.ts';

export type PayTask = TaskPayloads['payCoach'];

/** `nothing`: explained in the run. `done`: this due date has its payout already. */
export type PayOutcome = AskOutcome | 'nothing' | 'done';

/** The most earnings one payout is made of; what is left goes with the next. */
const earningsLimit = 400;
/** More refused attempts for one due date than anyone makes by hand. */
const attemptLimit = 50;
const maxRounds = 3;

/**
 * Pays one coach what is theirs, once per due date however often it is called. A payout already frozen is finished, with
 * its own amount and key; otherwise one is frozen and asked for. Throws what a queue should try again.
 */
export async function payCoach(ctx: Context, task: PayTask): Promise<PayOutcome> {
  for (let round = 1; round <= maxRounds; round++) {
    const held = await store.readLock(ctx.db, task.coachId, task.currency);
    const step: Step = held ? { step: 'locked', payoutId: held.payoutId } : await freeze(ctx, task);
    if (!('payoutId' in step)) return step.step;
    const outcome = await ask(ctx, step.payoutId);
    const payout = await store.readPayout(ctx.db, step.payoutId);
    if (step.step === 'frozen' || payout?.dueDate === task.dueDate) return outcome;
    // An earlier due date's payout was in the way. If that is settled now, this one's turn has come.
    if (outcome === 'unknown') break;
  }
  await explain(ctx, task, { state: 'nothing', reason: 'earlier-payout-open' });
  return 'nothing';
}

/** One delivery from the queue. After the last retry a person is told; a payout already frozen stays in the sweep's care. */
export async function payCoachTask(ctx: Context, task: PayTask, lastTry: boolean): Promise<PayOutcome> {
  try {
    return await payCoach(ctx, task);
  } catch (error) {
    logs.taskFailed(ctx.log, task.coachId, task.runId, lastTry, messageOf(error));
    if (lastTry) await raiseFlag(ctx, flags.taskGaveUp(task.coachId, task.runId, messageOf(error)));
    throw error;
  }
}

type Step = { step: 'locked' | 'frozen'; payoutId: string } | { step: 'nothing' | 'done' };

/** Stripe's answer, its refusal to tell, or not asked because the coach cannot be paid anyway. */
type Available = Minor | 'refused' | undefined;

/** Stripe is asked what it has just before the transaction that decides; it checks the amount again itself. */
async function freeze(ctx: Context, task: PayTask): Promise<Step> {
  const coach = await readCoach(ctx, task.coachId);
  const account = coach && !payoutObstacle(coach, ctx.clock.now()) ? coach.stripeAccountId : undefined;
  const available = account === undefined ? undefined : await availableAt(ctx, task, account);
  const availableBy = await nowOf(ctx, task);
  return ctx.db.runTransaction((tx) => freezeIn(ctx, tx, task, available, availableBy));
}

/** A task runs some time after its run was due, never before: whichever is later is now. */
async function nowOf(ctx: Context, task: PayTask): Promise<Timestamp> {
  const now = Timestamp.fromDate(ctx.clock.now());
  const scheduledAt = (await runs.readRun(ctx.db, task.runId))?.scheduledAt;
  return scheduledAt && scheduledAt.toMillis() > now.toMillis() ? scheduledAt : now;
}

async function freezeIn(
  ctx: Context,
  tx: Transaction,
  task: PayTask,
  available: Available,
  availableBy: Timestamp,
): Promise<Step> {
  const lock = await store.readLock(ctx.db, task.coachId, task.currency, tx);
  if (lock) return { step: 'locked', payoutId: lock.payoutId };
  const attempt = await nextAttempt(ctx, tx, task);
  if ('standing' in attempt) {
    const { id, amountMinor } = attempt.standing;
    explainIn(ctx, tx, task, { state: 'payout', payoutId: id, amountMinor });
    return { step: 'done' };
  }
  const coach = await readCoach(ctx, task.coachId, tx);
  const obstacle = payoutObstacle(coach, ctx.clock.now());
  if (obstacle || !coach?.stripeAccountId) {
    explainIn(ctx, tx, task, { state: 'nothing', reason: obstacle ?? 'no-account' });
    return { step: 'nothing' };
  }
  if (available === 'refused') {
    explainIn(ctx, tx, task, { state: 'nothing', reason: 'balance-refused' });
    return { step: 'nothing' };
  }
  if (available === undefined) throw new Error(`coaches/${task.coachId} became payable while it was read: try again.`);
  const reckoned = await reckon(ctx, tx, task, coach, available, availableBy);
  const { decision, numbers } = reckoned;
  if (!decision.pay) {
    explainIn(ctx, tx, task, { state: 'nothing', reason: decision.reason, numbers });
    runWrites(tx, reckoned.writes);
    return { step: 'nothing' };
  }
  const id = payoutId(task.coachId, task.currency, task.dueDate, attempt.next);
  const made = { ...frozenPayout(ctx, task, coach, decision), stripeAccountId: coach.stripeAccountId, stripeKey: id };
  store.createPayout(ctx.db, tx, id, made, itemsOf(decision.parts));
  store.takeLock(ctx.db, tx, task.coachId, task.currency, { payoutId: id, takenAt: made.createdAt });
  runWrites(tx, [...reckoned.writes, ...planReserve(ctx, task.coachId, decision.parts)]);
  explainIn(ctx, tx, task, { state: 'payout', payoutId: id, amountMinor: decision.amountMinor, numbers });
  logs.frozen(ctx.log, id, decision.amountMinor, task.currency);
  return { step: 'frozen', payoutId: id };
}

/** The first attempt for this due date that is not closed: standing, so that it is done, or still to be made. */
async function nextAttempt(
  ctx: Context,
  tx: Transaction,
  task: PayTask,
): Promise<{ next: number } | { standing: { id: string; amountMinor: Minor } }> {
  for (let next = 1; next <= attemptLimit; next++) {
    const id = payoutId(task.coachId, task.currency, task.dueDate, next);
    const existing = await store.readPayout(ctx.db, id, tx);
    if (!existing) return { next };
    if (!cameBack(existing.status)) return { standing: { id, amountMinor: existing.amountMinor } };
  }
  throw new Error(`${attemptLimit} payouts to ${task.coachId} for ${task.dueDate} were closed: mend the cause first.`);
}

/** What is owed, what is there and what explains it, all read in the transaction that freezes it. */
async function reckon(
  ctx: Context,
  tx: Transaction,
  task: PayTask,
  coach: Coach,
  availableMinor: Minor,
  availableBy: Timestamp,
): Promise<{ decision: AmountDecision; numbers: Numbers; writes: Write[] }> {
  const { coachId, currency } = task;
  const owed = await coachBalance(ctx.db, tx, coachId, currency);
  const earnings = await payableEarnings(ctx, tx, coachId, { currency, availableBy, limit: earningsLimit });
  const boundMinor = minor(-(owed.payable + owed.receivable));
  const { minimumMinor } = coach.payoutSettings;
  const decision = decideAmount({ boundMinor, availableMinor, minimumMinor, ...earnings });
  const tooMuch = availableMinor > owed.connected;
  return {
    decision,
    numbers: { boundMinor, availableMinor, explainedMinor: decision.explainedMinor, minimumMinor },
    writes: tooMuch
      ? await planFlag(ctx, tx, flags.unexplainedBalance(coachId, currency, availableMinor, owed.connected))
      : [],
  };
}

function frozenPayout(
  ctx: Context,
  task: PayTask,
  coach: Coach,
  { amountMinor, parts }: { amountMinor: Minor; parts: Part[] },
): Omit<Payout, 'stripeAccountId' | 'stripeKey'> {
  const now = ctx.clock.now();
  const at = Timestamp.fromDate(now);
  return {
    coachId: task.coachId,
    amount: toMajor(amountMinor, task.currency),
    amountMinor,
    currency: task.currency,
    date: at,
    status: 'pending',
    relatedPaymentIds: [...new Set(parts.map((part) => part.earning.paymentId))],
    stripeStatus: null,
    ...(coach.payoutDestination ? { destination: coach.payoutDestination.id } : {}),
    runId: task.runId,
    dueDate: task.dueDate,
    itemsReserved: true,
    checkAt: Timestamp.fromMillis(now.getTime() + minutes(5)),
    checks: 0,
    createdAt: at,
    updatedAt: at,
  };
}

function itemsOf(parts: readonly Part[]): Map<string, PayoutItem> {
  const items = new Map<string, PayoutItem>();
  for (const { earning, amountMinor } of parts) {
    const { ledgerId, paymentId, paidMinor: paidBeforeMinor } = earning;
    items.set(ledgerId, { paymentId, kind: 'sale', amountMinor, paidBeforeMinor });
  }
  if (items.size !== parts.length) throw new Error('Two earnings name one ledger document: a payout cannot list both.');
  return items;
}

/** What Stripe lets go from the coach's balance now. A refusal to tell is for a person; anything else is tried again. */
async function availableAt(ctx: Context, task: PayTask, stripeAccount: string): Promise<Minor | 'refused'> {
  const stripe = await ctx.stripe();
  try {
    const balance = await stripe.balance.retrieve({}, { stripeAccount });
    const currency = toStripeCurrency(task.currency);
    return minor(balance.available.find((entry) => entry.currency === currency)?.amount ?? 0);
  } catch (error) {
    const failure = classifyStripeError(error);
    if (failure.kind !== 'refused') throw error;
    logs.balanceRefused(ctx.log, task.coachId, failure.code);
    await raiseFlag(ctx, flags.balanceRefused(task.coachId, failure.code, failure.message));
    return 'refused';
  }
}

type Verdict =
  | { state: 'payout'; payoutId: string; amountMinor: Minor; numbers?: Numbers }
  | { state: 'nothing'; reason: Extract<RunCoach, { state: 'nothing' }>['reason']; numbers?: Numbers };

function explainIn(ctx: Context, tx: Transaction, task: PayTask, verdict: Verdict): void {
  const { coachId, currency, dueDate, runId } = task;
  const updatedAt = Timestamp.fromDate(ctx.clock.now());
  runs.writeRunCoach(ctx.db, tx, runId, { coachId, currency, dueDate, updatedAt, ...verdict });
  if (verdict.state === 'nothing') logs.nothingPaid(ctx.log, coachId, runId, verdict.reason);
}

function explain(ctx: Context, task: PayTask, verdict: Verdict): Promise<void> {
  return ctx.db.runTransaction(async (tx) => explainIn(ctx, tx, task, verdict));
}
