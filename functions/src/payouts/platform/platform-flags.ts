import type { FlagInput } from '../../admin/flags.ts';
import { formatMoney, minor, type Currency } from '../../platform/money.ts';
import type { PayoutFacts } from '../payouts.ts';
import { othersMinor, type PlatformNumbers, type PlatformPayout } from './platform.ts';

const subject = (id: string): string => `platformPayouts/${id}`;
const money = ({ amountMinor, currency }: Pick<PlatformPayout, 'amountMinor' | 'currency'>): string =>
  formatMoney(amountMinor, currency);

export const refused = (id: string, payout: PlatformPayout, code: string, message: string): FlagInput => ({
  id: `platform-payout-refused_${id}`,
  kind: 'platform-payout-refused',
  severity: 'warning',
  subject: subject(id),
  message: `Stripe refused a payout of ${money(payout)} to the platform’s bank: ${code}. ${message}`.slice(0, 800),
  action:
    'See the platform’s bank account in the Stripe dashboard. Nothing has moved; ask again when the cause is gone.',
});

export const neverCreated = (id: string, payout: PlatformPayout): FlagInput => ({
  id: `platform-payout-never-created_${id}`,
  kind: 'platform-payout-never-created',
  severity: 'warning',
  subject: subject(id),
  message: `A payout of ${money(payout)} to the platform’s bank was asked for with no clear answer, and Stripe has none. It is closed.`,
  action: `See in the Stripe dashboard that there is no payout with payoutId ${id}, and ask again.`,
});

export const stillUnknown = (id: string, payout: PlatformPayout): FlagInput => ({
  id: `platform-payout-unknown_${id}`,
  kind: 'platform-payout-unknown',
  severity: 'critical',
  subject: subject(id),
  message: `For over a day it is not settled what became of a payout of ${money(payout)} to the platform’s bank.`,
  action: `Search the Stripe dashboard for a payout with payoutId ${id}. No other one is made until it is settled.`,
});

export const returned = (id: string, payout: PlatformPayout): FlagInput => ({
  id: `platform-payout-returned_${id}`,
  kind: 'platform-payout-returned',
  severity: 'critical',
  subject: subject(id),
  message: `A payout of ${money(payout)} to the platform’s bank is ${payout.status}: ${payout.failureCode ?? 'no reason given'}. The money is in the Stripe balance again, and the books say so.`,
  action: 'Mend the platform’s bank account in the Stripe dashboard, then ask for the payout again.',
});

export const differs = (id: string, payout: PlatformPayout, facts: PayoutFacts): FlagInput => ({
  id: `platform-payout-amount_${id}`,
  kind: 'platform-payout-amount',
  severity: 'critical',
  subject: subject(id),
  message: `We asked for ${money(payout)}; Stripe made it ${formatMoney(minor(facts.amountMinor), facts.currency)} (${facts.id}).`,
  action: 'Compare both in the Stripe dashboard. The ledger has what Stripe did.',
});

/** One flag for all of them: it says the last one, and each is in the audit log. */
export const madeElsewhere = (facts: PayoutFacts): FlagInput => ({
  id: 'platform-payout-elsewhere',
  kind: 'platform-payout-elsewhere',
  severity: 'warning',
  subject: subject(facts.id),
  message: `A payout of ${formatMoney(minor(facts.amountMinor), facts.currency)} from the platform’s balance was not asked for by payPlatform (${facts.id}). It is booked.`,
  action:
    'Nothing is to be booked by hand. See that the money was the platform’s to take, and that the payout schedule at Stripe is manual: a schedule pays out what is held for customers and coaches, too.',
});

export const balanceFlagId = (currency: Currency): string => `platform-balance_${currency}`;

export function balanceShort(numbers: PlatformNumbers, shortMinor: number, currency: Currency): FlagInput {
  const say = (amount: number) => formatMoney(minor(amount), currency);
  const uncovered = shortMinor > numbers.reserveMinor || numbers.availableMinor < 0;
  return {
    id: balanceFlagId(currency),
    kind: 'platform-balance',
    severity: uncovered ? 'critical' : 'warning',
    subject: 'platformPayouts',
    message:
      `The platform’s Stripe balance is ${say(shortMinor)} short of what must come out of it: ${say(numbers.availableMinor)} are loose and ` +
      `${say(numbers.pendingMinor)} are coming; ${say(othersMinor(numbers))} are others’ (sessions held ${say(numbers.heldMinor)}, shares not ` +
      `transferred ${say(numbers.untransferredMinor)}, owed to customers ${say(numbers.customersMinor)}), ${say(numbers.reserveMinor)} are the reserve.`,
    action:
      'Add money to the balance in the Stripe dashboard (Balances, Add to balance), or refunds, transfers and take-backs will wait or fail. Make no platform payout meanwhile. The flag closes by itself.',
  };
}
