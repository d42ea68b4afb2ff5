import type { Language } from '../coaches/requirements.ts';
import type { PayoutStatus } from './payouts.ts';
import type { Remaining } from './statement.ts';

/** Every word of a statement, in both languages. */
export interface StatementWords {
  title: string;
  payout: string;
  made: string;
  arrives: string;
  status: string;
  statuses: Record<PayoutStatus, string>;
  paid: string;
  contents: string;
  columns: readonly [
    date: string,
    description: string,
    customer: string,
    gross: string,
    fee: string,
    refunded: string,
    paid: string,
  ];
  sum: string;
  remaining: string;
  remainingColumns: readonly [why: string, until: string, amount: string];
  nothingRemains: string;
  why: Record<Remaining['why'], string>;
  page: (current: number, count: number) => string;
}

export const words: Record<Language, StatementWords> = {
  sv: {
    title: 'Utbetalningsbesked',
    payout: 'Utbetalning',
    made: 'Gjord',
    arrives: 'Hos banken',
    status: 'Läge',
    statuses: {
      pending: 'på väg',
      completed: 'utbetald',
      failed: 'kom tillbaka',
      canceled: 'avbruten',
      unknown: 'utreds',
    },
    paid: 'Utbetalt belopp',
    contents: 'Vad utbetalningen består av',
    columns: ['Datum', 'Avser', 'Kund', 'Kunden betalade', 'Avgift', 'Återbetalt', 'Utbetalt'],
    sum: 'Summa',
    remaining: 'Kvar hos oss',
    remainingColumns: ['Varför', 'Tidigast', 'Belopp'],
    nothingRemains: 'Inget.',
    why: {
      'next-payout': 'Betalas ut med nästa utbetalning',
      'by-hand': 'Betalas ut när utbetalning begärs',
      pending: 'Hålls ännu av Stripe',
      disputed: 'Vilar medan en tvist avgörs',
      debt: 'Skuld efter återbetalning, dras från nästa utbetalning',
      'below-minimum': 'Under minsta belopp för utbetalning',
      'nothing-owed': 'Motsvaras av skulder',
      'nothing-available': 'Finns ännu inte på kontot hos Stripe',
      hold: 'Utbetalningar är stoppade tills vidare',
      'bank-account-changed': 'Vilar efter byte av bankkonto',
      'account-not-active': 'Kontot hos Stripe är inte klart',
      'payouts-disabled': 'Stripe har stoppat utbetalningar',
      'no-account': 'Inget konto hos Stripe',
    },
    page: (current, count) => `Sida ${current} av ${count}`,
  },
  en: {
    title: 'Payout statement',
    payout: 'Payout',
    made: 'Made',
    arrives: 'At the bank',
    status: 'Status',
    statuses: {
      pending: 'on its way',
      completed: 'paid',
      failed: 'came back',
      canceled: 'canceled',
      unknown: 'being looked into',
    },
    paid: 'Amount paid',
    contents: 'What the payout is made of',
    columns: ['Date', 'For', 'Customer', 'Customer paid', 'Fee', 'Refunded', 'Paid to you'],
    sum: 'Total',
    remaining: 'Still with us',
    remainingColumns: ['Why', 'Earliest', 'Amount'],
    nothingRemains: 'Nothing.',
    why: {
      'next-payout': 'Goes with the next payout',
      'by-hand': 'Paid when a payout is asked for',
      pending: 'Still kept by Stripe',
      disputed: 'Rests while a dispute is decided',
      debt: 'Debt after a refund, taken off the next payout',
      'below-minimum': 'Below the least amount of a payout',
      'nothing-owed': 'Offset by debts',
      'nothing-available': 'Not in the Stripe account yet',
      hold: 'Payouts are held for now',
      'bank-account-changed': 'Rests after a change of bank account',
      'account-not-active': 'The Stripe account is not ready',
      'payouts-disabled': 'Stripe has stopped payouts',
      'no-account': 'No Stripe account',
    },
    page: (current, count) => `Page ${current} of ${count}`,
  },
};
