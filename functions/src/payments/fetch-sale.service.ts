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
  const shares = stripeAccount ? await fetchDirect(stripe, charge, booked, stripeAccount) : shareOf(charge, booked);
  if (!shares) return undefined;
  return {
    chargeId: charge.id,
    amountMinor: charge.amount,
    currency: fromStripeCurrency(charge.currency),
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

/**
 * The coach's share, from the platform's side alone: what was transferred less the fee that came back is what reached the
 * coach, in the currency both settle in. The movement on the coach's balance is named by its source (`py_…`), so that it
 * need not be fetched; the daily proof finds it by that.
 */
function shareOf(charge: Stripe.Charge, booked: Stripe.BalanceTransaction): Pick<SaleFacts, 'share'> | undefined {
  if (!charge.transfer_data?.destination) return {};
  const transfer = expanded<Stripe.Transfer>(charge.transfer);
  const sent = expanded<Stripe.BalanceTransaction>(transfer?.balance_transaction);
  const destinationPaymentId = idOf(transfer?.destination_payment);
  const stripeAccountId = idOf(transfer?.destination);
  const fee = expanded<Stripe.ApplicationFee>(charge.application_fee);
  const feeBack = expanded<Stripe.BalanceTransaction>(fee?.balance_transaction);
  const complete =
    transfer &&
    sent &&
    destinationPaymentId &&
    stripeAccountId &&
    (feeBack !== undefined || !charge.application_fee_amount);
  if (!complete) return undefined;
  return {
    share: {
      transferId: transfer.id,
      transferTransactionId: sent.id,
      stripeAccountId,
      destinationPaymentId,
      ...(feeBack ? { applicationFeeTransactionId: feeBack.id } : {}),
      netMinor: -sent.net - (feeBack?.net ?? 0),
      availableOn: booked.available_on,
    },
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
