import { Timestamp } from 'firebase-admin/firestore';
import type { Flag } from '../admin/flags.ts';
import {
  coachPayout,
  destinationSale,
  ownSale,
  payoutReturned,
  stripeFee,
  type LedgerDocument,
  type LedgerEntry,
} from '../ledger/ledger.ts';
import { createEntry } from '../ledger/ledger.store.ts';
import { days, hours, minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { minor } from '../platform/money.ts';
import { createTestFirestore } from '../testing/firestore.ts';
import { createTestWorld, forgetFortnox, type TestWorld } from '../testing/world.ts';
import { postTask } from './accounting.api.ts';
import { resolveVouchers, retryVoucher, syncBooks } from './accounting.service.ts';
import type { Voucher } from './accounting.ts';
import { postOne } from './posting.service.ts';

/** What stops the code at the database, as a crash does: set by a test, forgotten after it. */
let stopAt: ((operation: string, path: string) => boolean) | undefined;
const crash = new Error('the process died here');

let world: TestWorld;
let ctx: Context;

beforeEach(async () => {
  stopAt = undefined;
  let now = () => new Date();
  const stop = (operation: string, path: string) => {
    if (stopAt?.(operation, path)) throw crash;
  };
  const db = createTestFirestore({ now: () => now(), onAwait: stop });
  world = await createTestWorld({ db });
  now = () => world.now();
  ctx = world.ctx;
  // Retries of rate limits wait for real; a test need not.
  forgetFortnox(world, {
    timeoutMs: 2_000,
    sleep: async () => undefined,
  });
});

afterEach(() => world.close());

const at = () => Timestamp.fromDate(world.now());

async function book(...entries: (LedgerEntry | undefined)[]): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    for (const entry of entries) if (entry) createEntry(ctx.db, tx, entry, world.now());
  });
}

const sale = (id = 'ch_1', occurredAt = at()): LedgerEntry =>
  destinationSale({
    chargeId: id,
    paymentId: `pi_${id}`,
    occurredAt,
    currency: 'SEK',
    grossMinor: minor(49900),
    coachMinor: minor(40000),
    feeMinor: minor(9900),
    vatRate: 25,
    coachId: 'karin',
    stripeAccountId: 'acct_1',
    balanceTransactionIds: [`txn_${id}`],
  });
const own = (): LedgerEntry =>
  ownSale({
    chargeId: 'ch_own',
    paymentId: 'pi_own',
    occurredAt: at(),
    currency: 'SEK',
    grossMinor: minor(9900),
    vatRate: 25,
    balanceTransactionIds: ['txn_own'],
  });
const fee = (balanceTransactionId: string, feeMinor: number) =>
  stripeFee({ balanceTransactionId, occurredAt: at(), currency: 'SEK', feeMinor: minor(feeMinor) });
const payoutBooking = () => ({
  stripePayoutId: 'po_1',
  payoutId: 'karin_SEK_2026-11-23_1',
  coachId: 'karin',
  stripeAccountId: 'acct_1',
  occurredAt: at(),
  currency: 'SEK',
  amountMinor: minor(40000),
  balanceTransactionId: 'txn_po',
});

const read = async <T>(path: string) => (await ctx.db.doc(path).get()).data() as T | undefined;
const voucher = async (id = 'v_ch_1_sale') => {
  const found = await read<Voucher>(`vouchers/${id}`);
  if (!found) throw new Error(`no voucher ${id}`);
  return found;
};
const flags = async () => (await ctx.db.collection('flags').get()).docs.map((doc) => doc.data() as Flag);
const openFlags = async () => (await flags()).filter(({ status }) => status === 'open').map(({ id }) => id);
const inFortnox = () => world.fortnoxEmulator.core.state().vouchers;
const posts = () =>
  world.fortnoxEmulator.core
    .state()
    .requests.filter(({ method, url }) => method === 'POST' && url.startsWith('/3/vouchers'));
const fault = (kind: string, extra: object = {}) =>
  world.control('fortnox', 'faults', { kind, method: 'POST', path: '/3/vouchers', ...extra });
const fortnoxState = (change: object) => world.control('fortnox', 'state', change);

/** Runs what is queued once, as the queue would. */
async function work(): Promise<void> {
  for (const { payload } of world.tasks.splice(0))
    await postTask(ctx, payload as { voucherId: string }, 0).catch(() => undefined);
}

async function synced(...entries: (LedgerEntry | undefined)[]): Promise<void> {
  await book(...entries);
  await syncBooks(ctx, world.now());
}

describe('the books', () => {
  it("come to the design's trial balance in Fortnox, and the payout names its voucher", async () => {
    await ctx.db.doc('payouts/karin_SEK_2026-11-23_1').set({ coachId: 'karin', amountMinor: 40000 });
    await synced(sale(), own(), fee('txn_ch_1', 929), fee('txn_own', 329), coachPayout(payoutBooking()));
    await work();
    const balance = await world.control('fortnox', 'trial-balance');
    expect(balance).toEqual({ 1686: 18542, 3001: -49900, 3921: -9900, 5090: 40000, 6570: 1258 });
    const posted = await voucher('v_po_1_payout');
    expect(posted).toMatchObject({ state: 'posted', attempts: 1 });
    expect(posted.fortnoxReference).toMatch(/^S \d+ \(\d{4}\)$/);
    expect(await read('payouts/karin_SEK_2026-11-23_1')).toMatchObject({ fortnoxReference: posted.fortnoxReference });
    expect(await flags()).toEqual([]);
  });

  it('book a payout that came back with a voucher of its own; the payout keeps naming the first', async () => {
    await ctx.db.doc('payouts/karin_SEK_2026-11-23_1').set({ coachId: 'karin', amountMinor: 40000 });
    await synced(coachPayout(payoutBooking()));
    await work();
    await synced(payoutReturned({ ...payoutBooking(), balanceTransactionId: 'txn_back' }));
    await work();
    expect(inFortnox()).toHaveLength(2);
    expect(await world.control('fortnox', 'trial-balance')).toEqual({ 1686: 0, 5090: 0 });
    const first = await voucher('v_po_1_payout');
    expect(await read('payouts/karin_SEK_2026-11-23_1')).toMatchObject({ fortnoxReference: first.fortnoxReference });
  });

  it('ask for the locked period again after a minute, however many vouchers come meanwhile', async () => {
    const asked = () =>
      world.fortnoxEmulator.core.state().requests.filter(({ url }) => url === '/3/settings/lockedperiod').length;
    const counts: number[] = [];
    for (const id of ['a', 'b', 'c', 'd']) {
      await synced(sale(id));
      await work();
      counts.push(asked());
      await world.advance(40_000);
    }
    expect(counts).toEqual([1, 1, 2, 2]);
  });

  it('are synced twice, and twice at once, without a second voucher or task', async () => {
    await book(sale(), own());
    const results = await Promise.all([syncBooks(ctx, world.now()), syncBooks(ctx, world.now())]);
    expect(results[0].grouped + results[1].grouped).toBe(2);
    expect(await syncBooks(ctx, world.now())).toEqual({ grouped: 0, queued: 2 });
    expect((await ctx.db.collection('vouchers').get()).size).toBe(2);
    expect(world.tasks).toHaveLength(2);
    expect(await read<LedgerDocument>('ledger/ch_1:sale')).toMatchObject({ voucherId: 'v_ch_1_sale' });
  });

  it('survive a crash at any write of the sync', async () => {
    await book(...Array.from({ length: 45 }, (_, i) => sale(`ch_${i}`)));
    for (let survived = 0; ; survived += 1) {
      let writes = 0;
      stopAt = (operation) => operation === 'transaction.commit' && writes++ === survived;
      try {
        await syncBooks(ctx, world.now());
        break;
      } catch (error) {
        expect(error).toBe(crash);
      }
    }
    stopAt = undefined;
    await syncBooks(ctx, world.now());
    expect((await ctx.db.collection('vouchers').get()).size).toBe(45);
    expect(world.tasks).toHaveLength(45);
  });

  it('that crashed between grouping and queueing are queued by the sweep', async () => {
    await book(sale());
    stopAt = (operation, path) => operation === 'query' && path === 'vouchers';
    await expect(syncBooks(ctx, world.now())).rejects.toBe(crash);
    stopAt = undefined;
    expect(world.tasks).toHaveLength(0);
    expect(await resolveVouchers(ctx, world.now())).toMatchObject({ queued: 0 });
    await world.advance(minutes(11));
    expect(await resolveVouchers(ctx, world.now())).toEqual({ queued: 1, late: 0 });
    await work();
    expect(inFortnox()).toHaveLength(1);
  });

  it('leave what they have no rule for ungrouped, tell a person, and go on with the rest', async () => {
    await synced({ ...own(), currency: 'EUR' }, sale());
    expect(await read('ledger/ch_own:sale')).toMatchObject({ voucherId: null });
    expect((await flags()).map(({ kind }) => kind)).toEqual(['voucher-unsupported']);
    expect(world.tasks).toHaveLength(1);
    await syncBooks(ctx, world.now());
    expect(await openFlags()).toEqual(['voucher-unsupported_ch_own:sale']);
    // As if a rule had come for it.
    await ctx.db.doc('ledger/ch_own:sale').update({ currency: 'SEK' });
    expect(await syncBooks(ctx, world.now())).toMatchObject({ grouped: 1 });
    expect(await openFlags()).toEqual([]);
  });
});

describe('posting', () => {
  it('two workers at once: one voucher', async () => {
    await synced(sale());
    const outcomes = await Promise.all([postOne(ctx, 'v_ch_1_sale'), postOne(ctx, 'v_ch_1_sale')]);
    expect(outcomes.sort()).toEqual(['left', 'posted']);
    expect(inFortnox()).toHaveLength(1);
    expect(await postOne(ctx, 'v_ch_1_sale')).toBe('left');
    expect(posts()).toHaveLength(1);
  });

  it('Fortnox commits and drops the connection: found by its key, not posted again', async () => {
    await synced(sale());
    await fault('commit_then_drop');
    await expect(postOne(ctx, 'v_ch_1_sale')).rejects.toThrow();
    expect(await voucher()).toMatchObject({ state: 'unknown', attempts: 1 });
    await world.advance(10_000);
    expect(await postOne(ctx, 'v_ch_1_sale')).toBe('found');
    expect(await voucher()).toMatchObject({ state: 'posted', fortnoxNumber: 1 });
    expect(inFortnox()).toHaveLength(1);
    expect(posts()).toHaveLength(1);
  });

  it.each(['error_500_before', 'error_500_after', 'html_error'])(
    'an unclear answer (%s): one voucher',
    async (kind) => {
      await synced(sale());
      await fault(kind);
      await expect(postOne(ctx, 'v_ch_1_sale')).rejects.toThrow();
      expect((await voucher()).state).toBe('unknown');
      await world.advance(31_000);
      await postOne(ctx, 'v_ch_1_sale');
      expect((await voucher()).state).toBe('posted');
      expect(inFortnox()).toHaveLength(1);
    },
  );

  it('not found yet is no proof: no second post until 30 s after the first', async () => {
    await synced(sale());
    await fault('error_500_before');
    await expect(postOne(ctx, 'v_ch_1_sale')).rejects.toThrow();
    await world.advance(5_000);
    await expect(postOne(ctx, 'v_ch_1_sale')).rejects.toThrow(/looked for again/);
    expect(await voucher()).toMatchObject({ state: 'unknown', attempts: 2 });
    expect(posts()).toHaveLength(1);
    await world.advance(30_000);
    expect(await postOne(ctx, 'v_ch_1_sale')).toBe('posted');
    expect(inFortnox()).toHaveLength(1);
  });

  it('a worker that died after the post: left alone while fresh, found when stale', async () => {
    await synced(sale());
    let commits = 0;
    stopAt = (operation) => operation === 'transaction.commit' && commits++ >= 1;
    await expect(postOne(ctx, 'v_ch_1_sale')).rejects.toBe(crash);
    stopAt = undefined;
    expect(await voucher()).toMatchObject({ state: 'sending' });
    expect(await postOne(ctx, 'v_ch_1_sale')).toBe('left');
    await world.advance(minutes(11));
    expect(await resolveVouchers(ctx, world.now())).toMatchObject({ queued: 1 });
    await work();
    expect(await voucher()).toMatchObject({ state: 'posted', attempts: 2 });
    expect(inFortnox()).toHaveLength(1);
    expect(posts()).toHaveLength(1);
  });

  it.each([
    ['wakes before its post', 'lockedPeriod'],
    ['wakes after its look-up failed', 'financialYear'],
  ] as const)('a worker that slept past its lease and %s changes nothing', async (_what, sleepsIn) => {
    await synced(sale());
    const fortnox = await ctx.fortnox();
    let wake: () => void = () => undefined;
    let asleep: () => void = () => undefined;
    const sleeping = new Promise<void>((resolve) => (asleep = resolve));
    const sleepy = {
      ...fortnox,
      [sleepsIn]: async () => {
        asleep();
        await new Promise<void>((resolve) => (wake = resolve));
        if (sleepsIn === 'financialYear') throw new Error('connection lost while asleep');
        return null;
      },
    };
    const sleeper = postOne({ ...ctx, fortnox: async () => sleepy }, 'v_ch_1_sale');
    const ended = expect(sleeper).rejects.toThrow(sleepsIn === 'financialYear' ? /asleep/ : /too long/);
    await sleeping;
    await world.advance(minutes(11));
    expect(await postOne(ctx, 'v_ch_1_sale')).toBe('posted');
    const before = await voucher();
    wake();
    await ended;
    expect(await voucher()).toEqual(before);
    expect(inFortnox()).toHaveLength(1);
  });

  it('a crash at every database call in turn, then the sweep: one voucher each time', async () => {
    for (let survived = 0, ended = false; !ended; survived += 1) {
      const id = `ch_crash${survived}`;
      await synced(sale(id));
      world.tasks.splice(0);
      let calls = 0;
      stopAt = () => calls++ >= survived;
      ended = await postOne(ctx, `v_${id}_sale`).then(
        () => true,
        () => false,
      );
      stopAt = undefined;
      // The queue lost the task, too: the sweep makes it again within the hour.
      await world.advance(hours(1) + minutes(1));
      await resolveVouchers(ctx, world.now());
      await work();
      expect(await voucher(`v_${id}_sale`)).toMatchObject({ state: 'posted' });
    }
    const descriptions = inFortnox().map(({ description }) => description);
    expect(descriptions.length).toBeGreaterThan(3);
    expect(new Set(descriptions).size).toBe(descriptions.length);
  });

  it('two of one voucher in Fortnox already: a person is told', async () => {
    await synced(sale());
    const { series, date, description, rows } = await voucher();
    const fortnox = await ctx.fortnox();
    const year = await fortnox.financialYear(date);
    const copy = { financialYearId: year?.id ?? 0, series, date, description, rows };
    await fortnox.createVoucher(copy);
    await fortnox.createVoucher(copy);
    await fault('rate_limit', { times: 4 });
    await expect(postOne(ctx, 'v_ch_1_sale')).rejects.toThrow();
    expect(await postOne(ctx, 'v_ch_1_sale')).toBe('found');
    expect((await flags()).map(({ kind, message }) => [kind, message.includes('S 1, S 2')])).toEqual([
      ['voucher-twice', true],
    ]);
  });
});

describe('what Fortnox refuses', () => {
  it("a refusal keeps Fortnox's words, is flagged, and is sent again by hand only", async () => {
    await synced(own());
    await work();
    await synced(sale());
    await work();
    await synced(sale('ch_2'));
    // The account was good a moment ago, when this process asked; Fortnox itself says no now.
    await fortnoxState({ accounts: [{ number: 3921, active: false }] });
    await work();
    expect(await voucher('v_ch_2_sale')).toMatchObject({
      state: 'rejected',
      errorCode: 2000550,
      error: 'Konto "3921" är inte aktivt',
    });
    expect((await flags())[0]).toMatchObject({
      kind: 'voucher-rejected',
      message: expect.stringContaining('Konto "3921" är inte aktivt') as string,
      action: expect.stringContaining('retryVoucher') as string,
    });
    await world.advance(days(2));
    await resolveVouchers(ctx, world.now());
    await syncBooks(ctx, world.now());
    expect(world.tasks).toEqual([]);
    await fortnoxState({ accounts: [{ number: 3921, active: true }] });
    expect(await retryVoucher(ctx, 'v_ch_2_sale', world.now())).toEqual({ voucherId: 'v_ch_2_sale', state: 'ready' });
    await work();
    expect(await voucher('v_ch_2_sale')).toMatchObject({ state: 'posted' });
    expect(inFortnox()).toHaveLength(3);
    expect(await openFlags()).toEqual([]);
  });

  it('only a rejected voucher is sent again by hand', async () => {
    await synced(sale());
    await work();
    await expect(retryVoucher(ctx, 'v_ch_1_sale', world.now())).rejects.toMatchObject({
      reason: 'voucher-not-rejected',
    });
    await expect(retryVoucher(ctx, 'v_nothing', world.now())).rejects.toMatchObject({ reason: 'voucher-not-found' });
  });

  it.each([
    [
      'an inactive account',
      { accounts: [{ number: 3921, active: false }] },
      { accounts: [{ number: 3921, active: true }] },
      'account-unusable',
    ],
    [
      'a series that is not manual',
      { series: [{ code: 'S', manual: false }] },
      { series: [{ code: 'S', manual: true }] },
      'voucher-series',
    ],
    ['a locked period', { lockedPeriod: '2999-12-31' }, { lockedPeriod: null }, 'period-locked'],
  ])('%s holds a voucher; it goes on by itself', async (_what, change, mended, kind) => {
    await fortnoxState(change);
    await synced(sale());
    await work();
    expect(await voucher()).toMatchObject({ state: 'ready', attempts: 1 });
    expect((await flags()).map((flag) => flag.kind)).toEqual([kind]);
    expect(posts()).toHaveLength(0);
    await world.advance(minutes(30));
    expect(await resolveVouchers(ctx, world.now())).toMatchObject({ queued: 0 });
    await fortnoxState(mended);
    await world.advance(minutes(31));
    await resolveVouchers(ctx, world.now());
    await work();
    expect(await voucher()).toMatchObject({ state: 'posted' });
    expect(inFortnox()).toHaveLength(1);
    expect(await openFlags()).toEqual([]);
  });

  it('a locked period it was not allowed to read: held by the refusal of the post', async () => {
    await fortnoxState({ lockedPeriod: '2999-12-31' });
    await world.control('fortnox', 'faults', { kind: 'unauthorized', path: '/3/settings/lockedperiod', times: 10 });
    await synced(sale());
    await work();
    expect(await voucher()).toMatchObject({ state: 'ready' });
    expect((await flags()).map((flag) => [flag.kind, flag.message.includes('har låst perioden')])).toEqual([
      ['period-locked', true],
    ]);
  });

  it('a missing financial year holds a voucher', async () => {
    await synced(sale('ch_1', Timestamp.fromDate(new Date('2019-05-05T10:00:00Z'))));
    await work();
    expect(await voucher()).toMatchObject({ state: 'ready', date: '2019-05-05' });
    expect((await flags()).map(({ id }) => id)).toEqual(['financial-year-missing_2019']);
  });

  it('too many requests: back to ready, and the queue tries again; the last try leaves a flag', async () => {
    await synced(sale());
    await fault('rate_limit', { times: 4 });
    await expect(postTask(ctx, { voucherId: 'v_ch_1_sale' }, 7)).rejects.toThrow(/429/);
    expect(await voucher()).toMatchObject({ state: 'ready', attempts: 1 });
    expect((await flags()).map(({ kind }) => kind)).toEqual(['voucher-retries-spent']);
    expect(await postOne(ctx, 'v_ch_1_sale')).toBe('posted');
    expect(await openFlags()).toEqual([]);
    expect(inFortnox()).toHaveLength(1);
  });

  it('a consent that is gone: one flag at the first attempt, however many vouchers wait', async () => {
    await synced(sale());
    await fortnoxState({ serviceConsent: null });
    // Revoked, the tokens in memory are worth nothing either.
    world.fortnoxEmulator.core.state().tokens = {};
    for (const retry of [0, 1]) {
      await expect(postTask(ctx, { voucherId: 'v_ch_1_sale' }, retry)).rejects.toThrow(/invalid_grant/);
    }
    expect(await voucher()).toMatchObject({ state: 'ready' });
    const [flag, ...others] = await flags();
    expect(others).toEqual([]);
    expect(flag).toMatchObject({ id: 'fortnox-unauthorized', severity: 'critical' });
    expect(flag?.message).toMatch(/consent still stands/);
  });

  it('no token: back to ready', async () => {
    await synced(sale());
    await world.control('fortnox', 'faults', { kind: 'unauthorized', times: 2 });
    await expect(postOne(ctx, 'v_ch_1_sale')).rejects.toThrow(/consent/);
    expect(await voucher()).toMatchObject({ state: 'ready' });
    expect(await postOne(ctx, 'v_ch_1_sale')).toBe('posted');
  });

  it('what is not in Fortnox after a day is told to a person', async () => {
    await fortnoxState({ lockedPeriod: '2999-12-31' });
    await synced(sale());
    await work();
    await world.advance(days(1) + hours(1));
    expect(await resolveVouchers(ctx, world.now())).toEqual({ queued: 1, late: 1 });
    expect(await openFlags()).toContain('vouchers-late');
    await fortnoxState({ lockedPeriod: null });
    // One that still waits, if not at this moment, is late still.
    await resolveVouchers(ctx, new Date(world.now().getTime() - minutes(50)));
    expect(await openFlags()).toContain('vouchers-late');
    await work();
    await resolveVouchers(ctx, world.now());
    expect(await openFlags()).toEqual([]);
  });
});
