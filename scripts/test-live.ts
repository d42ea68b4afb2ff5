import Stripe from 'stripe';
import { runCases, sum, summaryLine } from './live/case.ts';
import { clientCases } from './live/client-cases.ts';
import { fortnoxCases, type FortnoxTarget } from './live/fortnox-cases.ts';
import { stripeCases, type StripeTarget } from './live/stripe-cases.ts';

/**
 * `npm run test:live`: the cases that also run against the emulators (`scripts/live`), against Stripe's test mode and a real
 * Fortnox test database. Keys come from the environment alone. What has none does not run, and is counted as skipped.
 */

type Environment = Readonly<Record<string, string | undefined>>;

function stripeTarget({ STRIPE_TEST_SECRET_KEY: key }: Environment): StripeTarget | { skip: string } {
  if (!key)
    return { skip: 'Set STRIPE_TEST_SECRET_KEY to a secret key of Stripe’s test mode (sk_test_… or rk_test_…).' };
  if (!/^[sr]k_test_/.test(key)) {
    throw new Error(
      'STRIPE_TEST_SECRET_KEY is not a test key; these tests make payments and never run with a live one.',
    );
  }
  return { stripe: new Stripe(key, { telemetry: false, maxNetworkRetries: 2 }) };
}

const fortnoxNames = ['FORTNOX_CLIENT_ID', 'FORTNOX_CLIENT_SECRET', 'FORTNOX_TENANT_ID'] as const;

function fortnoxTarget(environment: Environment, now: Date): FortnoxTarget | { skip: string } {
  const [clientId = '', clientSecret = '', tenantId = ''] = fortnoxNames.map((name) => environment[name]);
  if (clientId === '' || clientSecret === '' || tenantId === '') {
    return { skip: `Set ${fortnoxNames.join(', ')} of an app whose service account a test database has consented to.` };
  }
  return {
    apiBase: environment.FORTNOX_API_BASE ?? 'https://api.fortnox.se',
    tokenBase: environment.FORTNOX_TOKEN_BASE ?? 'https://apps.fortnox.se',
    clientId,
    clientSecret,
    tenantId,
    ...(environment.FORTNOX_TEST_SERIES ? { series: environment.FORTNOX_TEST_SERIES } : {}),
    now,
  };
}

const say = (line: string) => console.log(line);
const stripe = await runCases('Stripe test mode', stripeCases, stripeTarget(process.env), say);
const company = fortnoxTarget(process.env, new Date());
const fortnox = await runCases('Fortnox', fortnoxCases, company, say);
const client = await runCases('Fortnox, by the product’s client', clientCases, company, say);
const outcome = [fortnox, client].reduce(sum, stripe);
console.log(summaryLine(outcome));
process.exitCode = outcome.failed > 0 ? 1 : 0;
