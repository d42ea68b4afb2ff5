import { addDays, nextMonday, stockholm } from '../../../scripts/story/calendar.ts';
import { anna, karin, lisa } from '../../../scripts/story/people.ts';
import type { Voucher } from '../accounting/accounting.ts';
import { trialBalance, type LedgerDocument } from '../ledger/ledger.ts';
import type { Payout } from '../payouts/payouts.ts';
import { startHarness, type Harness } from './harness.ts';

/** The story's road for tests: one coach, one programme, one subscription, one Monday, through the exported functions. */
export interface Road {
  harness: Harness;
  account: string;
  tokens: { coach: string; customer: string; admin: string };
  monday: string;
  /** Buys the programme and the subscription, as a client does that asks again while the outcome is unclear. */
  sell(): Promise<void>;
  schedulePayouts(): Promise<void>;
  /** Moves Stripe's clock until the payout has reached the bank. */
  arrive(): Promise<void>;
  syncAccounting(): Promise<void>;
  /** Fires the sweep so many minutes after Monday's run. */
  sweep(minutes: number): Promise<void>;
  fault(which: 'stripe' | 'fortnox', order: object): Promise<void>;
  clearFaults(): Promise<void>;
  payouts(): Promise<Payout[]>;
  ledger(): Promise<LedgerDocument[]>;
  openFlags(): Promise<string[]>;
  atStripe(): Promise<{ amount: number; status: string }[]>;
  expectPaidOnce(): Promise<void>;
  expectBooked(): Promise<void>;
}

const card = { paymentMethodId: 'pm_card_bypassPending' };

/** Öre by account: the design's trial balance. */
const expectedBooks = { 1686: 18_542, 3001: -49_900, 3921: -9_900, 5090: 40_000, 6570: 1_258 };

/** What a client asks again, with the same requestId. */
const unclear = ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'INTERNAL', 'ABORTED'];

async function askUntilClear(ask: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await ask();
      return;
    } catch (error) {
      const status = error instanceof Error && 'status' in error ? String(error.status) : '';
      if (!unclear.includes(status) || attempt >= 8) throw error;
    }
  }
}

export async function openRoad(): Promise<Road> {
  const harness = await startHarness();
  const tokens = {
    coach: await harness.login(karin),
    customer: await harness.login(lisa),
    admin: await harness.login(anna),
  };
  const account = await harness.onboard(karin, tokens.coach);
  const product = { currency: 'SEK', vatRate: 25, active: true };
  const programme = { ...product, name: 'Programme', kind: 'programme', amountMinor: 49_900, coachId: karin.uid };
  const premium = { ...product, name: 'Premium', kind: 'subscription', amountMinor: 9_900, interval: 'month' };
  await harness.db.doc('products/programme').set(programme);
  await harness.db.doc('products/premium').set(premium);
  const monday = nextMonday(new Date());
  const moveTo = (at: Date) => harness.control('stripe', 'clock', { now: Math.floor(at.getTime() / 1000) });
  await moveTo(stockholm(monday, 7));
  const all = async <T>(collection: string) =>
    (await harness.db.collection(collection).get()).docs.map((doc) => doc.data() as T);

  const road: Road = {
    harness,
    account,
    tokens,
    monday,
    async sell() {
      const { customer } = tokens;
      const payment = { productId: 'programme', requestId: 'programme-1', ...card };
      await askUntilClear(() => harness.call('processPayment', payment, customer));
      const subscription = { productId: 'premium', requestId: 'premium-1', ...card };
      await askUntilClear(() => harness.call('createSubscription', subscription, customer));
      await harness.settle();
    },
    schedulePayouts: () => harness.fire('schedulePayouts', stockholm(monday, 8)),
    async arrive() {
      await moveTo(stockholm(addDays(monday, 3), 8));
      await harness.settle();
    },
    syncAccounting: () => harness.fire('syncAccounting', stockholm(addDays(monday, 4), 2)),
    async sweep(minutes) {
      await harness.fire('sweep', new Date(stockholm(monday, 8).getTime() + minutes * 60_000));
      await harness.settle();
    },
    async fault(which, order) {
      await harness.control(which, 'faults', order);
    },
    async clearFaults() {
      for (const url of [harness.stripeUrl, harness.fortnoxUrl])
        await fetch(`${url}/_emulator/faults`, { method: 'DELETE' });
    },
    payouts: () => all<Payout>('payouts'),
    ledger: () => all<LedgerDocument>('ledger'),
    async openFlags() {
      return (await harness.db.collection('flags').where('status', '==', 'open').get()).docs.map((doc) => doc.id);
    },
    async atStripe() {
      return (await harness.stripe.payouts.list({}, { stripeAccount: account })).data;
    },
    async expectPaidOnce() {
      expect(await road.atStripe()).toEqual([expect.objectContaining({ amount: 40_000, status: 'paid' })]);
      expect(await road.payouts()).toEqual([expect.objectContaining({ amountMinor: 40_000, status: 'completed' })]);
      const balance = await harness.stripe.balance.retrieve({}, { stripeAccount: account });
      expect([...balance.available, ...balance.pending].reduce((sum, { amount }) => sum + amount, 0)).toBe(0);
      expect(trialBalance(await road.ledger())).toMatchObject({
        coach_payable: 0,
        stripe_connected: 0,
        stripe_platform: 18_542,
      });
    },
    async expectBooked() {
      const vouchers = await all<Voucher>('vouchers');
      expect(vouchers.map(({ state }) => state)).toEqual(Array(5).fill('posted'));
      expect(new Set(vouchers.map(({ fortnoxReference }) => fortnoxReference)).size).toBe(5);
      expect(await harness.control('fortnox', 'trial-balance')).toEqual(expectedBooks);
      expect((await road.payouts())[0]?.fortnoxReference).toMatch(/^S \d+ \(\d{4}\)$/);
    },
  };
  return road;
}
