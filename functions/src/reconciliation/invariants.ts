import type { Voucher } from '../accounting/accounting.ts';
import { accounts, isCompanion, trialBalance, type LedgerDocument } from '../ledger/ledger.ts';
import type { Payment } from '../payments/payments.ts';
import type { PayoutWithItems } from '../payouts/payouts.ts';
import { sum } from '../platform/money.ts';

/** What must always hold. Each rule gives the paths of the documents that break it, with what is wrong. */
export type Offenders = string[];

/** Every document balances, and so does their sum. */
export function unbalanced(documents: readonly LedgerDocument[]): Offenders {
  const found = documents.flatMap((document) => {
    const off = sum(accounts.map((account) => document.deltas[account]));
    return off === 0 ? [] : [`ledger/${document.id} is off by ${off}`];
  });
  const total = sum(Object.values(trialBalance(documents)));
  return total === 0 || found.length > 0 ? found : [`the trial balance is off by ${total}`];
}

/**
 * A balance transaction is explained by one document, and by Stripe's fee or a fee given back with it at most once
 * besides. `claimers` are all documents that name the transactions in question.
 */
export function explainedTwice(claimers: readonly LedgerDocument[]): Offenders {
  const byTransaction = new Map<string, Map<string, LedgerDocument>>();
  for (const document of claimers) {
    for (const id of document.balanceTransactionIds) {
      byTransaction.set(id, (byTransaction.get(id) ?? new Map<string, LedgerDocument>()).set(document.id, document));
    }
  }
  return [...byTransaction].flatMap(([id, documents]) => {
    const fees = [...documents.values()].filter((document) => isCompanion(document.kind)).length;
    const twice = fees > 1 || documents.size - fees > 1;
    return twice ? [`${id} is explained by ${[...documents.keys()].map((one) => `ledger/${one}`).join(' and ')}`] : [];
  });
}

/** A payout's items sum exactly to it, and it relates to exactly their payments. */
export function payoutItemsDiffer(payouts: readonly PayoutWithItems[]): Offenders {
  return payouts.flatMap(({ payoutId, payout, items }) => {
    const total = sum(items.map((item) => item.amountMinor));
    if (total !== payout.amountMinor) return [`payouts/${payoutId} is ${payout.amountMinor}, its items ${total}`];
    const related = [...new Set(items.map((item) => item.paymentId))].sort().join();
    const named = [...payout.relatedPaymentIds].sort().join();
    return related === named ? [] : [`payouts/${payoutId} does not relate to the payments of its items`];
  });
}

/** A coach's payment is split without remainder. */
export function splitDiffers(payments: readonly Payment[]): Offenders {
  return payments.flatMap((payment) => {
    if (!payment.coachId) return [];
    const parts = payment.platformFeeMinor + payment.coachAmountMinor;
    return parts === payment.amountMinor
      ? []
      : [`payments/${payment.stripePaymentId} is ${payment.amountMinor}, its parts ${parts}`];
  });
}

/** A posted voucher says where it is in Fortnox. */
export function postedWithoutReference(vouchers: readonly Voucher[]): Offenders {
  return vouchers.flatMap((voucher) =>
    voucher.state === 'posted' && (!voucher.fortnoxReference || !voucher.fortnoxNumber)
      ? [`vouchers/${voucher.id} is posted without a reference`]
      : [],
  );
}

/** No two vouchers have one number in Fortnox, series by series and year by year; two years may begin in one calendar year. */
export function numberedTwice(vouchers: readonly Voucher[]): Offenders {
  const holders = new Map<string, string>();
  return vouchers.flatMap(({ id, series, fortnoxNumber, financialYearId, fortnoxReference }) => {
    if (fortnoxNumber === undefined) return [];
    const place = `${financialYearId ?? ''}/${series}/${fortnoxNumber}`;
    const other = holders.get(place);
    holders.set(place, id);
    return other ? [`vouchers/${id} and vouchers/${other} are both ${fortnoxReference ?? place}`] : [];
  });
}

/**
 * A voucher balances, and its clearing rows are what its ledger documents moved in Stripe: those that name it. One that was
 * corrected names its documents as history; they name the one in its place.
 */
export function vouchersDiffer(
  vouchers: readonly Voucher[],
  documents: ReadonlyMap<string, LedgerDocument>,
): Offenders {
  return vouchers.flatMap((voucher) => {
    const off = sum(voucher.rows.map((row) => row.debitMinor - row.creditMinor));
    if (off !== 0) return [`vouchers/${voucher.id} is off by ${off}`];
    const own = voucher.rows.filter((row) => row.account === voucher.clearingAccount);
    const clearing = sum(own.map((row) => row.debitMinor - row.creditMinor));
    if (clearing !== voucher.clearingMinor)
      return [`vouchers/${voucher.id} clears ${clearing} and says ${voucher.clearingMinor}`];
    const corrected = voucher.correctedBy !== undefined;
    const wrong = voucher.ledgerIds.filter((id) => {
      const named = documents.get(id)?.voucherId;
      return corrected ? !named || named === voucher.id : named !== voucher.id;
    });
    if (wrong.length > 0) {
      const how = corrected ? 'after its correction, and none is in its place' : 'which names another voucher or none';
      return [`vouchers/${voucher.id} covers ${wrong.join()}, ${how}`];
    }
    // What it took back or was taken back for may have been wrong about that too.
    if (corrected || voucher.corrects !== undefined) return [];
    const moved = sum(
      voucher.ledgerIds.map((id) => {
        const moves = documents.get(id)?.deltas;
        return moves ? moves.stripe_platform + moves.stripe_connected : 0;
      }),
    );
    return clearing === moved ? [] : [`vouchers/${voucher.id} clears ${clearing}, its ledger documents moved ${moved}`];
  });
}
