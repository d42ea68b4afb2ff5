import { lastPosted } from '../accounting/accounting.service.ts';
import type { Voucher } from '../accounting/accounting.ts';
import { raiseFlag } from '../admin/flags.service.ts';
import type { LedgerDocument } from '../ledger/ledger.ts';
import { explaining, lastBooked, readMany } from '../ledger/ledger.service.ts';
import { lastPayments } from '../payments/payments.service.ts';
import { lastPayouts } from '../payouts/payouts.service.ts';
import type { Context } from '../platform/context.ts';
import * as rules from './invariants.ts';
import { invariantFlag } from './reconciliation-flags.ts';
import * as logs from './reconciliation.logs.ts';

/** How many of the newest documents of each kind are looked at: more than five minutes of trade; the night sees all. */
const recent = 100;
/** Balance transactions whose claims are asked for side by side. */
const sideBySide = 20;

export interface Invariants {
  ledgerBalances: boolean;
  balanceTransactionsExplainedOnce: boolean;
  payoutItemsSumToPayout: boolean;
  paymentSplitsExactly: boolean;
  postedVouchersHaveReference: boolean;
  voucherNumbersAreUnique: boolean;
  vouchersMatchLedger: boolean;
}

/** Checks what must always hold on the newest documents, and flags what does not. Bounded, so that it may run every few minutes. */
export async function checkInvariants(ctx: Context): Promise<Invariants> {
  const documents = await lastBooked(ctx.db, recent);
  const { vouchers, covered } = await lastVouchers(ctx);
  const offenders: Record<keyof Invariants, rules.Offenders> = {
    ledgerBalances: rules.unbalanced(documents),
    balanceTransactionsExplainedOnce: rules.explainedTwice(await claimersOf(ctx, documents)),
    payoutItemsSumToPayout: rules.payoutItemsDiffer(await lastPayouts(ctx, recent)),
    paymentSplitsExactly: rules.splitDiffers(await lastPayments(ctx, recent)),
    postedVouchersHaveReference: rules.postedWithoutReference(vouchers),
    voucherNumbersAreUnique: rules.numberedTwice(vouchers),
    vouchersMatchLedger: rules.vouchersDiffer(vouchers, covered),
  };
  for (const [name, found] of Object.entries(offenders)) {
    if (found.length === 0) continue;
    logs.invariantFailed(ctx.log, name, found.slice(0, 10));
    await raiseFlag(ctx, invariantFlag(name, found));
  }
  const held = Object.entries(offenders).map(([name, found]) => [name, found.length === 0]);
  return Object.fromEntries(held) as Invariants;
}

/** The last vouchers and their documents at one moment: a correction moves documents from one to another. */
function lastVouchers(ctx: Context): Promise<{ vouchers: Voucher[]; covered: Map<string, LedgerDocument> }> {
  return ctx.db.runTransaction(
    async (tx) => {
      // A day's voucher of thousands is for the night: reading its documents every few minutes would be most of our reads.
      const vouchers = (await lastPosted(ctx.db, recent, tx)).filter(({ ledgerIds }) => ledgerIds.length <= recent);
      const ids = new Set(vouchers.flatMap(({ ledgerIds }) => ledgerIds));
      return { vouchers, covered: await readMany(ctx.db, tx, [...ids]) };
    },
    { readOnly: true },
  );
}

/** All documents, old ones too, that claim a balance transaction of these. */
async function claimersOf(ctx: Context, documents: readonly LedgerDocument[]): Promise<LedgerDocument[]> {
  const ids = [...new Set(documents.flatMap((document) => document.balanceTransactionIds))];
  const found: LedgerDocument[] = [];
  for (let i = 0; i < ids.length; i += sideBySide) {
    const some = await Promise.all(ids.slice(i, i + sideBySide).map((id) => explaining(ctx.db, id)));
    found.push(...some.flat());
  }
  return found;
}
