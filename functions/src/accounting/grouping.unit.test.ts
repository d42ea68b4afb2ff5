import { Timestamp } from 'firebase-admin/firestore';
import type { Flag } from '../admin/flags.ts';
import {
  coachPayout,
  destinationSale,
  ownSale,
  stripeFee,
  type LedgerDocument,
  type LedgerEntry,
} from '../ledger/ledger.ts';
import { createEntry } from '../ledger/ledger.store.ts';
import { transfer } from '../ledger/shares.ts';
import { hours, minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { minor } from '../platform/money.ts';
import { createTestFirestore } from '../testing/firestore.ts';
import { createTestWorld, forgetFortnox, type TestWorld } from '../testing/world.ts';
import { postTask } from './accounting.api.ts';
import { resolveVouchers, syncBooks, syncByNight } from './accounting.service.ts';
import type { Voucher } from './accounting.ts';
import { attachList } from './lists.service.ts';

let stopAt: ((operation: string) => boolean) | undefined;
const crash = new Error('the process died here');
let world: TestWorld;
let ctx: Context;

beforeEach(async () => {
  stopAt = undefined;
  let now = () => new Date();
  const db = createTestFirestore({
    now: () => now(),
    onAwait: (operation) => {
      if (stopAt?.(operation)) throw crash;
    },
  });
  world = await createTestWorld({ db });
  now = () => world.now();
  ctx = world.ctx;
  ctx.config = { ...ctx.config, voucherGrouping: 'day' };
  forgetFortnox(world, {
    // Making a list of two thousand lines keeps this process, and the emulator in it, busy for seconds.
    timeoutMs: 20_000,
    // The emulator's window slides with the clock of the test.
    sleep: (ms) => world.advance(ms),
  });
});

afterEach(() => world.close());

// Last year is over, so no day of it is in the future.
const year = new Date().getUTCFullYear() - 1;
const at = (day: string, time = '10:00') => Timestamp.fromDate(new Date(`${year}-${day}T${time}:00Z`));
const karin = { coachId: 'karin', stripeAccountId: 'acct_1' };
const sale = (id: string, occurredAt: Timestamp): LedgerEntry =>
  destinationSale({
    ...karin,
    chargeId: id,
    paymentId: `pi_${id}`,
    occurredAt,
    currency: 'SEK',
    grossMinor: minor(49_900),
    coachMinor: minor(40_000),
    feeMinor: minor(9_900),
    vatRate: 25,
    balanceTransactionIds: [`txn_${id}`],
  });
const own = (id: string, occurredAt: Timestamp): LedgerEntry =>
  ownSale({
    chargeId: id,
    paymentId: `pi_${id}`,
    occurredAt,
    currency: 'SEK',
    grossMinor: minor(9_900),
    vatRate: 25,
    balanceTransactionIds: [`txn_${id}`],
  });
const fee = (id: string, occurredAt: Timestamp) =>
  stripeFee({ balanceTransactionId: `txn_${id}`, occurredAt, currency: 'SEK', feeMinor: minor(929) });
const payout = (id: string, occurredAt: Timestamp) =>
  coachPayout({
    ...karin,
    stripePayoutId: id,
    payoutId: `karin_${id}`,
    occurredAt,
    currency: 'SEK',
    amountMinor: minor(40_000),
    balanceTransactionId: `txn_${id}`,
  });

async function book(...entries: (LedgerEntry | undefined)[]): Promise<void> {
  for (let i = 0; i < entries.length; i += 500) {
    await ctx.db.runTransaction(async (tx) => {
      for (const entry of entries.slice(i, i + 500)) if (entry) createEntry(ctx.db, tx, entry, world.now());
    });
  }
}

const vouchers = async () =>
  new Map((await ctx.db.collection('vouchers').get()).docs.map((doc) => [doc.id, doc.data() as Voucher]));
const ledger = async () => (await ctx.db.collection('ledger').get()).docs.map((doc) => doc.data() as LedgerDocument);
const flags = async () => (await ctx.db.collection('flags').get()).docs.map((doc) => doc.data() as Flag);
const fortnoxSide = () => world.fortnoxEmulator.core.state();
const balance = () => world.control<Record<string, number>>('fortnox', 'trial-balance?financialyear=1');

/** Runs what is queued until nothing is, as the queue would. */
async function work(): Promise<void> {
  while (world.tasks.length > 0) {
    for (const { payload } of world.tasks.splice(0))
      await postTask(ctx, payload as { voucherId: string }, 0).catch(() => undefined);
  }
}

/** Every document names one voucher, which names it; none is named twice. */
async function expectEachOnce(): Promise<void> {
  const all = await vouchers();
  const named = [...all.values()].flatMap(({ ledgerIds }) => ledgerIds);
  expect(new Set(named).size).toBe(named.length);
  for (const { id, voucherId } of await ledger()) {
    if (voucherId !== 'none') expect(all.get(voucherId ?? '')?.ledgerIds).toContain(id);
  }
}

describe('vouchers by day', () => {
  it('are one a day and kind, with the list attached, and come to the same balance', async () => {
    await ctx.db.doc('payouts/karin_po_1').set({ coachId: 'karin', amountMinor: 40_000 });
    await ctx.db.doc('payouts/karin_po_2').set({ coachId: 'karin', amountMinor: 40_000 });
    const day = ['a', 'b', 'c'].flatMap((id) => [sale(id, at('03-02')), fee(id, at('03-02'))]);
    // 23:00 and 22:59 in winter are midnight and the minute before in Stockholm.
    await book(...day, own('d', at('03-02', '22:59')), own('e', at('03-02', '23:00')));
    await book(payout('po_1', at('03-02')), payout('po_2', at('03-02')));
    await book(
      transfer({
        ...karin,
        paymentId: 'p',
        stripeObjectId: 'tr_1',
        occurredAt: at('03-02'),
        currency: 'SEK',
        amountMinor: minor(5),
        balanceTransactionIds: ['t'],
      }),
    );
    expect(await syncBooks(ctx, world.now())).toEqual({ grouped: 5, queued: 5 });
    await work();
    const made = await vouchers();
    const names = ['02_fee_1', '02_own_sale_1', '02_payout_1', '02_sale_1', '03_own_sale_1'];
    expect([...made.keys()].sort()).toEqual(names.map((name) => `v_${year}-03-${name}`));
    // One alone is named by the voucher itself.
    expect(
      [...made.values()].map(({ state, list, ledgerIds }) => `${state} ${list?.state} ${ledgerIds.length > 1}`).sort(),
    ).toEqual([
      'posted attached true',
      'posted attached true',
      'posted attached true',
      'posted undefined false',
      'posted undefined false',
    ]);
    expect(made.get(`v_${year}-03-03_own_sale_1`)?.description).toMatch(/^Egen försäljning e \w{12}$/);
    expect(await balance()).toEqual({
      1686: 3 * 49_900 + 2 * 9_900 - 3 * 929 - 80_000,
      3001: -3 * 40_000 - 2 * 9_900,
      3921: -3 * 9_900,
      5090: 80_000,
      6570: 3 * 929,
    });
    expect(made.get(`v_${year}-03-02_sale_1`)?.description).toMatch(
      /^Försäljning \d{4}-03-02 nr 1, 3 st enligt bifogad lista \w{12}$/,
    );
    const { files, fileConnections } = fortnoxSide();
    expect([files.length, fileConnections.length]).toEqual([3, 3]);
    expect(
      Buffer.from(files[0]?.contentBase64 ?? '', 'base64')
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-');
    const reference = made.get(`v_${year}-03-02_payout_1`)?.fortnoxReference;
    for (const id of ['po_1', 'po_2'])
      expect((await ctx.db.doc(`payouts/karin_${id}`).get()).data()).toMatchObject({ fortnoxReference: reference });
    expect((await ledger()).find(({ kind }) => kind === 'transfer')?.voucherId).toBe('none');
    await expectEachOnce();
  });

  it('take what comes late into the next of that day; what is posted stays as it is', async () => {
    await book(sale('a', at('03-02')));
    await syncBooks(ctx, world.now());
    await work();
    await book(sale('late', at('03-02', '09:00')));
    await syncBooks(ctx, world.now());
    await work();
    const made = await vouchers();
    expect([...made.values()].map(({ sequence, ledgerIds, state }) => ({ sequence, ledgerIds, state }))).toEqual([
      { sequence: 1, ledgerIds: ['a:sale'], state: 'posted' },
      { sequence: 2, ledgerIds: ['late:sale'], state: 'posted' },
    ]);
  });

  it('of the night hold whole days only, on the nights of summer time too', async () => {
    // Sunday the last of March 2026 and of October: 23 and 25 hours.
    for (const [night, before, after] of [
      ['2026-03-29T00:30:00Z', '2026-03-28T22:59:59Z', '2026-03-28T23:00:00Z'],
      ['2026-10-25T00:30:00Z', '2026-10-24T21:59:59Z', '2026-10-24T22:00:00Z'],
    ] as const) {
      await book(
        own(`before ${night}`, Timestamp.fromDate(new Date(before))),
        own(`after ${night}`, Timestamp.fromDate(new Date(after))),
      );
      expect((await syncByNight(ctx, new Date(night))).grouped).toBe(1);
      expect((await syncByNight(ctx, new Date(new Date(night).getTime() + hours(25)))).grouped).toBe(1);
    }
    await expectEachOnce();
  });

  it('hold each document once when two runs meet, and when a run dies at any commit', async () => {
    await book(
      ...Array.from({ length: 30 }, (_, i) => sale(`s${i}`, at('03-02'))),
      ...Array.from({ length: 9 }, (_, i) => own(`o${i}`, at('03-03'))),
    );
    const both = await Promise.all([syncBooks(ctx, world.now()), syncBooks(ctx, world.now())]);
    expect(both[0].grouped + both[1].grouped).toBe(2);
    await book(...Array.from({ length: 8 }, (_, i) => own(`l${i}`, at(`04-0${i + 1}`))));
    for (let survived = 0; ; survived += 1) {
      let commits = 0;
      stopAt = (operation) => operation === 'transaction.commit' && commits++ === survived;
      try {
        await syncBooks(ctx, world.now());
        break;
      } catch (error) {
        expect(error).toBe(crash);
      }
    }
    stopAt = undefined;
    expect((await vouchers()).size).toBe(10);
    await expectEachOnce();
  });

  it('are filled a thousand documents a commit, whole at each; one that was tried meanwhile is left as it is', async () => {
    const day = `v_${year}-03-02_sale_`;
    await book(...Array.from({ length: 2_500 }, (_, i) => sale(`s${i}`, at('03-02'))));
    let commits = 0;
    stopAt = (operation) => operation === 'transaction.commit' && commits++ === 2;
    await expect(syncBooks(ctx, world.now())).rejects.toBe(crash);
    stopAt = undefined;
    const [first] = [...(await vouchers()).values()];
    expect(first).toMatchObject({ id: `${day}1`, clearingMinor: 2_000 * 49_900 });
    expect(first?.description).toMatch(/nr 1, 2000 st enligt/);
    expect((await ledger()).filter(({ voucherId }) => voucherId === null)).toHaveLength(500);
    await book(...Array.from({ length: 1_500 }, (_, i) => sale(`t${i}`, at('03-02'))));
    // Between this run's two commits another one queues what it finds, and a worker takes it.
    commits = 0;
    stopAt = (operation) => {
      if (operation === 'transaction.commit') commits += 1;
      if (operation === 'query' && commits === 1) {
        commits += 1;
        void ctx.db.doc(`vouchers/${day}2`).update({ state: 'sending', attempts: 1 });
      }
      return false;
    };
    expect((await syncBooks(ctx, world.now())).grouped).toBe(2);
    const sizes = [...(await vouchers()).values()].map(({ id, ledgerIds }) => [id, ledgerIds.length]);
    expect(sizes).toEqual([
      [`${day}1`, 2_000],
      [`${day}2`, 1_000],
      [`${day}3`, 1_000],
    ]);
    await expectEachOnce();
  }, 60_000);

  it('leave out what no rule covers, tell a person, and post the rest', async () => {
    await book(sale('a', at('03-02')), { ...sale('b', at('03-02')), currency: 'EUR' });
    expect((await syncBooks(ctx, world.now())).grouped).toBe(1);
    expect((await flags()).map(({ kind }) => kind)).toEqual(['voucher-unsupported']);
    expect((await ledger()).find(({ id }) => id === 'b:sale')?.voucherId).toBeNull();
  });

  it('ten thousand documents of a day take at most sixty calls of Fortnox', async () => {
    // More sales than one voucher holds.
    const some = [
      ...Array.from({ length: 5_100 }, (_, i) => sale(`s${i}`, at('03-02'))),
      ...Array.from({ length: 3_700 }, (_, i) => fee(`s${i}`, at('03-02'))),
    ];
    const rest = Array.from({ length: 1_200 }, (_, i) =>
      i % 4 === 0 ? payout(`po_${i}`, at('03-02')) : own(`o${i}`, at('03-02')),
    );
    await book(...some, ...rest);
    await syncBooks(ctx, world.now());
    await work();
    const made = [...(await vouchers()).values()];
    expect(made.map(({ list }) => list?.state)).toEqual(made.map(() => 'attached'));
    expect(made.map(({ ledgerIds }) => ledgerIds.length).sort((a, b) => a - b)).toEqual([100, 300, 900, 3_700, 5_000]);
    expect(fortnoxSide().requests.length).toBeLessThanOrEqual(60);
    await expectEachOnce();
  }, 180_000);
});

describe('the list of a voucher', () => {
  const posted = async () => {
    await book(sale('a', at('03-02')), sale('b', at('03-02')));
    await syncBooks(ctx, world.now());
  };
  const id = `v_${year}-03-02_sale_1`;
  const list = async () => (await vouchers()).get(id)?.list?.state;
  const fault = (path: string, kind: string) => world.control('fortnox', 'faults', { kind, method: 'POST', path });

  it('whose connection is answered by silence is looked for, and hangs there once', async () => {
    await posted();
    await fault('/3/voucherfileconnections', 'commit_then_drop');
    await work();
    expect(await list()).toBe('uploaded');
    await world.advance(minutes(6));
    await resolveVouchers(ctx, world.now());
    await work();
    expect(await list()).toBe('attached');
    expect(fortnoxSide().fileConnections).toHaveLength(1);
    expect(fortnoxSide().vouchers).toHaveLength(1);
    await world.advance(hours(30));
    expect(await resolveVouchers(ctx, world.now())).toEqual({ queued: 0, late: 0 });
  });

  it.each(['Id', 'ArchiveFileId'])('hangs by whichever id Fortnox wants (%s)', async (fileConnectionId) => {
    await world.control('fortnox', 'state', { switches: { fileConnectionId } });
    await posted();
    await work();
    expect(await list()).toBe('attached');
    expect(fortnoxSide().fileConnections).toHaveLength(1);
  });

  it('that the consent does not cover is told to a person and goes on when it does; the voucher is posted meanwhile', async () => {
    const whole = [...(fortnoxSide().serviceConsent?.scopes ?? [])];
    await world.control('fortnox', 'state', { serviceConsent: ['bookkeeping', 'companyinformation', 'settings'] });
    await posted();
    await work();
    expect(await list()).toBe('wanted');
    expect((await vouchers()).get(id)?.state).toBe('posted');
    expect((await flags()).map(({ kind, subject }) => [kind, subject])).toEqual([['voucher-list', `vouchers/${id}`]]);
    await world.control('fortnox', 'state', { serviceConsent: whole });
    fortnoxSide().tokens = {};
    await world.advance(hours(1) + minutes(1));
    expect(await resolveVouchers(ctx, world.now())).toEqual({ queued: 1, late: 0 });
    await work();
    expect(await list()).toBe('attached');
    expect(await flags()).toMatchObject([{ kind: 'voucher-list', status: 'resolved' }]);
  });

  // Posting takes two commits; the third claims the list, the fourth notes the upload, the fifth the connection.
  it.each([3, 4])(
    'is had by one worker at a time, and taken over from one that died after %d commits',
    async (last) => {
      await posted();
      let commits = 0;
      stopAt = (operation) => operation === 'transaction.commit' && commits++ >= last;
      await work();
      stopAt = undefined;
      expect(await attachList(ctx, id)).toBe('left');
      await world.advance(minutes(11));
      await resolveVouchers(ctx, world.now());
      await work();
      expect(await list()).toBe('attached');
      expect(fortnoxSide().fileConnections).toHaveLength(1);
    },
  );
});

describe('a locked period', () => {
  const lock = (lockedPeriod: string | null) => world.control('fortnox', 'state', { lockedPeriod });
  const id = 'v_a_sale';

  beforeEach(() => {
    ctx.config = { ...ctx.config, voucherGrouping: 'transaction' };
  });

  it('holds a voucher until it is unlocked', async () => {
    await lock(`${year}-03-31`);
    await book(sale('a', at('03-02')));
    await syncBooks(ctx, world.now());
    await work();
    expect(await vouchers().then((all) => all.get(id))).toMatchObject({ state: 'ready', date: `${year}-03-02` });
    await lock(null);
    await world.advance(hours(1) + minutes(1));
    await resolveVouchers(ctx, world.now());
    await work();
    expect((await vouchers()).get(id)).toMatchObject({ state: 'posted', date: `${year}-03-02` });
  });

  it('moves it to the first open day when the param says so, and its text keeps the day of the event', async () => {
    ctx.config = { ...ctx.config, lockedPeriod: 'first_open_day' };
    await lock(`${year}-03-31`);
    await book(sale('a', at('03-02')));
    await syncBooks(ctx, world.now());
    await world.control('fortnox', 'faults', { kind: 'commit_then_drop', method: 'POST', path: '/3/vouchers' });
    await work();
    await world.advance(minutes(6));
    await resolveVouchers(ctx, world.now());
    await work();
    expect((await vouchers()).get(id)).toMatchObject({
      state: 'posted',
      date: `${year}-04-01`,
      eventDate: `${year}-03-02`,
    });
    const [only, ...others] = fortnoxSide().vouchers;
    expect(others).toEqual([]);
    expect(only?.description).toMatch(new RegExp(`^Försäljning a avser ${year}-03-02 \\w{12}$`));
    expect(await flags()).toEqual([]);
  });

  it('is not left by a date in the future', async () => {
    ctx.config = { ...ctx.config, lockedPeriod: 'first_open_day' };
    await lock('2999-12-31');
    await book(sale('a', at('03-02')));
    await syncBooks(ctx, world.now());
    await work();
    expect((await vouchers()).get(id)).toMatchObject({ state: 'ready', date: `${year}-03-02` });
    expect((await flags()).map(({ kind }) => kind)).toEqual(['period-locked']);
  });
});
