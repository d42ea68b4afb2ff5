import { Timestamp } from 'firebase-admin/firestore';
import { syncBooks } from '../accounting/accounting.service.ts';
import { postOne } from '../accounting/posting.service.ts';
import { addDays, businessDate, days, minutes } from '../platform/clock.ts';
import { proveQueued, reconcileDay } from '../testing/night.ts';
import { openShop, type Shop } from '../testing/shop.ts';
import { reconcileAccount } from './part.service.ts';
import { runReconciliation } from './range.service.ts';
import { startNight } from './run.service.ts';
import type { AccountPart, PartTask } from './run.ts';

/** A task lives nine minutes. What takes longer must end by itself and say so, else the night never ends. */
let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
  await shop.deliver();
});

afterEach(() => shop.close());

/** From now on each request whose path has this in it takes so long. */
function slow(which: 'stripe' | 'fortnox', path: string, ms: number): void {
  const requests = (): { url?: string; path?: string }[] =>
    which === 'stripe' ? shop.stripeEmulator.core.world.requests : shop.fortnoxEmulator.core.state().requests;
  const asked = () => requests().filter((one) => (one.path ?? one.url ?? '').includes(path)).length;
  const before = asked();
  shop.ctx.clock = { now: () => new Date(shop.now().getTime() + (asked() - before) * ms) };
}

describe("Stripe's balance transactions, too many for one task", () => {
  const task = async (): Promise<PartTask> => {
    await startNight(shop.ctx, shop.now());
    const [platform] = shop.tasks.splice(0).map(({ payload }) => payload as PartTask);
    if (!platform) throw new Error('the platform has a task');
    return platform;
  };
  const part = ({ run, account }: PartTask) => shop.read<AccountPart>(`${run}/accounts/${account}`);

  it('are said to be so at the first attempt: the next ones would take as long', async () => {
    await shop.advance(days(1));
    slow('stripe', '/v1/balance_transactions', minutes(4));
    const platform = await task();
    await reconcileAccount(shop.ctx, platform, false);
    const unchecked = await part(platform);
    expect(unchecked?.state).toBe('unchecked');
    expect(unchecked?.proofs[0]?.error).toContain('longer than a task may live');
  });

  it('from the very beginning, where the night differs: what it found is told', async () => {
    await shop.advance(days(1));
    await reconcileDay(shop, shop.now());
    // Booked into a time that was proven: no id of the night tells why it differs.
    const [sale] = (await shop.ctx.db.collection('ledger').where('kind', '==', 'own_sale').get()).docs;
    const invented = { ...sale?.data(), id: 'ch_invented:sale', balanceTransactionIds: ['txn_invented'] };
    await shop.advance(days(3));
    await shop.ctx.db.doc('ledger/ch_invented:sale').set({ ...invented, createdAt: Timestamp.fromDate(shop.now()) });
    const explained = async () => {
      const platform = await task();
      await reconcileAccount(shop.ctx, platform, false);
      const found = await part(platform);
      return [found?.state, found?.proofs[0]?.differences.map(({ kind }) => kind)];
    };
    slow('stripe', '/v1/balance_transactions', minutes(1));
    expect(await explained()).toEqual(['different', ['totals-differ']]);
    await shop.advance(days(1));
    slow('stripe', '/v1/balance_transactions', 0);
    expect(await explained()).toEqual(['different', ['entry-without-transaction', 'totals-differ']]);
  });
});

describe("Fortnox's books, read slowly", () => {
  const posted = async () => {
    await shop.buy();
    await syncBooks(shop.ctx, shop.now());
    for (const { payload } of shop.tasks.splice(0))
      await postOne(shop.ctx, (payload as { voucherId: string }).voucherId);
    await shop.advance(days(1));
  };

  it('are not begun again where a voucher is missing: the night says so and ends', async () => {
    await posted();
    await reconcileDay(shop, shop.now());
    await shop.advance(days(1));
    shop.fortnoxEmulator.core.state().vouchers.splice(0, 1);
    slow('fortnox', '/3/sie/4', minutes(4.5));
    const night = await reconcileDay(shop, shop.now());
    expect(night).toMatchObject({ state: 'done', ok: false, counts: { ok: 2 } });
    expect(night.fortnox.error).toContain('takes too long');
  });

  it('of a year asked for by hand are read as far as there is time', async () => {
    await posted();
    slow('fortnox', '/3/sie/4', minutes(4.5));
    const to = addDays(businessDate(shop.now()), -1);
    const admin = { uid: 'anna', email: 'anna@example.se', name: 'Anna', coach: false, admin: true };
    const { reconciliationId } = await runReconciliation(shop.ctx, admin, {
      from: addDays(to, -300),
      to,
      requestId: 'a-whole-year',
    });
    await proveQueued(shop);
    const proof = await shop.read<{ fortnox: { error?: string } }>(`reconciliationRanges/${reconciliationId}`);
    expect(proof).toMatchObject({ state: 'done', ok: false, fortnox: { days: 301 } });
    expect(proof?.fortnox.error).toMatch(/takes too long|has no financial year/);
  });
});
