import type { LedgerDocument } from '../../ledger/ledger.ts';
import { trialBalance } from '../../ledger/ledger.ts';
import { days, hours, minutes } from '../../platform/clock.ts';
import { minor } from '../../platform/money.ts';
import { runWrites } from '../../platform/write.ts';
import { balanceAt, onboardedCoach } from '../../testing/coach.ts';
import { createTestWorld, type TestWorld } from '../../testing/world.ts';
import { processPayment } from '../payments.service.ts';
import { resolveTransfers, retryTakeBacks } from './resolve.service.ts';
import { planTakeBack, planTransfer, sendOrder } from './transfers.service.ts';
import { shareId, type TakeBackOrder, type Transfer } from './transfers.ts';

const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };

let world: TestWorld;
let account: string;
let chargeId: string;
let paymentId: string;

const id = 'share_test';

/** A charge on the platform that nothing has been shared of. */
beforeEach(async () => {
  world = await createTestWorld();
  account = await onboardedCoach(world, 'karin');
  const product = { name: 'Premium', kind: 'good', currency: 'SEK', amountMinor: 49_900, vatRate: 25, active: true };
  await world.ctx.db.doc('products/premium').set(product);
  paymentId = (
    await processPayment(world.ctx, lisa, {
      productId: 'premium',
      requestId: 'request-1',
      paymentMethodId: 'pm_card_bypassPending',
    })
  ).paymentId;
  await world.deliver();
  chargeId = (await world.stripe.charges.list()).data[0]?.id ?? '';
});

afterEach(() => world.close());

const order = () => ({
  id,
  coachId: 'karin',
  stripeAccountId: account,
  paymentId,
  amountMinor: minor(40_000),
  currency: 'SEK',
  sourceChargeId: chargeId,
});

const plan = () => world.ctx.db.runTransaction(async (tx) => runWrites(tx, await planTransfer(world.ctx, tx, order())));
/** What the coach owes, and the order that takes it back. */
const planBack = (more: Partial<TakeBackOrder> = {}) =>
  world.ctx.db.runTransaction(async (tx) => {
    const back = { ...order(), id: 'back', amountMinor: minor(10_000), of: { orderId: id }, ...more };
    const planned = await planTakeBack(world.ctx, tx, back);
    const deltas = { coach_receivable: back.amountMinor };
    tx.set(world.ctx.db.doc('ledger/debt'), { kind: 'refund', paymentId, deltas });
    runWrites(tx, planned);
  });
const read = async (which = id) => (await world.ctx.db.doc(`transfers/${which}`).get()).data() as Transfer;
const sweep = () => resolveTransfers(world.ctx, world.now());
const sent = async () => (await world.stripe.transfers.list({ destination: account })).data;
const ledger = async () =>
  (await world.ctx.db.collection('ledger').where('kind', '==', 'transfer').get()).docs.map(
    (doc) => doc.data() as LedgerDocument,
  );
const flags = async () => (await world.ctx.db.collection('flags').get()).docs.map((doc) => doc.id);
const fault = (kind: string, path: string, method = 'POST', times = 1) =>
  world.control('stripe', 'faults', { kind, method, path, times });
const clearFaults = () => fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });

async function expectSentOnce() {
  expect(await sent()).toMatchObject([{ amount: 40_000, source_transaction: chargeId, metadata: { transferId: id } }]);
  expect(await read()).toMatchObject({ status: 'done', checkAt: null, stripeTransferId: (await sent())[0]?.id });
  const booked = await ledger();
  expect(booked).toHaveLength(1);
  expect(trialBalance(booked)).toMatchObject({ stripe_connected: 40_000, stripe_platform: -40_000 });
  expect(await balanceAt(world.stripe, account)).toBe(40_000);
  const payment = (await world.ctx.db.doc(`payments/${paymentId}`).get()).data();
  expect(payment?.stripeTransferId).toBe((await sent())[0]?.id);
}

describe('sending a share', () => {
  it('sends once, however often it is planned, sent, told and looked at', async () => {
    await plan();
    await Promise.all(Array.from({ length: 5 }, () => sendOrder(world.ctx, id)));
    await plan();
    await world.deliver();
    await sendOrder(world.ctx, id, true);
    await world.advance(days(2));
    await sweep();
    await expectSentOnce();
    expect(await flags()).toEqual([]);
  });

  it('refuses to move nothing, or less', async () => {
    const none = { ...order(), amountMinor: minor(0) };
    await expect(world.ctx.db.runTransaction((tx) => planTransfer(world.ctx, tx, none))).rejects.toThrow(RangeError);
  });

  it('a follow-up that was lost is made up for by the sweep', async () => {
    await plan();
    await sweep();
    expect(await sent()).toEqual([]);
    await world.advance(minutes(6));
    await sweep();
    await expectSentOnce();
  });

  it.each(['timeout_after_success', 'error_500_after', 'timeout_before', 'error_500_before', 'rate_limit'])(
    'one transfer whatever becomes of the answer: %s',
    async (kind) => {
      await plan();
      await fault(kind, '/v1/transfers', 'POST', 3);
      await fault('timeout_before', '/v1/transfers', 'GET', 3);
      await sendOrder(world.ctx, id);
      await clearFaults();
      await world.advance(minutes(6));
      await sweep();
      await world.advance(hours(2));
      await sweep();
      await expectSentOnce();
    },
    20_000,
  );

  it('the sweep books what the call could not tell of', async () => {
    await plan();
    await fault('timeout_after_success', '/v1/transfers', 'POST', 3);
    await fault('timeout_before', '/v1/transfers?', 'GET', 3);
    await fault('timeout_before', '/v1/transfers', 'GET', 3);
    expect(await sendOrder(world.ctx, id)).toBe('unknown');
    await clearFaults();
    await world.advance(minutes(6));
    await sweep();
    await expectSentOnce();
  }, 20_000);

  it('past the life of its key it is found, and never asked for blindly', async () => {
    await plan();
    await fault('timeout_after_success', '/v1/transfers', 'POST', 3);
    await fault('timeout_before', '/v1/transfers', 'GET', 3);
    expect(await sendOrder(world.ctx, id)).toBe('unknown');
    await clearFaults();
    await world.advance(days(3));
    await sweep();
    await expectSentOnce();
  }, 20_000);

  it('what never came to be is told to a person and asked for anew a day later', async () => {
    await plan();
    await fault('timeout_before', '/v1/transfers', 'POST', 3);
    await fault('timeout_before', '/v1/transfers', 'GET', 3);
    await sendOrder(world.ctx, id);
    await clearFaults();
    await world.advance(days(2));
    await sweep();
    expect(await read()).toMatchObject({ status: 'refused', failureCode: 'never_created' });
    expect(await flags()).toContain(`transfer-refused_${id}`);
    await world.advance(days(1) + minutes(1));
    await sweep();
    await expectSentOnce();
    expect(await read()).toMatchObject({ attempt: 2 });
  }, 20_000);

  it('refused while the account cannot receive, flagged, and sent once it can', async () => {
    await world.control('stripe', `accounts/${account}`, { capabilities: { transfers: 'inactive' } });
    await plan();
    expect(await sendOrder(world.ctx, id)).toBe('refused');
    expect(await sendOrder(world.ctx, id)).toBe('refused');
    expect(await flags()).toEqual([`transfer-refused_${id}`]);
    await world.control('stripe', `accounts/${account}`, { capabilities: { transfers: 'active' } });
    await world.advance(hours(1));
    await sweep();
    expect(await sent()).toEqual([]);
    await world.advance(days(1));
    await sweep();
    await expectSentOnce();
  });
});

describe('taking a share back', () => {
  it('waits for the transfer it takes back, then takes it once', async () => {
    await plan();
    await planBack();
    expect(await sendOrder(world.ctx, 'back')).toBe('planned');
    await sendOrder(world.ctx, id);
    await Promise.all([sendOrder(world.ctx, 'back'), sendOrder(world.ctx, 'back')]);
    await world.advance(days(1));
    await sweep();
    expect(await read('back')).toMatchObject({ status: 'done', checkAt: null });
    expect(await sent()).toMatchObject([{ amount_reversed: 10_000 }]);
    expect(await balanceAt(world.stripe, account)).toBe(30_000);
  });

  it('what somebody has taken back by hand meanwhile is not taken again', async () => {
    await plan();
    await planBack();
    await sendOrder(world.ctx, id);
    await world.ctx.db.doc('ledger/by-hand').set({ paymentId, deltas: { coach_receivable: -10_000 } });
    expect(await sendOrder(world.ctx, 'back')).toBe('canceled');
    expect(await sent()).toMatchObject([{ amount_reversed: 0 }]);
  });

  it('a lost answer is found out, not asked again', async () => {
    await plan();
    await sendOrder(world.ctx, id);
    await planBack();
    await fault('timeout_after_success', '/v1/transfers', 'POST', 3);
    await fault('timeout_before', '/v1/transfers', 'GET', 3);
    expect(await sendOrder(world.ctx, 'back')).toBe('unknown');
    await clearFaults();
    await world.advance(days(2));
    await sweep();
    expect(await read('back')).toMatchObject({ status: 'done' });
    expect(await sent()).toMatchObject([{ amount_reversed: 10_000 }]);
  }, 20_000);

  it('a balance too small leaves a debt, recovered from later earnings', async () => {
    await plan();
    await sendOrder(world.ctx, id);
    await world.stripe.payouts.create({ amount: 40_000, currency: 'sek' }, { stripeAccount: account });
    await planBack();
    expect(await sendOrder(world.ctx, 'back')).toBe('refused');
    expect(await read('back')).toMatchObject({ status: 'refused', failureCode: 'balance_insufficient' });
    expect((await flags()).filter((flag) => flag.startsWith('transfer-'))).toEqual([]);
    expect(await retryTakeBacks(world.ctx, 'karin')).toBe(0);
    await world.stripe.transfers.create({
      amount: 9_900,
      currency: 'sek',
      destination: account,
      source_transaction: chargeId,
    });
    await world.stripe.charges.list();
    const more = await world.stripe.paymentIntents.create({
      amount: 20_000,
      currency: 'sek',
      payment_method: 'pm_card_bypassPending',
      confirm: true,
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      transfer_data: { destination: account },
    });
    expect(more.status).toBe('succeeded');
    expect(await retryTakeBacks(world.ctx, 'karin')).toBe(1);
    expect(await read('back')).toMatchObject({ status: 'done' });
    expect((await sent()).find((one) => one.metadata.transferId === id)).toMatchObject({ amount_reversed: 10_000 });
  });

  it('what somebody has taken back by hand is not taken again', async () => {
    await plan();
    await sendOrder(world.ctx, id);
    const [transfer] = await sent();
    await world.stripe.transfers.createReversal(transfer?.id ?? '');
    await planBack();
    expect(await sendOrder(world.ctx, 'back')).toBe('canceled');
    expect(await flags()).toEqual([]);
  });
});

it('names orders by what decided them', () => {
  expect(shareId('pi_1')).toBe('share_pi_1');
});
