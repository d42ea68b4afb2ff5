import type { Letter } from '../platform/mail.ts';
import { formatMoney } from '../platform/money.ts';
import type { Payout } from './payouts.ts';

/** What a bank's refusal means for the coach, by Stripe's failure code; the rest have no advice of their own. */
const advice: Record<string, string> = {
  account_closed: 'The bank says that the account is closed. Add another bank account.',
  account_frozen: 'The bank says that the account is frozen. Ask your bank, or add another account.',
  bank_account_restricted: 'The bank does not take transfers to this account. Ask your bank, or add another account.',
  incorrect_account_holder_name: 'The name on the bank account does not match yours at Stripe. Correct one of them.',
  invalid_account_number: 'The account number is not right. Correct it.',
  invalid_currency: 'The bank account does not take this currency. Add an account that does.',
  no_account: 'The bank found no such account. Check the number and correct it.',
};

/** To the coach whose payout came back. */
export function payoutFailedLetter(payout: Payout): Letter {
  const money = formatMoney(payout.amountMinor, payout.currency);
  const why = advice[payout.failureCode ?? ''] ?? 'Check your bank details.';
  return {
    toUids: [payout.coachId],
    message: {
      subject: `Your payout of ${money} did not arrive`,
      text: [
        `Your payout of ${money} ${payout.status === 'canceled' ? 'was canceled' : 'was returned by the bank'}.`,
        'No money is lost: it is in your balance with us again.',
        `${why} You change your bank details on your coach page, under "Bank account".`,
        'When they are right, the money goes out with your next payout.',
      ].join('\n\n'),
    },
  };
}
