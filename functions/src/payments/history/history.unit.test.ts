import { Timestamp } from 'firebase-admin/firestore';
import type { Caller } from '../../platform/auth.ts';
import type { Context } from '../../platform/context.ts';
import { answer } from '../../platform/entrance.ts';
import { listPaymentsSpec } from './history.api.ts';
import { createTestFirestore } from '../../testing/firestore.ts';

const ctx = { db: createTestFirestore() } as Context;
const lisa: Caller = { uid: 'lisa', coach: false, admin: false };
const omar: Caller = { uid: 'omar', coach: false, admin: false };
const anna: Caller = { uid: 'anna', coach: false, admin: true };
const list = (caller: Caller, input: object = {}) => answer(ctx, listPaymentsSpec, caller, input);
const ids = async (caller: Caller, input?: object) =>
  (await list(caller, input)).payments.map(({ paymentId }) => paymentId);

/** 25 of Lisa's, one an hour to midnight in Stockholm on 15 November, two of them at the same instant, and one of Omar's. */
beforeAll(async () => {
  const last = Date.parse('2026-11-14T23:00:00Z');
  const write = async (id: string, userId: string, hour: number, more: object = {}) => {
    const at = Timestamp.fromMillis(last - hour * 3_600_000);
    await ctx.db.doc(`payments/${id}`).set({
      ...{ userId, stripePaymentId: id, date: at, createdAt: at, status: 'succeeded', description: 'Programme' },
      ...{ amount: 499, amountMinor: 49_900, currency: 'SEK', vatRate: 25, refundedMinor: 0 },
      ...{ coachAmountMinor: 0, platformFeeMinor: 0, productId: 'programme', ...more },
    });
  };
  for (let hour = 0; hour < 24; hour++) await write(`pi_${String(hour).padStart(2, '0')}`, 'lisa', hour);
  await write('pi_03b', 'lisa', 3, { status: 'refunded', productId: 'good', refundedMinor: 49_900 });
  await write('pi_omar', 'omar', 5);
});

it('own payments, the newest first, with what the payer wants to know', async () => {
  const { payments, nextCursor } = await list(lisa, { limit: 1 });
  expect(payments).toMatchObject([
    {
      ...{ paymentId: 'pi_00', date: '2026-11-14T23:00:00.000Z', status: 'succeeded', amount: 499, currency: 'SEK' },
      ...{ breakdown: { subtotal: 399.2, vat: 99.8, total: 499 }, refunded: 0, productId: 'programme', orderId: null },
    },
  ]);
  expect(nextCursor).toBe('pi_00');
});

it.each([1, 4, 7, 25, 100])('pages of %d show each once, also those of one instant', async (limit) => {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof list>> = await list(lisa, { limit, ...(cursor ? { cursor } : {}) });
    expect(page.payments.length).toBeLessThanOrEqual(limit);
    seen.push(...page.payments.map(({ paymentId }) => paymentId));
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen).toHaveLength(25);
  expect(new Set(seen).size).toBe(25);
  expect(seen.slice(3, 5)).toEqual(['pi_03b', 'pi_03']);
});

it('filters by status, product and days in Stockholm', async () => {
  expect(await ids(lisa, { status: 'refunded' })).toEqual(['pi_03b']);
  expect(await ids(lisa, { productId: 'good' })).toEqual(['pi_03b']);
  expect(await ids(lisa, { productId: 'good', status: 'succeeded' })).toEqual([]);
  // Midnight belongs to the day that begins.
  expect(await ids(lisa, { from: '2026-11-15' })).toEqual(['pi_00']);
  expect(await ids(lisa, { to: '2026-11-14', limit: 1 })).toEqual(['pi_01']);
  expect(await ids(lisa, { from: '2026-11-14', to: '2026-11-15', limit: 100 })).toHaveLength(25);
  expect(await ids(lisa, { to: '2026-11-13' })).toEqual([]);
});

it('a page goes on where it ended, also when what it ended with has changed since', async () => {
  const { nextCursor } = await list(omar, { limit: 1 });
  expect(nextCursor).toBeNull();
  const first = await list(lisa, { limit: 2, status: 'succeeded' });
  await ctx.db.doc('payments/pi_01').update({ status: 'disputed' });
  expect(await ids(lisa, { limit: 2, status: 'succeeded', cursor: first.nextCursor })).toEqual(['pi_02', 'pi_03']);
  await ctx.db.doc('payments/pi_01').update({ status: 'succeeded' });
});

describe('nobody else’s', () => {
  it('by a userId, but an administrator', async () => {
    await expect(list(lisa, { userId: 'omar' })).rejects.toMatchObject({ reason: 'not-your-payments' });
    expect(await ids(lisa, { userId: 'lisa', limit: 1 })).toEqual(['pi_00']);
    expect(await ids(anna, { userId: 'omar' })).toEqual(['pi_omar']);
    expect(await ids(anna)).toEqual([]);
  });

  it.each(['pi_omar', 'pi_none'])('by the cursor %s', async (cursor) => {
    await expect(list(lisa, { cursor })).rejects.toMatchObject({ reason: 'cursor-unknown' });
    await expect(list(anna, { cursor, userId: 'lisa' })).rejects.toMatchObject({ reason: 'cursor-unknown' });
  });
});

it.each([
  { limit: 0 },
  { limit: 101 },
  { limit: 1.5 },
  { status: 'paid' },
  { from: 'yesterday' },
  { to: '2026-02-30' },
  { cursor: 'a/b' },
  { order: 'asc' },
])('refuses %j', async (input) => {
  await expect(list(lisa, input)).rejects.toMatchObject({ reason: 'invalid-input' });
});
