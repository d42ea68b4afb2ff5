import type { Transaction } from 'firebase-admin/firestore';
import { planApproval } from '../../admin/approvals.service.ts';
import type { AwaitingApproval } from '../../admin/approvals.ts';
import { planAudit } from '../../admin/audit.service.ts';
import type { Approved } from '../../admin/decisions.service.ts';
import { readCoach } from '../../coaches/coaches.service.ts';
import type { Caller } from '../../platform/auth.ts';
import { FinalRefusal, runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { sum, type Currency, type Minor } from '../../platform/money.ts';
import { runWrites } from '../../platform/write.ts';
import type { Payment } from '../payments.ts';
import { readPayment } from '../payments.store.ts';
import { sendRefund } from './ask.service.ts';
import type { KnownRefunds } from './orders.ts';
import { planOfKnown } from './plan.service.ts';
import * as store from './refunds.store.ts';
import { isLive, liveMinor, refundableAmount, refundIdOf, type Refund, type RefundStatus } from './refunds.ts';

export { sendRefund } from './ask.service.ts';
export { planRefund, refundLeft, type RefundAsk } from './plan.service.ts';
export { resolveRefunds } from './resolve.service.ts';

export async function readRefund(ctx: Context, refundId: string, tx?: Transaction): Promise<Refund | undefined> {
  return store.readRefund(ctx.db, refundId, tx);
}

export interface RefundInput {
  paymentId: string;
  /** All that is left, when not named. */
  amountMinor?: number | undefined;
  reason?: string | undefined;
}

export interface RefundReply {
  refundId: string;
  paymentId: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  status: RefundStatus;
  reason?: string;
  /** Of the payment: all its refunds that are done or under way. */
  refundedMinor: Minor;
}

/** What was decided when the command was accepted: the refund is written down, or waits for a second administrator. */
export type RefundPlan = { refundId: string } | AwaitingApproval;

export const refundPaymentCommand = 'refundPayment';

/** Gives a payment back, wholly or in part: administrators any, coaches those to them where their terms allow it. */
export async function refundPayment(
  ctx: Context,
  caller: Caller,
  { requestId, ...input }: RefundInput & { requestId: string },
): Promise<RefundReply | AwaitingApproval> {
  const planned = await runCommand<RefundPlan, RefundPlan>(ctx, {
    command: refundPaymentCommand,
    uid: caller.uid,
    requestId,
    input,
    plan: (tx) => planCommand(ctx, tx, caller, requestId, input),
    execute: (plan) => executeRefund(ctx, plan),
  });
  return 'refundId' in planned ? replyOf(ctx, planned.refundId) : planned;
}

/** A second administrator has confirmed it. It is checked anew: the payment may have been refunded or disputed since. */
export async function refundApproved(ctx: Context, approved: Approved): Promise<RefundReply> {
  const { approvalId, by, approvedBy } = approved;
  const input = approved.input as RefundInput;
  const planned = await runCommand<{ refundId: string }, RefundPlan>(ctx, {
    command: refundPaymentCommand,
    uid: by,
    requestId: approvalId,
    input,
    plan: async (tx) => {
      const { payment, known, amountMinor } = await readRefundable(ctx, tx, input);
      return planWrites(ctx, tx, payment, known, { by, approvedBy, requestId: approvalId, ...input, amountMinor });
    },
    execute: (plan) => executeRefund(ctx, plan),
  });
  if (!('refundId' in planned)) throw new Error(`approvals/${approvalId}: what was approved waits for an approval.`);
  return replyOf(ctx, planned.refundId);
}

async function planCommand(
  ctx: Context,
  tx: Transaction,
  caller: Caller,
  requestId: string,
  input: RefundInput,
): Promise<RefundPlan> {
  const { payment, known, amountMinor } = await readRefundable(ctx, tx, input, caller);
  const by = caller.uid;
  if (amountMinor + unconfirmedMinor(known) > ctx.config.refundApprovalLimit) {
    const { currency, description, userId, coachId } = payment;
    const { reply, write } = planApproval(ctx, requestId, {
      action: refundPaymentCommand,
      by,
      input: { ...input, amountMinor },
      amountMinor,
      currency,
      reason: input.reason ?? `Refund of "${description}".`,
      about: coachId ? [userId, coachId] : [userId],
    });
    write(tx);
    return reply;
  }
  return planWrites(ctx, tx, payment, known, { by, requestId, ...input, amountMinor });
}

/** What of a payment goes back on one pair of eyes: a sum above the limit is not made of small ones. */
const unconfirmedMinor = ({ refunds, orders }: KnownRefunds): Minor => {
  const confirmed = new Set(orders.flatMap(({ refundId, approvedBy }) => (approvedBy ? [refundId] : [])));
  return sum(refunds.map((each) => (isLive(each) && !confirmed.has(each.refundId) ? each.amountMinor : 0)));
};

async function readRefundable(
  ctx: Context,
  tx: Transaction,
  { paymentId, amountMinor }: RefundInput,
  caller?: Caller,
): Promise<{ payment: Payment; known: KnownRefunds; amountMinor: Minor }> {
  const payment = await readPayment(ctx.db, paymentId, tx);
  if (caller && !caller.admin) await requireOwn(ctx, tx, caller, payment);
  if (!payment) throw new Refusal('not-found', 'payment-not-found', `There is no payment ${paymentId}.`);
  const known = await store.readKnown(ctx.db, tx, paymentId);
  return { payment, known, amountMinor: refundableAmount(payment, known.refunds, amountMinor) };
}

/** A payment that is not there is refused like somebody else's. */
async function requireOwn(ctx: Context, tx: Transaction, caller: Caller, payment: Payment | undefined): Promise<void> {
  if (payment?.coachId !== caller.uid) {
    throw new Refusal('permission-denied', 'not-your-payment', 'This payment is not one to you.');
  }
  const coach = await readCoach(ctx, caller.uid, tx);
  if (coach?.terms.mayRefund !== true) {
    throw new Refusal(
      'permission-denied',
      'terms-without-refunds',
      'Your terms do not let you refund payments yourself. Ask an administrator.',
    );
  }
}

/** Runs the writes: everything is read by then. */
function planWrites(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  known: KnownRefunds,
  ask: { by: string; approvedBy?: string; requestId: string; amountMinor: Minor; reason?: string | undefined },
): { refundId: string } {
  const { by, approvedBy, amountMinor, reason } = ask;
  const refundId = refundIdOf({ uid: by, requestId: ask.requestId });
  const named = { ...(approvedBy ? { approvedBy } : {}), ...(reason ? { reason } : {}) };
  runWrites(tx, [
    ...planOfKnown(ctx, payment, known, { refundId, amountMinor, by, ...named }),
    planAudit(ctx, `${refundPaymentCommand}_${refundId}`, {
      by,
      action: refundPaymentCommand,
      subject: store.refundPath(refundId),
      after: { paymentId: payment.stripePaymentId, amountMinor, currency: payment.currency },
      ...(reason ? { note: reason } : {}),
    }),
  ]);
  return { refundId };
}

/** Safe to run any number of times; the sweep runs it again after a crash. Stripe's definite no is the command's result. */
export async function executeRefund(ctx: Context, plan: RefundPlan): Promise<RefundPlan> {
  if (!('refundId' in plan)) return plan;
  const { refundId } = plan;
  await sendRefund(ctx, refundId);
  const order = await store.readOrder(ctx.db, refundId);
  if ((await store.readRefund(ctx.db, refundId))?.status === 'refused') {
    throw new FinalRefusal(
      'failed-precondition',
      'refund-refused',
      'Stripe refused this refund; nothing went back. See the payment in the Stripe dashboard.',
      { refundId, ...(order?.failureCode ? { code: order.failureCode } : {}) },
    );
  }
  return plan;
}

async function replyOf(ctx: Context, refundId: string): Promise<RefundReply> {
  const refund = await store.readRefund(ctx.db, refundId);
  if (!refund) throw new Error(`refunds/${refundId} is gone after it was written.`);
  const { paymentId, amount, amountMinor, currency, status, reason } = refund;
  const refundedMinor = liveMinor(await store.refundsOf(ctx.db, paymentId));
  return { refundId, paymentId, amount, amountMinor, currency, status, ...(reason ? { reason } : {}), refundedMinor };
}
