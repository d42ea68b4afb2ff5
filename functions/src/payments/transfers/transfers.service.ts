import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../../admin/flags.service.ts';
import { planEntries, receivableOf } from '../../ledger/ledger.service.ts';
import { transfer as transferEntry } from '../../ledger/shares.ts';
import type { Context } from '../../platform/context.ts';
import { minor } from '../../platform/money.ts';
import { classifyStripeError } from '../../platform/stripe.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { updatePayment } from '../payments.store.ts';
import { askReversal, askTransfer, leftOf } from './ask.service.ts';
import * as flags from './transfer-flags.ts';
import * as logs from './transfers.logs.ts';
import * as store from './transfers.store.ts';
import {
  decideAsk,
  differenceOf,
  isIdle,
  newTakeBack,
  newTransfer,
  refused,
  unclear,
  type AskMode,
  type OutgoingTransfer,
  type TakeBackOrder,
  type Transfer,
  type TransferFacts,
  type TransferOrder,
  type TransferStatus,
} from './transfers.ts';

/** Plans a transfer, in the transaction that decides it; planned again under the same id it changes nothing. */
export function planTransfer(ctx: Context, tx: Transaction, order: TransferOrder): Promise<Write[]> {
  return planOnce(ctx, tx, order.id, newTransfer(order, Timestamp.fromDate(ctx.clock.now())));
}

/** Plans taking a transfer back, wholly or in part; the same rule. */
export function planTakeBack(ctx: Context, tx: Transaction, order: TakeBackOrder): Promise<Write[]> {
  return planOnce(ctx, tx, order.id, newTakeBack(order, Timestamp.fromDate(ctx.clock.now())));
}

async function planOnce(ctx: Context, tx: Transaction, id: string, order: Transfer): Promise<Write[]> {
  if (order.amountMinor <= 0) throw new RangeError(`transfers/${id}: cannot move ${order.amountMinor}.`);
  if (await store.readTransfer(ctx.db, id, tx)) return [];
  return [(t) => store.createTransfer(ctx.db, t, id, order)];
}

export async function readTransfer(ctx: Context, id: string, tx?: Transaction): Promise<Transfer | undefined> {
  return store.readTransfer(ctx.db, id, tx);
}

/** Every order about a payment, by id. */
export async function transfersOf(ctx: Context, tx: Transaction, paymentId: string): Promise<Map<string, Transfer>> {
  return store.ofPayment(ctx.db, tx, paymentId);
}

/** Payments whose share Stripe has refused to take back from the coach: debts that stand. */
export async function paymentsOwed(ctx: Context, tx: Transaction, coachId: string, limit: number): Promise<string[]> {
  const ids = await store.refusedTakeBacks(ctx.db, coachId, limit);
  const orders = await Promise.all(ids.map((id) => store.readTransfer(ctx.db, id, tx)));
  return [...new Set(orders.flatMap((order) => order?.paymentId ?? []))];
}

/** Plans that an order which this transaction has read as idle is never asked for (again). */
export function planCancel(ctx: Context, id: string, order: Transfer): Write {
  if (!isIdle(order)) throw new Error(`transfers/${id} may have moved money: it cannot be canceled.`);
  const at = Timestamp.fromDate(ctx.clock.now());
  return (tx) => store.writeTransfer(ctx.db, tx, id, settled(order, 'canceled', at));
}

/**
 * Asks Stripe for an order and records the answer. Safe to call any number of times, at once, and after a crash at any
 * point: everyone asks the same under the same key. What is not settled by it is left to the sweep. `retry` makes a new
 * attempt of what Stripe has refused before.
 */
export async function sendOrder(ctx: Context, id: string, retry = false): Promise<TransferStatus> {
  const noted = await noteAsking(ctx, id, retry);
  if (!noted.mode) return noted.order.status;
  logs.asking(ctx.log, id, noted.mode);
  try {
    return await askFor(ctx, id, noted.order, noted.mode);
  } catch (error) {
    return settleFailure(ctx, id, noted.order, error);
  }
}

/** Written before Stripe is asked: from now on the money may move. */
function noteAsking(ctx: Context, id: string, retry: boolean): Promise<{ order: Transfer; mode?: AskMode }> {
  return ctx.db.runTransaction(async (tx) => {
    const stored = await store.readTransfer(ctx.db, id, tx);
    if (!stored) throw new Error(`transfers/${id} is to be sent but does not exist.`);
    const order = await withTransfer(ctx, tx, stored);
    // What it is to take back has not been sent yet.
    if (order.kind === 'reversal' && !order.ofTransferId) return { order };
    const at = Timestamp.fromDate(ctx.clock.now());
    const decided = decideAsk(id, order, at, retry);
    if (!decided) return { order };
    if (await isPaidBack(ctx, tx, order)) {
      const canceled = settled(order, 'canceled', at);
      store.writeTransfer(ctx.db, tx, id, canceled);
      return { order: canceled };
    }
    store.writeTransfer(ctx.db, tx, id, decided.order);
    return decided;
  });
}

/** What an order was to take back, somebody has taken back by hand, and nothing moved under the order. */
const isPaidBack = async (ctx: Context, tx: Transaction, order: Transfer): Promise<boolean> =>
  order.kind === 'reversal' && isIdle(order) && (await receivableOf(ctx.db, tx, order.paymentId)) <= 0;

async function withTransfer(ctx: Context, tx: Transaction, order: Transfer): Promise<Transfer> {
  if (order.kind === 'transfer' || order.ofTransferId || !order.ofOrderId) return order;
  const of = await store.readTransfer(ctx.db, order.ofOrderId, tx);
  return of?.kind === 'transfer' && of.stripeTransferId ? { ...order, ofTransferId: of.stripeTransferId } : order;
}

async function askFor(ctx: Context, id: string, order: Transfer, mode: AskMode): Promise<TransferStatus> {
  if (order.kind === 'transfer') {
    const facts = await askTransfer(ctx, id, order, mode);
    if (!facts) return neverMade(ctx, id, order);
    await ctx.db.runTransaction(async (tx) => runWrites(tx, await planRecord(ctx, tx, id, facts)));
    return 'done';
  }
  const { ofTransferId } = order;
  if (!ofTransferId) throw new Error(`transfers/${id} does not say what it takes back.`);
  const made = await askReversal(ctx, id, { ...order, ofTransferId }, mode);
  if (!made) return neverMade(ctx, id, order);
  // What it moved is booked by what listens to reversals (payments/aftermath), whoever made them.
  logs.done(ctx.log, id, made.id);
  return change(ctx, id, (now, at) =>
    now.kind === 'reversal' ? { ...settled(now, 'done', at), stripeReversalId: made.id } : now,
  );
}

/** Past the key's life nobody may ask under it any more, so what Stripe does not have cannot come to be. */
const neverMade = (ctx: Context, id: string, order: Transfer): Promise<TransferStatus> =>
  refuse(ctx, id, order, 'never_created', 'A day after it was asked for with no clear answer, Stripe has none.');

/** Plans what follows from a transfer that Stripe has made: the ledger, the payment, the order. Told again it changes nothing. */
async function planRecord(ctx: Context, tx: Transaction, id: string, facts: TransferFacts): Promise<Write[]> {
  const order = await store.readTransfer(ctx.db, id, tx);
  if (order?.kind !== 'transfer') throw new Error(`transfers/${id} is gone after it was asked for.`);
  if (order.stripeTransferId === facts.stripeTransferId) return [];
  const difference =
    order.status === 'done' ? `a second transfer ${facts.stripeTransferId}` : differenceOf(order, facts);
  const flagged = difference ? await planFlag(ctx, tx, flags.transferDiffers(id, difference)) : [];
  const booked = await planEntries(ctx, tx, [entryOf(order, facts)]);
  if (order.status === 'done') return [...booked, ...flagged];
  return [
    ...booked,
    ...flagged,
    (t) => {
      logs.done(ctx.log, id, facts.stripeTransferId);
      const at = Timestamp.fromDate(ctx.clock.now());
      const { stripeTransferId } = facts;
      store.writeTransfer(ctx.db, t, id, { ...settled(order, 'done', at), stripeTransferId });
      // A payment for several sessions has several transfers, found by their session; one sent again is not the sale's.
      if (!order.sessionId && order.sourceChargeId)
        updatePayment(ctx.db, t, order.paymentId, { stripeTransferId, updatedAt: at });
    },
  ];
}

const entryOf = (order: OutgoingTransfer, facts: TransferFacts) =>
  transferEntry({
    occurredAt: Timestamp.fromMillis(facts.created * 1000),
    currency: facts.currency,
    stripeObjectId: facts.stripeTransferId,
    balanceTransactionIds: facts.balanceTransactionIds,
    paymentId: order.paymentId,
    coachId: order.coachId,
    stripeAccountId: facts.stripeAccountId,
    amountMinor: minor(facts.amountMinor),
  });

async function settleFailure(ctx: Context, id: string, order: Transfer, error: unknown): Promise<TransferStatus> {
  const failure = classifyStripeError(error);
  const { code, message } = failure;
  if (failure.kind === 'busy') {
    // It did not start; the sweep asks again under the same key.
    logs.busy(ctx.log, id, code);
    return order.status;
  }
  // A key used with other parameters says nothing about what happened under it before.
  if (failure.kind === 'refused' && code !== 'StripeIdempotencyError') return refuse(ctx, id, order, code, message);
  logs.unclear(ctx.log, id, code, message);
  return change(ctx, id, (now, at) => unclear(now, order.attempt, at));
}

/** A coach's balance too small leaves a debt, which both sides see; anything else is for a person. */
async function refuse(
  ctx: Context,
  id: string,
  order: Transfer,
  code: string,
  message: string,
): Promise<TransferStatus> {
  logs.refused(ctx.log, id, code, message);
  const isDebt = order.kind === 'reversal' && code === 'balance_insufficient';
  if (!isDebt && order.kind === 'reversal' && order.ofTransferId && (await leftOf(ctx, order.ofTransferId)) === 0) {
    return change(ctx, id, (now, at) => (now.status === 'done' ? now : settled(now, 'canceled', at)));
  }
  return ctx.db.runTransaction(async (tx) => {
    const stored = await store.readTransfer(ctx.db, id, tx);
    if (!stored) throw new Error(`transfers/${id} is gone.`);
    const next = refused(stored, order.attempt, code, Timestamp.fromDate(ctx.clock.now()));
    if (next === stored) return stored.status;
    const flagged = isDebt ? [] : await planFlag(ctx, tx, flags.transferRefused(id, order, code, message));
    store.writeTransfer(ctx.db, tx, id, next);
    runWrites(tx, flagged);
    return next.status;
  });
}

/** An order that nothing more will come of. */
function settled<T extends Transfer>(order: T, status: 'done' | 'canceled', at: Timestamp): T {
  const { failureCode: _code, ...rest } = order;
  return { ...rest, status, checkAt: null, updatedAt: at } as T;
}

function change(ctx: Context, id: string, next: (order: Transfer, at: Timestamp) => Transfer): Promise<TransferStatus> {
  return ctx.db.runTransaction(async (tx) => {
    const stored = await store.readTransfer(ctx.db, id, tx);
    if (!stored) throw new Error(`transfers/${id} is gone.`);
    const changed = next(stored, Timestamp.fromDate(ctx.clock.now()));
    if (changed !== stored) store.writeTransfer(ctx.db, tx, id, changed);
    return changed.status;
  });
}
