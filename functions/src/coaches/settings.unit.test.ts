import fc from 'fast-check';
import type { Firestore } from 'firebase-admin/firestore';
import { Timestamp } from 'firebase-admin/firestore';
import { completeOnboarding } from '../../../emulators/stripe/index.ts';
import { approveOperation } from '../admin/decisions.service.ts';
import { approvedActions } from '../admin/actions.service.ts';
import { ownSale } from '../ledger/ledger.ts';
import { deltas } from '../ledger/ledger.ts';
import type { Context } from '../platform/context.ts';
import { answer } from '../platform/entrance.ts';
import { minor } from '../platform/money.ts';
import { createTestWorld, testConfig, type TestWorld } from '../testing/world.ts';
import { newCoach, payoutObstacle, type Coach } from './coaches.ts';
import { readCoach } from './coaches.service.ts';
import { startOnboarding } from './onboarding.service.ts';
import { setCoachTermsSpec, updatePayoutSettingsSpec } from './settings.api.ts';
import { changedSettings, pointsMoved, withTerms } from './settings.ts';
import { defaultTerms, feeWarning } from './terms.ts';

const config = { platformFeePercent: 20, feeRounding: 'whole', currency: 'SEK' } as const;
const at = Timestamp.fromMillis(1_800_000_000_000);
const settled = { settled: true, platformKnown: true };

describe('terms', () => {
  const standard = defaultTerms(config);

  it('keep what is not named, and take what is', () => {
    const coach = newCoach(config, at);
    const changed = withTerms(coach, { feePercent: 15, mayRefund: true }, settled, at);
    expect(changed.terms).toEqual({ ...standard, feePercent: 15, mayRefund: true });
    expect(withTerms(changed, { cadence: 'monthly' }, settled, at)).toMatchObject({
      terms: changed.terms,
      payoutSettings: { cadence: 'monthly', minimumMinor: 2_000 },
    });
    const billing = { invoicing: 'self_billing', vatNumber: 'SE556677889901' } as const;
    expect(() => withTerms(coach, billing, settled, at)).toThrow(/names and addresses/);
    const named = { ...billing, invoiceName: 'Karins coachning', invoiceAddress: 'Gatan 1' };
    expect(() => withTerms(coach, named, { ...settled, platformKnown: false }, at)).toThrow(/PLATFORM_NAME/);
    const billed = withTerms(coach, named, settled, at);
    expect(billed).toMatchObject({ terms: { invoicing: 'self_billing' }, vatNumber: 'SE556677889901' });
    const none = withTerms(billed, { invoicing: 'none', vatNumber: null }, settled, at);
    expect(none.terms).toEqual(standard);
    expect(none.vatNumber).toBeUndefined();
  });

  it('hold payouts for a reason and let them go again', () => {
    const active: Coach = {
      ...newCoach(config, at),
      stripeAccountId: 'acct_1',
      accountStatus: 'active',
      payoutsEnabled: true,
    };
    const held = withTerms(active, { holdReason: 'A question of identity.' }, settled, at);
    expect(payoutObstacle(held, at.toDate())).toBe('hold');
    expect(payoutObstacle(withTerms(held, { feePercent: 10 }, settled, at), at.toDate())).toBe('hold');
    expect(payoutObstacle(withTerms(held, { holdReason: null }, settled, at), at.toDate())).toBeUndefined();
  });

  it('switch to and from direct charges only when nothing is open and the account can charge', () => {
    const coach: Coach = { ...newCoach(config, at), stripeAccountId: 'acct_1', accountStatus: 'active' };
    const direct = { chargeModel: 'direct' } as const;
    expect(() => withTerms(coach, direct, { ...settled, settled: false }, at)).toThrow(/still owes/);
    expect(() => withTerms(coach, direct, settled, at)).toThrow(/cannot take cards/);
    const able = { ...coach, takesCards: true, chargesEnabled: true };
    expect(withTerms(able, direct, settled, at)).toMatchObject({ terms: direct, acceptsPayments: true });
    const tenant = withTerms(able, direct, settled, at);
    expect(() => withTerms(tenant, { chargeModel: 'destination' }, { ...settled, settled: false }, at)).toThrow(
      /still owes/,
    );
    expect(withTerms(coach, { chargeModel: 'separate' }, { ...settled, settled: false }, at).terms.chargeModel).toBe(
      'separate',
    );
    // Before there is an account the terms decide what kind it becomes.
    expect(withTerms(newCoach(config, at), direct, settled, at).acceptsPayments).toBe(false);
  });

  it('measure how far the fee moves, a fixed part too', () => {
    expect(pointsMoved(standard, { ...standard, feePercent: 30 }, 'SEK')).toBe(10);
    expect(pointsMoved(standard, { ...standard, feePercent: 30.5 }, 'SEK')).toBe(10.5);
    expect(pointsMoved(standard, { ...standard, feeFixedMinor: minor(10_000) }, 'SEK')).toBe(20);
    expect(pointsMoved(standard, standard, 'SEK')).toBe(0);
  });

  it('warn where Stripe takes more than the fee', () => {
    expect(feeWarning(standard, 'SEK', testConfig)).toBeUndefined();
    expect(feeWarning({ ...standard, feePercent: 1 }, 'SEK', testConfig)).toContain('Stripe takes about');
    expect(feeWarning({ ...standard, feePercent: 2.5 }, 'SEK', testConfig)).toContain('100,00 kr');
    expect(
      feeWarning({ ...standard, feePercent: 1.5, feeFixedMinor: minor(180), feeRounding: 'minor' }, 'SEK', testConfig),
    ).toBeUndefined();
    // 2.50 of 100.00, where Stripe takes 3.30; of 1,000.00 it is 25.00 and 16.80.
    const store = { ...standard, feePercent: 2.5, feeRounding: 'minor' } as const;
    expect(feeWarning(store, 'SEK', testConfig, minor(10_000))).toContain('3,30 kr');
    expect(feeWarning(store, 'SEK', testConfig, minor(100_000))).toBeUndefined();
  });
});

describe('payout settings', () => {
  it('never lie below what Stripe pays out', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5_000, max: 2_000_000 }), (minimumMinor) => {
        const change = () =>
          changedSettings({ cadence: 'weekly', minimumMinor: minor(2_000) }, { minimumMinor }, 'SEK');
        if (minimumMinor < 2_000 || minimumMinor > 1_000_000) expect(change).toThrow();
        else expect(change()).toEqual({ cadence: 'weekly', minimumMinor });
      }),
    );
  });
});

const anna = { uid: 'anna', coach: false, admin: true };
const bo = { uid: 'bo', coach: false, admin: true };
const karin = { uid: 'karin', email: 'karin@example.se', coach: true, admin: false };
const addresses = { returnUrl: 'http://127.0.0.1:5000/return', refreshUrl: 'http://127.0.0.1:5000/refresh' };

describe('asked for', () => {
  let world: TestWorld;
  let ctx: Context;
  let db: Firestore;
  let asked = 0;

  beforeEach(async () => {
    world = await createTestWorld();
    ctx = world.ctx;
    db = ctx.db;
    await startOnboarding(ctx, karin, addresses);
  });
  afterEach(() => world.close());

  const order = (change: object) => ({
    coachId: 'karin',
    requestId: `terms-${++asked}-000000`,
    note: 'Agreed.',
    ...change,
  });
  const set = (change: object, by = anna) => answer(ctx, setCoachTermsSpec, by, order(change));
  const update = (change: object, by = karin) =>
    answer(ctx, updatePayoutSettingsSpec, by, { requestId: `settings-${++asked}-00`, ...change });
  const terms = async () => (await readCoach(ctx, 'karin'))?.terms;
  const audited = async () => (await db.collection('auditLog').get()).docs.map((doc) => doc.data());

  it('by an administrator, terms are in force, audited once, and the coach is written to', async () => {
    const input = order({ feePercent: 15.5, cadence: 'biweekly', mayRefund: true });
    const reply = await answer(ctx, setCoachTermsSpec, anna, input);
    expect(reply).toMatchObject({ status: 'done', terms: { feePercent: 15.5 }, feeWarning: null });
    expect(await answer(ctx, setCoachTermsSpec, anna, input)).toEqual(reply);
    expect(await readCoach(ctx, 'karin')).toMatchObject({
      terms: { feePercent: 15.5, mayRefund: true },
      payoutSettings: { cadence: 'biweekly' },
    });
    expect(await audited()).toMatchObject([
      { by: 'anna', before: { terms: { feePercent: 20 } }, after: { terms: { feePercent: 15.5 } }, note: 'Agreed.' },
    ]);
    expect((await db.collection('mail').get()).size).toBe(1);
    expect(await set({ feePercent: 10, feeFixedMinor: 0 })).toMatchObject({ feeWarning: null });
    expect(await set({ feePercent: 1 })).toMatchObject({ feeWarning: expect.stringContaining('loses') as unknown });
  });

  it('above the limit waits for a second administrator, who is another one', async () => {
    const reply = await set({ feePercent: 35 });
    expect(reply.status).toBe('awaiting-approval');
    expect(await terms()).toMatchObject({ feePercent: 20 });
    if (reply.status !== 'awaiting-approval') throw new Error('It was done at once.');
    const decision = { approvalId: reply.approvalId, requestId: 'decision-1' };
    await expect(approveOperation(ctx, anna, decision, approvedActions)).rejects.toMatchObject({
      reason: 'second-administrator-needed',
    });
    const approved = await approveOperation(ctx, bo, { ...decision, requestId: 'decision-2' }, approvedActions);
    expect(approved).toMatchObject({ status: 'approved', result: { status: 'done', terms: { feePercent: 35 } } });
    expect(await terms()).toMatchObject({ feePercent: 35 });
    expect(await audited()).toContainEqual(
      expect.objectContaining({
        action: 'setCoachTerms',
        by: 'anna',
        after: expect.objectContaining({ approvedBy: 'bo' }) as unknown,
      }),
    );
  });

  it('with money open, is not switched to direct', async () => {
    const owed = ownSale({
      chargeId: 'ch_1',
      paymentId: 'pi_1',
      occurredAt: at,
      currency: 'SEK',
      grossMinor: minor(1_000),
      vatRate: 25,
      balanceTransactionIds: ['txn_1'],
    });
    await db
      .doc('ledger/ch_1')
      .set({ ...owed, coachId: 'karin', deltas: deltas({ coach_payable: -1_000, stripe_platform: 1_000 }) });
    await expect(set({ chargeModel: 'direct' })).rejects.toMatchObject({ reason: 'coach-has-open-money' });
    await db.doc('ledger/ch_1').delete();
    await expect(set({ chargeModel: 'direct' })).rejects.toMatchObject({ reason: 'account-cannot-charge' });
  });

  it.each([
    [{ feePercent: 100.01 }, 'invalid-input'],
    [{ feePercent: -1 }, 'invalid-input'],
    [{ feePercent: 12.345 }, 'invalid-input'],
    [{ feeFixedMinor: 1.5 }, 'invalid-input'],
    [{ chargeModel: 'gift' }, 'invalid-input'],
    [{ cadence: 'hourly' }, 'invalid-input'],
    [{ vatNumber: '556677-8899' }, 'invalid-input'],
    [{}, 'nothing-to-change'],
  ])('refuses terms %j', async (change, reason) => {
    await expect(set(change)).rejects.toMatchObject({ code: 'invalid-argument', reason });
    expect(await audited()).toEqual([]);
  });

  it('is for administrators', async () => {
    await expect(set({ feePercent: 0 }, karin)).rejects.toMatchObject({ code: 'permission-denied' });
  });

  it('by the coach, payout settings change', async () => {
    expect(await update({ cadence: 'monthly', minimumMinor: 50_000 })).toEqual({
      payoutSettings: { cadence: 'monthly', minimumMinor: 50_000 },
    });
    expect(await update({ cadence: 'manual' })).toEqual({
      payoutSettings: { cadence: 'manual', minimumMinor: 50_000 },
    });
    expect((await readCoach(ctx, 'karin'))?.payoutSettings).toEqual({ cadence: 'manual', minimumMinor: 50_000 });
    expect(await audited()).toHaveLength(2);
  });

  it.each([
    [{ minimumMinor: 1_999 }, 'minimum-too-low'],
    [{ minimumMinor: 2_000_000 }, 'minimum-too-high'],
    [{ cadence: 'hourly' }, 'invalid-input'],
    [{ cadence: 'daily', coachId: 'olle' }, 'invalid-input'],
    [{}, 'nothing-to-change'],
  ])('refuses settings %j', async (change, reason) => {
    await expect(update(change)).rejects.toMatchObject({ code: 'invalid-argument', reason });
  });

  it('has no settings for somebody who has not started', async () => {
    await expect(update({ cadence: 'daily' }, { ...karin, uid: 'new' })).rejects.toMatchObject({
      reason: 'onboarding-unfinished',
    });
  });

  it('leaves terms alone when Stripe tells of the account', async () => {
    await set({ feePercent: 12, holdReason: 'Wait.' });
    const account = (await readCoach(ctx, 'karin'))?.stripeAccountId ?? '';
    completeOnboarding(world.stripeEmulator.core.world, account, {
      firstName: 'Karin',
      lastName: 'Coach',
      email: karin.email,
      phone: '+46700000000',
      birthDate: '1980-01-01',
      street: 'Gatan 1',
      postalCode: '11122',
      city: 'Stockholm',
      iban: 'SE3550000000054910000003',
    });
    await world.deliver();
    expect(await readCoach(ctx, 'karin')).toMatchObject({
      accountStatus: 'active',
      terms: { feePercent: 12 },
      hold: { reason: 'Wait.' },
    });
  });
});
