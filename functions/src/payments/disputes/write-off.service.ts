import { Timestamp, type Transaction } from 'firebase-admin/firestore';
import { planApproval } from '../../admin/approvals.service.ts';
import type { AwaitingApproval } from '../../admin/approvals.ts';
import { planAudit } from '../../admin/audit.service.ts';
import type { Approved } from '../../admin/decisions.service.ts';
import { readCoach } from '../../coaches/coaches.service.ts';
import { planReturn } from '../../coaches/earnings.service.ts';
import { planEntries, receivableOf } from '../../ledger/ledger.service.ts';
import { writeOff } from '../../ledger/returns.ts';
import type { Caller } from '../../platform/auth.ts';
import { runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { formatMoney, minor, negate, sum, toMajor, type Currency, type Minor } from '../../platform/money.ts';
import { runWrites, type Write } from '../../platform/write.ts';
import { readPayment } from '../payments.store.ts';
import type { Payment } from '../payments.ts';
import { paymentsOwed, planCancel, planTakeBack, transfersOf } from '../transfers/transfers.service.ts';
import { isIdle, type Transfer } from '../transfers/transfers.ts';
import { ofPayment } from './disputes.store.ts';
import { isHeld } from './disputes.ts';
import { recallsOf } from './recall.ts';

export interface WriteOffInput {
  coachId: string;
  /** All of the debt, when not named. */
  amountMinor?: number | undefined;
  /** The payment whose share is owed; all whose take-back Stripe has refused, the smallest id first, when not named. */
  paymentId?: string | undefined;
  reason: string;
}

export interface WriteOffReply {
  status: 'done';
  coachId: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  payments: { paymentId: string; amountMinor: Minor }[];
}

const writeOffDebtCommand = 'writeOffDebt';
const paymentLimit = 50;

/** An administrator gives up what a coach owes: a loss of the platform's, and nothing is taken back for it any more. */
export function writeOffDebt(
  ctx: Context,
  caller: Caller,
  { requestId, ...input }: WriteOffInput & { requestId: string },
): Promise<WriteOffReply | AwaitingApproval> {
  return runOrder(ctx, { by: caller.uid, requestId, input });
}

/** A second administrator has confirmed it; the debt is looked at anew. */
export const writeOffApproved = (ctx: Context, { approvalId, by, approvedBy, input }: Approved) =>
  runOrder(ctx, { by, requestId: approvalId, input: input as WriteOffInput, approvedBy });

interface Order {
  by: string;
  requestId: string;
  input: WriteOffInput;
  approvedBy?: string;
}

const runOrder = (ctx: Context, order: Order): Promise<WriteOffReply | AwaitingApproval> =>
  runCommand<WriteOffReply | AwaitingApproval, WriteOffReply | AwaitingApproval>(ctx, {
    command: writeOffDebtCommand,
    uid: order.by,
    requestId: order.requestId,
    input: order.input,
    plan: (tx) => decide(ctx, tx, order),
  });

interface Debt {
  payment: Payment;
  owedMinor: Minor;
}

/** Reads, decides and writes in the transaction that accepts the command. */
async function decide(ctx: Context, tx: Transaction, order: Order): Promise<WriteOffReply | AwaitingApproval> {
  const { coachId, reason, paymentId } = order.input;
  const coach = await readCoach(ctx, coachId, tx);
  if (!coach) throw new Refusal('not-found', 'coach-not-found', `There is no coach ${coachId}.`);
  const { currency } = coach;
  const debts = await debtsOf(ctx, tx, coachId, paymentId);
  const owedMinor = sum(debts.map((debt) => debt.owedMinor));
  const amountMinor = amountOf(order.input.amountMinor, owedMinor, currency);
  if (amountMinor > ctx.config.writeOffApprovalLimit && order.approvedBy === undefined) {
    const input = { ...order.input, amountMinor };
    const request = {
      action: writeOffDebtCommand,
      by: order.by,
      input,
      amountMinor,
      currency,
      reason,
      about: [coachId],
    };
    const { reply, write } = planApproval(ctx, order.requestId, request);
    write(tx);
    return reply;
  }
  const parts = share(debts, amountMinor);
  const planned = await Promise.all(parts.map((part) => planPart(ctx, tx, order, part)));
  const payments = parts.map(({ debt, amountMinor: part }) => ({
    paymentId: debt.payment.stripePaymentId,
    amountMinor: part,
  }));
  const after = { amountMinor, payments, ...(order.approvedBy ? { approvedBy: order.approvedBy } : {}) };
  const audit = { by: order.by, action: writeOffDebtCommand, subject: `coaches/${coachId}`, after, note: reason };
  runWrites(tx, [...planned.flat(), planAudit(ctx, `${writeOffDebtCommand}_${order.by}_${order.requestId}`, audit)]);
  return { status: 'done', coachId, amount: toMajor(amountMinor, currency), amountMinor, currency, payments };
}

async function debtsOf(ctx: Context, tx: Transaction, coachId: string, paymentId?: string): Promise<Debt[]> {
  const ids = paymentId === undefined ? await paymentsOwed(ctx, tx, coachId, paymentLimit) : [paymentId];
  const debts = await Promise.all(
    ids.sort().map(async (id): Promise<Debt[]> => {
      const payment = await readPayment(ctx.db, id, tx);
      if (payment?.coachId !== coachId) return [];
      const owedMinor = await receivableOf(ctx.db, tx, id);
      return owedMinor > 0 ? [{ payment, owedMinor }] : [];
    }),
  );
  return debts.flat();
}

function amountOf(wanted: number | undefined, owedMinor: Minor, currency: Currency): Minor {
  if (owedMinor === 0) throw new Refusal('failed-precondition', 'nothing-owed', 'The coach owes nothing of this.');
  if (wanted === undefined) return owedMinor;
  if (wanted > 0 && wanted <= owedMinor) return minor(wanted);
  const most = formatMoney(owedMinor, currency);
  throw new Refusal('failed-precondition', 'not-owed', `At most ${most} are owed. Write off that much or less.`, {
    owedMinor,
  });
}

interface Part {
  debt: Debt;
  amountMinor: Minor;
}

function share(debts: readonly Debt[], amountMinor: Minor): Part[] {
  let left: number = amountMinor;
  return debts.flatMap((debt) => {
    const part = minor(Math.min(left, debt.owedMinor));
    left -= part;
    return part > 0 ? [{ debt, amountMinor: part }] : [];
  });
}

async function planPart(
  ctx: Context,
  tx: Transaction,
  { by, requestId }: Order,
  { debt, amountMinor }: Part,
): Promise<Write[]> {
  const { payment, owedMinor } = debt;
  const { stripePaymentId: paymentId, coachId, currency } = payment;
  if (!coachId) throw new Error(`payments/${paymentId} is nobody's, and ${owedMinor} öre of it are owed.`);
  const name = `${by}_${requestId}_${paymentId}`;
  const booking = {
    paymentId,
    coachId,
    currency,
    amountMinor,
    occurredAt: Timestamp.fromDate(ctx.clock.now()),
    vatRate: 0,
    stripeObjectId: payment.stripeChargeId ?? paymentId,
  };
  // The coach's earning has its share back, so that no payout takes the debt off.
  const held = (await ofPayment(ctx.db, tx, paymentId)).some(isHeld);
  return [
    ...(await planEntries(ctx, tx, [writeOff(booking, name)])),
    ...(await planReturn(ctx, tx, coachId, { paymentId, returnedMinor: negate(amountMinor), held })),
    ...(await planLessBack(ctx, tx, payment, { name, restMinor: minor(owedMinor - amountMinor) })),
  ];
}

/** Stripe is asked for what is still owed and no more. Throws Refusal while an answer to an earlier ask is open. */
async function planLessBack(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  { name, restMinor }: { name: string; restMinor: Minor },
): Promise<Write[]> {
  const orders = await transfersOf(ctx, tx, payment.stripePaymentId);
  const open = [...orders].filter(
    ([, { kind, status }]) => kind === 'reversal' && status !== 'done' && status !== 'canceled',
  );
  if (!open.every(([, order]) => isIdle(order))) {
    throw new Refusal(
      'failed-precondition',
      'take-back-under-way',
      'Stripe is being asked to take this money back from the coach. Try again when that is answered.',
    );
  }
  const writes = open.map(([id, order]) => planCancel(ctx, id, order));
  const [[, waiting] = []] = open;
  if (!waiting || restMinor === 0) return writes;
  const left = new Map<string, Transfer>([...orders].filter(([id]) => !open.some(([openId]) => openId === id)));
  for (const [index, { of, amountMinor }] of recallsOf(payment, left, restMinor).entries()) {
    const { coachId, stripeAccountId, paymentId, currency } = waiting;
    const id = `owed_${name}${index === 0 ? '' : `-${index + 1}`}`;
    writes.push(
      ...(await planTakeBack(ctx, tx, { id, coachId, stripeAccountId, paymentId, currency, of, amountMinor })),
    );
  }
  return writes;
}
