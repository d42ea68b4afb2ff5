import { addDays, nextMonday, stockholm } from '../../../scripts/story/calendar.ts';
import { anna, karin, lisa } from '../../../scripts/story/people.ts';
import type { Voucher } from '../accounting/accounting.ts';
import { trialBalance, type LedgerDocument } from '../ledger/ledger.ts';
import type { Payout } from '../payouts/payouts.ts';
import { startHarness, type Harness } from './harness.ts';

/** The road through the exported functions, with the faults that pay people twice elsewhere. */
let harness: Harness;
let tokens: { coach: string; customer: string; admin: string };
let account: string;
let monday: string;

beforeEach(async () => {
  harness = await startHarness();
  tokens = { coach: await harness.login(karin), customer: await harness.login(lisa), admin: await harness.login(anna) };
  account = await harness.onboard(karin, tokens.coach);
  const product = { currency: 'SEK', vatRate: 25, active: true };
  await harness.db
    .doc('products/programme')
    .set({ ...product, name: 'Programme', kind: 'programme', amountMinor: 49_900, coachId: karin.uid });
  await harness.db
    .doc('products/premium')
    .set({ ...product, name: 'Premium', kind: 'subscription', amountMinor: 9_900, interval: 'month' });
  monday = nextMonday(new Date());
  await harness.control('stripe', 'clock', { now: Math.floor(stockholm(monday, 7).getTime() / 1000) });
}, 60_000);

afterEach(() => harness.close());

async function sell(): Promise<void> {
  const card = { paymentMethodId: 'pm_card_bypassPending' };
  await harness.call('processPayment', { productId: 'programme', requestId: 'programme-1', ...card }, tokens.customer);
  await harness.call('createSubscription', { productId: 'premium', requestId: 'premium-1', ...card }, tokens.customer);
  await harness.settle();
}

const schedulePayouts = () => harness.fire('schedulePayouts', stockholm(monday, 8));
const syncAccounting = () => harness.fire('syncAccounting', stockholm(addDays(monday, 4), 2));
const sweep = (after: number) => harness.fire('sweep', new Date(stockholm(monday, 8).getTime() + after * 60_000));

async function arrive(): Promise<void> {
  await harness.control('stripe', 'clock', { now: Math.floor(stockholm(addDays(monday, 3), 8).getTime() / 1000) });
  await harness.settle();
}

const payouts = async () => (await harness.db.collection('payouts').get()).docs.map((doc) => doc.data() as Payout);
const vouchers = async () => (await harness.db.collection('vouchers').get()).docs.map((doc) => doc.data() as Voucher);
const ledger = async () =>
  (await harness.db.collection('ledger').get()).docs.map((doc) => doc.data() as LedgerDocument);
const openFlags = async () =>
  (await harness.db.collection('flags').where('status', '==', 'open').get()).docs.map((doc) => doc.id);
const atStripe = async () => (await harness.stripe.payouts.list({}, { stripeAccount: account })).data;
const fault = (which: 'stripe' | 'fortnox', order: object) => harness.control(which, 'faults', order);
const clearFaults = (which: 'stripe' | 'fortnox') =>
  fetch(`${which === 'stripe' ? harness.stripeUrl : harness.fortnoxUrl}/_emulator/faults`, { method: 'DELETE' });
const books = () => harness.control<Record<string, number>>('fortnox', 'trial-balance');

const expectedBooks = { 1686: 18_542, 3001: -49_900, 3921: -9_900, 5090: 40_000, 6570: 1_258 };

async function expectPaidOnce(): Promise<void> {
  expect(await atStripe()).toEqual([expect.objectContaining({ amount: 40_000, status: 'paid' })]);
  expect(await payouts()).toEqual([expect.objectContaining({ amountMinor: 40_000, status: 'completed' })]);
  const balance = await harness.stripe.balance.retrieve({}, { stripeAccount: account });
  expect([...balance.available, ...balance.pending].reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
  expect(trialBalance(await ledger())).toMatchObject({
    coach_payable: 0,
    stripe_connected: 0,
    stripe_platform: 18_542,
  });
}

async function expectBooked(): Promise<void> {
  const all = await vouchers();
  expect(all.map(({ state }) => state)).toEqual(Array(5).fill('posted'));
  expect(new Set(all.map(({ fortnoxReference }) => fortnoxReference)).size).toBe(5);
  expect(await books()).toEqual(expectedBooks);
  expect((await payouts())[0]?.fortnoxReference).toMatch(/^S \d+ \(2026\)$/);
}

it('sells, pays and books once, and proves it', async () => {
  await sell();
  await schedulePayouts();
  await harness.settle();
  await arrive();
  await syncAccounting();
  await harness.settle();
  await expectPaidOnce();
  await expectBooked();
  await harness.fire('reconcile', stockholm(addDays(monday, 4), 5));
  expect((await harness.db.doc(`reconciliations/${addDays(monday, 4)}`).get()).data()).toMatchObject({ ok: true });
  expect(await openFlags()).toEqual([]);
}, 60_000);

it('everything five times at once is everything once', async () => {
  const five = (run: () => Promise<unknown>) => Promise.all(Array.from({ length: 5 }, run));
  const card = { paymentMethodId: 'pm_card_bypassPending' };
  await five(() =>
    harness.call('processPayment', { productId: 'programme', requestId: 'programme-1', ...card }, tokens.customer),
  );
  await harness.call('createSubscription', { productId: 'premium', requestId: 'premium-1', ...card }, tokens.customer);
  await harness.settle();
  await five(schedulePayouts);
  await harness.settle();
  await arrive();
  await five(schedulePayouts);
  await five(syncAccounting);
  await harness.settle();
  await five(syncAccounting);
  await harness.settle();
  await expectPaidOnce();
  await expectBooked();
}, 120_000);

it('Stripe pays and the answer is lost, again and again: unknown, asked, paid once', async () => {
  await sell();
  // Often: the SDK itself asks again and again under the same key.
  await fault('stripe', { kind: 'timeout_after_success', method: 'POST', path: '/v1/payouts', times: 50 });
  // And no event comes to tell.
  await harness.control('stripe', 'switches', { deliveries: 'manual' });
  await schedulePayouts();
  await harness.settle();
  expect((await payouts()).map(({ status }) => status)).toEqual(['unknown']);
  await schedulePayouts();
  await harness.settle();
  expect(await atStripe()).toHaveLength(1);
  await clearFaults('stripe');
  await sweep(6);
  expect((await payouts()).map(({ status }) => status)).toEqual(['pending']);
  await harness.control('stripe', 'switches', { deliveries: 'automatic' });
  await harness.settle();
  await arrive();
  await expectPaidOnce();
}, 60_000);

it('Stripe answers 500 after the effect: its replay is not taken for a refusal', async () => {
  await sell();
  await fault('stripe', { kind: 'error_500_after', method: 'POST', path: '/v1/payouts', times: 1 });
  await schedulePayouts();
  await harness.settle();
  for (const minutes of [6, 70, 26 * 60]) await sweep(minutes);
  await harness.settle();
  await arrive();
  await expectPaidOnce();
}, 60_000);

it('Fortnox commits and drops the line: the voucher is found, not posted again', async () => {
  await sell();
  await schedulePayouts();
  await harness.settle();
  await arrive();
  await fault('fortnox', { kind: 'commit_then_drop', method: 'POST', path: '/3/vouchers', times: 2 });
  await syncAccounting();
  await harness.settle().catch(() => undefined);
  for (let minutes = 5; minutes <= 30; minutes += 5) {
    await harness.fire('sweep', new Date(stockholm(addDays(monday, 4), 2).getTime() + minutes * 60_000));
    await harness.settle();
  }
  await expectPaidOnce();
  await expectBooked();
}, 90_000);

it('deliveries dropped, doubled, late and shuffled end the same', async () => {
  for (const kind of ['duplicate_delivery', 'shuffle_deliveries', 'delay_delivery'])
    await fault('stripe', { kind, times: 8, delayMs: 50 });
  await sell();
  await schedulePayouts();
  await harness.settle();
  await fault('stripe', { kind: 'drop_delivery', times: 50, eventType: 'payout.paid' });
  await arrive();
  await sweep(3 * 24 * 60);
  await harness.settle();
  await expectPaidOnce();
}, 90_000);

it('a payout that fails after it was paid is owed again, and the coach and a person hear of it', async () => {
  const erik = { uid: 'coach-erik', email: 'erik@example.se', name: 'Erik Coach', claims: { coach: true } };
  // Stripe's test IBAN whose payouts come back: no_account.
  await harness.onboard(erik, await harness.login(erik), 'SE0850000000054910000004');
  await harness.db.doc('products/programme').update({ coachId: erik.uid });
  await sell();
  await schedulePayouts();
  await harness.settle();
  await harness.control('stripe', 'clock', { now: Math.floor(stockholm(addDays(monday, 9), 8).getTime() / 1000) });
  await harness.settle();
  expect((await payouts()).map(({ status }) => status)).toEqual(['failed']);
  expect(trialBalance(await ledger())).toMatchObject({ coach_payable: -40_000, stripe_connected: 40_000 });
  expect((await harness.db.collection('mail').get()).size).toBe(1);
  expect(await openFlags()).toEqual([expect.stringContaining('payout')]);
}, 60_000);
