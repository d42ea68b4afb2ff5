import { Timestamp } from 'firebase-admin/firestore';
import type { FlagInput } from '../admin/flags.ts';
import { planFlag } from '../admin/flags.service.ts';
import { days } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { keyStillKept } from '../platform/stripe.ts';
import { runWrites } from '../platform/write.ts';
import { ask, findAtStripe } from './ask.service.ts';
import { nextCheck } from './checks.ts';
import { issueInvoices } from './invoices.service.ts';
import * as flags from './payout-flags.ts';
import * as logs from './payouts.logs.ts';
import * as store from './payouts.store.ts';
import { cameBack, payoutFacts, type Payout } from './payouts.ts';
import { planClose, record } from './record.service.ts';
import { resumeRuns } from './runs.service.ts';

/** One sweep's share; the rest waits five minutes. */
const sweepLimit = 50;

/**
 * For the sweep: goes on with abandoned runs, and looks at the payouts whose time has come. Unclear outcomes are asked for,
 * those under way are looked up at Stripe; then the invoices that payouts wait for are written. One
 * that fails holds up no other.
 */
export async function resolvePayouts(
  ctx: Context,
  now: Date,
  limit = sweepLimit,
): Promise<{ looked: number; resumed: number; issued: number }> {
  const { resumed } = await resumeRuns(ctx);
  const due = await store.dueChecks(ctx.db, Timestamp.fromDate(now), limit);
  for (const { id, payout } of due) {
    let failure: string | undefined;
    try {
      await resolve(ctx, id, payout);
    } catch (error) {
      failure = messageOf(error);
      logs.checkFailed(ctx.log, id, failure);
    }
    await noteChecked(ctx, id, now, failure);
  }
  return { looked: due.length, resumed, ...(await issueInvoices(ctx)) };
}

async function resolve(ctx: Context, id: string, payout: Payout): Promise<void> {
  if (payout.stripePayoutId !== undefined) return lookUp(ctx, id, payout, payout.stripePayoutId);
  if (keyStillKept(payout.askedAt.toDate(), ctx.clock.now())) {
    await ask(ctx, id);
    return;
  }
  const found = await findAtStripe(ctx, id, payout);
  if (found) return record(ctx, id, payoutFacts(found));
  await closeNeverCreated(ctx, id);
}

async function lookUp(ctx: Context, id: string, payout: Payout, stripePayoutId: string): Promise<void> {
  const stripe = await ctx.stripe();
  const found = await stripe.payouts.retrieve(
    stripePayoutId,
    { expand: ['balance_transaction', 'failure_balance_transaction'] },
    { stripeAccount: payout.stripeAccountId },
  );
  await record(ctx, id, payoutFacts(found));
}

/** Past the key's life Stripe has none: nobody may ask under this key any more, so it cannot come to be. */
function closeNeverCreated(ctx: Context, id: string): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const payout = await store.readPayout(ctx.db, id, tx);
    if (!payout) return;
    const message = 'Asked of Stripe with no clear answer; a day later Stripe has no such payout.';
    const closing = await planClose(ctx, tx, id, payout, { status: 'failed', code: 'never_created', message });
    if (closing.length === 0) return;
    runWrites(tx, [...closing, ...(await planFlag(ctx, tx, flags.neverCreated(id, payout)))]);
  });
}

/** Patience with an outcome nobody knows and with a Stripe that does not answer. */
const patienceMs = days(1);

function noteChecked(ctx: Context, id: string, now: Date, failure: string | undefined): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const payout = await store.readPayout(ctx.db, id, tx);
    if (!payout) return;
    const checked: Payout = { ...payout, checks: payout.checks + 1 };
    const check = nextCheck(checked, now);
    const flag = flagFor(id, payout, now, failure);
    const flagged = flag ? await planFlag(ctx, tx, flag) : [];
    store.writePayout(ctx.db, tx, id, { ...checked, checkAt: check && Timestamp.fromDate(check) });
    runWrites(tx, flagged);
  });
}

function flagFor(id: string, payout: Payout, now: Date, failure: string | undefined): FlagInput | undefined {
  if (now.getTime() - payout.createdAt.toMillis() <= patienceMs) return undefined;
  if (payout.stripePayoutId === undefined) return cameBack(payout.status) ? undefined : flags.stillUnknown(id, payout);
  return failure === undefined ? undefined : flags.notReadable(id, payout, failure);
}
