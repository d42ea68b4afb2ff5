import type Stripe from 'stripe';
import { getJson } from '../../../../scripts/story/http.ts';
import { changeAccount } from '../../../../emulators/stripe/http/control-account.ts';
import type { Voucher } from '../../accounting/accounting.ts';
import type { Coach, PayoutSettings } from '../../coaches/coaches.ts';
import { trialBalance, type LedgerDocument } from '../../ledger/ledger.ts';
import { processPayment } from '../../payments/payments.service.ts';
import { refundPayment } from '../../payments/refunds/refunds.service.ts';
import { addDays, businessDate, hours, startOfBusinessDate, type BusinessDate } from '../../platform/clock.ts';
import { minor } from '../../platform/money.ts';
import { bookSession } from '../../sessions/booking.service.ts';
import { cancelSession, completeSession } from '../../sessions/life.service.ts';
import { Months, type Deed } from '../../testing/weeks/months.ts';
import { offerSessions } from '../../testing/weeks/sessions.ts';
import { bringCoach, offer } from '../../testing/weeks/stage.ts';
import { requestPayout } from '../by-hand.service.ts';
import type { Payout } from '../payouts.ts';

/**
 * Two months of a small marketplace, spring 2026: summer time on 29 March, Good Friday on 3 April, Easter Monday on the 6th,
 * 1 May a Friday, Ascension Day on 14 May. What each coach is to be paid, and when, is worked out by hand below: the
 * platform keeps 20 percent in whole kronor.
 */
const first = '2026-03-16';
const last = '2026-05-17';

const coaches: Record<string, Partial<PayoutSettings>> = {
  vera: { cadence: 'weekly' },
  bo: { cadence: 'biweekly' },
  mona: { cadence: 'monthly' },
  dag: { cadence: 'daily' },
  hanna: { cadence: 'manual' },
  fia: { cadence: 'weekly' },
  mini: { cadence: 'weekly', minimumMinor: minor(50_000) },
  dora: { cadence: 'weekly' },
  siv: { cadence: 'weekly' },
};

const lisa = { uid: 'lisa', email: 'lisa@example.se', coach: false, admin: false };
const anna = { uid: 'anna', coach: false, admin: true };
const accounts = new Map<string, string>();
const sold = new Map<string, string>();
let months: Months;

/** A sale of so many kronor; `name` to speak of it later. */
const sale = (
  on: BusinessDate,
  coach: string,
  kronor: number,
  { card, name }: { card?: string; name?: string } = {},
) => ({
  on,
  act: async (m: Months) => void sold.set(name ?? '', await m.sell(`${coach}-${kronor}`, card)),
});

const weekly = (coach: string, from: BusinessDate, kronor: number, every = 7): Deed[] => {
  const sales: Deed[] = [];
  for (let on = from; on <= last; on = addDays(on, every)) sales.push(sale(on, coach, kronor));
  return sales;
};

const refund = (on: BusinessDate, name: string, kronor?: number): Deed => ({
  on,
  act: (m) => {
    const amount = kronor === undefined ? {} : { amountMinor: kronor * 100 };
    return refundPayment(m.stage.ctx, anna, { paymentId: sold.get(name) ?? '', requestId: m.requestId(), ...amount });
  },
});

const evidence = (on: BusinessDate, name: string, text: string): Deed => ({
  on,
  act: async ({ stage }) => {
    const [dispute] = (await stage.stripe.disputes.list({ payment_intent: sold.get(name) ?? '' })).data;
    await stage.stripe.disputes.update(dispute?.id ?? '', { evidence: { uncategorized_text: text }, submit: true });
  },
});

const bank = (on: BusinessDate, coach: string, code: string | null): Deed => ({
  on,
  at: 1,
  act: async ({ stage }) => {
    const changed = changeAccount(stage.core.world, accounts.get(coach) ?? '', { payout_failure_code: code });
    if (typeof changed === 'string') throw new Error(changed);
  },
});

/** A session of 600 kr with Siv at ten, booked and paid at noon; its id by that day. */
const session = (on: BusinessDate, day: BusinessDate): Deed => ({
  on,
  act: async (m) => {
    const { ctx } = m.stage;
    const startsAt = new Date(startOfBusinessDate(day).getTime() + hours(10)).toISOString();
    const { sessionId } = await bookSession(ctx, lisa, { productId: 'siv-hour', startsAt, requestId: m.requestId() });
    const paymentMethodId = 'pm_card_bypassPending';
    await processPayment(ctx, lisa, { sessionId, requestId: m.requestId(), paymentMethodId });
    sold.set(day, sessionId);
  },
});

const held = (day: BusinessDate): Deed => ({
  on: day,
  act: (m) =>
    completeSession(m.stage.ctx, { uid: 'siv', coach: true, admin: false }, { sessionId: sold.get(day) ?? '' }),
});

const canceled = (on: BusinessDate, day: BusinessDate): Deed => ({
  on,
  at: 15,
  act: (m) => cancelSession(m.stage.ctx, lisa, { sessionId: sold.get(day) ?? '', requestId: m.requestId() }),
});

const disputed = 'pm_card_createDispute';

const deeds: Deed[] = [
  { on: first, at: 9, act: (m) => m.sell('own') },
  // Wednesdays.
  ...weekly('vera', '2026-03-18', 499),
  sale('2026-04-21', 'vera', 1_000, { card: disputed, name: 'won' }),
  evidence('2026-04-30', 'won', 'winning_evidence'),
  // Tuesdays; one of them in part refunded before it is paid out.
  ...weekly('bo', '2026-03-17', 1_200),
  sale('2026-03-24', 'bo', 1_200, { name: 'partly' }),
  refund('2026-03-26', 'partly', 300),
  ...weekly('mona', '2026-03-19', 749),
  sale('2026-03-20', 'mona', 1_000, { card: disputed, name: 'lost' }),
  evidence('2026-03-25', 'lost', 'losing_evidence'),
  // Mondays and Thursdays.
  ...weekly('dag', '2026-03-16', 333),
  ...weekly('dag', '2026-03-19', 333),
  sale('2026-03-18', 'hanna', 499),
  sale('2026-04-15', 'hanna', 499),
  {
    on: '2026-04-20',
    act: ({ stage }) =>
      requestPayout(stage.ctx, { uid: 'hanna', coach: true, admin: false }, { requestId: 'by-hanna' }),
  },
  ...weekly('fia', '2026-03-18', 499),
  bank('2026-03-16', 'fia', 'account_closed'),
  bank('2026-04-09', 'fia', null),
  ...weekly('mini', '2026-03-18', 199),
  sale('2026-03-18', 'dora', 499, { name: 'paid out' }),
  refund('2026-03-27', 'paid out'),
  sale('2026-04-08', 'dora', 249),
  sale('2026-04-15', 'dora', 499),
  sale('2026-04-22', 'dora', 499),
  session('2026-03-18', '2026-03-20'),
  held('2026-03-20'),
  // Nobody says how it went: completed by itself 48 hours later, on the 28th.
  session('2026-03-24', '2026-03-26'),
  // Canceled the day before, and so early that it costs nothing.
  session('2026-04-07', '2026-04-09'),
  canceled('2026-04-08', '2026-04-09'),
  session('2026-04-14', '2026-04-24'),
  canceled('2026-04-15', '2026-04-24'),
  session('2026-05-12', '2026-05-16'),
  held('2026-05-16'),
];

/** `day amount`, in kronor; with `back` where it came back from the bank, or never left. */
const expected: Record<string, string[]> = {
  // 400 a Wednesday. Easter Monday's on Tuesday. The disputed 800 come with the first run after it is won.
  vera: ['03-23 400', '03-30 400', '04-07 400', '04-13 400', '04-20 400', '04-27 400', '05-04 1200', '05-11 400'],
  // 960 a Tuesday. On 30 March the two first weeks, and of the second sale of the 24th three quarters: 720.
  bo: ['03-30 2640', '04-13 1920', '04-27 1920', '05-11 1920'],
  // 600 a Thursday. The lost sale's share was taken back before. 1 May is a holiday: Monday, with Thursday the 30th's.
  mona: ['04-01 1200', '05-04 3000'],
  // 267 on the banking day after. Before Easter Thursday's and Monday's together; on 1 May nothing.
  dag: [
    ...['03-17 267', '03-20 267', '03-24 267', '03-27 267', '03-31 267', '04-07 534', '04-10 267', '04-14 267'],
    ...['04-17 267', '04-21 267', '04-24 267', '04-28 267', '05-04 267', '05-05 267', '05-08 267', '05-12 267'],
    '05-15 267',
  ],
  hanna: ['04-20 800'],
  // Came back, then refused while the bank account is in error, then all of four weeks at once.
  fia: [
    '03-23 400 back',
    '03-30 800 back',
    '04-07 1200 back',
    '04-13 1600',
    '04-20 400',
    '04-27 400',
    '05-04 400',
    '05-11 400',
  ],
  // 160 a Wednesday, not below 500: every fourth week.
  mini: ['04-13 640', '05-11 640'],
  // 400 paid and then refunded: a debt, recovered from 200 and 400.
  dora: ['03-23 400', '04-20 200', '04-27 400'],
  // 480 of a session that took place, 240 of one canceled late.
  siv: ['03-23 480', '03-30 480', '04-13 240'],
};

/** Still owed at the end: the last Wednesday's, Tuesday's or Thursdays' sales. */
const owed: Record<string, number> = {
  vera: 400,
  bo: 960,
  mona: 1_200,
  dag: 0,
  hanna: 0,
  fia: 400,
  mini: 160,
  dora: 0,
  siv: 480,
};

beforeAll(async () => {
  months = await Months.open(first);
  const { stage } = months;
  for (const [coachId, payoutSettings] of Object.entries(coaches)) {
    accounts.set(coachId, await bringCoach(stage, coachId, { payoutSettings }));
    for (const kronor of [199, 249, 333, 499, 749, 1_000, 1_200]) {
      await offer(stage, { id: `${coachId}-${kronor}`, coachId, amountMinor: kronor * 100 });
    }
  }
  await offerSessions(stage, 'siv');
  await offer(stage, { id: 'own', amountMinor: 2_000_000 });
  await months.play(first, last, deeds);
}, 300_000);

afterAll(() => months.fortnox.close());

const ofCoach = <T extends { coachId?: string }>(all: T[], coachId: string) =>
  all.filter((one) => one.coachId === coachId);

it.each(Object.keys(coaches))('%s is paid what is theirs, on the days that are right', async (coachId) => {
  const payouts = ofCoach(await months.stage.all<Payout>('payouts'), coachId);
  const lines = payouts
    .sort((a, b) => a.createdAt.toMillis() - b.createdAt.toMillis())
    .map(({ createdAt, amount, status }) => {
      const back = status === 'failed' || status === 'canceled' ? ' back' : '';
      return `${businessDate(createdAt.toDate()).slice(5)} ${amount}${back}`;
    });
  expect(lines).toEqual(expected[coachId]);
  const open = payouts.filter(({ status }) => status === 'pending' || status === 'unknown');
  expect(open.every(({ createdAt }) => businessDate(createdAt.toDate()) >= '2026-05-14')).toBe(true);
});

it.each(Object.keys(coaches))('what %s is owed at the end is in the ledger and at Stripe', async (coachId) => {
  const books = trialBalance(ofCoach(await months.stage.all<LedgerDocument>('ledger'), coachId));
  const balance = await months.stage.stripe.balance.retrieve({}, { stripeAccount: accounts.get(coachId) ?? '' });
  const there = [...balance.available, ...balance.pending].reduce((total, { amount }) => total + amount, 0);
  expect([0 - books.coach_payable - books.coach_receivable, there]).toEqual(
    Array(2).fill((owed[coachId] ?? NaN) * 100),
  );
});

it('Stripe, the ledger and Fortnox agreed every morning', async () => {
  expect(months.proofs).toHaveLength(63);
  expect(months.proofs.filter(({ ok }) => !ok).map(({ date, differences }) => [date, differences])).toEqual([]);
});

it('the platform is left with what the ledger says, and every document has its voucher in Fortnox', async () => {
  const { stage } = months;
  const books = trialBalance(await stage.all<LedgerDocument>('ledger'));
  const balance: Stripe.Balance = await stage.stripe.balance.retrieve();
  const there = [...balance.available, ...balance.pending].reduce((total, { amount }) => total + amount, 0);
  expect(books.stripe_platform).toBe(there);
  const vouchers = await stage.all<Voucher>('vouchers');
  expect(vouchers.filter(({ state }) => state !== 'posted')).toEqual([]);
  const posted = await getJson<Record<string, number>>(`${months.fortnox.url}/_emulator/trial-balance`);
  expect(posted[1686]).toBe(books.stripe_platform + books.stripe_connected);
});

it('nobody is left waiting: no lock, no open question, and the coach whose bank failed was told', async () => {
  const { stage } = months;
  expect(await stage.all('payoutLocks')).toEqual([]);
  expect(stage.queue).toEqual([]);
  const fia = (await stage.ctx.db.doc('coaches/fia').get()).data() as Coach;
  expect(fia.payoutDestination).toMatchObject({ status: 'new' });
  const letters = (await stage.ctx.db.collection('mail').get()).docs.map(({ id }) => id.replace(/_.*/, ''));
  expect(letters).toEqual(expect.arrayContaining(['payout-returned', 'refund-debt']));
  expect(new Set(await months.openFlags())).toEqual(new Set(['payout-returned', 'payout-refused']));
});
