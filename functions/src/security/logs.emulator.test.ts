import { inspect } from 'node:util';
import { addDays, nextMonday, stockholm } from '../../../scripts/story/calendar.ts';
import { anna, karin, lisa } from '../../../scripts/story/people.ts';
import { startHarness, type Harness } from '../testing/harness.ts';
import { contentsOf } from './contents.ts';

/** What a whole road writes to the log, refusals, declines and failures included: nothing that the log must not know. */
let harness: Harness;
const lines: string[] = [];
/** Answers to clients, to show that what is looked for was there to be logged. */
const answers: string[] = [];

const day = (date: string, hour: number) => Math.floor(stockholm(date, hour).getTime() / 1000);
const fault = (which: 'stripe' | 'fortnox', order: object) => harness.control(which, 'faults', order);

async function tried(name: string, data: unknown, token?: string): Promise<void> {
  const answer = await harness.call(name, data, token).catch((error: unknown) => String(error));
  answers.push(JSON.stringify(answer));
}

beforeAll(async () => {
  harness = await startHarness();
  for (const level of ['debug', 'info', 'log', 'warn', 'error'] as const) {
    jest.spyOn(console, level).mockImplementation((...said: unknown[]) => {
      lines.push(said.map((one) => (typeof one === 'string' ? one : inspect(one))).join(' '));
    });
  }
  await road();
}, 120_000);

afterAll(() => harness.close());

async function road(): Promise<void> {
  const coach = await harness.login(karin);
  const customer = await harness.login(lisa);
  const admin = await harness.login(anna);
  await harness.onboard(karin, coach);
  const product = { currency: 'SEK', vatRate: 25, active: true };
  const programme = { ...product, name: 'Programme', kind: 'programme', amountMinor: 49_900, coachId: karin.uid };
  await harness.db.doc('products/programme').set(programme);
  const premium = { ...product, name: 'Premium', kind: 'subscription', amountMinor: 9_900, interval: 'month' };
  await harness.db.doc('products/premium').set(premium);
  const monday = nextMonday(new Date());
  await harness.control('stripe', 'clock', { now: day(monday, 7) });

  const card = { paymentMethodId: 'pm_card_bypassPending' };
  await tried('processPayment', { productId: 'programme', requestId: 'programme-1', ...card }, customer);
  await tried('processPayment', { productId: 'programme', requestId: 'programme-2' }, customer);
  await tried('createSubscription', { productId: 'premium', requestId: 'premium-1', ...card }, customer);
  const declined = { paymentMethodId: 'pm_card_chargeDeclined' };
  await tried('processPayment', { productId: 'programme', requestId: 'programme-3', ...declined }, customer);
  await fault('stripe', { kind: 'error_500_before', method: 'POST', path: '/v1/payment_intents', times: 3 });
  await tried('processPayment', { productId: 'programme', requestId: 'programme-4', ...card }, customer);
  await harness.settle();

  // A document that nobody foresaw: an error of ours, logged whole.
  const broken = { stripeAccountId: 'acct_1', acceptsPayments: true, name: karin.name, email: karin.email };
  await harness.db.doc('coaches/broken').set(broken);
  await harness.db.doc('products/broken').set({ ...programme, coachId: 'broken' });
  await tried('processPayment', { productId: 'broken', requestId: 'programme-5' }, customer);
  await harness.db.doc('coaches/broken').delete();

  const secret = { name: lisa.name, email: lisa.email, note: 'a-private-note' };
  await tried('processPayment', secret, customer);
  await tried('processPayment', secret);
  await tried('processPayment', secret, 'a-private-token');
  await tried('startCoachOnboarding', { returnUrl: 'https://evil.example/a-private-note', refreshUrl: 'x' }, coach);
  await send('processPayment', JSON.stringify({ [lisa.email]: secret }));
  await send('processPayment', JSON.stringify({ data: secret, [lisa.email]: 1 }));
  await send('payCoach', JSON.stringify({ data: secret }), admin);
  await send('stripeWebhook', JSON.stringify(secret));
  await send('api', JSON.stringify(secret), admin);

  await harness.fire('schedulePayouts', stockholm(monday, 8));
  await harness.settle();
  await harness.control('stripe', 'clock', { now: day(addDays(monday, 3), 8) });
  await harness.settle();
  await fault('fortnox', { kind: 'commit_then_drop', method: 'POST', path: '/3/vouchers', times: 1 });
  const night = addDays(monday, 4);
  await harness.fire('syncAccounting', stockholm(night, 2));
  await harness.settle().catch(() => undefined);
  await harness.fire('sweep', new Date(stockholm(night, 2).getTime() + 600_000));
  await harness.fire('reconcile', stockholm(night, 5));
  await harness.settle();
}

async function send(name: string, body: string, token = ''): Promise<void> {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
  await fetch(harness.urlOf(name), { method: 'POST', headers, body });
}

const holding = (pattern: RegExp) => lines.filter((line) => pattern.test(line)).map((line) => line.slice(0, 300));

it('saw the whole road', () => {
  const events = [
    'webhook.applied',
    'entrance.failed',
    'webhook.signature-refused',
    'payouts.',
    'voucher',
    'task.refused',
  ];
  expect(events.filter((event) => !lines.some((line) => line.includes(event)))).toEqual([]);
  expect(answers.join()).toMatch(/pi_\w+_secret_\w+/);
});

it.each([
  ['a key or a secret of Stripe', /\b[sr]k_(test|live)_\w|whsec_/],
  ['a client secret', /_secret_\w/],
  ['Fortnox’s secret or a token', /fortnox-emulator-secret|access_token|refresh_token"/],
  ['a token', /eyJ[\w-]{10,}\.|Bearer [\w-]{8,}|a-private-token/],
  ['a name', new RegExp([lisa, karin, anna].map(({ name }) => name).join('|'))],
  ['an e-mail address', /[\w.]+@[\w-]+\.(se|com)\b/],
  ['what a client sent and was refused', /a-private-note/],
  ['a link that opens an account', /_hosted\/|connect\.stripe\.com|onboarding\/link/],
  ['a card or a bank account', /\b4[0-9]{15}\b|\bSE\d{22}\b/],
])('the log holds no line with %s', (_what, pattern) => {
  expect(holding(pattern)).toEqual([]);
});

it.each([
  ['a client secret', /"[a-z]+_\w+_secret_\w+"/],
  ['a key or a secret of Stripe', /\b[sr]k_(test|live)_\w|whsec_/],
  ['a token', /eyJ[\w-]{10,}\./],
  ['a link that opens an account', /_hosted\/onboarding|onboarding\/link/],
  ['a card or a bank account', /\b4[0-9]{15}\b|\bSE\d{22}\b/],
])('the database holds no document with %s', async (_what, pattern) => {
  const documents = Object.entries(await contentsOf(harness.db));
  expect(documents.length).toBeGreaterThan(20);
  expect(documents.filter(([, data]) => pattern.test(JSON.stringify(data))).map(([path]) => path)).toEqual([]);
});
