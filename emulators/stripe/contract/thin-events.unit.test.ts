import Stripe from 'stripe';
import { thinId } from '../core/thin.ts';
import { triggers } from '../resources/trigger.ts';
import { DAY, client, onboardedCoach, refusal, sellProgramme, startBench, startReceiver } from './harness.ts';
import type { Bench } from './harness.ts';

type Receiver = Awaited<ReturnType<typeof startReceiver>>;
let bench: Bench;
let stripe: Stripe;
let receiver: Receiver;
beforeEach(async () => {
  bench = await startBench();
  stripe = bench.stripe;
  receiver = await startReceiver();
});
afterEach(async () => {
  await bench.close();
  await receiver.close();
});

const create = (more: Partial<Stripe.V2.Core.EventDestinationCreateParams> = {}) =>
  stripe.v2.core.eventDestinations.create({
    name: 'thin',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: ['v1.payout.failed', 'v1.balance.available', 'v1.account.external_account.updated'],
    events_from: ['@accounts'],
    webhook_endpoint: { url: receiver.url },
    include: ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'],
    ...more,
  });

/** Types that the SDK gives no related object, and those whose object has no page of its own. */
const WITHOUT_OBJECT = [
  'account.external_account.created',
  'account.external_account.updated',
  'billing_portal.session.created',
  'customer.discount.created',
  'invoice.upcoming',
];

/** A coach whose payout has come back. */
async function failedPayout() {
  const coach = await onboardedCoach(stripe, 'SE0850000000054910000004');
  await sellProgramme(stripe, coach);
  const payout = await stripe.payouts.create({ amount: 40_000, currency: 'sek' }, { stripeAccount: coach });
  await bench.advance(8 * DAY);
  await bench.control('POST', '/settle');
  return { coach, payout };
}

describe('thin events', () => {
  it('name what they are about, are signed, and lead to it on its account', async () => {
    const destination = await create();
    const secret = destination.webhook_endpoint!.signing_secret!;
    const { coach, payout } = await failedPayout();
    const found = receiver.received
      .map(({ body, signature }) => stripe.parseEventNotification(body, signature, secret))
      .find((each) => each.type === 'v1.payout.failed');
    if (found?.type !== 'v1.payout.failed') throw new Error('There is no v1.payout.failed.');
    expect(found).toMatchObject({
      object: 'v2.core.event',
      livemode: false,
      related_object: { id: payout.id, type: 'payout', url: `/v1/payouts/${payout.id}` },
    });
    expect(found.context?.toString()).toBe(coach);
    expect(new Date(found.created).getTime()).toBeGreaterThan(Date.now());
    expect(JSON.stringify(receiver.received.map((each) => each.body))).not.toContain('failure_code');
    expect(await found.fetchRelatedObject()).toMatchObject({
      id: payout.id,
      status: 'failed',
      failure_code: 'no_account',
    });
    const event = await found.fetchEvent();
    expect(event).toMatchObject({ id: found.id, type: 'v1.payout.failed', context: coach });
    const twin = await stripe.events.retrieve(event.snapshot_event!, {}, { stripeAccount: coach });
    expect(twin).toMatchObject({ type: 'payout.failed', data: { object: { id: payout.id } } });
    const { body, signature } = receiver.received[0]!;
    expect(() => stripe.webhooks.constructEvent(body, signature, secret)).toThrow('thin event');
    expect(() => stripe.parseEventNotification(body, signature, 'whsec_other')).toThrow('signature');
  });

  it('are about an object without an id, or about none', async () => {
    const destination = await create();
    const secret = destination.webhook_endpoint!.signing_secret!;
    const { coach } = await failedPayout();
    await sellProgramme(stripe, coach, 'pm_card_visa');
    await bench.advance(7 * DAY);
    await bench.control('POST', '/settle');
    const notes = receiver.received.map((each) => stripe.parseEventNotification(each.body, each.signature, secret));
    const balance = notes.find((each) => each.type === 'v1.balance.available');
    if (balance?.type !== 'v1.balance.available') throw new Error('There is no v1.balance.available.');
    expect(balance.related_object).toEqual({ type: 'balance', url: '/v1/balance' });
    expect((await balance.fetchRelatedObject()).available[0]?.amount).toBe(80_000);
    const bank = notes.find((each) => each.type === 'v1.account.external_account.updated');
    expect(bank).toBeDefined();
    expect(bank).not.toHaveProperty('related_object');
  });

  it('are listed and found, with pages, by type and by object', async () => {
    const { coach, payout } = await failedPayout();
    const on = { stripeContext: coach };
    const all = await stripe.v2.core.events.list({ object_id: payout.id, limit: 2 }, on);
    expect(all.data.map((each) => each.type)).toEqual(['v1.payout.failed', 'v1.payout.paid']);
    expect(all.next_page_url).toContain('/v2/core/events?');
    const every = await stripe.v2.core.events
      .list({ object_id: payout.id, limit: 2 }, on)
      .autoPagingToArray({ limit: 100 });
    expect(every.map((each) => each.type)).toEqual([
      'v1.payout.failed',
      'v1.payout.paid',
      'v1.payout.updated',
      'v1.payout.created',
    ]);
    const since = Math.floor(Date.parse(all.data[0]!.created) / 1000);
    const late = await stripe.v2.core.events.list({ types: ['v1.payout.failed'], created: { gte: since } }, on);
    expect(late.data).toHaveLength(1);
    expect((await stripe.v2.core.events.list({ types: ['v1.payout.failed'] })).data).toEqual([]);
    expect((await refusal(stripe.v2.core.events.retrieve(all.data[0]!.id))).statusCode).toBe(404);
    // The SDK itself refuses both headers; the emulator does so for whoever else sends them.
    const both = await fetch(`${bench.emulator.url}/v1/balance`, {
      headers: { authorization: 'Bearer sk_test_contract', 'stripe-account': coach, 'stripe-context': coach },
    });
    expect(both.status).toBe(400);
  });
});

it.each(Object.keys(triggers).filter((type) => !/deleted$|deauthorized$/.test(type)))(
  '%s has a thin twin that leads to its object',
  async (type) => {
    await bench.control('POST', '/switches', { debitsInSek: true });
    const { events } = await bench.control<{ events: { id: string; type: string; account: string | null }[] }>(
      'POST',
      '/trigger',
      { type },
    );
    const made = events.find((event) => event.type === type)!;
    const on = made.account === null ? {} : { stripeContext: made.account };
    const thin = await stripe.v2.core.events.retrieve(thinId(made.id), {}, on);
    expect(thin).toMatchObject({ type: `v1.${type}`, snapshot_event: made.id });
    const related = 'related_object' in thin ? thin.related_object : null;
    if (related) {
      const found: unknown = await stripe.rawRequest('GET', related.url, undefined, on);
      expect(found).toMatchObject({ object: related.type, ...('id' in related ? { id: related.id } : {}) });
    } else expect(WITHOUT_OBJECT).toContain(type);
  },
);

describe('event destinations', () => {
  it('are made, shown, changed, disabled and deleted', async () => {
    const made = await create({ metadata: { room: 'payouts' }, description: 'Payouts' });
    expect(made).toMatchObject({ status: 'enabled', webhook_endpoint: { url: receiver.url } });
    expect(made.webhook_endpoint?.signing_secret).toMatch(/^whsec_/);
    const plain = await stripe.v2.core.eventDestinations.retrieve(made.id);
    expect(plain.webhook_endpoint).toBeUndefined();
    const changed = await stripe.v2.core.eventDestinations.update(made.id, {
      name: 'other',
      enabled_events: ['v1.payout.paid'],
      metadata: { room: '' },
    });
    expect(changed).toMatchObject({ name: 'other', enabled_events: ['v1.payout.paid'], metadata: {} });
    await stripe.v2.core.eventDestinations.disable(made.id);
    const { coach } = await failedPayout();
    expect(receiver.received).toEqual([]);
    await stripe.v2.core.eventDestinations.enable(made.id);
    await bench.control('POST', `/accounts/${coach}`, { payout_failure_code: null });
    await stripe.payouts.create({ amount: 40_000, currency: 'sek' }, { stripeAccount: coach });
    await bench.advance(7 * DAY);
    await bench.control('POST', '/settle');
    expect(receiver.received).toHaveLength(1);
    const { data } = await stripe.v2.core.eventDestinations.list({ include: ['webhook_endpoint.url'] });
    expect(data).toMatchObject([{ id: made.id, webhook_endpoint: { url: receiver.url } }]);
    await bench.control('POST', '/reset');
    expect(await stripe.v2.core.eventDestinations.del(made.id)).toMatchObject({ id: made.id });
    expect((await refusal(stripe.v2.core.eventDestinations.retrieve(made.id))).statusCode).toBe(404);
  });

  it('are pinged', async () => {
    const destination = await create();
    const ping = await stripe.v2.core.eventDestinations.ping(destination.id);
    await bench.control('POST', '/settle');
    const { body, signature } = receiver.received[0]!;
    const note = stripe.parseEventNotification(body, signature, destination.webhook_endpoint!.signing_secret!);
    if (note.type !== 'v2.core.event_destination.ping') throw new Error(note.type);
    expect(note.id).toBe(ping.id);
    expect((await note.fetchRelatedObject()).id).toBe(destination.id);
    expect((await stripe.v2.core.events.retrieve(ping.id)).type).toBe('v2.core.event_destination.ping');
  });

  it('take snapshots too, of the platform and of its accounts in one', async () => {
    const both = await create({
      event_payload: 'snapshot',
      snapshot_api_version: Stripe.API_VERSION,
      enabled_events: ['payment_intent.succeeded', 'payout.created'],
      events_from: ['@self', '@accounts'],
    });
    const { coach } = await failedPayout();
    const events = receiver.received.map((each) =>
      stripe.webhooks.constructEvent(each.body, each.signature, both.webhook_endpoint!.signing_secret!),
    );
    const seen = events.map((event) => [event.type, event.account]).sort();
    expect(seen).toEqual([
      ['payment_intent.succeeded', undefined],
      ['payout.created', coach],
    ]);
  });

  it('give the same answer for the same key for thirty days, and try again what failed', async () => {
    const key = { idempotencyKey: 'destination' };
    const params: Stripe.V2.Core.EventDestinationCreateParams = {
      name: 'kept',
      type: 'webhook_endpoint',
      event_payload: 'thin',
      enabled_events: ['v1.payout.failed'],
      webhook_endpoint: { url: receiver.url },
    };
    const first = await stripe.v2.core.eventDestinations.create(params, key);
    await bench.advance(29 * DAY);
    expect((await stripe.v2.core.eventDestinations.create(params, key)).id).toBe(first.id);
    const other = await refusal(stripe.v2.core.eventDestinations.create({ ...params, name: 'other' }, key));
    expect(other).toBeInstanceOf(Stripe.errors.StripeIdempotencyError);
    await bench.advance(DAY);
    expect((await stripe.v2.core.eventDestinations.create(params, key)).id).not.toBe(first.id);
    await stripe.v2.core.eventDestinations.disable(first.id);
    const ping = { idempotencyKey: 'ping' };
    expect((await refusal(stripe.v2.core.eventDestinations.ping(first.id, {}, ping))).message).toContain('disabled');
    await stripe.v2.core.eventDestinations.enable(first.id);
    expect((await stripe.v2.core.eventDestinations.ping(first.id, {}, ping)).type).toContain('ping');
  });

  it('are refused by name', async () => {
    expect((await refusal(create({ enabled_events: ['payout.failed'] }))).message).toContain('begin with v1.');
    expect((await refusal(create({ enabled_events: ['*'] }))).message).toContain('one by one');
    expect((await refusal(create({ event_payload: 'snapshot', enabled_events: ['*'] }))).param).toBe(
      'snapshot_api_version',
    );
    expect((await refusal(create({ events_from: ['@everyone'] }))).param).toBe('events_from');
    expect((await refusal(create({ webhook_endpoint: { url: 'nowhere' } }))).message).toContain('Invalid URL');
    expect((await refusal(create({ type: 'amazon_eventbridge' }))).message).toContain('webhook_endpoint');
    const bogus = { bogus: 'x' } as Partial<Stripe.V2.Core.EventDestinationCreateParams>;
    expect((await refusal(create(bogus))).message).toContain('bogus');
    const url = `${bench.emulator.url}/v2/core/event_destinations`;
    const raw = (body: string) =>
      fetch(url, { method: 'POST', body, headers: { authorization: 'Bearer sk_test_contract' } });
    for (const body of ['name=thin', '[]', '"text"', '{"name": 1}']) expect((await raw(body)).status).toBe(400);
    await bench.control('POST', '/faults', { kind: 'rate_limit', path: '/v2/' });
    expect(await refusal(create())).toBeInstanceOf(Stripe.errors.RateLimitError);
    expect((await refusal(client(bench.emulator.port, 'pk_test_x').v2.core.events.list())).statusCode).toBe(401);
  });
});

it('may have a secret of choice, through the control API', async () => {
  const order = { url: receiver.url, secret: 'whsec_chosen', connect: true, thin: true };
  await expect(bench.control('POST', '/webhook_endpoints', order)).rejects.toThrow('one by one');
  await bench.control('POST', '/webhook_endpoints', { ...order, enabledEvents: ['v1.payout.failed'] });
  await bench.control('POST', '/trigger', { type: 'payout.failed' });
  await bench.control('POST', '/settle');
  const { body, signature } = receiver.received[0]!;
  expect(stripe.parseEventNotification(body, signature, 'whsec_chosen').type).toBe('v1.payout.failed');
});

describe('what no endpoint has taken', () => {
  it('is listed by account', async () => {
    const refusing = await startReceiver(() => 500);
    await stripe.webhookEndpoints.create({ url: refusing.url, enabled_events: ['payout.created'], connect: true });
    const coach = await onboardedCoach(stripe);
    const other = await onboardedCoach(stripe);
    for (const id of [coach, other]) await sellProgramme(stripe, id);
    await stripe.payouts.create({ amount: 40_000, currency: 'sek' }, { stripeAccount: coach });
    const left = (account: string) => stripe.events.list({ delivery_success: false }, { stripeAccount: account });
    expect((await left(coach)).data.map((each) => each.type)).toEqual(['payout.created']);
    expect((await left(other)).data).toEqual([]);
    expect((await stripe.events.list({ delivery_success: false })).data).toEqual([]);
    await refusing.close();
  });
});
