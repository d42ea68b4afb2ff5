import type { Timestamp } from 'firebase-admin/firestore';
import { postedFrom, vouchersOf } from '../accounting/accounting.service.ts';
import type { Voucher } from '../accounting/accounting.ts';
import type { Context } from '../platform/context.ts';
import { messageOf } from '../platform/errors.ts';
import { fortnoxDiffers, type Difference, type FortnoxProof } from './reconciliation.ts';

/** Vouchers whose days are looked up in one night; more are for the next. */
const vouchersPerNight = 2000;

/**
 * Looks up in Fortnox every day that vouchers were posted to since the last night: each posted voucher is there once, and
 * nothing else is in our series. A Fortnox that cannot be read is said so, and the same days are looked up next night.
 */
export async function proveFortnox(
  ctx: Context,
  since: Timestamp | null,
): Promise<FortnoxProof & { differences: Difference[] }> {
  const posted = await postedFrom(ctx.db, since, vouchersPerNight);
  const days = new Map(posted.map((voucher) => [`${voucher.series} ${voucher.date}`, voucher]));
  const differences: Difference[] = [];
  try {
    for (const voucher of days.values()) differences.push(...(await proveDay(ctx, voucher)));
  } catch (error) {
    return { days: days.size, provenUntil: since, error: messageOf(error), differences };
  }
  // What is missing is looked for every night until it is there. What is too much stays (Fortnox deletes nothing): told once.
  const missing = differences.some(({ kind }) => kind === 'voucher-not-in-fortnox');
  const provenUntil = missing ? since : (posted.at(-1)?.postedAt ?? since);
  return { days: days.size, provenUntil, differences };
}

async function proveDay(ctx: Context, { series, date, financialYearId }: Voucher): Promise<Difference[]> {
  if (financialYearId === undefined) throw new Error(`A voucher of ${date} is posted without its financial year.`);
  const asked = ctx.clock.now().getTime();
  const fortnox = await ctx.fortnox();
  const listed = await fortnox.findVouchers({ series, date, financialYearId });
  // Ours are read after Fortnox's, so that one posted in between is known when it is met.
  const ours = (await vouchersOf(ctx.db, date))
    .filter((voucher) => voucher.series === series)
    .map(({ id, key, clearingMinor, state, postedAt }) => {
      const mustBeThere = state === 'posted' && postedAt !== undefined && postedAt.toMillis() < asked;
      return { id, key, clearingMinor, mustBeThere };
    });
  return fortnoxDiffers({ date, currency: ctx.config.currency }, listed, ours);
}
