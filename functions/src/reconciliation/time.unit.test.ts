import { syncBooks } from '../accounting/accounting.service.ts';
import { postOne } from '../accounting/posting.service.ts';
import { addDays, businessDate, days, minutes } from '../platform/clock.ts';
import { proveQueued, reconcileDay } from '../testing/night.ts';
import { openShop, type Shop } from '../testing/shop.ts';
import { runReconciliation } from './range.service.ts';

/** A task lives nine minutes. What takes longer must end by itself and say so, else the night never ends. */
let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
  await shop.deliver();
});

afterEach(() => shop.close());

/** From now on each request of an emulator whose path has this in it takes so long. */
function slow(which: 'stripe' | 'fortnox', path: string, ms: number): void {
  const { core } = which === 'stripe' ? shop.stripeEmulator : shop.fortnoxEmulator;
  const asked = () => core.state().requests.filter(({ url }) => url.includes(path)).length;
  const before = asked();
  shop.ctx.clock = { now: () => new Date(shop.now().getTime() + (asked() - before) * ms) };
}

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
