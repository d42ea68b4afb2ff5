import type { Transaction } from 'firebase-admin/firestore';
import { planFlag } from '../admin/flags.service.ts';
import { readCoach } from '../coaches/coaches.service.ts';
import { planEarning } from '../coaches/earnings.service.ts';
import { planEntries } from '../ledger/ledger.service.ts';
import type { Context } from '../platform/context.ts';
import { minor } from '../platform/money.ts';
import type { Write } from '../platform/write.ts';
import type { Payment } from './payments.ts';
import { bookSale, type BookedSale, type SaleFacts } from './sale.ts';
import { shareId } from './transfers/transfers.ts';
import { planTransfer, sendOrder } from './transfers/transfers.service.ts';

export { fetchSale } from './fetch-sale.service.ts';

/** Where a sale is booked; what comes after it waits for this path. */
export const salePath = (chargeId: string): string => `ledger/${chargeId}:sale`;

export interface PlannedSale {
  writes: Write[];
  patch: Partial<Payment>;
  /** Paths that came to be: events waiting for them are applied next. */
  created: string[];
  /** To be run after the commit: the coach's share is sent. A lost one is made up for by the sweep. */
  then: ((ctx: Context) => Promise<void>)[];
}

export const noSale: PlannedSale = { writes: [], patch: {}, created: [], then: [] };

/**
 * Plans the booking of a sale: ledger, the coach's earning, the transfer of the share (charge model `separate`), the
 * payment's figures, a flag where Stripe differs from what was asked. The caller writes `patch` to the payment.
 */
export async function planSale(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  facts: SaleFacts,
  sourceEventId: string | undefined,
): Promise<PlannedSale> {
  const coach = payment.coachId ? await readCoach(ctx, payment.coachId, tx) : undefined;
  const sale = bookSale(payment, facts, sourceEventId, { coachVat: coach?.vatNumber !== undefined });
  const send = sale.toTransferMinor > 0;
  const orderId = shareId(payment.stripePaymentId);
  const writes = [
    ...(await planEntries(ctx, tx, sale.entries)),
    ...(sale.earned ? await planSaleEarning(ctx, tx, payment, facts, sale) : []),
    ...(send ? await planTransfer(ctx, tx, shareOrder(orderId, payment, facts, sale)) : []),
    ...(sale.difference ? await planDifference(ctx, tx, payment, sale.difference) : []),
  ];
  const then = send ? [async (after: Context) => void (await sendOrder(after, orderId))] : [];
  return { writes, patch: sale.patch, created: [salePath(facts.chargeId)], then };
}

function planSaleEarning(
  ctx: Context,
  tx: Transaction,
  payment: Payment,
  facts: SaleFacts,
  sale: BookedSale,
): Promise<Write[]> {
  const { coachId } = payment;
  if (!coachId) throw new Error(`payments/${payment.stripePaymentId} has earned nobody anything.`);
  const { grossMinor, coachMinor } = sale.parts;
  return planEarning(ctx, tx, coachId, {
    paymentId: payment.stripePaymentId,
    amountMinor: grossMinor,
    // Whatever does not reach the coach; of a tenant's charge that may be Stripe's fee too.
    feeMinor: minor(grossMinor - coachMinor),
    // The ledger's currency: what the coach is paid out in.
    currency: facts.balanceTransaction.currency,
    description: payment.description,
    customerName: payment.customerName,
    ledgerId: `${facts.chargeId}:sale`,
    ...(payment.chargeModel === 'direct' ? { tenant: true as const } : {}),
    availableOn: sale.availableOn,
  });
}

function shareOrder(id: string, payment: Payment, facts: SaleFacts, sale: BookedSale) {
  const { coachId, stripeAccountId, stripePaymentId: paymentId } = payment;
  if (!coachId || !stripeAccountId) throw new Error(`payments/${paymentId} does not say whom its share goes to.`);
  return {
    id,
    coachId,
    stripeAccountId,
    paymentId,
    amountMinor: sale.toTransferMinor,
    currency: facts.balanceTransaction.currency,
    sourceChargeId: facts.chargeId,
  };
}

function planDifference(ctx: Context, tx: Transaction, payment: Payment, difference: string): Promise<Write[]> {
  return planFlag(ctx, tx, {
    id: `sale-differs_${payment.stripePaymentId}`,
    kind: 'sale-differs',
    severity: 'critical',
    subject: `payments/${payment.stripePaymentId}`,
    message: `What Stripe booked differs from what was asked for: ${difference}.`,
    action:
      'The ledger holds what Stripe booked. Compare with the Stripe dashboard and settle the difference with the coach or the customer.',
  });
}
