import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag, raiseFlag } from '../admin/flags.service.ts';
import { bookRecent } from '../accounting/stripe-own/recent.service.ts';
import { minimumPayout, payoutObstacle, type Coach } from '../coaches/coaches.ts';
import { readCoach } from '../coaches/coaches.service.ts';
import { payableEarnings, planReserve } from '../coaches/earnings.service.ts';
import { coachBalance } from '../ledger/ledger.service.ts';
import { retryTakeBacks } from '../payments/transfers/resolve.service.ts';
import { minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { isAlreadyExists, isFailedPrecondition, messageOf } from '../platform/errors.ts';
import { minor, sum, toMajor, toStripeCurrency, type Minor } from '../platform/money.ts';
import { classifyStripeError } from '../platform/stripe.ts';
import type { SeenByRun, TaskPayloads } from '../platform/tasks.ts';
import { runWrites, type Write } from '../platform/write.ts';
import { isOverdue } from './age.ts';
import { decideAmount, type AmountDecision, type NothingReason, type Part } from './amount.ts';
import { ask, askFrozen, type AskOutcome } from './ask.service.ts';
import { explain, explainIn, type Nothing } from './explain.service.ts';
import * as flags from './payout-flags.ts';
import * as logs from './payouts.logs.ts';
import * as store from './payouts.store.ts';
import { cameBack, payoutId, type Payout, type PayoutItem } from './payouts.ts';
import type { Numbers } from './runs.ts';
import * as runs from './runs.store.ts';

export type PayTask = TaskPayloads['payCoach'];

/** A task of the run, or what a person asks for: one payout under an id fixed beforehand. */
export interface PayOrder extends PayTask {
  /** Exactly this document: standing or closed, it is not made again. */
  onlyId?: string;
  /** By hand it need not reach the coach's own minimum; `wantedMinor` of what is payable, or all. */
  byHand?: { wantedMinor?: Minor };
}

/** `nothing`: explained in the run. `done`: this due date has its payout already. */
export type PayOutcome = AskOutcome | 'nothing' | 'done';

/** The most earnings one payout is made of; what is left goes with the next. */
const earningsLimit = 400;
/** More refused attempts for one due date than anyone makes by hand. */
const attemptLimit = 50;
const maxRounds = 5;
/** The most debts one task asks Stripe to take back; the sweep asks for the rest. */
const takeBackLimit = 10;

/**
 * Pays one coach what is theirs, once per due date however often it is called. A payout already frozen is finished, with
 * its own amount and key; otherwise one is frozen and asked for. Throws what a queue should try again.
 */
export async function payCoach(ctx: Context, task: PayOrder): Promise<PayOutcome> {
  const tried: Tried = { debts: false, balance: false };
  for (let round = 1; round <= maxRounds; round++) {
    const step = await freeze(ctx, task, tried);
    if (step.step === 'frozen') return askFrozen(ctx, step.payoutId, step.payout);
    if (step.step === 'debts') {
      // What is owed is taken back first, from the same balance that is to be paid out.
      await retryTakeBacks(ctx, task.coachId, takeBackLimit);
      tried.debts = true;
      continue;
    }
    if (step.step === 'balance') {
      // What Stripe let go since the last proof, say, is more than the books have too.
      await bookRecent(ctx, step.owner);
      tried.balance = true;
      continue;
    }
    if (step.step !== 'locked') return step.step;
    const outcome = await ask(ctx, step.payoutId);
    if (isOf(task, step.payoutId, await store.readPayout(ctx.db, step.payoutId))) return outcome;
    // An earlier payout was in the way. If that is settled now, this one's turn has come.
    if (outcome === 'unknown') break;
  }
  await explain(ctx, task, { state: 'nothing', reason: 'earlier-payout-open' });
  return 'nothing';
}

/** The payout that stands is the one asked for; one by hand does not settle the due date of its day. */
const isOf = (order: PayOrder, id: string, payout: Payout | undefined): boolean =>
  order.onlyId === undefined ? payout?.byHand !== true && payout?.dueDate === order.dueDate : order.onlyId === id;

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

type Step =
  | { step: 'frozen'; payoutId: string; payout: Payout }
  | { step: 'locked'; payoutId: string }
  | { step: 'balance'; owner: { coachId: string; stripeAccountId: string } }
  | { step: 'nothing' | 'done' | 'debts' };

/** What has been done already because of what an earlier round saw. */
interface Tried {
  debts: boolean;
  /** Stripe was asked for the balance once more: another payout may have left between that and the ledger. */
  balance: boolean;
}

/** What the run saw of the coach no longer holds: looked at anew. */
class Overtaken extends Error {}

/** Nearly always nothing has happened to a coach since the run queued them: tried first, for half the reads. */
async function freeze(ctx: Context, task: PayOrder, tried: Tried): Promise<Step> {
  if (!task.seen) return decide(ctx, task, tried);
  try {
    return await decide(ctx, task, tried, task.seen);
  } catch (error) {
    if (!(error instanceof Overtaken) && !isAlreadyExists(error) && !isFailedPrecondition(error)) throw error;
    logs.overtaken(ctx.log, task.coachId, task.runId);
    return decide(ctx, task, tried);
  }
}

/** Stripe's answer, its refusal to tell, or not asked because the coach cannot be paid anyway. */
interface Asked {
  account: string | undefined;
  available: Minor | 'refused' | undefined;
  availableBy: Timestamp;
  tried: Tried;
}

/**
 * Stripe is asked what it has just before the transaction that decides; it checks the amount again itself. With `seen`,
 * lock and earlier attempts are not read: that there are none is what the commit creates them by, or fails.
 */
async function decide(ctx: Context, task: PayOrder, tried: Tried, seen?: SeenByRun): Promise<Step> {
  const account = seen ? seen.stripeAccountId : await payableAccount(ctx, task.coachId);
  const available = account === undefined ? undefined : await availableAt(ctx, task, account);
  const asked: Asked = { account, available, availableBy: await nowOf(ctx, task), tried };
  return ctx.db.runTransaction((tx) => freezeIn(ctx, tx, task, asked, seen));
}

async function payableAccount(ctx: Context, coachId: string): Promise<string | undefined> {
  const coach = await readCoach(ctx, coachId);
  return coach && !payoutObstacle(coach, ctx.clock.now()) ? coach.stripeAccountId : undefined;
}

/** A task runs some time after its run was due, never before: whichever is later is now. */
async function nowOf(ctx: Context, task: PayTask): Promise<Timestamp> {
  const { seen } = task;
  const scheduledAt = seen
    ? new Date(seen.scheduledAt)
    : (await runs.readRun(ctx.db, task.runId))?.scheduledAt.toDate();
  const now = ctx.clock.now();
  return Timestamp.fromDate(scheduledAt && scheduledAt > now ? scheduledAt : now);
}

async function freezeIn(
  ctx: Context,
  tx: Transaction,
  task: PayOrder,
  { account, available, availableBy, tried }: Asked,
  seen: SeenByRun | undefined,
): Promise<Step> {
  const first = payoutId(task.coachId, task.currency, task.dueDate, 1);
  const before = seen ? { next: first } : await lookBefore(ctx, tx, task);
  if ('step' in before) return before;
  const coach = await readCoach(ctx, task.coachId, tx);
  const obstacle = payoutObstacle(coach, ctx.clock.now());
  if (obstacle || !coach?.stripeAccountId) return payNothing(ctx, tx, task, seen, { reason: obstacle ?? 'no-account' });
  if (available === undefined || coach.stripeAccountId !== account) {
    throw new Overtaken(`coaches/${task.coachId} became payable while it was read: try again.`);
  }
  if (available === 'refused') return payNothing(ctx, tx, task, seen, { reason: 'balance-refused' });
  const { decision, numbers, debtMinor, writes } = await reckon(ctx, tx, task, coach, available, availableBy);
  if (debtMinor > 0 && !tried.debts) return { step: 'debts' };
  if (writes.length > 0 && !tried.balance) {
    return { step: 'balance', owner: { coachId: task.coachId, stripeAccountId: account } };
  }
  if (!decision.pay) {
    const { reason, amountMinor: payableMinor } = decision;
    return payNothing(ctx, tx, task, seen, { reason, payableMinor, numbers }, writes);
  }
  const id = before.next;
  const payout = { ...frozenPayout(ctx, task, coach, decision), stripeAccountId: account, stripeKey: id };
  store.createPayout(ctx.db, tx, id, payout, itemsOf(decision.parts));
  store.takeLock(ctx.db, tx, task.coachId, task.currency, { payoutId: id, takenAt: payout.createdAt });
  runWrites(tx, [...writes, ...planReserve(ctx, task.coachId, decision.parts)]);
  explainIn(ctx, tx, task, { state: 'payout', payoutId: id, amountMinor: decision.amountMinor, numbers });
  logs.frozen(ctx.log, id, decision.amountMinor, task.currency);
  return { step: 'frozen', payoutId: id, payout };
}

/** A payout that is open or stands already, or which attempt is next. */
async function lookBefore(ctx: Context, tx: Transaction, task: PayOrder): Promise<Step | { next: string }> {
  const lock = await store.readLock(ctx.db, task.coachId, task.currency, tx);
  if (lock) return { step: 'locked', payoutId: lock.payoutId };
  const attempt = await nextAttempt(ctx, tx, task);
  if ('next' in attempt) return attempt;
  const { id, amountMinor } = attempt.standing;
  explainIn(ctx, tx, task, { state: 'payout', payoutId: id, amountMinor });
  return { step: 'done' };
}

/** Where nothing is created that could meet an earlier payout, the lock is looked at, and the run's entry is to be as the run left it. */
async function payNothing(
  ctx: Context,
  tx: Transaction,
  task: PayTask,
  seen: SeenByRun | undefined,
  because: Omit<Nothing, 'state'>,
  writes: readonly Write[] = [],
): Promise<Step> {
  const lock = seen && (await store.readLock(ctx.db, task.coachId, task.currency, tx));
  if (lock) return { step: 'locked', payoutId: lock.payoutId };
  explainIn(ctx, tx, task, { state: 'nothing', ...because }, seen);
  runWrites(tx, writes);
  return { step: 'nothing' };
}

type Attempt = { next: string } | { standing: { id: string; amountMinor: Minor } };

/** The first attempt for this due date that is not closed: standing, so that it is done, or the id of the one to be made. */
export async function nextAttempt(ctx: Context, tx: Transaction, task: PayOrder): Promise<Attempt> {
  if (task.onlyId !== undefined) {
    const made = await store.readPayout(ctx.db, task.onlyId, tx);
    return made ? { standing: { id: task.onlyId, amountMinor: made.amountMinor } } : { next: task.onlyId };
  }
  for (let next = 1; next <= attemptLimit; next++) {
    const id = payoutId(task.coachId, task.currency, task.dueDate, next);
    const existing = await store.readPayout(ctx.db, id, tx);
    if (!existing) return { next: id };
    if (!cameBack(existing.status)) return { standing: { id, amountMinor: existing.amountMinor } };
  }
  throw new Error(`${attemptLimit} payouts to ${task.coachId} for ${task.dueDate} were closed: mend the cause first.`);
}

type Decision =
  | Extract<AmountDecision, { pay: true }>
  | { pay: false; reason: NothingReason | 'more-than-payable'; amountMinor: Minor; explainedMinor: Minor };

const tooMuchAsked = ({ amountMinor, explainedMinor }: AmountDecision): Decision => ({
  pay: false,
  reason: 'more-than-payable',
  amountMinor,
  explainedMinor,
});

/** What is owed, what is there and what explains it, all read in the transaction that freezes it. */
async function reckon(
  ctx: Context,
  tx: Transaction,
  task: PayOrder,
  coach: Coach,
  availableMinor: Minor,
  availableBy: Timestamp,
): Promise<{ decision: Decision; numbers: Numbers; debtMinor: Minor; writes: Write[] }> {
  const { coachId, currency } = task;
  const owed = await coachBalance(ctx.db, tx, coachId, currency);
  const earnings = await payableEarnings(ctx, tx, coachId, { currency, availableBy, limit: earningsLimit });
  const boundMinor = minor(-(owed.payable + owed.receivable));
  // The coach's own minimum would keep it at Stripe for longer than Stripe allows.
  const old = isOverdue(earnings.open, ctx.clock.now());
  const minimumMinor = task.byHand || old ? minimumPayout : coach.payoutSettings.minimumMinor;
  const wantedMinor = task.byHand?.wantedMinor ?? availableMinor;
  const most = minor(Math.min(availableMinor, wantedMinor));
  const decided = decideAmount({ boundMinor, availableMinor: most, minimumMinor, ...earnings });
  const decision = decided.amountMinor < wantedMinor && task.byHand?.wantedMinor ? tooMuchAsked(decided) : decided;
  const tooMuch = availableMinor > owed.connected;
  return {
    decision,
    debtMinor: owed.receivable,
    numbers: { boundMinor, availableMinor, explainedMinor: decision.explainedMinor, minimumMinor },
    writes: tooMuch
      ? await planFlag(ctx, tx, flags.unexplainedBalance(coachId, currency, availableMinor, owed.connected))
      : [],
  };
}

function frozenPayout(
  ctx: Context,
  task: PayOrder,
  coach: Coach,
  { amountMinor, parts }: { amountMinor: Minor; parts: Part[] },
): Omit<Payout, 'stripeAccountId' | 'stripeKey'> {
  const now = ctx.clock.now();
  const at = Timestamp.fromDate(now);
  const tenantMinor = sum(parts.filter(({ earning }) => earning.tenant).map((part) => part.amountMinor));
  return {
    coachId: task.coachId,
    amount: toMajor(amountMinor, task.currency),
    amountMinor,
    currency: task.currency,
    date: at,
    status: 'pending',
    relatedPaymentIds: [...new Set(parts.map((part) => part.earning.paymentId))],
    ...(tenantMinor === 0 ? {} : { tenantMinor }),
    stripeStatus: null,
    ...(coach.payoutDestination ? { destination: coach.payoutDestination.id } : {}),
    runId: task.runId,
    dueDate: task.dueDate,
    // Asked for as soon as this is committed: from now on it may exist.
    askedAt: at,
    ...(task.byHand ? { byHand: true as const } : {}),
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
