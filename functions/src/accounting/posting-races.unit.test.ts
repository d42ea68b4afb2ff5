import { Timestamp } from 'firebase-admin/firestore';
import { ownSale } from '../ledger/ledger.ts';
import { createEntry } from '../ledger/ledger.store.ts';
import { days, minutes } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { minor } from '../platform/money.ts';
import { createTestFirestore } from '../testing/firestore.ts';
import { createTestWorld, forgetFortnox, type TestWorld } from '../testing/world.ts';
import { syncBooks } from './accounting.service.ts';
import type { Voucher } from './accounting.ts';
import { postOne } from './posting.service.ts';

/** What a voucher meets when Fortnox changes, its worker dies or another one acts between two of its steps. */
let stopAt: ((operation: string) => boolean) | undefined;
const crash = new Error('the process died here');
let world: TestWorld;
let ctx: Context;

beforeEach(async () => {
  stopAt = undefined;
  let now = () => new Date();
  const onAwait = (operation: string) => {
    if (stopAt?.(operation)) throw crash;
  };
  world = await createTestWorld({ db: createTestFirestore({ now: () => now(), onAwait }) });
  now = () => world.now();
  ctx = world.ctx;
  forgetFortnox(world, {
    timeoutMs: 2_000,
    sleep: async () => undefined,
  });
});

afterEach(() => world.close());

/** Sales of yesterday, each with its voucher. */
async function sold(...ids: string[]): Promise<void> {
  await ctx.db.runTransaction(async (tx) => {
    for (const id of ids) {
      const sale = ownSale({
        chargeId: id,
        paymentId: `pi_${id}`,
        occurredAt: Timestamp.fromMillis(world.now().getTime() - days(1)),
        currency: 'SEK',
        grossMinor: minor(9_900),
        vatRate: 25,
        balanceTransactionIds: [`txn_${id}`],
      });
      createEntry(ctx.db, tx, sale, world.now());
    }
  });
  await syncBooks(ctx, world.now());
}

const idOf = (charge: string) => `v_${charge}_sale`;
const voucher = async (charge: string) => (await ctx.db.doc(`vouchers/${idOf(charge)}`).get()).data() as Voucher;
const flags = async () => (await ctx.db.collection('flags').get()).docs.map(({ id }) => id);
const fortnoxSide = () => world.fortnoxEmulator.core.state();
const setFortnox = (change: object) => world.control('fortnox', 'state', change);
const fault = (kind: string, times = 1) =>
  world.control('fortnox', 'faults', { kind, method: 'POST', path: '/3/vouchers', times });

it('a register that changed behind our back costs one refusal; what follows is held, and goes on by itself', async () => {
  await sold('ch_1', 'ch_2', 'ch_3');
  expect(await postOne(ctx, idOf('ch_1'))).toBe('posted');
  await setFortnox({ accounts: [{ number: 3001, active: false }] });
  expect(await postOne(ctx, idOf('ch_2'))).toBe('rejected');
  expect(await postOne(ctx, idOf('ch_3'))).toBe('held');
  await setFortnox({ accounts: [{ number: 3001, active: true }] });
  await world.advance(days(0.05));
  expect(await postOne(ctx, idOf('ch_3'))).toBe('posted');
});

it('a token that dies between two vouchers rejects nothing: it waits', async () => {
  await sold('ch_1');
  await fault('unauthorized', 2);
  await expect(postOne(ctx, idOf('ch_1'))).rejects.toMatchObject({ kind: 'unauthorized' });
  expect(await voucher('ch_1')).toMatchObject({ state: 'ready' });
  expect(await postOne(ctx, idOf('ch_1'))).toBe('posted');
  expect(fortnoxSide().vouchers).toHaveLength(1);
});

it('moved to an open day by a worker that then dies, it is found on that day, not posted again', async () => {
  ctx.config = { ...ctx.config, lockedPeriod: 'first_open_day' };
  await world.advance(days(3));
  await sold('ch_1');
  const { date } = await voucher('ch_1');
  await setFortnox({ lockedPeriod: date });
  // Everything after the post: the commit that says it is posted, and the one that says it is not known.
  stopAt = (operation) => operation === 'transaction.commit' && fortnoxSide().vouchers.length > 0;
  await expect(postOne(ctx, idOf('ch_1'))).rejects.toBe(crash);
  stopAt = undefined;
  expect(fortnoxSide().vouchers).toHaveLength(1);
  await world.advance(minutes(11));
  expect(await postOne(ctx, idOf('ch_1'))).toBe('found');
  expect(fortnoxSide().vouchers).toHaveLength(1);
  expect(await voucher('ch_1')).toMatchObject({ state: 'posted', eventDate: date });
});

it('posted by another one meanwhile it keeps that number, and a person hears of the second', async () => {
  await sold('ch_1');
  stopAt = (operation) => {
    if (operation === 'transaction.commit' && fortnoxSide().vouchers.length === 1) {
      stopAt = undefined;
      const where = { state: 'posted', fortnoxNumber: 77, fortnoxReference: 'S 77 (2026)' };
      void ctx.db.doc(`vouchers/${idOf('ch_1')}`).update(where);
    }
    return false;
  };
  await postOne(ctx, idOf('ch_1'));
  expect(await voucher('ch_1')).toMatchObject({ state: 'posted', fortnoxNumber: 77 });
  expect(await flags()).toEqual([`voucher-twice_${idOf('ch_1')}`]);
});

it('once looked for and not there, it is in doubt no more', async () => {
  await sold('ch_1');
  await fault('timeout_before');
  await expect(postOne(ctx, idOf('ch_1'))).rejects.toMatchObject({ kind: 'unknown' });
  expect(await voucher('ch_1')).toMatchObject({ state: 'unknown' });
  await world.advance(minutes(1));
  await fault('unauthorized', 2);
  await expect(postOne(ctx, idOf('ch_1'))).rejects.toMatchObject({ kind: 'unauthorized' });
  expect((await voucher('ch_1')).state).toBe('ready');
});
