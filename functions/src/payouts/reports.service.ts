import { Timestamp } from 'firebase-admin/firestore';
import { newCoach, type Coach } from '../coaches/coaches.ts';
import { readCoach } from '../coaches/coaches.service.ts';
import { earningsByPeriod, earningsOfItems, earningsOverview } from '../coaches/earnings-report.service.ts';
import type { Language } from '../coaches/requirements.ts';
import { coachAsked, type Caller } from '../platform/auth.ts';
import type { BusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { makePdf } from '../platform/pdf.ts';
import { nextPayout } from './forecast.service.ts';
import { invoicePdf } from './invoice-pdf.ts';
import { issueInvoice } from './invoices.service.ts';
import { creditId, readInvoice } from './invoices.store.ts';
import * as pages from './pages.store.ts';
import * as store from './payouts.store.ts';
import type { Payout } from './payouts.ts';
import { completionRate, payoutView, type EarningsReply, type PayoutView, type SessionFigures } from './reports.ts';
import { statementCsv } from './statement-csv.ts';
import { statementPdf } from './statement-pdf.ts';
import { statementOf, type Statement } from './statement.ts';

/** Weeks and months on one page. */
const periodsShown = 12;
/** Items shown inside a listed payout. */
const itemsShown = 50;
/** More than a payout can be made of: 400 earnings and 400 debts. */
const itemsLimit = 800;

export interface EarningsInput {
  /** An administrator's choice; a coach sees their own. */
  coachId?: string | undefined;
  weeksBefore?: BusinessDate | undefined;
  monthsBefore?: BusinessDate | undefined;
}

/** Gives what a coach's sessions came to. */
export type CountSessions = (ctx: Context, coachId: string) => Promise<SessionFigures>;

const noSessions: CountSessions = async () => ({ hours: 0, completed: 0, ended: 0 });

/** A coach's page: where their money is, what comes next, how the weeks and months went. Throws Refusal. */
export async function coachEarnings(
  ctx: Context,
  caller: Caller,
  input: EarningsInput,
  countSessions: CountSessions = noSessions,
): Promise<EarningsReply> {
  const coachId = coachAsked(caller, input.coachId);
  const coach = await coachOrNew(ctx, coachId);
  const { currency } = coach;
  const period = (unit: 'week' | 'month', before: BusinessDate | undefined) =>
    earningsByPeriod(ctx, coachId, currency, { unit, before, count: periodsShown });
  const [{ overview, pending }, next, weeks, months, sessions] = await Promise.all([
    earningsOverview(ctx, coachId, currency),
    nextPayout(ctx, coachId, coach),
    period('week', input.weeksBefore),
    period('month', input.monthsBefore),
    countSessions(ctx, coachId),
  ]);
  return {
    coachId,
    currency,
    ...overview,
    pending,
    nextPayout: next,
    weeks: weeks.periods,
    months: months.periods,
    nextWeeksBefore: weeks.nextBefore,
    nextMonthsBefore: months.nextBefore,
    hours: sessions.hours,
    sessionsCompleted: sessions.completed,
    completionRate: completionRate(sessions),
  };
}

/** Somebody who has not started yet has earned nothing. */
async function coachOrNew(ctx: Context, coachId: string): Promise<Coach> {
  return (await readCoach(ctx, coachId)) ?? newCoach(ctx.config, Timestamp.fromDate(ctx.clock.now()));
}

export interface PayoutsInput {
  coachId?: string | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  limit?: number | undefined;
}

export interface PayoutsReply {
  payouts: PayoutView[];
  nextCursor: string | null;
}

/** A coach's payouts, the newest first, with the payments inside each. Throws Refusal. */
export async function listPayouts(ctx: Context, caller: Caller, input: PayoutsInput): Promise<PayoutsReply> {
  const coachId = coachAsked(caller, input.coachId);
  const limit = input.limit ?? 20;
  const after = input.cursor === undefined ? undefined : await cursorOf(ctx, coachId, input.cursor);
  const found = await pages.pageOf(ctx.db, coachId, { limit: limit + 1, ...(after ? { after } : {}) });
  const shown = found.slice(0, limit);
  const payouts = await Promise.all(
    shown.map(async ({ payoutId, payout }) => {
      const items = await pages.itemsOf(ctx.db, payoutId, itemsShown + 1);
      const earnings = await earningsOfItems(ctx, coachId, [...items.keys()]);
      return payoutView(payoutId, payout, items, earnings, itemsShown);
    }),
  );
  return { payouts, nextCursor: found.length > limit ? (shown.at(-1)?.payoutId ?? null) : null };
}

async function cursorOf(ctx: Context, coachId: string, payoutId: string): Promise<pages.ListedPayout> {
  const payout = await store.readPayout(ctx.db, payoutId);
  if (payout?.coachId === coachId) return { payoutId, payout };
  throw new Refusal(
    'invalid-argument',
    'cursor-unknown',
    'This cursor is not of this list. Start from the first page.',
  );
}

export interface StatementInput {
  payoutId: string;
  format: 'pdf' | 'csv';
  language: Language;
}

export interface DocumentReply {
  fileName: string;
  contentType: string;
  /** The file, base64. A payout has at most 800 items, so it stays far below what a reply may hold. */
  base64: string;
}

/** A payout's statement, for its coach or an administrator. Throws Refusal. */
export async function payoutStatement(ctx: Context, caller: Caller, input: StatementInput): Promise<DocumentReply> {
  const { payoutId, format, language } = input;
  const statement = await readStatement(ctx, caller, payoutId);
  const fileName = `${language === 'sv' ? 'utbetalning' : 'payout'}-${statement.date}-${payoutId.slice(-12)}.${format}`;
  if (format === 'csv') {
    const file = Buffer.from(statementCsv(statement, language), 'utf8');
    return { fileName, contentType: 'text/csv; charset=utf-8', base64: file.toString('base64') };
  }
  const file = await makePdf(statementPdf(statement, language));
  return { fileName, contentType: 'application/pdf', base64: file.toString('base64') };
}

/** One payout, for its coach or an administrator. Whose it is not learns nothing, not even that it is there. */
async function readOwn(ctx: Context, caller: Caller, payoutId: string): Promise<Payout> {
  const payout = await store.readPayout(ctx.db, payoutId);
  if (payout && (payout.coachId === caller.uid || caller.admin)) return payout;
  throw new Refusal('not-found', 'payout-not-found', 'There is no such payout.');
}

async function readStatement(ctx: Context, caller: Caller, payoutId: string): Promise<Statement> {
  const payout = await readOwn(ctx, caller, payoutId);
  const { coachId, currency } = payout;
  const items = await pages.itemsOf(ctx.db, payoutId, itemsLimit);
  const coach = await coachOrNew(ctx, coachId);
  const [earnings, { overview, pending }, next] = await Promise.all([
    earningsOfItems(ctx, coachId, [...items.keys()]),
    earningsOverview(ctx, coachId, currency),
    nextPayout(ctx, coachId, coach),
  ]);
  return statementOf({ payoutId, payout, items, earnings, overview, pending, next, madeAt: ctx.clock.now() });
}

export interface InvoiceInput {
  payoutId: string;
  language: Language;
  /** The note that takes the invoice back, after the payout came back. */
  credit?: boolean | undefined;
}

/** The invoice that goes with a payout by the coach's terms, as PDF; written now if it was still to be. Throws Refusal. */
export async function payoutInvoice(
  ctx: Context,
  caller: Caller,
  { payoutId, language, credit = false }: InvoiceInput,
): Promise<DocumentReply> {
  await readOwn(ctx, caller, payoutId);
  await issueInvoice(ctx, payoutId);
  const invoice = await readInvoice(ctx.db, credit ? creditId(payoutId) : payoutId);
  if (!invoice) {
    throw new Refusal(
      'not-found',
      'no-invoice',
      credit
        ? 'This payout’s invoice has not been taken back.'
        : 'No invoice goes with this payout: the terms name none, or it has not arrived.',
    );
  }
  const file = await makePdf(invoicePdf(invoice, language));
  return { fileName: `${invoice.number}.pdf`, contentType: 'application/pdf', base64: file.toString('base64') };
}
