import { badParam, unsupported } from '../core/errors.ts';

/** Stripe's smallest card payment that settles in SEK, in öre, and the largest. */
export const MINIMUM_CHARGE = 300;
export const MAXIMUM_CHARGE = 99_999_999;
/** The smallest payout to a Swedish bank account, in öre. */
export const MINIMUM_PAYOUT = 2_000;

/** The emulator has one currency: conversion is not built, so another one is refused rather than mixed in. */
export function requireSek(currency: string): void {
  if (currency.toLowerCase() !== 'sek') throw unsupported('currency', `the currency ${currency}; it has SEK only`);
}

export function requireChargeable(amount: number): void {
  if (amount < MINIMUM_CHARGE) {
    throw badParam(
      'amount',
      'Amount must convert to at least 300 öre. The minimum charge amount in sek is kr3.00 sek.',
      'amount_too_small',
    );
  }
  if (amount > MAXIMUM_CHARGE) {
    throw badParam('amount', 'Amount must be no more than kr999,999.99 sek', 'amount_too_large');
  }
}

/** Whether a Unix time falls on a Saturday or a Sunday (UTC). */
const isWeekend = (seconds: number) => [0, 6].includes(new Date(seconds * 1000).getUTCDay());

/** Midnight UTC of the `days`-th banking day after a moment; weekends are skipped, bank holidays are not known. */
export function bankingDaysAfter(seconds: number, days: number): number {
  let at = Math.floor(seconds / 86_400) * 86_400;
  for (let left = days; left > 0;) {
    at += 86_400;
    if (!isWeekend(at)) left -= 1;
  }
  return at;
}
