/** Stripe's test payment methods that the emulator knows, with what each of them does. */

export type CardOutcome =
  | { kind: 'pays'; fundsAtOnce: boolean }
  | { kind: 'declines'; code: string; declineCode: string | null; message: string; attaches: boolean };

export interface TestCard {
  brand: string;
  last4: string;
  country: string;
  funding: 'credit' | 'debit';
  outcome: CardOutcome;
}

const pays: CardOutcome = { kind: 'pays', fundsAtOnce: false };
const paysAtOnce: CardOutcome = { kind: 'pays', fundsAtOnce: true };
const declined = 'Your card was declined.';

const declines = (code: string, declineCode: string | null, message = declined, attaches = false): CardOutcome => ({
  kind: 'declines',
  code,
  declineCode,
  message,
  attaches,
});
const visa = (last4: string, outcome: CardOutcome, country = 'US'): TestCard => ({
  brand: 'visa',
  last4,
  country,
  funding: 'credit',
  outcome,
});

export const TEST_CARDS: Readonly<Record<string, TestCard>> = {
  pm_card_visa: visa('4242', pays),
  pm_card_visa_debit: { ...visa('5556', pays), funding: 'debit' },
  pm_card_mastercard: { ...visa('4444', pays), brand: 'mastercard' },
  pm_card_amex: { ...visa('8431', pays), brand: 'amex' },
  pm_card_se: visa('0008', pays, 'SE'),
  pm_card_bypassPending: visa('0077', paysAtOnce),
  pm_card_bypassPendingInternational: visa('0278', paysAtOnce, 'GB'),
  pm_card_visa_chargeDeclined: visa('0002', declines('card_declined', 'generic_decline')),
  pm_card_chargeDeclined: visa('0002', declines('card_declined', 'generic_decline')),
  pm_card_visa_chargeDeclinedInsufficientFunds: visa(
    '9995',
    declines('card_declined', 'insufficient_funds', 'Your card has insufficient funds.'),
  ),
  pm_card_chargeDeclinedInsufficientFunds: visa(
    '9995',
    declines('card_declined', 'insufficient_funds', 'Your card has insufficient funds.'),
  ),
  pm_card_visa_chargeDeclinedLostCard: visa('9987', declines('card_declined', 'lost_card')),
  pm_card_visa_chargeDeclinedStolenCard: visa('9979', declines('card_declined', 'stolen_card')),
  pm_card_chargeDeclinedExpiredCard: visa('0069', declines('expired_card', null, 'Your card has expired.')),
  pm_card_chargeDeclinedProcessingError: visa(
    '0119',
    declines('processing_error', null, 'An error occurred while processing your card. Try again in a little bit.'),
  ),
  pm_card_chargeCustomerFail: visa('0341', declines('card_declined', 'generic_decline', declined, true)),
};
