import { Timestamp } from 'firebase-admin/firestore';
import { completeOnboarding } from '../../../scripts/story/emulators.ts';
import { syncBooks } from '../accounting/accounting.service.ts';
import { postOne } from '../accounting/posting.service.ts';
import type { Flag } from '../admin/flags.ts';
import type { Coach } from '../coaches/coaches.ts';
import { defaultTerms } from '../coaches/terms.ts';
import { deltas } from '../ledger/ledger.ts';
import { processPayment } from '../payments/payments.service.ts';
import { days } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { minor } from '../platform/money.ts';
import { idOf } from '../platform/stripe.ts';
import { createTestWorld, testConfig, type TestWorld } from '../testing/world.ts';
import { recoverEvents } from '../webhooks/recovery.service.ts';
import { checkInvariants } from './invariants.service.ts';
import { reconcileDay } from '../testing/night.ts';
import { totalsDiffer, type AccountProof } from './reconciliation.ts';
import type { AccountPart, Reconciliation } from './run.ts';
import { movements, readBalance } from './stripe-side.service.ts';
import { sweepOnce } from './sweep.service.ts';

const lisa = { uid: 'lisa', email: 'lisa@example.se', name: 'Lisa Kund', coach: false, admin: false };

let world: TestWorld;
let ctx: Context;
let coachAccount: string;

beforeEach(async () => {
  world = await createTestWorld();
  ctx = world.ctx;
  coachAccount = await coach('karin');
  const product = { name: 'Programme', currency: 'SEK', vatRate: 25, active: true };
  await ctx.db.doc('products/programme').set({ ...product, kind: 'programme', amountMinor: 49_900, coachId: 'karin' });
  await world.deliver();
});

afterEach(() => world.close());

async function coach(uid: string): Promise<string> {
  const account = await world.stripe.accounts.create({
    country: 'SE',
    controller: {
      fees: { payer: 'application' },
      losses: { payments: 'application' },
      stripe_dashboard: { type: 'express' },
      requirement_collection: 'stripe',
    },
    capabilities: { transfers: { requested: true } },
    settings: { payouts: { schedule: { interval: 'manual' } } },
  });
  const link = await world.stripe.accountLinks.create({
    account: account.id,
    type: 'account_onboarding',
    return_url: 'http://127.0.0.1/return',
    refresh_url: 'http://127.0.0.1/refresh',
  });
  await completeOnboarding(link.url);
  const document: Coach = {
    stripeAccountId: account.id,
    accountStatus: 'active',
    chargesEnabled: true,
    payoutsEnabled: true,
    requirementsDue: [],
    acceptsPayments: true,
    currency: 'SEK',
    country: 'SE',
    terms: defaultTerms(testConfig),
    payoutSettings: { cadence: 'weekly', minimumMinor: minor(2_000) },
    createdAt: Timestamp.now(),
    updatedAt: Timestamp.now(),
  };
  await ctx.db.doc(`coaches/${uid}`).set(document);
  return account.id;
}

let sales = 0;
async function sell(): Promise<void> {
  sales += 1;
  await processPayment(ctx, lisa, {
    productId: 'programme',
    requestId: `request-${sales}`,
    paymentMethodId: 'pm_card_bypassPending',
  });
  await world.deliver();
}

/** Money on the platform's balance that no product function knows of. */
async function strayCharge(): Promise<string> {
  const intent = await world.stripe.paymentIntents.create({
    amount: 12_300,
    currency: 'sek',
    payment_method: 'pm_card_bypassPending',
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  });
  const charge = await world.stripe.charges.retrieve(idOf(intent.latest_charge) ?? '');
  return idOf(charge.balance_transaction) ?? '';
}

const tomorrow = () => new Date(world.now().getTime() + days(1));
const proof = async (night: Reconciliation, account: string): Promise<AccountProof> => {
  const part = await ctx.db.doc(`reconciliations/${night.date}/accounts/${account}`).get();
  const [found] = (part.data() as AccountPart).proofs;
  if (!found) throw new Error(`${account} has no proof`);
  return found;
};
const flags = async () => (await ctx.db.collection('flags').get()).docs.map((doc) => doc.data() as Flag);
const openFlags = async () => (await flags()).filter(({ status }) => status === 'open').map(({ id }) => id);

describe('the nightly proof', () => {
  it('proves nothing at all, and a sale with its share', async () => {
    expect(await reconcileDay(world, world.now())).toMatchObject({ ok: true, counts: { ok: 2 } });
    await sell();
    const night = await reconcileDay(world, tomorrow());
    expect(night).toMatchObject({ ok: true, differences: [], vouchers: { ungrouped: 2, posted: 0 } });
    expect(await proof(night, 'platform')).toMatchObject({
      state: 'ok',
      ledgerMinor: 9900 - 929,
      transactionsMinor: 9900 - 929,
      stripeMinor: 9900 - 929,
    });
    expect(await proof(night, coachAccount)).toMatchObject({
      state: 'ok',
      ledgerMinor: 40_000,
      stripeMinor: 40_000,
      coachId: 'karin',
    });
    expect((await ctx.db.doc(`reconciliations/${night.date}`).get()).data()).toEqual(night);
    expect(await flags()).toEqual([]);
  });

  it('books first what nobody heard of while the sweep stood still for days', async () => {
    const all = { url: 'http://127.0.0.1:1/lost', secret: 'whsec_lost', enabledEvents: ['*'] };
    await sell();
    await world.control('stripe', 'webhook_endpoints', all);
    const [payment] = (await ctx.db.collection('payments').get()).docs;
    const refund = { payment_intent: payment?.id ?? '', reverse_transfer: true, refund_application_fee: true };
    await world.stripe.refunds.create(refund);
    await world.advance(days(5));
    expect(await recoverEvents(ctx, world.now())).toMatchObject({ undelivered: 0 });
    expect(await reconcileDay(world, world.now())).toMatchObject({ ok: true, differences: [] });
    expect((await ctx.db.collection('ledger').get()).docs.map((doc) => doc.data().kind as string).sort()).toEqual([
      'fee',
      'fee_refund',
      'sale',
      'transfer_reversal',
    ]);
  });

  it('leaves what came after the cut to the next night, and starts there', async () => {
    await sell();
    await world.advance(days(1));
    await sell();
    const first = await reconcileDay(world, world.now());
    expect(first).toMatchObject({ ok: true });
    expect(await proof(first, 'platform')).toMatchObject({
      ledgerMinor: 8971,
      afterCutMinor: 8971,
      balanceMinor: 2 * 8971,
    });
    // The schedule comes twice.
    expect(await reconcileDay(world, world.now())).toEqual(first);
    await world.advance(days(1));
    const second = await reconcileDay(world, world.now());
    expect(second.ok).toBe(true);
    // Three balance transactions of the second sale; the first sale is proven already.
    expect(await proof(second, 'platform')).toMatchObject({ ledgerMinor: 2 * 8971, transactions: 3 });
  });

  it('flags a balance transaction nobody explains, down to its id, every night until it is mended', async () => {
    await sell();
    const stray = await strayCharge();
    const night = await reconcileDay(world, tomorrow());
    expect(night.ok).toBe(false);
    expect(night.differences).toContainEqual({
      kind: 'transaction-unexplained',
      account: 'platform',
      currency: 'SEK',
      ids: [stray],
      ledgerMinor: 0,
      otherMinor: 12_300 - 365,
      detail: 'charge',
    });
    expect(await proof(night, 'platform')).toMatchObject({ state: 'different', closed: null });
    expect(await proof(night, coachAccount)).toMatchObject({ state: 'ok' });
    const [flag] = await flags();
    expect(flag).toMatchObject({ id: `reconciliation-difference_${night.date}`, severity: 'critical' });
    expect(flag?.message).toContain(stray);
    await world.advance(days(2));
    const later = await reconcileDay(world, world.now());
    expect(later.differences.flatMap(({ ids }) => ids)).toContain(stray);
  });

  it('flags a ledger document Stripe knows nothing of', async () => {
    await sell();
    const [doc] = (await ctx.db.collection('ledger').where('kind', '==', 'sale').get()).docs;
    await ctx.db
      .doc('ledger/ch_invented:sale')
      .set({ ...doc?.data(), id: 'ch_invented:sale', balanceTransactionIds: ['txn_invented'] });
    const night = await reconcileDay(world, tomorrow());
    const kinds = night.differences.map(({ kind, account, ids }) => [kind, account, ids.join()]);
    expect(kinds).toContainEqual(['entry-without-transaction', 'platform', 'ch_invented:sale']);
    expect(kinds).toContainEqual(['entry-without-transaction', coachAccount, 'ch_invented:sale']);
  });

  it('finds what was slipped into a time proven before', async () => {
    await sell();
    await world.advance(days(1));
    expect((await reconcileDay(world, world.now())).ok).toBe(true);
    const [doc] = (await ctx.db.collection('ledger').where('kind', '==', 'sale').get()).docs;
    const occurredAt = Timestamp.fromMillis(world.now().getTime() - days(30));
    await ctx.db
      .doc('ledger/ch_old:sale')
      .set({ ...doc?.data(), id: 'ch_old:sale', occurredAt, balanceTransactionIds: ['txn_old'] });
    await world.advance(days(3));
    const night = await reconcileDay(world, world.now());
    expect(night.differences.flatMap(({ ids }) => ids)).toContain('ch_old:sale');
    // What was proven before stays proven: the next night starts there again.
    expect((await proof(night, 'platform')).closed).not.toBeNull();
  });

  it('tells of documents of a coach nobody knows', async () => {
    await sell();
    await ctx.db.doc('coaches/karin').delete();
    const night = await reconcileDay(world, tomorrow());
    expect(night.differences).toEqual([
      { kind: 'coaches-differ', account: 'coaches', currency: 'SEK', ids: [], ledgerMinor: 40_000, otherMinor: 0 },
    ]);
  });

  it('says which accounts it could not see, proves the others, and is not ok', async () => {
    await sell();
    await coach('gone');
    await ctx.db.doc('coaches/gone').update({ accountStatus: 'deauthorized' });
    const night = await reconcileDay(world, tomorrow());
    expect(night).toMatchObject({ ok: false, counts: { ok: 2, unverifiable: 1 }, differences: [] });
    expect((await flags()).map(({ kind }) => kind)).toEqual(['account-unverifiable']);
    await world.advance(days(2));
    await reconcileDay(world, world.now());
    expect(await openFlags()).toHaveLength(1);
    // Connected again.
    await ctx.db.doc('coaches/gone').update({ accountStatus: 'active' });
    await world.advance(days(1));
    expect(await reconcileDay(world, world.now())).toMatchObject({ ok: true, counts: { ok: 3, unverifiable: 0 } });
    expect(await openFlags()).toEqual([]);
  });

  it('goes on with the others when Stripe cannot be read for one account', async () => {
    await sell();
    await world.control('stripe', 'faults', {
      kind: 'error_500_before',
      path: '/v1/balance',
      account: coachAccount,
      times: 50,
    });
    const night = await reconcileDay(world, tomorrow());
    expect(night).toMatchObject({ ok: false, counts: { ok: 1, unchecked: 1 } });
    expect((await flags())[0]?.message).toMatch(/1 accounts could not be read \(acct_\w+: .+\)/);
    await fetch(`${world.stripeEmulator.url}/_emulator/faults`, { method: 'DELETE' });
    await world.advance(days(2));
    const mended = await reconcileDay(world, world.now());
    expect(mended.ok).toBe(true);
    expect(await flags()).toMatchObject([
      { status: 'resolved', resolvedBy: 'system', resolution: `The night of ${mended.date} found no difference.` },
    ]);
  });

  it('holds the vouchers against the ledger', async () => {
    await sell();
    await syncBooks(ctx, world.now());
    for (const { payload } of world.tasks) await postOne(ctx, (payload as { voucherId: string }).voucherId);
    expect(await reconcileDay(world, tomorrow())).toMatchObject({
      ok: true,
      vouchers: { ungrouped: 0, ready: 0, posted: 2 },
    });
    const [any] = (await ctx.db.collection('vouchers').limit(1).get()).docs;
    await any?.ref.update({ clearingMinor: 1 });
    await world.advance(days(1));
    const night = await reconcileDay(world, tomorrow());
    expect(night.differences.map(({ kind }) => kind)).toEqual(['clearing-differs']);
  });
});

describe("Stripe's side", () => {
  it('reads a balance again while money moves, and knows what it contains', async () => {
    const retrieve = world.stripe.balance.retrieve.bind(world.stripe.balance);
    let stray = '';
    const spy = jest.spyOn(world.stripe.balance, 'retrieve').mockImplementationOnce(async (...args) => {
      const balance = await retrieve(...args);
      stray = await strayCharge();
      return balance;
    });
    const reading = await readBalance(world.stripe, undefined);
    expect(spy).toHaveBeenCalledTimes(2);
    expect(reading.newest?.id).toBe(stray);
    expect(reading.totals.get('SEK')).toBe(12_300 - 365);
    // What comes after the reading is not part of it.
    await strayCharge();
    const seen: string[] = [];
    for await (const { id } of movements(world.stripe, undefined, reading.newest, Number.NEGATIVE_INFINITY))
      seen.push(id);
    expect(seen).toEqual([stray]);
  });

  it('finds the document of a balance transaction days away from it', async () => {
    await sell();
    const booked = (await ctx.db.collection('ledger').get()).docs;
    const longAgo = Timestamp.fromMillis(world.now().getTime() - days(9));
    for (const doc of booked) await doc.ref.update({ occurredAt: longAgo });
    const nothing = { ...booked[0]?.data(), deltas: deltas({}), balanceTransactionIds: [] as string[] };
    for (let i = 0; i < 300; i += 1) {
      const occurredAt = Timestamp.fromMillis(world.now().getTime() - days(2));
      await ctx.db.doc(`ledger/nothing${i}:sale`).set({ ...nothing, id: `nothing${i}:sale`, occurredAt });
    }
    expect(await reconcileDay(world, tomorrow())).toMatchObject({ ok: true, differences: [] });
  });

  it('compares three sums: any of them may be the odd one', () => {
    const sums = (ledger: number, transactions: number, stripe: number) =>
      totalsDiffer({
        account: 'platform',
        currency: 'SEK',
        ledgerMinor: minor(ledger),
        transactionsMinor: minor(transactions),
        stripeMinor: minor(stripe),
      });
    expect(sums(5, 5, 5)).toBeUndefined();
    expect(sums(5, 5, 6)).toMatchObject({ ledgerMinor: 5, otherMinor: 6 });
    expect(sums(5, 6, 5)).toMatchObject({ ledgerMinor: 5, otherMinor: 6 });
    expect(sums(6, 5, 5)).toMatchObject({ ledgerMinor: 6, otherMinor: 5 });
  });
});

describe('the night in Fortnox', () => {
  const booked = async () => {
    await sell();
    await syncBooks(ctx, world.now());
    for (const { payload } of world.tasks.splice(0)) await postOne(ctx, (payload as { voucherId: string }).voucherId);
    // Posted well before the night asks.
    await world.advance(60_000);
  };
  const inFortnox = () => world.fortnoxEmulator.core.state().vouchers;

  it('finds every posted voucher there once, and looks each day up once', async () => {
    await booked();
    const night = await reconcileDay(world, tomorrow());
    expect(night).toMatchObject({ ok: true, fortnox: { days: 1 } });
    await world.advance(days(3));
    const later = await reconcileDay(world, world.now());
    expect(later).toMatchObject({ ok: true, fortnox: { provenUntil: night.fortnox.provenUntil } });
  });

  it('names a voucher that is missing, one that is there twice and one that is not ours', async () => {
    await booked();
    const [first, second] = inFortnox();
    if (!first || !second) throw new Error('two vouchers were posted');
    inFortnox().splice(0, 1);
    inFortnox().push({ ...second, number: 7 }, { ...second, number: 8, description: 'Hyra november' });
    const night = await reconcileDay(world, tomorrow());
    expect(night.ok).toBe(false);
    const found = night.differences.map(({ kind, ids }) => [kind, ids.some((id) => id.startsWith('v_')), ids.at(-1)]);
    expect(found).toEqual(
      expect.arrayContaining([
        ['voucher-not-in-fortnox', true, expect.stringMatching(/^v_/)],
        ['voucher-twice-in-fortnox', true, `S 7 of ${first.date}`],
        ['voucher-not-ours', false, `S 8 of ${first.date}`],
      ]),
    );
    expect(found).toHaveLength(3);
    await world.advance(days(2));
    expect((await reconcileDay(world, world.now())).differences).toHaveLength(3);
    // The missing one is booked again by hand; of the others only a person knows that they were reversed.
    inFortnox().splice(1);
    inFortnox().push(first);
    await world.advance(days(1));
    expect(await reconcileDay(world, world.now())).toMatchObject({ ok: true });
    expect(await openFlags()).toHaveLength(2);
  });

  it('does not miss what was posted while it was reading', async () => {
    await booked();
    const fortnox = await ctx.fortnox();
    ctx.fortnox = async () => ({
      ...fortnox,
      async *vouchersOfYear(year) {
        yield* fortnox.vouchersOfYear(year);
        if (inFortnox().length === 2) await booked();
      },
    });
    const night = await reconcileDay(world, tomorrow());
    expect(inFortnox()).toHaveLength(4);
    expect(night).toMatchObject({ ok: true, fortnox: { days: 1 } });
  });

  it('tells what somebody altered by hand, row by row, until it is as it was', async () => {
    await booked();
    const [first, second] = inFortnox();
    const [row, ...rest] = first?.rows ?? [];
    if (!first || !second || !row) throw new Error('two vouchers were posted');
    const { account, debitOre, creditOre } = row;
    const { date } = second;
    const moved = { ...second, date: `${date.slice(0, 4)}-01-02` };
    inFortnox().splice(0, 2, { ...first, rows: [{ ...row, account: 1930 }, ...rest] }, moved);
    const night = await reconcileDay(world, tomorrow());
    expect(night.differences.map(({ kind, detail }) => [kind, detail])).toEqual(
      expect.arrayContaining([
        ['voucher-altered', `without ${account}: ${debitOre - creditOre}; with 1930: ${debitOre - creditOre}`],
        ['voucher-altered', `dated ${moved.date} instead of ${date}`],
      ]),
    );
    expect(night.differences).toHaveLength(2);
    expect(night.fortnox.again).toHaveLength(2);
    inFortnox().splice(0, 2, first, second);
    await world.advance(days(2));
    const mended = await reconcileDay(world, world.now());
    expect(mended).toMatchObject({ ok: true, fortnox: { days: 1, again: [], provenUntil: night.fortnox.provenUntil } });
    expect(await openFlags()).toEqual([]);
  });

  it('misses a voucher that Fortnox lost long after it was proven, every night, and never posts it again', async () => {
    await booked();
    expect(await reconcileDay(world, tomorrow())).toMatchObject({ ok: true });
    await world.advance(days(2));
    await booked();
    expect(await reconcileDay(world, world.now())).toMatchObject({ ok: true });
    const [first] = inFortnox();
    if (!first) throw new Error('vouchers were posted');
    inFortnox().splice(0, 1);
    for (let night = 0; night < 2; night += 1) {
      await world.advance(days(1));
      const found = await reconcileDay(world, world.now());
      expect(found.differences.map(({ kind }) => kind)).toEqual(['voucher-not-in-fortnox']);
      await sweepOnce(ctx, world.now());
      await syncBooks(ctx, world.now());
      expect(world.tasks).toEqual([]);
    }
    expect((await flags()).some(({ kind }) => kind === 'reconciliation-difference')).toBe(true);
  });

  it('says that Fortnox could not be read, and proves the rest', async () => {
    await booked();
    await world.control('fortnox', 'faults', { kind: 'unauthorized', times: 20 });
    const night = await reconcileDay(world, tomorrow());
    expect(night).toMatchObject({ ok: false, differences: [], counts: { ok: 2 }, fortnox: { provenUntil: null } });
    expect((await flags())[0]?.message).toContain('Fortnox could not be read');
  });
});

describe('the invariants', () => {
  it('hold after a sale that is booked, and flag what does not', async () => {
    await sell();
    await syncBooks(ctx, world.now());
    for (const { payload } of world.tasks) await postOne(ctx, (payload as { voucherId: string }).voucherId);
    const held = await checkInvariants(ctx);
    expect(Object.values(held)).toEqual(Array(7).fill(true));
    const [doc] = (await ctx.db.collection('ledger').where('kind', '==', 'sale').get()).docs;
    await ctx.db.doc('ledger/ch_twin:sale').set({ ...doc?.data(), id: 'ch_twin:sale' });
    const [payment] = (await ctx.db.collection('payments').get()).docs;
    await payment?.ref.update({ coachAmountMinor: 1 });
    expect(await checkInvariants(ctx)).toEqual({
      ...held,
      balanceTransactionsExplainedOnce: false,
      paymentSplitsExactly: false,
    });
    expect((await flags()).map(({ id }) => id).sort()).toEqual([
      'invariant_balanceTransactionsExplainedOnce',
      'invariant_paymentSplitsExactly',
    ]);
  });
});

describe('the sweep', () => {
  it('runs whole on a quiet day', async () => {
    await sell();
    await sweepOnce(ctx, world.now());
    expect(await flags()).toEqual([]);
  });

  it('lets no part stop another, and counts as failed', async () => {
    const ran: string[] = [];
    const part = (name: string, error?: Error) => ({
      part: name,
      run: async () => {
        ran.push(name);
        if (error) throw error;
      },
    });
    const broken = [part('one', new Error('first')), part('two'), part('three', new Error('third'))];
    await expect(sweepOnce(ctx, world.now(), broken)).rejects.toMatchObject({
      failures: [
        { part: 'one', error: 'first' },
        { part: 'three', error: 'third' },
      ],
    });
    expect(ran).toEqual(['one', 'two', 'three']);
    expect(await openFlags()).toEqual(['sweep-failed']);
    await sweepOnce(ctx, world.now(), [part('one')]);
    expect(await openFlags()).toEqual([]);
  });
});
