import { moveBalance } from '../../../../emulators/stripe/http/control-balance.ts';
import type { Voucher } from '../../accounting/accounting.ts';
import { correctVoucher } from '../../accounting/corrections.service.ts';
import { explainTransaction } from '../../accounting/stripe-own/explain.service.ts';
import { writeOffDebt } from '../../payments/disputes/write-off.service.ts';
import { payPlatform } from '../../payouts/platform/platform.service.ts';
import { anna } from './cast.ts';
import type { Trade } from './trade.ts';

/** What administrators decide, and what Stripe does of its own accord. */

export const payToBank = (trade: Trade) =>
  payPlatform(trade.stage.ctx, anna, { requestId: trade.requestId(), amountMinor: 10_000 });

export const writeOff = (trade: Trade) =>
  writeOffDebt(trade.stage.ctx, anna, { coachId: 'karin', reason: 'They are gone.', requestId: trade.requestId() });

/** Stripe moves the platform's balance for no sale. */
export const stripeMoves =
  (type: string, amount: number) =>
  async ({ stage }: Trade): Promise<string> => {
    const moved = moveBalance(stage.core.world, { type, amount });
    if (typeof moved === 'string') throw new Error(moved);
    return moved.id;
  };

/** What only a person can tell; until then it is loose. */
export async function adjust(trade: Trade): Promise<void> {
  trade.loose = await stripeMoves('adjustment', -777)(trade);
}

export async function explain(trade: Trade): Promise<void> {
  if (trade.loose === undefined) throw new Error('There is nothing to explain.');
  const input = { balanceTransactionId: trade.loose, as: 'loss', reason: 'Stripe says so.' } as const;
  await explainTransaction(trade.stage.ctx, anna, { ...input, requestId: trade.requestId() });
  trade.loose = undefined;
}

/** What has been written off goes to another account from now on, and the debt that was written off before. */
export const newLosses = 6351;

export async function correctLosses(trade: Trade): Promise<void> {
  const { stage } = trade;
  stage.ctx.config = { ...stage.ctx.config, accountNumbers: { losses: newLosses } };
  const wrong = (await stage.all<Voucher>('vouchers')).filter(({ kind }) => kind === 'write_off');
  for (const { id: voucherId } of wrong) {
    await correctVoucher(stage.ctx, anna, { voucherId, reason: 'Wrong account', requestId: trade.requestId() });
  }
}
