import type { Transaction } from 'firebase-admin/firestore';
import { planEntries, readEntries } from '../../ledger/ledger.service.ts';
import type { LedgerEntry } from '../../ledger/ledger.ts';
import { writeOff } from '../../ledger/returns.ts';
import type { Context } from '../../platform/context.ts';
import { minor, negate, sum, zero, type Minor } from '../../platform/money.ts';
import type { Write } from '../../platform/write.ts';
import type { Payment } from '../payments.ts';
import { planCancel, planTakeBack, planTransfer, transfersOf } from '../transfers/transfers.service.ts';
import { idleTakeBacks, recallsOf } from './recall.ts';

export interface PlannedLosses {
  writes: Write[];
  /** Orders in `transfers` that are written by then; send them after the commit (`sendOrder`). The sweep makes up for a lost one. */
  send: string[];
  /** Of the coach's share of these losses, what the platform bears (negative: what it bears no more): the coach's earning keeps it. */
  writtenOffMinor: Minor;
}

/**
 * Plans who ends up with the coach's share of lost disputes, in the transaction that books the losses: it is taken back
 * from the coach, or (DISPUTE_LOSS=platform) written off at once. A loss that an appeal turns round goes the other way,
 * by the rule that held when it was lost. Only `dispute_lost` documents among `booked` count, each once.
 */
export async function planLosses(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  booked: readonly LedgerEntry[],
): Promise<PlannedLosses> {
  const planned: PlannedLosses[] = [];
  for (const loss of booked) {
    const coachMinor = loss.deltas.coach_receivable;
    if (loss.kind !== 'dispute_lost' || coachMinor === 0) continue;
    const bornByUs = await isBornByUs(ctx, tx, loss.stripeObjectId);
    planned.push(await (bornByUs ? planWrittenOff(ctx, tx, loss) : planRecovery(ctx, tx, payment, loss)));
  }
  return {
    writes: planned.flatMap(({ writes }) => writes),
    send: planned.flatMap(({ send }) => send),
    writtenOffMinor: sum(planned.map(({ writtenOffMinor }) => writtenOffMinor)),
  };
}

/** `du_1:dispute_lost_2` -> `du_1_2`: one decision of one dispute. */
const decisionOf = ({ id }: LedgerEntry): string => id.replace(':dispute_lost', '');

/** What was decided at the first loss stands for the dispute, whatever the param says later. */
async function isBornByUs(ctx: Context, tx: Transaction, disputeId: string): Promise<boolean> {
  const [lost, written] = [`${disputeId}:dispute_lost`, `${disputeId}:write_off`];
  const before = await readEntries(ctx.db, tx, [lost, written]);
  return before.has(lost) ? before.has(written) : ctx.config.disputeLoss === 'platform';
}

async function planWrittenOff(ctx: Context, tx: Transaction, loss: LedgerEntry): Promise<PlannedLosses> {
  const amountMinor = loss.deltas.coach_receivable;
  const { paymentId = '', occurredAt, currency, stripeObjectId, coachId, sourceEventId } = loss;
  const booking = { paymentId, occurredAt, currency, amountMinor, vatRate: 0, stripeObjectId };
  const entry = writeOff(
    { ...booking, ...(coachId ? { coachId } : {}), ...(sourceEventId ? { sourceEventId } : {}) },
    decisionOf(loss),
  );
  return { writes: await planEntries(ctx, tx, [entry]), send: [], writtenOffMinor: amountMinor };
}

async function planRecovery(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  loss: LedgerEntry,
): Promise<PlannedLosses> {
  const { coachId, stripeAccountId, stripePaymentId: paymentId, currency } = payment;
  if (!coachId || !stripeAccountId) throw new Error(`payments/${paymentId} does not say whose share ${loss.id} is.`);
  const order = { coachId, stripeAccountId, paymentId, currency };
  const orders = await transfersOf(ctx, tx, paymentId);
  const coachMinor = loss.deltas.coach_receivable;
  const idle = coachMinor < 0 ? idleTakeBacks(orders, loss.stripeObjectId) : [];
  const takeMinor = minor(coachMinor + sum(idle.map(([, { amountMinor }]) => amountMinor)));
  const id = `dispute_${decisionOf(loss)}`;
  const writes = idle.map(([idleId, idleOrder]) => planCancel(ctx, idleId, idleOrder));
  if (takeMinor < 0) {
    writes.push(...(await planTransfer(ctx, tx, { ...order, id, amountMinor: negate(takeMinor) })));
    return { writes, send: [id], writtenOffMinor: zero };
  }
  // Only the share is reversed, not the fee: exactly what the coach owes, with no rounding of Stripe's in it.
  const recalls = takeMinor > 0 ? recallsOf(payment, orders, takeMinor) : [];
  const send: string[] = [];
  for (const [index, { of, amountMinor }] of recalls.entries()) {
    const orderId = index === 0 ? id : `${id}-${index + 1}`;
    writes.push(...(await planTakeBack(ctx, tx, { ...order, id: orderId, of, amountMinor })));
    send.push(orderId);
  }
  return { writes, send, writtenOffMinor: zero };
}
