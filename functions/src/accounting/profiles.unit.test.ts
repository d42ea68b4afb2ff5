import { trialBalance, type LedgerDocument } from '../ledger/ledger.ts';
import { refundPayment } from '../payments/refunds/refunds.service.ts';
import { sum } from '../platform/money.ts';
import { openShop, type Shop } from '../testing/shop.ts';
import { profiles, type Profile } from './account-plan.ts';
import { syncBooks } from './accounting.service.ts';
import { postOne } from './posting.service.ts';

/** Real trade through payments, ledger, vouchers and Fortnox, by each profile. */
let shop: Shop;
afterEach(() => shop.close());

const anna = { uid: 'anna', coach: false, admin: true };
/** Amounts whose VAT does not come out even. */
const parts = [7_777, 13_331, 11, 28_781];

async function trade(profile: Profile, vatNumber?: string): Promise<Record<string, number>> {
  shop = await openShop();
  const { ctx } = shop;
  ctx.config = { ...ctx.config, accountingProfile: profile, voucherGrouping: 'day' };
  if (vatNumber) await ctx.db.doc('coaches/karin').update({ vatNumber });
  const [programme, mat] = [await shop.buy(), await shop.buy({ productId: 'mat' })];
  // The coach's registration ends; what was sold before keeps it.
  await ctx.db.doc('coaches/karin').update({ vatNumber: 'later' });
  for (const [i, amountMinor] of parts.entries()) {
    for (const paymentId of [programme, mat]) {
      await refundPayment(ctx, anna, { paymentId, amountMinor, requestId: `${paymentId}-${i}` });
      await shop.deliver();
    }
  }
  await syncBooks(ctx, shop.now());
  for (const { payload } of shop.tasks.splice(0)) {
    if ('voucherId' in payload) await postOne(ctx, payload.voucherId);
  }
  const balance = await shop.control<Record<string, number>>('fortnox', 'trial-balance');
  return Object.fromEntries(Object.entries(balance).filter(([, amount]) => amount !== 0));
}

const mat = {
  specification: { 3001: -49_900 },
  agent: { 3001: -39_920, 2611: -9_980 },
  principal: { 3001: -39_920, 2611: -9_980 },
};

describe.each(profiles)('%s', (profile) => {
  it.each([undefined, 'SE800101123401'])(
    'a programme (coach’s VAT number: %s) and a mat, each refunded in four parts, leave what the first mat left, and Stripe’s fees',
    async (vatNumber) => {
      const balance = await trade(profile, vatNumber);
      const books = trialBalance(await shop.all<LedgerDocument>('ledger'));
      const fees = books.stripe_fees;
      expect(books.coach_payable + books.coach_receivable).toBe(0);
      expect(balance).toEqual({
        ...mat[profile],
        1686: books.stripe_platform + books.stripe_connected,
        [profile === 'specification' ? 6570 : 4535]: fees,
      });
      expect(sum(Object.values(balance))).toBe(0);
    },
    30_000,
  );
});
