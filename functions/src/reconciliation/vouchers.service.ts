import { totalsByState } from '../accounting/accounting.service.ts';
import { stripeTotals } from '../ledger/ledger.service.ts';
import type { Context } from '../platform/context.ts';
import { minor, sum } from '../platform/money.ts';
import type { Difference, VoucherCounts } from './reconciliation.ts';

/**
 * The clearing account of the vouchers against the ledger, at one moment: what the documents moved in Stripe is on a
 * voucher (in a named state) or not grouped yet.
 */
export async function proveVouchers(ctx: Context): Promise<{ vouchers: VoucherCounts; difference?: Difference }> {
  const { currency } = ctx.config;
  const { all, ungrouped, states } = await ctx.db.runTransaction(
    async (tx) => ({
      all: await stripeTotals(ctx.db, tx, currency, 'all'),
      ungrouped: await stripeTotals(ctx.db, tx, currency, 'ungrouped'),
      states: await totalsByState(ctx.db, tx),
    }),
    { readOnly: true },
  );
  const { ready, sending, posted, rejected, unknown } = states;
  const vouchers: VoucherCounts = {
    ungrouped: ungrouped.count,
    ready: ready.count,
    sending: sending.count,
    posted: posted.count,
    rejected: rejected.count,
    unknown: unknown.count,
  };
  const clearing = sum([ready, sending, posted, rejected, unknown].map((state) => state.clearingMinor));
  const ledgerMinor = minor(all.stripeMinor - ungrouped.stripeMinor);
  if (clearing === ledgerMinor) return { vouchers };
  const difference: Difference = {
    kind: 'clearing-differs',
    account: 'vouchers',
    currency,
    ids: [],
    ledgerMinor,
    otherMinor: clearing,
  };
  return { vouchers, difference };
}
