import type { Letter } from '../../platform/mail.ts';
import { formatMoney } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';
import type { Refund } from './refunds.ts';

/** To the customer whose bank did not take a refund. */
export function refundFailedLetter(payment: Pick<Payment, 'userId' | 'description'>, refund: Refund): Letter {
  const money = formatMoney(refund.amountMinor, refund.currency);
  return {
    toUids: [payment.userId],
    message: {
      subject: `Your refund of ${money} did not arrive`,
      text: [
        `We sent you ${money} back for "${payment.description}", and your bank returned it to us. Often the card was closed or replaced.`,
        'No money is lost: we hold it for you. We will be in touch about another way to send it; you need do nothing.',
      ].join('\n\n'),
    },
  };
}

/** To the coach whose balance was too small for their part of a refund. */
export function shareOwedLetter(coachId: string, description: string, refund: Refund, share: string): Letter {
  return {
    toUids: [coachId],
    message: {
      subject: `${share} of a refund will be taken from your coming earnings`,
      text: [
        `${formatMoney(refund.amountMinor, refund.currency)} went back to a customer for "${description}". Your part of it is ${share}, and your balance did not have that much.`,
        'We have paid it for you for now. It is taken from your balance as new earnings come, and your coach page shows what is left of it.',
      ].join('\n\n'),
    },
  };
}
