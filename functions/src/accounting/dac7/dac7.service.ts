import { Timestamp } from 'firebase-admin/firestore';
import { pageOfCoaches, readCoach } from '../../coaches/coaches.service.ts';
import type { Coach } from '../../coaches/coaches.ts';
import { sharesBetween } from '../../ledger/ledger.service.ts';
import { hasProductOf } from '../../payments/reads.service.ts';
import { coachAsked, type Caller } from '../../platform/auth.ts';
import { businessDate } from '../../platform/clock.ts';
import { csvOf } from '../../platform/csv.ts';
import type { Context } from '../../platform/context.ts';
import { Refusal } from '../../platform/errors.ts';
import type { Currency } from '../../platform/money.ts';
import {
  activityKinds,
  considered,
  obstaclesOf,
  quarterOf,
  quarters,
  rowsOf,
  spanOf,
  yearOf,
  type ReportedSeller,
} from './dac7.ts';
import * as store from './dac7.store.ts';
import { dpiFile } from './dpi-file.ts';
import { isTest, platformOf } from './dpi.ts';
import { checkedIdentity, identityOf, missingOf, type ToldIdentity } from './identity.ts';

/** Coaches looked at in one call, and of those at once: a dozen sums each. */
const pageSize = 100;
const atOnce = 10;

export interface Dac7Input {
  year: number;
  format?: 'data' | 'csv' | 'xml' | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  /** Only these, in place of a page: who was kept out of the files before. */
  coachIds?: string[] | undefined;
  /** The platform itself was in an XML file that was accepted, as a file must say. Told by the page unless said here. */
  operatorSent?: boolean | undefined;
}

export interface Dac7Reply {
  year: number;
  /** Coaches who were credited something, or had something taken off, in the year. A page may have none. */
  sellers: ReportedSeller[];
  /** Ask again with it until it is null: a page looks at a hundred coaches. */
  nextCursor: string | null;
  /** How many of the sellers an XML file leaves out: those with `obstacles`. */
  leftOut: number;
  /**
   * The page as a file, base64, where one was asked for. In CSV every page begins with the header. In XML every page is a
   * message of its own with those who have no obstacles; null: there are none.
   */
  file: Dac7File | null;
}

export interface Dac7File {
  fileName: string;
  contentType: string;
  base64: string;
  sellers: number;
}

/** What is to be reported of a year's sellers, a page of coaches at a time. Throws Refusal. */
export async function dac7Report(ctx: Context, input: Dac7Input): Promise<Dac7Reply> {
  const { year, format = 'data' } = input;
  if (format === 'xml') platformOf(ctx.config);
  const page = await coachesOf(ctx, input);
  const sellers: ReportedSeller[] = [];
  for (let i = 0; i < page.length; i += atOnce) {
    const some = await Promise.all(page.slice(i, i + atOnce).map((each) => reportedOf(ctx, year, each)));
    sellers.push(...some.flat());
  }
  return {
    year,
    sellers,
    nextCursor: input.coachIds || page.length < pageSize ? null : (page.at(-1)?.coachId ?? null),
    leftOut: sellers.filter(({ obstacles }) => obstacles.length > 0).length,
    file: format === 'data' ? null : fileOf(ctx, { ...input, format }, sellers),
  };
}

async function coachesOf(ctx: Context, { cursor, coachIds }: Dac7Input): Promise<PagedCoach[]> {
  if (!coachIds) return pageOfCoaches(ctx, { ...(cursor === undefined ? {} : { after: cursor }), limit: pageSize });
  return Promise.all(
    [...new Set(coachIds)].map(async (coachId) => {
      const coach = await readCoach(ctx, coachId);
      if (!coach) throw new Refusal('not-found', 'coach-not-found', `There is no coach ${coachId}.`, { coachId });
      return { coachId, coach };
    }),
  );
}

function fileOf(
  ctx: Context,
  { year, format, cursor, coachIds, operatorSent }: Dac7Input & { format: 'csv' | 'xml' },
  sellers: readonly ReportedSeller[],
): Dac7File | null {
  const part = coachIds ? '-some' : cursor === undefined ? '' : `-after-${cursor}`;
  const file = (name: string, contentType: string, content: string, count: number): Dac7File => ({
    fileName: `${name}.${format}`,
    contentType: `${contentType}; charset=utf-8`,
    base64: Buffer.from(content, 'utf8').toString('base64'),
    sellers: count,
  });
  if (format === 'csv') return file(`dac7-${year}${part}`, 'text/csv', csvOf(rowsOf(sellers), 'sv'), sellers.length);
  const reported = sellers.filter(({ obstacles }) => obstacles.length === 0);
  if (reported.length === 0) return null;
  const at = ctx.clock.now();
  const sent = operatorSent ?? part !== '';
  const xml = dpiFile({ platform: platformOf(ctx.config), year, at, operatorSent: sent, sellers: reported });
  return file(`dac7-${year}${isTest(year, at) ? '-test' : ''}${part}`, 'application/xml', xml, reported.length);
}

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
  const [told, sellsGoods] = await Promise.all([
    store.readIdentity(ctx.db, coachId),
    hasProductOf(ctx.db, coachId, 'good'),
  ]);
  const identity = identityOf(coach, told);
  const missing = missingOf(identity);
  const who = { coachId, stripeAccountId: coach.stripeAccountId ?? null, identity, missing };
  return sold.map((sums) => ({ ...who, ...sums, obstacles: obstaclesOf({ ...sums, missing, sellsGoods }) }));
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
