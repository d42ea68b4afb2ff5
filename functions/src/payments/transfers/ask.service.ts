import type Stripe from 'stripe';
import type { Context } from '../../platform/context.ts';
import { fromStripeCurrency, toStripeCurrency } from '../../platform/money.ts';
import { askOrFind, expanded, idOf } from '../../platform/stripe.ts';
import type { AskMode, OutgoingTransfer, TakeBack, TransferFacts } from './transfers.ts';

/** The calls to Stripe. What is asked for carries our order's id, so that it can be found when the answer was lost. */

/** Stripe's clock and ours need not agree. */
const clockSkewSeconds = 3600;

const expand = ['balance_transaction'];

/** Undefined: the key is forgotten and Stripe has no such transfer. Throws what Stripe throws. */
export async function askTransfer(
  ctx: Context,
  id: string,
  order: OutgoingTransfer,
  mode: AskMode,
): Promise<TransferFacts | undefined> {
  const stripe = await ctx.stripe();
  const find = () => findTransfer(stripe, id, order);
  const create = () =>
    stripe.transfers.create(
      {
        amount: order.amountMinor,
        currency: toStripeCurrency(order.currency),
        destination: order.stripeAccountId,
        // The transfer takes the charge's group; naming another is an error.
        ...(order.sourceChargeId ? { source_transaction: order.sourceChargeId } : {}),
        metadata: { transferId: id, coachId: order.coachId, paymentId: order.paymentId },
        expand,
      },
      { idempotencyKey: order.stripeKey },
    );
  const made = await once(mode, create, find);
  return made && factsOf(made);
}

/** Stripe's reversal of this order; undefined as above. */
export async function askReversal(
  ctx: Context,
  id: string,
  order: TakeBack & { ofTransferId: string },
  mode: AskMode,
): Promise<Stripe.TransferReversal | undefined> {
  const stripe = await ctx.stripe();
  const find = async () => {
    for await (const one of stripe.transfers.listReversals(order.ofTransferId, { limit: 100 })) {
      if (one.metadata?.transferId === id) return one;
    }
    return undefined;
  };
  const create = () =>
    stripe.transfers.createReversal(
      order.ofTransferId,
      {
        amount: order.amountMinor,
        ...(order.refundFee ? { refund_application_fee: true } : {}),
        metadata: { transferId: id, coachId: order.coachId, paymentId: order.paymentId },
      },
      { idempotencyKey: order.stripeKey },
    );
  return once(mode, create, find);
}

async function once<T>(
  mode: AskMode,
  create: () => Promise<T>,
  find: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const found = mode === 'first' ? undefined : await find();
  return found ?? (mode === 'look' ? undefined : askOrFind(create, find));
}

async function findTransfer(stripe: Stripe, id: string, order: OutgoingTransfer): Promise<Stripe.Transfer | undefined> {
  const list = stripe.transfers.list({
    destination: order.stripeAccountId,
    created: { gte: order.createdAt.seconds - clockSkewSeconds },
    limit: 100,
    expand: ['data.balance_transaction'],
  });
  for await (const one of list) if (one.metadata.transferId === id) return one;
  return undefined;
}

/**
 * Throws when Stripe has not booked it yet: it is looked for again. The movement on the coach's balance is named by its
 * source (`py_…`), so that it need not be fetched; the daily proof finds it by that.
 */
function factsOf(transfer: Stripe.Transfer): TransferFacts {
  const sent = expanded<Stripe.BalanceTransaction>(transfer.balance_transaction);
  const stripeAccountId = idOf(transfer.destination);
  const destinationPaymentId = idOf(transfer.destination_payment);
  if (!sent || !stripeAccountId || !destinationPaymentId)
    throw new Error(`${transfer.id} is not booked at Stripe yet.`);
  return {
    stripeTransferId: transfer.id,
    amountMinor: transfer.amount,
    currency: fromStripeCurrency(sent.currency),
    stripeAccountId,
    sourceChargeId: idOf(transfer.source_transaction) ?? null,
    created: sent.created,
    balanceTransactionIds: [sent.id, destinationPaymentId],
  };
}

/** What of a transfer nobody has taken back yet, minor units. */
export async function leftOf(ctx: Context, stripeTransferId: string): Promise<number> {
  const stripe = await ctx.stripe();
  const transfer = await stripe.transfers.retrieve(stripeTransferId);
  return transfer.amount - transfer.amount_reversed;
}
