import type { Voucher } from '../accounting/accounting.ts';
import { deltas } from '../ledger/ledger.ts';
import { businessDate } from '../platform/clock.ts';
import { minor } from '../platform/money.ts';
import { createHmac } from 'node:crypto';
import { anna, karin, lisa } from '../../../scripts/story/people.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { entrances, functionOf, routeOf, type Entrance } from './entrances.ts';
import { wrongEnvelopes, wrongInputs, wrongRequests, type Hostile } from './payloads.ts';
import { closeConnections, send } from './sender.ts';
import { contentsOf } from './contents.ts';

/** Hostile requests of every kind to every entrance: the client's fault is a 4xx, and nothing comes of it anywhere. */
let harness: Harness;
let tokens: Record<'customer' | 'coach' | 'admin', string>;

/** One that an administrator may send again. Firestore makes timestamps of its dates. */
function rejectedVoucher(): Omit<Voucher, 'createdAt' | 'updatedAt'> & { createdAt: Date; updatedAt: Date } {
  const now = new Date();
  return {
    id: 'v_ch_2_sale',
    ledgerIds: [],
    kind: 'sale',
    profile: 'specification',
    ruleVersion: 1,
    series: 'S',
    date: businessDate(now),
    description: 'Försäljning ch_2 abcdefgh2345',
    key: 'abcdefgh2345',
    rows: [
      { account: 1686, debitMinor: minor(9_900), creditMinor: minor(0), text: 'ch_2' },
      { account: 3001, debitMinor: minor(0), creditMinor: minor(9_900), text: 'ch_2' },
    ],
    clearingMinor: minor(9_900),
    clearingAccount: 1686,
    state: 'rejected',
    attempts: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** A share that went back to the customer after the coach was paid: an administrator may write it off. */
async function shareOwed(): Promise<void> {
  const about = { paymentId: 'pi_owed', coachId: 'coach-karin', currency: 'SEK' };
  const { db } = harness;
  await db.doc('payments/pi_owed').set({ ...about, stripePaymentId: 'pi_owed', amountMinor: 10_000, metadata: {} });
  await db.doc('ledger/re_owed:refund').set({ ...about, deltas: deltas({ coach_receivable: 10_000 }) });
  const earning = { ...about, amountMinor: 10_000, feeMinor: 0, paidMinor: 10_000, reversedMinor: 10_000 };
  await db.doc('coaches/coach-karin/earnings/pi_owed').set({ ...earning, status: 'reversed', settlement: 'debt' });
}

beforeAll(async () => {
  harness = await startHarness();
  tokens = { coach: await harness.login(karin), customer: await harness.login(lisa), admin: await harness.login(anna) };
  const product = { currency: 'SEK', vatRate: 25, active: true };
  // Products that could be bought: an input that slipped through would be seen by what it makes.
  await harness.db.doc('products/programme').set({ ...product, name: 'P', kind: 'programme', amountMinor: 49_900 });
  const premium = { ...product, name: 'Premium', kind: 'subscription', amountMinor: 9_900, interval: 'month' };
  await harness.db.doc('products/premium').set(premium);
  await harness.db.doc('vouchers/v_ch_2_sale').set(rejectedVoucher());
  await shareOwed();
}, 60_000);

afterAll(async () => {
  closeConnections();
  await harness.close();
});

const postsAtStripe = async (): Promise<number> =>
  (await harness.control<{ data: { method: string }[] }>('stripe', 'requests')).data.filter(
    ({ method }) => method !== 'GET',
  ).length;

/** Of the counting alone: that somebody called is what it is there to know. */
const isCount = (path: string): boolean => path.startsWith('limits/');

/** What the world holds; a hostile request leaves it as it was. */
const world = async () => ({
  documents: Object.entries(await contentsOf(harness.db)).filter(([path]) => !isCount(path)),
  postsAtStripe: await postsAtStripe(),
  tasks: harness.tasks.enqueued(),
});

const tokenFor = (entrance: Entrance): string =>
  entrance.kind === 'task queue' || entrance.kind === 'scheduled'
    ? `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"tasks"}').toString('base64url')}.`
    : entrance.allowed.includes('customer')
      ? tokens.customer
      : entrance.allowed.includes('coach')
        ? tokens.coach
        : tokens.admin;

const urlFor = (entrance: Entrance): string =>
  harness.urlOf(functionOf(entrance)) + (entrance.kind === 'route' ? routeOf(entrance).path : '');

async function statusOf(url: string, token: string, hostile: Hostile): Promise<{ status: number; body: string }> {
  const usual: [string, string][] = [
    ['Content-Type', 'application/json'],
    ['Authorization', `Bearer ${token}`],
  ];
  const headers = [...usual.filter(([name]) => !hostile.without?.includes(name)), ...(hostile.headers ?? [])];
  return send(url, hostile.method ?? 'POST', headers, hostile.body);
}

/** Sends all, a few at once; gives the ones that were not answered with a 4xx. */
async function notRefused(url: string, token: string, cases: readonly Hostile[]): Promise<string[]> {
  const waiting = [...cases];
  const wrong: string[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { status, body } = await statusOf(url, token, next);
      if (status < 400 || status > 499) wrong.push(`${next.name}: ${status} ${body.slice(0, 200)}`);
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  return wrong;
}

async function expectRefused(url: string, token: string, cases: readonly Hostile[]): Promise<void> {
  const before = await world();
  const logged = harness.logged.length;
  expect(await notRefused(url, token, cases)).toEqual([]);
  expect(await world()).toEqual(before);
  // An unexpected error would be told so: ours to mend, not the client's.
  expect(harness.logged.slice(logged).filter((line) => /entrance\.failed|Unhandled error/.test(line))).toEqual([]);
}

const enveloped = entrances.filter(({ kind }) => kind === 'callable' || kind === 'task queue');
const routes = entrances.filter((entrance) => entrance.kind === 'route' && routeOf(entrance).method === 'POST');

it.each(enveloped.map((entrance) => [entrance.name, entrance] as const))(
  '%s',
  async (_name, entrance) => {
    const good = JSON.stringify(entrance.input);
    const inside = wrongInputs(entrance).map(({ name, input }) => ({ name, body: `{"data":${input}}` }));
    const cases = [...inside, ...wrongEnvelopes(good), ...wrongRequests(`{"data":${good}}`, entrance.bodyBytes)];
    await expectRefused(urlFor(entrance), tokenFor(entrance), cases);
  },
  60_000,
);

it.each(routes.map((entrance) => [entrance.name, entrance] as const))(
  '%s',
  async (_name, entrance) => {
    const inside = wrongInputs(entrance).map(({ name, input }) => ({ name, body: input }));
    // Where there is nothing to say, no body says it.
    const around = wrongRequests(JSON.stringify(entrance.input)).filter(
      ({ name }) => name !== 'no body' || Object.keys(entrance.input).length > 0,
    );
    const cases = [...inside, ...around];
    await expectRefused(urlFor(entrance), tokenFor(entrance), cases);
  },
  60_000,
);

it('routes that are none', async () => {
  const paths = ['/', '//', '/api', '/api/', '/nowhere', '/health/../process-payment', '/%2e%2e/process-payment'];
  const odd = ['/process-payment%00', '/process-payment;a=b', '/constructor', `/${'/'.repeat(4000)}`, '/%', '/%ff'];
  for (const path of [...paths, ...odd]) {
    await expectRefused(harness.urlOf('api') + path, tokens.admin, [{ name: path, body: '{}' }]);
  }
});

it('stripeWebhook', async () => {
  const event = JSON.stringify({
    id: 'evt_hostile',
    object: 'event',
    type: 'payment_intent.succeeded',
    livemode: false,
    created: 1,
    data: { object: { id: 'pi_hostile', object: 'payment_intent', amount: 1, status: 'succeeded' } },
  });
  const now = Math.floor(Date.now() / 1000);
  const sign = (secret: string, at = now, body = event) =>
    `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
  const secret = harness.webhookSecrets.platform;
  const signed = (name: string, ...signatures: string[]): Hostile => ({
    name,
    headers: signatures.map((signature) => ['Stripe-Signature', signature]),
    body: event,
  });
  await expectRefused(harness.urlOf('stripeWebhook'), tokens.admin, [
    signed('no signature'),
    signed('an empty signature', ''),
    signed('no scheme', 'abc'),
    signed('of nothing', `t=${now},v1=`),
    signed('by an empty secret', sign('')),
    signed('by a placeholder', sign('unset')),
    signed('by another secret', sign('whsec_other')),
    signed('six minutes old', sign(secret, now - 360)),
    signed('of another body', sign(secret, now, '{}')),
    signed('of scheme v0 only', sign(secret).replace('v1=', 'v0=')),
    signed('without a time', sign(secret).replace(/t=\d+,/, '')),
    signed('with a time that is none', sign(secret).replace(/t=\d+/, 't=NaN')),
    signed('over 16 KiB', 'v1=aa,'.repeat(2_000)),
    signed('twice, both forged', sign('a'), sign('b')),
    { ...signed('a body that was changed', sign(secret)), body: event.replace('"amount":1', '"amount":2') },
    { ...signed('a body over 1 MiB', sign(secret)), body: event + ' '.repeat(1024 * 1024) },
    ...wrongRequests(event).map((hostile) => ({ ...hostile, name: `unsigned, ${hostile.name}` })),
    { name: 'deep', body: '['.repeat(10_000) + ']'.repeat(10_000) },
  ]);
});

it('scheduled functions run for no time that is none', async () => {
  for (const { name } of entrances.filter(({ kind }) => kind === 'scheduled')) {
    const times = [
      'tomorrow',
      '',
      '0',
      'NaN',
      '1969-12-31T23:59:59Z',
      '+275760-09-13T00:00:00Z',
      '2026-13-45T00:00:00Z',
    ];
    const twice = { name: 'two times', times: ['2026-11-23T07:00:00Z', '2026-11-24T07:00:00Z'] };
    const cases = [...times.map((time) => ({ name: time, times: [time] })), twice].map((one): Hostile => ({
      name: one.name,
      headers: one.times.map((time) => ['X-CloudScheduler-ScheduleTime', time]),
      body: '',
    }));
    await expectRefused(harness.urlOf(name), '', cases);
  }
});

it('a task that cannot be read is refused, not run; its last attempt leaves a flag', async () => {
  const url = harness.urlOf('payCoach');
  const deliver = (attempt: number) =>
    statusOf(url, tokenFor({ kind: 'task queue' } as Entrance), {
      name: 'unreadable',
      headers: [
        ['X-CloudTasks-TaskName', 'task-1'],
        ['X-CloudTasks-TaskRetryCount', String(attempt)],
      ],
      body: '{"data":{"coachId":7}}',
    });
  expect((await deliver(0)).status).toBe(400);
  expect((await harness.db.collection('flags').get()).size).toBe(0);
  expect((await deliver(4)).status).toBe(400);
  expect((await harness.db.collection('flags').get()).docs.map((doc) => doc.id)).toEqual([
    'task-unreadable_payCoach_task-1',
  ]);
});

it('takes the inputs that the hostile ones were made from', async () => {
  for (const entrance of [...enveloped, ...routes]) {
    const input = JSON.stringify(entrance.input);
    const body = entrance.kind === 'route' ? input : `{"data":${input}}`;
    const { status, body: said } = await statusOf(urlFor(entrance), tokenFor(entrance), { name: '', body });
    // Taken, or refused for what it asks and not for how: some name a thing that is not there.
    const taken = status < 500 && !/invalid-input|field-not-allowed/.test(said);
    expect([entrance.name, taken ? 'taken' : `${status} ${said}`]).toEqual([entrance.name, 'taken']);
  }
  await harness.settle();
});

it('says why, by name', async () => {
  const url = harness.urlOf('processPayment');
  const reasonOf = async (hostile: Hostile) => {
    const { body } = await statusOf(url, tokens.customer, hostile);
    return (JSON.parse(body) as { error: { status: string; details: { reason: string } } }).error;
  };
  const refusal = (reason: string): object =>
    expect.objectContaining({ status: 'INVALID_ARGUMENT', details: { reason } }) as object;
  expect(await reasonOf({ name: '', body: `{"data":${'['.repeat(10_000)}${']'.repeat(10_000)}}` })).toEqual(
    refusal('input-too-deep'),
  );
  expect(await reasonOf({ name: '', body: `{"data":"${'x'.repeat(70_000)}"}` })).toEqual(refusal('body-too-large'));
  expect(await reasonOf({ name: '', body: '{"data":{"__proto__":{}}}' })).toEqual(refusal('field-not-allowed'));
  expect(await reasonOf({ name: '', body: '{"data":{},"more":1}' })).toEqual(refusal('envelope-not-understood'));
  // Who is not signed in learns nothing of what is wrong with the rest.
  const anonymous = await send(url, 'POST', [['Content-Type', 'application/json']], '{"data":{"__proto__":{}}}');
  expect(anonymous.status).toBe(401);
});

it('a browser of another site gets no leave', async () => {
  const preflight = (origin: string) =>
    send(
      harness.urlOf('processPayment'),
      'OPTIONS',
      [
        ['Origin', origin],
        ['Access-Control-Request-Method', 'POST'],
        ['Access-Control-Request-Headers', 'authorization,content-type'],
      ],
      '',
    );
  const allowed = async (origin: string) => (await preflight(origin)).headers['access-control-allow-origin'] === origin;
  expect(await allowed('http://127.0.0.1:5000')).toBe(true);
  for (const origin of [
    'https://evil.example',
    'http://127.0.0.1:5000.evil.example',
    'null',
    'http://127.0.0.1:5001',
  ]) {
    expect([origin, await allowed(origin)]).toEqual([origin, false]);
  }
  const asked = await send(harness.urlOf('api') + '/health', 'GET', [['Origin', 'http://127.0.0.1:5000']], '');
  expect(asked.headers['access-control-allow-origin']).toBeUndefined();
});
