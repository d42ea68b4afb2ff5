import { minor, toMajor, type Currency, type Minor } from '../../platform/money.ts';
import { breakdown, type Breakdown, type Payment, type PaymentStatus } from '../payments.ts';

/** What can be asked for, of the words a payment's status has. */
export const paymentStatuses = [
  'pending',
  'succeeded',
  'failed',
  'canceled',
  'partially_refunded',
  'refunded',
  'disputed',
] as const satisfies readonly PaymentStatus[];

/** A payment as its payer reads it. Times are ISO 8601 in UTC; null: not there (yet). */
export interface ListedPayment {
  paymentId: string;
  date: string;
  status: PaymentStatus;
  description: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  breakdown: Breakdown;
  refunded: number;
  refundedMinor: Minor;
  productId: string | null;
  subscriptionId: string | null;
  orderId: string | null;
  sessionId: string | null;
  invoiceId: string | null;
  paymentMethodType: string | null;
  receiptUrl: string | null;
  failureMessage: string | null;
  paidAt: string | null;
}

export function listed(payment: Payment): ListedPayment {
  const { amount, amountMinor, currency, status, description, refundedMinor } = payment;
  return {
    ...{ paymentId: payment.stripePaymentId, date: payment.date.toDate().toISOString(), status, description },
    ...{ amount, amountMinor, currency, breakdown: breakdown(payment) },
    refunded: toMajor(minor(refundedMinor), currency),
    refundedMinor,
    productId: payment.productId ?? null,
    subscriptionId: payment.subscriptionId ?? null,
    orderId: payment.orderId ?? null,
    sessionId: payment.sessionId ?? null,
    invoiceId: payment.invoiceId ?? null,
    paymentMethodType: payment.paymentMethodType ?? null,
    receiptUrl: payment.receiptUrl ?? null,
    failureMessage: payment.failureMessage ?? null,
    paidAt: payment.paidAt?.toDate().toISOString() ?? null,
  };
}
