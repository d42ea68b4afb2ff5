import { minor, sum, type Minor } from '../../platform/money.ts';
import type { Payment } from '../payments.ts';

/** What of a payment decides whether its buyer has what was bought. */
export type MoneyOf = Pick<
  Payment,
  'status' | 'amountMinor' | 'refundedMinor' | 'returned' | 'settlement' | 'difference'
> & { aftermath?: { disputes: Record<string, { lostMinor: Minor }> } };

/** The money came, whatever became of it. */
export function hasCome({ status }: Pick<Payment, 'status'>): boolean {
  return status !== 'pending' && status !== 'failed' && status !== 'canceled';
}

/**
 * What of the amount went back, or is owed back: refunds, lost disputes, refunds that failed. The latter two are booked in
 * the currency that Stripe settled in.
 */
export function backMinor(payment: MoneyOf): Minor {
  const lost = sum(Object.values(payment.aftermath?.disputes ?? {}).map(({ lostMinor }) => lostMinor));
  const settledBack = lost + (payment.returned?.owedMinor ?? 0);
  const settled = payment.settlement?.amountMinor ?? payment.amountMinor;
  const back = settled === 0 ? 0 : Number((BigInt(settledBack) * BigInt(payment.amountMinor)) / BigInt(settled));
  return minor(payment.refundedMinor + back);
}

/** The money came as it was owed, and not all of it went back. */
export function moneyIsHere(payment: MoneyOf): boolean {
  return hasCome(payment) && backMinor(payment) < payment.amountMinor && payment.difference === undefined;
}
