import type { Currency, Minor } from '../platform/money.ts';
import { FinalRefusal } from '../platform/commands.ts';
import { Refusal } from '../platform/errors.ts';
import { cameBack, type Payout, type PayoutStatus } from './payouts.ts';
import type { RunCoach } from './runs.ts';

/** What came of a payout that a person asked for. */
export interface PayoutReply {
  payoutId: string;
  coachId: string;
  amount: number;
  amountMinor: Minor;
  currency: Currency;
  /** `failed`: Stripe refused it, and nothing has moved; `unknown`: it is asked again until it is known. */
  status: PayoutStatus;
  failureCode: string | null;
  failureMessage: string | null;
}

export const replyOf = (payoutId: string, payout: Payout): PayoutReply => ({
  payoutId,
  coachId: payout.coachId,
  amount: payout.amount,
  amountMinor: payout.amountMinor,
  currency: payout.currency,
  status: payout.status,
  failureCode: payout.failureCode ?? null,
  failureMessage: payout.failureMessage ?? null,
});

type Reason = Extract<RunCoach, { state: 'nothing' }>['reason'];

const words: Readonly<Record<Reason, string>> = {
  'nothing-owed': 'There is nothing to pay out: all that was earned is paid, on its way or owed back.',
  'nothing-available': 'None of the money has come loose at Stripe yet. See pending in the earnings for the days.',
  'below-minimum': 'Less is payable than the least that can be paid out.',
  'more-than-payable': 'That is more than can be paid out now. Ask for at most what is payable.',
  'no-account': 'There is no Stripe account to pay from. Finish onboarding first.',
  'account-not-active': 'Stripe wants something before it pays out. See what is due on the coach’s page.',
  'payouts-disabled': 'Stripe does not pay out from this account now. See what is due on the coach’s page.',
  hold: 'Payouts of this coach rest by an administrator’s decision.',
  'bank-account-changed': 'Payouts rest for a while because the bank account was changed.',
  'earlier-payout-open': 'An earlier payout’s outcome is not known yet. Ask again, with a new requestId, when it is.',
  'balance-refused': 'Stripe does not let us read the account’s balance. See that it is still connected.',
};

/** Why nothing was paid, as the request's answer. */
export function nothingPaid(entry: Extract<RunCoach, { state: 'nothing' }>): FinalRefusal {
  const { reason, payableMinor } = entry;
  return new FinalRefusal('failed-precondition', reason, words[reason], {
    ...(payableMinor === undefined ? {} : { payableMinor }),
  });
}

/** A new attempt is made of what came back, and of nothing else. Throws Refusal. */
export function requireRetryable(payout: Payout): void {
  const refuse = (reason: string, message: string): never => {
    throw new Refusal('failed-precondition', reason, message);
  };
  if (payout.status === 'pending') refuse('payout-under-way', 'This payout is under way: there is nothing to repeat.');
  if (payout.status === 'completed') refuse('payout-completed', 'This payout has arrived: there is nothing to repeat.');
  if (payout.status === 'unknown') {
    refuse('payout-outcome-unknown', 'It is not known yet whether Stripe made this payout. It is asked until it is.');
  }
  const taken = payout.stripePayoutId === undefined || payout.failureBalanceTransactionId !== undefined;
  if (cameBack(payout.status) && !taken) {
    refuse('return-not-booked', 'The money is on its way back and not booked yet. Try again in some minutes.');
  }
}
