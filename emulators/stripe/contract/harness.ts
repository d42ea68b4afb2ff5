/** What the contract tests share: an emulator on a free port, the real SDK on it, and a coach who has onboarded. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { startStripeEmulator } from '../index.ts';
import { watchStripe } from '../../contract-coverage.ts';
import type { EmulatorOptions, OnboardingForm, StripeEmulator } from '../index.ts';

export const FORM: OnboardingForm = {
  firstName: 'Astrid',
  lastName: 'Lind',
  email: 'astrid@example.se',
  phone: '+46701234567',
  birthDate: '1985-04-12',
  street: 'Storgatan 1',
  postalCode: '111 22',
  city: 'Stockholm',
  iban: 'SE35 5000 0000 0549 1000 0003',
};

export const DAY = 86_400;

export interface Bench {
  emulator: StripeEmulator;
  stripe: Stripe;
  /** A call of the control API; throws on a refusal. */
  control<T = Record<string, unknown>>(method: string, path: string, body?: object): Promise<T>;
  advance(seconds: number): Promise<void>;
  close(): Promise<void>;
}

export const client = (port: number, key = 'sk_test_contract'): Stripe =>
  new Stripe(key, {
    host: '127.0.0.1',
    port,
    protocol: 'http',
    maxNetworkRetries: 0,
    timeout: 5_000,
    telemetry: false,
  });

export async function startBench(options: EmulatorOptions = {}): Promise<Bench> {
  const emulator = await startStripeEmulator(options);
  const watch = watchStripe(emulator.core);
  const control = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`${emulator.url}/_emulator${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new Error(answer.error);
    watch.seeFaults();
    return answer;
  };
  return {
    emulator,
    stripe: client(emulator.port),
    control,
    advance: async (seconds) => void (await control('POST', '/clock', { advanceSeconds: seconds })),
    close: () => {
      watch.end();
      return emulator.close();
    },
  };
}

export const newAccount = (stripe: Stripe): Promise<Stripe.Account> =>
  stripe.accounts.create({
    country: 'SE',
    email: 'coach@example.se',
    business_type: 'individual',
    controller: {
      fees: { payer: 'application' },
      losses: { payments: 'application' },
      requirement_collection: 'stripe',
      stripe_dashboard: { type: 'express' },
    },
    capabilities: { transfers: { requested: true } },
    settings: { payouts: { schedule: { interval: 'manual' } } },
    metadata: { uid: 'coach1' },
  });

export const newLink = (stripe: Stripe, account: string): Promise<Stripe.AccountLink> =>
  stripe.accountLinks.create({
    account,
    type: 'account_onboarding',
    refresh_url: 'https://inner.example/refresh',
    return_url: 'https://inner.example/return',
  });

export const submitForm = (url: string, form: Partial<OnboardingForm> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ ...FORM, ...form }) });

/** A connected account that may be paid, with this bank account. */
export async function onboardedCoach(stripe: Stripe, iban = FORM.iban): Promise<string> {
  const account = await newAccount(stripe);
  const link = await newLink(stripe, account.id);
  await submitForm(link.url, { iban });
  return account.id;
}

/** A 499 SEK programme of which 99 are the platform's, paid. */
export const sellProgramme = (stripe: Stripe, destination: string, card = 'pm_card_bypassPending') =>
  stripe.paymentIntents.create({
    amount: 49_900,
    currency: 'sek',
    application_fee_amount: 9_900,
    transfer_data: { destination },
    payment_method: card,
    confirm: true,
  });

/** The error a promise is rejected with. */
export async function refusal(promise: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

export interface Received {
  body: string;
  signature: string;
}

/** A webhook receiver that answers what `reply` says: 200 unless told otherwise. */
export async function startReceiver(reply: (received: Received, count: number) => number = () => 200) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')));
    request.on('end', () => {
      const one = { body, signature: String(request.headers['stripe-signature']) };
      received.push(one);
      response.writeHead(reply(one, received.length)).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`,
    received,
    events: () => received.map((each) => JSON.parse(each.body) as Stripe.Event),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
