import { readFile, writeFile } from 'node:fs/promises';
import type { Stack, StoryOptions } from '../stack/types.ts';
import { addDays, nextMonday, readable, stockholm } from './calendar.ts';
import { checkInvariants, type Made } from './checks.ts';
import { completeOnboarding, fortnoxTrialBalance, stripeSide, type StripeSide } from './emulators.ts';
import { documentsOf, owner, type Documents, type Fields } from './firestore-rest.ts';
import { getJson, until } from './http.ts';
import { anna, call, fire, karin, lisa, signIn } from './people.ts';
import { checkList, kr, trialBalanceTable } from './print.ts';
import { premiumId, programmeId, seed } from './seed.ts';

/** `.local/story.json`. */
export interface StoryResult extends Omit<Made, 'stripeAccountId'> {
  ok: boolean;
  seconds: Record<string, number>;
  trialBalance: Record<string, number>;
  invariants: Record<string, boolean>;
  /** The Monday on which the coach was paid; played again on the same stack, the story keeps it and so repeats itself. */
  monday: string;
}

interface World {
  stack: Stack;
  stripe: StripeSide;
  documents: Documents;
  tokens: { coach: string; customer: string; admin: string };
  monday: string;
  log: StoryOptions['log'];
}

/** A card whose money is available at once, so that the week needs no waiting. */
const card = 'pm_card_bypassPending';

/**
 * The main job from end to end, with real HTTP calls through the exported functions: a coach is onboarded, a programme and
 * a subscription are sold, the coach is paid on Monday, the books are posted at night, and a proof is made in the morning.
 * Every command carries a fixed requestId, so that playing it again on the same stack must change nothing.
 */
export async function runStory(stack: Stack, options: StoryOptions): Promise<StoryResult> {
  const seconds: Record<string, number> = {};
  const step = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    const began = performance.now();
    const result = await run();
    seconds[name] = Math.round(performance.now() - began) / 1000;
    return result;
  };
  const world = await step('seed', () => openWorld(stack, options));
  const stripeAccountId = await step('onboarding', () => onboardCoach(world));
  const payment = await step('payment', () => sellProgramme(world));
  const subscription = await step('subscription', () => sellSubscription(world));
  const payoutId = await step('payout', () => payCoaches(world));
  await step('accounting', () => keepBooks(world));
  const reconciliationDate = await step('reconciliation', () => proveIt(world));

  const payout = await readPayout(world, payoutId);
  const made: Made = { stripeAccountId, payment, subscription, payout };
  const trialBalance = await fortnoxTrialBalance(stack.urls.fortnox);
  const invariants = await checkInvariants(made, trialBalance, {
    stripe: world.stripe,
    documents: world.documents,
    adminToken: world.tokens.admin,
    reconciliationDate,
  });
  const ok = Object.values(invariants).every(Boolean);
  const result: StoryResult = {
    ok,
    seconds,
    payment,
    subscription,
    payout,
    trialBalance,
    invariants,
    monday: world.monday,
  };
  await writeFile(options.file, `${JSON.stringify(result, null, 2)}\n`);
  options.log(`\n  The books in Fortnox\n${trialBalanceTable(trialBalance)}`);
  options.log(`\n  Asked of the emulators, not of the product\n${checkList(invariants)}`);
  options.log(ok ? '\nEvery öre is accounted for.' : '\nNot every öre is accounted for: see the failed lines above.');
  return result;
}

async function openWorld(stack: Stack, options: StoryOptions): Promise<World> {
  const documents = documentsOf(stack.urls.firestore, stack.projectId);
  await seed(documents, stack.urls.auth, stack.projectId);
  const stripe = stripeSide(stack.urls.stripe, stack.secrets.STRIPE_SECRET_KEY ?? '');
  const [coach, customer, admin] = await Promise.all(
    [karin, lisa, anna].map((person) => signIn(stack.urls.auth, person)),
  );
  if (!coach || !customer || !admin) throw new Error('The Auth emulator gave no ID token.');
  const monday = (await playedBefore(documents, options.file)) ?? nextMonday(await stripe.now());
  return { stack, stripe, documents, tokens: { coach, customer, admin }, monday, log: options.log };
}

/** On a stack that has seen the story, the same Monday is meant; a fresh stack has no coach yet. */
async function playedBefore(documents: Documents, file: string): Promise<string | undefined> {
  if (!(await documents.read(`coaches/${karin.uid}`, owner))) return undefined;
  const before = await readFile(file, 'utf8').catch(() => '{}');
  return (JSON.parse(before) as { monday?: string }).monday;
}

async function onboardCoach(world: World): Promise<string> {
  const { stack, tokens, stripe, log } = world;
  log(`A coach joins: ${karin.name}`);
  const back = { returnUrl: `${stack.urls.hosting}/coach/return`, refreshUrl: `${stack.urls.hosting}/coach/refresh` };
  type Status = { stripeAccountId: string | null; acceptsPayments: boolean; accountStatus: string };
  const status = () => call<Status>(stack.urls.functions, 'getCoachStatus', {}, tokens.coach);
  if (!(await status()).acceptsPayments) {
    type Link = { stripeAccountId: string; onboardingUrl: string };
    const link = await call<Link>(stack.urls.functions, 'startCoachOnboarding', back, tokens.coach);
    log(`  Stripe account ${link.stripeAccountId}; she fills in Stripe's page and comes back`);
    await completeOnboarding(link.onboardingUrl);
    await stripe.settle();
  }
  const done = await until('the coach to be able to take payments', async () => {
    const now = await status();
    return now.acceptsPayments ? now : undefined;
  });
  if (!done.stripeAccountId) throw new Error('getCoachStatus gave no Stripe account.');
  log(`  she can take payments: ${done.accountStatus}`);
  return done.stripeAccountId;
}

async function sellProgramme(world: World): Promise<Made['payment']> {
  const { stack, tokens, stripe, log } = world;
  const input = { productId: programmeId, requestId: 'story-programme-1', paymentMethodId: card };
  const reply = await call<{ paymentId: string; amountMinor: number }>(
    stack.urls.functions,
    'processPayment',
    input,
    tokens.customer,
  );
  await stripe.settle();
  const booked = await readUntil(
    world,
    `payments/${reply.paymentId}`,
    tokens.customer,
    (payment) => payment.status === 'succeeded' && payment.netMinor !== null,
  );
  const payment = {
    id: reply.paymentId,
    amountMinor: number(booked.amountMinor),
    platformFeeMinor: number(booked.platformFeeMinor),
    coachAmountMinor: number(booked.coachAmountMinor),
    status: text(booked.status),
  };
  log(`${lisa.name} buys a programme for ${kr(payment.amountMinor)}`);
  log(
    `  the coach gets ${kr(payment.coachAmountMinor)}, the platform ${kr(payment.platformFeeMinor)}, less Stripe's ${kr(number(booked.stripeFeeMinor))}`,
  );
  return payment;
}

async function sellSubscription(world: World): Promise<Made['subscription']> {
  const { stack, tokens, stripe, log } = world;
  const input = { productId: premiumId, requestId: 'story-premium-1', paymentMethodId: card };
  type Reply = { subscriptionId: string; paymentId: string; amountMinor: number };
  const reply = await call<Reply>(stack.urls.functions, 'createSubscription', input, tokens.customer);
  await stripe.settle();
  const active = await readUntil(
    world,
    `subscriptions/${reply.subscriptionId}`,
    tokens.customer,
    (doc) => doc.status === 'active',
  );
  await readUntil(
    world,
    `payments/${reply.paymentId}`,
    tokens.customer,
    (payment) => payment.status === 'succeeded' && payment.netMinor !== null,
  );
  log(`${lisa.name} subscribes to premium for ${kr(reply.amountMinor)} a month: ${text(active.status)}`);
  return { id: reply.subscriptionId, status: text(active.status), amountMinor: reply.amountMinor };
}

async function payCoaches(world: World): Promise<string> {
  const { stack, stripe, tokens, documents, monday, log } = world;
  const morning = stockholm(monday, 8);
  await stripe.moveTo(morning);
  log(`${readable(morning)}: the weekly payout`);
  await fire(stack.urls.functions, 'schedulePayouts', morning);
  const payout = await until('the payout', async () => {
    const all = await documents.list('payouts', tokens.admin);
    return all.find(({ fields }) => fields.coachId === karin.uid && fields.dueDate === monday && fields.stripePayoutId);
  });
  const arrival = stockholm(addDays(monday, 3), 8);
  await stripe.moveTo(arrival);
  const done = await readUntil(world, `payouts/${payout.id}`, tokens.admin, (doc) => doc.status === 'completed');
  log(`  ${kr(number(done.amountMinor))} to ${karin.name}'s bank: ${text(done.status)} by ${readable(arrival)}`);
  return payout.id;
}

async function keepBooks(world: World): Promise<void> {
  const { stack, tokens, documents, monday, log } = world;
  const night = stockholm(addDays(monday, 4), 2);
  log(`${readable(night)}: the books`);
  await fire(stack.urls.functions, 'syncAccounting', night);
  const vouchers = await until(
    'every voucher to be posted in Fortnox',
    async () => {
      const all = await documents.list('vouchers', tokens.admin);
      return all.length > 0 && all.every(({ fields }) => fields.state === 'posted') ? all : undefined;
    },
    120,
  );
  const lines = vouchers.map(
    ({ fields }) => `  ${text(fields.fortnoxReference).padEnd(12)} ${text(fields.date)}  ${text(fields.description)}`,
  );
  for (const line of lines.sort()) log(line);
}

async function proveIt(world: World): Promise<string> {
  const { stack, tokens, monday, log } = world;
  const date = addDays(monday, 4);
  const morning = stockholm(date, 5);
  await fire(stack.urls.functions, 'sweep', morning);
  await fire(stack.urls.functions, 'reconcile', morning);
  const proof = await readUntil(world, `reconciliations/${date}`, tokens.admin, (doc) => typeof doc.ok === 'boolean');
  log(`${readable(morning)}: the proof: Stripe, ledger and Fortnox ${proof.ok === true ? 'agree' : 'DIFFER'}`);
  const health = await getJson<{ ok: boolean }>(`${stack.urls.api}/health`);
  if (!health.ok) throw new Error('GET /api/health did not answer ok.');
  return date;
}

async function readPayout(world: World, id: string): Promise<Made['payout']> {
  const payout = await readUntil(
    world,
    `payouts/${id}`,
    world.tokens.admin,
    (doc) => typeof doc.fortnoxReference === 'string',
  );
  return {
    id,
    amountMinor: number(payout.amountMinor),
    status: text(payout.status),
    fortnoxReference: text(payout.fortnoxReference),
  };
}

function readUntil(world: World, path: string, token: string, ready: (doc: Fields) => boolean): Promise<Fields> {
  return until(path, async () => {
    const doc = await world.documents.read(path, token);
    return doc && ready(doc) ? doc : undefined;
  });
}

function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error(`Expected a number, got ${JSON.stringify(value)}.`);
  return value;
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new Error(`Expected a text, got ${JSON.stringify(value)}.`);
  return value;
}
