import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import type { ContractCase } from './case.ts';

/** Everything here happens in test mode and moves no money. */
export interface StripeTarget {
  stripe: Stripe;
}

const pay = (stripe: Stripe, card: string, idempotencyKey: string = randomUUID(), amount = 49_900) =>
  stripe.paymentIntents.create(
    {
      amount,
      currency: 'sek',
      confirm: true,
      payment_method: card,
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      metadata: { contract: 'inner-journey' },
      expand: ['latest_charge'],
    },
    { idempotencyKey },
  );

interface Shape {
  type?: unknown;
  rawType?: unknown;
  code?: unknown;
  decline_code?: unknown;
  statusCode?: unknown;
}

async function refusal(asked: Promise<unknown>): Promise<Shape> {
  try {
    await asked;
  } catch (error) {
    if (typeof error === 'object' && error !== null) return error;
  }
  return assert.fail('Stripe did what it should have refused');
}

async function paid(stripe: Stripe): Promise<{ intent: Stripe.PaymentIntent; charge: Stripe.Charge }> {
  const intent = await pay(stripe, 'pm_card_visa');
  assert.equal(intent.status, 'succeeded');
  const charge = intent.latest_charge;
  assert.ok(typeof charge === 'object' && charge !== null, 'the charge is expanded');
  return { intent, charge };
}

export const stripeCases: readonly ContractCase<StripeTarget>[] = [
  {
    name: 'a card that works is charged whole, with Stripe’s test fees in its balance transaction',
    async run({ stripe }) {
      const { charge } = await paid(stripe);
      assert.equal(charge.amount, 49_900);
      assert.equal(charge.livemode, false);
      const id = typeof charge.balance_transaction === 'string' ? charge.balance_transaction : undefined;
      // It may come a moment later; that it then adds up is what matters.
      if (id === undefined) return;
      const { amount, fee, net } = await stripe.balanceTransactions.retrieve(id);
      assert.equal(net, amount - fee);
    },
  },
  {
    name: 'a card that is declined is a 402 card_declined',
    async run({ stripe }) {
      const error = await refusal(pay(stripe, 'pm_card_visa_chargeDeclined'));
      assert.equal(error.statusCode, 402);
      assert.equal(error.code, 'card_declined');
    },
  },
  {
    name: 'the same idempotency key gives the first answer again, and another body under it is refused',
    async run({ stripe }) {
      const key = randomUUID();
      const first = await pay(stripe, 'pm_card_visa', key);
      assert.equal((await pay(stripe, 'pm_card_visa', key)).id, first.id);
      const error = await refusal(pay(stripe, 'pm_card_visa', key, 50_000));
      assert.equal(error.statusCode, 400);
      assert.equal(error.rawType, 'idempotency_error');
    },
  },
  {
    name: 'a parameter that Stripe does not know is a 400 parameter_unknown',
    async run({ stripe }) {
      const asked = stripe.rawRequest('POST', '/v1/payment_intents', { amount: 100, currency: 'sek', nonsense: '1' });
      const error = await refusal(asked);
      assert.equal(error.statusCode, 400);
      assert.equal(error.code, 'parameter_unknown');
    },
  },
  {
    name: 'an object that is not there is a 404 resource_missing',
    async run({ stripe }) {
      const error = await refusal(stripe.paymentIntents.retrieve('pi_nothing'));
      assert.equal(error.statusCode, 404);
      assert.equal(error.code, 'resource_missing');
    },
  },
  {
    name: 'a refund gives everything back once',
    async run({ stripe }) {
      const { intent } = await paid(stripe);
      const refund = await stripe.refunds.create({ payment_intent: intent.id });
      assert.ok(refund.status === 'succeeded' || refund.status === 'pending');
      assert.equal(refund.amount, 49_900);
      const error = await refusal(stripe.refunds.create({ payment_intent: intent.id }));
      assert.equal(error.code, 'charge_already_refunded');
    },
  },
  {
    name: 'lists are paged, newest first, and iterated past a page',
    async run({ stripe }) {
      await paid(stripe);
      await paid(stripe);
      const page = await stripe.paymentIntents.list({ limit: 1 });
      assert.equal(page.data.length, 1);
      assert.equal(page.has_more, true);
      const seen: Stripe.PaymentIntent[] = [];
      for await (const one of stripe.paymentIntents.list({ limit: 1 })) {
        seen.push(one);
        if (seen.length === 2) break;
      }
      const [newer, older] = seen;
      assert.ok(newer && older && newer.id !== older.id && newer.created >= older.created);
    },
  },
  {
    name: 'what happened is in the list of events, whole',
    async run({ stripe }) {
      const { intent } = await paid(stripe);
      for (let attempt = 0; attempt < 20; attempt += 1) {
        const { data } = await stripe.events.list({ type: 'payment_intent.succeeded', limit: 20 });
        const event = data.find(({ data: { object } }) => 'id' in object && object.id === intent.id);
        if (event) {
          assert.equal(event.livemode, false);
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
      assert.fail('no payment_intent.succeeded within 10 seconds');
    },
  },
];
