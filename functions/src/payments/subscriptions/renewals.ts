import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import type { Coach } from '../../coaches/coaches.ts';
import { split, type Split, type Terms } from '../../coaches/terms.ts';
import { fromStripeCurrency, minor, toMajor, zero, type Currency, type Minor } from '../../platform/money.ts';
import { expanded, idOf } from '../../platform/stripe.ts';
import { statusOfIntent, type BaseStatus, type Payment } from '../payments.ts';
import type { Product } from '../products.ts';
import type { Subscription } from './subscriptions.ts';

/** What we look at of a subscription's invoice, as plain JSON. Amounts in minor units, times in Unix seconds. */
export interface InvoiceFacts {
  id: string;
  /** null: not a subscription's. */
  subscriptionId: string | null;
  billingReason: string | null;
  status: string | null;
  amountDueMinor: number;
  currency: string;
  attemptCount: number;
  nextAttempt: number | null;
  hostedUrl: string | null;
  /** The end of the period that it is about. */
  periodEnd: number | null;
  payments: InvoicePaymentFacts[];
}

export interface InvoicePaymentFacts {
  paymentId: string;
  amountMinor: number;
  currency: string;
  status: BaseStatus;
  failureCode: string | null;
  failureMessage: string | null;
  metadata: Record<string, string>;
  /** What Stripe takes of it for the platform on a tenant's account. */
  feeMinor: number | null;
}

/** Asked for with the invoice, so that one call tells all. */
export const invoiceExpand = ['payments.data.payment.payment_intent'];

export const subscriptionOf = (invoice: Stripe.Invoice): string | undefined =>
  idOf(invoice.parent?.subscription_details?.subscription);

export function invoiceFactsOf(invoice: Stripe.Invoice): InvoiceFacts {
  const intents = (invoice.payments?.data ?? []).flatMap(({ payment }) => {
    const intent = expanded<Stripe.PaymentIntent>(payment.payment_intent);
    return intent ? [intent] : [];
  });
  const ends = invoice.lines.data.map(({ period }) => period.end);
  return {
    id: invoice.id,
    subscriptionId: subscriptionOf(invoice) ?? null,
    billingReason: invoice.billing_reason,
    status: invoice.status,
    amountDueMinor: invoice.amount_due,
    currency: invoice.currency,
    attemptCount: invoice.attempt_count,
    nextAttempt: invoice.next_payment_attempt,
    hostedUrl: invoice.hosted_invoice_url ?? null,
    periodEnd: ends.length > 0 ? Math.max(...ends) : null,
    payments: intents.map((intent) => ({
      paymentId: intent.id,
      amountMinor: intent.amount,
      currency: intent.currency,
      status: statusOfIntent(intent),
      failureCode: intent.last_payment_error?.decline_code ?? intent.last_payment_error?.code ?? null,
      failureMessage: intent.last_payment_error?.message ?? null,
      metadata: { ...intent.metadata },
      feeMinor: intent.application_fee_amount,
    })),
  };
}

/** `application_fee_percent` of an amount, as Stripe takes it: rounded half up to a minor unit. The coach has the rest. */
export function splitByPercent(amount: Minor, feePercent: number): Split {
  const basisPoints = BigInt(Math.round(feePercent * 100));
  const feeMinor = minor(Number((BigInt(amount) * basisPoints + 5_000n) / 10_000n));
  return { feeMinor, coachMinor: minor(amount - feeMinor) };
}

/** How one charge of a subscription is shared by these terms. */
export function splitOf(
  chargeModel: Subscription['chargeModel'],
  amount: Minor,
  currency: Currency,
  terms: Terms | undefined,
): Split {
  if (chargeModel === 'own') return { feeMinor: zero, coachMinor: zero };
  if (!terms) throw new Error('A coach’s subscription is charged and there are no terms to share it by.');
  return chargeModel === 'direct' ? splitByPercent(amount, terms.feePercent) : split(amount, terms, currency);
}

export interface RenewalOf {
  subscriptionId: string;
  subscription: Subscription;
  product: Pick<Product, 'name' | 'vatRate'>;
  /** Set where the subscription is a coach's. */
  coach?: Pick<Coach, 'terms' | 'stripeAccountId'>;
}

/**
 * The payment of an invoice: Stripe's own amount (prorations and credits are in it), shared by the terms of today; on a
 * tenant's account Stripe has shared it already. Frozen from here on.
 */
export function renewalPayment(
  of: RenewalOf,
  invoice: Pick<InvoiceFacts, 'id' | 'periodEnd'>,
  paid: InvoicePaymentFacts,
  at: Timestamp,
): Payment {
  const { subscription, product, coach } = of;
  const currency = fromStripeCurrency(paid.currency);
  const amountMinor = minor(paid.amountMinor);
  const taken = subscription.chargeModel === 'direct' ? paid.feeMinor : null;
  const shares =
    taken === null
      ? splitOf(subscription.chargeModel, amountMinor, currency, coach?.terms)
      : { feeMinor: minor(taken), coachMinor: minor(amountMinor - taken) };
  return {
    userId: subscription.userId,
    amount: toMajor(amountMinor, currency),
    amountMinor,
    currency,
    date: at,
    status: paid.status,
    stripePaymentId: paid.paymentId,
    description: product.name,
    subscriptionId: of.subscriptionId,
    invoiceId: invoice.id,
    quantity: subscription.quantity,
    ...(invoice.periodEnd ? { periodEnd: Timestamp.fromMillis(invoice.periodEnd * 1000) } : {}),
    productId: subscription.productId,
    ...(subscription.coachId ? { coachId: subscription.coachId } : {}),
    ...(coach?.stripeAccountId ? { stripeAccountId: subscription.stripeAccountId ?? coach.stripeAccountId } : {}),
    chargeModel: subscription.chargeModel,
    platformFeeMinor: shares.feeMinor,
    coachAmountMinor: shares.coachMinor,
    stripeFeeMinor: null,
    netMinor: null,
    vatRate: product.vatRate,
    refundedMinor: zero,
    ...(paid.status === 'failed' && paid.failureCode ? { failureCode: paid.failureCode } : {}),
    ...(paid.status === 'failed' && paid.failureMessage ? { failureMessage: paid.failureMessage } : {}),
    customerName: subscription.customerName,
    metadata: paid.metadata,
    createdAt: at,
    updatedAt: at,
  };
}
