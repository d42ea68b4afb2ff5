import type Stripe from 'stripe';
import { entryExists } from '../ledger/ledger.service.ts';
import type { Context } from '../platform/context.ts';
import { fromStripeCurrency } from '../platform/money.ts';
import { expanded, idOf } from '../platform/stripe.ts';
import type { SaleFacts } from './sale.ts';

/**
 * Reads what Stripe booked for a charge, on the platform or (`stripeAccount`) on a tenant's own account. Undefined when it
 * is booked with us already, did not succeed, or Stripe has not attached its balance transactions yet (they arrive with
 * `charge.updated`).
 */
export async function fetchSale(
  ctx: Context,
  chargeId: string,
  stripeAccount?: string,
): Promise<SaleFacts | undefined> {
  if (await entryExists(ctx.db, `${chargeId}:sale`)) return undefined;
  const stripe = await ctx.stripe();
  const charge = stripeAccount
    ? await stripe.charges.retrieve(chargeId, { expand: ['balance_transaction'] }, { stripeAccount })
    : await stripe.charges.retrieve(chargeId, {
        expand: ['balance_transaction', 'transfer.balance_transaction', 'application_fee.balance_transaction'],
      });
  const booked = expanded<Stripe.BalanceTransaction>(charge.balance_transaction);
  if (charge.status !== 'succeeded' || !booked) return undefined;
  const shares = stripeAccount
    ? await fetchDirect(stripe, charge, booked, stripeAccount)
    : await fetchShares(stripe, charge);
  if (!shares) return undefined;
  return {
    chargeId: charge.id,
    amountMinor: charge.amount,
    balanceTransaction: {
      id: booked.id,
      created: booked.created,
      amountMinor: booked.amount,
      feeMinor: booked.fee,
      currency: fromStripeCurrency(booked.currency),
      availableOn: booked.available_on,
    },
    ...shares,
    ...(charge.payment_method_details?.type ? { paymentMethodType: charge.payment_method_details.type } : {}),
    ...(charge.receipt_url ? { receiptUrl: charge.receipt_url } : {}),
  };
}

async function fetchShares(stripe: Stripe, charge: Stripe.Charge): Promise<Pick<SaleFacts, 'share'> | undefined> {
  if (!charge.transfer_data?.destination) return {};
  const share = await fetchShare(stripe, charge);
  return share && { share };
}

async function fetchShare(stripe: Stripe, charge: Stripe.Charge): Promise<NonNullable<SaleFacts['share']> | undefined> {
  const transfer = expanded<Stripe.Transfer>(charge.transfer);
  const transferTransactionId = idOf(transfer?.balance_transaction);
  const destinationPayment = idOf(transfer?.destination_payment);
  const stripeAccountId = idOf(transfer?.destination);
  if (!transfer || !transferTransactionId || !destinationPayment || !stripeAccountId) return undefined;
  const payment = await stripe.charges.retrieve(
    destinationPayment,
    { expand: ['balance_transaction'] },
    { stripeAccount: stripeAccountId },
  );
  const received = expanded<Stripe.BalanceTransaction>(payment.balance_transaction);
  if (!received) return undefined;
  const fee = expanded<Stripe.ApplicationFee>(charge.application_fee);
  const feeTransactionId = idOf(fee?.balance_transaction);
  return {
    transferId: transfer.id,
    transferredMinor: transfer.amount,
    transferTransactionId,
    stripeAccountId,
    applicationFeeMinor: fee?.amount ?? 0,
    ...(feeTransactionId ? { applicationFeeTransactionId: feeTransactionId } : {}),
    received: { transactionId: received.id, netMinor: received.net, availableOn: received.available_on },
  };
}

/** The platform's side of a tenant's charge: its fee, and what Stripe bills it for the charge. */
async function fetchDirect(
  stripe: Stripe,
  charge: Stripe.Charge,
  booked: Stripe.BalanceTransaction,
  stripeAccountId: string,
): Promise<Pick<SaleFacts, 'direct'> | undefined> {
  const applicationFeeId = idOf(charge.application_fee);
  if (charge.application_fee_amount && !applicationFeeId) return undefined;
  const fee = applicationFeeId ? await stripe.applicationFees.retrieve(applicationFeeId) : undefined;
  const feeTransactionId = idOf(fee?.balance_transaction);
  if (fee && !feeTransactionId) return undefined;
  const stripeFeeMinor = booked.fee_details
    .filter(({ type }) => type === 'stripe_fee')
    .reduce((total, { amount }) => total + amount, 0);
  const [billed] =
    stripeFeeMinor > 0
      ? []
      : (await stripe.balanceTransactions.list({ source: charge.id, type: 'stripe_fee', limit: 1 })).data;
  return {
    direct: {
      stripeAccountId,
      applicationFeeMinor: fee?.amount ?? 0,
      ...(feeTransactionId ? { applicationFeeTransactionId: feeTransactionId } : {}),
      stripeFeeMinor,
      ...(billed ? { billed: { transactionId: billed.id, created: billed.created, feeMinor: -billed.amount } } : {}),
    },
  };
}
