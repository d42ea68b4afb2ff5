import { PLATFORM_BANK } from '../../../../emulators/stripe/core/world.ts';
import { syncBooks } from '../../accounting/accounting.service.ts';
import type { Voucher } from '../../accounting/accounting.ts';
import { postOne } from '../../accounting/posting.service.ts';
import type { Flag } from '../../admin/flags.ts';
import type { LedgerDocument } from '../../ledger/ledger.ts';
import { trialBalance } from '../../ledger/ledger.ts';
import { resumeCommands } from '../../payments/recovery.service.ts';
import { days, hours, minutes } from '../../platform/clock.ts';
import { openShop, type Shop } from '../../testing/shop.ts';
import { receiveEvent } from '../../webhooks/webhooks.service.ts';
import { payPlatform, resolvePlatformPayouts, watchPlatformBalance } from './platform.service.ts';
import type { PlatformPayout } from './platform.ts';

const admin = { uid: 'anna', coach: false, admin: true };

let shop: Shop;
let requests = 0;
const requestId = () => `platform-${++requests}`;

beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const ask = (more: { amountMinor?: number; requestId?: string } = {}) =>
  payPlatform(shop.ctx, admin, { requestId: requestId(), ...more });
const atStripe = async () => (await shop.stripe.payouts.list({ limit: 100 })).data;
const documents = () => shop.all<PlatformPayout>('platformPayouts');
const sweep = async () => {
  await resumeCommands(shop.ctx, shop.now());
  await resolvePlatformPayouts(shop.ctx, shop.now());
};
/** Posts what the sync has queued. */
async function post(): Promise<void> {
  for (const { name, payload } of shop.tasks.splice(0)) {
    if (name === 'postVoucher') await postOne(shop.ctx, (payload as { voucherId: string }).voucherId);
  }
}
/** The mat of 499 less Stripe's 9.29, sold when the shop opened. */
const own = 48_971;

async function expectBooks(bankMinor: number): Promise<void> {
  await shop.expectBooksAsStripe();
  const books = trialBalance(await shop.all<LedgerDocument>('ledger'));
  expect(books.bank_platform).toBe(bankMinor);
}

const product = { currency: 'SEK', vatRate: 25, active: true, coachId: 'karin' };
async function sellSessions(): Promise<void> {
  await shop.ctx.db
    .doc('products/bundle')
    .set({ ...product, kind: 'bundle', credits: 2, name: 'Two sessions', amountMinor: 60_000 });
  await shop.buy({ productId: 'bundle' });
}

describe('a payout of the platform’s own', () => {
  it('takes all that is the platform’s, books it, and is completed when Stripe says paid', async () => {
    const id = requestId();
    const reply = { payoutId: `m_anna_${id}`, amountMinor: own, status: 'pending' };
    expect(await ask({ requestId: id })).toMatchObject(reply);
    expect(await ask({ requestId: id })).toMatchObject(reply);
    await expectBooks(own);
    await shop.advance(days(6));
    await shop.deliver();
    expect(await documents()).toMatchObject([{ status: 'completed', stripeStatus: 'paid', by: 'anna' }]);
    expect(await shop.all('auditLog')).toMatchObject([{ by: 'anna', action: 'payPlatform' }]);
    await expectBooks(own);
    expect(await shop.openFlags()).toEqual([]);
  });

  it('leaves behind what is held for sessions, and the reserve', async () => {
    await sellSessions();
    shop.ctx.config.platformReserveMinor = 10_000;
    const fee = 1_080;
    const mine = own - fee - 10_000;
    await expect(ask({ amountMinor: mine + 1 })).rejects.toMatchObject({
      reason: 'more-than-own',
      details: { heldMinor: 60_000, reserveMinor: 10_000, ownMinor: mine },
    });
    expect(await ask()).toMatchObject({ amountMinor: mine, numbers: { heldMinor: 60_000 } });
    await expectBooks(mine);
    await expect(ask()).rejects.toMatchObject({ reason: 'nothing-own' });
  });

  it('leaves a coach’s share behind that is not transferred yet', async () => {
    await shop.buy();
    const [sale] = (await shop.all<LedgerDocument>('ledger')).filter(({ kind }) => kind === 'sale');
    if (!sale) throw new Error('No sale.');
    // As if the share of a subscription waited for its transfer: owed to the coach, on the platform's balance.
    const deltas = {
      ...sale.deltas,
      stripe_connected: 0,
      stripe_platform: 0,
      coach_payable: -5_000,
      fee_revenue: 5_000,
    };
    await shop.ctx.db.doc('ledger/waiting').set({ ...sale, id: 'waiting', deltas });
    expect(await ask()).toMatchObject({ amountMinor: own + 9_900 - 929 - 5_000 });
  });

  it('asked for five times at once is made once, and the others are refused by name', async () => {
    const all = await Promise.allSettled(Array.from({ length: 5 }, () => ask()));
    const reasons = all.flatMap((each) =>
      each.status === 'rejected' ? [(each.reason as { reason: string }).reason] : [],
    );
    expect(reasons).toHaveLength(4);
    for (const reason of reasons) expect(['earlier-payout-open', 'nothing-own']).toContain(reason);
    expect(await atStripe()).toHaveLength(1);
    await expectBooks(own);
  });

  it('whose answer was lost is found, and meanwhile no other is made', async () => {
    await shop.fault('timeout_after_success', '/v1/payouts', { times: 3 });
    const id = requestId();
    expect(await ask({ requestId: id, amountMinor: 10_000 })).toMatchObject({ status: 'unknown' });
    await expect(ask()).rejects.toMatchObject({ reason: 'earlier-payout-open' });
    await shop.advance(minutes(6));
    await sweep();
    expect(await documents()).toMatchObject([{ status: 'pending', amountMinor: 10_000 }]);
    expect(await atStripe()).toHaveLength(1);
    await expectBooks(10_000);
    expect(await ask()).toMatchObject({ amountMinor: own - 10_000 });
  });

  it('that Stripe never made is asked for under its key, and past the key’s life closed', async () => {
    await shop.fault('timeout_before', '/v1/payouts', { times: 3 });
    await ask();
    await shop.advance(minutes(6));
    await sweep();
    expect(await documents()).toMatchObject([{ status: 'pending', stripeStatus: 'pending' }]);
    await shop.deliver();
    await shop.buy({ productId: 'mat' });
    await shop.fault('timeout_before', '/v1/payouts', { times: 3 });
    await ask();
    await shop.clearFaults();
    await shop.advance(hours(25));
    await sweep();
    expect((await documents()).map(({ status, failureCode }) => [status, failureCode])).toContainEqual([
      'failed',
      'never_created',
    ]);
    expect(await atStripe()).toHaveLength(1);
    await shop.deliver();
    await expectBooks(own);
  });

  it('refused by Stripe is closed, flagged, and nothing has moved', async () => {
    shop.stripeEmulator.core.world.bankAccounts.delete(PLATFORM_BANK);
    expect(await ask()).toMatchObject({ status: 'failed', failureCode: 'payouts_not_allowed' });
    expect(await shop.openFlags()).toMatchObject([expect.stringContaining('platform-payout-refused') as unknown]);
    await expectBooks(0);
  });

  it('that fails after it was paid is taken back in the books, once, and can be asked for again', async () => {
    shop.stripeEmulator.core.world.failingBanks.set(PLATFORM_BANK, 'account_closed');
    await ask();
    await shop.advance(days(4));
    const told = await shop.deliver();
    await shop.advance(days(2));
    told.push(...(await shop.deliver()));
    expect(await documents()).toMatchObject([{ status: 'failed', failureCode: 'account_closed' }]);
    await expectBooks(0);
    for (const { event } of told.reverse()) await receiveEvent(shop.ctx, { ...event, id: `${event.id}_again` });
    expect(await documents()).toMatchObject([{ status: 'failed' }]);
    await expectBooks(0);
    expect((await shop.openFlags()).filter((id) => id.startsWith('platform-payout-returned'))).toHaveLength(1);
    shop.stripeEmulator.core.world.failingBanks.clear();
    shop.stripeEmulator.core.world.bankAccounts.update(PLATFORM_BANK, { status: 'new' });
    expect(await ask()).toMatchObject({ amountMinor: own, status: 'pending' });
  });

  it('whose events are all lost is looked up until it can come back no more', async () => {
    shop.stripeEmulator.core.world.failingBanks.set(PLATFORM_BANK, 'account_closed');
    await ask();
    for (let day = 0; day < 8; day++) {
      await shop.advance(days(1));
      await resolvePlatformPayouts(shop.ctx, shop.now());
    }
    expect(await documents()).toMatchObject([{ status: 'failed', checkAt: null }]);
    await expectBooks(0);
  });

  it('made in the dashboard is booked, audited and told once; an old event after a new one changes nothing', async () => {
    const made = await shop.stripe.payouts.create({ amount: 20_000, currency: 'sek' });
    await shop.advance(days(5));
    const events = await shop.deliver();
    const another = await shop.stripe.payouts.create({ amount: 5_000, currency: 'sek' });
    await shop.deliver();
    for (const { event } of events) await receiveEvent(shop.ctx, { ...event, id: `${event.id}_again` });
    expect(await shop.read(`platformPayouts/${made.id}`)).toMatchObject({ origin: 'stripe', status: 'completed' });
    expect(await shop.openFlags()).toEqual(['platform-payout-elsewhere']);
    expect((await shop.all<Flag>('flags'))[0]?.message).toContain(another.id);
    expect((await shop.all<{ action: string }>('auditLog')).map(({ action }) => action)).toEqual([
      'platformPayout',
      'platformPayout',
    ]);
    await expectBooks(25_000);
    expect(await ask()).toMatchObject({ amountMinor: own - 25_000 });
  });

  it.each(['transaction', 'day'] as const)(
    'names the voucher that booked it leaving, asked for or made in the dashboard (by %s)',
    async (voucherGrouping) => {
      shop.ctx.config.voucherGrouping = voucherGrouping;
      shop.stripeEmulator.core.world.failingBanks.set(PLATFORM_BANK, 'account_closed');
      const { payoutId } = await ask({ amountMinor: 10_000 });
      const made = await shop.stripe.payouts.create({ amount: 20_000, currency: 'sek' });
      await shop.deliver();
      const references = async () =>
        Promise.all(
          [payoutId, made.id].map(
            async (id) => (await shop.read<PlatformPayout>(`platformPayouts/${id}`))?.fortnoxReference,
          ),
        );
      await syncBooks(shop.ctx, shop.now());
      await post();
      const named = await references();
      const vouchers = await shop.all<Voucher>('vouchers');
      const booked = vouchers.filter(({ kind }) => kind === 'platform_payout');
      expect(named.toSorted()).toEqual(
        booked.flatMap(({ fortnoxReference, ledgerIds }) => ledgerIds.map(() => fortnoxReference)).toSorted(),
      );
      await shop.advance(days(6));
      await shop.deliver();
      expect((await documents()).map(({ status }) => status)).toEqual(['failed', 'failed']);
      await syncBooks(shop.ctx, shop.now());
      await post();
      expect((await shop.all<Voucher>('vouchers')).length).toBeGreaterThan(vouchers.length);
      expect(await references()).toEqual(named);
    },
  );

  it('a second one at Stripe under our id is booked as one of its own', async () => {
    const { payoutId } = await ask({ amountMinor: 10_000 });
    const second = await shop.stripe.payouts.create({ amount: 5_000, currency: 'sek', metadata: { payoutId } });
    await shop.deliver();
    expect(await shop.read(`platformPayouts/${payoutId}`)).toMatchObject({ amountMinor: 10_000 });
    expect(await shop.read(`platformPayouts/${second.id}`)).toMatchObject({ amountMinor: 5_000, origin: 'stripe' });
    await expectBooks(15_000);
  });

  it('cut short at any step is finished by the sweep, once', async () => {
    let sold = 1;
    for (let step = 1, died = true; died; step++) {
      if (step > 1) {
        await shop.buy({ productId: 'mat' });
        sold++;
      }
      const id = requestId();
      shop.dieAfter(step);
      await ask({ requestId: id }).catch(() => undefined);
      died = shop.revive();
      await shop.advance(minutes(6));
      await sweep();
      await sweep();
      if (!(await shop.read(`platformPayouts/m_anna_${id}`))) await ask({ requestId: id });
      expect(await atStripe()).toHaveLength(sold);
      await shop.deliver();
      await expectBooks(sold * own);
    }
    expect(await shop.openFlags()).toEqual([]);
  }, 60_000);
});

describe('the platform’s balance', () => {
  const open = async () => (await shop.all<Flag>('flags')).filter(({ status }) => status === 'open');

  it('that would not cover what must come out of it is told, and told no more when it does', async () => {
    await sellSessions();
    await watchPlatformBalance(shop.ctx);
    expect(await open()).toEqual([]);
    // Taken in the dashboard, with the customer's money.
    await shop.stripe.payouts.create({ amount: 60_000, currency: 'sek' });
    await shop.deliver();
    await watchPlatformBalance(shop.ctx);
    await watchPlatformBalance(shop.ctx);
    const [flag] = (await open()).filter(({ kind }) => kind === 'platform-balance');
    expect(flag).toMatchObject({ id: 'platform-balance_SEK', severity: 'critical' });
    expect(flag?.message).toContain('121,09 kr short');
    await shop.buy({ productId: 'mat' });
    await watchPlatformBalance(shop.ctx);
    expect((await open()).map(({ kind }) => kind)).toEqual(['platform-payout-elsewhere']);
  });

  it('below the reserve warns, below zero is critical', async () => {
    shop.ctx.config.platformReserveMinor = 50_000;
    await watchPlatformBalance(shop.ctx);
    expect(await open()).toMatchObject([{ severity: 'warning' }]);
    const fund = shop.stripeEmulator.core.world.platform.funds.get('sek');
    if (!fund) throw new Error('No balance.');
    fund.available = -1;
    await watchPlatformBalance(shop.ctx);
    expect(await open()).toMatchObject([{ severity: 'critical' }]);
  });
});
