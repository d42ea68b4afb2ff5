/** Separate transfers, reversals, direct charges and payouts by schedule, in any order: no öre appears or is lost. */
import fc from 'fast-check';
import Stripe from 'stripe';
import { completeOnboarding, createInProcessHttpClient, createStripeCore } from '../index.ts';
import type { StripeCore } from '../index.ts';
import { balanceOf } from '../core/balance.ts';
import { FORM } from './harness.ts';

const IBANS = [FORM.iban, 'SE0850000000054910000004', FORM.iban];
const CARDS = ['pm_card_visa', 'pm_card_bypassPending', 'pm_card_createDispute', 'pm_card_refundFail'];
const amount = fc.integer({ min: 300, max: 5_000_000 });
const part = fc.integer({ min: 1, max: 120 });
const account = fc.nat(2);

const operation = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sell' as const), card: fc.nat(3), amount }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('charge' as const), account, card: fc.nat(3), amount, fee: part }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('transfer' as const), account, charge: fc.option(fc.nat(3)), part }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('reverse' as const), transfer: fc.nat(3), part, fee: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      account: fc.nat(3),
      charge: fc.nat(3),
      part,
      fee: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('payout' as const), account: fc.nat(3), part, instant: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('schedule' as const),
      account: fc.nat(3),
      interval: fc.constantFrom('daily', 'manual'),
      kept: fc.nat(100_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mend' as const), account }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.nat(24 * 9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delayBooking' as const), seconds: fc.constantFrom(0, 3_600) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const portion = (whole: number, percent: number) => Math.max(1, Math.floor((whole * percent) / 100));

async function play(stripe: Stripe, core: StripeCore, accounts: string[], step: Operation): Promise<void> {
  const on = (n: number) => (accounts[n] === undefined ? {} : { stripeAccount: accounts[n] });
  const id = (n: number) => accounts[n]!;
  switch (step.do) {
    case 'sell':
    case 'charge': {
      const direct = step.do === 'charge';
      const params: Stripe.PaymentIntentCreateParams = {
        amount: step.amount,
        currency: 'sek',
        payment_method: CARDS[step.card]!,
        confirm: true,
        ...(direct ? { application_fee_amount: portion(step.amount, step.fee) } : {}),
      };
      await stripe.paymentIntents.create(params, direct ? on(step.account) : {});
      return;
    }
    case 'transfer': {
      const charge = step.charge === null ? undefined : (await stripe.charges.list()).data[step.charge];
      const { available } = await stripe.balance.retrieve();
      await stripe.transfers.create({
        amount: portion(charge?.amount ?? available[0]!.amount, step.part),
        currency: 'sek',
        destination: id(step.account),
        ...(charge ? { source_transaction: charge.id } : {}),
      });
      return;
    }
    case 'reverse': {
      const transfer = (await stripe.transfers.list()).data[step.transfer];
      if (!transfer) return;
      const params = { amount: portion(transfer.amount, step.part), refund_application_fee: step.fee };
      await stripe.transfers.createReversal(transfer.id, params);
      return;
    }
    case 'refund': {
      const charge = (await stripe.charges.list({}, on(step.account))).data[step.charge];
      if (!charge) return;
      const fee = step.fee ? { refund_application_fee: true } : {};
      const params = { charge: charge.id, amount: portion(charge.amount, step.part), ...fee };
      await stripe.refunds.create(params, on(step.account));
      return;
    }
    case 'payout': {
      const { available } = await stripe.balance.retrieve({}, on(step.account));
      const params: Stripe.PayoutCreateParams = {
        amount: portion(available[0]!.amount, step.part),
        currency: 'sek',
        method: step.instant ? 'instant' : 'standard',
      };
      await stripe.payouts.create(params, on(step.account));
      return;
    }
    case 'schedule': {
      const payouts = {
        schedule: { interval: step.interval },
        minimum_balance_by_currency: { sek: step.kept },
      };
      await stripe.balanceSettings.update({ payments: { payouts } }, on(step.account));
      return;
    }
    case 'mend': {
      const [bank] = (await stripe.accounts.listExternalAccounts(id(step.account))).data;
      await stripe.accounts.updateExternalAccount(id(step.account), bank!.id, { account_holder_name: 'Other Name' });
      return;
    }
    case 'wait':
      core.advance(step.hours * 3_600);
      return;
    case 'delayBooking':
      core.world.switches = { ...core.world.switches, chargeBalanceTransactionDelaySeconds: step.seconds };
      return;
  }
}

/** What all accounts hold is what cards brought in, less what left: Stripe's fees, refunds, disputes, payouts. */
function conserved(core: StripeCore): void {
  const { world } = core;
  const books = [world.platform, ...world.books.values()];
  const transactions = books.flatMap((book) => book.balanceTransactions.values());
  for (const book of books) {
    const { available, pending } = balanceOf(world, book);
    const net = sum(book.balanceTransactions.values().map((txn) => txn.net));
    expect(sum([...available, ...pending].map((each) => each.amount))).toBe(net);
  }
  const charges = books.flatMap((book) => book.charges.values()).filter((charge) => charge.id.startsWith('ch_'));
  const paidIn = sum(charges.filter((charge) => charge.balance_transaction).map((charge) => charge.amount_captured));
  const refunds = books.flatMap((book) => book.refunds.values()).filter((refund) => refund.id.startsWith('re_'));
  const refunded = sum(
    refunds.filter((each) => each.balance_transaction !== null && each.status !== 'failed').map((each) => each.amount),
  );
  const disputes = books.flatMap((book) => book.disputes.values()).flatMap((each) => each.balance_transactions);
  const inside = transactions.flatMap((txn) => txn.fee_details).filter((fee) => fee.type === 'stripe_fee');
  const billed = transactions.filter((txn) => txn.type === 'stripe_fee');
  const cost = sum(inside.map((fee) => fee.amount)) - sum(billed.map((txn) => txn.amount));
  const out = books
    .flatMap((book) => book.payouts.values())
    .filter((payout) => !['failed', 'canceled'].includes(payout.status));
  expect(sum(transactions.map((txn) => txn.net))).toBe(
    paidIn - cost - refunded + sum(disputes.map((txn) => txn.amount)) - sum(out.map((payout) => payout.amount)),
  );
}

function withinBounds(core: StripeCore): void {
  const { platform } = core.world;
  for (const charge of platform.charges.values()) {
    const sent = [...platform.transfers.walk({ group: charge.id })];
    expect(sum(sent.map((transfer) => transfer.amount))).toBeLessThanOrEqual(charge.amount_captured);
  }
  for (const transfer of platform.transfers.values()) {
    expect(transfer.amount_reversed).toBe(sum(transfer.reversals.data.map((reversal) => reversal.amount)));
    expect(transfer.amount_reversed).toBeLessThanOrEqual(transfer.amount);
    const payment = core.world.books
      .get(transfer.destination as string)!
      .charges.get(transfer.destination_payment as string)!;
    expect(payment.amount_refunded).toBe(transfer.amount_reversed);
  }
  // Each side of an application fee: earned here, paid there.
  const earned = sum(platform.applicationFees.values().map((fee) => fee.amount));
  const paid = [...core.world.books.values()]
    .flatMap((book) => book.balanceTransactions.values())
    .filter((txn) => txn.type === 'charge')
    .flatMap((txn) => txn.fee_details)
    .filter((fee) => fee.type === 'application_fee');
  expect(sum(paid.map((fee) => fee.amount))).toBe(earned);
}

it('conserves money through transfers, reversals, direct charges and payouts by schedule', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40 }), async (steps) => {
      const core = createStripeCore({ now: 1_795_000_000 });
      const stripe = new Stripe('sk_test_sim', {
        httpClient: createInProcessHttpClient(core),
        maxNetworkRetries: 0,
        telemetry: false,
      });
      const accounts: string[] = [];
      for (const [i, iban] of IBANS.entries()) {
        const own = i === 2;
        const { id } = await stripe.accounts.create({
          country: 'SE',
          controller: {
            fees: { payer: own ? 'account' : 'application' },
            losses: { payments: own ? 'stripe' : 'application' },
            stripe_dashboard: { type: own ? 'full' : 'express' },
          },
          capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
        });
        completeOnboarding(core.world, id, { ...FORM, iban });
        accounts.push(id);
      }
      for (const step of steps) {
        // Refusals (too little money, an errored bank account) are part of the game.
        await play(stripe, core, accounts, step).catch((error: unknown) => {
          if (!(error instanceof Stripe.errors.StripeError)) throw error;
        });
        conserved(core);
        withinBounds(core);
      }
    }),
    { numRuns: 100 },
  );
}, 120_000);
