import { syncBooks } from '../accounting/accounting.service.ts';
import { postOne } from '../accounting/posting.service.ts';
import { addDays, businessDate, days, hours, minutes } from '../platform/clock.ts';
import type { ClosedSum } from '../platform/closed-sums.ts';
import { proveQueued, reconcileDay } from '../testing/night.ts';
import { openShop, type Shop } from '../testing/shop.ts';
import { closeSums } from './closed.service.ts';
import { runReconciliation } from './range.service.ts';

let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
  await shop.deliver();
});

afterEach(() => shop.close());

const ledgerSum = 'closedSums/ledger_SEK';
const voucherSum = 'closedSums/vouchers_posted';
const sumAt = async (path: string): Promise<ClosedSum> => {
  const found = await shop.read<ClosedSum>(path);
  if (!found) throw new Error(`There is no ${path}.`);
  return found;
};

async function post(): Promise<void> {
  await syncBooks(shop.ctx, shop.now());
  for (const { name, payload } of shop.tasks.splice(0)) {
    if (name === 'postVoucher') await postOne(shop.ctx, (payload as { voucherId: string }).voucherId);
  }
}

/** A sale, its vouchers, and the night after it. */
async function day() {
  await shop.buy();
  await post();
  await shop.advance(days(1));
  return reconcileDay(shop, shop.now());
}

/** Keeps something else than what the documents add up to. */
async function spoil(path: string, part: string): Promise<void> {
  const { sums } = await sumAt(path);
  await shop.ctx.db.doc(path).update({ [`sums.${part}`]: (sums[part] ?? 0) + 500 });
}

describe('sums that are closed by night', () => {
  it('prove night after night, whatever is booked late', async () => {
    let closed = 0;
    for (let night = 0; night < 6; night++) {
      // Nobody hears of it until Stripe's list is read; by then its hour is long closed.
      await shop.control('stripe', 'balance_transactions', { type: 'topup', amount: 10_000 });
      await shop.advance(hours(5));
      await closeSums(shop.ctx);
      expect(await day()).toMatchObject({ ok: true, differences: [] });
      const { count, until } = await sumAt(ledgerSum);
      expect(count).toBeGreaterThan(closed);
      expect(shop.now().getTime() - until.toMillis()).toBeLessThan(hours(1) + minutes(1));
      closed = count;
    }
    expect((await sumAt(voucherSum)).count).toBe((await shop.all<{ state: string }>('vouchers')).length);
    await shop.expectBooksAsStripe();
    expect(await shop.openFlags()).toEqual([]);
  });

  it('of the platform, kept wrong, are found and put right before the night is ended', async () => {
    await day();
    await spoil(ledgerSum, 'stripe_platform');
    await shop.advance(days(1));
    expect(await reconcileDay(shop, shop.now())).toMatchObject({ ok: true });
    expect(await shop.openFlags()).toEqual(['closed-sum-wrong_ledger_SEK']);
    expect(await day()).toMatchObject({ ok: true });
  });

  it.each([
    [ledgerSum, 'stripe_connected', 'ledger_SEK'],
    [voucherSum, 'clearingMinor', 'vouchers_posted'],
  ])('%s, kept wrong in %s, differ one night', async (path, part, id) => {
    await day();
    await spoil(path, part);
    const night = await day();
    expect(night.ok).toBe(false);
    expect(await shop.openFlags()).toEqual([`closed-sum-wrong_${id}`, `reconciliation-difference_${night.date}`]);
    expect(await day()).toMatchObject({ ok: true });
    expect(await shop.openFlags()).toEqual([`closed-sum-wrong_${id}`]);
  });

  it('are added up from the beginning by hand, and on the first of each month', async () => {
    await day();
    const slip = async (id: string) => {
      const [sale] = (await shop.ctx.db.collection('ledger').where('kind', '==', 'own_sale').get()).docs;
      await shop.ctx.db.doc(`ledger/${id}`).set({ ...sale?.data(), id });
    };
    await slip('ch_slipped:sale');
    // It came with a time long past: no short sum has it.
    expect(await day()).toMatchObject({ ok: true });
    const yesterday = addDays(businessDate(shop.now()), -1);
    const admin = { uid: 'anna', email: 'anna@example.se', name: 'Anna', coach: false, admin: true };
    await runReconciliation(shop.ctx, admin, { from: yesterday, to: yesterday, requestId: 'by-hand' });
    await proveQueued(shop);
    expect(await shop.openFlags()).toEqual(['closed-sum-wrong_ledger_SEK']);
    expect(await day()).toMatchObject({ ok: false });

    await shop.ctx.db.doc('ledger/ch_slipped:sale').delete();
    expect(await day()).toMatchObject({ ok: true });
    await shop.ctx.db.doc('flags/closed-sum-wrong_ledger_SEK').update({ status: 'resolved' });
    await slip('ch_again:sale');
    while (!businessDate(shop.now()).endsWith('-01')) await shop.advance(days(1));
    expect(await reconcileDay(shop, shop.now())).toMatchObject({ ok: true });
    expect(await shop.openFlags()).toEqual(['closed-sum-wrong_ledger_SEK']);
  });
});
