import Stripe from 'stripe';
import { onboardedCoach, refusal, sellProgramme, startBench, startReceiver } from './harness.ts';
import type { Bench } from './harness.ts';

const benches: { close(): Promise<void> }[] = [];
const keep = <T extends { close(): Promise<void> }>(one: T): T => {
  benches.push(one);
  return one;
};
afterEach(async () => {
  for (const one of benches.splice(0)) await one.close();
});

const fast = { retryDelaysMs: [20, 20, 20] };
const settled = (bench: Bench) => bench.control<{ pending: number }>('POST', '/settle', { timeoutMs: 5_000 });

describe('deliveries', () => {
  it("go to the platform's and the Connect endpoint, each signed with its own secret", async () => {
    const platform = keep(await startReceiver());
    const connect = keep(await startReceiver());
    const bench = keep(
      await startBench({
        endpoints: [
          { url: platform.url, secret: 'whsec_platform' },
          { url: connect.url, secret: 'whsec_connect', connect: true },
        ],
      }),
    );
    const coach = await onboardedCoach(bench.stripe);
    const sale = await sellProgramme(bench.stripe, coach);
    await bench.stripe.payouts.create(
      { amount: 40_000, currency: 'sek' },
      { stripeAccount: coach, idempotencyKey: 'po1' },
    );
    expect(await settled(bench)).toEqual({ pending: 0 });
    const verify = (each: { body: string; signature: string }, secret: string) =>
      bench.stripe.webhooks.constructEvent(each.body, each.signature, secret);
    const own = platform.received.map((each) => verify(each, 'whsec_platform'));
    const theirs = connect.received.map((each) => verify(each, 'whsec_connect'));
    expect(() => verify(platform.received[0]!, 'whsec_connect')).toThrow(
      Stripe.errors.StripeSignatureVerificationError,
    );
    expect(own.every((event) => event.account === undefined)).toBe(true);
    expect(theirs.every((event) => event.account === coach)).toBe(true);
    expect(own.map((event) => event.type).sort()).toEqual([
      'application_fee.created',
      'charge.succeeded',
      'payment_intent.created',
      'payment_intent.succeeded',
      'transfer.created',
    ]);
    expect(theirs.map((event) => event.type).sort()).toEqual([
      'account.external_account.created',
      'account.updated',
      'capability.updated',
      'payout.created',
    ]);
    const succeeded = own.find((event) => event.type === 'payment_intent.succeeded');
    expect(succeeded).toMatchObject({
      object: 'event',
      api_version: '2026-10-28.endive',
      livemode: false,
      data: { object: { id: sale.id, status: 'succeeded' } },
    });
    expect(succeeded?.request?.id).toBe(sale.lastResponse.requestId);
    expect(theirs.find((event) => event.type === 'payout.created')?.request?.idempotency_key).toBe('po1');
    expect((await bench.stripe.events.retrieve(succeeded!.id)).pending_webhooks).toBe(0);
    expect((await refusal(bench.stripe.events.retrieve(theirs[0]!.id))).statusCode).toBe(404);
  });

  it("are signed with the real clock, so that a receiver's tolerance holds while the emulator's is ahead", async () => {
    const receiver = keep(await startReceiver());
    const bench = keep(await startBench({ endpoints: [{ url: receiver.url, secret: 'whsec_1' }] }));
    await bench.advance(40 * 86_400);
    await bench.stripe.customers.create({});
    await settled(bench);
    const [one] = receiver.received;
    const event = bench.stripe.webhooks.constructEvent(one!.body, one!.signature, 'whsec_1');
    expect(event.created).toBeGreaterThan(Date.now() / 1000 + 39 * 86_400);
  });

  it('are tried again until they are taken', async () => {
    const receiver = keep(await startReceiver((_, count) => (count < 3 ? 500 : 200)));
    const bench = keep(
      await startBench({
        endpoints: [{ url: receiver.url, secret: 's', enabledEvents: ['customer.created'] }],
        delivery: fast,
      }),
    );
    await bench.stripe.customers.create({});
    await bench.stripe.products.create({ name: 'not told' });
    expect(await settled(bench)).toEqual({ pending: 0 });
    expect(receiver.received).toHaveLength(3);
    expect(new Set(receiver.events().map((event) => event.id)).size).toBe(1);
    const { data } = await bench.control<{ data: object[] }>('GET', '/deliveries');
    expect(data).toMatchObject([{ status: 'succeeded', attempts: 3, eventType: 'customer.created' }]);
  });

  it('are given up after the last retry, and found by delivery_success', async () => {
    let status = 302;
    const receiver = keep(await startReceiver(() => status));
    const bench = keep(await startBench({ endpoints: [{ url: receiver.url, secret: 's' }], delivery: fast }));
    await bench.stripe.customers.create({});
    await settled(bench);
    expect(receiver.received).toHaveLength(4);
    const [lost] = (await bench.stripe.events.list({ delivery_success: false })).data;
    expect(lost).toMatchObject({ type: 'customer.created', pending_webhooks: 1 });
    status = 200;
    await bench.control('POST', '/redeliver', { eventId: lost!.id });
    await settled(bench);
    expect((await bench.stripe.events.list({ delivery_success: false })).data).toEqual([]);
    expect((await bench.stripe.events.list({ delivery_success: true })).data).toHaveLength(1);
  });

  it('are dropped, doubled, delayed and shuffled by faults', async () => {
    const receiver = keep(await startReceiver());
    const bench = keep(
      await startBench({ endpoints: [{ url: receiver.url, secret: 's', enabledEvents: ['customer.created'] }] }),
    );
    const emails = () => receiver.events().map((event) => (event.data.object as Stripe.Customer).email);
    const create = (email: string) => bench.stripe.customers.create({ email });
    await bench.control('POST', '/faults', { kind: 'drop_delivery', eventType: 'customer.*' });
    await create('dropped');
    await bench.control('POST', '/faults', { kind: 'duplicate_delivery', eventType: 'customer.created' });
    await create('doubled');
    await settled(bench);
    expect(emails()).toEqual(['doubled', 'doubled']);
    expect((await bench.stripe.events.list({ delivery_success: false })).data).toHaveLength(1);
    await bench.control('POST', '/faults', { kind: 'delay_delivery', delayMs: 200 });
    await create('late');
    await create('early');
    await settled(bench);
    expect(emails().slice(2)).toEqual(['early', 'late']);
    await bench.control('POST', '/faults', { kind: 'shuffle_deliveries', times: 20, delayMs: 300 });
    const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
    for (const name of names) await create(name);
    await settled(bench);
    expect(emails().slice(4)).not.toEqual(names);
    expect(emails().slice(4).sort()).toEqual([...names].sort());
  });

  it('wait for the test when they are manual', async () => {
    const receiver = keep(await startReceiver());
    const bench = keep(await startBench({ deliveries: 'manual', endpoints: [{ url: receiver.url, secret: 's' }] }));
    const coach = await onboardedCoach(bench.stripe);
    const first = await bench.stripe.customers.create({});
    expect(await settled(bench)).toEqual({ pending: 0 });
    expect(receiver.received).toEqual([]);
    const { data } = await bench.control<{ data: Stripe.Event[] }>('GET', '/events');
    expect(data.map((event) => [event.type, event.account])).toEqual([
      ['account.external_account.created', coach],
      ['capability.updated', coach],
      ['account.updated', coach],
      ['customer.created', undefined],
    ]);
    await bench.stripe.customers.update(first.id, { name: 'N' });
    const after = await bench.control<{ data: Stripe.Event[] }>(
      'GET',
      `/events?after=${data.at(-1)!.id}&type=customer`,
    );
    expect(after.data.map((event) => event.type)).toEqual(['customer.updated']);
    await bench.control('POST', '/switches', { deliveries: 'automatic' });
    await bench.stripe.customers.create({});
    await settled(bench);
    expect(receiver.events().map((event) => event.type)).toEqual(['customer.created']);
  });
});

describe("webhook endpoints by Stripe's own API", () => {
  it('are made with a secret, listed without, and deleted', async () => {
    const receiver = keep(await startReceiver());
    const bench = keep(await startBench());
    const { stripe } = bench;
    const made = await stripe.webhookEndpoints.create({
      url: receiver.url,
      enabled_events: ['customer.created'],
      api_version: '2026-10-28.endive',
    });
    expect(made.secret).toMatch(/^whsec_/);
    expect((await stripe.webhookEndpoints.list()).data[0]).not.toHaveProperty('secret');
    await stripe.customers.create({});
    await settled(bench);
    expect(
      stripe.webhooks.constructEvent(receiver.received[0]!.body, receiver.received[0]!.signature, made.secret!).type,
    ).toBe('customer.created');
    expect(await stripe.webhookEndpoints.del(made.id)).toMatchObject({ id: made.id, deleted: true });
    await stripe.customers.create({});
    await settled(bench);
    expect(receiver.received).toHaveLength(1);
    expect((await refusal(stripe.webhookEndpoints.retrieve(made.id))).statusCode).toBe(404);
  });
});
