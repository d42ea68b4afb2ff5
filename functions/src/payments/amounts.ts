import { Refusal } from '../platform/errors.ts';
import { formatMoney, minorPerMajor, type Currency, type Minor } from '../platform/money.ts';

/** Stripe's smallest charge by currency (docs.stripe.com/currencies, "Minimum and maximum charge amounts"). */
const minimumMinor: Record<Currency, number> = { SEK: 300, NOK: 300, DKK: 250, EUR: 50, GBP: 30, USD: 50 };

/** Eight digits: what every card network takes. */
const maximumMinor = 99_999_999;

/** Currencies that Stripe writes with two decimals and charges without: the amount ends in 00. */
const wholeOnly = new Set(['ISK', 'UGX']);

/** What an amount of the currency is a multiple of at Stripe: of three decimals the last is 0. */
export function chargeStep(currency: Currency): number {
  if (wholeOnly.has(currency)) return 100;
  return minorPerMajor(currency) === 1000 ? 10 : 1;
}

/**
 * Throws the Refusal of an amount that Stripe would not charge. Of a currency without a known minimum Stripe decides, and
 * its refusal has the same name (`intents.service.ts`).
 */
export function requireChargeable(amount: Minor, currency: Currency, what: string): void {
  const minimum = minimumMinor[currency] ?? 1;
  if (amount < minimum || amount > maximumMinor) {
    throw new Refusal(
      'failed-precondition',
      'amount-out-of-range',
      `The price of ${what} is ${formatMoney(amount, currency)}; Stripe charges from ${formatMoney(minimum as Minor, currency)} to ${formatMoney(maximumMinor as Minor, currency)}.`,
    );
  }
  const step = chargeStep(currency);
  if (amount % step !== 0) {
    throw new Refusal(
      'failed-precondition',
      'amount-not-chargeable',
      `The price of ${what} cannot be charged: in ${currency} amounts are multiples of ${formatMoney(step as Minor, currency)}.`,
    );
  }
}
