import type { Account, LedgerKind } from '../ledger/ledger.ts';

/** A Fortnox account, 1000 to 9999. */
export type FortnoxAccountNumber = number;

/** Which accounts of the company's chart a profile posts to. */
export interface AccountPlan {
  /** Money in Stripe, ours or a coach's, until it reaches a bank. 1686 in charts from 2026, 1580 in older ones. */
  clearing: FortnoxAccountNumber;
  sales: FortnoxAccountNumber;
  feeRevenue: FortnoxAccountNumber;
  payouts: FortnoxAccountNumber;
  stripeFees: FortnoxAccountNumber;
}

/**
 * The accounts of the profile `specification`. Throws when the clearing account is one of the others: its balance could
 * then never be compared with Stripe's.
 */
export function specificationPlan(clearing: FortnoxAccountNumber): AccountPlan {
  const others = { sales: 3001, feeRevenue: 3921, payouts: 5090, stripeFees: 6570 };
  if (Object.values(others).includes(clearing)) {
    throw new Error(
      `CLEARING_ACCOUNT ${clearing} is used for something else by the profile "specification". Choose an account that nothing else posts to, such as 1686.`,
    );
  }
  return { clearing, ...others };
}

/** Every account of a plan once: what a financial year must have before the first post. */
export function accountsOf(plan: AccountPlan): FortnoxAccountNumber[] {
  return [...new Set(Object.values(plan) as FortnoxAccountNumber[])].sort((a, b) => a - b);
}

/** Which Fortnox account a ledger account is posted to in documents of one kind; undefined: the profile has no rule. */
export function fortnoxAccount(
  plan: AccountPlan,
  kind: LedgerKind,
  account: Account,
): FortnoxAccountNumber | undefined {
  return rules(plan)[kind][account];
}

type Rules = Record<LedgerKind, Partial<Record<Account, FortnoxAccountNumber>>>;

/** The posting table (docs/accounting.md). Every kind of ledger document has a line: a new kind does not compile without one. */
function rules(plan: AccountPlan): Rules {
  const clearing = { stripe_platform: plan.clearing, stripe_connected: plan.clearing };
  const payout = { ...clearing, coach_payable: plan.payouts };
  return {
    sale: { ...clearing, coach_payable: plan.sales, fee_revenue: plan.feeRevenue },
    own_sale: { ...clearing, own_revenue: plan.sales },
    fee: { ...clearing, stripe_fees: plan.stripeFees },
    payout,
    payout_returned: payout,
  };
}
