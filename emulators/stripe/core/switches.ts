/**
 * What can be chosen about the emulator. Each behaviour of Stripe that could not be confirmed is one of these, so that
 * a product can be tried both ways.
 */
export interface Switches {
  /** `manual`: nothing is sent by itself; tests read `/_emulator/events` and send what they like. */
  deliveries: 'automatic' | 'manual';
  /** When above 0, a charge's balance transaction, transfer and fee come this much later, with `charge.updated`. */
  chargeBalanceTransactionDelaySeconds: number;
  /** How long card money is pending. Stripe starts Swedish accounts with 7 days. */
  cardFundsDelaySeconds: number;
  /** Stripe has no bank debit for SEK. On: a SEPA debit may pay SEK all the same, so that `processing` can be tried. */
  debitsInSek: boolean;
  /** How long a bank debit is `processing`. */
  debitClearsAfterSeconds: number;
  /** After a payment: when its dispute, fraud warning or review comes, for the test cards that bring one. */
  disputeAfterSeconds: number;
  /** Unconfirmed for Sweden, in öre: what Stripe charges for a dispute. */
  disputeFee: number;
  /** Unconfirmed: whether the dispute's fee comes back when the dispute is won. */
  disputeFeeReturnedWhenWon: boolean;
  /** How long a bank decides on submitted evidence. */
  disputeDecidedAfterSeconds: number;
  /** On: a refund is `pending` until the balance has the money. Off: the balance goes below zero. */
  refundsWaitForFunds: boolean;
  /** How long the refunds of `pm_card_pendingRefund` are pending. */
  refundPendingSeconds: number;
  /** How long the refunds of `pm_card_refundFail` look succeeded. */
  refundFailsAfterSeconds: number;
  payoutInTransitAfterSeconds: number;
  /** How long a payout that will fail stays paid. Stripe: up to five business days. */
  payoutFailsAfterPaidSeconds: number;
  accountLinkLifetimeSeconds: number;
  /** When above 0, what was submitted in onboarding is `pending_verification` this long. */
  onboardingVerificationDelaySeconds: number;
  /** Unconfirmed: whether an account with `transfers` alone has `charges_enabled`. */
  chargesEnabledWithoutCardPayments: boolean;
  /** Unconfirmed: whether Sweden permits `transfers` without `card_payments`. */
  transfersRequireCardPayments: boolean;
  /** Unconfirmed: whether an idempotency key belongs to one account or to the platform with all its accounts. */
  idempotencyKeysPerAccount: boolean;
  /** Unconfirmed: whether a replay carries `Idempotent-Replayed: true`. */
  idempotentReplayedHeader: boolean;
  /** What becomes of a subscription when the last retry of a payment has failed: a setting of Stripe's Dashboard. */
  subscriptionAfterRetries: 'cancel' | 'unpaid' | 'past_due';
  /** Unconfirmed: whether `application_fee_percent` is taken on the platform, beside `transfer_data`. */
  applicationFeePercentOnPlatform: boolean;
  /** Search sees an object this long after it was made. Stripe says: usually within a minute. */
  searchDelaySeconds: number;
}

export const defaultSwitches: Switches = {
  deliveries: 'automatic',
  chargeBalanceTransactionDelaySeconds: 0,
  cardFundsDelaySeconds: 7 * 86_400,
  debitsInSek: false,
  debitClearsAfterSeconds: 3 * 86_400,
  disputeAfterSeconds: 0,
  disputeFee: 22_500,
  disputeFeeReturnedWhenWon: true,
  disputeDecidedAfterSeconds: 3_600,
  refundsWaitForFunds: true,
  refundPendingSeconds: 86_400,
  refundFailsAfterSeconds: 86_400,
  payoutInTransitAfterSeconds: 3_600,
  payoutFailsAfterPaidSeconds: 86_400,
  accountLinkLifetimeSeconds: 300,
  onboardingVerificationDelaySeconds: 0,
  chargesEnabledWithoutCardPayments: true,
  transfersRequireCardPayments: false,
  idempotencyKeysPerAccount: true,
  idempotentReplayedHeader: true,
  subscriptionAfterRetries: 'cancel',
  applicationFeePercentOnPlatform: true,
  searchDelaySeconds: 0,
};

const WORDS: Readonly<Record<string, readonly string[]>> = {
  subscriptionAfterRetries: ['cancel', 'unpaid', 'past_due'],
};

/** The switches after a change, or a text that says what is wrong with it. */
export function changeSwitches(before: Switches, change: Record<string, unknown>): Switches | string {
  const next: Record<string, unknown> = { ...before };
  for (const [name, value] of Object.entries(change)) {
    if (!Object.hasOwn(defaultSwitches, name)) {
      return `There is no switch '${name}'. There are: ${Object.keys(defaultSwitches).join(', ')}.`;
    }
    const wanted = typeof next[name];
    if (typeof value !== wanted) return `The switch '${name}' takes a ${wanted}.`;
    const words = WORDS[name];
    if (words && !words.includes(value as string)) return `The switch '${name}' is one of: ${words.join(', ')}.`;
    if (name === 'deliveries' && value !== 'automatic' && value !== 'manual') {
      return `The switch 'deliveries' is 'automatic' or 'manual'.`;
    }
    if (typeof value === 'number' && (!Number.isInteger(value) || value < 0)) {
      return `The switch '${name}' takes a whole number of seconds, 0 or more.`;
    }
    next[name] = value;
  }
  return next as unknown as Switches;
}
