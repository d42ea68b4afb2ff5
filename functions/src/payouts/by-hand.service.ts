import type { Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../admin/audit.service.ts';
import type { Coach } from '../coaches/coaches.ts';
import { readCoach } from '../coaches/coaches.service.ts';
import type { Caller } from '../platform/auth.ts';
import { addDays, businessDate, hours, startOfBusinessDate, type BusinessDate } from '../platform/clock.ts';
import { runCommand } from '../platform/commands.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { minor } from '../platform/money.ts';
import { StripeBusy } from './ask.service.ts';
import { nothingPaid, replyOf, requireRetryable, type PayoutReply } from './by-hand.ts';
import { payCoach, type PayOrder } from './pay.service.ts';
import { attemptId, byHandId, cameBack, type Payout } from './payouts.ts';
import * as store from './payouts.store.ts';
import { startRun, type RunReply } from './runs.service.ts';
import * as runs from './runs.store.ts';

/** Payouts that a person starts: a run, one coach's, another attempt. Whatever a run does meanwhile, the lock lets one through. */

export interface RunInput {
  coachId?: string | undefined;
  amountMinor?: number | undefined;
  date?: BusinessDate | undefined;
  requestId: string;
}

export type RunPayoutsReply = { run: RunReply } | { payout: PayoutReply };

/** What is done is fixed when the command is accepted: a repeat after midnight is for the same day and the same document. */
export type RunPlan = { date: BusinessDate } | { order: OnePayout };

/** An order for exactly one document. */
export type OnePayout = PayOrder & { onlyId: string };

export const runPayoutsCommand = 'runPayouts';
export const requestPayoutCommand = 'requestPayout';
export const retryPayoutCommand = 'retryPayout';

/** An administrator's run: the day's, for all who are due, or one coach's payout of what is payable. Throws Refusal. */
export function runPayouts(ctx: Context, { uid }: Caller, input: RunInput): Promise<RunPayoutsReply> {
  return runCommand<RunPlan, RunPayoutsReply>(ctx, {
    command: runPayoutsCommand,
    uid,
    requestId: input.requestId,
    input,
    plan: (tx) => planRun(ctx, tx, uid, input),
    execute: (plan) => executeRun(ctx, plan),
  });
}

async function planRun(ctx: Context, tx: Transaction, by: string, input: RunInput): Promise<RunPlan> {
  const { coachId, amountMinor, requestId } = input;
  const audit = (subject: string, after: object) =>
    planAudit(ctx, `${runPayoutsCommand}_${by}_${requestId}`, { by, action: runPayoutsCommand, subject, after });
  if (coachId !== undefined) {
    if (input.date !== undefined) refuseInput('date-not-for-one', 'A payout of one coach is of today: leave date out.');
    const coach = await requireCoach(ctx, tx, coachId);
    const order = orderFor(ctx, { coachId, coach, amountMinor, requestId });
    audit(store.payoutPath(order.onlyId), { coachId, amountMinor: amountMinor ?? null })(tx);
    return { order };
  }
  if (amountMinor !== undefined) refuseInput('amount-without-coach', 'An amount is for one coach: name the coachId.');
  const date = runDate(ctx, input.date);
  audit(`payoutRuns/${date}`, { date })(tx);
  return { date };
}

function refuseInput(reason: string, message: string): never {
  throw new Refusal('invalid-argument', reason, message);
}

/** How far back a run of its own makes sense: a run answers for all days since the last one anyway. */
const oldestRunDays = 7;

function runDate(ctx: Context, wanted: BusinessDate | undefined): BusinessDate {
  const today = businessDate(ctx.clock.now());
  const date = wanted ?? today;
  if (date > today) refuseInput('date-in-future', 'That day has not come. Its run is made by itself.');
  if (date < addDays(today, -oldestRunDays)) {
    refuseInput(
      'date-too-old',
      `A run can be made up to ${oldestRunDays} days back. Today’s answers for what was missed.`,
    );
  }
  return date;
}

/** Safe to run any number of times; the sweep runs it again after a crash. */
export async function executeRun(ctx: Context, plan: RunPlan): Promise<RunPayoutsReply> {
  if ('order' in plan) return { payout: await executeOne(ctx, plan.order) };
  // As if the schedule had come at its time.
  const scheduledAt = new Date(startOfBusinessDate(plan.date).getTime() + hours(8));
  return { run: await startRun(ctx, scheduledAt) };
}

/** A coach with cadence `manual` asks for their own. Throws Refusal. */
export function requestPayout(
  ctx: Context,
  { uid }: Caller,
  input: { amountMinor?: number | undefined; requestId: string },
): Promise<PayoutReply> {
  return runCommand<OnePayout, PayoutReply>(ctx, {
    command: requestPayoutCommand,
    uid,
    requestId: input.requestId,
    input,
    plan: async (tx) => {
      const coach = await requireCoach(ctx, tx, uid);
      if (coach.payoutSettings.cadence !== 'manual') {
        throw new Refusal(
          'failed-precondition',
          'payouts-by-schedule',
          'Your payouts are made by themselves. To ask for them, set the cadence to by hand (manual) first.',
        );
      }
      return orderFor(ctx, { coachId: uid, coach, ...input });
    },
    execute: (order) => executeOne(ctx, order),
  });
}

async function requireCoach(ctx: Context, tx: Transaction, coachId: string): Promise<Coach> {
  const coach = await readCoach(ctx, coachId, tx);
  if (!coach) throw new Refusal('not-found', 'coach-not-found', `There is no coach ${coachId}.`);
  return coach;
}

function orderFor(
  ctx: Context,
  asked: { coachId: string; coach: Coach; amountMinor?: number | undefined; requestId: string },
): OnePayout {
  const { coachId, coach, amountMinor, requestId } = asked;
  const { currency } = coach;
  const dueDate = businessDate(ctx.clock.now());
  return {
    coachId,
    currency,
    dueDate,
    runId: `m${requestId}`,
    onlyId: byHandId(coachId, currency, dueDate, requestId),
    byHand: amountMinor === undefined ? {} : { wantedMinor: minor(amountMinor) },
  };
}

/** Another attempt at a payout that failed or was canceled, a new document. By an administrator or the coach. Throws Refusal. */
export function retryPayout(
  ctx: Context,
  caller: Caller,
  input: { payoutId: string; requestId: string },
): Promise<PayoutReply> {
  const { payoutId, requestId } = input;
  return runCommand<OnePayout, PayoutReply>(ctx, {
    command: retryPayoutCommand,
    uid: caller.uid,
    requestId,
    input,
    plan: async (tx) => {
      const payout = await store.readPayout(ctx.db, payoutId, tx);
      if (!payout || !(caller.admin || payout.coachId === caller.uid)) {
        throw new Refusal('not-found', 'payout-not-found', `There is no payout ${payoutId}.`);
      }
      requireRetryable(payout);
      const order = await nextOrder(ctx, tx, payoutId, payout, requestId);
      planAudit(ctx, `${retryPayoutCommand}_${caller.uid}_${requestId}`, {
        by: caller.uid,
        action: retryPayoutCommand,
        subject: store.payoutPath(payoutId),
        after: { payoutId: order.onlyId },
      })(tx);
      return order;
    },
    execute: (order) => executeOne(ctx, order),
  });
}

/** More attempts than anyone makes. */
const attemptLimit = 50;

async function nextOrder(
  ctx: Context,
  tx: Transaction,
  payoutId: string,
  payout: Payout,
  requestId: string,
): Promise<OnePayout> {
  const { coachId, currency, dueDate, byHand, amountMinor } = payout;
  for (let n = 1; n <= attemptLimit; n++) {
    const onlyId = attemptId(payoutId, payout, n);
    const made = await store.readPayout(ctx.db, onlyId, tx);
    if (!made) {
      const order = { coachId, currency, dueDate, runId: `m${requestId}`, onlyId };
      return { ...order, ...(byHand ? { byHand: { wantedMinor: amountMinor } } : {}) };
    }
    if (!cameBack(made.status)) {
      throw new Refusal('failed-precondition', 'already-retried', `It was made again already, as ${onlyId}.`, {
        payoutId: onlyId,
      });
    }
  }
  throw new Refusal('failed-precondition', 'too-many-attempts', 'So many attempts failed: mend the cause first.');
}

/** Safe to run any number of times; the sweep runs it again after a crash. Throws FinalRefusal when nothing is to be paid. */
export async function executeOne(ctx: Context, order: OnePayout): Promise<PayoutReply> {
  try {
    await payCoach(ctx, order);
  } catch (error) {
    if (!(error instanceof StripeBusy)) throw error;
    throw new Refusal('unavailable', 'stripe-busy', 'Stripe is busy. Try again with the same requestId in a minute.');
  }
  const payout = await store.readPayout(ctx.db, order.onlyId);
  if (payout) return replyOf(order.onlyId, payout);
  const entry = await runs.readRunCoach(ctx.db, order.runId, order.coachId);
  if (entry?.state !== 'nothing')
    throw new Error(`payoutRuns/${order.runId} does not say why ${order.onlyId} is not made.`);
  throw nothingPaid(entry);
}
