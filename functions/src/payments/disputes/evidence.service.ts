import type { Transaction } from 'firebase-admin/firestore';
import { planAudit } from '../../admin/audit.service.ts';
import type { Caller } from '../../platform/auth.ts';
import { FinalRefusal, runCommand } from '../../platform/commands.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import { classifyStripeError, keyStillKept } from '../../platform/stripe.ts';
import { sessionsPaidWith } from '../../sessions/paid-with.service.ts';
import { readEntitlements } from '../entitlements/entitlements.store.ts';
import { refusalOf, type IntentCommand } from '../intents.service.ts';
import type { Payment } from '../payments.ts';
import { readPayment } from '../payments.store.ts';
import { readDispute } from './disputes.store.ts';
import { needsResponse } from './disputes.ts';
import { withRecords, type Evidence, type Records } from './evidence.ts';

export interface EvidenceInput {
  disputeId: string;
  /** What is not given is taken from our records. */
  evidence?: Evidence | undefined;
  /** Sends it to the bank, once and for good; otherwise it is only kept at Stripe, and can be changed. */
  submit: boolean;
  requestId: string;
}

/** Frozen when the command was accepted. */
export interface EvidencePlan {
  disputeId: string;
  evidence: Evidence;
  submit: boolean;
}

export interface EvidenceReply extends EvidencePlan {
  /** Stripe's word for the dispute as it then is. */
  status: string;
}

export const submitEvidenceCommand = 'submitDisputeEvidence';

const sessionLimit = 50;

/** An administrator answers a dispute in words. What follows (its status, its flag) comes with Stripe's events. */
export function submitDisputeEvidence(
  ctx: Context,
  { uid }: Caller,
  { requestId, ...input }: EvidenceInput,
): Promise<EvidenceReply> {
  return runCommand<EvidencePlan, EvidenceReply>(ctx, {
    command: submitEvidenceCommand,
    uid,
    requestId,
    input,
    plan: (tx) => planEvidence(ctx, tx, uid, { requestId, ...input }),
    execute: (plan, startedAt) => executeEvidence(ctx, { uid, requestId, startedAt }, plan),
  });
}

async function planEvidence(ctx: Context, tx: Transaction, uid: string, input: EvidenceInput): Promise<EvidencePlan> {
  const { disputeId, submit, requestId } = input;
  const payment = await requireOpen(ctx, tx, disputeId);
  const evidence = withRecords(input.evidence ?? {}, await readRecords(ctx, tx, payment));
  planAudit(ctx, `${submitEvidenceCommand}_${uid}_${requestId}`, {
    by: uid,
    action: submitEvidenceCommand,
    subject: `disputes/${disputeId}`,
    after: { submit, evidence },
  })(tx);
  return { disputeId, evidence, submit };
}

/** The payment of a dispute that waits for our answer. */
async function requireOpen(ctx: Context, tx: Transaction, disputeId: string): Promise<Payment> {
  const dispute = await readDispute(ctx.db, tx, disputeId);
  const payment = dispute && (await readPayment(ctx.db, dispute.paymentId, tx));
  if (!payment) throw new Refusal('not-found', 'dispute-not-found', `There is no dispute ${disputeId}.`);
  if (payment.chargeModel === 'direct')
    throw new Refusal('failed-precondition', 'dispute-of-tenant', 'This dispute is the tenant’s, who answers it.');
  if (!needsResponse(dispute.status)) throw notOpen(disputeId, dispute.status);
  return payment;
}

const notOpen = (disputeId: string, status: string): Refusal =>
  new FinalRefusal(
    'failed-precondition',
    'dispute-takes-no-answer',
    `Dispute ${disputeId} takes no answer any more: it is ${status}.`,
    { status },
  );

async function readRecords(ctx: Context, tx: Transaction, payment: Payment): Promise<Records> {
  const { userId, sessionId, stripePaymentId: paymentId } = payment;
  const { entitlements } = await readEntitlements(ctx.db, userId, tx);
  const grant = entitlements?.grants[paymentId];
  return {
    payment,
    programme: grant?.kind === 'programme' ? grant : undefined,
    sessions: await sessionsPaidWith(ctx.db, tx, { paymentId, sessionId }, sessionLimit),
  };
}

/** Also for the sweep, after a crash. Once Stripe has forgotten the key it is looked whether it came through. */
export async function executeEvidence(
  ctx: Context,
  { uid, requestId, startedAt }: IntentCommand,
  plan: EvidencePlan,
): Promise<EvidenceReply> {
  const { disputeId, evidence, submit } = plan;
  const stripe = await ctx.stripe();
  try {
    if (!keyStillKept(startedAt, ctx.clock.now())) {
      const { status } = await stripe.disputes.retrieve(disputeId);
      if (submit && !needsResponse(status)) return { ...plan, status };
      throw expiredAnswer(requestId);
    }
    const idempotencyKey = `dispute-evidence:${uid}:${requestId}`;
    const { status } = await stripe.disputes.update(disputeId, { evidence, submit }, { idempotencyKey });
    return { ...plan, status };
  } catch (error) {
    throw error instanceof Refusal ? error : refusalOf(classifyStripeError(error));
  }
}

const expiredAnswer = (requestId: string): Refusal =>
  new FinalRefusal(
    'aborted',
    'request-expired',
    `Request ${requestId} was never completed and is too old to repeat. See the dispute, and answer it anew.`,
  );
