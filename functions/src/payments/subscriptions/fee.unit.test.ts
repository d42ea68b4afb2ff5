import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { openSubscriber } from '../../testing/subscriber.ts';
import type { Payment } from '../payments.ts';

it('a tenant’s new terms hold for the renewals to come, and what was charged before stays', async () => {
  const world = await openSubscriber({ chargeModel: 'direct', feePercent: 10, feeRounding: 'minor' });
  try {
    const { subscriptionId } = await world.subscribe('coaching');
    await world.hear();
    await world.ctx.db.doc('coaches/karin').update({ 'terms.feePercent': 20 });
    for (let month = 1; month <= 2; month++) {
      await world.pass({ months: 1 });
      await world.hear();
      await world.pass({ days: 1 });
      await world.hear();
    }
    const payments = (await world.all<Payment>('payments'))
      .filter((each) => each.subscriptionId === subscriptionId)
      .sort((a, b) => a.createdAt.toMillis() - b.createdAt.toMillis());
    const fees = payments.map(({ platformFeeMinor, coachAmountMinor }) => [platformFeeMinor, coachAmountMinor]);
    expect(fees).toEqual([
      [4_990, 44_910],
      [9_980, 39_920],
      [9_980, 39_920],
    ]);
    const sales = (await world.all<LedgerDocument>('ledger')).filter(
      ({ kind, paymentId }) => kind === 'direct_sale' && payments.some((each) => each.stripePaymentId === paymentId),
    );
    expect(trialBalance(sales).fee_revenue).toBe(-4_990 - 2 * 9_980);
    expect(await world.openFlags()).toEqual([]);
    await world.expectBooksAsStripe();
  } finally {
    await world.close();
  }
});
