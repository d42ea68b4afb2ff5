import type { FlagInput } from '../../admin/flags.ts';
import { formatMoney } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';
import type { Strike } from './declines.ts';

const subjectOf = ({ stripePaymentId }: Payment): string => `payments/${stripePaymentId}`;

export const cardTesting = (uid: string, { strikes, declines, cards, untilMs }: Strike): FlagInput => ({
  id: `card-testing_${uid}`,
  kind: 'card-testing',
  severity: strikes > 2 ? 'critical' : 'warning',
  subject: `customers/${uid}`,
  message: `${declines} declined cards of user ${uid} within an hour, ${cards} different ones within a day. Their cards are refused until ${new Date(untilMs).toISOString()} (pause ${strikes}).`,
  action:
    'Somebody may be trying out stolen cards. Look the customer up in the Stripe dashboard, refund what succeeded and looks wrong, and disable the login if it goes on.',
});

export const warningFlagId = (id: string): string => `early-fraud-warning_${id}`;

export const fraudWarned = (id: string, payment: Payment, fraudType: string): FlagInput => ({
  id: warningFlagId(id),
  kind: 'early-fraud-warning',
  severity: 'critical',
  subject: subjectOf(payment),
  message: `The card's bank believes that ${formatMoney(payment.amountMinor, payment.currency)} of payment ${payment.stripePaymentId} is fraud (${fraudType}). Nothing is disputed yet.`,
  action:
    'Refund it now unless you know the customer: a refund costs the payment, a dispute costs the payment and a fee and counts against us. The flag closes when it is refunded or disputed.',
});

export const reviewFlagId = (id: string): string => `review_${id}`;

export const underReview = (id: string, payment: Payment, reason: string): FlagInput => ({
  id: reviewFlagId(id),
  kind: 'review',
  severity: 'warning',
  subject: subjectOf(payment),
  message: `Stripe asks for a look at payment ${payment.stripePaymentId} of ${formatMoney(payment.amountMinor, payment.currency)} (${reason}).`,
  action: 'Approve or refund it in the Stripe dashboard, under Reviews. The payment stands meanwhile.',
});
