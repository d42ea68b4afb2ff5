import { Timestamp } from 'firebase-admin/firestore';
import type { Flag } from '../admin/flags.ts';
import type { AuditEntry } from '../admin/audit.service.ts';
import {
  coachPayout,
  destinationSale,
  ownSale,
  stripeFee,
  type LedgerDocument,
  type LedgerEntry,
} from '../ledger/ledger.ts';
import { createEntry } from '../ledger/ledger.store.ts';
import { businessDate, hours, minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { minor } from '../platform/money.ts';
import { proveFortnox } from '../reconciliation/fortnox-side.service.ts';
import { checkInvariants } from '../reconciliation/invariants.service.ts';
import { proveVouchers } from '../reconciliation/vouchers.service.ts';
import { createTestFirestore } from '../testing/firestore.ts';
import { createTestWorld, forgetFortnox, type TestWorld } from '../testing/world.ts';
import { postTask } from './accounting.api.ts';
import { resolveVouchers, retryVoucher, syncBooks } from './accounting.service.ts';
import type { Voucher } from './accounting.ts';
import { correctVoucher, correctVouchers } from './corrections.service.ts';
import { exportSie, exportTransactions } from './exports/exports.service.ts';
import { booksOf } from './grouping.service.ts';
import { redrawVoucher } from './redraw.service.ts';
import { postedRows } from './vouchers.ts';

const anna = { uid: 'anna' };
const crash = new Error('the process died here');
let stopAt: ((operation: string) => boolean) | undefined;
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
  forgetFortnox(world, {
    timeoutMs: 20_000,
    // The emulator's window slides with the clock of the test.
    sleep: (ms) => world.advance(ms),
  });
});

afterEach(() => world.close());

// Last year: what is corrected today is corrected in another financial year.
const year = new Date().getUTCFullYear() - 1;
const at = (day: string) => Timestamp.fromDate(new Date(`${year}-${day}T10:00:00Z`));
const karin = { coachId: 'karin', stripeAccountId: 'acct_1' };
const sale = (id: string, occurredAt = at('12-02')): LedgerEntry =>
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
const own = (id: string): LedgerEntry =>
  ownSale({
    chargeId: id,
    paymentId: `pi_${id}`,
    occurredAt: at('12-03'),
    currency: 'SEK',
    grossMinor: minor(9_900),
    vatRate: 25,
    balanceTransactionIds: [`txn_${id}`],
  });
const fee = (id: string) =>
  stripeFee({ balanceTransactionId: `txn_${id}`, occurredAt: at('12-02'), currency: 'SEK', feeMinor: minor(929) });
const payout = (): LedgerEntry =>
  coachPayout({
    ...karin,
    stripePayoutId: 'po_1',
    payoutId: 'karin_po_1',
    occurredAt: at('12-07'),
    currency: 'SEK',
    amountMinor: minor(40_000),
    balanceTransactionId: 'txn_po_1',
  });

const read = async <T>(path: string) => (await ctx.db.doc(path).get()).data() as T;
const voucher = (id: string) => read<Voucher>(`vouchers/${id}`);
const all = async <T>(name: string) => (await ctx.db.collection(name).get()).docs.map((doc) => doc.data() as T);
const kindsOfFlags = async () =>
  (await all<Flag>('flags')).filter(({ status }) => status === 'open').map(({ kind }) => kind);
const inFortnox = () => world.fortnoxEmulator.core.state().vouchers;
const fault = (kind: string, path = '/3/vouchers') =>
  world.control('fortnox', 'faults', { kind, method: 'POST', path });
const profile = (accountingProfile: 'specification' | 'agent' | 'principal') => {
  ctx.config = { ...ctx.config, accountingProfile };
};
const byDay = () => {
  ctx.config = { ...ctx.config, voucherGrouping: 'day' };
};

async function book(...entries: (LedgerEntry | undefined)[]): Promise<void> {
  for (let i = 0; i < entries.length; i += 500) {
    await ctx.db.runTransaction(async (tx) => {
      for (const entry of entries.slice(i, i + 500)) if (entry) createEntry(ctx.db, tx, entry, world.now());
    });
  }
}

/** Runs what is queued until nothing is, as the queue would. */
async function work(): Promise<void> {
  while (world.tasks.length > 0) {
    for (const { payload } of world.tasks.splice(0))
      await postTask(ctx, payload as { voucherId: string }, 0).catch(() => undefined);
  }
}

async function posted(...entries: (LedgerEntry | undefined)[]): Promise<void> {
  await book(...entries);
  await syncBooks(ctx, world.now());
  await work();
}

let requests = 0;
const correct = (voucherId: string, requestId = `correct-${++requests}`) =>
  correctVoucher(ctx, anna, { voucherId, reason: 'Fel profil', requestId });

/** The lost task or answer is made up for by the sweep. */
async function sweep(): Promise<void> {
  await world.advance(hours(1) + minutes(1));
  await resolveVouchers(ctx, world.now());
  await work();
}

/** What holds at every moment of a correction. */
async function expectProven(): Promise<void> {
  expect((await proveVouchers(ctx)).difference).toBeUndefined();
  expect((await proveFortnox(ctx, undefined)).differences).toEqual([]);
  expect(Object.entries(await checkInvariants(ctx)).filter(([, held]) => !held)).toEqual([]);
}

/** What Fortnox holds, over the years. */
function balance(): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { account, debitOre, creditOre } of inFortnox().flatMap(({ rows }) => rows))
    found[account] = (found[account] ?? 0) + debitOre - creditOre;
  return Object.fromEntries(Object.entries(found).filter(([, moved]) => moved !== 0));
}

/** What the ledger comes to by the rules and the configuration of now. */
async function byRulesOfNow(): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const document of await all<LedgerDocument>('ledger')) {
    const rows = postedRows(document, booksOf(ctx));
    if (rows.outcome !== 'rows') continue;
    for (const [account, moved] of rows.moved) found[account] = (found[account] ?? 0) + moved;
  }
  return Object.fromEntries(Object.entries(found).filter(([, moved]) => moved !== 0));
}

/** Everything is in Fortnox once, by the rules of now, and every document in the one voucher that it names. */
async function expectCorrected(): Promise<void> {
  const vouchers = new Map((await all<Voucher>('vouchers')).map((one) => [one.id, one]));
  for (const { id, state, key, list } of vouchers.values()) {
    expect(`${id} ${state} ${list?.state ?? 'attached'}`).toBe(`${id} posted attached`);
    expect(inFortnox().filter(({ description }) => description.endsWith(key))).toHaveLength(1);
  }
  expect(inFortnox()).toHaveLength(vouchers.size);
  const holding = [...vouchers.values()].filter(({ correctedBy }) => correctedBy === undefined);
  const named = holding.flatMap(({ ledgerIds }) => ledgerIds);
  expect(new Set(named).size).toBe(named.length);
  for (const { id, voucherId } of await all<LedgerDocument>('ledger')) {
    expect(vouchers.get(voucherId ?? '')).toMatchObject({ ledgerIds: expect.arrayContaining([id]) as string[] });
    expect(vouchers.get(voucherId ?? '')?.correctedBy).toBeUndefined();
  }
  expect(balance()).toEqual(await byRulesOfNow());
  await expectProven();
}

const today = () => businessDate(world.now());
const reason = (value: string) => ({ reason: value });

describe('correctVoucher', () => {
  it('takes a payout’s voucher back and books it anew, in the year of today; the payout names the new one', async () => {
    await ctx.db.doc('payouts/karin_po_1').set({ coachId: 'karin', amountMinor: 40_000 });
    await posted(sale('ch_1'), payout());
    profile('agent');
    await expectProven();
    const id = 'v_po_1_payout';
    expect(await correct(id)).toEqual({
      voucherId: id,
      reversingVoucherId: `${id}_r1`,
      newVoucherId: `${id}_n1`,
      state: 'ready',
    });
    await correct('v_ch_1_sale');
    await expectProven();
    for (const { payload } of world.tasks.splice(0)) {
      await postTask(ctx, payload as { voucherId: string }, 0);
      await expectProven();
    }
    await expectCorrected();
    const [reversing, rebooked] = [await voucher(`${id}_r1`), await voucher(`${id}_n1`)];
    expect(reversing).toMatchObject({
      date: today(),
      eventDate: `${year}-12-07`,
      corrects: id,
      correction: { by: 'anna', reason: 'Fel profil' },
      description: `Rättar S 2 (${year}) avser ${year}-12-07: Fel profil ${reversing.key}`,
      fortnoxReference: expect.stringMatching(new RegExp(`\\(${year + 1}\\)$`)) as string,
    });
    expect(rebooked).toMatchObject({ date: today(), eventDate: `${year}-12-07`, rebooks: id, profile: 'agent' });
    expect(await voucher(id)).toMatchObject({ correctedBy: `${id}_r1`, ledgerIds: ['po_1:payout'] });
    expect(await read('payouts/karin_po_1')).toMatchObject({ fortnoxReference: rebooked.fortnoxReference });
    expect(await read<LedgerDocument>('ledger/po_1:payout')).toMatchObject({ voucherId: `${id}_n1` });
    expect((await all<AuditEntry>('auditLog')).find(({ subject }) => subject === `vouchers/${id}`)).toMatchObject({
      by: 'anna',
      action: 'correctVoucher',
      note: 'Fel profil',
      after: { reversingVoucherId: `${id}_r1`, newVoucherId: `${id}_n1` },
    });
    expect(await kindsOfFlags()).toEqual([]);
    const december = { from: `${year}-12-01`, to: `${year}-12-31` };
    const table = await exportTransactions(ctx, { ...december, format: 'csv' });
    expect(Buffer.from(table.base64, 'base64').toString()).toContain(`po_1:payout;${rebooked.fortnoxReference}`);
    expect(await exportSie(ctx, december)).toMatchObject({ count: 2, complete: true });
    expect(await exportSie(ctx, { from: today(), to: today() })).toMatchObject({ count: 4, complete: true });
  });

  it('gives the same requestId the same answer, and another input a refusal', async () => {
    await posted(sale('ch_1'));
    profile('agent');
    const first = await correct('v_ch_1_sale', 'a-correction');
    expect(await correct('v_ch_1_sale', 'a-correction')).toEqual(first);
    await work();
    expect(await correct('v_ch_1_sale', 'a-correction')).toEqual(first);
    await work();
    await expect(correct('v_ch_2_sale', 'a-correction')).rejects.toMatchObject(reason('request-id-reused'));
    expect(await all('vouchers')).toHaveLength(3);
    await expectCorrected();
  });

  it('of two administrators who ask at once one is refused', async () => {
    await posted(sale('ch_1'));
    profile('agent');
    const input = { voucherId: 'v_ch_1_sale', reason: 'Fel profil', requestId: 'both-at-once' };
    const both = await Promise.allSettled([anna, { uid: 'bo' }].map((by) => correctVoucher(ctx, by, input)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find((one) => one.status === 'rejected')?.reason).toMatchObject(reason('voucher-already-corrected'));
    await work();
    await expectCorrected();
    expect(await all('vouchers')).toHaveLength(3);
  });

  // More than one commit takes.
  it.each([2, 1_001])(
    'survives a crash at every database call, and is finished by asking again or by the sweep (%i documents)',
    async (size) => {
      byDay();
      await posted(...Array.from({ length: size }, (_, i) => sale(`ch_${i}`)));
      const profiles = ['agent', 'principal'] as const;
      let id = `v_${year}-12-02_sale_1`;
      for (let survived = 0, ended = false; !ended; survived += 1) {
        profile(profiles[survived % 2] ?? 'agent');
        let calls = 0;
        stopAt = () => calls++ >= survived;
        ended = await correct(id, `crashed-${survived}`).then(
          () => true,
          () => false,
        );
        stopAt = undefined;
        world.tasks.splice(0);
        expect((await proveVouchers(ctx)).difference).toBeUndefined();
        const made = (await voucher(id)).correctedBy !== undefined;
        // Whoever asked gives up, or asks again.
        if (!made || survived % 2 === 0) await correct(id, `crashed-${survived}`);
        id = `${id.replace(/_n\d+$/, '')}_n${survived + 1}`;
        // A long list takes long to make.
        if (size > 1_000) await ctx.db.doc(`vouchers/${id}`).update({ 'list.state': 'attached' });
        await sweep();
        await sweep();
        expect(await voucher(id)).toMatchObject({ state: 'posted', list: { state: 'attached' } });
        const named = new Set((await all<LedgerDocument>('ledger')).map(({ voucherId }) => voucherId));
        expect([...named]).toEqual([id]);
      }
      await expectCorrected();
    },
    180_000,
  );

  it('that could not be queued is posted by the sweep', async () => {
    await posted(sale('ch_1'));
    profile('agent');
    const { enqueue } = ctx.tasks;
    ctx.tasks.enqueue = () => Promise.reject(new Error('Cloud Tasks does not answer'));
    await expect(correct('v_ch_1_sale')).rejects.toThrow('Cloud Tasks');
    ctx.tasks.enqueue = enqueue;
    await sweep();
    await expectCorrected();
  });

  it('whose reversing voucher Fortnox takes and answers by silence is found by its key', async () => {
    await posted(sale('ch_1'));
    profile('agent');
    await correct('v_ch_1_sale');
    await fault('commit_then_drop');
    await work();
    expect((await voucher('v_ch_1_sale_r1')).state).toBe('unknown');
    expect((await proveVouchers(ctx)).difference).toBeUndefined();
    await sweep();
    await expectCorrected();
    expect(inFortnox()).toHaveLength(3);
  });

  it('whose reversing voucher Fortnox refuses is flagged, and sent again by hand', async () => {
    await posted(sale('ch_1'), own('ch_2'));
    ctx.config = { ...ctx.config, accountNumbers: { feeRevenue: 3990 } };
    await correct('v_ch_1_sale');
    const active = (value: boolean) =>
      world.control('fortnox', 'state', { accounts: [{ number: 3921, active: value }] });
    await active(false);
    await work();
    expect(await kindsOfFlags()).toEqual(['account-unusable']);
    expect((await voucher('v_ch_1_sale_n1')).state).toBe('posted');
    await expectProven();
    const rejecting = { ...(await voucher('v_ch_1_sale_r1')), state: 'rejected' as const };
    await ctx.db.doc('vouchers/v_ch_1_sale_r1').set(rejecting);
    await expectProven();
    await active(true);
    await retryVoucher(ctx, 'v_ch_1_sale_r1', world.now());
    await work();
    await expectCorrected();
  });

  it('is had by what Fortnox holds whole only, once, and only where something differs', async () => {
    byDay();
    await posted(own('ch_1'));
    const id = `v_${year}-12-03_own_sale_1`;
    await expect(correct(id)).rejects.toMatchObject(reason('nothing-to-correct'));
    await expect(correct('v_nothing')).rejects.toMatchObject(reason('voucher-not-found'));
    profile('agent');
    await ctx.db.doc(`vouchers/${id}`).update({ 'list.state': 'uploaded' });
    await expect(correct(id)).rejects.toMatchObject(reason('voucher-list-not-attached'));
    await ctx.db.doc(`vouchers/${id}`).update({ 'list.state': 'attached' });
    expect(await all('auditLog')).toEqual([]);
    await correct(id);
    await expect(correct(id)).rejects.toMatchObject(reason('voucher-already-corrected'));
    await expect(correct(`${id}_r1`)).rejects.toMatchObject(reason('voucher-is-reversing'));
    await expect(correct(`${id}_n1`)).rejects.toMatchObject(reason('voucher-not-posted'));
    await work();
    await expect(correct(`${id}_n1`)).rejects.toMatchObject(reason('nothing-to-correct'));
    await ctx.db.doc('ledger/ch_1:sale').update({ voucherId: 'v_elsewhere' });
    profile('principal');
    ctx.config = { ...ctx.config, accountNumbers: { sales25: 3041 } };
    await expect(correct(`${id}_n1`)).rejects.toMatchObject(reason('voucher-documents-elsewhere'));
  });

  it('is not made in a locked period: it waits, or is dated the first open day', async () => {
    await posted(sale('ch_1'), own('ch_2'));
    profile('agent');
    const lock = (lockedPeriod: string | null) => world.control('fortnox', 'state', { lockedPeriod });
    await lock(`${year}-12-31`);
    await correct('v_ch_1_sale');
    await work();
    // The month of the sale is closed; today is open.
    await lock(null);
    expect(await voucher('v_ch_1_sale_r1')).toMatchObject({ state: 'posted', date: today() });
    await lock(today());
    ctx.config = { ...ctx.config, lockedPeriod: 'first_open_day' };
    await world.advance(minutes(2));
    await correct('v_ch_2_sale');
    const discovered = today();
    await work();
    expect(await voucher('v_ch_2_sale_r1')).toMatchObject({ state: 'ready', date: discovered });
    expect(await kindsOfFlags()).toEqual(['period-locked']);
    await world.advance(hours(24));
    await sweep();
    for (const id of ['v_ch_2_sale_r1', 'v_ch_2_sale_n1']) {
      expect(await voucher(id)).toMatchObject({ state: 'posted', eventDate: `${year}-12-03` });
      expect((await voucher(id)).date > discovered).toBe(true);
      expect((await voucher(id)).description.match(/avser/g)).toHaveLength(1);
    }
    await lock(null);
    await expectCorrected();
  });
});

describe('correctVouchers', () => {
  const range = { from: `${year}-12-01`, to: `${year}-12-31`, reason: 'Nya konton', requestId: 'many-of-them' };

  it('corrects a period a page at a time, leaves what is right, and asked again does nothing more', async () => {
    await posted(...Array.from({ length: 60 }, (_, i) => sale(`ch_${i}`)), own('ch_60'), fee('ch_1'));
    ctx.config = { ...ctx.config, accountNumbers: { feeRevenue: 3990 } };
    const first = await correctVouchers(ctx, anna, range);
    expect([first.corrected.length, first.skipped.length]).toEqual([50, 0]);
    const repeated = await correctVouchers(ctx, anna, range);
    expect(repeated).toEqual(first);
    const second = await correctVouchers(ctx, anna, { ...range, cursor: first.nextCursor ?? '' });
    expect([second.corrected.length, second.nextCursor]).toEqual([10, null]);
    expect(second.skipped).toEqual([
      { voucherId: 'v_txn_ch_1_fee', reason: 'nothing-to-correct' },
      { voucherId: 'v_ch_60_sale', reason: 'nothing-to-correct' },
    ]);
    await work();
    await expectCorrected();
    const again = new Set<string>();
    for (let cursor: string | undefined, pages = 0; pages === 0 || cursor; pages += 1) {
      const page = await correctVouchers(ctx, anna, { ...range, to: today(), cursor, requestId: 'once-more' });
      expect(page.corrected).toEqual([]);
      for (const { reason: why } of page.skipped) again.add(why);
      cursor = page.nextCursor ?? undefined;
    }
    expect([...again].sort()).toEqual(['nothing-to-correct', 'voucher-already-corrected', 'voucher-is-reversing']);
    await expect(correctVouchers(ctx, anna, { ...range, cursor: 'v_nothing' })).rejects.toMatchObject(
      reason('cursor-unknown'),
    );
  }, 60_000);

  it('ends a page after a day’s voucher of five thousand', async () => {
    byDay();
    await book(...Array.from({ length: 5_000 }, (_, i) => sale(`ch_${i}`)), own('ch_own'));
    await syncBooks(ctx, world.now());
    // Their lists are long to make.
    for (const { id } of await all<Voucher>('vouchers'))
      await ctx.db.doc(`vouchers/${id}`).update({ state: 'posted', 'list.state': 'attached' });
    profile('agent');
    const first = await correctVouchers(ctx, anna, range);
    expect(first.corrected.map(({ voucherId }) => voucherId)).toEqual([`v_${year}-12-02_sale_1`]);
    const second = await correctVouchers(ctx, anna, { ...range, cursor: first.nextCursor ?? '' });
    expect(second.corrected.map(({ voucherId }) => voucherId)).toEqual([`v_${year}-12-03_own_sale_1`]);
    expect(second.nextCursor).toBeNull();
    const named = new Set((await all<LedgerDocument>('ledger')).map(({ voucherId }) => voucherId));
    expect([...named].sort()).toEqual([`v_${year}-12-02_sale_1_n1`, `v_${year}-12-03_own_sale_1_n1`]);
  }, 60_000);
});

describe('redrawVoucher', () => {
  const active = (number: number, value: boolean) =>
    world.control('fortnox', 'state', { accounts: [{ number, active: value }] });
  const redraw = (id: string) => redrawVoucher(ctx, anna, id);

  it.each(['transaction', 'day'] as const)(
    'by %s: one that waits for an account is drawn up with another, and posted on its day',
    async (grouping) => {
      ctx.config = { ...ctx.config, voucherGrouping: grouping };
      await active(3921, false);
      await posted(sale('ch_1'), own('ch_2'));
      expect(await kindsOfFlags()).toEqual(['account-unusable']);
      const [held] = (await all<Voucher>('vouchers')).filter(({ state }) => state !== 'posted');
      const id = held?.id ?? '';
      await expect(redraw(id)).resolves.toEqual({ voucherId: id, state: 'ready' });
      await world.advance(minutes(1));
      ctx.config = { ...ctx.config, accountNumbers: { feeRevenue: 3990 } };
      await redraw(id);
      expect(await voucher(id)).toMatchObject({ date: held?.date, key: held?.key, description: held?.description });
      expect(await kindsOfFlags()).toEqual([]);
      await work();
      await expectCorrected();
      expect(inFortnox()).toHaveLength(2);
      const audited = (await all<AuditEntry>('auditLog')).filter(({ action }) => action === 'retryVoucher');
      expect(audited).toHaveLength(2);
    },
  );

  it('one that Fortnox refused is drawn up anew; one that is posted, or may be, keeps its rows', async () => {
    await posted(sale('ch_1'));
    profile('agent');
    for (const state of ['sending', 'unknown', 'posted'] as const) {
      await ctx.db.doc('vouchers/v_ch_1_sale').update({ state });
      await expect(redraw('v_ch_1_sale')).rejects.toMatchObject(reason('voucher-not-rejected'));
    }
    await ctx.db.doc('vouchers/v_ch_1_sale').update({ state: 'ready', unclearAt: Timestamp.fromDate(world.now()) });
    await expect(redraw('v_ch_1_sale')).rejects.toMatchObject(reason('voucher-not-rejected'));
    await expect(redraw('v_nothing')).rejects.toMatchObject(reason('voucher-not-found'));
    await book(sale('ch_2'));
    await syncBooks(ctx, world.now());
    await ctx.db.doc('vouchers/v_ch_2_sale').update({ state: 'rejected' });
    profile('specification');
    await redraw('v_ch_2_sale');
    expect((await voucher('v_ch_2_sale')).profile).toBe('specification');
    await ctx.db.doc('vouchers/v_ch_2_sale').update({ corrects: 'v_ch_1_sale' });
    await expect(redraw('v_ch_2_sale')).rejects.toMatchObject(reason('voucher-is-reversing'));
  });

  it('while a worker takes it: either the worker posts the rows of now, or it is not drawn up', async () => {
    await active(3921, false);
    await posted(sale('ch_1'));
    ctx.config = { ...ctx.config, accountNumbers: { feeRevenue: 3990 } };
    await active(3921, true);
    await world.advance(hours(1));
    const [drawn] = await Promise.allSettled([redraw('v_ch_1_sale'), postTask(ctx, { voucherId: 'v_ch_1_sale' }, 0)]);
    await work();
    await sweep();
    const { rows, state } = await voucher('v_ch_1_sale');
    expect(state).toBe('posted');
    expect(inFortnox()).toHaveLength(1);
    const numbers = rows.map(({ account }) => account);
    expect(
      inFortnox()[0]
        ?.rows.map(({ account }) => account)
        .sort(),
    ).toEqual([...numbers].sort());
    expect(numbers.includes(3990)).toBe(drawn.status === 'fulfilled');
    await expectProven();
  });
});
