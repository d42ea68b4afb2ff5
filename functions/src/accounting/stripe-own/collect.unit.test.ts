import type { LedgerDocument } from '../../ledger/ledger.ts';
import { stripeFee } from '../../ledger/ledger.ts';
import { planEntries } from '../../ledger/ledger.service.ts';
import { days, hours } from '../../platform/clock.ts';
import { minor } from '../../platform/money.ts';
import { runWrites } from '../../platform/write.ts';
import { onboardedCoach } from '../../testing/coach.ts';
import { openShop, type Shop } from '../../testing/shop.ts';
import { reconcileDay } from '../../testing/night.ts';
import { syncByNight, type SyncResult } from '../accounting.service.ts';
import { bookMovement } from './book.service.ts';
import { collectOwn } from './collect.service.ts';
import { syncAfterStripe } from './sync.service.ts';
import { collectedTypes, movementOf, treatmentOf } from './stripe-own.ts';

let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
});

afterEach(() => shop.close());

interface Moved {
  id: string;
}

const move = async (type: string, amount: number, more: object = {}): Promise<string> =>
  (await shop.control<Moved>('stripe', 'balance_transactions', { type, amount, ...more })).id;

/** What was booked of Stripe's own movements, as `kind against-amounts`. */
async function own(): Promise<string[]> {
  const documents = await shop.all<LedgerDocument>('ledger');
  return documents
    .filter(({ id, stripeObjectId }) => id.startsWith('txn_') && stripeObjectId.startsWith('txn_'))
    .filter(({ paymentId }) => paymentId === undefined)
    .map(({ kind, deltas }) => {
      const moved = Object.entries(deltas).filter(([, amount]) => amount !== 0);
      return `${kind}: ${moved.map(([account, amount]) => `${account} ${amount}`).join(', ')}`;
    })
    .sort();
}

const asked = async (): Promise<string[]> =>
  (await shop.control<{ data: { path: string; method: string }[] }>('stripe', 'requests')).data
    .filter(({ path }) => path.startsWith('/v1/balance_transactions'))
    .map(({ method, path }) => `${method} ${path}`);

const night = (): Promise<SyncResult> => syncAfterStripe(shop.ctx, () => syncByNight(shop.ctx, shop.now()));

describe('what Stripe moves of its own accord', () => {
  it('is told apart by its type, an unknown one is for a person', () => {
    const on = (type: string, sourceId?: string) => treatmentOf({ type, ...(sourceId ? { sourceId } : {}) }, false);
    expect(collectedTypes.map((type) => on(type))).not.toContain('person');
    expect([on('adjustment'), on('adjustment', 'du_1'), on('brand_new'), on('constructor')]).toEqual([
      'person',
      'events',
      'person',
      'person',
    ]);
    expect(['stripe_fee', 'topup', 'reserve_hold', 'charge'].map((type) => treatmentOf({ type }, true))).toEqual([
      'person',
      'person',
      'reserve',
      'events',
    ]);
  });

  it('is booked by the night, each type its way, once', async () => {
    await move('stripe_fee', -2_500, { description: 'Radar (2026-11)' });
    await move('stripe_fee', 300, { description: 'Radar, given back' });
    await move('reserved_funds', -10_000);
    await move('reserve_release', 4_000);
    await move('topup', 50_000, { fee: 250 });
    await move('adjustment', -777);
    const documents = [
      'fee: stripe_platform -250, stripe_fees 250',
      'fee: stripe_platform -2500, stripe_fees 2500',
      'fee: stripe_platform 300, stripe_fees -300',
      'reserve: stripe_platform -10000, dispute_held 10000',
      'reserve: stripe_platform 4000, dispute_held -4000',
      'topup: stripe_platform 50000, bank_platform -50000',
    ];
    expect(await collectOwn(shop.ctx)).toBe(6);
    expect(await own()).toEqual(documents);
    const before = (await asked()).length;
    expect(await collectOwn(shop.ctx)).toBe(0);
    // A quiet night is a call a type.
    expect((await asked()).length - before).toBe(collectedTypes.length);
    expect(await own()).toEqual(documents);
    await shop.advance(days(1));
    await move('stripe_fee', -1);
    expect(await Promise.all([collectOwn(shop.ctx), collectOwn(shop.ctx)])).toContain(1);
    expect(await own()).toHaveLength(7);
  });

  it("leaves the fees of a tenant's charge to the event that knows the payment, and the proof books what no event did", async () => {
    const tenant = await onboardedCoach(shop, 'lina', { chargeModel: 'direct' });
    const product = { kind: 'good', currency: 'SEK', vatRate: 25, active: true };
    await shop.ctx.db.doc('products/vase').set({ ...product, name: 'Vase', amountMinor: 30_000, coachId: 'lina' });
    await shop.buy({ productId: 'vase' });
    const billed = await move('stripe_fee', -640, { source: 'ch_unknown' });
    expect(await collectOwn(shop.ctx)).toBe(0);
    await shop.advance(days(1));
    expect(await reconcileDay(shop, shop.now())).toMatchObject({ ok: true, counts: { ok: 3 } });
    expect(await own()).toEqual(['fee: stripe_platform -640, stripe_fees 640']);
    expect(await shop.read(`ledger/${billed}:fee`)).toMatchObject({ kind: 'fee' });
    expect(tenant).toMatch(/^acct_/);
  });

  it('is not looked for on balances that are not paid out from', async () => {
    await move('reserve_hold', -900);
    await move('reserve_hold', 900, { balance_type: 'risk_reserved' });
    expect(await collectOwn(shop.ctx)).toBe(1);
    await shop.advance(days(1));
    expect(await reconcileDay(shop, shop.now())).toMatchObject({ ok: true });
  });

  it('is booked once where an event books the same fee at the same moment', async () => {
    const id = await move('stripe_fee', -500);
    const [transaction] = (await shop.stripe.balanceTransactions.list({ type: 'stripe_fee' })).data;
    if (!transaction) throw new Error('no fee');
    const movement = movementOf(transaction);
    const fromEvent = stripeFee({
      balanceTransactionId: id,
      occurredAt: (await shop.payment((await shop.all<{ stripePaymentId: string }>('payments'))[0]!.stripePaymentId))
        .createdAt,
      currency: 'SEK',
      feeMinor: minor(500),
      paymentId: 'pi_1',
    });
    const event = () =>
      shop.ctx.db.runTransaction(async (tx) => runWrites(tx, await planEntries(shop.ctx, tx, [fromEvent])));
    await Promise.all([
      bookMovement(shop.ctx, undefined, movement),
      event(),
      bookMovement(shop.ctx, undefined, movement),
    ]);
    const fees = (await shop.all<LedgerDocument>('ledger')).filter(({ stripeObjectId }) => stripeObjectId === id);
    expect(fees).toHaveLength(1);
    expect(await shop.openFlags()).toEqual([]);
  });

  it('goes on where Stripe failed at the second page', async () => {
    for (let n = 0; n < 230; n++) await move('stripe_fee', -100 - n);
    const { balanceTransactions } = shop.stripe;
    const list = balanceTransactions.list.bind(balanceTransactions);
    balanceTransactions.list = ((params) => {
      if (!params?.starting_after) return list(params);
      return shop
        .fault('error_500_before', '/v1/balance_transactions', { method: 'GET', times: 3 })
        .then(() => list(params));
    }) as typeof list;
    await expect(night()).rejects.toMatchObject({ code: 'unavailable', reason: 'stripe-unread' });
    // What was read is booked, and the books were synced with it.
    expect(await own()).toHaveLength(100);
    expect((await shop.all<{ kind: string }>('vouchers')).filter(({ kind }) => kind === 'fee')).toHaveLength(101);
    const mark = await shop.read<{ run: object; doneUntil: null }>('stripeOwn/stripe_fee');
    expect(mark).toMatchObject({ doneUntil: null, run: { after: expect.stringMatching(/^txn_/) as string } });
    balanceTransactions.list = list;
    await shop.clearFaults();
    const before = (await asked()).length;
    await night();
    expect(await own()).toHaveLength(230);
    // Two pages that were left, and the newest again.
    expect((await asked()).filter((_, at) => at >= before).length).toBe(collectedTypes.length + 2 + 2);
    expect(await shop.read('stripeOwn/stripe_fee')).toMatchObject({ run: null });
    await shop.expectBooksAsStripe();
  }, 60_000);

  it('is booked once wherever the process dies', async () => {
    await move('stripe_fee', -2_500);
    await move('reserve_hold', -1_000);
    await move('topup', 5_000, { fee: 100 });
    for (let operations = 1; ; operations++) {
      shop.dieAfter(operations);
      const done = await collectOwn(shop.ctx).then(
        () => true,
        () => false,
      );
      if (!shop.revive() && done) break;
      expect(operations).toBeLessThan(200);
    }
    await collectOwn(shop.ctx);
    expect(await own()).toHaveLength(4);
    await shop.expectBooksAsStripe();
  }, 60_000);

  it('in another currency than the books is booked as it is, and a person hears that no rule converts it', async () => {
    const id = await move('stripe_fee', -400, { currency: 'eur' });
    await night();
    expect(await shop.read(`ledger/${id}:fee`)).toMatchObject({ currency: 'EUR', voucherId: null });
    expect((await shop.openFlags()).filter((flag) => flag.startsWith('voucher-unsupported'))).toHaveLength(1);
    await shop.advance(days(1));
    expect(await reconcileDay(shop, shop.now())).toMatchObject({ ok: true });
  });

  it('that Stripe lists late is found by the next night, or the proof', async () => {
    await collectOwn(shop.ctx);
    await shop.advance(hours(40));
    const late = await move('tax_fee', -125);
    await shop.advance(hours(10));
    expect(await collectOwn(shop.ctx)).toBe(1);
    expect(await shop.read(`ledger/${late}:fee`)).toMatchObject({ stripeObjectId: late });
  });
});
