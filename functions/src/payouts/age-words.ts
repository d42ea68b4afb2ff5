import type { FlagInput } from '../admin/flags.ts';
import type { BusinessDate } from '../platform/clock.ts';
import { both, type Letter } from '../platform/mail.ts';
import { formatMoney, minor, type Currency } from '../platform/money.ts';
import { ageLimitDays, type AgeReason, type OldMoney, type Outlook } from './age.ts';

export const ageFlagKind = 'payout-age';
export const ageFlagId = ({ coachId, currency }: OldMoney): string => `payout-age_${coachId}_${currency}`;

const toDo: Readonly<Record<AgeReason, string>> = {
  'no-account': 'Ask the coach to finish onboarding, or settle with them and Stripe by hand.',
  'account-not-active': 'Ask the coach to give Stripe what is due; until then nothing can be paid.',
  'payouts-disabled': 'Ask the coach to mend their bank account or what else Stripe asks for.',
  hold: 'Decide about the hold before that day, or agree with Stripe what becomes of the money.',
  'bank-account-changed': 'Nothing: it is paid when payouts have rested.',
  disputed: 'See that the dispute is answered; the money cannot be paid before it is decided.',
  'below-stripe-minimum':
    'Stripe makes no payout this small. Ask Stripe’s support what they want done, or settle with the coach.',
  'below-minimum': 'Nothing: it is paid by itself, below the coach’s minimum.',
  'by-hand': 'Nothing: it is paid by itself, unless the coach asks for it before.',
  'not-paid': 'See in payoutRuns why the last runs did not pay it; it is tried on every banking day from then on.',
};

export function ageFlag(old: OldMoney, { limit, payFrom, reason, urgent }: Outlook): FlagInput {
  const money = formatMoney(minor(old.openMinor + old.heldMinor), old.currency);
  return {
    id: ageFlagId(old),
    kind: ageFlagKind,
    severity: urgent ? 'critical' : 'warning',
    subject: `coaches/${old.coachId}`,
    message: `${money} of this coach are at Stripe for so long that its limit of ${ageLimitDays} days comes on ${limit}. Not paid yet: ${reason}. From ${payFrom} on we pay it whatever the cadence and the coach’s own minimum.`,
    action: toDo[reason],
  };
}

const isOurs = (reason: AgeReason): boolean =>
  reason === 'below-minimum' || reason === 'by-hand' || reason === 'not-paid' || reason === 'bank-account-changed';

const yours: Partial<Record<AgeReason, Record<'sv' | 'en', string>>> = {
  'no-account': { sv: 'Slutför din registrering hos Stripe.', en: 'Finish onboarding with Stripe.' },
  'account-not-active': {
    sv: 'Stripe behöver uppgifter av dig: se din coachsida.',
    en: 'Stripe needs details from you: see your coach page.',
  },
  'payouts-disabled': {
    sv: 'Kontrollera ditt bankkonto och vad Stripe ber om på din coachsida.',
    en: 'Check your bank account and what Stripe asks for on your coach page.',
  },
  hold: { sv: 'Utbetalningarna vilar: kontakta oss.', en: 'Your payouts rest: contact us.' },
  disputed: {
    sv: 'En kund bestrider betalningen; vi väntar på beslutet.',
    en: 'A customer disputes the payment; we wait for the decision.',
  },
  'below-stripe-minimum': {
    sv: 'Beloppet är mindre än vad som kan betalas ut (20 kr).',
    en: 'It is less than can be paid out (20 SEK).',
  },
};

export function ageLetter(old: OldMoney, { limit, payFrom, reason }: Outlook): Letter {
  const money = formatMoney(minor(old.openMinor + old.heldMinor), old.currency);
  const sv = isOurs(reason)
    ? `Vi betalar ut dem av oss själva från ${payFrom}, även under ditt minsta belopp, om du inte får dem tidigare.`
    : `Vi kan inte betala ut dem nu. ${yours[reason]?.sv ?? ''} Annars måste vi ta upp med Stripe vad som ska ske.`;
  const en = isOurs(reason)
    ? `We pay it out by ourselves from ${payFrom} on, below your minimum too, unless you get it before.`
    : `We cannot pay it out now. ${yours[reason]?.en ?? ''} Otherwise we must ask Stripe what is to become of it.`;
  return {
    toUids: [old.coachId],
    message: both(
      { sv: `${money} har väntat länge på utbetalning`, en: `${money} have waited long for a payout` },
      [
        `${money} av dina intäkter har inte betalats ut. Stripe kräver att det sker inom ${ageLimitDays} dagar, senast ${limit}.`,
        sv,
      ],
      [
        `${money} of your earnings are not paid out. Stripe wants that done within ${ageLimitDays} days, by ${limit}.`,
        en,
      ],
    ),
  };
}

export const debtFlagKind = 'debt-age';
export const debtFlagId = (coachId: string, currency: Currency): string => `debt-age_${coachId}_${currency}`;

/** A debt that nobody can take back. */
export const debtFlag = (
  coachId: string,
  currency: Currency,
  debt: { amountMinor: number; count: number; since: BusinessDate; ageDays: number },
): FlagInput => ({
  id: debtFlagId(coachId, currency),
  kind: debtFlagKind,
  severity: 'warning',
  subject: `coaches/${coachId}`,
  message: `This coach owes ${formatMoney(minor(debt.amountMinor), currency)} (${debt.count} payments) since ${debt.since}, ${debt.ageDays} days: their Stripe balance has never been enough to take it back.`,
  action:
    'It is asked for every day and before every payout, so later earnings settle it. If none come, agree with the coach, or write it off (writeOffDebt).',
});
