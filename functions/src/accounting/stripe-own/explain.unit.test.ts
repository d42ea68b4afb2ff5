import type { Earning } from '../../coaches/earnings.ts';
import { trialBalance, type Deltas, type LedgerDocument } from '../../ledger/ledger.ts';
import { platformTotals } from '../../ledger/ledger.service.ts';
import type { Payout, PayoutItem } from '../../payouts/payouts.ts';
import { days } from '../../platform/clock.ts';
import { checkInvariants } from '../../reconciliation/invariants.service.ts';
import { reconcileDay } from '../../testing/night.ts';
import { openShop, payOutAll, type Shop } from '../../testing/shop.ts';
import { syncByNight } from '../accounting.service.ts';
import { postOne } from '../posting.service.ts';
import { explainTransaction, type ExplainInput } from './explain.service.ts';
import { syncAfterStripe } from './sync.service.ts';

const anna = { uid: 'anna', email: 'anna@example.se', name: 'Anna', coach: false, admin: true };
const bo = { ...anna, uid: 'bo' };

let shop: Shop;
let requests = 0;

beforeEach(async () => {
  shop = await openShop();
});

afterEach(() => shop.close());

const move = async (type: string, amount: number, more: object = {}): Promise<string> =>
  (await shop.control<{ id: string }>('stripe', 'balance_transactions', { type, amount, ...more })).id;

const order = (
  balanceTransactionId: string,
  as: ExplainInput['as'],
  more: Partial<ExplainInput> = {},
): ExplainInput => ({
  balanceTransactionId,
  as,
  reason: 'Told by Stripe on the phone',
  requestId: `request-${++requests}`,
  ...more,
});

const entry = (id: string) => shop.read<LedgerDocument>(`ledger/${id}`);

/** The night's run at 02:00 and its vouchers in Fortnox. */
async function books(): Promise<void> {
  await syncAfterStripe(shop.ctx, () => syncByNight(shop.ctx, shop.now()));
  for (const { name, payload } of shop.tasks.splice(0)) {
    if (name === 'postVoucher') await postOne(shop.ctx, (payload as { voucherId: string }).voucherId);
  }
}

/** What the ledger and Fortnox say after all, öre, debit positive; Fortnox's by account number. */
async function trialBalances(): Promise<{ ledger: Deltas; fortnox: Map<number, number> }> {
  const fortnox = new Map<number, number>();
  for (const { rows } of shop.fortnoxEmulator.core.state().vouchers) {
    for (const { account, debitOre, creditOre } of rows) {
      fortnox.set(account, (fortnox.get(account) ?? 0) + debitOre - creditOre);
    }
  }
  return { ledger: trialBalance(await shop.all<LedgerDocument>('ledger')), fortnox };
}

const proof = () => reconcileDay(shop, shop.now());

it("a month of Stripe's own: three booked by the night, the fourth by a person, and Fortnox's 1686 is the ledger's", async () => {
  await shop.buy();
  await move('stripe_fee', -25_000, { description: 'Radar (2026-10)' });
  await move('reserved_funds', -10_000);
  await move('reserved_funds', 10_000);
  await move('topup', 100_000);
  const error = await move('adjustment', -1_250, { description: 'Network correction' });
  await shop.advance(days(1));
  await books();
  expect(
    (await shop.all<{ kind: string; state: string }>('vouchers')).map(({ kind, state }) => `${kind} ${state}`),
  ).toEqual(expect.arrayContaining(['fee posted', 'reserve posted', 'reserve posted', 'topup posted']));
  const first = await proof();
  expect(first.differences.map(({ kind, ids, detail }) => [kind, ids, detail])).toEqual([
    ['transaction-unexplained', [error], 'adjustment, "Network correction"'],
    ['totals-differ', [], undefined],
  ]);
  const flag = `stripe-movement_${error}`;
  expect(await shop.openFlags()).toContain(flag);
  expect(await shop.read<{ message: string; action: string }>(`flags/${flag}`)).toMatchObject({
    message: expect.stringContaining(`−12,50 kr on the platform for none of our sales: ${error}, adjustment`) as string,
    action: expect.stringContaining('explainTransaction') as string,
  });
  await explainTransaction(shop.ctx, anna, order(error, 'loss'));
  expect(await shop.read(`flags/${flag}`)).toMatchObject({ status: 'resolved' });
  await shop.advance(days(1));
  await books();
  expect(await proof()).toMatchObject({ ok: true, differences: [] });
  const { ledger, fortnox } = await trialBalances();
  expect(fortnox.get(1686)).toBe(ledger.stripe_platform + ledger.stripe_connected);
  expect([fortnox.get(6380), fortnox.get(1930) ?? 0, fortnox.get(1689) ?? 0]).toEqual([1_250, -100_000, 0]);
  await shop.expectBooksAsStripe();
}, 60_000);

describe('a person explains', () => {
  it.each([
    ['fee', { stripe_platform: -1_300, stripe_fees: 1_300 }, ['fee']],
    ['reserve', { stripe_platform: -1_000, dispute_held: 1_000 }, ['reserve', 'fee']],
    ['topup', { stripe_platform: -1_000, bank_platform: 1_000 }, ['topup', 'fee']],
    ['loss', { stripe_platform: -1_000, losses: 1_000 }, ['adjustment', 'fee']],
  ] as const)('as %s, with Stripe’s amounts', async (as, moved, kinds) => {
    const id = await move('contribution', -1_000, { fee: 300 });
    const input = order(id, as);
    const reply = await explainTransaction(shop.ctx, anna, input);
    const ledgerIds = kinds.map((kind) => `${id}:${kind}`);
    expect(reply).toEqual({
      balanceTransactionId: id,
      as,
      ledgerIds,
      amount: -13,
      amountMinor: -1_300,
      currency: 'SEK',
    });
    expect((await entry(ledgerIds[0] ?? ''))?.deltas).toMatchObject(moved);
    expect(await explainTransaction(shop.ctx, anna, input)).toEqual(reply);
    const audit = await shop.read(`auditLog/explainTransaction_anna_${input.requestId}`);
    expect(audit).toMatchObject({ by: 'anna', note: 'Told by Stripe on the phone', after: { as, ledgerIds } });
    await shop.expectBooksAsStripe();
    await shop.advance(days(1));
    expect(await proof()).toMatchObject({ ok: true });
  });

  it('once, of two who do it at once', async () => {
    const id = await move('adjustment', 4_200);
    const tries = [
      explainTransaction(shop.ctx, anna, order(id, 'loss')),
      explainTransaction(shop.ctx, bo, order(id, 'reserve')),
      explainTransaction(shop.ctx, bo, order(id, 'fee')),
    ];
    const ended = await Promise.allSettled(tries);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    const refused = ended.flatMap((one) =>
      one.status === 'rejected' ? [(one.reason as { reason: string }).reason] : [],
    );
    expect(refused).toEqual(['already-explained', 'already-explained']);
    await shop.expectBooksAsStripe();
    expect(await shop.all('auditLog')).toHaveLength(1);
  });

  it('and nothing is half done wherever the process dies', async () => {
    const id = await move('adjustment', -900, { fee: 100 });
    const input = order(id, 'loss');
    for (let operations = 1; ; operations++) {
      shop.dieAfter(operations);
      await explainTransaction(shop.ctx, anna, input).catch(() => undefined);
      if (!shop.revive()) break;
      const made = (await shop.all<LedgerDocument>('ledger')).filter(({ stripeObjectId }) => stripeObjectId === id);
      expect([0, 2]).toContain(made.length);
      expect(await shop.all('auditLog')).toHaveLength(made.length / 2);
    }
    expect(await explainTransaction(shop.ctx, anna, input)).toMatchObject({ amountMinor: -1_000 });
    await shop.expectBooksAsStripe();
  });

  it('and what an event explains after all closes its flag by the next night', async () => {
    const id = await move('adjustment', -1_000);
    await shop.advance(days(1));
    await proof();
    expect(await shop.openFlags()).toContain(`stripe-movement_${id}`);
    const [sale] = await shop.all<LedgerDocument>('ledger');
    await shop.ctx.db.doc('ledger/du_1:dispute').set({ ...sale, id: 'du_1:dispute', balanceTransactionIds: [id] });
    await books();
    expect(await shop.read(`flags/stripe-movement_${id}`)).toMatchObject({ status: 'resolved', resolvedBy: 'system' });
  });

  it('nothing that is explained, that events book, that is not there or is nobody’s to say', async () => {
    const fee = await move('stripe_fee', -100);
    await books();
    const [charge] = (await shop.stripe.balanceTransactions.list({ type: 'charge' })).data;
    const dispute = await move('adjustment', -5_000, { source: 'du_unknown' });
    const nothing = await move('adjustment', 0);
    const elsewhere = await move('reserve_hold', 100, { balance_type: 'risk_reserved' });
    const theirs = await move('adjustment', -100, { account: shop.account });
    const no = async (input: ExplainInput) =>
      explainTransaction(shop.ctx, anna, input).then(
        () => 'booked',
        (error: { reason: string }) => error.reason,
      );
    expect([
      await no(order(fee, 'loss')),
      await no(order(charge?.id ?? '', 'loss')),
      await no(order(dispute, 'loss')),
      await no(order(nothing, 'loss')),
      await no(order(elsewhere, 'reserve')),
      await no(order('txn_none', 'loss')),
      await no(order(theirs, 'loss')),
      await no(order(theirs, 'loss', { stripeAccountId: 'acct_none' })),
      await no(order(theirs, 'topup', { stripeAccountId: shop.account })),
      await no(order(fee, 'coach')),
    ]).toEqual([
      'already-explained',
      'booked-by-events',
      'booked-by-events',
      'nothing-moved',
      'other-balance',
      'transaction-not-found',
      'transaction-not-found',
      'account-not-found',
      'not-the-platforms',
      'not-a-coachs',
    ]);
    await shop.fault('error_500_before', '/v1/balance_transactions', { method: 'GET', times: 3 });
    expect(await no(order(theirs, 'loss', { stripeAccountId: shop.account }))).toBe('stripe-unavailable');
    expect(await shop.all('auditLog')).toEqual([]);
  });
});

describe("on a coach's account", () => {
  const on = () => ({ stripeAccountId: shop.account });

  it('a reserve is booked by the proof, nothing less is owed, and only what Stripe lets go is paid', async () => {
    await shop.buy();
    await move('reserved_funds', -15_000, { account: shop.account });
    await shop.advance(days(1));
    expect(await proof()).toMatchObject({ ok: true });
    expect((await shop.all<LedgerDocument>('ledger')).find(({ kind }) => kind === 'reserve')).toMatchObject({
      coachId: 'karin',
      stripeAccountId: shop.account,
      deltas: { stripe_connected: -15_000, dispute_held: 15_000, coach_payable: 0 },
    });
    expect(await payOutAll(shop)).toMatchObject({ amount: 25_000 });
    expect(await shop.openFlags()).toEqual([]);
    await shop.expectBooksAsStripe();
    // Nor has the platform to keep of its own what Stripe holds of the coach's.
    expect(await platformTotals(shop.ctx.db, 'SEK')).toMatchObject({
      coach_payable: -15_000,
      stripe_connected: 0,
      connected_reserve: 15_000,
    });
  });

  it('what was let go since the proof is booked before it is called unexplained', async () => {
    await shop.buy();
    await move('reserved_funds', -15_000, { account: shop.account });
    await shop.advance(days(1));
    await proof();
    await move('reserved_funds', 15_000, { account: shop.account });
    expect(await payOutAll(shop)).toMatchObject({ amount: 40_000 });
    expect(await shop.openFlags()).toEqual([]);
    await shop.expectBooksAsStripe();
  });

  it.each([
    [2_500, 42_500],
    [-2_500, 37_500],
  ])('%d that is the coach’s goes with the next payout, as an item that is no sale', async (amount, paid) => {
    await shop.buy();
    const id = await move('adjustment', amount, { account: shop.account, description: 'Rättelse' });
    await shop.advance(days(1));
    expect(await proof()).toMatchObject({ ok: false });
    expect(await shop.read(`flags/stripe-movement_${id}`)).toMatchObject({ subject: 'coaches/karin', status: 'open' });
    await explainTransaction(shop.ctx, anna, order(id, 'coach', on()));
    expect((await entry(`${id}:adjustment`))?.deltas).toMatchObject({
      stripe_connected: amount,
      coach_payable: -amount,
    });
    expect(await shop.read<Earning>(`coaches/karin/earnings/${id}`)).toMatchObject({
      amountMinor: amount,
      description: 'Rättelse',
      settlement: amount > 0 ? 'open' : 'debt',
    });
    expect(await payOutAll(shop)).toMatchObject({ amount: paid });
    const [payout] = (await shop.ctx.db.collection('payouts').get()).docs;
    const items = (await shop.ctx.db.collection(`payouts/${payout?.id}/items`).get()).docs;
    expect((payout?.data() as Payout).relatedPaymentIds).toContain(id);
    expect(items.map((item) => (item.data() as PayoutItem).amountMinor).sort()).toEqual([amount, 40_000].sort());
    expect(await checkInvariants(shop.ctx)).toMatchObject({ payoutItemsSumToPayout: true, ledgerBalances: true });
    await shop.expectBooksAsStripe();
    await shop.advance(days(1));
    await books();
    expect(await proof()).toMatchObject({ ok: true });
    const { ledger, fortnox } = await trialBalances();
    expect(ledger.coach_payable).toBe(0);
    // Paid out with it: the expense is what the coach sold for, and nothing of it.
    expect(fortnox.get(5090)).toBe(40_000);
  });

  it('the platform bears a loss, and owes the coach what is not there', async () => {
    await shop.buy();
    const id = await move('stripe_fee', -300, { account: shop.account });
    await explainTransaction(shop.ctx, anna, order(id, 'fee', on()));
    expect(await payOutAll(shop)).toMatchObject({ amount: 39_700 });
    await shop.advance(days(1));
    expect(await proof()).toMatchObject({ ok: true });
  });
});
