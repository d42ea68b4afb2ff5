import { accounts, type Account, type LedgerDocument, type LedgerKind } from '../ledger/ledger.ts';
import { minor, negate, zero, type Minor } from '../platform/money.ts';
import type { AccountName, AccountPlan, Profile } from './account-plan.ts';
import { taxOfPart, vatOnTop, type Taxed, type TaxLine } from './tax.ts';

/** What the posting table looks at. */
export type Posted = Pick<LedgerDocument, 'kind' | 'deltas' | 'parts' | 'tenant'>;

/** Debit positive, by account number; sums to zero. */
export type Postings = { ok: true; moved: Map<number, Minor> } | { ok: false; reason: string };

/**
 * What the platform sells a coach or tenant, mediation, is at the standard rate whatever the coach sells (ML 2023:200, 9:2),
 * as on the platform's invoices for it (payouts/invoices.ts). The same rate is worked out on services from abroad.
 */
const standardRate = 25;

/**
 * What one ledger document posts under a plan: each account it moves goes to the account of the profile's table, income is
 * split into what is earned and its VAT, and a principal's purchase from the coach stands beside its sale. Every part
 * balances in itself, so the whole does, and the clearing account gets exactly what moved in Stripe.
 */
export function postings(document: Posted, plan: AccountPlan): Postings {
  const rows: [AccountName, number][] = [];
  for (const account of accounts) {
    const amount = document.deltas[account];
    if (amount === 0) continue;
    const target = targetOf(plan.profile, document, account);
    if (target === undefined) {
      const reason = `a ${document.kind} that moves ${account} has no rule in the profile "${plan.profile}"`;
      return { ok: false, reason };
    }
    if (target !== 'income') rows.push([target, amount]);
  }
  const more =
    plan.profile === 'specification' ? [...shareBack(document), ...tenantsPart(document)] : taxed(document, plan);
  if (typeof more === 'string') return { ok: false, reason: more };
  return collected([...rows, ...more], plan);
}

/** One sum an account, zeros left out. */
function collected(rows: readonly [AccountName, number][], { profile, accounts: numbers }: AccountPlan): Postings {
  const moved = new Map<number, number>();
  for (const [name, amount] of rows) {
    const number = numbers[name];
    if (number === undefined) return { ok: false, reason: `the profile "${profile}" has no account for ${name}` };
    moved.set(number, (moved.get(number) ?? 0) + amount);
  }
  return {
    ok: true,
    moved: new Map([...moved].filter(([, amount]) => amount !== 0).map(([number, amount]) => [number, minor(amount)])),
  };
}

/** An account, or income whose VAT is taken out. */
type Target = AccountName | 'income';
type Rules = Record<LedgerKind, Partial<Record<Account, Target>>>;

/** undefined: the profile has no rule. A tenant's money is seen passing through Stripe, never through the result. */
function targetOf(profile: Profile, { kind, tenant }: Posted, account: Account): Target | undefined {
  if (tenant && account === 'coach_payable') return 'liabilities';
  return rules[profile][kind][account];
}

/** The posting table. Every kind of ledger document has a line: a new kind does not compile without one. */
function table(to: { share: AccountName; payout: AccountName; fee: Target; own: Target }): Rules {
  const clearing = { stripe_platform: 'clearing', stripe_connected: 'clearing' } as const;
  const shared = { coach_payable: to.share, fee_revenue: to.fee };
  const payout = { ...clearing, coach_payable: to.payout };
  const debts = { coach_receivable: 'receivables', customer_payable: 'liabilities' } as const;
  const borne = { ...debts, ...shared, own_revenue: to.own, session_held: 'advances' } as const;
  const disputed = { ...clearing, dispute_held: 'receivables' } as const;
  return {
    sale: { ...clearing, ...shared },
    own_sale: { ...clearing, own_revenue: to.own },
    direct_sale: { ...clearing, fee_revenue: to.fee },
    session_paid: { ...clearing, session_held: 'advances' },
    session_completed: { ...shared, session_held: 'advances' },
    fee: { ...clearing, stripe_fees: 'stripeFees' },
    transfer: clearing,
    transfer_reversal: { ...payout, coach_receivable: 'receivables' },
    refund: { ...clearing, ...borne },
    refund_failed: { ...clearing, customer_payable: 'liabilities' },
    fee_refund: { ...payout, coach_receivable: 'receivables', fee_revenue: to.fee },
    dispute_withdrawn: disputed,
    dispute_reinstated: disputed,
    dispute_lost: { ...borne, dispute_held: 'receivables' },
    payout,
    payout_returned: payout,
    platform_payout: { ...clearing, bank_platform: 'bank' },
    write_off: { coach_receivable: 'receivables', losses: 'losses' },
    reserve: disputed,
    topup: { ...clearing, bank_platform: 'bank' },
    adjustment: { ...payout, losses: 'losses' },
  };
}

const owed = table({ share: 'liabilities', payout: 'liabilities', fee: 'income', own: 'income' });
const rules: Record<Profile, Rules> = {
  specification: table({ share: 'sales25', payout: 'payouts', fee: 'feeRevenue', own: 'sales25' }),
  agent: owed,
  principal: owed,
};

/** Kinds in which a coach's share comes to be or goes back; in the others what is owed to coaches is paid or settled. */
const sharing: ReadonlySet<LedgerKind> = new Set(['sale', 'session_completed', 'refund', 'dispute_lost']);

/** `specification` books the share as a sale and as the payouts that stand for it: a refund takes it out of both. */
function shareBack({ kind, deltas }: Posted): [AccountName, number][] {
  if (!sharing.has(kind)) return [];
  return [
    ['sales25', deltas.coach_receivable],
    ['payouts', negate(deltas.coach_receivable)],
  ];
}

/** What is paid out of a tenant's own money was owed, and is no cost. The other profiles owe coaches too. */
const tenantsPart = ({ parts: { tenantMinor = zero } }: Posted): [AccountName, number][] => [
  ['payouts', negate(tenantMinor)],
  ['liabilities', tenantMinor],
];

/** Income, purchases and reverse charge with their VAT; a text: what has no account. */
function taxed(document: Posted, plan: AccountPlan): [AccountName, number][] | string {
  const { kind, deltas, parts, tenant } = document;
  if (kind === 'fee') return plan.stripeFeeVat === 'reverse_charge' ? reverseCharge(deltas.stripe_fees) : [];
  const { grossMinor: gross, coachMinor: coach } = parts.before ?? { grossMinor: 0, coachMinor: 0 };
  const product: readonly TaxLine[] = parts.vatLines ?? [{ vatRate: parts.vatRate, grossMinor: 1 }];
  const mediation = [{ vatRate: standardRate, grossMinor: 1 }];
  // What is earned is a credit, hence the signs.
  const [fee, own] = [negate(deltas.fee_revenue), negate(deltas.own_revenue)];
  if (plan.profile === 'agent' || tenant) {
    return earned([...taxOfPart(gross - coach, fee, mediation), ...taxOfPart(gross, own, product)]);
  }
  const share = sharing.has(kind) ? -(deltas.coach_payable + deltas.coach_receivable) : 0;
  const income = earned(taxOfPart(gross, fee + own + share, product));
  if (typeof income === 'string') return income;
  const inputVat = parts.coachVat
    ? taxOfPart(coach, share, product).reduce((sum, { vatMinor }) => sum + vatMinor, 0)
    : 0;
  return [...income, ['purchases', share - inputVat], ['inputVat', inputVat]];
}

const byRate: ReadonlyMap<number, { sales: AccountName; vat: AccountName }> = new Map([
  [25, { sales: 'sales25', vat: 'vat25' }],
  [12, { sales: 'sales12', vat: 'vat12' }],
  [6, { sales: 'sales6', vat: 'vat6' }],
  // No VAT is ever in it, so nothing is posted to the second.
  [0, { sales: 'sales0', vat: 'sales0' }],
]);

function earned(parts: readonly Taxed[]): [AccountName, number][] | string {
  const rows: [AccountName, number][] = [];
  for (const { vatRate, grossMinor, vatMinor } of parts) {
    const to = byRate.get(vatRate);
    if (!to) return `no account is for VAT at ${vatRate} %`;
    rows.push([to.sales, vatMinor - grossMinor], [to.vat, negate(vatMinor)]);
  }
  return rows;
}

function reverseCharge(feeMinor: Minor): [AccountName, number][] {
  const vat = vatOnTop(feeMinor, standardRate);
  return [
    ['reverseVatBack', vat],
    ['reverseVatDue', negate(vat)],
  ];
}
