import type { Flag } from '../admin/flags.ts';
import type { Coach } from '../coaches/coaches.ts';
import { addDays, businessDate, days, hours, minutes } from '../platform/clock.ts';
import { openShop, type Shop } from '../testing/shop.ts';
import { requestPayout, retryPayout, runPayouts } from './by-hand.service.ts';
import { payCoach, resolvePayouts, startRun } from './payouts.service.ts';
import { attemptId, type Payout, type PayoutItem } from './payouts.ts';
import { resumeCommands } from '../payments/recovery.service.ts';

const admin = { uid: 'anna', coach: false, admin: true };
const karin = { uid: 'karin', coach: true, admin: false };
const stranger = { uid: 'sven', coach: true, admin: false };

let shop: Shop;
let requests = 0;
const requestId = () => `by-hand-${++requests}`;
const today = () => businessDate(shop.now());

beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const ask = (more: { amountMinor?: number; requestId?: string } = {}) =>
  runPayouts(shop.ctx, admin, { coachId: 'karin', requestId: requestId(), ...more });
const payouts = async () =>
  (await shop.ctx.db.collection('payouts').get()).docs.map((doc) => ({ id: doc.id, ...(doc.data() as Payout) }));
const atStripe = async () => (await shop.stripe.payouts.list({ limit: 100 }, { stripeAccount: shop.account })).data;
const cadence = (name: Coach['payoutSettings']['cadence']) =>
  shop.ctx.db.doc('coaches/karin').update({ payoutSettings: { cadence: name, minimumMinor: 2_000 } });
const paidAtStripe = async () =>
  (await atStripe()).filter(({ status }) => status !== 'failed').reduce((total, { amount }) => total + amount, 0);

/** Each payout is its items, and what is reserved is what Stripe has taken. */
async function expectRight(): Promise<void> {
  let reserved = 0;
  for (const payout of await payouts()) {
    const items = await shop.all<PayoutItem>(`payouts/${payout.id}/items`);
    expect(items.reduce((total, item) => total + item.amountMinor, 0)).toBe(payout.amountMinor);
    if (payout.itemsReserved) reserved += payout.amountMinor;
  }
  expect(await paidAtStripe()).toBe(reserved);
  await shop.expectBooksAsStripe();
}

describe('a payout by hand', () => {
  it('pays what is payable, below the coach’s own minimum too, under its request’s id', async () => {
    await shop.buy();
    await shop.ctx.db.doc('coaches/karin').update({ payoutSettings: { cadence: 'weekly', minimumMinor: 900_000 } });
    const id = requestId();
    const reply = { payout: { payoutId: `karin_SEK_${today()}_m${id}`, amountMinor: 40_000, status: 'pending' } };
    expect(await ask({ requestId: id })).toMatchObject(reply);
    expect(await ask({ requestId: id })).toMatchObject(reply);
    expect(await shop.all('auditLog')).toMatchObject([{ by: 'anna', action: 'runPayouts' }]);
    await shop.deliver();
    await expectRight();
  });

  it('above what is payable is refused with what is, and below it leaves the rest', async () => {
    await shop.buy();
    await expect(ask({ amountMinor: 40_001 })).rejects.toMatchObject({
      reason: 'more-than-payable',
      details: { payableMinor: 40_000 },
    });
    expect(await ask({ amountMinor: 15_000 })).toMatchObject({ payout: { amountMinor: 15_000 } });
    await expect(ask({ amountMinor: 25_001 })).rejects.toMatchObject({ reason: 'more-than-payable' });
    expect(await ask()).toMatchObject({ payout: { amountMinor: 25_000 } });
    await expect(ask()).rejects.toMatchObject({ reason: 'nothing-owed' });
    await expectRight();
  });

  it.each([
    ['hold', { hold: { reason: 'Under review', since: null } }],
    ['account-not-active', { accountStatus: 'restricted' }],
  ])('is refused by name: %s', async (reason, change) => {
    await shop.buy();
    await shop.ctx.db.doc('coaches/karin').update(change);
    await expect(ask()).rejects.toMatchObject({ reason });
    expect(await payouts()).toEqual([]);
  });

  it('of what is wrong is refused by name', async () => {
    const run = (input: object) => runPayouts(shop.ctx, admin, { requestId: requestId(), ...input });
    await expect(run({ coachId: 'nobody' })).rejects.toMatchObject({ reason: 'coach-not-found' });
    await expect(run({ amountMinor: 2_000 })).rejects.toMatchObject({ reason: 'amount-without-coach' });
    await expect(run({ coachId: 'karin', date: today() })).rejects.toMatchObject({ reason: 'date-not-for-one' });
    await expect(run({ date: addDays(today(), 1) })).rejects.toMatchObject({ reason: 'date-in-future' });
    await expect(run({ date: addDays(today(), -8) })).rejects.toMatchObject({ reason: 'date-too-old' });
  });

  it('asked for five times at once, and together with the run, is paid once', async () => {
    await shop.buy();
    const task = { coachId: 'karin', currency: 'SEK', dueDate: today(), runId: today() };
    const all = await Promise.allSettled([
      ...Array.from({ length: 5 }, () => ask()),
      payCoach(shop.ctx, task),
      ask({ amountMinor: 40_000 }),
    ]);
    for (const each of all) {
      const reason: unknown = each.status === 'rejected' ? each.reason : undefined;
      if (reason)
        expect(['nothing-owed', 'more-than-payable', 'nothing-available', undefined]).toContain(
          (reason as { reason?: string }).reason,
        );
    }
    await resumeCommands(shop.ctx, new Date(shop.now().getTime() + minutes(10)));
    await shop.deliver();
    expect(await paidAtStripe()).toBe(40_000);
    expect(await payouts()).toHaveLength(1);
    await expectRight();
  });

  it('of a part leaves the day’s due date to its run', async () => {
    await shop.buy();
    await ask({ amountMinor: 15_000 });
    const task = { coachId: 'karin', currency: 'SEK', dueDate: today(), runId: today() };
    expect(await payCoach(shop.ctx, task)).toBe('settled');
    expect((await payouts()).map(({ amountMinor }) => amountMinor).sort()).toEqual([15_000, 25_000]);
    await expectRight();
  });

  it('whose answer was lost is resolved by asking, and meanwhile lets no other through', async () => {
    await shop.buy();
    await shop.fault('timeout_after_success', '/v1/payouts', { times: 3 });
    await shop.fault('error_500_before', '/v1/payouts', { method: 'GET', times: 9 });
    expect(await ask({ amountMinor: 15_000 })).toMatchObject({ payout: { status: 'unknown' } });
    await expect(ask()).rejects.toMatchObject({ reason: 'earlier-payout-open' });
    await shop.clearFaults();
    await shop.advance(minutes(6));
    await resolvePayouts(shop.ctx, shop.now());
    expect(await payouts()).toMatchObject([{ status: 'pending', amountMinor: 15_000 }]);
    expect(await atStripe()).toHaveLength(1);
    await expectRight();
  });

  it('cut short at any step is finished by the sweep, once', async () => {
    for (let step = 1, died = true; died; step++) {
      await shop.buy();
      const id = requestId();
      shop.dieAfter(step);
      const told = await ask({ requestId: id }).catch(() => undefined);
      died = shop.revive();
      if (died) {
        await shop.advance(minutes(6));
        await resumeCommands(shop.ctx, shop.now());
        await resolvePayouts(shop.ctx, shop.now());
        await resumeCommands(shop.ctx, shop.now());
        if ((await payouts()).every((payout) => !payout.id.endsWith(id))) await ask({ requestId: id });
      } else expect(told).toBeDefined();
      expect(await payouts()).toHaveLength(step);
      expect(await paidAtStripe()).toBe(step * 40_000);
      await shop.deliver();
      await expectRight();
    }
    expect(await shop.openFlags()).toEqual([]);
  }, 60_000);
});

describe('a run by hand', () => {
  it('is the day’s run: with the schedule at once each coach is queued once', async () => {
    const monday = new Date('2026-11-23T07:00:00Z');
    await shop.advance(monday.getTime() + hours(1) - shop.now().getTime());
    const [byHand] = await Promise.all([
      runPayouts(shop.ctx, admin, { requestId: requestId() }),
      startRun(shop.ctx, monday),
    ]);
    expect(byHand).toMatchObject({ run: { runId: '2026-11-23' } });
    expect(shop.tasks.filter(({ name }) => name === 'payCoach')).toHaveLength(1);
    expect(await runPayouts(shop.ctx, admin, { date: '2026-11-22', requestId: requestId() })).toMatchObject({
      run: { state: 'skipped' },
    });
  });
});

describe('a coach who is paid by hand', () => {
  it('asks for their own; the others are paid by themselves', async () => {
    await shop.buy();
    await expect(requestPayout(shop.ctx, karin, { requestId: requestId() })).rejects.toMatchObject({
      reason: 'payouts-by-schedule',
    });
    await cadence('manual');
    expect(await requestPayout(shop.ctx, karin, { amountMinor: 10_000, requestId: requestId() })).toMatchObject({
      amountMinor: 10_000,
      status: 'pending',
    });
    await expect(requestPayout(shop.ctx, stranger, { requestId: requestId() })).rejects.toMatchObject({
      reason: 'coach-not-found',
    });
    await expectRight();
  });
});

/** Pays the coach's money out to an account that bounces it after it was paid. */
async function bounced(amountMinor?: number): Promise<string> {
  const { payout } = (await ask(amountMinor === undefined ? {} : { amountMinor })) as { payout: { payoutId: string } };
  const [made] = await atStripe();
  shop.stripeEmulator.core.world.failingBanks.set(made?.destination as string, 'account_closed');
  await shop.advance(days(12));
  await shop.deliver();
  expect(await shop.read(`payouts/${payout.payoutId}`)).toMatchObject({ status: 'failed' });
  shop.stripeEmulator.core.world.failingBanks.clear();
  return payout.payoutId;
}

/** What the coach does on Stripe's pages. */
async function mendBank(): Promise<void> {
  const { data } = await shop.stripe.accounts.listExternalAccounts(shop.account, { limit: 1 });
  const [bank] = data;
  if (!bank) throw new Error('No bank account.');
  await shop.stripe.accounts.updateExternalAccount(shop.account, bank.id, { account_holder_name: 'Karin Coach' });
  await shop.deliver();
}

describe('another attempt', () => {
  const retry = (payoutId: string, caller = admin, id = requestId()) =>
    retryPayout(shop.ctx, caller, { payoutId, requestId: id });

  it('is refused by name while there is nothing to repeat', async () => {
    await shop.buy();
    const { payout } = (await ask()) as { payout: { payoutId: string } };
    await expect(retry(payout.payoutId)).rejects.toMatchObject({ reason: 'payout-under-way' });
    await expect(retry(payout.payoutId, stranger)).rejects.toMatchObject({ reason: 'payout-not-found' });
    await expect(retry('nobody_SEK_2026-11-23_1')).rejects.toMatchObject({ reason: 'payout-not-found' });
    await shop.ctx.db.doc(`payouts/${payout.payoutId}`).update({ status: 'unknown' });
    await expect(retry(payout.payoutId)).rejects.toMatchObject({ reason: 'payout-outcome-unknown' });
    await shop.ctx.db.doc(`payouts/${payout.payoutId}`).update({ status: 'completed' });
    await expect(retry(payout.payoutId)).rejects.toMatchObject({ reason: 'payout-completed' });
    await shop.ctx.db.doc(`payouts/${payout.payoutId}`).update({ status: 'failed' });
    await expect(retry(payout.payoutId)).rejects.toMatchObject({ reason: 'return-not-booked' });
  });

  it('of one by hand pays the same amount once, in a new document, however many ask', async () => {
    await shop.buy();
    const failed = await bounced(15_000);
    await mendBank();
    const all = await Promise.allSettled([retry(failed), retry(failed, karin), retry(failed)]);
    const made = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value.payoutId] : []));
    expect(new Set(made)).toEqual(new Set([`${failed}_2`]));
    await expect(retry(failed)).rejects.toMatchObject({ reason: 'already-retried' });
    expect(await paidAtStripe()).toBe(15_000);
    await shop.deliver();
    await expectRight();
  });

  it('of the schedule’s takes the next number, and its due date then is done', async () => {
    await shop.buy();
    const task = { coachId: 'karin', currency: 'SEK', dueDate: today(), runId: today() };
    await payCoach(shop.ctx, task);
    const first = `karin_SEK_${task.dueDate}_1`;
    const [made] = await atStripe();
    if (!made) throw new Error('No payout.');
    await shop.stripe.payouts.cancel(made.id, {}, { stripeAccount: shop.account });
    await shop.deliver();
    expect(await retry(first, karin)).toMatchObject({ payoutId: `karin_SEK_${task.dueDate}_2`, amountMinor: 40_000 });
    expect(await payCoach(shop.ctx, task)).toBe('done');
    expect((await atStripe()).map(({ status }) => status).sort()).toEqual(['canceled', 'pending']);
    await shop.expectBooksAsStripe();
  });

  it('happens by itself at the next run once the bank account is mended', async () => {
    await shop.buy();
    await bounced();
    const refused = { coachId: 'karin', currency: 'SEK', dueDate: today(), runId: today() };
    expect(await payCoach(shop.ctx, refused)).toBe('closed');
    await mendBank();
    const nextRun = new Date('2027-01-04T07:00:00Z');
    await shop.advance(Math.max(0, nextRun.getTime() - shop.now().getTime()));
    await startRun(shop.ctx, nextRun);
    for (const { payload } of shop.tasks.filter(({ name }) => name === 'payCoach')) {
      expect(await payCoach(shop.ctx, payload as Parameters<typeof payCoach>[1])).toBe('settled');
    }
    expect((await payouts()).filter(({ status }) => status === 'pending')).toMatchObject([{ amountMinor: 40_000 }]);
    await expectRight();
  });
});

it('attempts at one payout are numbered', () => {
  expect(attemptId('a_b_SEK_2026-11-23_1', {}, 3)).toBe('a_b_SEK_2026-11-23_3');
  const byHand = { byHand: true } as const;
  expect(attemptId('k_SEK_2026-11-23_mabc-12345', byHand, 2)).toBe('k_SEK_2026-11-23_mabc-12345_2');
  expect(attemptId('k_SEK_2026-11-23_mabc-12345_2', byHand, 3)).toBe('k_SEK_2026-11-23_mabc-12345_3');
  expect(attemptId('k_SEK_2026-11-23_mabc-12345_2', byHand, 1)).toBe('k_SEK_2026-11-23_mabc-12345');
});

it('flags nobody needs are not raised', async () => {
  await shop.buy();
  await ask();
  expect((await shop.all<Flag>('flags')).map(({ id }) => id)).toEqual([]);
});
