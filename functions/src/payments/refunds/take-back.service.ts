import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planFlag, planResolve } from '../../admin/flags.service.ts';
import { readEntries, receivableOf } from '../../ledger/ledger.service.ts';
import type { LedgerEntry } from '../../ledger/ledger.ts';
import type { Context } from '../../platform/context.ts';
import { planLetter } from '../../platform/mail.ts';
import { formatMoney, minor, sum, type Minor } from '../../platform/money.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { proportion } from '../aftermath/bearing.ts';
import { recallsOf } from '../disputes/recall.ts';
import { readPayment } from '../payments.store.ts';
import { planTakeBack, readTransfer, sendOrder, transfersOf } from '../transfers/transfers.service.ts';
import type { Transfer, TransferStatus } from '../transfers/transfers.ts';
import { shareOwedLetter } from './letters.ts';
import { nextCheck, takenAhead, type KnownRefunds, type RefundOrder } from './orders.ts';
import * as flags from './refund-flags.ts';
import * as store from './refunds.store.ts';
import type { Refund } from './refunds.ts';

/**
 * Takes the coach's share of a refund back that did not take it along: exactly what the ledger says they bear, once the
 * refund is booked. Safe to call any number of times; what cannot be done yet is left to the sweep.
 */
export async function takeShareBack(ctx: Context, refundId: string): Promise<void> {
  const order = await orderTakeBack(ctx, refundId);
  if (order?.recovery !== 'ordered' && order?.recovery !== 'owed') return;
  const sent: TransferStatus[] = [];
  for (const id of order.recoveryIds) sent.push(await sendOrder(ctx, id));
  await follow(ctx, refundId, sent);
}

/** Writes the orders to Stripe down, with the refund order that knows them. */
function orderTakeBack(ctx: Context, refundId: string): Promise<RefundOrder | undefined> {
  return ctx.db.runTransaction(async (tx) => {
    const order = await store.readOrder(ctx.db, refundId, tx);
    const refund = await store.readRefund(ctx.db, refundId, tx);
    if (order?.recovery !== 'due' || !refund?.stripeRefundId) return order;
    const entryId = `${refund.stripeRefundId}:refund`;
    const entry = (await readEntries(ctx.db, tx, [entryId])).get(entryId);
    // It is not booked yet: it waits for money, or its sale does.
    if (!entry) return order;
    const { next, writes } = await planOrders(ctx, tx, order, refund, entry);
    store.writeOrder(ctx.db, tx, next);
    runWrites(tx, writes);
    return next;
  });
}

async function planOrders(
  ctx: Context,
  tx: Transaction,
  order: RefundOrder,
  refund: Refund,
  entry: LedgerEntry,
): Promise<{ next: RefundOrder; writes: Write[] }> {
  const { paymentId, refundId } = order;
  const { currency } = entry;
  const payment = await readPayment(ctx.db, paymentId, tx);
  if (!payment?.coachId || !payment.stripeAccountId)
    throw new Error(`payments/${paymentId} does not say whose share refunds/${refundId} is.`);
  const { coachId, stripeAccountId } = payment;
  const known = await store.readKnown(ctx.db, tx, paymentId);
  const transfers = await transfersOf(ctx, tx, paymentId);
  const { shareMinor: borneMinor, aheadMinor } = shareOf(entry, known);
  const openMinor = refund.origin === 'stripe' ? await openDebt(ctx, tx, order, known, transfers) : borneMinor;
  const shareMinor = minor(Math.min(borneMinor, openMinor));
  const recalls = shareMinor > 0 ? recallsOf(payment, transfers, shareMinor) : [];
  const writes: Write[] = [];
  const recoveryIds: string[] = [];
  for (const [index, { of, amountMinor }] of recalls.entries()) {
    const id = index === 0 ? `refund_${refundId}` : `refund_${refundId}-${index + 1}`;
    const takeBack = { id, coachId, stripeAccountId, paymentId, currency, of, amountMinor };
    writes.push(...(await planTakeBack(ctx, tx, takeBack)));
    recoveryIds.push(id);
  }
  const recovery = recoveryIds.length > 0 ? ('ordered' as const) : ('none' as const);
  const at = Timestamp.fromDate(ctx.clock.now());
  const next: RefundOrder = { ...order, recovery, recoveryIds, aheadMinor, checks: 0, updatedAt: at };
  return { next: { ...next, checkAt: nextCheck(next, refund, at) }, writes };
}

/** What the coach bears of a booked refund, less what was taken from them before for a refund that came to nothing. */
function shareOf(entry: LedgerEntry, known: KnownRefunds): { shareMinor: Minor; aheadMinor: Minor } {
  const coachMinor = minor(entry.deltas.coach_receivable);
  const sharedMinor = minor(coachMinor + entry.deltas.fee_revenue);
  const aheadMinor = takenAhead(known, sharedMinor);
  return { shareMinor: minor(coachMinor - proportion(coachMinor, aheadMinor, sharedMinor)), aheadMinor };
}

/**
 * What the coach still owes of a payment and no order takes back yet: with a refund made in Stripe's dashboard the share may
 * have been taken along, or by hand.
 */
async function openDebt(
  ctx: Context,
  tx: Transaction,
  { refundId, paymentId }: RefundOrder,
  { refunds, orders }: KnownRefunds,
  transfers: ReadonlyMap<string, Transfer>,
): Promise<Minor> {
  const ours = refunds.filter(({ origin }) => origin === 'product');
  const due = new Set(
    orders.flatMap((each) => (each.recovery === 'due' && each.refundId !== refundId ? [each.refundId] : [])),
  );
  const dueIds = ours.flatMap((each) => (due.has(each.refundId) ? [`${each.stripeRefundId ?? ''}:refund`] : []));
  const backs = [...transfers.values()].filter((each) => each.kind === 'reversal' && each.status !== 'canceled');
  const bookedAs = (back: Transfer) =>
    back.kind === 'reversal' && back.stripeReversalId ? [`${back.stripeReversalId}:transfer_reversal`] : [];
  const booked = await readEntries(ctx.db, tx, [...dueIds, ...backs.flatMap(bookedAs)]);
  const toComeMinor = sum(dueIds.map((id) => minor(booked.get(id)?.deltas.coach_receivable ?? 0)));
  const orderedMinor = sum(
    backs.map((back) => (bookedAs(back).some((id) => booked.has(id)) ? minor(0) : back.amountMinor)),
  );
  return minor((await receivableOf(ctx.db, tx, paymentId)) - toComeMinor - orderedMinor);
}

/** How the take-backs went. A balance that is too small leaves a debt: both sides are told, and told when it is settled. */
function follow(ctx: Context, refundId: string, sent: readonly TransferStatus[]): Promise<void> {
  return ctx.db.runTransaction(async (tx) => {
    const order = await store.readOrder(ctx.db, refundId, tx);
    const refund = await store.readRefund(ctx.db, refundId, tx);
    if (!order || !refund || (order.recovery !== 'ordered' && order.recovery !== 'owed')) return;
    const settled = sent.every((status) => status === 'done' || status === 'canceled');
    const recovery = settled ? 'done' : sent.includes('refused') ? 'owed' : order.recovery;
    if (recovery === order.recovery) return;
    const writes = recovery === 'owed' ? await planOwed(ctx, tx, refund, order) : await planSettled(ctx, tx, refund);
    const at = Timestamp.fromDate(ctx.clock.now());
    const next: RefundOrder = { ...order, recovery, updatedAt: at };
    store.writeOrder(ctx.db, tx, { ...next, checkAt: nextCheck(next, refund, at) });
    runWrites(tx, writes);
  });
}

async function planOwed(ctx: Context, tx: Transaction, refund: Refund, order: RefundOrder): Promise<Write[]> {
  const payment = await readPayment(ctx.db, refund.paymentId, tx);
  const { coachId = '' } = refund;
  const takeBacks = await Promise.all(order.recoveryIds.map((id) => readTransfer(ctx, id, tx)));
  const refused = takeBacks.flatMap((each) => (each?.status === 'refused' ? [each] : []));
  const currency = refused[0]?.currency ?? refund.currency;
  const share = formatMoney(sum(refused.map(({ amountMinor }) => amountMinor)), currency);
  const letter = shareOwedLetter(coachId, payment?.description ?? '', refund, share);
  return [
    ...(await planFlag(ctx, tx, flags.shareOwed(refund, coachId, share))),
    planLetter(ctx.db, `refund-debt_${refund.refundId}`, letter),
  ];
}

const planSettled = (ctx: Context, tx: Transaction, refund: Refund): Promise<Write[]> =>
  planResolve(ctx, tx, flags.debtFlagId(refund), 'The coach’s share has been taken back.');
