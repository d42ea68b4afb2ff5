import type { Timestamp } from 'firebase-admin/firestore';
import { businessDate, businessTime } from '../platform/clock.ts';
import { both, type Letter } from '../platform/mail.ts';
import { formatMoney } from '../platform/money.ts';
import type { Cadence, Coach } from './coaches.ts';
import { requirementTexts, type Language } from './requirements.ts';

const list = (sentences: readonly string[]): string => sentences.map((sentence) => `- ${sentence}`).join('\n');

/** To a coach whose account Stripe has restricted or closed. */
export function troubleLetter(coachId: string, coach: Coach): Letter {
  const due = requirementTexts(coach.requirementsDue);
  const closed = coach.accountStatus === 'rejected';
  const sv = closed
    ? ['Stripe har stängt ditt konto.', 'Svara på det här brevet, så hjälper vi dig vidare.']
    : [
        'Stripe behöver något av dig. Tills det är klart gör Stripe inga utbetalningar till dig.',
        ...some(list(due.sv)),
      ];
  const en = closed
    ? ['Stripe has closed your account.', 'Answer this letter and we will help you.']
    : ['Stripe needs something of you. Until it is done, Stripe makes no payouts to you.', ...some(list(due.en))];
  return {
    toUids: [coachId],
    message: both(
      {
        sv: closed ? 'Ditt konto hos Stripe är stängt' : 'Ditt konto hos Stripe är begränsat',
        en: closed ? 'Your Stripe account is closed' : 'Your Stripe account is restricted',
      },
      [...sv, 'Inga pengar går förlorade. Öppna din coachsida för att se vad som gäller.'],
      [...en, 'No money is lost. Open your coach page to see where you stand.'],
    ),
  };
}

/** To a coach from whom Stripe wants something by a day; until then everything goes on. */
export function deadlineLetter(coachId: string, coach: Coach, deadline: Timestamp): Letter {
  const due = requirementTexts(coach.requirementsDue);
  const day = businessDate(deadline.toDate());
  return {
    toUids: [coachId],
    message: both(
      { sv: `Stripe behöver något av dig före ${day}`, en: `Stripe needs something of you before ${day}` },
      [
        ...some(list(due.sv)),
        `Öppna din coachsida och fyll i det före ${day}. Annars stoppar Stripe dina utbetalningar.`,
      ],
      [
        ...some(list(due.en)),
        `Open your coach page and fill it in before ${day}. Otherwise Stripe stops your payouts.`,
      ],
    ),
  };
}

const some = (text: string): string[] => (text === '' ? [] : [text]);

/**
 * After the payout account changed: to the login's address, and to Stripe's before and after, so that whoever owned the
 * account before a stranger changed it hears of it too.
 */
export function bankChangedLetter(coachId: string, before: Coach, next: Coach, until: Timestamp): Letter {
  const last4 = next.payoutDestination?.last4 ?? '';
  const from = businessTime(until.toDate());
  const addresses = [...new Set([before.accountEmail, next.accountEmail].flatMap((address) => address ?? []))];
  return {
    ...(addresses.length > 0 ? { to: addresses.join(', ') } : {}),
    toUids: [coachId],
    message: both(
      { sv: 'Ditt utbetalningskonto har ändrats', en: 'Your payout account has changed' },
      [
        `Dina utbetalningar går från och med nu till kontot som slutar på ${last4}.`,
        `För din säkerhet vilar utbetalningarna till ${from}. Sedan fortsätter de av sig själva.`,
        'Var det inte du? Svara genast på det här brevet och byt lösenord.',
      ],
      [
        `Your payouts now go to the account ending in ${last4}.`,
        `For your safety payouts rest until ${from}. Then they go on by themselves.`,
        'Was it not you? Answer this letter at once and change your password.',
      ],
    ),
  };
}

/** To a coach whose terms an administrator has changed. */
export function termsLetter(coachId: string, { terms, payoutSettings, hold, currency }: Coach): Letter {
  const percent = String(terms.feePercent).replace('.', ',');
  const fixed = terms.feeFixedMinor > 0 ? formatMoney(terms.feeFixedMinor, currency) : undefined;
  return {
    toUids: [coachId],
    message: both(
      { sv: 'Dina villkor har ändrats', en: 'Your terms have changed' },
      [
        `Vår avgift är nu ${percent} %${fixed ? ` och ${fixed}` : ''} av varje betalning. Betalningar som redan är gjorda påverkas inte.`,
        `Utbetalning sker ${cadences[payoutSettings.cadence].sv}.`,
        ...(hold ? [`Dina utbetalningar vilar tills vidare: ${hold.reason}`] : []),
      ],
      [
        `Our fee is now ${percent} %${fixed ? ` and ${fixed}` : ''} of each payment. Payments made before keep theirs.`,
        `You are paid ${cadences[payoutSettings.cadence].en}.`,
        ...(hold ? [`Your payouts rest for now: ${hold.reason}`] : []),
      ],
    ),
  };
}

/** When a coach is paid, in words. */
const cadences: Record<Cadence, Record<Language, string>> = {
  daily: { sv: 'varje bankdag', en: 'every banking day' },
  weekly: { sv: 'varje vecka', en: 'every week' },
  biweekly: { sv: 'varannan vecka', en: 'every second week' },
  monthly: { sv: 'varje månad', en: 'every month' },
  manual: { sv: 'för hand', en: 'by hand' },
};
