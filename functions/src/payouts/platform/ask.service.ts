import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { FlagInput } from '../../admin/flags.ts';
import { planFlag } from '../../admin/flags.service.ts';
import type { Context } from '../../platform/context.ts';
import { toStripeCurrency } from '../../platform/money.ts';
import { classifyStripeError, keyStillKept } from '../../platform/stripe.ts';
import { runWrites } from '../../platform/write.ts';
import { StripeBusy } from '../ask.service.ts';
import { cameBack, payoutFacts } from '../payouts.ts';
import * as logs from '../payouts.logs.ts';
import * as flags from './platform-flags.ts';
import * as store from './platform.store.ts';
import type { PlatformPayout } from './platform.ts';
import { recordPlatform } from './record.service.ts';

/**
 * Asks Stripe for a payout that is written down, under its own key, and records the answer. Safe to call any number of
 * times, at once and after a crash at any point: whoever comes second looks at Stripe first. Past the key's life it is only
 * looked for, and closed when Stripe has none. Throws StripeBusy.
 */
export async function askPlatform(ctx: Context, id: string): Promise<void> {
  const noted = await noteAsking(ctx, id);
  if (!noted) return;
  const { payout, again } = noted;
  logs.asking(ctx.log, id);
  let made: Stripe.Payout | undefined;
  try {
    made = again ? await findAtStripe(ctx, id, payout) : undefined;
    if (!made && mayAsk(ctx, payout)) made = await create(ctx, id, payout);
  } catch (error) {
    return settleFailure(ctx, id, payout, error);
  }
  if (made) return recordPlatform(ctx, payoutFacts(made));
  return close(ctx, id, 'never_created', 'A day later Stripe has no such payout.', flags.neverCreated);
}

const mayAsk = (ctx: Context, { askedAt }: PlatformPayout): boolean =>
  askedAt !== undefined && keyStillKept(askedAt.toDate(), ctx.clock.now());

/** Written before Stripe is asked: from now on the payout may exist. Undefined: it is settled. */
function noteAsking(ctx: Context, id: string): Promise<{ payout: PlatformPayout; again: boolean } | undefined> {
  return ctx.db.runTransaction(async (tx) => {
    const payout = await store.read(ctx.db, id, tx);
    if (!payout) throw new Error(`platformPayouts/${id} is to be asked for but does not exist.`);
    if (payout.stripePayoutId !== undefined || cameBack(payout.status)) return undefined;
    if (payout.askedAt) return { payout, again: true };
    const at = Timestamp.fromDate(ctx.clock.now());
    const asked: PlatformPayout = { ...payout, askedAt: at, updatedAt: at };
    store.write(ctx.db, tx, id, asked);
    return { payout: asked, again: false };
  });
}

async function create(ctx: Context, id: string, payout: PlatformPayout): Promise<Stripe.Payout> {
  const stripe = await ctx.stripe();
  const { amountMinor, currency, stripeKey } = payout;
  if (stripeKey === undefined) throw new Error(`platformPayouts/${id} has no key.`);
  return stripe.payouts.create(
    {
      amount: amountMinor,
      currency: toStripeCurrency(currency),
      metadata: { payoutId: id },
      expand: ['balance_transaction'],
    },
    { idempotencyKey: stripeKey },
  );
}

/** Stripe's clock and ours need not agree. */
const clockSkewSeconds = 3600;

async function findAtStripe(
  ctx: Context,
  id: string,
  { createdAt }: PlatformPayout,
): Promise<Stripe.Payout | undefined> {
  const stripe = await ctx.stripe();
  const list = stripe.payouts.list({
    created: { gte: createdAt.seconds - clockSkewSeconds },
    limit: 100,
    expand: ['data.balance_transaction', 'data.failure_balance_transaction'],
  });
  for await (const one of list) if (one.metadata?.payoutId === id) return one;
  return undefined;
}

async function settleFailure(ctx: Context, id: string, payout: PlatformPayout, error: unknown): Promise<void> {
  const failure = classifyStripeError(error);
  const { code, message } = failure;
  if (failure.kind === 'busy') {
    logs.busy(ctx.log, id, code);
    throw new StripeBusy(`Stripe is busy (${code}); platformPayouts/${id} is asked for again under its key.`);
  }
  // A key used with other parameters says nothing about what happened under it before.
  const definite = failure.kind === 'refused' && code !== 'StripeIdempotencyError';
  // An earlier ask under this key may have come through although this one is refused: look before closing.
  const found = definite ? await findAtStripe(ctx, id, payout).catch(() => 'unclear' as const) : 'unclear';
  if (found === 'unclear') {
    logs.unclear(ctx.log, id, code, message);
    await markUnknown(ctx, id);
  } else if (found) {
    await recordPlatform(ctx, payoutFacts(found));
  } else {
    logs.refused(ctx.log, id, code, message);
    await close(ctx, id, code, message, (_id, closed) => flags.refused(id, closed, code, message));
  }
}

function markUnknown(ctx: Context, id: string): Promise<void> {
  return change(ctx, id, (payout, updatedAt) => ({ payout: { ...payout, status: 'unknown', updatedAt } }));
}

function close(
  ctx: Context,
  id: string,
  failureCode: string,
  message: string,
  flagOf: (id: string, payout: PlatformPayout) => FlagInput,
): Promise<void> {
  logs.closed(ctx.log, id, failureCode);
  return change(ctx, id, (payout, updatedAt) => {
    const failureMessage = message.slice(0, 500);
    const closed = { ...payout, status: 'failed' as const, failureCode, failureMessage, checkAt: null, updatedAt };
    return { payout: closed, flag: flagOf(id, closed) };
  });
}

/** Changes nothing once Stripe has it, or once it is closed. */
function change(
  ctx: Context,
  id: string,
  next: (payout: PlatformPayout, at: Timestamp) => { payout: PlatformPayout; flag?: FlagInput },
): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const stored = await store.read(ctx.db, id, tx);
    if (!stored || stored.stripePayoutId !== undefined || cameBack(stored.status)) return;
    const { payout, flag } = next(stored, Timestamp.fromDate(ctx.clock.now()));
    const flagged = flag ? await planFlag(ctx, tx, flag) : [];
    store.write(ctx.db, tx, id, payout);
    runWrites(tx, flagged);
  });
}
