/** Stripe's test payment methods that the emulator knows, with what each of them does. */

export type CardOutcome =
  | { kind: 'pays'; fundsAtOnce: boolean }
  | { kind: 'declines'; code: string; declineCode: string | null; message: string; attaches: boolean };

/** When a card asks its holder to authenticate: never, each time, until it was set up, or unless it pays off session. */
export type Authentication = 'never' | 'always' | 'untilSetUp' | 'onSession';

/** What comes of a charge after it has succeeded. */
export type Aftermath =
  | { kind: 'dispute'; reason: 'fraudulent' | 'product_not_received'; inquiry: boolean }
  | { kind: 'fraudWarning' }
  | { kind: 'review' };

export interface TestCard {
  number: string;
  brand: string;
  last4: string;
  country: string;
  funding: 'credit' | 'debit';
  outcome: CardOutcome;
  authentication: Authentication;
  aftermath: Aftermath | null;
  /** What becomes of a refund: done at once, `pending` first, or failed after it was done. */
  refund: 'succeeds' | 'pending' | 'fails';
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
const visa = (number: string, outcome: CardOutcome = pays, more: Partial<TestCard> = {}): TestCard => ({
  number,
  brand: 'visa',
  last4: number.slice(-4),
  country: 'US',
  funding: 'credit',
  outcome,
  authentication: 'never',
  aftermath: null,
  refund: 'succeeds',
  ...more,
});
const poor = declines('card_declined', 'insufficient_funds', 'Your card has insufficient funds.');
const generic = declines('card_declined', 'generic_decline');
const dispute = (reason: 'fraudulent' | 'product_not_received', inquiry = false) =>
  ({ aftermath: { kind: 'dispute', reason, inquiry } }) as const;

export const TEST_CARDS: Readonly<Record<string, TestCard>> = {
  pm_card_visa: visa('4242424242424242'),
  pm_card_visa_debit: visa('4000056655665556', pays, { funding: 'debit' }),
  pm_card_mastercard: visa('5555555555554444', pays, { brand: 'mastercard' }),
  pm_card_amex: visa('371449635398431', pays, { brand: 'amex' }),
  pm_card_se: visa('4000007520000008', pays, { country: 'SE' }),
  pm_card_bypassPending: visa('4000000000000077', paysAtOnce),
  pm_card_bypassPendingInternational: visa('4000003720000278', paysAtOnce, { country: 'GB' }),
  pm_card_visa_chargeDeclined: visa('4000000000000002', generic),
  pm_card_chargeDeclined: visa('4000000000000002', generic),
  pm_card_visa_chargeDeclinedInsufficientFunds: visa('4000000000009995', poor),
  pm_card_chargeDeclinedInsufficientFunds: visa('4000000000009995', poor),
  pm_card_visa_chargeDeclinedLostCard: visa('4000000000009987', declines('card_declined', 'lost_card')),
  pm_card_visa_chargeDeclinedStolenCard: visa('4000000000009979', declines('card_declined', 'stolen_card')),
  pm_card_visa_chargeDeclinedVelocityLimitExceeded: visa(
    '4000000000006975',
    declines(
      'card_declined',
      'card_velocity_exceeded',
      'Your card was declined for making repeated attempts too frequently.',
    ),
  ),
  pm_card_chargeDeclinedExpiredCard: visa('4000000000000069', declines('expired_card', null, 'Your card has expired.')),
  pm_card_chargeDeclinedIncorrectCvc: visa(
    '4000000000000127',
    declines('incorrect_cvc', null, "Your card's security code is incorrect."),
  ),
  pm_card_chargeDeclinedProcessingError: visa(
    '4000000000000119',
    declines('processing_error', null, 'An error occurred while processing your card. Try again in a little bit.'),
  ),
  pm_card_chargeCustomerFail: visa('4000000000000341', declines('card_declined', 'generic_decline', declined, true)),
  pm_card_radarBlock: visa('4100000000000019', declines('card_declined', 'fraudulent')),
  pm_card_authenticationRequired: visa('4000002760003184', pays, { authentication: 'always' }),
  pm_card_authenticationRequiredOnSetup: visa('4000002500003155', pays, { authentication: 'untilSetUp' }),
  pm_card_authenticationRequiredSetupForOffSession: visa('4000003800000446', pays, { authentication: 'onSession' }),
  pm_card_authenticationRequiredChargeDeclinedInsufficientFunds: visa(
    '4000008260003178',
    declines('card_declined', 'insufficient_funds', 'Your card has insufficient funds.', true),
    {
      authentication: 'always',
    },
  ),
  pm_card_createDispute: visa('4000000000000259', pays, dispute('fraudulent')),
  pm_card_createDisputeProductNotReceived: visa('4000000000002685', pays, dispute('product_not_received')),
  pm_card_createDisputeInquiry: visa('4000000000001976', pays, dispute('product_not_received', true)),
  pm_card_createIssuerFraudRecord: visa('4000000000005423', pays, { aftermath: { kind: 'fraudWarning' } }),
  pm_card_riskLevelElevated: visa('4000000000009235', pays, { aftermath: { kind: 'review' } }),
  pm_card_pendingRefund: visa('4000000000007726', pays, { refund: 'pending' }),
  pm_card_refundFail: visa('4000000000005126', pays, { refund: 'fails' }),
};

/** The token of a card number; undefined for a number that is no test card's. */
export const tokenOfNumber = (number: string): string | undefined =>
  Object.entries(TEST_CARDS).find(([, card]) => card.number === number.replaceAll(/[\s-]/g, ''))?.[0];
