/** Whatever happens in whatever order: every balance is the sum of its balance transactions, and no öre appears. */
import fc from 'fast-check';
import Stripe from 'stripe';
import { completeOnboarding, createInProcessHttpClient, createStripeCore } from '../index.ts';
import type { StripeCore } from '../index.ts';
import { balanceOf } from '../core/balance.ts';
import type { Book } from '../core/world.ts';
import { FORM, newAccount } from './harness.ts';

const IBANS = [FORM.iban, 'SE0850000000054910000004', 'SE89370400440532013002'];
const CARDS = [
  'pm_card_visa',
  'pm_card_bypassPending',
  'pm_card_visa_chargeDeclined',
  'pm_card_createDispute',
  'pm_card_createDisputeInquiry',
  'pm_card_pendingRefund',
  'pm_card_refundFail',
];

const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('sell' as const),
      coach: fc.nat(2),
      card: fc.nat(CARDS.length - 1),
      captured: fc.integer({ min: 1, max: 150 }),
      amount: fc.integer({ min: 300, max: 5_000_000 }),
      share: fc.integer({ min: 1, max: 100 }),
      how: fc.constantFrom('fee' as const, 'amount' as const, 'own' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('payout' as const),
      coach: fc.nat(3),
      part: fc.integer({ min: 1, max: 120 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      charge: fc.nat(5),
      part: fc.integer({ min: 1, max: 130 }),
      reverse: fc.boolean(),
      fee: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancelRefund' as const), refund: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('reverse' as const), transfer: fc.nat(3), amount: fc.nat(900_000) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      dispute: fc.nat(3),
      text: fc.constantFrom('winning_evidence', 'losing_evidence', 'escalate_inquiry_evidence'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancelPayout' as const), coach: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('newBank' as const), coach: fc.nat(2), iban: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 0, max: 24 * 9 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delayBooking' as const), seconds: fc.constantFrom(0, 3_600) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

function sums(core: StripeCore, book: Book) {
  const transactions = book.balanceTransactions.values();
  const balance = balanceOf(core.world, book);
  const now = core.now();
  expect(sum(balance.available.map((each) => each.amount))).toBe(
    sum(transactions.filter((txn) => txn.available_on <= now).map((txn) => txn.net)),
  );
  expect(sum(balance.pending.map((each) => each.amount))).toBe(
    sum(transactions.filter((txn) => txn.available_on > now).map((txn) => txn.net)),
  );
  for (const txn of transactions) {
    expect(txn.net).toBe(txn.amount - txn.fee);
    expect(txn.fee).toBe(sum(txn.fee_details.map((each) => each.amount)));
    expect(txn.status).toBe(txn.available_on > now ? 'pending' : 'available');
  }
  return sum(transactions.map((txn) => txn.net));
}

const movements = (dispute: Stripe.Dispute) => dispute.balance_transactions;
/** What a refund has cost: nothing while it waits for money, when it was let go, and after it failed. */
const paidOut = (refund: Stripe.Refund): number =>
  refund.balance_transaction === null || refund.status === 'failed' ? 0 : refund.amount;

/** Nothing is given back more than once. */
function withinBounds(core: StripeCore): void {
  const { platform } = core.world;
  for (const charge of platform.charges.values()) {
    const refunds = [...platform.refunds.walk({ group: charge.id })].filter(
      (refund) => !['failed', 'canceled'].includes(refund.status ?? ''),
    );
    const released = charge.captured ? charge.amount - charge.amount_captured : 0;
    expect(charge.amount_refunded).toBe(sum(refunds.map((refund) => refund.amount)) + released);
    expect(charge.amount_refunded).toBeLessThanOrEqual(charge.amount);
    expect(charge.refunded).toBe(charge.amount_refunded === charge.amount);
  }
  for (const transfer of platform.transfers.values()) {
    const reversals = [...platform.reversals.walk({ group: transfer.id })];
    expect(transfer.amount_reversed).toBe(sum(reversals.map((reversal) => reversal.amount)));
    expect(transfer.amount_reversed).toBeLessThanOrEqual(transfer.amount);
  }
  for (const fee of platform.applicationFees.values()) {
    const refunds = [...platform.feeRefunds.walk({ group: fee.id })];
    expect(fee.amount_refunded).toBe(sum(refunds.map((refund) => refund.amount)));
    expect(fee.amount_refunded).toBeLessThanOrEqual(fee.amount);
  }
}

async function play(stripe: Stripe, core: StripeCore, coaches: string[], step: Operation): Promise<void> {
  const account = (n: number) => coaches[n] ?? core.world.platform.account;
  const onAccount = (n: number) => (coaches[n] === undefined ? {} : { stripeAccount: coaches[n] });
  switch (step.do) {
    case 'sell': {
      const part = Math.max(1, Math.floor((step.amount * step.share) / 100));
      const destination = account(step.coach);
      const split =
        step.how === 'own'
          ? {}
          : step.how === 'fee'
            ? { application_fee_amount: part, transfer_data: { destination } }
            : { transfer_data: { destination, amount: part } };
      // Most are paid at once; of the others a part is captured, or nothing.
      const later = step.captured <= 100;
      const intent = await stripe.paymentIntents.create({
        amount: step.amount,
        currency: 'sek',
        payment_method: CARDS[step.card]!,
        confirm: true,
        ...(later ? { capture_method: 'manual' } : {}),
        ...split,
      });
      if (!later) return;
      if (step.captured < 10) await stripe.paymentIntents.cancel(intent.id);
      else {
        const amount = Math.ceil((step.amount * step.captured) / 100);
        await stripe.paymentIntents.capture(intent.id, { amount_to_capture: amount });
      }
      return;
    }
    case 'refund': {
      const { data } = await stripe.charges.list({ limit: 6 });
      const charge = data[step.charge];
      if (!charge) return;
      await stripe.refunds.create({
        charge: charge.id,
        ...(step.part > 100 ? {} : { amount: Math.ceil((charge.amount * step.part) / 100) }),
        reverse_transfer: step.reverse,
        refund_application_fee: step.fee,
      });
      return;
    }
    case 'cancelRefund': {
      const { data } = await stripe.refunds.list();
      const refund = data[step.refund];
      if (refund) await stripe.refunds.cancel(refund.id);
      return;
    }
    case 'reverse': {
      const { data } = await stripe.transfers.list();
      const transfer = data[step.transfer];
      if (transfer) await stripe.transfers.createReversal(transfer.id, { amount: step.amount });
      return;
    }
    case 'answer': {
      const { data } = await stripe.disputes.list();
      const dispute = data[step.dispute];
      if (dispute) await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: step.text } });
      return;
    }
    case 'payout': {
      const balance = await stripe.balance.retrieve({}, onAccount(step.coach));
      const amount = Math.floor((balance.available[0]!.amount * step.part) / 100);
      await stripe.payouts.create({ amount, currency: 'sek' }, onAccount(step.coach));
      return;
    }
    case 'cancelPayout': {
      const { data } = await stripe.payouts.list({}, onAccount(step.coach));
      if (data[0]) await stripe.payouts.cancel(data[0].id, {}, onAccount(step.coach));
      return;
    }
    case 'newBank':
      return completeOnboarding(core.world, account(step.coach), { ...FORM, iban: IBANS[step.iban]! });
    case 'wait':
      core.advance(step.hours * 3_600);
      return;
    case 'delayBooking':
      core.world.switches = { ...core.world.switches, chargeBalanceTransactionDelaySeconds: step.seconds };
      return;
  }
}

it('conserves money in any sequence of operations', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40 }), async (steps) => {
      const core = createStripeCore({ now: 1_795_000_000 });
      const stripe = new Stripe('sk_test_sim', {
        httpClient: createInProcessHttpClient(core),
        maxNetworkRetries: 0,
        telemetry: false,
      });
      const coaches: string[] = [];
      for (const iban of IBANS) {
        const { id } = await newAccount(stripe);
        completeOnboarding(core.world, id, { ...FORM, iban });
        coaches.push(id);
      }
      for (const step of steps) {
        // Refusals (a decline, too little money, an errored bank account) are part of the game.
        await play(stripe, core, coaches, step).catch((error: unknown) => {
          if (!(error instanceof Stripe.errors.StripeError)) throw error;
        });
        const books = [core.world.platform, ...core.world.books.values()];
        const held = sum(books.map((book) => sums(core, book)));
        const { platform } = core.world;
        const booked = platform.charges.values().filter((charge) => charge.balance_transaction !== null);
        const paidIn = sum(booked.map((charge) => charge.amount_captured));
        const refunded = sum(platform.refunds.values().map(paidOut));
        const disputed = -sum(
          platform.disputes
            .values()
            .flatMap(movements)
            .map((txn) => txn.amount),
        );
        const cost = sum(platform.balanceTransactions.values().map((txn) => txn.fee));
        const out = books
          .flatMap((book) => book.payouts.values())
          .filter((payout) => !['failed', 'canceled'].includes(payout.status));
        expect(held).toBe(paidIn - cost - refunded - disputed - sum(out.map((payout) => payout.amount)));
        withinBounds(core);
      }
    }),
    { numRuns: 80 },
  );
}, 120_000);

it('plays the same game twice with the same seed', async () => {
  const game = async () => {
    const core = createStripeCore({ now: 1_795_000_000, seed: 7 });
    const stripe = new Stripe('sk_test_sim', {
      httpClient: createInProcessHttpClient(core),
      maxNetworkRetries: 0,
      telemetry: false,
    });
    await stripe.paymentIntents.create(
      { amount: 49_900, currency: 'sek', payment_method: 'pm_card_visa', confirm: true },
      { idempotencyKey: 'k' },
    );
    core.advance(8 * 86_400);
    return JSON.stringify(core.world.events.values());
  };
  expect(await game()).toBe(await game());
});

it('breaks a connection in process as a timeout, after the effect', async () => {
  const core = createStripeCore();
  const stripe = new Stripe('sk_test_sim', {
    httpClient: createInProcessHttpClient(core),
    maxNetworkRetries: 0,
    telemetry: false,
  });
  core.world.faults.push({
    id: 'f',
    kind: 'timeout_after_success',
    method: 'POST',
    path: '/v1/customers',
    account: null,
    eventType: null,
    times: 1,
    delayMs: 0,
  });
  await expect(stripe.customers.create({}, { idempotencyKey: 'k' })).rejects.toBeInstanceOf(
    Stripe.errors.StripeConnectionError,
  );
  expect((await stripe.customers.list()).data).toHaveLength(1);
  await stripe.customers.create({}, { idempotencyKey: 'k' });
  expect((await stripe.customers.list()).data).toHaveLength(1);
});
