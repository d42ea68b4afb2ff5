import { Timestamp } from 'firebase-admin/firestore';
import type { Flag } from '../admin/flags.ts';
import { createEntry } from '../ledger/ledger.store.ts';
import { destinationSale, stripeFee } from '../ledger/ledger.ts';
import { addDays, hours, minutes, startOfBusinessDate } from '../platform/clock.ts';
import type { Context } from '../platform/context.ts';
import { minor } from '../platform/money.ts';
import { createTestWorld, forgetFortnox, type TestWorld } from '../testing/world.ts';
import { postTask } from './accounting.api.ts';
import { resolveVouchers, retryVoucher, syncBooks, syncByNight } from './accounting.service.ts';
import type { Voucher } from './accounting.ts';
import { postVoucherQueue } from './queue.ts';

/**
 * What is wrong in Fortnox or about a day, the whole way: the night's sync, the flag and its words, what a person mends,
 * and that everything is then in Fortnox once and no flag is open.
 */

let world: TestWorld;
let ctx: Context;
let clock: Date;

beforeEach(async () => {
  world = await createTestWorld();
  ctx = world.ctx;
  ctx.clock = { now: () => clock };
  clock = new Date('2026-11-20T12:00:00Z');
  newProcess();
  const state = fortnox();
  const year = (id: number, from: string, to: string) => ({ id, from, to });
  state.years = [
    year(1, '2025-05-01', '2026-04-30'),
    year(2, '2026-05-01', '2027-04-30'),
    // Prolonged to eighteen months (BFL 3:3).
    year(3, '2027-05-01', '2028-10-31'),
  ];
});

afterEach(() => world.close());

/** What a process knows of Fortnox's registers goes with its client. */
function newProcess(): void {
  forgetFortnox(world, {
    timeoutMs: 2_000,
    sleep: (ms) => world.advance(ms),
  });
}

const fortnox = () => world.fortnoxEmulator.core.state();
const year = () => {
  const book = fortnox().books['2'];
  if (!book) throw new Error('no book');
  return book;
};
const all = async <T>(collection: string) =>
  (await ctx.db.collection(collection).get()).docs.map((doc) => doc.data() as T);
const openFlags = async () => (await all<Flag>('flags')).filter(({ status }) => status === 'open');
const vouchers = () => all<Voucher>('vouchers');

/** A sale of 499 kr and Stripe's fee on it. */
async function sell(id: string, at: string): Promise<void> {
  const occurredAt = Timestamp.fromDate(new Date(at));
  const sale = destinationSale({
    chargeId: id,
    paymentId: `pi_${id}`,
    occurredAt,
    currency: 'SEK',
    grossMinor: minor(49_900),
    coachMinor: minor(40_000),
    feeMinor: minor(9_900),
    vatRate: 25,
    coachId: 'karin',
    stripeAccountId: 'acct_1',
    balanceTransactionIds: [`txn_${id}`],
  });
  const fee = stripeFee({ balanceTransactionId: `txn_${id}`, occurredAt, currency: 'SEK', feeMinor: minor(929) });
  await ctx.db.runTransaction(async (tx) => {
    for (const entry of [sale, fee]) if (entry) createEntry(ctx.db, tx, entry, clock);
  });
}

const pass = (milliseconds: number) => void (clock = new Date(clock.getTime() + milliseconds));

/** The queue: each task until it is done, at most as often as the queue tries. */
async function work(): Promise<void> {
  for (const { payload } of world.tasks.splice(0)) {
    for (let retry = 0; retry < postVoucherQueue.retryConfig.maxAttempts; retry += 1) {
      const done = await postTask(ctx, payload as { voucherId: string }, retry).then(
        () => true,
        () => false,
      );
      pass(minutes(0.6));
      if (done) break;
    }
  }
}

async function night(): Promise<void> {
  await syncByNight(ctx, clock);
  await work();
}

/** Everything is in Fortnox, each once, and nobody is asked for anything any more. */
async function expectWhole(sales: number): Promise<void> {
  const ours = await vouchers();
  expect(ours.map(({ id, state, error }) => [id, state, error])).toEqual(
    ours.map(({ id }) => [id, 'posted', undefined]),
  );
  const there = fortnox().vouchers.map(({ description }) => description.split(' ').at(-1));
  expect(there.toSorted()).toEqual(ours.map(({ key }) => key).toSorted());
  const balance = { 1686: sales * (49_900 - 929), 3001: sales * -40_000, 3921: sales * -9_900, 6570: sales * 929 };
  expect(await world.control('fortnox', 'trial-balance')).toEqual(balance);
  expect(await openFlags()).toEqual([]);
}

interface Trouble {
  /** The same process has posted before, and knows the registers as they were. */
  warm: boolean;
  /** The vouchers are made, and not posted, before it goes wrong. */
  made?: true;
  breaks: () => unknown;
  mends: () => unknown;
  /** The flags by kind, and what each says and has a person do. */
  says: Record<string, RegExp>;
  /** The sale alone is held up, its fee is not. */
  one?: true;
}

const fault = (kind: string, more: object = {}) => world.control('fortnox', 'faults', { kind, times: 1_000, ...more });
const noFault = () => void (fortnox().faults = []);
const account = (change: (book: ReturnType<typeof year>) => void) => () => change(year());
const setActive = (active: boolean) =>
  account(({ accounts }) => {
    const fees = accounts['3921'];
    if (fees) fees.active = active;
  });
const setManual = (manual: boolean) => () => void (year().series.S = { ...seriesS(), manual });
const seriesS = () => {
  const { S: series } = year().series;
  if (!series) throw new Error('no series');
  return series;
};

let taken: unknown;
const removeAccount = account(({ accounts }) => {
  taken = accounts['3921'];
  delete accounts['3921'];
});
const putAccountBack = account(({ accounts }) => void (accounts['3921'] = taken as (typeof accounts)[string]));
const removeSeries = () => {
  taken = year().series.S;
  delete year().series.S;
};
const putSeriesBack = () => void (year().series.S = taken as ReturnType<typeof seriesS>);
const removeYear = () => {
  taken = fortnox().years;
  fortnox().years = fortnox().years.filter(({ id }) => id !== 2);
};
const putYearBack = () => void (fortnox().years = taken as ReturnType<typeof fortnox>['years']);
const revoke = () => {
  taken = fortnox().serviceConsent;
  fortnox().serviceConsent = null;
  fortnox().tokens = {};
};
const consent = () => void (fortnox().serviceConsent = taken as ReturnType<typeof fortnox>['serviceConsent']);
/** As a wrong rule would have made it; the text is the voucher's own and frozen. */
const changeTexts = (from: string, to: string) => async () => {
  for (const voucher of await vouchers()) {
    if (voucher.kind !== 'sale' || voucher.state === 'posted') continue;
    await ctx.db.doc(`vouchers/${voucher.id}`).update({ description: voucher.description.replace(from, to) });
  }
};

const troubles: [string, Trouble][] = [
  [
    'a chart without an account',
    {
      warm: false,
      breaks: removeAccount,
      mends: putAccountBack,
      one: true,
      says: {
        'account-unusable': /^Account 3921 does not exist in the financial year of 2026-11-21\. Create .*by themselves/,
      },
    },
  ],
  [
    'a chart without an account that it had a moment ago',
    {
      warm: true,
      breaks: removeAccount,
      mends: putAccountBack,
      one: true,
      says: { 'voucher-rejected': /Kan inte hitta kontot\. .*\(2000423\) Create the account .* \(retryVoucher\)/ },
    },
  ],
  [
    'an inactive account',
    {
      warm: false,
      breaks: setActive(false),
      mends: setActive(true),
      one: true,
      says: { 'account-unusable': /^Account 3921 is not active in the financial year .* activate .*by themselves/ },
    },
  ],
  [
    'an account that was active a moment ago',
    {
      warm: true,
      breaks: setActive(false),
      mends: setActive(true),
      one: true,
      says: { 'voucher-rejected': /Konto "3921" är inte aktivt \(2000550\) Activate the account .* \(retryVoucher\)/ },
    },
  ],
  [
    'a series that is not manual',
    {
      warm: false,
      breaks: setManual(false),
      mends: setManual(true),
      says: { 'voucher-series': /^Voucher series S is not manual .*"Manuell kontering".*by themselves/ },
    },
  ],
  [
    'a series that was manual a moment ago',
    {
      warm: true,
      breaks: setManual(false),
      mends: setManual(true),
      says: {
        'voucher-rejected':
          /Verifikationsserien är inte manuell \(S\).*Mend in Fortnox what it names.*\(retryVoucher\)/,
        // The next one, now that the series is looked at again.
        'voucher-series': /is not manual/,
      },
    },
  ],
  [
    'a series that does not exist',
    {
      warm: false,
      breaks: removeSeries,
      mends: putSeriesBack,
      says: { 'voucher-series': /^Voucher series S does not exist in the financial year of 2026-11-21\. .*create/ },
    },
  ],
  [
    'a year that does not exist',
    {
      warm: false,
      breaks: removeYear,
      mends: putYearBack,
      says: {
        'financial-year-missing': /^Fortnox has no financial year that 2026-11-21 is in\. Create .*by themselves/,
      },
    },
  ],
  [
    'a locked period',
    {
      warm: false,
      breaks: () => void (fortnox().lockedPeriod = '2026-11-30'),
      mends: () => void (fortnox().lockedPeriod = null),
      says: { 'period-locked': /to and including 2026-11-30 is locked .*Unlock .*by themselves/ },
    },
  ],
  [
    'characters Fortnox refuses',
    {
      warm: true,
      made: true,
      breaks: changeTexts('Försäljning', 'Försäljning |'),
      mends: changeTexts(' |', ''),
      one: true,
      says: {
        'voucher-rejected': /itself\. The voucher was not sent: .*characters.*Tell the engineers.*\(retryVoucher\)/,
      },
    },
  ],
  [
    'a consent revoked at noon',
    {
      warm: true,
      breaks: revoke,
      mends: consent,
      says: {
        'fortnox-unauthorized': /lets us in no more.*consent.*connectFortnox.*by themselves/,
        'voucher-retries-spent': /invalid_grant.*by itself/,
      },
    },
  ],
  [
    '429s without an end',
    {
      warm: true,
      breaks: () => fault('rate_limit'),
      mends: noFault,
      says: { 'voucher-retries-spent': /takes no more requests just now \(429\).*by itself/ },
    },
  ],
  [
    'HTML for an answer to what is asked',
    {
      warm: false,
      breaks: () => fault('html_error', { method: 'GET' }),
      mends: noFault,
      says: { 'voucher-retries-spent': /a page of HTML where JSON was promised.*by itself/ },
    },
  ],
  [
    'HTML for an answer to what is posted',
    {
      warm: true,
      breaks: () => fault('html_error', { method: 'POST', path: '/3/vouchers' }),
      mends: noFault,
      says: { 'voucher-retries-spent': /a page of HTML where JSON was promised|looked for again/ },
    },
  ],
  [
    'HTML for a token',
    {
      warm: false,
      breaks: () => fault('html_error', { path: '/oauth-v1/token' }),
      mends: noFault,
      says: { 'voucher-retries-spent': /token.*a page of HTML where JSON was promised.*by itself/ },
    },
  ],
];

it.each(troubles)('%s: a clear flag, nothing lost, nothing twice', async (_what, trouble) => {
  await sell('ch_before', '2026-11-20T10:00:00Z');
  await night();
  if (!trouble.warm) newProcess();
  clock = new Date('2026-11-22T01:00:00Z');
  await sell('ch_during', '2026-11-21T11:00:00Z');
  if (trouble.made) await syncBooks(ctx, clock);
  await trouble.breaks();
  await night();
  const waiting = (await vouchers()).filter(({ state }) => state !== 'posted');
  expect(waiting.map(({ kind }) => kind).toSorted()).toEqual(trouble.one ? ['sale'] : ['fee', 'sale']);
  const raised = await openFlags();
  expect(new Set(raised.map(({ kind }) => kind))).toEqual(new Set(Object.keys(trouble.says)));
  for (const { kind, message, action } of raised) expect(`${message} ${action}`).toMatch(trouble.says[kind] ?? /^$/);
  // Synced and swept again while it lasts: nothing is made or posted that was not.
  pass(hours(2));
  await syncBooks(ctx, clock);
  await resolveVouchers(ctx, clock);
  await work();
  expect(await vouchers()).toHaveLength(4);
  expect(fortnox().vouchers).toHaveLength(4 - waiting.length);
  await trouble.mends();
  // What Fortnox refused a person sends again; everything else goes on by itself.
  for (const { id, state } of await vouchers()) if (state === 'rejected') await retryVoucher(ctx, id, clock);
  pass(hours(1) + minutes(1));
  await resolveVouchers(ctx, clock);
  await work();
  await expectWhole(2);
});

describe.each(['transaction', 'day'] as const)('by %s', (voucherGrouping) => {
  beforeEach(() => {
    ctx.config = { ...ctx.config, voucherGrouping };
  });

  /** Sales by their moment, and the Stockholm day that each belongs to. */
  const autumn = {
    '2026-10-24T21:59:59Z': '2026-10-24',
    '2026-10-24T22:00:00Z': '2026-10-25',
    // 02:30, and 02:30 again.
    '2026-10-25T00:30:00Z': '2026-10-25',
    '2026-10-25T01:30:00Z': '2026-10-25',
    '2026-10-25T22:59:59Z': '2026-10-25',
    '2026-10-25T23:00:00Z': '2026-10-26',
  };
  const spring = {
    '2027-03-27T22:59:59Z': '2027-03-27',
    '2027-03-27T23:00:00Z': '2027-03-28',
    // 01:59:59 and, a second later, 03:00.
    '2027-03-28T00:59:59Z': '2027-03-28',
    '2027-03-28T01:00:00Z': '2027-03-28',
    '2027-03-28T21:59:59Z': '2027-03-28',
    '2027-03-28T22:00:00Z': '2027-03-29',
  };
  const leap = {
    '2028-02-28T22:59:59Z': '2028-02-28',
    '2028-02-28T23:00:00Z': '2028-02-29',
    '2028-02-29T12:00:00Z': '2028-02-29',
    '2028-02-29T22:59:59Z': '2028-02-29',
    '2028-02-29T23:00:00Z': '2028-03-01',
  };

  it.each<[string, Record<string, string>, string[]]>([
    ['the night that has 02:00 twice, synced at both', autumn, ['2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z']],
    ['the night that has 02:00 twice, synced at neither', autumn, []],
    ['the night without 02:00, skipped', spring, []],
    ['the night without 02:00, synced at 03:00', spring, ['2027-03-28T01:00:00Z']],
    ['a leap day', leap, ['2028-02-29T01:00:00Z']],
    ['a leap day whose sync comes twice', leap, ['2028-02-29T01:00:00Z', '2028-02-29T01:00:00Z']],
  ])('%s: each document once, on its day in Stockholm', async (_what, sales, runs) => {
    const moments = Object.keys(sales).sort();
    const last = sales[moments.at(-1) ?? ''] ?? '';
    const following = [1, 2].map((n) => new Date(startOfBusinessDate(addDays(last, n)).getTime() + hours(2)));
    for (const at of [...runs.map((run) => new Date(run)), ...following]) {
      clock = at;
      while (moments[0] !== undefined && new Date(moments[0]) < at) {
        const moment = moments.shift() ?? '';
        await sell(`ch_${Date.parse(moment)}`, moment);
      }
      await night();
    }
    await expectWhole(Object.keys(sales).length);
    const made = (await vouchers()).filter(({ kind }) => kind === 'sale');
    const dated = made.flatMap(({ date, ledgerIds }) => ledgerIds.map((id) => [id, date] as const));
    expect(new Map(dated)).toEqual(
      new Map(Object.entries(sales).map(([moment, date]) => [`ch_${Date.parse(moment)}:sale`, date])),
    );
    expect(made).toHaveLength(voucherGrouping === 'day' ? new Set(Object.values(sales)).size : dated.length);
    expect(
      fortnox()
        .vouchers.map(({ date }) => date)
        .toSorted(),
    ).toEqual((await vouchers()).map(({ date }) => date).toSorted());
  });

  it('a broken financial year and a prolonged one: vouchers are in the year of their day, which they name by its start', async () => {
    const starts = {
      '2026-04-30': ['2025', 1],
      '2026-05-01': ['2026', 2],
      '2027-04-30': ['2026', 2],
      '2027-05-01': ['2027', 3],
      '2028-02-29': ['2027', 3],
      '2028-10-31': ['2027', 3],
      '2028-11-01': ['2028', 4],
    } as const;
    clock = new Date('2028-11-02T01:00:00Z');
    for (const date of Object.keys(starts)) await sell(`ch_${date}`, `${date}T10:00:00Z`);
    await night();
    const waiting = (await vouchers()).filter(({ state }) => state !== 'posted');
    expect(new Set(waiting.map(({ date }) => date))).toEqual(new Set(['2028-11-01']));
    expect((await openFlags()).map(({ id }) => id)).toEqual(['financial-year-missing_2028']);
    fortnox().years.push({ id: 4, from: '2028-11-01', to: '2029-10-31' });
    pass(hours(1) + minutes(1));
    await resolveVouchers(ctx, clock);
    await work();
    await expectWhole(Object.keys(starts).length);
    for (const [date, [start, financialYearId]] of Object.entries(starts)) {
      for (const voucher of (await vouchers()).filter((one) => one.date === date)) {
        expect(voucher.financialYearId).toBe(financialYearId);
        expect(voucher.fortnoxReference).toBe(`S ${voucher.fortnoxNumber ?? ''} (${start})`);
      }
    }
    expect(fortnox().vouchers.map(({ financialYear, date }) => [date, financialYear])).toEqual(
      expect.arrayContaining(Object.entries(starts).map(([date, [, id]]) => [date, id])),
    );
  });

  it('ids with characters Fortnox refuses are written without them', async () => {
    const id = 'ch_<{"å~|😀\u0007}>';
    await sell(id, '2026-11-20T10:00:00Z');
    clock = new Date('2026-11-22T01:00:00Z');
    await night();
    await expectWhole(1);
    const texts = fortnox().vouchers.flatMap(({ rows }) => rows.map(({ text }) => text));
    if (voucherGrouping === 'transaction') expect(texts).toContain('ch_å');
  });
});
