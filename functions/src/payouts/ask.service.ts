import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../admin/flags.service.ts';
import { payoutObstacle, type PayoutObstacle } from '../coaches/coaches.ts';
import { readCoach, refreshIfPossible } from '../coaches/coaches.service.ts';
import type { Context } from '../platform/context.ts';
import { toStripeCurrency } from '../platform/money.ts';
import { classifyStripeError, keyStillKept, type StripeFailure } from '../platform/stripe.ts';
import { runWrites } from '../platform/write.ts';
import * as flags from './payout-flags.ts';
import * as logs from './payouts.logs.ts';
import * as store from './payouts.store.ts';
import { cameBack, payoutFacts, type Payout } from './payouts.ts';
import { payCoachQueue } from './queue.ts';
import { planClose, record } from './record.service.ts';

/** `settled`: Stripe has it, or had it before. `closed`: it will not be. `unknown`: only asking again tells. */
export type AskOutcome = 'settled' | 'closed' | 'unknown';

/** Stripe had no time. Thrown so that the queue, or the sweep, tries again later under the same key. */
export class StripeBusy extends Error {}

/**
 * Asks Stripe for a payout that was frozen before, by whomever, and records the answer. Safe to call any number of times,
 * at once, and after a crash at any point: everyone asks the same under the same key. Throws StripeBusy.
 */
export async function ask(ctx: Context, id: string): Promise<AskOutcome> {
  const noted = await noteAsking(ctx, id);
  if ('outcome' in noted) return noted.outcome;
  const { payout, obstacle } = noted;
  // Asked before: Stripe's list tells more surely than its memory of the key.
  return settle(ctx, id, payout, async () => {
    const found = await findAtStripe(ctx, id, payout);
    return found ?? (obstacle ? undefined : create(ctx, id, payout));
  });
}

/** Asks for one that this very call has frozen. */
export const askFrozen = (ctx: Context, id: string, payout: Payout): Promise<AskOutcome> =>
  settle(ctx, id, payout, () => create(ctx, id, payout));

/** `making` gives Stripe's payout, or undefined where it is not to be made any more. */
async function settle(
  ctx: Context,
  id: string,
  payout: Payout,
  making: () => Promise<Stripe.Payout | undefined>,
): Promise<AskOutcome> {
  logs.asking(ctx.log, id);
  let made: Stripe.Payout | undefined;
  try {
    made = await making();
  } catch (error) {
    return settleFailure(ctx, id, payout, classifyStripeError(error));
  }
  if (!made) return closeObstructed(ctx, id);
  await record(ctx, id, payoutFacts(made));
  return 'settled';
}

async function create(ctx: Context, id: string, payout: Payout): Promise<Stripe.Payout> {
  const stripe = await ctx.stripe();
  return stripe.payouts.create(
    {
      amount: payout.amountMinor,
      currency: toStripeCurrency(payout.currency),
      metadata: { payoutId: id, coachId: payout.coachId },
      ...(payout.destination ? { destination: payout.destination } : {}),
      expand: ['balance_transaction'],
    },
    { stripeAccount: payout.stripeAccountId, idempotencyKey: payout.stripeKey },
  );
}

type Noted = { payout: Payout; obstacle: PayoutObstacle | undefined } | { outcome: AskOutcome };

/** Whether to ask, written where asking may follow: whoever would close the payout sees that somebody is at it. */
function noteAsking(ctx: Context, id: string): Promise<Noted> {
  return ctx.db.runTransaction(async (tx): Promise<Noted> => {
    const payout = await store.readPayout(ctx.db, id, tx);
    if (!payout) throw new Error(`payouts/${id} is locked but does not exist.`);
    if (payout.stripePayoutId !== undefined) return { outcome: 'settled' };
    if (cameBack(payout.status)) return { outcome: 'closed' };
    const now = ctx.clock.now();
    // Past the key's life a second ask could be a second payout: the sweep looks at Stripe first.
    if (!keyStillKept(payout.askedAt.toDate(), now)) return { outcome: 'unknown' };
    const obstacle = payoutObstacle(await readCoach(ctx, payout.coachId, tx), now);
    if (!obstacle) store.writePayout(ctx.db, tx, id, { ...payout, updatedAt: Timestamp.fromDate(now) });
    return { payout, obstacle };
  });
}

/** Longer than a task lives: whoever was asking has Stripe's answer by then, or will never have it. */
const quietMs = payCoachQueue.timeoutSeconds * 1000;

/** Stripe has none, and the coach may no longer be paid: closed once nobody can be asking for it any more. */
function closeObstructed(ctx: Context, id: string): Promise<AskOutcome> {
  return ctx.db.runTransaction(async (tx): Promise<AskOutcome> => {
    const payout = await store.readPayout(ctx.db, id, tx);
    if (!payout || payout.stripePayoutId !== undefined) return 'settled';
    if (cameBack(payout.status)) return 'closed';
    const now = ctx.clock.now();
    const code = payoutObstacle(await readCoach(ctx, payout.coachId, tx), now);
    if (!code || now.getTime() - payout.updatedAt.toMillis() < quietMs) return 'unknown';
    const message = 'The coach could no longer be paid, and Stripe has no such payout.';
    runWrites(tx, await planClose(ctx, tx, id, payout, { status: 'canceled', code, message }));
    return 'closed';
  });
}

async function settleFailure(ctx: Context, id: string, payout: Payout, failure: StripeFailure): Promise<AskOutcome> {
  if (failure.kind === 'busy') {
    logs.busy(ctx.log, id, failure.code);
    throw new StripeBusy(`Stripe is busy (${failure.code}); payouts/${id} is asked for again under its key.`);
  }
  // A key used with other parameters says nothing about what happened under it before.
  const definite = failure.kind === 'refused' && failure.code !== 'StripeIdempotencyError';
  if (!definite) return markUnknown(ctx, id, failure);
  // An earlier ask under this key may have come through although this one is refused: look before closing.
  const found = await findAtStripe(ctx, id, payout).catch(() => 'unclear' as const);
  if (found === 'unclear') return markUnknown(ctx, id, failure);
  if (found) {
    await record(ctx, id, payoutFacts(found));
    return 'settled';
  }
  logs.refused(ctx.log, id, failure.code, failure.message);
  await closeRefused(ctx, id, failure);
  await refreshCoach(ctx, payout.coachId);
  return 'closed';
}

function markUnknown(ctx: Context, id: string, failure: StripeFailure): Promise<AskOutcome> {
  logs.unclear(ctx.log, id, failure.code, failure.message);
  return ctx.db.runTransaction(async (tx): Promise<AskOutcome> => {
    const payout = await store.readPayout(ctx.db, id, tx);
    // An event may have told the outcome meanwhile.
    if (!payout || payout.stripePayoutId !== undefined) return 'settled';
    if (cameBack(payout.status)) return 'closed';
    store.writePayout(ctx.db, tx, id, { ...payout, status: 'unknown', updatedAt: Timestamp.fromDate(ctx.clock.now()) });
    return 'unknown';
  });
}

function closeRefused(ctx: Context, id: string, failure: StripeFailure): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const payout = await store.readPayout(ctx.db, id, tx);
    if (!payout) return;
    const { code, message } = failure;
    const closing = await planClose(ctx, tx, id, payout, { status: 'failed', code, message });
    if (closing.length === 0) return;
    runWrites(tx, [...closing, ...(await planFlag(ctx, tx, flags.payoutRefused(id, payout, code, message)))]);
  });
}

/** The cause is often the account or its bank: the next attempt is to see both as they are. */
async function refreshCoach(ctx: Context, coachId: string): Promise<void> {
  const coach = await readCoach(ctx, coachId);
  if (coach) await refreshIfPossible(ctx, coachId, coach);
}

/** Stripe's clock and ours need not agree. */
const clockSkewSeconds = 3600;

/** The payout at Stripe that carries our id, if there is one. */
export async function findAtStripe(ctx: Context, id: string, payout: Payout): Promise<Stripe.Payout | undefined> {
  const stripe = await ctx.stripe();
  const list = stripe.payouts.list(
    {
      created: { gte: payout.createdAt.seconds - clockSkewSeconds },
      limit: 100,
      expand: ['data.balance_transaction', 'data.failure_balance_transaction'],
    },
    { stripeAccount: payout.stripeAccountId },
  );
  for await (const candidate of list) if (candidate.metadata?.payoutId === id) return candidate;
  return undefined;
}
