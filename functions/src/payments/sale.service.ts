import type { Transaction } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { planFlag } from '../admin/flags.service.ts';
import { planEarning } from '../coaches/earnings.service.ts';
import { entryExists, planEntries } from '../ledger/ledger.service.ts';
import type { Context } from '../platform/context.ts';
import { fromStripeCurrency } from '../platform/money.ts';
import { expanded, idOf } from '../platform/stripe.ts';
import type { Write } from '../platform/write.ts';
import type { Payment } from './payments.ts';
import { bookSale, type SaleFacts } from './sale.ts';

/**
 * Reads what Stripe booked for a charge. Undefined when it is booked with us already, did not succeed, or Stripe has not
 * attached its balance transactions yet (they arrive with `charge.updated`).
 */
export async function fetchSale(ctx: Context, chargeId: string): Promise<SaleFacts | undefined> {
  if (await entryExists(ctx.db, `${chargeId}:sale`)) return undefined;
  const stripe = await ctx.stripe();
  const charge = await stripe.charges.retrieve(chargeId, {
    expand: ['balance_transaction', 'transfer.balance_transaction', 'application_fee.balance_transaction'],
  });
  const booked = expanded<Stripe.BalanceTransaction>(charge.balance_transaction);
  if (charge.status !== 'succeeded' || !booked) return undefined;
  const hasShare = Boolean(charge.transfer_data?.destination);
  const share = hasShare ? await fetchShare(stripe, charge) : undefined;
  if (hasShare && !share) return undefined;
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
    ...(share ? { share } : {}),
    ...(charge.payment_method_details?.type ? { paymentMethodType: charge.payment_method_details.type } : {}),
    ...(charge.receipt_url ? { receiptUrl: charge.receipt_url } : {}),
  };
}

async function fetchShare(stripe: Stripe, charge: Stripe.Charge): Promise<SaleFacts['share'] | undefined> {
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

export interface PlannedSale {
  writes: Write[];
  patch: Partial<Payment>;
}

/** Plans the booking of a sale: ledger, the coach's earning, the payment's figures, a flag where Stripe differs from what was asked. */
export async function planSale(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  facts: SaleFacts,
  sourceEventId: string | undefined,
): Promise<PlannedSale> {
  const sale = bookSale(payment, facts, sourceEventId);
  const writes = await planEntries(ctx, tx, sale.entries);
  if (payment.coachId) {
    writes.push(
      ...(await planEarning(ctx, tx, payment.coachId, {
        paymentId: payment.stripePaymentId,
        amountMinor: sale.parts.grossMinor,
        feeMinor: sale.parts.feeMinor,
        currency: payment.currency,
        description: payment.description,
        customerName: payment.customerName,
        ledgerId: `${facts.chargeId}:sale`,
        availableOn: sale.availableOn,
      })),
    );
  }
  if (sale.difference) {
    writes.push(
      ...(await planFlag(ctx, tx, {
        id: `sale-differs_${payment.stripePaymentId}`,
        kind: 'sale-differs',
        severity: 'critical',
        subject: `payments/${payment.stripePaymentId}`,
        message: `What Stripe booked differs from what was asked for: ${sale.difference}.`,
        action:
          'The ledger holds what Stripe booked. Compare with the Stripe dashboard and settle the difference with the coach or the customer.',
      })),
    );
  }
  return { writes, patch: sale.patch };
}
