import { openMinor, type Earning } from '../coaches/earnings.ts';
import { minor, sum, type Minor } from '../platform/money.ts';

/** One earning's part in a payout. A debt's part is negative. */
export interface Part {
  earning: Earning;
  amountMinor: Minor;
}

export interface AmountFacts {
  /** What the ledger owes the coach: −(coach_payable + coach_receivable). */
  boundMinor: Minor;
  /** What Stripe lets go from the coach's balance now; can be negative. */
  availableMinor: Minor;
  minimumMinor: Minor;
  debts: readonly Earning[];
  /** Loose at Stripe, oldest first. */
  open: readonly Earning[];
  /** Resting while it is disputed: owed, but not to be paid now. */
  held: readonly Earning[];
}

/** Why nothing is paid, for programs and for the coach's page. */
export type NothingReason = 'nothing-owed' | 'nothing-available' | 'below-minimum';

export type AmountDecision = { amountMinor: Minor; parts: Part[]; explainedMinor: Minor } & (
  { pay: true } | { pay: false; reason: NothingReason }
);

/**
 * How much a payout is, and of what: at most what the ledger owes less what rests, at most what Stripe has, at most what
 * earnings explain. Debts are taken off first, then the oldest money goes first; the last earning may go in part.
 */
export function decideAmount(facts: AmountFacts): AmountDecision {
  const debts: Part[] = facts.debts.map((earning) => ({ earning, amountMinor: openMinor(earning) }));
  const debtMinor = sum(debts.map((part) => part.amountMinor));
  const explainedMinor = minor(sum(facts.open.map(openMinor)) + debtMinor);
  const ceiling = minor(Math.min(payableMinor(facts), facts.availableMinor, explainedMinor));
  if (ceiling < facts.minimumMinor || ceiling <= 0) {
    const amountMinor = minor(Math.max(0, ceiling));
    return { pay: false, reason: reasonOf(facts, explainedMinor), amountMinor, parts: [], explainedMinor };
  }
  const parts = [...debts, ...take(facts.open, minor(ceiling - debtMinor))];
  return { pay: true, amountMinor: ceiling, parts, explainedMinor };
}

const payableMinor = ({ boundMinor, held }: AmountFacts): Minor =>
  minor(boundMinor - sum(held.map((earning) => Math.max(0, openMinor(earning)))));

function take(open: readonly Earning[], wanted: Minor): Part[] {
  const parts: Part[] = [];
  let left: number = wanted;
  for (const earning of open) {
    if (left <= 0) break;
    const amountMinor = minor(Math.min(left, openMinor(earning)));
    parts.push({ earning, amountMinor });
    left -= amountMinor;
  }
  return parts;
}

function reasonOf(facts: AmountFacts, explainedMinor: Minor): NothingReason {
  if (facts.boundMinor <= 0) return 'nothing-owed';
  return facts.availableMinor <= 0 || explainedMinor <= 0 ? 'nothing-available' : 'below-minimum';
}
