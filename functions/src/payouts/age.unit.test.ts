import { Timestamp } from 'firebase-admin/firestore';
import type { Flag } from '../admin/flags.ts';
import { refundPayment } from '../payments/refunds/refunds.service.ts';
import { days } from '../platform/clock.ts';
import type { Letter } from '../platform/mail.ts';
import { minor } from '../platform/money.ts';
import { openShop, type Shop } from '../testing/shop.ts';
import { oldMoney } from './age.ts';
import { watchAge } from './age.service.ts';
import { payCoach } from './payouts.service.ts';
import type { Payout } from './payouts.ts';

const admin = { uid: 'anna', coach: false, admin: true };
let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
});
afterEach(() => shop.close());

const settings = (cadence: string, minimumMinor: number) =>
  shop.ctx.db.doc('coaches/karin').update({ payoutSettings: { cadence, minimumMinor } });
const watch = () => watchAge(shop.ctx, shop.now());
const flags = async () => (await shop.all<Flag>('flags')).map(({ id, status, severity }) => [id, status, severity]);
const letters = async () =>
  (await shop.all<Letter>('mail')).filter(({ message }) => message.subject.includes('väntat'));
/** To a day on which banks are open, so many days from now at least. */
async function advanceTo(at: string): Promise<void> {
  await shop.advance(new Date(at).getTime() - shop.now().getTime());
  await shop.deliver();
}
const payQueued = async () => {
  const tasks = shop.tasks.splice(0).filter(({ name }) => name === 'payCoach');
  return Promise.all(tasks.map(({ payload }) => payCoach(shop.ctx, payload as Parameters<typeof payCoach>[1])));
};
const payouts = () => shop.all<Payout>('payouts');

describe('money that nears Stripe’s limit of 90 days', () => {
  it.each([
    ['by hand', 'manual', 2_000],
    ['below the coach’s minimum', 'weekly', 900_000],
  ])('%s is told after 75 days and paid after 82, once', async (_why, cadence, minimumMinor) => {
    await settings(cadence, minimumMinor);
    await advanceTo('2026-12-01T07:00:00Z');
    await shop.buy();
    await advanceTo('2027-02-13T07:00:00Z');
    expect(await watch()).toMatchObject({ old: 0, queued: 0 });
    await advanceTo('2027-02-15T07:00:00Z');
    for (let i = 0; i < 2; i++) expect(await watch()).toMatchObject({ old: 1, queued: 0 });
    expect(await flags()).toEqual([['payout-age_karin_SEK', 'open', 'warning']]);
    const [letter, ...more] = await letters();
    expect(more).toEqual([]);
    expect(letter?.toUids).toEqual(['karin']);
    expect(letter?.message.text).toContain('senast 2027-03-01');
    expect(letter?.message.text).toContain('från 2027-02-21');
    // A Sunday: banks move nothing.
    await advanceTo('2027-02-21T07:00:00Z');
    expect(await watch()).toMatchObject({ old: 1, queued: 0 });
    await advanceTo('2027-02-22T07:00:00Z');
    for (let i = 0; i < 2; i++) expect(await watch()).toMatchObject({ old: 1, queued: 1 });
    expect(await payQueued()).toEqual(['settled']);
    expect(await payouts()).toMatchObject([{ amountMinor: 40_000, dueDate: '2027-02-22' }]);
    expect(await watch()).toMatchObject({ old: 0, queued: 0 });
    expect(await flags()).toEqual([['payout-age_karin_SEK', 'resolved', 'warning']]);
    expect(await letters()).toHaveLength(1);
    await shop.expectBooksAsStripe();
  });

  it.each([
    ['hold', { hold: { reason: 'Under review', since: null } }],
    ['payouts-disabled', { payoutsEnabled: false }],
  ])('that rests (%s) is not paid, and turns urgent', async (reason, change) => {
    await advanceTo('2026-12-01T07:00:00Z');
    await shop.buy();
    await shop.ctx.db.doc('coaches/karin').update(change);
    await advanceTo('2027-02-15T07:00:00Z');
    await watch();
    expect(await flags()).toEqual([['payout-age_karin_SEK', 'open', 'warning']]);
    await advanceTo('2027-02-22T07:00:00Z');
    expect(await watch()).toMatchObject({ queued: 0 });
    expect(await flags()).toEqual([['payout-age_karin_SEK', 'open', 'critical']]);
    expect((await shop.all<Flag>('flags'))[0]?.message).toContain(`Not paid yet: ${reason}`);
    expect((await letters())[0]?.message.text).toContain('Vi kan inte');
    expect(await payouts()).toEqual([]);
  });

  it('less than Stripe pays out is told and never queued', async () => {
    const product = { kind: 'good', currency: 'SEK', vatRate: 25, active: true, coachId: 'karin' };
    await shop.ctx.db.doc('products/tiny').set({ ...product, name: 'Tiny', amountMinor: 1_500 });
    await advanceTo('2026-12-01T07:00:00Z');
    await shop.buy({ productId: 'tiny' });
    await advanceTo('2027-02-22T07:00:00Z');
    expect(await watch()).toMatchObject({ old: 1, queued: 0 });
    expect((await shop.all<Flag>('flags'))[0]?.message).toContain('below-stripe-minimum');
  });

  it('is counted by coach and currency, what is disputed apart', () => {
    const earning = (settlement: string, at: number, currency = 'SEK') => ({
      coachId: 'karin',
      earning: {
        settlement,
        currency,
        amountMinor: 100,
        feeMinor: 20,
        reversedMinor: 0,
        paidMinor: 0,
        createdAt: Timestamp.fromMillis(at),
      },
    });
    const found = [earning('open', 5), earning('held', 2), earning('open', 9, 'EUR')];
    expect(oldMoney(found as unknown as Parameters<typeof oldMoney>[0])).toEqual([
      { coachId: 'karin', currency: 'SEK', oldest: new Date(2), openMinor: minor(80), heldMinor: minor(80) },
      { coachId: 'karin', currency: 'EUR', oldest: new Date(9), openMinor: minor(80), heldMinor: minor(0) },
    ]);
  });
});

describe('debts', () => {
  const task = (dueDate: string) => ({ coachId: 'karin', currency: 'SEK', dueDate, runId: dueDate });

  async function owe(): Promise<void> {
    const paymentId = await shop.buy();
    await payCoach(shop.ctx, task('2026-11-23'));
    await shop.deliver();
    await refundPayment(shop.ctx, admin, { paymentId, reason: 'Ill', requestId: 'refund-of-paid' });
    await shop.deliver();
  }

  it('are taken back before the next payout is reckoned', async () => {
    await owe();
    await shop.buy();
    await shop.buy();
    expect(await shop.all<{ kind: string; status: string }>('transfers')).toMatchObject([
      { kind: 'reversal', status: 'refused' },
    ]);
    expect(await payCoach(shop.ctx, task('2026-11-30'))).toBe('settled');
    expect(await shop.all<{ kind: string; status: string }>('transfers')).toMatchObject([{ status: 'done' }]);
    await shop.deliver();
    expect((await payouts()).map(({ amountMinor }) => amountMinor)).toEqual([40_000, 40_000]);
    await shop.expectBooksAsStripe();
  });

  it('that stand for a month are told with their age, until they are settled', async () => {
    await owe();
    await shop.advance(days(29));
    expect(await watch()).toMatchObject({ debts: 0 });
    await shop.advance(days(2));
    for (let i = 0; i < 2; i++) expect(await watch()).toMatchObject({ debts: 1 });
    const [flag, ...more] = (await shop.all<Flag>('flags')).filter(({ kind }) => kind === 'debt-age');
    expect(more).toEqual([]);
    expect(flag?.message).toContain('31 days');
    await shop.buy();
    await payCoach(shop.ctx, task('2027-01-04'));
    await shop.deliver();
    expect(await watch()).toMatchObject({ debts: 0 });
    expect((await flags()).filter(([id]) => id === 'debt-age_karin_SEK')).toEqual([
      ['debt-age_karin_SEK', 'resolved', 'warning'],
    ]);
    await shop.expectBooksAsStripe();
  });
});
