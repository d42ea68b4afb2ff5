import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../../admin/audit.service.ts';
import { planFlag, planResolve } from '../../admin/flags.service.ts';
import { platformTotals } from '../../ledger/ledger.service.ts';
import type { Caller } from '../../platform/auth.ts';
import { days, minutes } from '../../platform/clock.ts';
import { FinalRefusal, runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { messageOf, Refusal } from '../../platform/errors.ts';
import { formatMoney, minor, toStripeCurrency, type Currency, type Minor } from '../../platform/money.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { StripeBusy } from '../ask.service.ts';
import { nextCheck } from '../checks.ts';
import { payoutFacts, type PayoutStatus } from '../payouts.ts';
import * as logs from '../payouts.logs.ts';
import { askPlatform } from './ask.service.ts';
import * as flags from './platform-flags.ts';
import * as store from './platform.store.ts';
import {
  askedId,
  decidePlatform,
  isSettled,
  newPlatformPayout,
  platformNumbers,
  shortMinor,
  type PlatformDecision,
  type PlatformNumbers,
  type PlatformPayout,
} from './platform.ts';
import { recordPlatform } from './record.service.ts';

export interface PayPlatformInput {
  /** All that is the platform's, when not named. */
  amountMinor?: number | undefined;
  requestId: string;
}

export interface PayPlatformReply {
  payoutId: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  /** `failed`: Stripe refused it, and nothing has moved; `unknown`: it is asked again until it is known. */
  status: PayoutStatus;
  failureCode: string | null;
  failureMessage: string | null;
  /** What was on the balance, and what of it stays behind and why. */
  numbers: PlatformNumbers | null;
}

export interface PlatformPlan {
  payoutId: string;
  by: string;
  wantedMinor: Minor | null;
}

export const payPlatformCommand = 'payPlatform';

/** An administrator has the platform's own money sent to its bank. What is others' stays. Throws Refusal. */
export function payPlatform(ctx: Context, { uid }: Caller, input: PayPlatformInput): Promise<PayPlatformReply> {
  const { amountMinor, requestId } = input;
  return runCommand<PlatformPlan, PayPlatformReply>(ctx, {
    command: payPlatformCommand,
    uid,
    requestId,
    input,
    plan: async (tx) => {
      const payoutId = askedId(uid, requestId);
      const subject = store.platformPayoutPath(payoutId);
      const after = { amountMinor: amountMinor ?? null };
      planAudit(ctx, `${payPlatformCommand}_${uid}_${requestId}`, {
        by: uid,
        action: payPlatformCommand,
        subject,
        after,
      })(tx);
      return { payoutId, by: uid, wantedMinor: amountMinor === undefined ? null : minor(amountMinor) };
    },
    execute: (plan) => executePlatform(ctx, plan),
  });
}

/** Safe to run any number of times; the sweep runs it again after a crash. */
export async function executePlatform(ctx: Context, plan: PlatformPlan): Promise<PayPlatformReply> {
  const { payoutId } = plan;
  if (!(await store.read(ctx.db, payoutId))) await freeze(ctx, plan);
  try {
    await askPlatform(ctx, payoutId);
  } catch (error) {
    if (!(error instanceof StripeBusy)) throw error;
    throw new Refusal('unavailable', 'stripe-busy', 'Stripe is busy. Try again with the same requestId in a minute.');
  }
  const payout = await store.read(ctx.db, payoutId);
  if (!payout) throw new Error(`platformPayouts/${payoutId} was written and is gone.`);
  return replyOf(payoutId, payout);
}

const replyOf = (payoutId: string, payout: PlatformPayout): PayPlatformReply => ({
  payoutId,
  amount: payout.amount,
  amountMinor: payout.amountMinor,
  currency: payout.currency,
  status: payout.status,
  failureCode: payout.failureCode ?? null,
  failureMessage: payout.failureMessage ?? null,
  numbers: payout.numbers ?? null,
});

/** More others in between than ever come at once. */
const maxRounds = 5;

/**
 * Writes the payout down. The ledger's sums are too wide to be read in a transaction that others wait for, so they are read
 * before it; that no other payout of the platform's was written meanwhile is what the transaction checks. (Sales, transfers
 * and refunds in between move both sides of what is reckoned, or less comes out than is there.)
 */
async function freeze(ctx: Context, plan: PlatformPlan): Promise<void> {
  for (let round = 1; round <= maxRounds; round++) {
    const seen = await store.latest(ctx.db);
    if (seen && !isSettled(seen.payout)) throw earlierOpen(seen.id);
    const numbers = await readNumbers(ctx);
    const payout = decided(ctx, plan, numbers);
    const written = await ctx.db.runTransaction(async (tx) => {
      if (await store.read(ctx.db, plan.payoutId, tx)) return true;
      const latest = await store.latest(ctx.db, tx);
      if (latest?.id !== seen?.id) return false;
      store.create(ctx.db, tx, plan.payoutId, payout);
      return true;
    });
    if (written) return;
  }
  throw new Refusal('aborted', 'others-at-once', 'Others pay the platform out at the same time. Try again.');
}

const earlierOpen = (id: string): FinalRefusal =>
  new FinalRefusal(
    'failed-precondition',
    'earlier-payout-open',
    'An earlier payout of the platform’s is not settled yet. Ask again, with a new requestId, when it is.',
    { payoutId: id },
  );

function tooLittle(
  { reason, ownMinor }: Extract<PlatformDecision, { pay: false }>,
  numbers: PlatformNumbers,
  currency: Currency,
): FinalRefusal {
  const own = formatMoney(ownMinor, currency);
  const details = { ...numbers, ownMinor };
  if (reason === 'more-than-own') {
    const message = `Of the money that is loose ${own} are the platform’s to take. Ask for at most that.`;
    return new FinalRefusal('failed-precondition', 'more-than-own', message, details);
  }
  const message = `Of the money that is loose ${own} are the platform’s to take, which is less than Stripe pays out.`;
  return new FinalRefusal('failed-precondition', 'nothing-own', message, details);
}

function decided(ctx: Context, plan: PlatformPlan, numbers: PlatformNumbers): PlatformPayout {
  const { currency } = ctx.config;
  const decision = decidePlatform(numbers, plan.wantedMinor ?? undefined);
  if (!decision.pay) throw tooLittle(decision, numbers, currency);
  const now = ctx.clock.now();
  const order = { amountMinor: decision.amountMinor, currency, origin: 'asked' as const };
  const { payoutId, by } = plan;
  return {
    ...newPlatformPayout({ ...order, at: Timestamp.fromDate(now) }),
    by,
    numbers,
    stripeKey: `platform-payout:${payoutId}`,
    checkAt: Timestamp.fromMillis(now.getTime() + minutes(5)),
  };
}

async function readNumbers(ctx: Context): Promise<PlatformNumbers> {
  const { currency, platformReserveMinor } = ctx.config;
  const stripe = await ctx.stripe();
  const { available, pending } = await stripe.balance.retrieve();
  const of = (funds: readonly { amount: number; currency: string }[]): Minor =>
    minor(funds.find((one) => one.currency === toStripeCurrency(currency))?.amount ?? 0);
  const totals = await platformTotals(ctx.db, currency);
  return platformNumbers(totals, { availableMinor: of(available), pendingMinor: of(pending) }, platformReserveMinor);
}

/** One sweep's share; the rest waits five minutes. */
const sweepLimit = 20;
/** Patience with what is not settled. */
const patienceMs = days(1);

/** For the sweep: payouts asked for without a clear answer are asked about, those under way are looked up at Stripe. */
export async function resolvePlatformPayouts(ctx: Context, now: Date): Promise<{ looked: number }> {
  const due = await store.dueChecks(ctx.db, Timestamp.fromDate(now), sweepLimit);
  for (const { id, payout } of due) {
    try {
      if (payout.stripePayoutId === undefined) await askPlatform(ctx, id);
      else await lookUp(ctx, payout.stripePayoutId);
    } catch (error) {
      logs.checkFailed(ctx.log, id, messageOf(error));
    }
    await noteChecked(ctx, id, now);
  }
  return { looked: due.length };
}

async function lookUp(ctx: Context, stripePayoutId: string): Promise<void> {
  const stripe = await ctx.stripe();
  const expand = ['balance_transaction', 'failure_balance_transaction'];
  await recordPlatform(ctx, payoutFacts(await stripe.payouts.retrieve(stripePayoutId, { expand })));
}

function noteChecked(ctx: Context, id: string, now: Date): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const stored = await store.read(ctx.db, id, tx);
    if (!stored) return;
    const payout: PlatformPayout = { ...stored, checks: stored.checks + 1 };
    const check = nextCheck(payout, now);
    const late = !isSettled(payout) && now.getTime() - payout.createdAt.toMillis() > patienceMs;
    const flagged = late ? await planFlag(ctx, tx, flags.stillUnknown(id, payout)) : [];
    store.write(ctx.db, tx, id, { ...payout, checkAt: check && Timestamp.fromDate(check) });
    runWrites(tx, flagged);
  });
}

/** For accounting: the voucher that booked it leaving, as "S 12 (2026)". */
export async function planPlatformReference(
  ctx: Context,
  tx: Transaction,
  id: string,
  reference: string,
): Promise<Write[]> {
  const known = await store.read(ctx.db, id, tx);
  return known ? [(t) => store.setReference(ctx.db, t, id, reference)] : [];
}

/** Every day: says when the platform's balance would not cover what must come out of it, and stops saying so when it does. */
export async function watchPlatformBalance(ctx: Context): Promise<PlatformNumbers> {
  const { currency } = ctx.config;
  const numbers = await readNumbers(ctx);
  const short = shortMinor(numbers);
  await ctx.db.runTransaction(async (tx) => {
    const writes =
      short > 0
        ? await planFlag(ctx, tx, flags.balanceShort(numbers, short, currency))
        : await planResolve(ctx, tx, flags.balanceFlagId(currency), 'The balance covers it again.');
    runWrites(tx, writes);
  });
  return numbers;
}
