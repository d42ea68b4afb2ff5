import type { FlagInput } from '../../admin/flags.ts';
import { formatMoney } from '../../platform/money.ts';
import type { Refund, RefundFacts } from './refunds.ts';

/** Every flag this room raises, in words for the person who finds it. */
const money = ({ amountMinor, currency }: Pick<Refund, 'amountMinor' | 'currency'>) =>
  formatMoney(amountMinor, currency);
const subject = (refund: Refund): string => `refunds/${refund.refundId}`;

export const refundFailed = (refund: Refund): FlagInput => ({
  id: `refund-failed_${refund.refundId}`,
  kind: 'refund-failed',
  severity: 'warning',
  subject: subject(refund),
  message: `A refund of ${money(refund)} of payment ${refund.paymentId} came back: ${refund.failureReason ?? 'no reason given'}.`,
  action:
    'The customer was written to and the money is owed to them. Refund the payment anew, or agree with them on another way.',
});

export const shareTakenInVain = (refund: Refund): FlagInput => ({
  id: `refund-canceled_${refund.refundId}`,
  kind: 'refund-canceled',
  severity: 'critical',
  subject: subject(refund),
  message: `A refund of ${money(refund)} was canceled after the coach’s share had been taken back for it.`,
  action: 'Refund the payment anew, which uses that share; or send the share to the coach again by hand.',
});

export const refundTwice = (refund: Refund, facts: RefundFacts): FlagInput => ({
  id: `refund-twice_${facts.id}`,
  kind: 'refund-twice',
  severity: 'critical',
  subject: subject(refund),
  message: `Stripe has ${facts.id}, which names this refund, and is not it: another was made for it, or its amount is another.`,
  action: 'See in the Stripe dashboard who made it. It is booked, as a refund made there.',
});

export const refundRefused = (refund: Refund, code: string, message: string): FlagInput => ({
  id: `refund-refused_${refund.refundId}`,
  kind: 'refund-refused',
  severity: 'warning',
  subject: subject(refund),
  message: `Stripe refused a refund of ${money(refund)} of payment ${refund.paymentId}: ${code}. ${message}`.slice(
    0,
    800,
  ),
  action:
    'Nothing went back. See the payment in the Stripe dashboard, mend the cause and refund it anew; of a canceled session, by canceling the session again.',
});

export const stillUnknown = (refund: Refund): FlagInput => ({
  id: `refund-unknown_${refund.refundId}`,
  kind: 'refund-unknown',
  severity: 'critical',
  subject: subject(refund),
  message: `For over a day it is not known whether Stripe made a refund of ${money(refund)} of payment ${refund.paymentId}.`,
  action: `Search the payment in the Stripe dashboard for a refund with refundId ${refund.refundId}. Until it is settled the amount counts as given back.`,
});

export const notBooked = (refund: Refund): FlagInput => ({
  id: `refund-not-booked_${refund.refundId}`,
  kind: 'refund-not-booked',
  severity: 'warning',
  subject: subject(refund),
  message: `A refund of ${money(refund)} is made, and for over a day it has not been booked, so the coach’s share was not taken back.`,
  action: 'See in the Stripe dashboard whether it still waits for money in the platform’s balance, and add some.',
});

export const debtFlagId = ({ refundId }: Refund): string => `refund-debt_${refundId}`;

export const shareOwed = (refund: Refund, coachId: string, share: string): FlagInput => ({
  id: debtFlagId(refund),
  kind: 'refund-debt',
  severity: 'warning',
  subject: subject(refund),
  message: `The balance of coach ${coachId} was too small for their ${share} of a refund of ${money(refund)}; the platform paid it.`,
  action:
    'It is taken back as earnings come, and the coach was written to. If none come, agree on how it is paid, or write it off.',
});
