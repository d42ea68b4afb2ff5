import type Stripe from 'stripe';
import { newAccount, startBench } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
let stripe: Stripe;
beforeEach(async () => {
  bench = await startBench();
  ({ stripe } = bench);
});
afterEach(() => bench.close());

const move = (order: object) => bench.control<Stripe.BalanceTransaction>('POST', '/balance_transactions', order);

const available = async (stripeAccount?: string) =>
  (await stripe.balance.retrieve({}, stripeAccount === undefined ? undefined : { stripeAccount })).available[0]?.amount;

describe('what Stripe moves of its own accord', () => {
  it('is a balance transaction of nothing, and moves the balance at once', async () => {
    const fee = await move({ type: 'stripe_fee', amount: -2_500, description: 'Radar (2026-10)' });
    expect(await stripe.balanceTransactions.retrieve(fee.id)).toEqual(fee);
    expect(fee).toMatchObject({
      type: 'stripe_fee',
      reporting_category: 'fee',
      amount: -2_500,
      fee: 0,
      net: -2_500,
      source: null,
      description: 'Radar (2026-10)',
      currency: 'sek',
      status: 'available',
      balance_type: 'payments',
    });
    expect(await available()).toBe(-2_500);
    await move({ type: 'topup', amount: 100_000, fee: 500, source: 'tu_1' });
    expect(await available()).toBe(97_000);
  });

  it("on a connected account is that account's", async () => {
    const { id: account } = await newAccount(stripe);
    await move({ type: 'reserved_funds', amount: -7_000, account });
    expect([await available(), await available(account)]).toEqual([0, -7_000]);
    const [held] = (await stripe.balanceTransactions.list({}, { stripeAccount: account })).data;
    expect(held).toMatchObject({ type: 'reserved_funds', reporting_category: 'risk_reserved_funds', net: -7_000 });
  });

  it('is listed by type, by the hundred', async () => {
    for (let n = 1; n <= 3; n++) await move({ type: 'stripe_fee', amount: -n });
    await move({ type: 'adjustment', amount: 50 });
    const first = await stripe.balanceTransactions.list({ type: 'stripe_fee', limit: 2 });
    expect([first.data.map(({ amount }) => amount), first.has_more]).toEqual([[-3, -2], true]);
    const starting_after = first.data[1]?.id ?? '';
    const rest = await stripe.balanceTransactions.list({ type: 'stripe_fee', limit: 2, starting_after });
    expect([rest.data.map(({ amount }) => amount), rest.has_more]).toEqual([[-1], false]);
  });

  it('on a balance of its own is in neither available nor pending', async () => {
    const kept = await move({ type: 'reserve_hold', amount: 400, balance_type: 'risk_reserved' });
    expect(kept.balance_type).toBe('risk_reserved');
    expect(await available()).toBe(0);
  });

  it.each([
    [{ amount: 1 }, "'type'"],
    [{ type: 'topup' }, "'amount' is in öre"],
    [{ type: 'topup', amount: 1, fee: 'x' }, "'fee' is in öre"],
    [{ type: 'topup', amount: 1, account: 'acct_none' }, 'There is no account acct_none'],
    [{ type: 'topup', amount: 1, source: 7 }, "'source' is a text"],
    [{ type: 'topup', amount: 1, bogus: 7 }, "There is no 'bogus'"],
  ])('refuses %j', async (order, words) => {
    await expect(move(order)).rejects.toThrow(words);
    expect((await stripe.balanceTransactions.list()).data).toEqual([]);
  });
});
