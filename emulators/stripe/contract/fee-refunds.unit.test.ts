/** An application fee given back by itself: the platform's loss, the coach's gain. */
import { onboardedCoach, refusal, sellProgramme, startBench } from './harness.ts';

it('goes from the platform to the account, in parts, and no further than the fee', async () => {
  const bench = await startBench();
  const { stripe } = bench;
  try {
    const coach = await onboardedCoach(stripe);
    const sale = await sellProgramme(stripe, coach);
    const charge = await stripe.charges.retrieve(sale.latest_charge as string);
    const fee = charge.application_fee as string;
    const balances = async () => [
      (await stripe.balance.retrieve()).available[0]!.amount,
      (await stripe.balance.retrieve({}, { stripeAccount: coach })).available[0]!.amount,
    ];
    expect(await balances()).toEqual([8_971, 40_000]);
    const refund = await stripe.applicationFees.createRefund(fee, { amount: 4_900, metadata: { why: 'goodwill' } });
    expect(refund).toMatchObject({ object: 'fee_refund', amount: 4_900, fee, metadata: { why: 'goodwill' } });
    expect(await balances()).toEqual([4_071, 44_900]);
    expect(await stripe.applicationFees.retrieve(fee)).toMatchObject({ amount_refunded: 4_900, refunded: false });
    const there = await stripe.balanceTransactions.list({ source: refund.id }, { stripeAccount: coach });
    expect(there.data).toMatchObject([{ type: 'application_fee_refund', amount: 4_900 }]);

    expect((await refusal(stripe.applicationFees.createRefund(fee, { amount: 5_001 }))).code).toBe(
      'balance_insufficient',
    );
    await stripe.paymentIntents.create({
      amount: 50_000,
      currency: 'sek',
      payment_method: 'pm_card_bypassPending',
      confirm: true,
    });
    expect((await refusal(stripe.applicationFees.createRefund(fee, { amount: 5_001 }))).param).toBe('amount');
    expect((await stripe.applicationFees.createRefund(fee)).amount).toBe(5_000);
    expect((await stripe.applicationFees.listRefunds(fee)).data.map((each) => each.amount)).toEqual([5_000, 4_900]);
    expect((await refusal(stripe.applicationFees.createRefund(fee))).message).toContain('already been refunded');

    await stripe.applicationFees.updateRefund(fee, refund.id, { metadata: { why: 'another' } });
    expect((await stripe.applicationFees.retrieveRefund(fee, refund.id)).metadata).toEqual({ why: 'another' });
    const [event] = (await stripe.events.list({ limit: 1 })).data;
    expect(event?.type).toBe('application_fee.refund.updated');
    expect((await refusal(stripe.applicationFees.retrieveRefund(fee, 'fr_none'))).statusCode).toBe(404);
  } finally {
    await bench.close();
  }
});
