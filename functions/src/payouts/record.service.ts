import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../admin/flags.service.ts';
import { readCoach } from '../coaches/coaches.service.ts';
import { planMoves } from '../coaches/earnings.service.ts';
import type { Invoicing } from '../coaches/terms.ts';
import { planEntries, planNewEntries } from '../ledger/ledger.service.ts';
import { coachPayout, payoutReturned, type LedgerEntry } from '../ledger/ledger.ts';
import type { Context } from '../platform/context.ts';
import { minor } from '../platform/money.ts';
import { planLetter } from '../platform/mail.ts';
import { runWrites, type Write } from '../platform/write.ts';
import { nextCheck } from './checks.ts';
import { payoutFailedLetter } from './letters.ts';
import * as flags from './payout-flags.ts';
import * as logs from './payouts.logs.ts';
import * as store from './payouts.store.ts';
import {
  cameBack,
  isBooked,
  withFacts,
  withInvoice,
  type BookedFacts,
  type Payout,
  type PayoutFacts,
} from './payouts.ts';

/**
 * Plans all that follows from what Stripe says of a payout: its state, its ledger documents, its earnings, the lock, and
 * what people are told. The one way in for our own call's answer, for events and for the sweep, in any order.
 */
export async function planFacts(
  ctx: Context,
  tx: Transaction,
  id: string,
  payout: Payout,
  heard: readonly PayoutFacts[],
  sourceEventId?: string,
): Promise<Write[]> {
  const others = heard.find((facts) => payout.stripePayoutId !== undefined && facts.id !== payout.stripePayoutId);
  if (others) return planSecondPayout(ctx, tx, id, payout, heard, sourceEventId);
  const now = ctx.clock.now();
  const at = Timestamp.fromDate(now);
  let next = payout;
  for (const facts of heard) next = withFacts(next, facts, at);
  next = withInvoice(payout, withCheck(next, now), await invoicingOf(ctx, tx, payout, next));
  const first = heard[0];
  if (!first) return [];
  return [
    (t) => store.writePayout(ctx.db, t, id, next),
    ...(await planBooking(ctx, tx, payout, entriesOf(id, payout, heard, sourceEventId))),
    ...(await planEarningsOf(ctx, tx, id, payout, next)),
    ...(await planUnlock(ctx, tx, id, payout, next)),
    ...(await planTelling(ctx, tx, id, payout, next, first)),
  ];
}

/** By the coach's terms at the moment the money has arrived. */
async function invoicingOf(
  ctx: Context,
  tx: Transaction,
  before: Payout,
  next: Payout,
): Promise<Invoicing | undefined> {
  if (before.status === 'completed' || next.status !== 'completed') return undefined;
  return (await readCoach(ctx, next.coachId, tx))?.terms.invoicing;
}

const withCheck = (payout: Payout, now: Date): Payout => {
  const check = nextCheck(payout, now);
  return { ...payout, checkAt: check && Timestamp.fromDate(check) };
};

function entriesOf(id: string, payout: Payout, heard: readonly PayoutFacts[], sourceEventId?: string): LedgerEntry[] {
  const booked = heard.find((facts) => facts.booked !== null);
  const returned = heard.find((facts) => facts.returned !== null);
  const booking = (facts: PayoutFacts, transaction: BookedFacts, amountMinor: number) => ({
    stripePayoutId: facts.id,
    payoutId: id,
    coachId: payout.coachId,
    stripeAccountId: payout.stripeAccountId,
    occurredAt: Timestamp.fromMillis(transaction.created * 1000),
    currency: transaction.currency,
    amountMinor: minor(amountMinor),
    balanceTransactionId: transaction.id,
    ...(payout.tenantMinor === undefined ? {} : { tenantMinor: payout.tenantMinor }),
    ...(sourceEventId ? { sourceEventId } : {}),
  });
  return [
    ...(booked?.booked ? [coachPayout(booking(booked, booked.booked, -booked.booked.netMinor))] : []),
    ...(returned?.returned ? [payoutReturned(booking(returned, returned.returned, returned.returned.netMinor))] : []),
  ];
}

/** Earnings follow `itemsReserved`, so a payout that fails gives back exactly what it took, once. */
async function planEarningsOf(
  ctx: Context,
  tx: Transaction,
  id: string,
  before: Payout,
  next: Payout,
): Promise<Write[]> {
  const arrived = next.status === 'completed' && before.status !== 'completed';
  if (before.itemsReserved === next.itemsReserved && !arrived) return [];
  const sign = Number(next.itemsReserved) - Number(before.itemsReserved);
  const items = await store.readItems(ctx.db, tx, id);
  return planMoves(
    ctx,
    tx,
    next.coachId,
    items.map((item) => ({
      paymentId: item.paymentId,
      byMinor: minor(sign * item.amountMinor),
      paid: next.status === 'completed',
    })),
  );
}

/**
 * Open, and nothing was heard of it from Stripe: so nothing of it is booked, and the lock taken with it is still its own.
 * Whatever ends that changes the payout in the same commit.
 */
const isFresh = (payout: Payout): boolean => payout.stripePayoutId === undefined && !cameBack(payout.status);

async function planBooking(
  ctx: Context,
  tx: Transaction,
  before: Payout,
  entries: readonly LedgerEntry[],
): Promise<Write[]> {
  return isFresh(before) ? planNewEntries(ctx, entries) : planEntries(ctx, tx, entries);
}

/** The next payout may be reckoned once the ledger has this one. */
async function planUnlock(ctx: Context, tx: Transaction, id: string, before: Payout, payout: Payout): Promise<Write[]> {
  const { coachId, currency } = payout;
  const neverLeft = payout.stripePayoutId === undefined && cameBack(payout.status);
  if (!neverLeft && !isBooked(payout)) return [];
  const own = isFresh(before) || (await store.readLock(ctx.db, coachId, currency, tx))?.payoutId === id;
  return own ? [(t) => store.releaseLock(ctx.db, t, coachId, currency)] : [];
}

async function planTelling(
  ctx: Context,
  tx: Transaction,
  id: string,
  before: Payout,
  next: Payout,
  facts: PayoutFacts,
): Promise<Write[]> {
  const writes: Write[] = [];
  if (facts.amountMinor !== next.amountMinor || facts.currency !== next.currency) {
    writes.push(...(await planFlag(ctx, tx, flags.amountDiffers(id, next, facts))));
  }
  if (before.stripePayoutId === undefined && cameBack(before.status)) {
    writes.push(...(await planFlag(ctx, tx, flags.existsAfterAll(id, facts))));
  } else if (!cameBack(before.status) && cameBack(next.status)) {
    writes.push(...(await planFlag(ctx, tx, flags.payoutReturnedFlag(id, next))));
    writes.push(planLetter(ctx.db, `payout-returned_${id}`, payoutFailedLetter(next)));
  }
  return writes;
}

/** Two payouts at Stripe for one document: it must not happen. The money moved, so the ledger says so, and a person hears. */
async function planSecondPayout(
  ctx: Context,
  tx: Transaction,
  id: string,
  payout: Payout,
  heard: readonly PayoutFacts[],
  sourceEventId?: string,
): Promise<Write[]> {
  const other = heard.filter((facts) => facts.id !== payout.stripePayoutId);
  const first = other[0];
  if (!first) return [];
  return [
    ...(await planEntries(ctx, tx, entriesOf(id, payout, other, sourceEventId))),
    ...(await planFlag(ctx, tx, flags.secondPayout(id, first))),
  ];
}

/** Records what Stripe answered, in one transaction. */
export async function record(ctx: Context, id: string, facts: PayoutFacts): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    const payout = await store.readPayout(ctx.db, id, tx);
    if (!payout) throw new Error(`payouts/${id} is gone although Stripe has ${facts.id} for it.`);
    runWrites(tx, await planFacts(ctx, tx, id, payout, [facts]));
  });
  logs.recorded(ctx.log, id, facts);
}

/** How a payout that never left is closed. */
export interface Closing {
  status: 'failed' | 'canceled';
  code: string;
  message: string;
}

/** Plans closing a payout that Stripe definitely does not have: earnings given back, lock released. Changes nothing once Stripe has it. */
export async function planClose(
  ctx: Context,
  tx: Transaction,
  id: string,
  payout: Payout,
  closing: Closing,
): Promise<Write[]> {
  if (payout.stripePayoutId !== undefined || cameBack(payout.status)) return [];
  const next: Payout = {
    ...payout,
    status: closing.status,
    itemsReserved: false,
    failureCode: closing.code,
    failureMessage: closing.message.slice(0, 500),
    checkAt: null,
    updatedAt: Timestamp.fromDate(ctx.clock.now()),
  };
  logs.closed(ctx.log, id, closing.code);
  return [
    (t) => store.writePayout(ctx.db, t, id, next),
    ...(await planEarningsOf(ctx, tx, id, payout, next)),
    ...(await planUnlock(ctx, tx, id, payout, next)),
  ];
}
