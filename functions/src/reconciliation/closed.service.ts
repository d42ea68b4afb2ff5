import { postedSums } from '../accounting/accounting.service.ts';
import { raiseFlag } from '../admin/flags.service.ts';
import { ledgerSums } from '../ledger/ledger.service.ts';
import { closeSum, recounted, replaceSum, type Summed } from '../platform/closed-sums.ts';
import type { Context } from '../platform/context.ts';
import { wrongSumFlag } from './reconciliation-flags.ts';

const summed = (ctx: Context): Summed<string>[] => [
  ...[...new Set([ctx.config.currency, ...ctx.config.acceptedCurrencies])].map((each) => ledgerSums(ctx.db, each)),
  postedSums(ctx.db),
];

/** What came until an hour ago is added up for good, so that the sums of the next days stay short. */
export async function closeSums(ctx: Context): Promise<void> {
  for (const each of summed(ctx)) await closeSum(each, ctx.clock.now());
}

/**
 * A proof by sums that are kept proves only as much as they do: adds them up from the beginning. One that is wrong is told of,
 * then put right. True when there was one: what was reckoned with it is to be reckoned again.
 */
export async function recountSums(ctx: Context): Promise<boolean> {
  let wrong = false;
  for (const each of summed(ctx)) {
    const found = await recounted(each);
    if (!found) continue;
    await raiseFlag(ctx, wrongSumFlag(each.id, found));
    await replaceSum(each, found.kept, found.right);
    wrong = true;
  }
  return wrong;
}
