import { addDays, type BusinessDate } from '../../platform/clock.ts';
import type { Currency, Minor } from '../../platform/money.ts';

/** A row of the bank's statement. Money in is positive. */
export interface BankRow {
  date: BusinessDate;
  amountMinor: Minor;
  text: string;
}

/** A payout of the platform's own money or a top-up, or one that came back, as the ledger has it: out of the bank is negative. */
export interface BankEntry {
  ledgerId: string;
  /** The day Stripe sent it, or had it. */
  date: BusinessDate;
  amountMinor: Minor;
  currency: Currency;
  /** A top-up: the bank has it before Stripe. */
  toStripe?: true;
}

export interface BankMatch {
  matched: { ledgerId: string; sentOn: BusinessDate; amountMinor: Minor; row: BankRow }[];
  /** Sent, and not at the bank though its days have passed. */
  missingAtBank: BankEntry[];
  /** Sent, and its days have not passed when the statement ends. */
  underWay: BankEntry[];
  /** Rows that name Stripe and are no payout or top-up of ours. */
  unknownAtBank: BankRow[];
  /** Rows that are about something else: not looked at any further. */
  otherRows: number;
}

/** Stripe's payouts reach a bank within a week, weekends and holidays included ten days; a bank's money Stripe as soon. */
export const windowDays = 10;

const byDate = (a: { date: BusinessDate }, b: { date: BusinessDate }): number =>
  a.date < b.date ? -1 : a.date > b.date ? 1 : 0;

/**
 * Matches payouts with rows of the same amount, from the day they were sent to ten days later (top-ups from ten days before
 * Stripe had them); the earliest payout takes the earliest row, so that several of one amount are matched as far as can be.
 */
export function matchBank(
  entries: readonly BankEntry[],
  rows: readonly BankRow[],
  period: { from: BusinessDate; to: BusinessDate },
): BankMatch {
  const byAmount = Map.groupBy(rows.toSorted(byDate), ({ amountMinor }) => amountMinor);
  const taken = new Set<BankRow>();
  const result: BankMatch = { matched: [], missingAtBank: [], underWay: [], unknownAtBank: [], otherRows: 0 };
  for (const entry of entries.toSorted(byDate)) {
    const since = entry.toStripe ? addDays(entry.date, -windowDays) : entry.date;
    const until = addDays(since, windowDays);
    const row = byAmount
      .get(entry.amountMinor)
      ?.find((one) => !taken.has(one) && one.date >= since && one.date <= until);
    if (row) {
      taken.add(row);
      const { ledgerId, date: sentOn, amountMinor } = entry;
      result.matched.push({ ledgerId, sentOn, amountMinor, row });
    } else if (until > period.to) {
      // A top-up that Stripe had after the statement's end may have left the bank after it too.
      if (!entry.toStripe) result.underWay.push(entry);
    }
    // Sent before the statement begins, it may have been at the bank before it too.
    else if (since >= period.from) result.missingAtBank.push(entry);
  }
  for (const row of rows.toSorted(byDate)) {
    if (taken.has(row)) continue;
    if (/stripe/i.test(row.text)) result.unknownAtBank.push(row);
    else result.otherRows += 1;
  }
  return result;
}
