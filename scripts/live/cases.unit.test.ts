import Stripe from 'stripe';
import {
  FORTNOX_EMULATOR_DEFAULTS,
  startFortnoxEmulator,
  type FortnoxEmulator,
} from '../../emulators/fortnox/index.ts';
import { startStripeEmulator, type StripeEmulator } from '../../emulators/stripe/index.ts';
import { runCases, summaryLine } from './case.ts';
import { clientCases } from './client-cases.ts';
import { fortnoxCases, type FortnoxTarget } from './fortnox-cases.ts';
import { stripeCases } from './stripe-cases.ts';

/** The cases of `npm run test:live`, against the emulators. */

let fortnox: FortnoxEmulator;
let stripeEmulator: StripeEmulator;

beforeAll(async () => {
  [fortnox, stripeEmulator] = await Promise.all([
    startFortnoxEmulator(),
    startStripeEmulator({ deliveries: 'manual' }),
  ]);
});

afterAll(() => Promise.all([fortnox.close(), stripeEmulator.close()]));

const fortnoxTarget = (): FortnoxTarget => {
  const { clientId, clientSecret, tenantId } = FORTNOX_EMULATOR_DEFAULTS;
  const base = { apiBase: fortnox.url, tokenBase: fortnox.url, tenantId: String(tenantId), now: new Date() };
  return { ...base, clientId, clientSecret, series: 'S' };
};

it.each([...fortnoxCases, ...clientCases].map(({ name, run }) => [name, run] as const))(
  'Fortnox: %s',
  async (_name, run) => {
    fortnox.core.state().window = {};
    await run(fortnoxTarget());
  },
);

it.each(stripeCases.map(({ name, run }) => [name, run] as const))('Stripe: %s', async (_name, run) => {
  const { hostname, port } = new URL(stripeEmulator.url);
  await run({ stripe: new Stripe('sk_test_live_cases', { protocol: 'http', host: hostname, port, telemetry: false }) });
});

describe('the run', () => {
  const cases = [
    { name: 'one', run: async () => undefined },
    {
      name: 'two',
      run: async () => {
        throw new Error('it differs');
      },
    },
    { name: 'three', run: async () => undefined, needs: () => 'a series' },
  ];

  it('counts what passed, failed and was skipped, and says which', async () => {
    const lines: string[] = [];
    const outcome = await runCases('S', cases, {}, (line) => lines.push(line));
    expect(summaryLine(outcome)).toBe('1 passed, 1 failed, 1 skipped');
    expect(lines.join('\n')).toMatch(
      /passed {3}S: one\n.*FAILED {3}S: two\n.*it differs\n.*skipped {2}S: three \(a series\)/,
    );
  });

  it('says why nothing of a service ran', async () => {
    const lines: string[] = [];
    const outcome = await runCases('S', cases, { skip: 'Set KEY.' }, (line) => lines.push(line));
    expect(summaryLine(outcome)).toBe('0 passed, 0 failed, 3 skipped');
    expect(lines).toEqual(['S: not run. Set KEY.']);
  });
});
