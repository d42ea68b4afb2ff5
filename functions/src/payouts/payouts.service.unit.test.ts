import type { Firestore } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { completeOnboarding } from '../../../emulators/stripe/index.ts';
import type { Flag } from '../admin/flags.ts';
import type { Coach } from '../coaches/coaches.ts';
import type { Earning } from '../coaches/earnings.ts';
import { startOnboarding } from '../coaches/onboarding.service.ts';
import type { LedgerDocument } from '../ledger/ledger.ts';
import { trialBalance } from '../ledger/ledger.ts';
import { processPayment } from '../payments/payments.service.ts';
import { addDays, days, hours, minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import type { Letter } from '../platform/mail.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { receiveEvent } from '../webhooks/webhooks.service.ts';
import { payCoach, payCoachTask, resolvePayouts, startRun } from './payouts.service.ts';
import type { Payout, PayoutItem } from './payouts.ts';
import type { PayoutRun, RunCoach } from './runs.ts';

const goodIban = 'SE3550000000054910000003';
const closedIban = 'SE89370400440532013002';
const karin = { uid: 'karin', email: 'karin@example.se', coach: true, admin: false };
const lisa = { uid: 'lisa', email: 'lisa@example.se', coach: false, admin: false };
const origin = 'http://127.0.0.1:5000';
const dueDate = '2026-11-23';
const task = { coachId: 'karin', currency: 'SEK', dueDate, runId: dueDate };

/** The code stops at this await and never goes on: a crash. */
type Gate = (operation: string, path: string) => Promise<void> | void;
let beforeOperation: Gate = () => undefined;
let afterOperation: Gate = () => undefined;
const forever = () => new Promise<void>(() => undefined);

let world: TestWorld;
let ctx: Context;
let db: Firestore;
let account: string;
let sales = 0;

beforeEach(async () => {
  beforeOperation = afterOperation = () => undefined;
  world = await createTestWorld({
    firestore: {
      onAwait: (operation, path) => beforeOperation(operation, path),
      onReply: (operation, path) => afterOperation(operation, path),
    },
  });
  ctx = world.ctx;
  db = ctx.db;
  await onboard(goodIban);
  const product = {
    name: 'Programme',
    currency: 'SEK',
    vatRate: 25,
    active: true,
    kind: 'programme',
    coachId: 'karin',
  };
  await db.doc('products/programme').set({ ...product, amountMinor: 49_900 });
  await db.doc('products/small').set({ ...product, amountMinor: 2_400 });
});

afterEach(() => world.close());

async function onboard(iban: string): Promise<void> {
  const addresses = { returnUrl: `${origin}/return`, refreshUrl: `${origin}/refresh` };
  account = (await startOnboarding(ctx, karin, addresses)).reply.stripeAccountId;
  completeOnboarding(world.stripeEmulator.core.world, account, {
    firstName: 'Karin',
    lastName: 'Coach',
    email: karin.email,
    phone: '+46700000000',
    birthDate: '1980-01-01',
    street: 'Gatan 1',
    postalCode: '11122',
    city: 'Stockholm',
    iban,
  });
  await world.deliver();
}

/** A sale whose money is loose at once, booked and earned. Gives the payment's id. */
async function sell(productId = 'programme'): Promise<string> {
  const requestId = `sale-${String(++sales).padStart(6, '0')}`;
  const { paymentId } = await processPayment(ctx, lisa, {
    productId,
    requestId,
    paymentMethodId: 'pm_card_bypassPending',
  });
  await world.deliver();
  return paymentId;
}

const read = async <T>(path: string) => (await db.doc(path).get()).data() as T | undefined;
const all = async <T>(path: string) => (await db.collection(path).get()).docs.map((doc) => doc.data() as T);
const payoutOf = (n = 1, day = dueDate) => read<Payout>(`payouts/karin_SEK_${day}_${n}`);
const atStripe = async () => (await world.stripe.payouts.list({ limit: 100 }, { stripeAccount: account })).data;
const lock = () => read('payoutLocks/karin_SEK');
const earning = (paymentId: string) => read<Earning>(`coaches/karin/earnings/${paymentId}`);
const flags = async () => (await all<Flag>('flags')).map(({ kind }) => kind).sort();
const change = (fields: Partial<Coach>) => db.doc('coaches/karin').update(fields);
const fault = (kind: string, times = 1) =>
  world.control('stripe', 'faults', { kind, method: 'POST', path: '/v1/payouts', times });

const clearFaults = () => fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });

/** What must hold at any time: Stripe, the ledger, the payouts, their items and the earnings say the same. */
async function expectAgreement(): Promise<void> {
  const moved = trialBalance(await all<LedgerDocument>('ledger'));
  const balance = await world.stripe.balance.retrieve({}, { stripeAccount: account });
  const has = [...balance.available, ...balance.pending].reduce((sum, { amount }) => sum + amount, 0);
  expect(moved.stripe_connected).toBe(has);
  expect(moved.coach_payable + has).toBe(0);
  let reserved = 0;
  for (const doc of (await db.collection('payouts').get()).docs) {
    const payout = doc.data() as Payout;
    const items = await all<PayoutItem>(`payouts/${doc.id}/items`);
    const total = items.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
    expect(total).toBe(payout.amountMinor);
    expect([...new Set(items.map(({ paymentId }) => paymentId))].sort()).toEqual([...payout.relatedPaymentIds].sort());
    if (payout.itemsReserved) reserved += total;
  }
  const earnings = await all<Earning>('coaches/karin/earnings');
  expect(earnings.reduce((sum, { paidMinor }) => sum + paidMinor, 0)).toBe(reserved);
}

describe('paying a coach', () => {
  it('pays what is theirs, books it, and is completed when Stripe says paid', async () => {
    const paymentId = await sell();
    expect(await payCoach(ctx, task)).toBe('settled');
    expect(await payoutOf()).toMatchObject({
      amount: 400,
      amountMinor: 40_000,
      status: 'pending',
      stripeStatus: 'pending',
      relatedPaymentIds: [paymentId],
      stripeKey: 'karin_SEK_2026-11-23_1',
    });
    expect(await lock()).toBeUndefined();
    expect(await earning(paymentId)).toMatchObject({ status: 'available', paidMinor: 40_000, settlement: 'settled' });
    expect(await read<RunCoach>(`payoutRuns/${dueDate}/coaches/karin`)).toMatchObject({
      state: 'payout',
      amountMinor: 40_000,
      numbers: { boundMinor: 40_000, availableMinor: 40_000, explainedMinor: 40_000, minimumMinor: 2_000 },
    });
    await expectAgreement();
    await world.advance(days(8));
    await world.deliver();
    expect(await payoutOf()).toMatchObject({ status: 'completed', stripeStatus: 'paid' });
    expect(await earning(paymentId)).toMatchObject({ status: 'paid' });
    expect(await flags()).toEqual([]);
    await expectAgreement();
  });

  it('sends five at once to one payout, and a later delivery to none', async () => {
    await sell();
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => payCoach(ctx, task)));
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
    expect(await atStripe()).toHaveLength(1);
    expect(await all('payouts')).toHaveLength(1);
    expect(await payCoach(ctx, task)).toBe('done');
    await world.deliver();
    expect(await atStripe()).toHaveLength(1);
    expect(await lock()).toBeUndefined();
    await expectAgreement();
  });

  it('finds Stripe done although it did not answer, and records it once', async () => {
    await sell();
    await fault('timeout_after_success', 3);
    expect(await payCoach(ctx, task)).toBe('unknown');
    expect(await payoutOf()).toMatchObject({ status: 'unknown', stripeStatus: null });
    expect(await lock()).toMatchObject({ payoutId: 'karin_SEK_2026-11-23_1' });
    expect((await resolvePayouts(ctx, world.now())).looked).toBe(0);
    await world.advance(minutes(6));
    expect((await resolvePayouts(ctx, world.now())).looked).toBe(1);
    expect(await payoutOf()).toMatchObject({ status: 'pending', stripeStatus: 'pending' });
    expect(await lock()).toBeUndefined();
    expect(await atStripe()).toHaveLength(1);
    await expectAgreement();
    expect(await payCoach(ctx, task)).toBe('done');
    await world.advance(days(8));
    await world.deliver();
    expect(await payoutOf()).toMatchObject({ status: 'completed' });
    await expectAgreement();
  });

  it('asks again under the same key when Stripe never got it', async () => {
    await sell();
    await fault('timeout_before', 6);
    expect(await payCoach(ctx, task)).toBe('unknown');
    await world.advance(minutes(6));
    await clearFaults();
    await resolvePayouts(ctx, world.now());
    expect(await payoutOf()).toMatchObject({ status: 'pending', stripeStatus: 'pending' });
    expect(await atStripe()).toHaveLength(1);
    await expectAgreement();
  });

  it('closes what Stripe never made once nobody may ask for it any more, and pays with the next attempt', async () => {
    const paymentId = await sell();
    await fault('timeout_before', 3);
    expect(await payCoach(ctx, task)).toBe('unknown');
    await clearFaults();
    await world.advance(hours(25));
    // Past the key's life a delivery that comes late does not ask.
    expect(await payCoach(ctx, task)).toBe('unknown');
    expect(await atStripe()).toHaveLength(0);
    await resolvePayouts(ctx, world.now());
    expect(await payoutOf()).toMatchObject({ status: 'failed', failureCode: 'never_created', itemsReserved: false });
    expect(await earning(paymentId)).toMatchObject({ paidMinor: 0, settlement: 'open' });
    expect(await lock()).toBeUndefined();
    expect(await flags()).toEqual(['payout-never-created']);
    expect(await payCoach(ctx, task)).toBe('settled');
    expect(await payoutOf(2)).toMatchObject({ status: 'pending', amountMinor: 40_000 });
    await expectAgreement();
  });

  it('closes a definite refusal, gives the earnings back, and makes the next attempt a new document', async () => {
    const paymentId = await sell();
    await change({ payoutDestination: { id: 'ba_gone', kind: 'bank_account', last4: '0000', status: 'new' } });
    expect(await payCoach(ctx, task)).toBe('closed');
    expect(await payoutOf()).toMatchObject({ status: 'failed', stripeStatus: null, failureCode: 'resource_missing' });
    expect(await earning(paymentId)).toMatchObject({ paidMinor: 0, settlement: 'open' });
    expect(await lock()).toBeUndefined();
    expect(await flags()).toEqual(['payout-refused']);
    expect(await payCoach(ctx, task)).toBe('settled');
    expect(await payoutOf(2)).toMatchObject({ status: 'pending', stripeKey: 'karin_SEK_2026-11-23_2' });
    expect(await atStripe()).toHaveLength(1);
    await expectAgreement();
  });

  it('leaves a busy Stripe to the queue, under the same key, and flags the last retry', async () => {
    await sell();
    await fault('rate_limit', 2);
    await expect(payCoachTask(ctx, task, false)).rejects.toThrow('busy');
    expect(await flags()).toEqual([]);
    await expect(payCoachTask(ctx, task, true)).rejects.toThrow('busy');
    expect(await flags()).toEqual(['payout-task']);
    expect(await payCoachTask(ctx, task, false)).toBe('settled');
    expect(await all('payouts')).toHaveLength(1);
    await expectAgreement();
  });

  it.each([
    ['on hold', { hold: { reason: 'Under review', since: null } }, 'hold'],
    ['not active', { accountStatus: 'restricted' }, 'account-not-active'],
    ['without payouts', { payoutsEnabled: false }, 'payouts-disabled'],
  ])('pays nothing to a coach %s, and says so', async (_what, fields, reason) => {
    await sell();
    await change(fields as unknown as Partial<Coach>);
    expect(await payCoach(ctx, task)).toBe('nothing');
    expect(await all('payouts')).toEqual([]);
    expect(await read(`payoutRuns/${dueDate}/coaches/karin`)).toMatchObject({ state: 'nothing', reason });
  });

  it('closes a frozen payout that Stripe never got when the coach is put on hold, once nobody can be asking', async () => {
    const paymentId = await sell();
    await new Promise<void>((stopped) => {
      afterOperation = (operation) => {
        if (operation !== 'transaction.commit') return undefined;
        stopped();
        return forever();
      };
      void payCoach(ctx, task);
    });
    afterOperation = () => undefined;
    expect(await payoutOf()).toMatchObject({ status: 'pending' });
    await db.doc('coaches/karin').update({ hold: { reason: 'Under review', since: null } });
    expect(await payCoach(ctx, task)).toBe('unknown');
    expect(await lock()).toBeDefined();
    await world.advance(minutes(6));
    await resolvePayouts(ctx, world.now());
    expect(await payoutOf()).toMatchObject({ status: 'canceled', failureCode: 'hold' });
    expect(await earning(paymentId)).toMatchObject({ paidMinor: 0 });
    expect(await atStripe()).toEqual([]);
    expect(await lock()).toBeUndefined();
  });

  it('keeps what is below the minimum for the next time', async () => {
    await sell('small');
    await change({
      payoutSettings: { cadence: 'weekly', minimumMinor: 4_000 as Coach['payoutSettings']['minimumMinor'] },
    });
    expect(await payCoach(ctx, task)).toBe('nothing');
    expect(await read(`payoutRuns/${dueDate}/coaches/karin`)).toMatchObject({
      state: 'nothing',
      reason: 'below-minimum',
      numbers: { boundMinor: 2_000, minimumMinor: 4_000 },
    });
    await sell('small');
    expect(await payCoach(ctx, { ...task, dueDate: '2026-11-30', runId: '2026-11-30' })).toBe('settled');
    expect(await payoutOf(1, '2026-11-30')).toMatchObject({ amountMinor: 4_000 });
    await expectAgreement();
  });

  it('pays the last earning in part when Stripe has less, and the rest later', async () => {
    const first = await sell();
    await world.advance(minutes(1));
    const second = await sell();
    // Money leaves the account behind our back: Stripe has 500 of the 800 owed.
    await world.stripe.payouts.create({ amount: 30_000, currency: 'sek' }, { stripeAccount: account });
    expect(await payCoach(ctx, task)).toBe('settled');
    expect(await payoutOf()).toMatchObject({ amountMinor: 50_000, relatedPaymentIds: [first, second] });
    expect(await earning(first)).toMatchObject({ settlement: 'settled', paidMinor: 40_000 });
    expect(await earning(second)).toMatchObject({ settlement: 'open', paidMinor: 10_000 });
    await world.deliver();
    expect(await flags()).toEqual(['payout-not-ours']);
  });

  it('pays only what the ledger explains when Stripe has more, and flags the rest', async () => {
    const { paymentId } = await processPayment(ctx, lisa, {
      productId: 'programme',
      requestId: 'not-told-yet',
      paymentMethodId: 'pm_card_bypassPending',
    });
    // The sale is in Stripe and in no document of ours.
    for (const { ref } of (await db.collection('ledger').get()).docs) await ref.delete();
    for (const { ref } of (await db.collection('coaches/karin/earnings').get()).docs) await ref.delete();
    expect(await payCoach(ctx, task)).toBe('nothing');
    expect(await flags()).toEqual(['unexplained-balance']);
    expect(await atStripe()).toEqual([]);
    expect(paymentId).toMatch(/^pi_/);
  });

  it('takes the money back when a paid payout fails, once, and tells both sides', async () => {
    await world.control('stripe', 'switches', { payoutFailsAfterPaidSeconds: 12 * 86_400 });
    await onboard(closedIban);
    expect(await payCoach(ctx, task)).toBe('nothing');
    expect(await read(`payoutRuns/${dueDate}/coaches/karin`)).toMatchObject({ reason: 'bank-account-changed' });
    await world.advance(hours(49));
    const paymentId = await sell();
    expect(await payCoach(ctx, task)).toBe('settled');
    await world.advance(days(8));
    const delivered = await world.deliver();
    expect(await payoutOf()).toMatchObject({ status: 'completed' });
    await world.advance(days(12));
    delivered.push(...(await world.deliver()));
    expect(await payoutOf()).toMatchObject({ status: 'failed', stripeStatus: 'failed', failureCode: 'account_closed' });
    expect(await earning(paymentId)).toMatchObject({ status: 'available', paidMinor: 0, settlement: 'open' });
    const about = async () => (await all<Letter>('mail')).map(({ message }) => message.subject);
    const letter = 'Your payout of 400,00 kr did not arrive';
    expect((await about()).filter((subject) => subject === letter)).toHaveLength(1);
    expect(await flags()).toEqual(['payout-returned']);
    await expectAgreement();
    // All of it again, backwards, under other ids.
    for (const { event } of delivered.reverse()) await receiveEvent(ctx, { ...event, id: `${event.id}_again` });
    expect(await payoutOf()).toMatchObject({ status: 'failed' });
    expect((await about()).filter((subject) => subject === letter)).toHaveLength(1);
    await expectAgreement();
    // A new bank account, and the next attempt once payouts have rested.
    await onboard(goodIban);
    await world.advance(hours(49));
    expect(await payCoach(ctx, task)).toBe('settled');
    expect(await payoutOf(2)).toMatchObject({ status: 'pending', amountMinor: 40_000 });
    await expectAgreement();
  });

  it('learns by itself that a payout was paid when the event is lost', async () => {
    await sell();
    await payCoach(ctx, task);
    await world.advance(days(8));
    await resolvePayouts(ctx, world.now());
    expect(await payoutOf()).toMatchObject({ status: 'completed' });
  });

  it('ends an event that comes before our own record in the same state', async () => {
    const paymentId = await sell();
    await stopAt((operation) => operation === 'transaction.commit', 2);
    expect(await atStripe()).toHaveLength(1);
    expect(await payoutOf()).toMatchObject({ stripeStatus: null });
    await world.advance(days(8));
    await world.deliver();
    expect(await payoutOf()).toMatchObject({ status: 'completed', stripeStatus: 'paid' });
    expect(await earning(paymentId)).toMatchObject({ status: 'paid' });
    expect(await lock()).toBeUndefined();
    expect(await payCoach(ctx, task)).toBe('done');
    await expectAgreement();
  });

  it('takes in a payout that Stripe has after all, and reckons with it', async () => {
    const paymentId = await sell();
    await fault('timeout_before', 3);
    expect(await payCoach(ctx, task)).toBe('unknown');
    await clearFaults();
    await world.advance(hours(25));
    await resolvePayouts(ctx, world.now());
    expect(await payoutOf()).toMatchObject({ status: 'failed', failureCode: 'never_created' });
    await world.stripe.payouts.create(
      { amount: 40_000, currency: 'sek', metadata: { payoutId: 'karin_SEK_2026-11-23_1', coachId: 'karin' } },
      { stripeAccount: account },
    );
    await world.deliver();
    expect(await payoutOf()).toMatchObject({ status: 'pending', stripeStatus: 'pending', itemsReserved: true });
    expect(await earning(paymentId)).toMatchObject({ paidMinor: 40_000, settlement: 'settled' });
    expect(await flags()).toEqual(['payout-exists-after-all', 'payout-never-created']);
    expect(await payCoach(ctx, { ...task, dueDate: '2026-11-30' })).toBe('nothing');
    await expectAgreement();
  });

  it('books a second payout for one document and calls a person', async () => {
    await sell();
    await sell();
    const metadata = { payoutId: 'karin_SEK_2026-11-23_1', coachId: 'karin' };
    expect(await payCoach(ctx, task)).toBe('settled');
    await sell();
    await world.stripe.payouts.create({ amount: 40_000, currency: 'sek', metadata }, { stripeAccount: account });
    await world.deliver();
    const before = await payoutOf();
    expect(before).toMatchObject({ amountMinor: 80_000, status: 'pending' });
    expect(await flags()).toEqual(['payout-twice']);
    await expectAgreement();
  });

  it('takes a debt off the next payout', async () => {
    const first = await sell();
    await payCoach(ctx, task);
    await world.deliver();
    // 100 of the first sale were taken back after it was paid out; the ledger knows, Stripe has not taken it yet.
    const owed = await earning(first);
    await db.doc(`coaches/karin/earnings/${first}`).set({ ...owed, reversedMinor: 10_000, settlement: 'debt' });
    const second = await sell();
    const receivable = (await all<LedgerDocument>('ledger')).find(({ kind }) => kind === 'payout');
    if (!receivable) throw new Error('The payout is not booked.');
    const none = Object.fromEntries(Object.keys(receivable.deltas).map((name) => [name, 0]));
    const deltas = { ...none, coach_receivable: 10_000, fee_revenue: -10_000 };
    await db.doc('ledger/re_1:refund').set({ ...receivable, id: 're_1:refund', deltas });
    expect(await payCoach(ctx, { ...task, dueDate: '2026-11-30' })).toBe('settled');
    const items = await all<PayoutItem>('payouts/karin_SEK_2026-11-30_1/items');
    expect(items.map(({ paymentId, amountMinor }) => [paymentId, amountMinor]).sort()).toEqual(
      [
        [first, -10_000],
        [second, 40_000],
      ].sort(),
    );
    expect(await payoutOf(1, '2026-11-30')).toMatchObject({ amountMinor: 30_000 });
    expect(await earning(first)).toMatchObject({ settlement: 'settled', paidMinor: 30_000 });
  });

  it('calls a person when nobody can tell for a day', async () => {
    await sell();
    await fault('timeout_after_success', 3);
    expect(await payCoach(ctx, task)).toBe('unknown');
    await world.control('stripe', 'faults', {
      kind: 'error_500_before',
      method: 'GET',
      path: '/v1/payouts',
      times: 30,
    });
    await world.advance(hours(25));
    await resolvePayouts(ctx, world.now());
    expect(await payoutOf()).toMatchObject({ status: 'unknown' });
    expect(await lock()).toBeDefined();
    expect(await flags()).toEqual(['payout-unknown']);
    await clearFaults();
    await world.advance(days(2));
    await resolvePayouts(ctx, world.now());
    expect(await payoutOf()).toMatchObject({ stripeStatus: expect.any(String) as unknown });
    expect(await atStripe()).toHaveLength(1);
    await expectAgreement();
  });

  it('leaves a payout of somebody else that carries our id alone', async () => {
    await sell();
    await payCoach(ctx, task);
    const event = (await world.deliver()).find(({ event }) => event.type === 'payout.created')?.event;
    const before = await payoutOf();
    const forged = { ...event, id: 'evt_forged', type: 'payout.failed', account: 'acct_other' } as Stripe.Event;
    expect(await receiveEvent(ctx, forged)).toBe('applied');
    expect(await payoutOf()).toEqual(before);
    expect(await flags()).toEqual(['payout-not-ours']);
  });
});

/** Runs payCoach until the n-th matching operation and leaves it standing there for ever. */
async function stopAt(matches: (operation: string, path: string) => boolean, n: number): Promise<void> {
  let seen = 0;
  await new Promise<void>((stopped, failed) => {
    beforeOperation = (operation, path) => {
      if (matches(operation, path) && ++seen === n) {
        stopped();
        return forever();
      }
      return undefined;
    };
    payCoach(ctx, task).then(() => failed(new Error(`payCoach never came to the ${n}th stop.`)), failed);
  });
  beforeOperation = () => undefined;
}

describe('a crash at any await', () => {
  /** What a run queues on that Monday, or the same without what the run saw. */
  async function taskOf(day: string, fromRun: boolean): Promise<typeof task> {
    if (!fromRun) return { ...task, dueDate: day, runId: day };
    await startRun(ctx, new Date(`${day}T07:00:00Z`));
    const queued = world.tasks.find(({ payload }) => 'runId' in payload && payload.runId === day);
    expect(queued?.payload).toMatchObject({ coachId: 'karin', dueDate: day, seen: { stripeAccountId: account } });
    return queued?.payload as typeof task;
  }

  it.each([
    ['before', 'by a run', true],
    ['after', 'by a run', true],
    ['before', 'alone', false],
    ['after', 'alone', false],
  ] as const)(
    '%s the database answers, asked for %s: one payout, every öre accounted for',
    async (when, _by, fromRun) => {
      let day = dueDate;
      let reached = true;
      for (let stop = 1; reached; stop++) {
        day = addDays(day, 7);
        await sell();
        const crashing = await taskOf(day, fromRun);
        let seen = 0;
        reached = false;
        await new Promise<void>((done, failed) => {
          const gate: Gate = () => {
            if (++seen !== stop) return undefined;
            reached = true;
            done();
            return forever();
          };
          if (when === 'before') beforeOperation = gate;
          else afterOperation = gate;
          payCoach(ctx, crashing).then(() => done(), failed);
        });
        beforeOperation = afterOperation = () => undefined;
        await payCoach(ctx, crashing);
        await world.deliver();
        expect(await all('payouts')).toHaveLength(stop);
        expect(await atStripe()).toHaveLength(stop);
        expect(await payoutOf(1, day)).toMatchObject({ amountMinor: 40_000, status: 'pending' });
        expect(await lock()).toBeUndefined();
        await expectAgreement();
      }
      expect(await flags()).toEqual([]);
    },
    60_000,
  );
});

describe('a run', () => {
  const monday = new Date('2026-11-23T07:00:00Z');

  it('started five times at once queues each coach who is due once', async () => {
    await change({
      payoutSettings: { cadence: 'weekly', minimumMinor: 2_000 as Coach['payoutSettings']['minimumMinor'] },
    });
    const coach = await read<Coach>('coaches/karin');
    if (!coach) throw new Error('No coach.');
    await db.doc('coaches/anna').set({ ...coach, payoutSettings: { ...coach.payoutSettings, cadence: 'manual' } });
    await db.doc('coaches/olle').set({ ...coach, payoutSettings: { ...coach.payoutSettings, cadence: 'daily' } });
    const replies = await Promise.all(Array.from({ length: 5 }, () => startRun(ctx, monday)));
    const notedAt = expect.stringMatching(/^\d+\.\d+$/) as unknown;
    const seen = { stripeAccountId: account, scheduledAt: monday.toISOString(), notedAt };
    expect(new Set(replies.map(({ runId }) => runId))).toEqual(new Set(['2026-11-23']));
    expect(world.tasks.map(({ id, payload }) => [id, payload])).toEqual([
      ['2026-11-23-karin-SEK', { ...task, seen }],
      ['2026-11-23-olle-SEK', { ...task, coachId: 'olle', seen }],
    ]);
    expect(await startRun(ctx, monday)).toEqual({ runId: '2026-11-23', state: 'done', queued: 2 });
  });

  it('on a day without banks pays nobody and moves nothing', async () => {
    expect(await startRun(ctx, new Date('2026-11-22T07:00:00Z'))).toMatchObject({ state: 'skipped' });
    expect(await all('payoutRuns')).toEqual([]);
  });

  it('after a skipped Monday pays on Tuesday, and not again on Wednesday', async () => {
    await startRun(ctx, new Date('2026-11-20T07:00:00Z'));
    world.tasks.length = 0;
    await startRun(ctx, new Date('2026-11-24T07:00:00Z'));
    expect(world.tasks.map(({ id }) => id)).toEqual(['2026-11-24-karin-SEK']);
    expect(await startRun(ctx, new Date('2026-11-25T07:00:00Z'))).toMatchObject({ state: 'done', queued: 0 });
    expect(await read<PayoutRun>('payoutRuns/2026-11-25')).toMatchObject({ after: '2026-11-24', state: 'done' });
  });

  it('whose runner died is finished by the sweep, and by nobody before', async () => {
    await new Promise<void>((stopped) => {
      beforeOperation = (operation) => {
        if (operation !== 'transaction.commit') return undefined;
        stopped();
        return forever();
      };
      void startRun(ctx, monday);
    });
    beforeOperation = () => undefined;
    expect(await startRun(ctx, monday)).toMatchObject({ state: 'running' });
    await world.advance(minutes(11));
    await resolvePayouts(ctx, world.now());
    expect(await read<PayoutRun>('payoutRuns/2026-11-23')).toMatchObject({ state: 'done', queued: 1 });
    expect(world.tasks).toHaveLength(1);
  });
});
