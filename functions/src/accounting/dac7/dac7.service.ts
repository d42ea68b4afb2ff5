import { Timestamp } from 'firebase-admin/firestore';
import { pageOfCoaches } from '../../coaches/coaches.service.ts';
import type { Coach } from '../../coaches/coaches.ts';
import { sharesBetween } from '../../ledger/ledger.service.ts';
import { coachAsked, type Caller } from '../../platform/auth.ts';
import { businessDate } from '../../platform/clock.ts';
import { csvOf } from '../../platform/csv.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import type { Currency } from '../../platform/money.ts';
import { activityKinds, considered, quarterOf, quarters, rowsOf, spanOf, yearOf, type ReportedSeller } from './dac7.ts';
import * as store from './dac7.store.ts';
import { checkedIdentity, identityOf, missingOf, type ToldIdentity } from './identity.ts';

/** Coaches looked at in one call, and of those at once: a dozen sums each. */
const pageSize = 100;
const atOnce = 10;

export interface Dac7Input {
  year: number;
  format?: 'data' | 'csv' | 'xml' | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
}

export interface Dac7Reply {
  year: number;
  /** Coaches who were credited something, or had something taken off, in the year. A page may have none. */
  sellers: ReportedSeller[];
  /** Ask again with it until it is null: a page looks at a hundred coaches. */
  nextCursor: string | null;
  /** The page as a file, base64, when CSV was asked for; every page begins with the header. */
  file: { fileName: string; contentType: string; base64: string } | null;
}

/** What is to be reported of a year's sellers, a page of coaches at a time. Throws Refusal. */
export async function dac7Report(ctx: Context, { year, format = 'data', cursor }: Dac7Input): Promise<Dac7Reply> {
  if (format === 'xml') {
    throw new Refusal(
      'unimplemented',
      'dac7-xml-not-supported',
      'Skatteverket’s XML is not written here: its schema is not known to this product. Ask for the CSV instead.',
    );
  }
  const page = await pageOfCoaches(ctx, { ...(cursor === undefined ? {} : { after: cursor }), limit: pageSize });
  const sellers: ReportedSeller[] = [];
  for (let i = 0; i < page.length; i += atOnce) {
    const some = await Promise.all(page.slice(i, i + atOnce).map((each) => reportedOf(ctx, year, each)));
    sellers.push(...some.flat());
  }
  return {
    year,
    sellers,
    nextCursor: page.length < pageSize ? null : (page.at(-1)?.coachId ?? null),
    file: format === 'csv' ? fileOf(year, sellers, cursor) : null,
  };
}

const fileOf = (year: number, sellers: readonly ReportedSeller[], cursor: string | undefined): Dac7Reply['file'] => ({
  fileName: `dac7-${year}${cursor === undefined ? '' : `-after-${cursor}`}.csv`,
  contentType: 'text/csv; charset=utf-8',
  base64: Buffer.from(csvOf(rowsOf(sellers), 'sv'), 'utf8').toString('base64'),
});

interface PagedCoach {
  coachId: string;
  coach: Coach;
}

/** One entry a currency in which the year has anything of the coach. */
async function reportedOf(ctx: Context, year: number, { coachId, coach }: PagedCoach): Promise<ReportedSeller[]> {
  const { currency, acceptedCurrencies } = ctx.config;
  const sellers = await Promise.all(
    [...new Set([currency, coach.currency, ...acceptedCurrencies])].map((each) => inCurrency(ctx, year, coachId, each)),
  );
  const sold = sellers.flatMap((seller) => seller ?? []);
  if (sold.length === 0) return [];
  const identity = identityOf(coach, await store.readIdentity(ctx.db, coachId));
  const who = { coachId, stripeAccountId: coach.stripeAccountId ?? null, identity, missing: missingOf(identity) };
  return sold.map((sums) => ({ ...who, ...sums }));
}

async function inCurrency(
  ctx: Context,
  year: number,
  coachId: string,
  currency: Currency,
): Promise<Pick<ReportedSeller, 'currency' | 'quarters' | 'year'> | undefined> {
  const whole = { from: spanOf(year, 1).from, to: spanOf(year, 4).to };
  const { count } = await sharesBetween(ctx.db, { coachId, currency, kinds: considered, ...whole });
  if (count === 0) return undefined;
  const parts = await Promise.all(
    quarters.map(async (quarter) => {
      const span = { coachId, currency, ...spanOf(year, quarter) };
      const [all, activities] = await Promise.all([
        sharesBetween(ctx.db, { ...span, kinds: considered }),
        sharesBetween(ctx.db, { ...span, kinds: activityKinds }),
      ]);
      return quarterOf(quarter, all, activities);
    }),
  );
  return { currency, quarters: parts, year: yearOf(parts) };
}

export type IdentityInput = ToldIdentity & {
  /** An administrator's: whose; a coach's own otherwise. */
  coachId?: string | undefined;
};

/**
 * Who a coach is to the tax authority: all of it each time, so that telling it twice is telling it once. No request is kept
 * of it, because that would keep the numbers a second time. Throws Refusal.
 */
export async function setSellerIdentity(
  ctx: Context,
  caller: Caller,
  { coachId: asked, ...told }: IdentityInput,
): Promise<{ coachId: string }> {
  const coachId = coachAsked(caller, asked);
  const now = ctx.clock.now();
  const identity = checkedIdentity(told, businessDate(now));
  const at = Timestamp.fromDate(now);
  await ctx.db.runTransaction(async (tx) => {
    const before = await store.readIdentity(ctx.db, coachId, tx);
    store.writeIdentity(ctx.db, tx, coachId, { ...identity, createdAt: before?.createdAt ?? at, updatedAt: at });
  });
  return { coachId };
}
