import type Stripe from 'stripe';
import { entryExists } from '../../ledger/ledger.service.ts';
import type { Context } from '../../platform/context.ts';
import { classifyStripeError, expanded, idOf } from '../../platform/stripe.ts';
import type {
  AftermathFacts,
  DisputeFound,
  FeeRefundFound,
  Movement,
  RefundFound,
  RefundStatus,
  ReversalFound,
} from './aftermath.ts';

/** Seconds between two movements of one request at Stripe. */
const sameMoment = 5;

/** More refunds or reversals of one charge than anyone makes. */
const limit = 100;

/** Where a charge is: its id, and the connected account of a direct one. */
export interface ChargeAt {
  chargeId: string;
  tenantAccountId?: string | undefined;
}

/**
 * All that Stripe booked after a charge. Undefined: the charge is not a customer's PaymentIntent, or not ours to see. A
 * few calls, however much has happened: refunds, disputes and, where there are any, transfers taken back and fees given
 * back, each in one page.
 */
export async function fetchAftermath(ctx: Context, where: ChargeAt): Promise<AftermathFacts | undefined> {
  const stripe = await ctx.stripe();
  const { chargeId, tenantAccountId } = where;
  const options = tenantAccountId ? { stripeAccount: tenantAccountId } : {};
  const charge = await stripe.charges.retrieve(chargeId, { expand: ['application_fee', 'transfer'] }, options);
  const paymentId = idOf(charge.payment_intent);
  if (!paymentId) return undefined;
  const feeRefunds = await feeRefundsOf(stripe, charge);
  const booked = await Promise.all(feeRefunds.map(({ id }) => entryExists(ctx.db, `${id}:fee_refund`)));
  // Only then is it looked which movement carries which fee.
  const pairing = booked.includes(false);
  const refunds = await stripe.refunds.list(
    { charge: chargeId, limit, expand: ['data.balance_transaction', 'data.failure_balance_transaction'] },
    options,
  );
  const disputes = charge.disputed ? await stripe.disputes.list({ charge: chargeId, limit }, options) : { data: [] };
  const reversals = tenantAccountId ? [] : await reversalsOf(ctx, stripe, charge, pairing);
  const carriers = tenantAccountId ? ownMovements(refunds.data) : reversals.flatMap(({ here }) => here ?? []);
  return {
    paymentId,
    chargeId,
    tenantAccountId: tenantAccountId ?? null,
    refunds: refunds.data.map(refundFound),
    reversals,
    feeRefunds: pairing ? await withCarriers(stripe, feeRefunds, carriers) : feeRefunds,
    disputes: await Promise.all(disputes.data.map((dispute) => disputeFound(stripe, dispute, tenantAccountId))),
  };
}

const movementOf = (txn: Stripe.BalanceTransaction): Movement => ({
  id: txn.id,
  created: txn.created,
  amountMinor: txn.amount,
  feeMinor: txn.fee,
  currency: txn.currency,
});

const movement = (reference: string | Stripe.BalanceTransaction | null | undefined): Movement | null => {
  const txn = expanded<Stripe.BalanceTransaction>(reference);
  return txn ? movementOf(txn) : null;
};

const known: readonly string[] = ['pending', 'succeeded', 'failed', 'canceled'] satisfies RefundStatus[];

function refundFound(refund: Stripe.Refund): RefundFound {
  const status = refund.status ?? 'pending';
  return {
    id: refund.id,
    // `requires_action` waits for the customer: nothing has moved yet.
    status: known.includes(status) ? (status as RefundStatus) : 'pending',
    amountMinor: refund.amount,
    currency: refund.currency,
    reason: refund.reason ?? null,
    failureReason: refund.failure_reason ?? null,
    createdMs: refund.created * 1000,
    metadata: { ...refund.metadata },
    taken: movement(refund.balance_transaction),
    failed: movement(refund.failure_balance_transaction),
  };
}

const ownMovements = (refunds: readonly Stripe.Refund[]): Movement[] =>
  refunds.flatMap(({ balance_transaction }) => movement(balance_transaction) ?? []);

async function disputeFound(
  stripe: Stripe,
  dispute: Stripe.Dispute,
  tenantAccountId: string | undefined,
): Promise<DisputeFound> {
  const movements = dispute.balance_transactions.map(movementOf);
  const moved = (sign: 1 | -1) => movements.reduce((sum, { amountMinor }) => sum + Math.max(0, sign * amountMinor), 0);
  const billed = tenantAccountId ? await stripe.balanceTransactions.list({ source: dispute.id, limit }) : { data: [] };
  const dueBy = dispute.evidence_details.due_by;
  return {
    id: dispute.id,
    status: dispute.status,
    reason: dispute.reason,
    amountMinor: dispute.amount,
    currency: dispute.currency,
    createdMs: dispute.created * 1000,
    evidenceDueByMs: dueBy ? dueBy * 1000 : null,
    isInquiry: dispute.status.startsWith('warning_'),
    evidenceSubmitted: dispute.evidence_details.submission_count > 0,
    withdrawnMinor: moved(-1),
    reinstatedMinor: moved(1),
    movements,
    platformFees: billed.data.map(movementOf),
  };
}

/**
 * Fee refunds are read before reversals: one that comes with a reversal is then never seen without it, and is never taken
 * for one made by itself.
 */
async function feeRefundsOf(stripe: Stripe, charge: Stripe.Charge): Promise<FeeRefundFound[]> {
  const fee = expanded<Stripe.ApplicationFee>(charge.application_fee);
  if (!fee || fee.amount_refunded === 0) return [];
  const stripeAccountId = idOf(fee.account);
  const { data } = await stripe.applicationFees.listRefunds(fee.id, { limit, expand: ['data.balance_transaction'] });
  return data.flatMap((refund) => {
    const there = movement(refund.balance_transaction);
    return there ? [{ id: refund.id, stripeAccountId, amountMinor: refund.amount, there, hereId: null }] : [];
  });
}

async function reversalsOf(
  ctx: Context,
  stripe: Stripe,
  charge: Stripe.Charge,
  pairing: boolean,
): Promise<ReversalFound[]> {
  const found: ReversalFound[] = [];
  for (const transfer of await transfersOf(stripe, charge)) {
    if (transfer.amount_reversed === 0) continue;
    const { data } = await stripe.transfers.listReversals(transfer.id, { limit, expand: ['data.balance_transaction'] });
    for (const reversal of data) {
      const there = movement(reversal.balance_transaction);
      const stripeAccountId = idOf(transfer.destination);
      if (!there || !stripeAccountId) continue;
      const look = pairing || !(await entryExists(ctx.db, `${reversal.id}:transfer_reversal`));
      const here = look ? await movementHere(stripe, idOf(reversal.destination_payment_refund), stripeAccountId) : null;
      found.push({
        id: reversal.id,
        transferId: transfer.id,
        stripeAccountId,
        amountMinor: reversal.amount,
        there,
        here,
      });
    }
  }
  return found;
}

/** A destination charge has its transfer; a separate one has those that were sent from it. */
async function transfersOf(stripe: Stripe, charge: Stripe.Charge): Promise<Stripe.Transfer[]> {
  const own = expanded<Stripe.Transfer>(charge.transfer);
  if (own) return [own];
  if (!charge.transfer_group) return [];
  const { data } = await stripe.transfers.list({ transfer_group: charge.transfer_group, limit });
  return data.filter(({ source_transaction }) => idOf(source_transaction) === charge.id);
}

/** The coach's side of a reversal. null where the account is no longer ours to see. */
async function movementHere(
  stripe: Stripe,
  refundId: string | undefined,
  stripeAccount: string,
): Promise<Movement | null> {
  if (!refundId) return null;
  try {
    const refund = await stripe.refunds.retrieve(refundId, { expand: ['balance_transaction'] }, { stripeAccount });
    return movement(refund.balance_transaction);
  } catch (error) {
    if (classifyStripeError(error).kind === 'refused') return null;
    throw error;
  }
}

/** Which movement on the coach's balance carries each fee that came back. */
async function withCarriers(
  stripe: Stripe,
  feeRefunds: readonly FeeRefundFound[],
  carriers: readonly Movement[],
): Promise<FeeRefundFound[]> {
  const free = carriers.filter(({ feeMinor }) => feeMinor < 0).sort((a, b) => a.created - b.created);
  const paired: FeeRefundFound[] = [];
  for (const found of [...feeRefunds].sort((a, b) => a.there.created - b.there.created)) {
    const index = free.findIndex(
      ({ feeMinor, created }) =>
        -feeMinor === found.amountMinor && Math.abs(created - found.there.created) <= sameMoment,
    );
    const [carrier] = index < 0 ? [] : free.splice(index, 1);
    paired.push({ ...found, hereId: carrier?.id ?? (await ownMovement(stripe, found)) });
  }
  return paired;
}

/** A fee given back by itself moves the coach's balance by itself. */
async function ownMovement(stripe: Stripe, { id, stripeAccountId }: FeeRefundFound): Promise<string | null> {
  try {
    const { data } = await stripe.balanceTransactions.list(
      { source: id, limit: 1 },
      { stripeAccount: stripeAccountId },
    );
    return data[0]?.id ?? null;
  } catch (error) {
    if (classifyStripeError(error).kind === 'refused') return null;
    throw error;
  }
}
