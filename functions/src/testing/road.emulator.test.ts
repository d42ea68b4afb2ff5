import { addDays, stockholm } from '../../../scripts/story/calendar.ts';
import { trialBalance } from '../ledger/ledger.ts';
import { openRoad, type Road } from './road.ts';

/** The road through the exported functions, and the failures that pay people twice elsewhere. */
let road: Road;

beforeEach(async () => {
  road = await openRoad();
}, 60_000);

afterEach(() => road.harness.close());

it('sells, pays and books once, and proves it', async () => {
  const { harness, monday } = road;
  await road.sell();
  await road.schedulePayouts();
  await harness.settle();
  await road.arrive();
  await road.syncAccounting();
  await harness.settle();
  await road.expectPaidOnce();
  await road.expectBooked();
  await harness.fire('reconcile', stockholm(addDays(monday, 4), 5));
  await harness.settle();
  expect((await harness.db.doc(`reconciliations/${addDays(monday, 4)}`).get()).data()).toMatchObject({ ok: true });
  expect(await road.openFlags()).toEqual([]);
}, 60_000);

it('everything five times at once is everything once', async () => {
  const { harness, tokens } = road;
  const five = (run: () => Promise<unknown>) => Promise.all(Array.from({ length: 5 }, run));
  const input = { productId: 'programme', requestId: 'programme-1', paymentMethodId: 'pm_card_bypassPending' };
  await five(() => harness.call('processPayment', input, tokens.customer));
  await road.sell();
  await five(road.schedulePayouts);
  await harness.settle();
  await road.arrive();
  await five(road.schedulePayouts);
  await five(road.syncAccounting);
  await harness.settle();
  await five(road.syncAccounting);
  await harness.settle();
  await road.expectPaidOnce();
  await road.expectBooked();
}, 120_000);

it('Stripe pays and the answer is lost, again and again: unknown, asked, paid once', async () => {
  const { harness } = road;
  await road.sell();
  // Often: the SDK itself asks again and again under the same key.
  await road.fault('stripe', { kind: 'timeout_after_success', method: 'POST', path: '/v1/payouts', times: 50 });
  // And no event comes to tell.
  await harness.control('stripe', 'switches', { deliveries: 'manual' });
  await road.schedulePayouts();
  await harness.settle();
  expect((await road.payouts()).map(({ status }) => status)).toEqual(['unknown']);
  await road.schedulePayouts();
  await harness.settle();
  expect(await road.atStripe()).toHaveLength(1);
  await road.clearFaults();
  await road.sweep(6);
  expect((await road.payouts()).map(({ status }) => status)).toEqual(['pending']);
  await harness.control('stripe', 'switches', { deliveries: 'automatic' });
  await road.arrive();
  await road.expectPaidOnce();
}, 60_000);

it('a payout that fails after it was paid is owed again, and the coach and a person hear of it', async () => {
  const { harness, monday } = road;
  const erik = { uid: 'coach-erik', email: 'erik@example.se', name: 'Erik Coach', claims: { coach: true } };
  // Stripe's test IBAN whose payouts come back: no_account.
  await harness.onboard(erik, await harness.login(erik), 'SE0850000000054910000004');
  await harness.db.doc('products/programme').update({ coachId: erik.uid });
  await road.sell();
  await road.schedulePayouts();
  await harness.settle();
  await harness.control('stripe', 'clock', { now: Math.floor(stockholm(addDays(monday, 9), 8).getTime() / 1000) });
  await harness.settle();
  expect((await road.payouts()).map(({ status }) => status)).toEqual(['failed']);
  expect(trialBalance(await road.ledger())).toMatchObject({ coach_payable: -40_000, stripe_connected: 40_000 });
  expect((await harness.db.collection('mail').get()).size).toBe(1);
  expect(await road.openFlags()).toEqual([expect.stringContaining('payout')]);
}, 60_000);
