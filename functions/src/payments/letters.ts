import type { Letter } from '../platform/mail.ts';
import { formatMoney, minor } from '../platform/money.ts';
import { vatOf, type Payment } from './payments.ts';

/** Means of payment that say no days after the customer left. */
const debits = new Set(['sepa_debit', 'bacs_debit', 'au_becs_debit', 'acss_debit', 'us_bank_account']);

export const isDebit = (method: string | undefined): boolean => method !== undefined && debits.has(method);

/** The receipt, where Stripe sends none. Amounts with VAT, as Swedish consumers read them. */
export function receiptLetter(payment: Payment): Letter {
  const { userId, amountMinor, currency, description } = payment;
  const vat = vatOf(payment);
  return {
    toUids: [userId],
    message: {
      subject: `Receipt: ${description}`,
      text: [
        'Thank you for your purchase.',
        '',
        description,
        `Net: ${formatMoney(minor(amountMinor - vat), currency)}`,
        `VAT: ${formatMoney(vat, currency)}`,
        `Paid: ${formatMoney(amountMinor, currency)}`,
        `Reference: ${payment.stripePaymentId}`,
      ].join('\n'),
    },
  };
}

export function failedDebitLetter({ userId, amountMinor, currency, description, stripePaymentId }: Payment): Letter {
  return {
    toUids: [userId],
    message: {
      subject: `Your payment did not go through: ${description}`,
      text: [
        `Your bank did not pay ${formatMoney(amountMinor, currency)} for ${description}.`,
        'Nothing was taken from your account. Please pay again, with another account or a card.',
        `Reference: ${stripePaymentId}`,
      ].join('\n'),
    },
  };
}
