import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../../admin/audit.service.ts';
import { planFlag } from '../../admin/flags.service.ts';
import { planEntries } from '../../ledger/ledger.service.ts';
import type { LedgerEntry } from '../../ledger/ledger.ts';
import { platformPayout } from '../../ledger/shares.ts';
import type { Context } from '../../platform/context.ts';
import { minor } from '../../platform/money.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { nextCheck } from '../checks.ts';
import { cameBack, merged, type BookedFacts, type PayoutFacts } from '../payouts.ts';
import * as flags from './platform-flags.ts';
import * as store from './platform.store.ts';
import { foundPlatformPayout, type PlatformPayout } from './platform.ts';

/**
 * Plans all that follows from what Stripe says of a payout of the platform's own: our call's answer, an event and the sweep
 * go this one way, in any order. One that nobody asked us for is booked like any other, under Stripe's id.
 */
export async function planPlatformFacts(
  ctx: Context,
  tx: Transaction,
  heard: readonly PayoutFacts[],
  sourceEventId?: string,
): Promise<Write[]> {
  const [first] = heard;
  if (!first) return [];
  const named = first.payoutId === null ? undefined : await store.read(ctx.db, first.payoutId, tx);
  const ours = named && (named.stripePayoutId ?? first.id) === first.id ? named : undefined;
  const id = ours && first.payoutId ? first.payoutId : first.id;
  const at = Timestamp.fromDate(ctx.clock.now());
  const known = ours ?? (await store.read(ctx.db, first.id, tx));
  const before = known ?? foundPlatformPayout(first, at);
  let next = before;
  for (const facts of heard) next = merged(next, facts, at);
  const check = nextCheck(next, ctx.clock.now());
  const saved: PlatformPayout = { ...next, checkAt: check && Timestamp.fromDate(check) };
  return [
    (t) => store.write(ctx.db, t, id, saved),
    ...(await planEntries(ctx, tx, entriesOf(id, heard, sourceEventId))),
    ...(known ? [] : await planFound(ctx, tx, first)),
    ...(await planTelling(ctx, tx, id, before, saved, first)),
  ];
}

function entriesOf(payoutId: string, heard: readonly PayoutFacts[], sourceEventId?: string): LedgerEntry[] {
  const booked = heard.find((facts) => facts.booked !== null);
  const returned = heard.find((facts) => facts.returned !== null);
  const entry = (facts: PayoutFacts, transaction: BookedFacts, isReturned: boolean) =>
    platformPayout({
      payoutId,
      stripeObjectId: facts.id,
      occurredAt: Timestamp.fromMillis(transaction.created * 1000),
      currency: transaction.currency,
      amountMinor: minor(isReturned ? transaction.netMinor : -transaction.netMinor),
      balanceTransactionIds: [transaction.id],
      returned: isReturned,
      ...(sourceEventId ? { sourceEventId } : {}),
    });
  return [
    ...(booked?.booked ? [entry(booked, booked.booked, false)] : []),
    ...(returned?.returned ? [entry(returned, returned.returned, true)] : []),
  ];
}

async function planFound(ctx: Context, tx: Transaction, facts: PayoutFacts): Promise<Write[]> {
  const { id, amountMinor, currency } = facts;
  const after = { amountMinor, currency };
  return [
    planAudit(ctx, `platformPayout_${id}`, {
      by: 'stripe',
      action: 'platformPayout',
      subject: store.platformPayoutPath(id),
      after,
    }),
    ...(await planFlag(ctx, tx, flags.madeElsewhere(facts))),
  ];
}

async function planTelling(
  ctx: Context,
  tx: Transaction,
  id: string,
  before: PlatformPayout,
  next: PlatformPayout,
  facts: PayoutFacts,
): Promise<Write[]> {
  const differs = facts.amountMinor !== next.amountMinor || facts.currency !== next.currency;
  const isBack = !cameBack(before.status) && cameBack(next.status);
  return [
    ...(differs ? await planFlag(ctx, tx, flags.differs(id, next, facts)) : []),
    ...(isBack ? await planFlag(ctx, tx, flags.returned(id, next)) : []),
  ];
}

/** Records what Stripe answered, in one transaction. */
export async function recordPlatform(ctx: Context, facts: PayoutFacts): Promise<void> {
  await ctx.db.runTransaction(async (tx) => runWrites(tx, await planPlatformFacts(ctx, tx, [facts])));
}
