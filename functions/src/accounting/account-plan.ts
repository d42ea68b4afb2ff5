import type { Account, LedgerDocument, LedgerKind } from '../ledger/ledger.ts';
import { negate, type Minor } from '../platform/money.ts';

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
  /** What coaches owe after refunds and disputes, and what a dispute holds. */
  receivables: FortnoxAccountNumber;
  /** Paid by customers for sessions to come. */
  advances: FortnoxAccountNumber;
  /** Owed to customers, and a tenant's own money in Stripe. */
  liabilities: FortnoxAccountNumber;
  bank: FortnoxAccountNumber;
  losses: FortnoxAccountNumber;
}

/**
 * The accounts of the profile `specification`. Throws when the clearing account is one of the others: its balance could
 * then never be compared with Stripe's.
 */
export function specificationPlan(clearing: FortnoxAccountNumber): AccountPlan {
  const others = {
    sales: 3001,
    feeRevenue: 3921,
    payouts: 5090,
    stripeFees: 6570,
    receivables: 1689,
    advances: 2420,
    liabilities: 2899,
    bank: 1930,
    losses: 6380,
  };
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

/** What the posting table looks at. */
export type Posted = Pick<LedgerDocument, 'kind' | 'deltas' | 'tenant'>;

/** Which Fortnox account a ledger account is posted to in a document; undefined: the profile has no rule. */
export function fortnoxAccount(
  plan: AccountPlan,
  { kind, tenant }: Posted,
  account: Account,
): FortnoxAccountNumber | undefined {
  // A tenant's money is seen passing through Stripe, never through the result.
  if (tenant && account === 'coach_payable') return plan.liabilities;
  return rules(plan)[kind][account];
}

/**
 * What a document posts beside its own accounts: a refund takes the coach's share out of sales and out of the payouts
 * that stand for it, because the profile books both.
 */
export function besides(
  plan: AccountPlan,
  { kind, deltas }: Posted,
): { account: FortnoxAccountNumber; minor: Minor }[] {
  if (kind !== 'refund' && kind !== 'dispute_lost') return [];
  return [
    { account: plan.sales, minor: deltas.coach_receivable },
    { account: plan.payouts, minor: negate(deltas.coach_receivable) },
  ];
}

type Rules = Record<LedgerKind, Partial<Record<Account, FortnoxAccountNumber>>>;

/** The posting table (docs/accounting.md). Every kind of ledger document has a line: a new kind does not compile without one. */
function rules(plan: AccountPlan): Rules {
  const clearing = { stripe_platform: plan.clearing, stripe_connected: plan.clearing };
  const shared = { coach_payable: plan.sales, fee_revenue: plan.feeRevenue };
  const payout = { ...clearing, coach_payable: plan.payouts };
  const debts = { coach_receivable: plan.receivables, customer_payable: plan.liabilities };
  const borne = { ...debts, ...shared, own_revenue: plan.sales, session_held: plan.advances };
  const disputed = { ...clearing, dispute_held: plan.receivables };
  return {
    sale: { ...clearing, ...shared },
    own_sale: { ...clearing, own_revenue: plan.sales },
    direct_sale: { ...clearing, fee_revenue: plan.feeRevenue },
    session_paid: { ...clearing, session_held: plan.advances },
    session_completed: { ...shared, session_held: plan.advances },
    fee: { ...clearing, stripe_fees: plan.stripeFees },
    transfer: clearing,
    transfer_reversal: { ...payout, coach_receivable: plan.receivables },
    refund: { ...clearing, ...borne },
    refund_failed: { ...clearing, customer_payable: plan.liabilities },
    fee_refund: { ...payout, coach_receivable: plan.receivables, fee_revenue: plan.feeRevenue },
    dispute_withdrawn: disputed,
    dispute_reinstated: disputed,
    dispute_lost: { ...borne, dispute_held: plan.receivables },
    payout,
    payout_returned: payout,
    platform_payout: { ...clearing, bank_platform: plan.bank },
    write_off: { coach_receivable: plan.receivables, losses: plan.losses },
  };
}
