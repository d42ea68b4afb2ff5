import { Timestamp } from 'firebase-admin/firestore';
import type Stripe from 'stripe';
import { openMinor, type Earning } from '../coaches/earnings.ts';
import { planReturn } from '../coaches/earnings.service.ts';
import type { Terms } from '../coaches/terms.ts';
import { trialBalance, type Deltas, type LedgerDocument } from '../ledger/ledger.ts';
import { days, hours, minutes } from '../platform/clock.ts';
import { minor, negate } from '../platform/money.ts';
import { runWrites } from '../platform/write.ts';
import { proveAccount, type Owner } from '../reconciliation/account.service.ts';
import { platformAccount } from '../reconciliation/reconciliation.ts';
import { balanceAt, onboardedCoach } from '../testing/coach.ts';
import { seededRandom, shuffle } from '../testing/random.ts';
import { createTestWorld, type TestWorld } from '../testing/world.ts';
import { receiveEvent } from '../webhooks/webhooks.service.ts';
import { ensureAccountCustomer } from './account-customers.service.ts';
import { processPayment } from './payments.service.ts';
import { nothingHeld, type Payment } from './payments.ts';
import { resumeCommands } from './recovery.service.ts';
import { planRelease } from './release.service.ts';
import { resolveTransfers } from './transfers/resolve.service.ts';
import { releaseId, shareId, type Transfer } from './transfers/transfers.ts';
import { sendOrder } from './transfers/transfers.service.ts';

const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };
const card = 'pm_card_bypassPending';

let world: TestWorld;
/** The code stops at this await and never goes on: a crash. */
let gate: (path: string) => Promise<void> | void;

beforeEach(async () => {
  gate = () => undefined;
  world = await createTestWorld({ firestore: { onAwait: (_operation, path) => gate(path) } });
});

afterEach(() => world.close());

const read = async <T>(path: string) => (await world.ctx.db.doc(path).get()).data() as T;
const all = async <T>(collection: string) =>
  (await world.ctx.db.collection(collection).get()).docs.map((doc) => doc.data() as T);
const books = async (): Promise<Deltas> => trialBalance(await all<LedgerDocument>('ledger'));
const flags = async () => (await world.ctx.db.collection('flags').get()).docs.map((doc) => doc.id);
const events = async () => (await world.control<{ data: Stripe.Event[] }>('stripe', 'events')).data;

/** A product of a coach on these terms; returns the coach's account. */
async function offer(coachId: string, amountMinor: number, terms: Partial<Terms>, paysStripe = false): Promise<string> {
  const account = await onboardedCoach(world, coachId, terms, paysStripe);
  const product = { name: 'Programme', kind: 'programme', currency: 'SEK', vatRate: 25, active: true };
  await world.ctx.db.doc(`products/${coachId}`).set({ ...product, amountMinor, coachId });
  await world.deliver();
  return account;
}

const buy = (productId: string, requestId = `buy-${productId}`, paymentMethodId: string | null = card) =>
  processPayment(world.ctx, lisa, { productId, requestId, ...(paymentMethodId ? { paymentMethodId } : {}) });

/** The ledger's two Stripe accounts are what Stripe holds, to the öre. */
async function expectAgreement(...accounts: string[]) {
  const { stripe_platform, stripe_connected } = await books();
  const held = await Promise.all(accounts.map((account) => balanceAt(world.stripe, account)));
  expect({ stripe_platform, stripe_connected }).toEqual({
    stripe_platform: await balanceAt(world.stripe),
    stripe_connected: held.reduce((total, each) => total + each, 0),
  });
}

describe('separate charges', () => {
  const separate = { chargeModel: 'separate' } as const;

  it('499 kr are on the platform, and 400 are sent to the coach when the sale is booked', async () => {
    const account = await offer('karin', 49_900, separate);
    const { paymentId, stripeAccountId, breakdown } = await buy('karin');
    expect(stripeAccountId).toBeUndefined();
    expect(breakdown).toMatchObject({ coach: 400, platformFee: 99 });
    await world.deliver();
    expect(await books()).toMatchObject({
      stripe_platform: 8_971,
      stripe_connected: 40_000,
      coach_payable: -40_000,
      fee_revenue: -9_900,
      stripe_fees: 929,
    });
    const payment = await read<Payment>(`payments/${paymentId}`);
    const transfer = await read<Transfer>(`transfers/${shareId(paymentId)}`);
    expect(transfer).toMatchObject({ kind: 'transfer', status: 'done', amountMinor: 40_000, stripeAccountId: account });
    expect(payment).toMatchObject({
      chargeModel: 'separate',
      netMinor: 8_971,
      stripeTransferId: expect.any(String) as unknown,
    });
    expect(await read<Earning>(`coaches/karin/earnings/${paymentId}`)).toMatchObject({
      amountMinor: 49_900,
      feeMinor: 9_900,
    });
    await expectAgreement(account);
    expect(await flags()).toEqual([]);
  });

  it('nothing is sent of a sale whose fee is all of it', async () => {
    const account = await offer('karin', 49_900, { ...separate, feePercent: 100 });
    await buy('karin');
    await world.deliver();
    expect(await all('transfers')).toEqual([]);
    await expectAgreement(account);
  });

  it('every event again, backwards, changes nothing', async () => {
    const account = await offer('karin', 49_900, separate);
    await buy('karin');
    const told = (await events()).filter(
      ({ type }) => type.startsWith('charge.') || type.startsWith('payment_intent.'),
    );
    for (const event of [...told].reverse()) await receiveEvent(world.ctx, event);
    await world.deliver();
    for (const event of await events()) await receiveEvent(world.ctx, { ...event, id: `${event.id}_again` });
    expect(await world.stripe.transfers.list()).toMatchObject({ data: [{ amount: 40_000 }] });
    await expectAgreement(account);
    expect(await flags()).toEqual([]);
  });

  it('a crash at any await of the booking and the sending: the share is sent once', async () => {
    const account = await offer('karin', 49_900, separate);
    const stopped: ((reason: Error) => void)[] = [];
    let reached = true;
    let rounds = 0;
    while (reached) {
      rounds += 1;
      await buy('karin', `request-${rounds}`);
      const known = new Set(
        await world.ctx.db
          .collection('stripeEvents')
          .get()
          .then(({ docs }) => docs.map(({ id }) => id)),
      );
      const booked = (await events()).find(({ id, type }) => type === 'charge.succeeded' && !known.has(id));
      if (!booked) throw new Error('Stripe told of no charge.');
      let seen = 0;
      reached = false;
      await new Promise<void>((done, failed) => {
        gate = () => {
          if (++seen !== rounds) return undefined;
          reached = true;
          done();
          return new Promise<void>((_goOn, end) => stopped.push(end));
        };
        receiveEvent(world.ctx, booked).then(() => done(), failed);
      });
      gate = () => undefined;
      await world.advance(minutes(6));
      await world.deliver();
      await resolveTransfers(world.ctx, world.now());
      await world.deliver();
      expect((await world.stripe.transfers.list({ limit: 100 })).data).toHaveLength(rounds);
      await expectAgreement(account);
    }
    expect(rounds).toBeGreaterThan(10);
    expect((await all<Transfer>('transfers')).every(({ status }) => status === 'done')).toBe(true);
    expect(await flags()).toEqual([]);
    // Only so that no timer of theirs holds up the end of the tests.
    for (const end of stopped) end(new Error('The test is over.'));
  }, 60_000);

  it('a sale whose events never came is booked and sent by the sweep', async () => {
    const account = await offer('karin', 49_900, separate);
    await buy('karin');
    await world.advance(hours(1));
    await resumeCommands(world.ctx, world.now());
    expect(await all<Transfer>('transfers')).toMatchObject([{ status: 'done' }]);
    await expectAgreement(account);
  });
});

describe('direct charges', () => {
  const direct = { chargeModel: 'direct', feePercent: 2.5, feeRounding: 'minor' } as const;

  it('100 kr at 2.5 %: 2.50 are ours, the rest is the tenant’s, Stripe is paid by us', async () => {
    const account = await offer('store', 10_000, direct);
    const reply = await buy('store');
    expect(reply).toMatchObject({ stripeAccountId: account, status: 'succeeded' });
    expect(reply.breakdown).toMatchObject({ coach: 97.5, platformFee: 2.5 });
    await world.deliver();
    // 1.5 % and 1.80 kr: Stripe takes more than the fee brings in.
    expect(await books()).toMatchObject({
      stripe_connected: 9_750,
      coach_payable: -9_750,
      stripe_platform: 250 - 330,
      fee_revenue: -250,
      stripe_fees: 330,
    });
    expect(await read<Payment>(`payments/${reply.paymentId}`)).toMatchObject({
      chargeModel: 'direct',
      stripeAccountId: account,
      platformFeeMinor: 250,
      stripeFeeMinor: 330,
      netMinor: -80,
    });
    expect(await read<Earning>(`coaches/store/earnings/${reply.paymentId}`)).toMatchObject({
      amountMinor: 10_000,
      feeMinor: 250,
    });
    await expectAgreement(account);
    expect(await flags()).toEqual([]);
    expect(await all('transfers')).toEqual([]);
  });

  it('a tenant who pays Stripe keeps what is left; our fee is whole', async () => {
    const account = await offer('store', 10_000, direct, true);
    const { paymentId } = await buy('store');
    await world.deliver();
    expect(await books()).toMatchObject({
      stripe_connected: 9_420,
      coach_payable: -9_420,
      stripe_platform: 250,
      fee_revenue: -250,
      stripe_fees: 0,
    });
    expect(await read<Payment>(`payments/${paymentId}`)).toMatchObject({ stripeFeeMinor: 330, netMinor: 250 });
    await expectAgreement(account);
    expect(await flags()).toEqual([]);
  });

  it('without our fee nothing of it is ours', async () => {
    const account = await offer('store', 10_000, { ...direct, feePercent: 0 });
    await buy('store');
    await world.deliver();
    expect(await books()).toMatchObject({ stripe_connected: 10_000, fee_revenue: 0 });
    await expectAgreement(account);
  });

  it('the user is one customer there however many calls race, and another one on the platform', async () => {
    const account = await offer('store', 10_000, direct);
    const made = await Promise.all(Array.from({ length: 8 }, () => ensureAccountCustomer(world.ctx, lisa, account)));
    await Promise.all([buy('store', 'request-1'), buy('store', 'request-2')]);
    expect(new Set(made).size).toBe(1);
    const there = await world.stripe.customers.list({}, { stripeAccount: account });
    expect(there.data.map(({ id }) => id)).toEqual([made[0]]);
    expect((await world.stripe.customers.list()).data).toEqual([]);
    const paid = await world.stripe.paymentIntents.list({}, { stripeAccount: account });
    expect(paid.data.map(({ customer }) => customer)).toEqual([made[0], made[0]]);
  });

  it('a customer the tenant has deleted is made anew; one of another tenant’s is not touched', async () => {
    const account = await offer('store', 10_000, direct);
    const first = await ensureAccountCustomer(world.ctx, lisa, account);
    const told = { id: 'evt_1', type: 'customer.deleted', created: 1, livemode: false, api_version: null };
    const customer = { id: first, object: 'customer', metadata: { userId: 'lisa' } };
    const event = (where: string, object: object) =>
      ({ ...told, account: where, data: { object } }) as unknown as Stripe.Event;
    await receiveEvent(world.ctx, event('acct_other', customer));
    await receiveEvent(world.ctx, { ...event(account, { ...customer, metadata: { userId: 'a/b' } }), id: 'evt_2' });
    expect(await ensureAccountCustomer(world.ctx, lisa, account)).toBe(first);
    await receiveEvent(world.ctx, { ...event(account, customer), id: 'evt_3' });
    await world.advance(1_000);
    expect(await ensureAccountCustomer(world.ctx, lisa, account)).not.toBe(first);
  });

  it('is refused by name while the account cannot take cards', async () => {
    await offer('store', 10_000, direct);
    await world.ctx.db.doc('coaches/store').update({ takesCards: false });
    await expect(buy('store')).rejects.toMatchObject({ reason: 'account-takes-no-cards' });
  });

  it('what a tenant does without us is no business of ours; what names our payments is flagged', async () => {
    const account = await offer('store', 10_000, direct);
    await offer('karin', 49_900, {});
    const { paymentId } = await buy('karin', 'karin-1', null);
    const before = await read<Payment>(`payments/${paymentId}`);
    const intent = await world.stripe.paymentIntents.retrieve(paymentId);
    const event = (id: string, object: object) =>
      ({
        id,
        type: 'payment_intent.canceled',
        account,
        created: 1,
        livemode: false,
        api_version: null,
        data: { object },
      }) as unknown as Stripe.Event;
    const own = { ...intent, id: 'pi_theirs', application: null, status: 'canceled' };
    expect(await receiveEvent(world.ctx, event('evt_own', own))).toBe('applied');
    expect(await receiveEvent(world.ctx, event('evt_lie', { ...intent, status: 'canceled' }))).toBe('applied');
    expect(await receiveEvent(world.ctx, event('evt_ours', { ...own, application: 'ca_1' }))).toBe('parked');
    expect(await read<Payment>(`payments/${paymentId}`)).toEqual(before);
    expect(await flags()).toEqual([`payment-elsewhere_${paymentId}`]);
  });

  it('a sale whose events never came is booked by the sweep, from the tenant’s account', async () => {
    const account = await offer('store', 10_000, direct);
    await buy('store');
    await world.advance(hours(1));
    await resumeCommands(world.ctx, world.now());
    expect(await all('ledger')).toHaveLength(2);
    await expectAgreement(account);
  });
});

it('a direct payment whose answer is lost is one payment', async () => {
  const account = await offer('store', 10_000, { chargeModel: 'direct' });
  await world.control('stripe', 'faults', {
    kind: 'timeout_after_success',
    method: 'POST',
    path: '/v1/payment_intents',
    times: 2,
  });
  await buy('store');
  const { data } = await world.stripe.paymentIntents.list({}, { stripeAccount: account });
  expect(data).toMatchObject([{ status: 'succeeded', amount: 10_000 }]);
}, 20_000);

describe('held prices', () => {
  const separate = { chargeModel: 'separate' } as const;

  /** A bundle is paid: its payment holds the price. */
  async function payBundle(amountMinor: number): Promise<{ account: string; paymentId: string }> {
    const account = await offer('karin', amountMinor, separate);
    const { paymentId } = await buy('karin', 'bundle-1', null);
    await world.ctx.db.doc(`payments/${paymentId}`).update({ held: nothingHeld });
    await world.stripe.paymentIntents.confirm(paymentId, { payment_method: card });
    await world.deliver();
    return { account, paymentId };
  }

  const release = async (paymentId: string, sessionId: string, grossMinor: number) => {
    await world.ctx.db.runTransaction(async (tx) => {
      const payment = (await tx.get(world.ctx.db.doc(`payments/${paymentId}`))).data() as Payment;
      const at = Timestamp.fromDate(world.now());
      runWrites(tx, await planRelease(world.ctx, tx, { sessionId, payment, grossMinor: minor(grossMinor), at }));
    });
    return sendOrder(world.ctx, releaseId(sessionId));
  };

  it('nothing is earned or sent until a session is completed, and then once', async () => {
    const { account, paymentId } = await payBundle(60_000);
    expect(await books()).toMatchObject({ session_held: -60_000, coach_payable: 0, fee_revenue: 0 });
    expect(await all('transfers')).toEqual([]);
    expect(await read<Earning>(`coaches/karin/earnings/${paymentId}`)).toBeUndefined();
    expect(await release(paymentId, 'session-1', 60_000)).toBe('done');
    expect(await release(paymentId, 'session-1', 60_000)).toBe('done');
    expect(await books()).toMatchObject({
      session_held: 0,
      coach_payable: -48_000,
      fee_revenue: -12_000,
      stripe_connected: 48_000,
    });
    for (const event of await events()) await receiveEvent(world.ctx, { ...event, id: `${event.id}_again` });
    expect((await read<Payment>(`payments/${paymentId}`)).held).toMatchObject({ leftMinor: 0, releasedMinor: 60_000 });
    await expectAgreement(account);
  });

  it('the sessions of a bundle together are split as the bundle is', async () => {
    const { account, paymentId } = await payBundle(99_999);
    for (const session of ['one', 'two', 'three']) expect(await release(paymentId, session, 33_333)).toBe('done');
    const { coachAmountMinor, platformFeeMinor } = await read<Payment>(`payments/${paymentId}`);
    expect(await books()).toMatchObject({
      session_held: 0,
      coach_payable: negate(coachAmountMinor),
      fee_revenue: negate(platformFeeMinor),
      stripe_connected: coachAmountMinor,
    });
    await expectAgreement(account);
    await expect(release(paymentId, 'four', 1)).rejects.toThrow(RangeError);
    // What goes back is taken from the sessions' earnings, wherever there is some left.
    const returned = { paymentId, returnedMinor: minor(30_000), held: false };
    await world.ctx.db.runTransaction(async (tx) => runWrites(tx, await planReturn(world.ctx, tx, 'karin', returned)));
    const earnings = await all<Earning>('coaches/karin/earnings');
    expect(earnings.map((earning) => earning.paymentId).sort()).toEqual(
      ['one', 'three', 'two'].map((session) => `${paymentId}_${session}`),
    );
    expect(earnings.reduce((total, { reversedMinor }) => total + reversedMinor, 0)).toBe(30_000);
    expect(earnings.every((earning) => openMinor(earning) >= 0)).toBe(true);
  });
});

it.each([1, 2, 3, 4, 5])(
  'any mixture of charge models, told in any order and twice: the ledger is what Stripe holds (seed %i)',
  async (seed) => {
    const sellers = {
      one: await offer('one', 49_900, {}),
      two: await offer('two', 12_345, { chargeModel: 'separate', feePercent: 7.25, feeRounding: 'minor' }),
      three: await offer('three', 98_765, { chargeModel: 'direct', feePercent: 12.5, feeFixedMinor: minor(300) }),
      four: await offer('four', 5_555, { chargeModel: 'direct', feePercent: 2.5, feeRounding: 'minor' }, true),
    };
    const names = Object.keys(sellers);
    const random = seededRandom(seed);
    for (let n = 0; n < 16; n++) {
      const fault = random() < 0.15 ? { kind: 'error_500_after', method: 'POST', path: '/v1/transfers' } : undefined;
      if (fault) await world.control('stripe', 'faults', fault);
      await buy(names[Math.floor(random() * names.length)] ?? 'one', `request-${n}`);
      if (random() < 0.4) await tell(random);
    }
    await tell(random);
    await world.advance(hours(2));
    await resolveTransfers(world.ctx, world.now());
    await world.deliver();
    await expectAgreement(...Object.values(sellers));
    const cut = new Date(world.now().getTime() + days(2));
    const owners: Owner[] = [
      { account: platformAccount },
      ...Object.entries(sellers).map(([coachId, account]) => ({ account, coachId })),
    ];
    for (const owner of owners)
      expect(await proveAccount(world.ctx, owner, cut, [])).toMatchObject([{ state: 'ok', differences: [] }]);
    expect(await flags()).toEqual([]);
  },
  30_000,
);

/** Gives the product all events so far, shuffled, half of them twice. */
async function tell(random: () => number): Promise<void> {
  const told = await events();
  for (const event of shuffle([...told, ...told.filter(() => random() < 0.5)], random))
    await receiveEvent(world.ctx, event);
}
