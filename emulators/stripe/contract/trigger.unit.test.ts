/** Events by name: each is what comes of real objects, made through the API. */
import { triggers } from '../resources/trigger.ts';
import { startBench, startReceiver } from './harness.ts';
import type { Bench } from './harness.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await startBench({ switches: { debitsInSek: true } });
});
afterEach(() => bench.close());

interface Triggered {
  events: { id: string; type: string; account: string | null }[];
}

it.each(Object.keys(triggers))('%s', async (type) => {
  const { events } = await bench.control<Triggered>('POST', '/trigger', { type });
  const found = events.find((event) => event.type === type);
  expect(found).toBeDefined();
  // An account that took its access away is not to be asked any more.
  if (type === 'account.application.deauthorized') return;
  const options = found?.account ? { stripeAccount: found.account } : {};
  expect((await bench.stripe.events.retrieve(found!.id, {}, options)).type).toBe(type);
});

it('takes what is wanted otherwise, and delivers', async () => {
  const receiver = await startReceiver();
  await bench.control('POST', '/webhook_endpoints', { url: receiver.url, secret: 'whsec_1' });
  await bench.control('POST', '/trigger', {
    type: 'payment_intent.succeeded',
    amount: 9_900,
    metadata: { orderId: 'o1' },
  });
  await bench.control('POST', '/settle');
  const events = receiver.events().filter((each) => each.type === 'payment_intent.succeeded');
  expect(events.map((event) => event.data.object)).toMatchObject([{ amount: 9_900, metadata: { orderId: 'o1' } }]);
  await receiver.close();
});

it('says which there are, and why one cannot be', async () => {
  await expect(bench.control('POST', '/trigger', { type: 'bogus.event' })).rejects.toThrow('payment_intent.succeeded');
  await expect(bench.control('POST', '/trigger', { type: 'payment_intent.succeeded', bogus: 1 })).rejects.toThrow(
    'Received unknown parameter: bogus',
  );
  const wrong = bench.control('POST', '/trigger', {
    type: 'charge.succeeded',
    payment_method: 'pm_card_chargeDeclined',
  });
  await expect(wrong).rejects.toThrow('Your card was declined.');
});
