import type { FlagInput } from '../admin/flags.ts';
import { formatMoney, minor } from '../platform/money.ts';
import type { Payout, PayoutFacts } from './payouts.ts';

/** Every flag this domain raises, in words for the person who finds it. */
const subject = (id: string): string => `payouts/${id}`;
const money = (payout: Payout): string => formatMoney(payout.amountMinor, payout.currency);

export const payoutRefused = (id: string, payout: Payout, code: string, message: string): FlagInput => ({
  id: `payout-refused_${id}`,
  kind: 'payout-refused',
  severity: 'warning',
  subject: subject(id),
  message: `Stripe refused a payout of ${money(payout)} to coach ${payout.coachId}: ${code}. ${message}`.slice(0, 800),
  action:
    "See the coach's account in the Stripe dashboard. The money goes out with the next payout once the cause is gone.",
});

export const neverCreated = (id: string, payout: Payout): FlagInput => ({
  id: `payout-never-created_${id}`,
  kind: 'payout-never-created',
  severity: 'critical',
  subject: subject(id),
  message: `A payout of ${money(payout)} was asked of Stripe with no clear answer, and Stripe has no such payout. It is closed.`,
  action: `See in the Stripe dashboard that account ${payout.stripeAccountId} has no payout with payoutId ${id}. The money goes out with the next one.`,
});

export const payoutReturnedFlag = (id: string, payout: Payout): FlagInput => ({
  id: `payout-returned_${id}`,
  kind: 'payout-returned',
  severity: 'warning',
  subject: subject(id),
  message: `A payout of ${money(payout)} to coach ${payout.coachId} is ${payout.status}: ${payout.failureCode ?? 'no reason given'}.`,
  action: 'The coach was written to. See that they mend their bank account; the money goes out with the next payout.',
});

export const stillUnknown = (id: string, payout: Payout): FlagInput => ({
  id: `payout-unknown_${id}`,
  kind: 'payout-unknown',
  severity: 'critical',
  subject: subject(id),
  message: `For over a day it is not known whether Stripe made a payout of ${money(payout)} to coach ${payout.coachId}.`,
  action: `Search account ${payout.stripeAccountId} in the Stripe dashboard for a payout with payoutId ${id}. No other payout goes to this coach until it is settled.`,
});

export const notReadable = (id: string, payout: Payout, error: string): FlagInput => ({
  id: `payout-not-readable_${id}`,
  kind: 'payout-not-readable',
  severity: 'warning',
  subject: subject(id),
  message:
    `Payout ${payout.stripePayoutId ?? ''} of ${money(payout)} is not final, and Stripe does not show it to us: ${error}`.slice(
      0,
      800,
    ),
  action: `See in the Stripe dashboard whether account ${payout.stripeAccountId} is still connected, and what became of the payout.`,
});

export const existsAfterAll = (id: string, facts: PayoutFacts): FlagInput => ({
  id: `payout-exists-after-all_${id}`,
  kind: 'payout-exists-after-all',
  severity: 'critical',
  subject: subject(id),
  message: `We had closed this payout as never made, but Stripe has it as ${facts.id}. It is booked and its earnings are taken again.`,
  action: 'See whether the coach was paid once more meanwhile; if so their next payouts are smaller. Tell the coach.',
});

export const secondPayout = (id: string, facts: PayoutFacts): FlagInput => ({
  id: `payout-twice_${facts.id}`,
  kind: 'payout-twice',
  severity: 'critical',
  subject: subject(id),
  message: `Stripe has a second payout ${facts.id} for this document. It is booked in the ledger, but belongs to no items.`,
  action: 'Cancel it in the Stripe dashboard if it is still pending; otherwise agree with the coach how it is settled.',
});

export const amountDiffers = (id: string, payout: Payout, facts: PayoutFacts): FlagInput => ({
  id: `payout-amount_${id}`,
  kind: 'payout-amount',
  severity: 'critical',
  subject: subject(id),
  message: `We asked for ${money(payout)}; Stripe made it ${formatMoney(minor(facts.amountMinor), facts.currency)} (${facts.id}).`,
  action: 'Compare both in the Stripe dashboard. The ledger has what Stripe did.',
});

export const payoutNotOurs = (stripePayoutId: string, account: string): FlagInput => ({
  id: `payout-not-ours_${stripePayoutId}`,
  kind: 'payout-not-ours',
  severity: 'warning',
  subject: `stripe/${stripePayoutId}`,
  message: `Account ${account} has a payout ${stripePayoutId} that this system did not make.`,
  action:
    'See who made it in the Stripe dashboard, and that payouts of this account are set to manual. Book it by hand.',
});

export const unexplainedBalance = (
  coachId: string,
  currency: string,
  availableMinor: number,
  connectedMinor: number,
): FlagInput => ({
  id: `unexplained-balance_${coachId}_${currency}`,
  kind: 'unexplained-balance',
  severity: 'warning',
  subject: `coaches/${coachId}`,
  message: `Stripe has ${formatMoney(minor(availableMinor), currency)} loose for this coach, the ledger explains ${formatMoney(minor(connectedMinor), currency)}.`,
  action: 'Find the balance transaction that the ledger does not have. Only what is explained is paid out.',
});

export const balanceRefused = (coachId: string, code: string, message: string): FlagInput => ({
  id: `payout-balance-refused_${coachId}`,
  kind: 'payout-balance-refused',
  severity: 'warning',
  subject: `coaches/${coachId}`,
  message: `Stripe does not let us read this coach's balance: ${code}. ${message}`.slice(0, 800),
  action: 'See in the Stripe dashboard whether the account is still connected. Nothing is paid until it is.',
});

export const taskGaveUp = (coachId: string, runId: string, message: string): FlagInput => ({
  id: `payout-task_${runId}_${coachId}`,
  kind: 'payout-task',
  severity: 'critical',
  subject: `payoutRuns/${runId}/coaches/${coachId}`,
  message: `Paying this coach failed in every retry: ${message}`.slice(0, 800),
  action:
    'A payout already written is finished by the sweep. Otherwise mend the cause; the next due date pays what is owed.',
});

export const invoiceFailed = (id: string, message: string): FlagInput => ({
  id: `payout-invoice_${id}`,
  kind: 'payout-invoice',
  severity: 'warning',
  subject: subject(id),
  message: `The invoice that goes with this payout cannot be written: ${message}`.slice(0, 800),
  action: 'Mend what it names; it is tried again every five minutes, and its number is not given until it is there.',
});
