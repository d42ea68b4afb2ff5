import { planAudit } from '../admin/audit.service.ts';
import { resolveGone } from '../admin/flags.service.ts';
import type { Caller } from '../platform/auth.ts';
import type { Context } from '../platform/context.ts';
import { Refusal } from '../platform/errors.ts';
import { runWrites } from '../platform/write.ts';
import { accountFlagKind } from './accounting-flags.ts';
import { queue } from './accounting.service.ts';
import * as store from './accounting.store.ts';
import { redrawn } from './corrections.ts';
import { documentsOf } from './corrections.service.ts';
import { booksOf } from './grouping.service.ts';

/**
 * Draws up anew a voucher that Fortnox refused, or that is held, after the configuration was changed (another account, say),
 * and sends it. A voucher that may be in Fortnox keeps its rows. Throws Refusal.
 */
export async function redrawVoucher(
  ctx: Context,
  caller: Pick<Caller, 'uid'>,
  voucherId: string,
): Promise<{ voucherId: string; state: 'ready' }> {
  const now = ctx.clock.now();
  const drawn = await ctx.db.runTransaction(async (tx) => {
    const voucher = await store.readVoucher(ctx.db, tx, voucherId);
    if (!voucher) throw new Refusal('not-found', 'voucher-not-found', `There is no voucher ${voucherId}.`);
    const next = redrawn(voucher, await documentsOf(ctx, tx, voucher), booksOf(ctx), now);
    const [before, after] = [voucher, next].map(({ rows, series, profile }) => ({ rows, series, profile }));
    const audit = { by: caller.uid, action: 'retryVoucher', subject: store.voucherPath(voucherId), before, after };
    store.saveVoucher(ctx.db, tx, next);
    runWrites(tx, [planAudit(ctx, `redrawVoucher_${voucherId}_${now.getTime()}`, audit)]);
    return next;
  });
  // Another voucher that waits for the account raises it again when it is tried.
  const itsOwn = store.voucherPath(voucherId);
  await resolveGone(
    ctx,
    accountFlagKind,
    (open) => open.filter(({ subject }) => subject === itsOwn),
    `Voucher ${voucherId} was drawn up anew.`,
  );
  await queue(ctx, [drawn], now);
  return { voucherId, state: 'ready' };
}
