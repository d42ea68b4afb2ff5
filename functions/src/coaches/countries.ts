import { Refusal } from '../platform/errors.ts';
import type { Currency } from '../platform/money.ts';

/**
 * Countries whose accounts Stripe keeps in this currency, within the region a Swedish platform may send shares to
 * (Stripe: Connect, cross-border transfers: EEA, Switzerland and the United Kingdom). A share sent to an account of
 * another currency is converted on arrival, and what the coach is owed would no longer be what they have.
 */
const countriesOf: Record<Currency, readonly string[]> = {
  SEK: ['SE'],
  NOK: ['NO'],
  DKK: ['DK'],
  CHF: ['CH', 'LI'],
  GBP: ['GB'],
  PLN: ['PL'],
  CZK: ['CZ'],
  HUF: ['HU'],
  RON: ['RO'],
  EUR: 'AT BE BG CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK'.split(' '),
};

/** A coach's country: as told, or the first of the currency's. Throws Refusal `country-not-supported`. */
export function requireCountry(told: string | undefined, currency: Currency): string {
  const supported = countriesOf[currency] ?? [];
  const country = told ?? supported[0];
  if (country !== undefined && supported.includes(country)) return country;
  throw new Refusal(
    'invalid-argument',
    'country-not-supported',
    `Coaches are paid in ${currency}, so their country must be one of: ${supported.join(', ') || 'none yet'}.`,
    { country: country ?? '' },
  );
}
