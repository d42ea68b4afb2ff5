import { bankMovementsBetween } from '../../ledger/ledger.service.ts';
import { addDays, businessDate, daysBetween, startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import type { Currency } from '../../platform/money.ts';
import { matchBank, windowDays, type BankEntry, type BankMatch } from './matching.ts';
import { readCamt, readCsv } from './statement.ts';

export interface BankInput {
  format: 'csv' | 'camt053';
  /** The file, as text: at most 8,000,000 characters. */
  content: string;
  /** IBAN or number, where a camt.053 file has several accounts. */
  account?: string | undefined;
}

export interface BankReply extends BankMatch {
  /** The days that the statement is about. */
  from: BusinessDate;
  to: BusinessDate;
  currency: Currency;
}

const longestDays = 366;
/** Some ten thousand rows with all their details: what is read in seconds and within the function's memory. */
const longestContent = 8_000_000;

/** Holds the platform's payouts and top-ups against its bank's statement. Books and stores nothing. Throws Refusal. */
export async function matchBankStatement(ctx: Context, { format, content, account }: BankInput): Promise<BankReply> {
  if (format === 'csv' && account !== undefined) {
    throw new Refusal('invalid-argument', 'account-not-in-csv', 'A CSV file is of one account: leave account out.');
  }
  if (content.length > longestContent) {
    throw new Refusal(
      'invalid-argument',
      'statement-too-large',
      `The statement has ${content.length} characters; ${longestContent} are read at once. Have the bank make one for each half of the time: payouts that arrive in the second one are under way in the first.`,
    );
  }
  const statement = format === 'csv' ? readCsv(content) : readCamt(content, account);
  const { from, to, rows, currency = null } = statement;
  if (daysBetween(from, to) >= longestDays) {
    throw new Refusal(
      'invalid-argument',
      'statement-too-long',
      `A statement of at most ${longestDays} days is matched.`,
    );
  }
  const since = startOfBusinessDate(addDays(from, -windowDays));
  // A top-up reaches Stripe after it has left the bank.
  const until = startOfBusinessDate(addDays(to, 1 + windowDays));
  const documents = await bankMovementsBetween(ctx.db, since, until);
  const wanted = currency ?? ctx.config.currency;
  const entries = documents
    .filter((document) => document.currency === wanted)
    .map(({ id, kind, occurredAt, deltas }): BankEntry => {
      const date = businessDate(occurredAt.toDate());
      const toStripe = kind === 'topup' && deltas.bank_platform < 0 ? { toStripe: true as const } : {};
      return { ledgerId: id, date, amountMinor: deltas.bank_platform, currency: wanted, ...toStripe };
    })
    .filter((entry) => entry.toStripe ?? entry.date <= to);
  return { from, to, currency: wanted, ...matchBank(entries, rows, { from, to }) };
}
