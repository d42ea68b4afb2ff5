import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../admin/flags.service.ts';
import { payoutObstacle } from '../coaches/coaches.ts';
import { readCoach, refreshIfPossible } from '../coaches/coaches.service.ts';
import type { Context } from '../platform/context.ts';
import { toStripeCurrency } from '../platform/money.ts';
import { classifyStripeError, keyStillKept, type StripeFailure } from '../platform/stripe.ts';
import { runWrites } from '../platform/write.ts';
import * as flags from './payout-flags.ts';
import * as logs from './payouts.logs.ts';
import * as store from './payouts.store.ts';
import { cameBack, payoutFacts, type Payout } from './payouts.ts';
import { planClose, record } from './record.service.ts';

/** `settled`: Stripe has it, or had it before. `closed`: it will not be. `unknown`: only asking again tells. */
export type AskOutcome = 'settled' | 'closed' | 'unknown';

/** Stripe had no time. Thrown so that the queue, or the sweep, tries again later under the same key. */
export class StripeBusy extends Error {}

/**
 * Asks Stripe for a frozen payout and records the answer. Safe to call any number of times, at once, and after a crash
 * at any point: everyone asks the same under the same key. Throws StripeBusy.
 */
export async function ask(ctx: Context, id: string): Promise<AskOutcome> {
  const noted = await noteAsking(ctx, id);
  if (noted.outcome !== 'ask') return noted.outcome;
  const { payout, again } = noted;
  logs.asking(ctx.log, id, again);
  let made: Stripe.Payout;
  try {
    // Asked before: Stripe's list tells more surely than its memory of the key.
    const found = again ? await findAtStripe(ctx, id, payout) : undefined;
    made = found ?? (await create(ctx, id, payout));
  } catch (error) {
    return settleFailure(ctx, id, payout, classifyStripeError(error));
  }
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

type Noted = { outcome: 'ask'; payout: Payout; again: boolean } | { outcome: AskOutcome };

/** Written before Stripe is asked: from now on the payout may exist. What was never asked and may no longer be is closed instead. */
function noteAsking(ctx: Context, id: string): Promise<Noted> {
  return ctx.db.runTransaction(async (tx): Promise<Noted> => {
    const payout = await store.readPayout(ctx.db, id, tx);
    if (!payout) throw new Error(`payouts/${id} is locked but does not exist.`);
    if (payout.stripePayoutId !== undefined) return { outcome: 'settled' };
    if (cameBack(payout.status)) return { outcome: 'closed' };
    const now = ctx.clock.now();
    if (payout.askedAt) {
      // Past the key's life a second ask could be a second payout: the sweep looks at Stripe first.
      const kept = keyStillKept(payout.askedAt.toDate(), now);
      return kept ? { outcome: 'ask', payout, again: true } : { outcome: 'unknown' };
    }
    const obstacle = payoutObstacle(await readCoach(ctx, payout.coachId, tx), now);
    if (obstacle) {
      const message = 'The coach could no longer be paid when Stripe was to be asked.';
      runWrites(tx, await planClose(ctx, tx, id, payout, { status: 'canceled', code: obstacle, message }));
      return { outcome: 'closed' };
    }
    const asked: Payout = { ...payout, askedAt: Timestamp.fromDate(now), updatedAt: Timestamp.fromDate(now) };
    store.writePayout(ctx.db, tx, id, asked);
    return { outcome: 'ask', payout: asked, again: false };
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
